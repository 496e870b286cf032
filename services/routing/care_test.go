package routing

import (
	"slices"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

// Who has an open lead of CARE is answered with what they asked, until it is closed; others are not.
func TestListOpenCare(t *testing.T) {
	w := newWorld(t)
	asks := func(person string, line leadv1.Line, what leadv1.RequestType) lead.ID {
		return w.inquire(person, func(p *leadv1.Lead) { p.Line, p.RequestType = line, what })
	}
	cares := []lead.ID{
		asks("one", leadv1.Line_LINE_CARE, leadv1.RequestType_REQUEST_TYPE_COMPLAINT),
		asks("two", leadv1.Line_LINE_CARE, leadv1.RequestType_REQUEST_TYPE_RECALL),
		asks("three", leadv1.Line_LINE_CARE, leadv1.RequestType_REQUEST_TYPE_COMPLAINT),
	}
	again := asks("one", leadv1.Line_LINE_CARE, leadv1.RequestType_REQUEST_TYPE_COMPLAINT)
	if w.kase(again).State != lead.StateMerged {
		t.Fatal("one complains twice")
	}
	asks("four", leadv1.Line_LINE_SALES, leadv1.RequestType_REQUEST_TYPE_QUOTE)
	asks("two", leadv1.Line_LINE_SALES, leadv1.RequestType_REQUEST_TYPE_QUOTE)

	var first, last lead.ID // in the order of persons
	for i := range last {
		last[i] = 0xff
	}
	ask := func(from, to lead.ID) (found []lead.ID) {
		t.Helper()
		resp, err := w.s.ListOpenCare(t.Context(), &routingv1.ListOpenCareRequest{FromPersonId: from.String(), ToPersonId: to.String()})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.GetCares() {
			id, err := lead.ParseID(c.GetLeadId())
			if err != nil {
				t.Fatal(err)
			}
			want := leadv1.RequestType_REQUEST_TYPE_COMPLAINT
			if id == cares[1] {
				want = leadv1.RequestType_REQUEST_TYPE_RECALL
			}
			if k := w.kase(id); c.GetPersonId() != k.PersonID.String() || c.GetRequestType() != want {
				t.Errorf("%v is of %s", c, k.PersonID)
			}
			found = append(found, id)
		}
		return found
	}
	all := ask(first, last)
	if len(all) != 3 || !slices.Contains(all, cares[0]) || !slices.Contains(all, cares[1]) || !slices.Contains(all, cares[2]) {
		t.Fatalf("open are %v, want %v", all, cares)
	}
	person := func(id lead.ID) lead.ID { return w.kase(id).PersonID }
	for from := range all {
		for to := range all {
			want := 0
			if from <= to {
				want = to - from + 1
			}
			if got := ask(person(all[from]), person(all[to])); len(got) != want || want > 0 && !slices.Equal(got, all[from:to+1]) {
				t.Errorf("from person %d to %d: %v", from, to, got)
			}
		}
	}

	k := w.kase(cares[0])
	w.apply(nil, w.outcome(cares[0], "settled", k.DealerID, feedbackv1.OutcomeKind_OUTCOME_KIND_WON))
	if got := ask(first, last); len(got) != 2 || slices.Contains(got, cares[0]) {
		t.Errorf("after one is settled: %v", got)
	}
	if _, err := w.s.ListOpenCare(t.Context(), &routingv1.ListOpenCareRequest{FromPersonId: "x"}); err == nil {
		t.Error("no persons, no mistake")
	}
}
