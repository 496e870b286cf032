package identity_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	match "github.com/leadmesh/leadmesh/core/identity"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// runs works the service's jobs until the test ends.
func (w *world) runs() {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

// upload keeps changed parameters and returns their revision.
func (w *world) upload(change func(*match.Params)) string {
	w.t.Helper()
	p := match.Default()
	change(p)
	resp, err := w.UploadParameters(w.as("mona", rpc.RoleMOPS), &identityv1.UploadParametersRequest{Text: string(p.Marshal()), Note: "tried on last month's leads"})
	if err != nil {
		w.t.Fatal(err)
	}
	if resp.Parameters.Revision != p.Revision() || resp.Parameters.UploadedBy != "mona" || resp.Parameters.Active {
		w.t.Fatalf("uploaded %v", resp.Parameters)
	}
	return p.Revision()
}

// recluster runs a re-clustering to its report.
func (w *world) recluster(revision string) *identityv1.Reclustering {
	w.t.Helper()
	resp, err := w.StartReclustering(w.as("mona", rpc.RoleMOPS), &identityv1.StartReclusteringRequest{Revision: revision, Note: "new weights"})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.until(resp.Reclustering.ReclusteringId, identityv1.ReclusteringState_RECLUSTERING_STATE_REPORTED)
}

func (w *world) until(id string, state identityv1.ReclusteringState) *identityv1.Reclustering {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		got, err := w.GetReclustering(w.t.Context(), &identityv1.GetReclusteringRequest{ReclusteringId: id})
		if err != nil {
			w.t.Fatal(err)
		}
		if got.Reclustering.State == state {
			return got.Reclustering
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("after a minute it is %v", got.Reclustering)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-w.t.Context().Done():
			w.t.Fatal("ended")
		}
	}
}

func (w *world) apply(r *identityv1.Reclustering) *identityv1.Reclustering {
	w.t.Helper()
	if _, err := w.ApplyReclustering(w.as("otto", rpc.RoleOps), &identityv1.ApplyReclusteringRequest{ReclusteringId: r.ReclusteringId, ReportId: r.ReportId}); err != nil {
		w.t.Fatal(err)
	}
	return w.until(r.ReclusteringId, identityv1.ReclusteringState_RECLUSTERING_STATE_APPLIED)
}

// Parameters that trust an e-mail address less take apart what they no longer hold for one person,
// and those of before bring it together again: under the same identifiers, but for what people decided.
func TestReclustering(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.runs()
	lead := func(given, mail string) string {
		w.advance(time.Hour)
		return w.resolve(w.newLead(party(given, "Delgadillo", mail, "")))[0].PersonId
	}
	var persons []string
	for i := range 4 {
		mail := fmt.Sprintf("p%d@example.com", i)
		id := lead("Carmen", mail)
		if lead("Carmen", mail) != id {
			t.Fatal("no person of two leads")
		}
		persons = append(persons, id)
	}
	w.merge(persons[2], persons[3]) // somebody knows

	same := w.recluster(match.Default().Revision())
	if same.AddedLinks+same.RemovedLinks+same.NewReviews != 0 || same.PersonCount != 3 || same.ReportId == "" || same.ProgressPpm != 1_000_000 {
		t.Errorf("the same parameters change %v", same)
	}
	strict := w.upload(func(p *match.Params) { p.Match = 60_000 })
	before := w.pagesOf(persons)
	report := w.recluster(strict)
	// One record leaves each of the first two persons; of the merged ones two leave what somebody keeps together.
	if report.RemovedLinks < 4 || report.MovedToReview != report.RemovedLinks || report.AddedLinks != 0 || len(report.Sample) == 0 || report.Revision != strict {
		t.Fatalf("the report is %v", report)
	}
	for id, p := range w.pagesOf(persons) {
		if diff := page(before[id], p); diff != "" {
			t.Errorf("a report changes somebody:\n%s", diff)
		}
	}
	_, err := w.ApplyReclustering(w.as("otto", rpc.RoleOps), &identityv1.ApplyReclusteringRequest{ReclusteringId: report.ReclusteringId, ReportId: same.ReportId})
	if err == nil || problem.From(err).Violations[0].Field != "report_id" {
		t.Errorf("another report is applied: %v", err)
	}
	applied := w.apply(report)
	if applied.Applied != report.RemovedLinks || applied.Skipped != 0 {
		t.Errorf("%d of %d applied, %d skipped", applied.Applied, report.RemovedLinks, applied.Skipped)
	}
	for i, id := range persons[:3] {
		p := w.person(id)
		if p.PersonId != id {
			t.Errorf("person %d is somebody else", i)
		}
		if n := len(p.Records); i < 2 && n != 1 || i == 2 && n != 2 {
			t.Errorf("person %d has %d records", i, n)
		}
		if diff, err := w.Retell(t.Context(), id); err != nil || diff != "" {
			t.Errorf("person %d: %v %s", i, err, diff)
		}
	}
	if w.person(persons[3]).PersonId != persons[2] {
		t.Error("what somebody merged was taken apart")
	}
	if n := int64(w.open()); n != report.MovedToReview {
		t.Errorf("%d pairs wait, want %d", n, report.MovedToReview)
	}

	// Back to those of before, but for one pair that somebody rejected meanwhile.
	open := w.reviews(&identityv1.ListReviewsRequest{PersonId: persons[0]}).Reviews
	if len(open) != 1 {
		t.Fatalf("%d pairs of the first person wait", len(open))
	}
	w.advance(time.Hour)
	if _, err := w.RejectReview(w.as("mona", rpc.RoleMOPS), &identityv1.RejectReviewRequest{ReviewId: open[0].ReviewId, Note: "sisters"}); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	back := w.recluster(match.Default().Revision())
	if back.AddedLinks != report.RemovedLinks-1 || back.RemovedLinks != 0 {
		t.Errorf("back: %v", back)
	}
	w.apply(back)
	for i, want := range map[int]int{0: 1, 1: 2, 2: 4} {
		if p := w.person(persons[i]); p.PersonId != persons[i] || len(p.Records) != want {
			t.Errorf("person %d has %d records again, want %d", i, len(p.Records), want)
		}
	}
	list, err := w.ListParameters(t.Context(), &identityv1.ListParametersRequest{})
	if err != nil || len(list.Parameters) != 2 || list.ShippedRevision != match.Default().Revision() ||
		!slices.ContainsFunc(list.Parameters, func(p *identityv1.Parameters) bool { return p.Active && p.Revision == list.ShippedRevision }) {
		t.Errorf("parameters: %v, %v", list, err)
	}
}

