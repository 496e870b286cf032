package train

import (
	"math"
	"slices"
)

// age is how outcomes grow old in a calibration.
type age struct {
	half  float64 // rows after which one counts half; 0: all count alike
	trend bool    // the level moves on a straight line, and the one at the newest row is taken
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

// current is the calibration of rows in the order of time. Only the level ages: how much a higher
// score is worth is learned from all rows, each block of them at the level of its own time. The
// line counts as hold rows more.
func current(scores, y, w []float64, a age, hold float64) []knot {
	if a.half <= 0 {
		return knots(scores, y, w, line{slope: 1}, hold)
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
	found := knots(leveled, y, w, line{slope: 1}, hold)
	at := a.level(scores, y, w)
	for i := range found {
		found[i].score -= at
	}
	return found
}

// ageing finds how fast outcomes grow old: which weighting of the older rows, with or without a
// trend, tells the level of each following block best. All rows count alike unless another is
// better beyond chance.
func ageing(scores, y, w []float64, timed bool) age {
	const blocks = 20
	n := len(scores)
	if !timed || n < 25*blocks {
		return age{}
	}
	run := func(a age) []float64 {
		var losses []float64
		for b := blocks / 2; b < blocks; b++ {
			from, to := n*b/blocks, n*(b+1)/blocks
			at := a.level(scores[:from], y[:from], w[:from])
			for i := from; i < to; i++ {
				losses = append(losses, w[i]*logLoss(scores[i]+at, y[i]))
			}
		}
		return losses
	}
	still := run(age{})
	best, least := age{}, 0.0
	for _, part := range []float64{2, 4, 8, 16} {
		for _, trend := range []bool{false, true} {
			a := age{math.Round(float64(n) / part), trend}
			sum, square := 0.0, 0.0
			for i, loss := range run(a) {
				d := still[i] - loss
				sum += d
				square += d * d
			}
			if sum > math.Sqrt(square) && sum > least {
				best, least = a, sum
			}
		}
	}
	return best
}

// level is the shift of log-odds that fits the outcomes of the newest rows.
func (a age) level(scores, y, w []float64) float64 {
	if a.half <= 0 {
		return level(scores, y, w)
	}
	weight := slices.Clone(w)
	recent(weight, a.half)
	at := level(scores, y, weight)
	if !a.trend {
		return at
	}
	// The steepness is held to nought as if it were seldom above one in log-odds per half-life.
	const hold = 1
	steep, last := 0.0, len(scores)-1
	for range 12 {
		ga, gb, haa, hab, hbb := 0.0, -hold*steep, 1e-9, 0.0, hold+1e-9
		for i, s := range scores {
			if weight[i] < 1e-4*w[i] {
				continue
			}
			t := -float64(last-i) / a.half
			p := sigmoid(s + at + steep*t)
			d, h := weight[i]*(y[i]-p), weight[i]*max(p*(1-p), 1e-6)
			ga, gb = ga+d, gb+d*t
			haa, hab, hbb = haa+h, hab+h*t, hbb+h*t*t
		}
		det := haa*hbb - hab*hab
		if det <= 1e-12 {
			break
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		at, steep = at+min(max(da, -1), 1), steep+min(max(db, -1), 1)
		if math.Abs(da)+math.Abs(db) < 1e-7 {
			break
		}
	}
	return at
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
