package train

import (
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// calibration finds the chances that go with the points of a table, from the scores that trials
// gave to rows they had not seen.
//
// The scores of each fold are moved and stretched to the mean and the spread of the table's on the
// same rows: a fold's fit knew an older base rate, and saw fewer rows to go so far from it.
func (l *learner) calibration(t *table, best *trial) []card.Knot {
	if best.from == l.m.rows {
		return l.guessed(t)
	}
	own := t.scores(l.m, l.s.offset)
	scores := slices.Clone(best.scores[best.best])
	y, w := slices.Clone(l.s.y[best.from:]), slices.Clone(l.s.weight[best.from:])
	for _, p := range l.folds() {
		align(scores[p.from-best.from:p.to-best.from], own[p.from:p.to], w[p.from-best.from:p.to-best.from])
	}
	l.impute(scores, y, w, best.from)
	if !l.timed {
		return t.knots(settled(scores, y, w, 0))
	}
	f := foretell(scores, y, w)
	l.report.Recent.Moving, l.report.Recent.Trend, l.report.Recent.Error = f.moving, f.trend, f.err
	return t.knots(current(scores, y, w, f, 0))
}

// align gives scores the mean and the spread of others of the same rows.
func align(scores, own, w []float64) {
	sum, from, to, all := 0.0, 0.0, 0.0, 1e-9
	for i := range scores {
		from += w[i] * scores[i]
		to += w[i] * own[i]
		all += w[i]
	}
	from, to = from/all, to/all
	for i := range scores {
		sum += w[i] * (scores[i] - from) * (scores[i] - from)
	}
	spread := 0.0
	for i := range own {
		spread += w[i] * (own[i] - to) * (own[i] - to)
	}
	stretch := 1.0
	if sum > 0 && spread > 0 {
		stretch = min(max(math.Sqrt(spread/sum), 0.5), 2)
	}
	for i := range scores {
		scores[i] = to + (scores[i]-from)*stretch
	}
}

// guessed is the calibration of an expert's card with too few rows for one of their own: its own
// line.
func (l *learner) guessed(t *table) []card.Knot {
	const steps = 10
	var found []knot
	for i := range steps + 1 {
		score := (float64(i)/steps*card.MaxPoints - t.level) / t.perUnit
		p := sigmoid(score)
		bounds := assess.Wilson(p, l.o.PriorRows+float64(l.m.rows))
		found = append(found, knot{score, p, bounds.Low, bounds.High})
	}
	return t.knots(found)
}

// impute gives open rows their chances. The rows are those of the learner from one on.
func (l *learner) impute(scores, y, w []float64, from int) {
	switch {
	case l.s.odds == nil:
	case l.timed:
		arrived(scores, y, w, l.s.odds[from:from+len(scores)])
	default:
		opened(scores, y, w, l.s.odds[from:from+len(scores)])
	}
}

// opened replaces the chances of open rows by those that go with their scores.
func opened(scores, y, w, odds []float64) {
	for range 20 {
		at := platt(scores, y, w, 0)
		for i, o := range odds {
			if o >= 0 {
				y[i] = chance(sigmoid(at.at(scores[i])), o)
			}
		}
	}
}

// arrived replaces the chances of open rows in the order of time by those that go with their scores and
// with the level of their time, and gives rows of a time of which little is decided as much less weight.
func arrived(scores, y, w, odds []float64) {
	opened(scores, y, w, odds)
	n := len(scores)
	blocks := min(max(n/200, 1), 40)
	for b := range blocks {
		from, to := n*b/blocks, n*(b+1)/blocks
		decided, all := 0.0, 1e-9
		for i := from; i < to; i++ {
			all += w[i]
			if odds[i] < 0 {
				decided += w[i]
			}
		}
		if decided == all {
			continue
		}
		before := math.Inf(1)
		for range 50 {
			at := level(scores[from:to], y[from:to], w[from:to])
			if math.Abs(at-before) < 1e-4 {
				break
			}
			before = at
			for i := from; i < to; i++ {
				if odds[i] >= 0 {
					y[i] = chance(sigmoid(scores[i]+at), odds[i])
				}
			}
		}
		for i := from; i < to; i++ {
			w[i] *= decided / all
		}
	}
}

// knots writes a calibration over log-odds down over points: one knot per number of points, and
// nothing that falls.
func (t *table) knots(found []knot) []card.Knot {
	var out []card.Knot
	for _, k := range found {
		points := int32(min(max(math.Round(t.level+k.score*t.perUnit), 0), card.MaxPoints))
		next := card.Knot{Points: points, PPM: ppm(k.chance), Low: ppm(k.low), High: ppm(k.high)}
		if n := len(out); n > 0 {
			last := out[n-1]
			if points <= last.Points {
				continue
			}
			next.PPM = max(next.PPM, last.PPM)
			next.Low, next.High = max(next.Low, last.Low), max(next.High, last.High)
		}
		next.Low, next.High = min(next.Low, next.PPM), max(next.High, next.PPM)
		out = append(out, next)
	}
	return out
}

func ppm(chance float64) int32 {
	return int32(math.Round(min(max(chance, 0), 1) * card.Certain))
}
