package measure

import "math"

// z95 is the 97.5 % quantile of the normal distribution: two-sided 95 %.
const z95 = 1.959963984540054

// Rate is a share: Numerator of Denominator. Both count the same kind of thing and
// 0 <= Numerator <= Denominator.
type Rate struct {
	Numerator, Denominator int64
}

// Share returns the share, 0 to 1; ok is false if there is nothing to take a share of.
func (r Rate) Share() (share float64, ok bool) {
	if r.Denominator <= 0 {
		return 0, false
	}
	return float64(r.Numerator) / float64(r.Denominator), true
}

// Wilson returns the bounds of the 95 % score interval (Wilson 1927). It stays inside 0 to 1 and
// is honest for small counts and for shares near the ends, where the textbook interval is not.
// Without a denominator it is 0 to 1: nothing is known.
func (r Rate) Wilson() (low, high float64) {
	if r.Denominator <= 0 {
		return 0, 1
	}
	n := float64(r.Denominator)
	p := float64(r.Numerator) / n
	const z2 = z95 * z95
	center := (p + z2/(2*n)) / (1 + z2/n)
	half := z95 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	low, high = max(center-half, 0), min(center+half, 1)
	// At the ends the interval touches the bound exactly; rounding must not take it away.
	if r.Numerator <= 0 {
		low = 0
	}
	if r.Numerator >= r.Denominator {
		high = 1
	}
	return low, high
}

// Add returns the rate of both groups together.
func (r Rate) Add(o Rate) Rate {
	return Rate{Numerator: r.Numerator + o.Numerator, Denominator: r.Denominator + o.Denominator}
}
