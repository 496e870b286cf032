package train_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// A table that gives few different scores is calibrated to the shares won at each of them, however far
// apart they stand: what lies between them is nobody's.
func TestRecalibrateFewScores(t *testing.T) {
	for _, tt := range []struct {
		points  []int32 // of each value
		percent []int   // won of its rows
	}{
		{[]int32{0, 3000}, []int{10, 25}},
		{[]int32{0, 1}, []int{10, 25}},
		{[]int32{0, 8000}, []int{2, 90}},
		{[]int32{3000, 0}, []int{60, 5}},
		{[]int32{0, 500, 6000}, []int{10, 12, 60}},
		{[]int32{0, 3000}, []int{20, 20}},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			c := &card.Card{
				Target: card.Target{Column: "y"}, Base: 1000,
				Calibration: []card.Knot{{PPM: 10_000, High: card.Certain}, {Points: card.MaxPoints, PPM: 500_000, High: card.Certain}},
				Rows:        []card.Row{{Feature: "a", Kind: frame.Category, Bins: []card.Bin{{Other: true}}}},
			}
			for k, p := range tt.points {
				c.Rows[0].Bins = append(c.Rows[0].Bins, card.Bin{Values: []string{fmt.Sprint(k)}, Points: p})
			}
			const rows = 30_000
			var values []string
			var outcomes []train.Outcome
			for i := range rows {
				k := i % len(tt.points)
				came := train.Lost
				if i/len(tt.points)*37%100 < tt.percent[k] {
					came = train.Won
				}
				values, outcomes = append(values, fmt.Sprint(k)), append(outcomes, came)
			}
			f := &frame.Frame{Rows: rows, Columns: []frame.Column{frame.Categorical("a", values)}}
			again, err := train.Recalibrate(c, f, outcomes, nil, -1)
			if err != nil {
				t.Fatal(err)
			}
			if problems := again.Check(); len(problems) > 0 {
				t.Fatal(problems)
			}
			scorer, _ := card.Compile(again)
			bound, err := scorer.Bind(f)
			if err != nil {
				t.Fatal(err)
			}
			for k, percent := range tt.percent {
				if got := float64(bound.Score(k).PPM) / card.Certain; math.Abs(got-float64(percent)/100) > 0.01 {
					t.Errorf("value %d is given %.4f, %d %% were won; %v", k, got, percent, again.Calibration)
				}
			}
		})
	}
}
