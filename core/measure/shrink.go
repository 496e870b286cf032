package measure

import "math"

// ppm is the unit of a shrunk share: one million is all.
const ppm = 1_000_000

// Bounds of a prior's strength in pseudo-observations. Below the first, one lucky sale would lead
// a ranking; above the second, nobody could ever stand out.
const (
	minStrength = 4
	maxStrength = 10_000
)

// Prior is what is believed of a group before its own results are seen: a beta distribution with
// this mean, worth as much as Strength observations.
type Prior struct {
	Mean     float64 // 0 to 1
	Strength float64 // pseudo-observations, > 0
}

// PriorOf learns the prior from the network: the mean over all observations, and the strength by
// the method of moments of the beta-binomial distribution (Kleinman 1973), so that groups which
// differ no more than chance makes them differ are pulled together firmly. Groups without
// observations say nothing. ok is false without any observation.
func PriorOf(groups []Rate) (prior Prior, ok bool) {
	var total Rate
	var sumSquares float64
	used := 0
	for _, g := range groups {
		if g.Denominator <= 0 {
			continue
		}
		used++
		total = total.Add(g)
		sumSquares += float64(g.Denominator) * float64(g.Denominator)
	}
	mean, ok := total.Share()
	if !ok {
		return Prior{}, false
	}
	prior = Prior{Mean: mean, Strength: maxStrength}
	n := float64(total.Denominator)
	spread := mean * (1 - mean)
	if used < 2 || spread == 0 {
		return prior, true
	}
	var between float64
	for _, g := range groups {
		if p, has := g.Share(); has {
			between += float64(g.Denominator) * (p - mean) * (p - mean)
		}
	}
	// rho is the correlation of two observations of the same group: 0 if groups do not differ.
	k := float64(used)
	rho := (between - spread*(k-1)) / (spread * (n - sumSquares/n - (k - 1)))
	if rho > 0 && !math.IsInf(rho, 0) {
		prior.Strength = min(max(1/rho-1, minStrength), maxStrength)
	}
	return prior, true
}

// Shrink returns the expected share of a group in millionths after its own results, the
// beta-binomial posterior mean: few results stay near the prior, many speak for themselves. It is
// rounded to an integer, since what decides about leads must not hang on a float's last bit.
func Shrink(own Rate, prior Prior) int32 {
	n := float64(max(own.Denominator, 0)) + prior.Strength
	if n <= 0 {
		return int32(math.Round(prior.Mean * ppm))
	}
	share := (float64(max(own.Numerator, 0)) + prior.Mean*prior.Strength) / n
	return int32(math.Round(min(max(share, 0), 1) * ppm))
}
