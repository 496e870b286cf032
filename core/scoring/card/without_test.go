package card_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// A signal that is taken out gives every row the mean of what it gave those it was learned from, alone
// and in pairs, whatever it says; the others give what they gave.
func TestWithoutTellsNothingByTheSignal(t *testing.T) {
	c := &card.Card{
		Target: card.Target{Column: "won", Positive: "1"},
		Base:   5000,
		Rows: []card.Row{
			{Feature: "age", Kind: frame.Number, Monotone: card.Rising, Bins: []card.Bin{
				{Below: below(30), Points: 0, Count: 300}, {Other: true, Points: 400, Count: 100}}},
			{Feature: "visits", Kind: frame.Number, Bins: []card.Bin{{Below: below(2), Points: -70, Count: 200}, {Other: true, Points: 90, Count: 200}}},
		},
		Pairs: []card.Pair{
			pairOf("age", "visits", [][]card.Cell{{{Points: 10, Count: 30}, {Points: 20}}, {{Points: 50, Count: 10}, {Points: 40}}}),
			pairOf("pages", "age", [][]card.Cell{{{Points: 1, Count: 1}, {Points: 3, Count: 3}}, {{Points: -8, Count: 1}, {Points: 0, Count: 3}}}),
		},
		Calibration: []card.Knot{{Points: 0, PPM: 0, High: card.Certain}, {Points: card.MaxPoints, PPM: card.Certain, High: card.Certain}},
		Learned:     &card.Learned{Rows: 400, Positives: 90, Overrides: []card.Override{{Column: "age", Reason: "a rule"}, {Column: "sex", Reason: "a rule"}}},
	}
	if got := c.Overridden(); !cmp.Equal(got, []string{"age"}) {
		t.Errorf("overridden: %v", got)
	}
	before := c.Clone()
	without := c.Without("age")
	if d := cmp.Diff(before, c); d != "" {
		t.Errorf("the card itself changed: %s", d)
	}
	f := &frame.Frame{Rows: 4, Columns: []frame.Column{
		frame.Numeric("age", []float64{20, 90, math.NaN(), 20}),
		frame.Numeric("visits", []float64{1, 1, 1, 5}),
		frame.Numeric("pages", []float64{1, 1, 1, 5}),
	}}
	b := bind(t, compile(t, without), f)
	// age: 0 of 300 rows, 400 of 100: 100. Pairs at few visits and pages: (10*30+50*10)/40 = 20, (1+9)/4 rounded is 3;
	// at many: 30 (no counts: the plain mean), -8/4 = -2.
	for row, want := range []int32{5000 + 100 - 70 + 20 + 3, 5000 + 100 - 70 + 20 + 3, 5000 + 100 - 70 + 20 + 3, 5000 + 100 + 90 + 30 - 2} {
		if got := b.Score(row).Points; got != want {
			t.Errorf("row %d has %d points, want %d", row, got, want)
		}
	}
}

func pairOf(first, second string, cells [][]card.Cell) card.Pair {
	side := func(feature string, cut float64) card.Side {
		return card.Side{Feature: feature, Kind: frame.Number, Parts: []card.Part{{Below: below(cut)}, {Other: true, Missing: true}}}
	}
	cuts := map[string]float64{"age": 30, "visits": 2, "pages": 2}
	return card.Pair{First: side(first, cuts[first]), Second: side(second, cuts[second]), Cells: cells}
}
