package routing

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// What a decision was scored from is what its receipt says, for the dealer who may see that and nobody
// else.
func TestScoreInputs(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	dealer := w.kase(id).DealerID
	w.decline(dealer, id)
	for attempt, want := range map[int32]int32{0: 2, 1: 1, 2: 2} {
		got, err := w.s.GetScoreInputs(t.Context(), &routingv1.GetScoreInputsRequest{LeadId: id.String(), Attempt: attempt})
		if err != nil {
			t.Fatal(err)
		}
		stored, err := w.s.store.Receipt(t.Context(), id, int(want))
		if err != nil {
			t.Fatal(err)
		}
		r, err := corerouting.ParseReceipt(stored.Canonical)
		if err != nil {
			t.Fatal(err)
		}
		var inputs []corerouting.Input
		for _, in := range got.GetInputs() {
			inputs = append(inputs, corerouting.Input{Name: in.GetName(), Value: in.GetValue()})
		}
		if diff := cmp.Diff(r.Inputs, inputs); diff != "" || len(inputs) == 0 {
			t.Errorf("decision %d: %s", attempt, diff)
		}
		if got.GetAttempt() != want || got.GetLine() != leadv1.Line(r.Line) || got.GetPlaybookRevision() != r.Playbook || len(got.GetModelRevisions()) != 0 ||
			got.GetDecidedAt().GetSeconds() != r.DecidedAt || got.GetPoints() != r.Points {
			t.Errorf("decision %d: %v", attempt, got)
		}
	}
	if _, err := w.s.GetScoreInputs(t.Context(), &routingv1.GetScoreInputsRequest{LeadId: id.String(), DealerId: w.kase(id).DealerID}); err != nil {
		t.Error(err)
	}
	for req, want := range map[*routingv1.GetScoreInputsRequest]problemv1.Reason{
		{LeadId: id.String(), DealerId: "nobody"}: problemv1.Reason_REASON_NOT_YOUR_DEALER,
		{LeadId: id.String(), Attempt: 3}:         problemv1.Reason_REASON_NOT_FOUND,
		{LeadId: id.String(), Attempt: -1}:        problemv1.Reason_REASON_INVALID_ARGUMENT,
		{LeadId: "x"}:                             problemv1.Reason_REASON_INVALID_ARGUMENT,
	} {
		if _, err := w.s.GetScoreInputs(t.Context(), req); problem.From(err).Reason != want {
			t.Errorf("%v: %v, want %v", req, err, want)
		}
	}
	for _, role := range []rpc.Role{rpc.RoleOEM, rpc.RoleDealer, rpc.RoleMOPS, rpc.RoleOps} {
		if rpc.Authorize(rpc.Caller{Name: "x", Roles: []rpc.Role{role}}, routingv1.CaseService_GetScoreInputs_FullMethodName) == nil {
			t.Errorf("%s may read what decisions were scored from", role)
		}
	}
}

// A lead that is read alone says how sure its score is and what its groups gave; nothing of it is stored.
// The score of a lead that another was merged into is the higher one of both, and as sure as that.
func TestCasesTellScoresInFull(t *testing.T) {
	w := newWorld(t)
	w.s.playbooks = playbookfeed.New(nil, w.s.log)
	p := w.rb.playbook
	w.s.old.kept = map[ruling]*playbookfeed.Snapshot{{p.Revision, p.Scorer()}: {Playbook: p}}
	first := w.inquire("one person", func(l *leadv1.Lead) { l.RequestType = leadv1.RequestType_REQUEST_TYPE_BROCHURE })
	read := func() *leadv1.Score {
		t.Helper()
		resp, err := w.s.BatchGetCases(t.Context(), &routingv1.BatchGetCasesRequest{LeadIds: []string{first.String()}})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetCases()[0].GetDecision().GetScore()
	}
	s := read()
	if i := s.GetProbabilityInterval(); i.GetLowPpm() >= s.GetProbabilityPpm() || i.GetHighPpm() <= s.GetProbabilityPpm() || len(s.GetGroups()) != 4 || s.GetStageLabel() == "" {
		t.Errorf("read alone: %v", s)
	}
	if stored := w.kase(first).Decision.GetScore(); stored.GetProbabilityInterval() != nil || len(stored.GetGroups())+len(stored.GetContributions()) != 0 || stored.GetStageLabel() != "" {
		t.Errorf("stored: %v", stored)
	}
	w.inquire("one person", func(l *leadv1.Lead) { l.RequestType = leadv1.RequestType_REQUEST_TYPE_ORDER })
	raised := read()
	i, before := raised.GetProbabilityInterval(), s.GetProbabilityInterval()
	if raised.GetPoints() <= s.GetPoints() || i.GetLowPpm() >= raised.GetProbabilityPpm() || i.GetHighPpm() <= raised.GetProbabilityPpm() || i.GetHighPpm() <= before.GetHighPpm() || i.GetBasis() == "" {
		t.Errorf("raised from %v to %v", s, raised)
	}
}
