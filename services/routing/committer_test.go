package routing

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// together commits inquiries in one group and answers what each came to: its dealer, or the reason.
func (w *world) together(list ...*inquiry) []string {
	w.t.Helper()
	out := make([]string, len(list))
	var jobs []*job
	for i, q := range list {
		j := &job{ctx: w.t.Context(), inquiry: q, started: time.Now(), deadline: time.Now().Add(time.Minute)}
		j.finish = func(d *leadv1.Decision, err error) {
			if out[i] != "" {
				w.t.Errorf("lead %d was answered twice", i)
			}
			if out[i] = d.GetAssignment().GetDealerId(); err != nil {
				out[i] = problem.From(err).Reason.String()
			}
		}
		w.s.committer.propose(w.rb, j)
		jobs = append(jobs, j)
	}
	w.s.committer.group(w.t.Context(), jobs)
	return out
}

func TestABadLeadDoesNotEndItsCompany(t *testing.T) {
	w := newWorld(t)
	refused := problemv1.Reason_REASON_INTERNAL.String()
	for _, tt := range []struct {
		name   string
		poison func(q *inquiry)
	}{
		{"traceparent", func(q *inquiry) { q.traceparent = "00-\x00" }},
		{"brand", func(q *inquiry) { q.lead.Brand = "NORR\x00VIND" }},
	} {
		var list []*inquiry
		for range 5 {
			w.made++
			list = append(list, w.inquiry(strings.Repeat("p", w.made), chooses("a")))
		}
		again := *list[0] // of the same customer, about the same
		again.lead.ID = lead.NewID([]byte("test"), "again", tt.name)
		list = append(list, &again)
		tt.poison(list[2])
		if diff := cmp.Diff([]string{"a", "a", refused, "a", "a", ""}, w.together(list...)); diff != "" {
			t.Errorf("%s: answers (-want +got):\n%s", tt.name, diff)
		}
		for i, q := range list {
			k, err := w.s.store.Case(t.Context(), q.lead.ID)
			switch {
			case i == 2:
				wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
			case err != nil:
				t.Errorf("%s: lead %d is not stored: %v", tt.name, i, err)
			case i == 5 && k.MergedInto != list[0].lead.ID:
				t.Errorf("%s: the second of a customer was merged into %s", tt.name, k.MergedInto)
			case i < 5 && count(w.events(q.lead.ID), "decided") != 1:
				t.Errorf("%s: lead %d has the events %v", tt.name, i, w.events(q.lead.ID))
			}
		}
		if diff := cmp.Diff([]string{refused}, w.together(list[2])); diff != "" {
			t.Errorf("%s: alone (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestDuplicatesInAGroupAreToldAsLaterOnes commits a customer's inquiries in one group and one after
// the other: their holder must come out the same, also when the transaction has to run twice.
func TestDuplicatesInAGroupAreToldAsLaterOnes(t *testing.T) {
	type standing struct {
		Version  int64
		Points   int32
		Stage    leadv1.Stage
		Deadline string
		Events   []string
	}
	run := func(t *testing.T, commit func(w *world, list []*inquiry)) (standing, int32) {
		w := newWorld(t)
		list := []*inquiry{w.inquiry("ada", nil), w.inquiry("bob", nil), w.inquiry("ada", nil), w.inquiry("ada", nil)}
		list[0].lead.RequestType = lead.RequestTypeBrochure
		list[2].lead.RequestType = lead.RequestTypeOrder
		commit(w, list)
		for _, q := range list[2:] {
			if k := w.kase(q.lead.ID); k.MergedInto != list[0].lead.ID {
				t.Fatalf("merged into %s", k.MergedInto)
			}
		}
		if v := w.kase(list[1].lead.ID).Version; v != 1 {
			t.Errorf("a lead nobody was merged into is at version %d", v)
		}
		k := w.kase(list[0].lead.ID)
		w.checkLaws()
		var first int32
		for _, e := range w.rawEvents() {
			if e.GetLeadId() == k.LeadID.String() && e.GetType() == eventDecided {
				first = e.GetFacts().GetPoints()
			}
		}
		events := w.events(k.LeadID)
		slices.Sort(events)
		return standing{k.Version, k.Decision.GetScore().GetPoints(), k.Decision.GetScore().GetStage(),
			k.Owner.Deadline.Kind.String() + k.Owner.Deadline.At.Sub(w.now).String(), events}, first
	}
	want, before := run(t, func(w *world, list []*inquiry) {
		for _, q := range list {
			w.together(q)
		}
	})
	if want.Points <= before {
		t.Fatalf("the second inquiry raised nothing: %d from %d points", want.Points, before)
	}
	want.Version = 2 // of one transaction, however many came with it
	got, decided := run(t, func(w *world, list []*inquiry) { w.together(list...) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in one group (-one by one +together):\n%s", diff)
	}
	if decided != before {
		t.Errorf("the decision is told with %d points, it was made with %d", decided, before)
	}
	got, _ = run(t, func(w *world, list []*inquiry) {
		group, hooks := w.proposals(list...)
		tries, told := 0, hooks.Deliver
		hooks.Deliver = func(ctx context.Context, tx pgx.Tx) error {
			if tries++; tries == 1 {
				return &pgconn.PgError{Code: "40P01"}
			}
			return told(ctx, tx)
		}
		if err := w.s.store.Commit(t.Context(), group, hooks); err != nil || tries != 2 {
			t.Fatalf("after %d tries: %v", tries, err)
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at the second try (-one by one +together):\n%s", diff)
	}
}

func TestALeadOfWhomNothingIsKnownIsCommittedInAGroup(t *testing.T) {
	w := newWorld(t)
	capture := rpc.Caller{Name: "capture", Service: "capture", Roles: []rpc.Role{rpc.RoleService}}
	var list []*inquiry
	for range 2 {
		w.made++
		q := w.inquiry(strings.Repeat("n", w.made), chooses("a"))
		parsed := &inquiry{}
		if err := parseDecide(capture, &routingv1.DecideRequest{
			Mode: routingv1.DecideMode_DECIDE_MODE_COMMIT, Lead: leadconv.ToProto(&q.lead), PersonId: q.person.String(),
		}, parsed); err != nil {
			t.Fatal(err)
		}
		list = append(list, parsed)
	}
	list[1].rawProfile = []byte{}
	if diff := cmp.Diff([]string{"a", "a"}, w.together(list...)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	for _, q := range list { // a lead without a profile can be decided again
		if k := w.decline("a", q.lead.ID); k.GetDecision().GetAssignment().GetDealerId() == "" {
			t.Error("nobody has the declined lead")
		}
	}
}
