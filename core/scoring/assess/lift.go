package assess

import "math"

// Lift is one part of the rows in order of their scores, the best first.
type Lift struct {
	Share  float64 // of all weight that this part and those before it hold
	From   float64 // least score in the part
	Weight float64 // of the part
	Won    float64 // weight of its rows that are won
	Rate   float64 // won of the part
	Times  float64 // Rate compared to that of all rows
	Gain   float64 // of all wins, those in this part and those before it
}

// LiftTable parts the rows by score into so many parts of equal weight, the best first. Rows of
// equal score that a border goes through count on both sides in proportion, so that no order of
// the rows makes it better. Without a win the gain is that of guessing.
func LiftTable(s Sample, parts int) []Lift { return liftTable(s.runs(s.score), parts) }

func liftTable(runs []run, parts int) []Lift {
	var total, won float64
	for i := range runs {
		total += runs[i].won + runs[i].lost
		won += runs[i].won
	}
	out := make([]Lift, 0, parts)
	var wonBefore, taken float64 // taken: of the run at hand
	at := len(runs) - 1
	for k := range parts {
		l := Lift{Share: float64(k+1) / float64(parts), From: math.Inf(1)}
		want := total / float64(parts)
		for at >= 0 && (want > 1e-12*total || k+1 == parts) {
			r := &runs[at]
			size := r.won + r.lost
			if left := size - taken; left > 0 {
				part := left
				if k+1 < parts {
					part = math.Min(left, want)
				}
				l.From = r.key
				l.Weight += part
				l.Won += part * r.won / size
				want -= part
				taken += part
			}
			if size-taken <= 1e-12*total {
				at, taken = at-1, 0
			}
		}
		if math.IsInf(l.From, 1) && len(out) > 0 {
			l.From = out[len(out)-1].From
		}
		if l.Weight > 0 {
			l.Rate = l.Won / l.Weight
		}
		wonBefore += l.Won
		l.Times, l.Gain = 1, l.Share
		if won > 0 {
			l.Times, l.Gain = l.Rate*total/won, wonBefore/won
		}
		out = append(out, l)
	}
	return out
}

// Cut is what working on all rows from a score on gives.
type Cut struct {
	Share     float64  // of all weight that is at or above
	Precision Interval // won of those, with the interval of Wilson (1927)
	Recall    float64  // of all wins, those at or above
}

// CutAt returns what working on all rows of at least a score gives. Without any, the precision is
// unknown: 0 within 0 and 1.
func CutAt(s Sample, score float64) Cut {
	var above, total spread
	var won, wins float64
	for i := range s.Won {
		w := s.weight(i)
		total.add(w, 0)
		if s.Won[i] {
			wins += w
		}
		if s.score(i) >= score {
			above.add(w, 0)
			if s.Won[i] {
				won += w
			}
		}
	}
	c := Cut{Share: above.weight / total.weight, Precision: Interval{High: 1}}
	if above.weight > 0 {
		c.Precision = Wilson(won/above.weight, above.effective())
	}
	if wins > 0 {
		c.Recall = won / wins
	}
	return c
}
