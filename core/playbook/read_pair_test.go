package playbook_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
)

func TestPairsAreRead(t *testing.T) {
	p, mistakes := playbook.Read(small(t))
	if p == nil {
		t.Fatal(mistakes)
	}
	week := int64(7)
	want := []scoring.Pair{{
		First:  scoring.Side{Feature: "inventory_view.recency", In: "days", Parts: []scoring.Part{{Below: &week}, {}}},
		Second: scoring.Side{Feature: "request_type", Parts: []scoring.Part{{Values: []string{"TEST_DRIVE", "QUOTE"}}, {Missing: true}}},
		Group:  "ENGAGEMENT", Label: "wants one of the cars in stock", Points: [][]int32{{450, 0}, {0, -200}},
	}}
	if diff := cmp.Diff(want, p.Scorecards.Lines["SALES"].Pairs); diff != "" {
		t.Error(diff)
	}
}