func (w *world) pagesOf(ids []string) map[string]*identityv1.GetPersonResponse {
	out := map[string]*identityv1.GetPersonResponse{}
	for _, id := range ids {
		out[id] = w.person(id)
	}
	return out
}

func TestReclusteringIsRefusedAndCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // nobody works jobs
	ctx := w.as("mona", rpc.RoleMOPS)
	start := func(revision string) (*identityv1.StartReclusteringResponse, error) {
		return w.StartReclustering(ctx, &identityv1.StartReclusteringRequest{Revision: revision, Note: "x"})
	}
	if _, err := start("0123"); !isNotFound(err) {
		t.Errorf("no such revision: %v", err)
	}
	if _, err := start(""); err == nil || problem.From(err).Violations[0].Field != "revision" {
		t.Errorf("no revision: %v", err)
	}
	first, err := start(match.Default().Revision())
	if err != nil {
		t.Fatal(err)
	}
	id := first.Reclustering.ReclusteringId
	wrong := func(what string, err error) {
		t.Helper()
		if err == nil || problem.From(err).Reason != problemv1.Reason_REASON_WRONG_STATE {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = start(match.Default().Revision())
	wrong("a second one", err)
	_, err = w.ApplyReclustering(ctx, &identityv1.ApplyReclusteringRequest{ReclusteringId: id, ReportId: "x"})
	wrong("no report yet", err)
	for range 2 {
		got, err := w.CancelReclustering(ctx, &identityv1.CancelReclusteringRequest{ReclusteringId: id})
		if err != nil || got.Reclustering.State != identityv1.ReclusteringState_RECLUSTERING_STATE_CANCELLED {
			t.Fatalf("cancelled: %v, %v", got, err)
		}
	}
	w.runs()
	if _, err := start(match.Default().Revision()); err != nil {
		t.Errorf("after a cancelled one: %v", err)
	}
	if got, err := w.GetReclustering(ctx, &identityv1.GetReclusteringRequest{ReclusteringId: id}); err != nil || got.Reclustering.State != identityv1.ReclusteringState_RECLUSTERING_STATE_CANCELLED {
		t.Errorf("the cancelled one is %v, %v", got, err)
	}
	for field, req := range map[string]*identityv1.UploadParametersRequest{
		"note": {Text: string(match.Default().Marshal())}, "text": {Text: "match: [", Note: "x"},
	} {
		if _, err := w.UploadParameters(ctx, req); err == nil || len(problem.From(err).Violations) != 1 || problem.From(err).Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := w.ActivateParameters(ctx, &identityv1.ActivateParametersRequest{Revision: "0123"}); !isNotFound(err) {
		t.Errorf("no such revision: %v", err)
	}
}
