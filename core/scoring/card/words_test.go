package card_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

func TestWordsOfBins(t *testing.T) {
	c := course()
	for i, want := range [][]string{
		{"below 60", "not known", "60 up to 600.5", "600.5 and more"},
		{"Google, Bing", "Referral", "all others, not known"},
		{"below 2", "2 and more"},
	} {
		if diff := cmp.Diff(want, c.Rows[i].Words(false)); diff != "" {
			t.Error(diff)
		}
	}
	r := card.Row{Feature: "page_view.recency", Kind: frame.Number, Bins: []card.Bin{{Below: below(5400)}, {Below: below(86400), Missing: true}, {Other: true}}}
	if diff := cmp.Diff([]string{"below 1.5 hours", "1.5 hours up to 1 day, not known", "1 day and more"}, r.Words(true)); diff != "" {
		t.Error(diff)
	}
	s := card.Side{Feature: "x", Kind: frame.Number, Parts: []card.Part{{Other: true}}}
	if diff := cmp.Diff([]string{"any number"}, s.Words(true)); diff != "" {
		t.Error(diff)
	}
}
