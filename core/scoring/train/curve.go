package train

import (
	"math"
	"sort"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
)

// line maps scores to log-odds.
type line struct{ level, slope float64 }

func (l line) at(score float64) float64 { return l.level + l.slope*score }

// platt finds the line that makes log-odds of scores, by logistic regression with the slope held
// to 1 by so many rows. The slope is never negative.
func platt(scores, y, w []float64, hold float64) line {
	l := line{slope: 1}
	if len(scores) == 0 {
		return l
	}
	mean, all := 0.0, 0.0
	for i, s := range scores {
		mean += w[i] * s
		all += w[i]
	}
	if all == 0 {
		return l
	}
	mean /= all
	// About the middle of the scores level and slope hardly depend on each other.
	a, b := mean, 1.0
	for range 25 {
		ga, gb, haa, hab, hbb := 0.0, hold*0.25*(1-b), 1e-9, 0.0, 1e-9+hold*0.25
		for i, s := range scores {
			x := s - mean
			p := sigmoid(a + b*x)
			d, h := w[i]*(y[i]-p), w[i]*max(p*(1-p), 1e-6)
			ga += d
			gb += d * x
			haa += h
			hab += h * x
			hbb += h * x * x
		}
		det := haa*hbb - hab*hab
		if det <= 1e-12 {
			break
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		da, db = min(max(da, -2), 2), min(max(db, -1), 1)
		a, b = min(max(a+da, -20), 20), min(max(b+db, 0), 20)
		if math.Abs(da)+math.Abs(db) < 1e-8 {
			break
		}
	}
	return line{level: a - b*mean, slope: b}
}

// area is the area under the ROC curve of scores, ties counted half, and its standard error by
// Hanley and McNeil. Outcomes may be chances. It is 0.5, 0 where one outcome does not occur.
func area(scores, y, w []float64) (auc, se float64) {
	order := make([]int32, len(scores))
	for i := range order {
		order[i] = int32(i)
	}
	sort.Slice(order, func(i, j int) bool { return scores[order[i]] < scores[order[j]] })
	won, lost, sum := 0.0, 0.0, 0.0
	wins, losses, count := 0.0, 0.0, 0.0
	for i := 0; i < len(order); {
		j, a, b := i, 0.0, 0.0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			k := order[j]
			a += w[k] * y[k]
			b += w[k] * (1 - y[k])
			if w[k] > 0 {
				wins += y[k]
				losses += 1 - y[k]
				count++
			}
		}
		sum += a * (lost + b/2)
		won += a
		lost += b
		i = j
	}
	if won <= 0 || lost <= 0 || wins < 1 || losses < 1 {
		return 0.5, 0
	}
	auc = sum / (won * lost)
	q1, q2 := auc/(2-auc), 2*auc*auc/(1+auc)
	v := auc*(1-auc) + (wins-1)*(q1-auc*auc) + (losses-1)*(q2-auc*auc)
	return auc, math.Sqrt(max(v, 1e-12) / (wins * losses))
}

// knot is one point of a calibration, in log-odds of the score and chances.
type knot struct{ score, chance, low, high float64 }

// knots finds a calibration that never falls: the line of all rows, from which groups of about
// equally many rows move away as far as they are many. Few rows therefore keep the line.
func knots(scores, y, w []float64, start line, hold float64) []knot {
	n := len(scores)
	l := platt(rescale(scores, start), y, w, hold)
	l = line{level: l.level + l.slope*start.level, slope: l.slope * start.slope}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	sort.SliceStable(order, func(i, j int) bool { return scores[order[i]] < scores[order[j]] })
	sum, square := 0.0, 0.0
	for _, x := range w {
		sum += x
		square += x * x
	}
	effective := 0.0
	if square > 0 {
		effective = sum * sum / square
	}
	groups := int(min(max(effective/150, 4), 20))
	var at, chance, weight, rows []float64
	passed := 0.0
	for g, i := 0, 0; g < groups && i < n; g++ {
		want := sum * float64(g+1) / float64(groups)
		mean, won, all, sq := 0.0, 0.0, 0.0, 0.0
		for ; i < n; i++ {
			k := order[i]
			if passed >= want && g < groups-1 && all > 0 && scores[order[i-1]] != scores[k] {
				break
			}
			passed += w[k]
			mean += w[k] * scores[k]
			won += w[k] * y[k]
			all += w[k]
			sq += w[k] * w[k]
		}
		if all <= 0 {
			continue
		}
		mean /= all
		m := all * all / sq
		p := sigmoid(l.at(mean))
		at = append(at, mean)
		// The line counts as 250 rows in each group: what it misses is about what so many rows miss by chance.
		guess := 250 + 2/max(p*(1-p), 1e-6)
		chance = append(chance, (won/all*m+p*guess)/(m+guess))
		weight = append(weight, m+guess)
		rows = append(rows, m+hold)
	}
	if len(at) == 0 {
		return nil
	}
	pool(chance, weight, 1)
	// Between groups log-odds go straight, and beyond the outer ones on along the line; knots stand
	// close enough for the chances in between to be straight too.
	var out []knot
	add := func(score, odds, rows float64) {
		p := sigmoid(odds)
		bounds := assess.Wilson(p, rows)
		out = append(out, knot{score, p, bounds.Low, bounds.High})
	}
	end := len(at) - 1
	walk := func(s0, o0, s1, o1, r0, r1 float64) {
		steps := 1 + int(math.Abs(o1-o0)/0.4)
		for k := range steps {
			u := float64(k) / float64(steps)
			add(s0+u*(s1-s0), o0+u*(o1-o0), r0+u*(r1-r0))
		}
	}
	odds := func(i int) float64 { return logit(clip(chance[i])) }
	if first := scores[order[0]]; first < at[0] {
		walk(first, odds(0)-l.slope*(at[0]-first), at[0], odds(0), rows[0], rows[0])
	}
	for i := range end {
		walk(at[i], odds(i), at[i+1], odds(i+1), rows[i], rows[i+1])
	}
	last := scores[order[n-1]]
	walk(at[end], odds(end), last, odds(end)+l.slope*(last-at[end]), rows[end], rows[end])
	add(last, odds(end)+l.slope*(last-at[end]), rows[end])
	return out
}

func clip(p float64) float64 { return min(max(p, 1e-6), 1-1e-6) }

func rescale(scores []float64, l line) []float64 {
	out := make([]float64, len(scores))
	for i, s := range scores {
		out[i] = l.at(s)
	}
	return out
}
