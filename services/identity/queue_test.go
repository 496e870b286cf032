package identity_test

import (
	"strings"
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// doubtful makes pairs that wait for somebody and returns their persons.
func (w *world) doubtful(n int) (pairs [][2]string) {
	w.t.Helper()
	done := w.careful()
	defer done()
	for i := range n {
		mail := string(rune('a'+i)) + "carmen@example.com"
		a := w.resolve(w.newLead(party("Carmen", "Delgadillo", mail, "")))[0].PersonId
		w.advance(time.Hour)
		b := w.resolve(w.newLead(party("Carmen", "Delgadillo", mail, "")))[0].PersonId
		w.advance(time.Hour)
		pairs = append(pairs, [2]string{a, b})
	}
	return pairs
}

func (w *world) reviews(req *identityv1.ListReviewsRequest) *identityv1.ListReviewsResponse {
	w.t.Helper()
	resp, err := w.ListReviews(w.as("mona", rpc.RoleMOPS), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func TestReviewQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pairs := w.doubtful(3)
	first := w.reviews(&identityv1.ListReviewsRequest{PageSize: 2})
	if len(first.Reviews) != 2 || first.OpenCount != 3 || first.NextPageToken == "" {
		t.Fatalf("a page of %d, %d open", len(first.Reviews), first.OpenCount)
	}
	second := w.reviews(&identityv1.ListReviewsRequest{PageSize: 2, PageToken: first.NextPageToken})
	if len(second.Reviews) != 1 || second.NextPageToken != "" {
		t.Fatalf("the next page has %d", len(second.Reviews))
	}
	ids := make([]string, 3)
	for i, r := range append(first.Reviews, second.Reviews...) {
		ids[i] = r.ReviewId
		sides := map[string]bool{r.One.PersonId: true, r.Other.PersonId: true}
		if !sides[pairs[i][0]] || !sides[pairs[i][1]] || r.State != identityv1.ReviewState_REVIEW_STATE_OPEN {
			t.Errorf("pair %d is %v", i, r)
		}
		sum := int32(0)
		for _, e := range r.Evidence {
			sum += e.WeightMillibits
		}
		if sum != r.WeightMillibits || len(r.Reasons) == 0 || r.ProbabilityPpm < 500_000 || r.Parameters == "" || r.CreatedAt == nil {
			t.Errorf("evidence %v adds up to %d of %d", r.Evidence, sum, r.WeightMillibits)
		}
		text := r.String()
		if strings.Contains(text, "Carmen") || strings.Contains(text, "carmen@") || !strings.Contains(text, "C***") {
			t.Errorf("mops sees %s", text)
		}
	}
	open, err := w.GetReview(w.as("otto", rpc.RoleOps), &identityv1.GetReviewRequest{ReviewId: ids[0]})
	if err != nil || open.Review.One.Party.GetName().GetGiven() != "Carmen" || len(open.Review.One.Records) != 1 {
		t.Errorf("ops sees %v, %v", open, err)
	}
	mona := w.as("mona", rpc.RoleMOPS)
	confirmed, err := w.ConfirmReview(mona, &identityv1.ConfirmReviewRequest{ReviewId: ids[0], Note: "called her"})
	if err != nil || confirmed.PersonId != pairs[0][0] || confirmed.MergeId == "" || w.person(pairs[0][1]).PersonId != pairs[0][0] {
		t.Fatalf("confirmed: %v, %v", confirmed, err)
	}
	if _, err := w.RejectReview(mona, &identityv1.RejectReviewRequest{ReviewId: ids[1], Note: "mother and daughter"}); err != nil {
		t.Fatal(err)
	}
	if got := w.reviews(&identityv1.ListReviewsRequest{}); len(got.Reviews) != 1 || got.OpenCount != 1 {
		t.Errorf("%d wait", len(got.Reviews))
	}
	for state, want := range map[identityv1.ReviewState]string{
		identityv1.ReviewState_REVIEW_STATE_CONFIRMED: "called her", identityv1.ReviewState_REVIEW_STATE_REJECTED: "mother and daughter",
	} {
		got := w.reviews(&identityv1.ListReviewsRequest{State: state})
		if len(got.Reviews) != 1 || got.Reviews[0].Note != want || got.Reviews[0].DecidedBy != "mona" || got.Reviews[0].ClosedAt == nil {
			t.Errorf("%v: %v", state, got.Reviews)
		}
	}
	// What was rejected stays apart, whatever comes.
	w.advance(time.Hour)
	w.resolve(w.newLead(party("Carmen", "Delgadillo", "bcarmen@example.com", shared)))
	if w.person(pairs[1][1]).PersonId != pairs[1][1] || w.reviews(&identityv1.ListReviewsRequest{}).OpenCount != 1 {
		t.Error("a rejected pair came up again")
	}
	if got := w.reviews(&identityv1.ListReviewsRequest{PersonId: pairs[2][1]}); len(got.Reviews) != 1 || got.Reviews[0].ReviewId != ids[2] {
		t.Errorf("of one person: %v", got.Reviews)
	}
	// Taken back by a split, rejected and then confirmed: the last word holds.
	w.split(&identityv1.SplitPersonRequest{PersonId: pairs[0][0], MergeId: confirmed.MergeId})
	if w.person(pairs[0][1]).PersonId != pairs[0][1] {
		t.Error("a confirmation can not be taken back")
	}
	w.advance(time.Hour)
	if got, err := w.ConfirmReview(mona, &identityv1.ConfirmReviewRequest{ReviewId: ids[1], Note: "one after all"}); err != nil || w.person(pairs[1][1]).PersonId != got.PersonId {
		t.Errorf("a later word does not hold: %v", err)
	}
	_, err = w.RejectReview(mona, &identityv1.RejectReviewRequest{ReviewId: ids[1], Note: "or not"})
	if p := problem.From(err); err == nil || p.Reason != problemv1.Reason_REASON_WRONG_STATE {
		t.Errorf("one person can not be told apart by a rejection: %v", err)
	}
}

func TestReviewsRefuseNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := w.as("mona", rpc.RoleMOPS)
	list := func(req *identityv1.ListReviewsRequest) error { _, err := w.ListReviews(ctx, req); return err }
	get := func(id string) error {
		_, err := w.GetReview(ctx, &identityv1.GetReviewRequest{ReviewId: id})
		return err
	}
	const low, high = "01900000-0000-7000-8000-000000000000", "01900000-0000-7000-8000-000000000001"
	for field, err := range map[string]error{
		"page_size": list(&identityv1.ListReviewsRequest{PageSize: 1_000}), "page_token": list(&identityv1.ListReviewsRequest{PageToken: "x"}),
		"state": list(&identityv1.ListReviewsRequest{State: 99}), "person_id": list(&identityv1.ListReviewsRequest{PersonId: "x"}), "review_id": get(high + "_" + low),
	} {
		if err == nil || len(problem.From(err).Violations) != 1 || problem.From(err).Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := get(low + "_" + high); !isNotFound(err) {
		t.Errorf("no such pair: %v", err)
	}
	_, err := w.ConfirmReview(ctx, &identityv1.ConfirmReviewRequest{ReviewId: low + "_" + high})
	if err == nil || problem.From(err).Violations[0].Field != "note" {
		t.Errorf("without a note: %v", err)
	}
}
