package train

import (
	"math"
)

// forecast is the level that the rows after some rows will have: what is to be added to their scores for
// their mean chance to be their share won.
type forecast struct {
	at, err float64 // log-odds
	moving  float64 // how probable it is that the level moves with time at all
	trend   float64 // how probable it is that it goes up or down for good
}

// tide is one way in which a level may move: it wanders, and swings about where it wanders, and goes
// steadily up or down.
type tide struct {
	wander float64 // standard deviation after a thousand rows
	swing  float64 // standard deviation about where it wanders
	half   float64 // thousands of rows after which a swing is half gone
	steady float64 // standard deviation of how far it goes in a thousand rows
}

// tides are the ways that are weighed, and how probable each is before anything was seen: that a level
// stands still as much as that it moves, and that it does not go one way for good rather than that it does.
func tides() (ways []tide, prior []float64) {
	for _, wander := range []float64{0, 0.1, 0.2, 0.4} {
		for _, swing := range []float64{0, 0.1, 0.2, 0.4, 0.6} {
			for _, half := range []float64{0.1, 0.3, 1} {
				if swing == 0 && half != 1 {
					continue
				}
				ways = append(ways, tide{wander, swing, half, 0}, tide{wander, swing, half, 0.5})
			}
		}
	}
	all := 0.0
	for _, way := range ways {
		p := 1.0
		if way.steady > 0 {
			p = math.Exp(-1)
		}
		prior = append(prior, p)
		all += p
	}
	prior[0] = all - prior[0] // nothing moves
	return ways, prior
}

// standing is the forecast that the level is that of all rows, which says how well they tell it.
func standing(scores, y, w []float64) forecast {
	f := forecast{at: level(scores, y, w)}
	sum := 0.0
	for i, s := range scores {
		p := sigmoid(s + f.at)
		sum += w[i] * p * (1 - p)
	}
	f.err = 1 / math.Sqrt(max(sum, 1e-9))
	return f
}

// foretell finds the level of the rows that follow, up to a quarter as many, from rows in the order of
// time. Each way in which levels move says in turn what the next stretch of rows would be, and counts by how
// probable it made what came (Kalman's filter for each; Hoeting and others 1999 on averaging): so
// a trend, or the share of the last weeks, outweighs the mean of all rows only as far as that foretold rows
// that had not come yet.
func foretell(scores, y, w []float64) forecast {
	const stretches, fewest = 40, 50
	n := len(scores)
	still := standing(scores, y, w)
	mean := still.at
	size := max(fewest, n/stretches)
	seen := stretched(scores, y, w, size, mean)
	if len(seen) < 4 {
		return still
	}
	ways, prior := tides()
	ahead := max(1, float64(n)/4/float64(size))
	likely, all := make([]float64, len(ways)), 0.0
	found := make([]state, len(ways))
	best := math.Inf(-1)
	for k, way := range ways {
		found[k], likely[k] = way.follow(seen, mean, float64(size)/1000)
		likely[k] += math.Log(prior[k])
		best = max(best, likely[k])
	}
	var f forecast
	square := 0.0
	for k, way := range ways {
		at, variance := found[k].ahead(way, ahead, float64(size)/1000)
		p := math.Exp(likely[k] - best)
		all += p
		f.at += p * at
		square += p * (variance + at*at)
		if k > 0 {
			f.moving += p
		}
		if way.steady > 0 {
			f.trend += p
		}
	}
	f.at, f.moving, f.trend = f.at/all, f.moving/all, f.trend/all
	f.err = math.Sqrt(max(square/all-f.at*f.at, 0))
	return f
}

// glimpse is the level that fits a stretch of rows, and the variance of that.
type glimpse struct{ at, variance float64 }

// stretched finds the levels of stretches of so many rows, the last of which ends with the last row.
func stretched(scores, y, w []float64, size int, mean float64) []glimpse {
	n := len(scores)
	out := make([]glimpse, n/size)
	for b := range out {
		from := n - (len(out)-b)*size
		at, g, h := mean, 0.0, 0.0
		// A stretch may be all won or all lost: one row's worth of the mean of all keeps its level near.
		for range 12 {
			g, h = 0, 1e-9
			for i := from; i < from+size; i++ {
				p := sigmoid(scores[i] + at)
				g += w[i] * (y[i] - p)
				h += w[i] * max(p*(1-p), 1e-6)
			}
			d := (g - (at - mean)) / (h + 1)
			at += min(max(d, -1), 1)
			if math.Abs(d) < 1e-6 {
				break
			}
		}
		// What the rows alone say of it, without what kept it near.
		out[b] = glimpse{at + g/h, 1 / h}
	}
	return out
}

// state is what is known of a level: where it wanders, how far it goes in a stretch, and its swing about
// that, with their covariances.
type state struct {
	at  [3]float64
	cov [3][3]float64
}

// follow lets a level move by a way through stretches of so many thousands of rows, and returns what is
// known in the end and the logarithm of how probable what came was. The first two stretches only say where it
// begins.
func (t tide) follow(seen []glimpse, mean, thousands float64) (s state, likely float64) {
	const unknown = 4 // variance of the level before anything was seen
	fade := math.Exp2(-thousands / t.half)
	s.at[0] = mean
	s.cov[0][0], s.cov[1][1], s.cov[2][2] = unknown, t.steady*t.steady*thousands*thousands, t.swing*t.swing
	for k, g := range seen {
		if k > 0 {
			s.step(fade)
			s.cov[0][0] += t.wander * t.wander * thousands
			s.cov[2][2] += t.swing * t.swing * (1 - fade*fade)
		}
		off := g.at - s.at[0] - s.at[2]
		variance := s.cov[0][0] + 2*s.cov[0][2] + s.cov[2][2] + g.variance
		if k >= 2 {
			likely -= (math.Log(variance) + off*off/variance) / 2
		}
		var gain, along [3]float64
		for i := range gain {
			along[i] = s.cov[0][i] + s.cov[2][i]
			gain[i] = along[i] / variance
		}
		for i := range gain {
			s.at[i] += gain[i] * off
			for j := range gain {
				s.cov[i][j] -= gain[i] * along[j]
			}
		}
	}
	return s, likely
}

// step moves a level by one stretch: it goes on as it goes, and its swing fades.
func (s *state) step(fade float64) {
	s.at[0] += s.at[1]
	s.at[2] *= fade
	for i := range 3 {
		s.cov[0][i] += s.cov[1][i]
	}
	for i := range 3 {
		s.cov[i][0] += s.cov[i][1]
	}
	for i := range 3 {
		s.cov[2][i] *= fade
	}
	for i := range 3 {
		s.cov[i][2] *= fade
	}
}

// ahead is the mean level of the next so many stretches, and its variance. What went one way for good goes
// on half as far: trends end (the damped trend of Gardner and McKenzie 1985).
func (s *state) ahead(t tide, stretches, thousands float64) (at, variance float64) {
	fade := math.Exp2(-thousands / t.half)
	left, mean, n := 0.0, 1.0, math.Floor(stretches)
	for k := 1.0; k <= n; k++ {
		left += math.Pow(fade, k) / n
		mean += 2 * (1 - k/n) * math.Pow(fade, k)
	}
	further := stretches / 4
	variance = s.cov[0][0] + 2*left*s.cov[0][2] + left*left*s.cov[2][2]
	variance += 2*further*s.cov[0][1] + 2*further*left*s.cov[1][2] + further*further*s.cov[1][1]
	variance += t.wander*t.wander*thousands*stretches/3 + t.swing*t.swing*max(mean/n-left*left, 0)
	return s.at[0] + further*s.at[1] + left*s.at[2], variance
}
