package card_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// ladder is ten rows of 10.00, 20.00 ... 100.00 points, whose chance in per cent is their points.
func ladder() []card.Result {
	var out []card.Result
	for i := range int32(10) {
		out = append(out, card.Result{Points: (i + 1) * 1000, PPM: (i + 1) * 100_000})
	}
	return out
}

func TestThresholdsByHand(t *testing.T) {
	for _, tt := range []struct {
		wanted int32
		points int32
		ok     bool
	}{{1_000_000, 10000, true}, {950_000, 9000, true}, {900_000, 8000, true}, {550_000, 1000, true}, {551_000, 2000, true}, {0, 1000, true}} {
		if points, ok := card.ForPrecision(ladder(), tt.wanted); points != tt.points || ok != tt.ok {
			t.Errorf("precision %d: %d, %v", tt.wanted, points, ok)
		}
	}
	if _, ok := card.ForPrecision(ladder()[:5], 510_000); ok {
		t.Error("51 % of rows of at most 50 %")
	}
	for _, tt := range []struct {
		take, of int64
		points   int32
		ok       bool
	}{{3, 10, 8000, true}, {39, 100, 8000, true}, {1, 1, 1000, true}, {40, 500, 0, false}, {0, 5, 0, false}} {
		if points, ok := card.ForCapacity(ladder(), card.Capacity{Take: tt.take, Of: tt.of}); points != tt.points || ok != tt.ok {
			t.Errorf("capacity %d of %d: %d, %v", tt.take, tt.of, points, ok)
		}
	}
	tied := append(ladder(), ladder()...)
	if points, ok := card.ForCapacity(tied, card.Capacity{Take: 3, Of: 20}); points != 10000 || !ok {
		t.Errorf("three of twenty where two by two are equal: %d, %v", points, ok)
	}
}

func TestDeriveGoesBySegments(t *testing.T) {
	rows := ladder()
	segments := frame.Categorical("City", []string{"a", "a", "b", "b", "a", "b", "c", "", "c", "a"})
	c := &card.Card{Thresholds: []card.Threshold{
		{Name: "ready", Points: 1, Precision: 850_000},                // c and none: 70, 80, 90
		{Name: "ready", Segment: "a", Points: 1, Precision: 750_000},  // 10, 20, 50, 100
		{Name: "ready", Segment: "b", Points: 77, Precision: 750_000}, // 30, 40, 60
		{Name: "call", Capacity: &card.Capacity{Take: 1, Of: 5}},      // all
		{Name: "mine", Points: 4321},
		{Name: "call", Segment: "d", Points: 5, Capacity: &card.Capacity{Take: 1, Of: 5}},
	}}
	problems := c.Derive(rows, &segments)
	var got []int32
	for _, x := range c.Thresholds {
		got = append(got, x.Points)
	}
	if diff := cmp.Diff([]int32{8000, 5000, 77, 9000, 4321, 5}, got); diff != "" {
		t.Error(diff)
	}
	// Of 70, 80 and 90 two are from 80 on, 85 % on average; of the ten rows two are above 90.
	cuts := c.Cuts(rows, &segments)
	if diff := cmp.Diff([]card.Cut{{Rows: 3, Above: 2, PPM: 850_000}, {Rows: 4, Above: 2, PPM: 750_000}, {Rows: 3, Above: 3, PPM: 433_333},
		{Rows: 10, Above: 2, PPM: 950_000}, {Rows: 10, Above: 6, PPM: 750_000}, {Rows: 0}}, cuts); diff != "" {
		t.Error(diff)
	}
	want := []card.Problem{{Path: "thresholds[2]", Message: "not even the best rows reach 75 %; it stays at 0.77 points"},
		{Path: "thresholds[5]", Message: "there are no rows to go by; it stays at 0.05 points"}}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
	// Where every segment has one of its own, the general one is for those to come.
	three := frame.Categorical("City", []string{"a", "a", "b", "b", "a", "b", "a", "a", "b", "a"})
	c.Thresholds = c.Thresholds[:3]
	if c.Derive(rows, &three); c.Thresholds[0].Points != 7000 {
		t.Errorf("85 %% of all rows are from %d points on", c.Thresholds[0].Points)
	}
	if problems := c.Derive(rows, nil); len(problems) == 0 {
		t.Error("segments that nobody knows were taken")
	}
}
