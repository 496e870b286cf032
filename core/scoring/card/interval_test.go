package card_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// world makes rows of which the true probability is known: three signals and two that tell nothing.
func world(r *rand.Rand, rows int) (f *frame.Frame, outcomes []train.Outcome, truth []float64) {
	var minutes, visits, noise []float64
	var sources, colours []string
	weight := map[string]float64{"fair": 0.9, "web": 0, "portal": -0.7, "": -0.2}
	for range rows {
		m, v, source := math.NaN(), float64(r.IntN(12)), []string{"fair", "web", "web", "portal", ""}[r.IntN(5)]
		z := -1.6 + weight[source] + 0.12*math.Min(v, 7)
		if r.IntN(3) > 0 {
			m = math.Round(r.ExpFloat64()*100) / 10
			z += 0.9 * math.Tanh(m/8)
		}
		p := 1 / (1 + math.Exp(-z))
		minutes, visits, noise = append(minutes, m), append(visits, v), append(noise, r.NormFloat64())
		sources, colours = append(sources, source), append(colours, []string{"red", "green", "blue"}[r.IntN(3)])
		truth = append(truth, p)
		o := train.Lost
		if r.Float64() < p {
			o = train.Won
		}
		outcomes = append(outcomes, o)
	}
	return &frame.Frame{Rows: rows, Columns: []frame.Column{frame.Numeric("minutes", minutes), frame.Numeric("visits", visits),
		frame.Numeric("noise", noise), frame.Categorical("source", sources), frame.Categorical("colour", colours)}}, outcomes, truth
}

// TestIntervalsHoldTheTruthAndShrink: of rows that a learned card has not seen, about 19 of 20 have
// their true probability within the interval, whatever it was learned from, and more rows make it
// narrower.
func TestIntervalsHoldTheTruthAndShrink(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	last := math.Inf(1)
	for _, rows := range []int{800, 8000} {
		inside, all, width := 0, 0, 0.0
		for range 3 {
			f, outcomes, truth := world(r, rows+2000)
			c, _, err := train.Learn(f.Slice(0, rows), outcomes[:rows], train.Options{Target: card.Target{Column: "won"}, Bags: 8}, nil)
			if err != nil {
				t.Fatal(err)
			}
			b := bind(t, compile(t, c), f)
			for row := rows; row < f.Rows; row++ {
				x := b.Score(row)
				if p := truth[row] * card.Certain; float64(x.LowPPM) <= p && p <= float64(x.HighPPM) {
					inside++
				}
				all++
				width += float64(x.HighPPM-x.LowPPM) / card.Certain
			}
		}
		width /= float64(all)
		t.Logf("%d rows: %.3f within, %.3f wide", rows, float64(inside)/float64(all), width)
		if share := float64(inside) / float64(all); share < 0.85 {
			t.Errorf("%d rows: the interval holds the truth of only %.3f", rows, share)
		}
		if width > last*0.7 {
			t.Errorf("ten times the rows narrow the interval from %.3f to %.3f only", last, width)
		}
		last = width
	}
}
