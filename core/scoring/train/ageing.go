package train

import (
	"math"
	"slices"
)

// current is the calibration of rows in the order of time. Only the level ages: how much a higher
// score is worth is learned from all rows, each block of them at the level of its own time. The
// line counts as hold rows more.
func current(scores, y, w []float64, f forecast, hold float64) []knot {
	return evened(scores, y, w, 8, f, hold)
}

// evened is the calibration of rows whose level is to be as foretold, found from blocks of them each at its own.
func evened(scores, y, w []float64, blocks int, f forecast, hold float64) []knot {
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
	for i := range found {
		found[i].score -= f.at
		found[i].widen(f.err)
	}
	return found
}

// settled is the calibration of rows that all count alike, whatever their time.
func settled(scores, y, w []float64, hold float64) []knot {
	return knots(scores, y, w, line{slope: 1}, hold)
}

// halved is the forecast that takes the rows for all there is, where after so many an outcome counts half.
func halved(scores, y, w []float64, half float64) forecast {
	weight := slices.Clone(w)
	recent(weight, half)
	return forecast{at: level(scores, y, weight)}
}

// widen moves the bounds of a chance apart for a level that is known no better than by a standard error.
func (k *knot) widen(err float64) {
	const z = 1.96
	at := logit(clip(k.chance))
	k.low = min(k.low, sigmoid(at-math.Hypot(at-logit(clip(k.low)), z*err)))
	k.high = max(k.high, sigmoid(at+math.Hypot(logit(clip(k.high))-at, z*err)))
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
