package train

import (
	"math"
	"slices"

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
	for _, p := range folds(l.m.rows) {
		align(scores[p.from-best.from:p.to-best.from], own[p.from:p.to], w[p.from-best.from:p.to-best.from])
	}
	if l.s.odds != nil {
		l.opened(scores, y, w, l.s.odds[best.from:])
	}
	l.report.Recent.HalfLife = int64(halfLife(scores, y, w, l.timed))
	return t.knots(current(scores, y, w, float64(l.report.Recent.HalfLife)))
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
		low, high := wilson(p, l.o.PriorRows+float64(l.m.rows))
		found = append(found, knot{score, p, low, high})
	}
	return t.knots(found)
}

// opened replaces the chances of open rows by those that go with their scores.
func (l *learner) opened(scores, y, w, odds []float64) {
	for range 20 {
		at := platt(scores, y, w, 0)
		for i, o := range odds {
			if o >= 0 {
				y[i] = chance(sigmoid(at.at(scores[i])), o)
			}
		}
	}
}

// recent lets the weight of rows halve every so many rows back from the newest, the last.
func recent(w []float64, half float64) {
	if half <= 0 {
		return
	}
	for i := range w {
		w[i] *= math.Exp2(-float64(len(w)-1-i) / half)
	}
}

// current is the calibration of rows in the order of time where outcomes count half after so many
// rows. Only the level ages: how much a higher score is worth is learned from all rows, each
// block of them at the level of its own time.
func current(scores, y, w []float64, half float64) []knot {
	if half <= 0 {
		return knots(scores, y, w, line{slope: 1}, 0)
	}
	const blocks = 8
	n := len(scores)
	leveled := slices.Clone(scores)
	for b := range blocks {
		from, to := n*b/blocks, n*(b+1)/blocks
		at := level(scores[from:to], y[from:to], w[from:to])
		for i := from; i < to; i++ {
			leveled[i] += at
		}
	}
	found := knots(leveled, y, w, line{slope: 1}, 0)
	weight := slices.Clone(w)
	recent(weight, half)
	at := level(scores, y, weight)
	for i := range found {
		found[i].score -= at
	}
	return found
}

// halfLife finds how fast outcomes grow old: which weighting of the older rows tells the level of
// each following block best. All rows count alike, 0, unless another is better beyond chance.
func halfLife(scores, y, w []float64, timed bool) float64 {
	const blocks = 10
	n := len(scores)
	if !timed || n < 50*blocks {
		return 0
	}
	run := func(half float64) []float64 {
		var losses []float64
		for b := blocks / 2; b < blocks; b++ {
			from, to := n*b/blocks, n*(b+1)/blocks
			weight := slices.Clone(w[:from])
			recent(weight, half)
			at := level(scores[:from], y[:from], weight)
			for i := from; i < to; i++ {
				losses = append(losses, w[i]*logLoss(scores[i]+at, y[i]))
			}
		}
		return losses
	}
	still := run(0)
	best, least := 0.0, 0.0
	for _, part := range []float64{2, 4, 8, 16} {
		half := float64(n) / part
		sum, square := 0.0, 0.0
		for i, loss := range run(half) {
			d := still[i] - loss
			sum += d
			square += d * d
		}
		if sum > math.Sqrt(square) && sum > least {
			best, least = math.Round(half), sum
		}
	}
	return best
}

// level is the shift of log-odds that makes the mean chance that of the outcomes.
func level(scores, y, w []float64) float64 {
	at := 0.0
	for range 20 {
		g, h := 0.0, 1e-9
		for i, s := range scores {
			p := sigmoid(s + at)
			g += w[i] * (y[i] - p)
			h += w[i] * max(p*(1-p), 1e-6)
		}
		d := min(max(g/h, -2), 2)
		at += d
		if math.Abs(d) < 1e-9 {
			break
		}
	}
	return at
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
