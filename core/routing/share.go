package routing

import "math/bits"

// Step 5. Stores that nothing else tells apart compare by expected result, the lead's chance to
// win times how well the store suits: distance, program fit, language, hours. The best of them
// (at most K, and none below the part of the best that the rule calls equal) share the leads in
// proportion to it, and a draw decides. Performance moves each share by at most the cap, which a
// winner-takes-all comparison could not promise: there a hair's breadth moves every lead.

// expected gives the lead to one of the equals; false when nobody is left to compare.
func (r *Receipt) expected() bool {
	var weight [MaxCandidates]int64
	var best [MaxCandidates]int8 // the equals so far, by falling weight
	n, k := 0, int(r.Policy.K)
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Lost != LossUnspecified {
			continue
		}
		if r.Policy.MaxDistance > 0 && c.Distance > r.Policy.MaxDistance && !r.Place.coarse() {
			c.Lost = LossTooFar
			continue
		}
		w := r.suits(c)
		weight[i] = w
		c.Expected = w * int64(r.WinChance) / million
		at := n
		for at > 0 && weight[best[at-1]] < w {
			at--
		}
		if at >= k {
			continue
		}
		n = min(n+1, k)
		copy(best[at+1:n], best[at:n-1])
		best[at] = int8(i)
	}
	if n == 0 {
		return false
	}
	// Weights are at most a thousand million, so the product stays far below 1<<63.
	least := weight[best[0]] * int64(r.Policy.Equals) / million
	for n > 1 && weight[best[n-1]] < least {
		n--
	}
	var shares [MaxCandidates]int64
	r.share(best[:n], &weight, &shares)
	winner, passed := best[0], int64(0)
	for j, i := range best[:n] {
		r.Candidates[i].Chance = int32(shares[j])
		if d := int64(r.Draw); d >= passed && d < passed+shares[j] {
			winner = i
		}
		passed += shares[j]
	}
	for i := range r.Candidates {
		if c := &r.Candidates[i]; c.Lost == LossUnspecified && c.Chance == 0 {
			c.Lost = LossLowerExpected
		}
	}
	r.win(&r.Candidates[winner], StepExpected, LossNotDrawn)
	return true
}

// suits returns how well a store suits the lead in parts per billion, performance apart. The
// lead's own chance to win is the same for every store, so it stays out of the comparison, where
// it would only cost precision. The distance counts N²/(N²+d²): flat among near stores, a half
// at the normal distance N, a fifth at twice that.
func (r *Receipt) suits(c *Candidate) int64 {
	p := &r.Policy
	w := int64(1000 * million)
	if d := int64(c.Distance); d > 0 && p.NormalDistance > 0 {
		// The ratio is in millionths, at most 1000, so its square fits in 63 bits.
		ratio := min(d*million/int64(p.NormalDistance), 1000*million)
		w = 1_000_000_000_000_000_000 / (1_000_000_000 + ratio*ratio/1000)
		w = max(w, 1)
	}
	if !c.Open {
		w = w * int64(p.Closed) / million
	}
	if c.OtherLanguage {
		w = w * int64(p.OtherLanguage) / million
	}
	for missing := bits.OnesCount64(c.Missing); missing > 0; missing-- {
		w = w * int64(p.MissingProgram) / million
	}
	return max(w, 1)
}

// share writes the share of each equal, adding up to a million exactly.
//
// Without performance a share would be w/Σw. Performance, capped, is centred on the weighted
// mean of the equals, so that the moves cancel out, and shrunk where centring took one beyond
// the cap: no share moves by more than the cap of itself.
func (r *Receipt) share(equals []int8, weight, shares *[MaxCandidates]int64) {
	limit := int64(r.Policy.PerformanceCap)
	var sum, mean, widest int64
	for _, i := range equals {
		sum += weight[i]
		mean += weight[i] * r.performance(i, limit)
	}
	mean = mean / sum
	for _, i := range equals {
		off := r.performance(i, limit) - mean
		widest = max(widest, off, -off)
	}
	var total int64
	for j, i := range equals {
		move := r.performance(i, limit) - mean
		if widest > limit {
			move = move * limit / widest
		}
		shares[j] = weight[i] * (million + move)
		total += shares[j]
	}
	rest := int64(million)
	for j := range equals {
		shares[j] = mulDiv(shares[j], million, total)
		rest -= shares[j]
	}
	shares[0] += rest // what rounding down left, a few millionths
	raise(shares[:len(equals)], int64(r.Policy.Floor))
}

func (r *Receipt) performance(i int8, limit int64) int64 {
	return min(max(int64(r.Candidates[i].Performance), -limit), limit)
}

// raise lifts every share to the floor and takes it from those above, in proportion to what they
// have above it. A floor that cannot be had for all means equal shares.
func raise(shares []int64, floor int64) {
	n := int64(len(shares))
	floor = min(floor, million/n)
	var lack, above int64
	for _, s := range shares {
		if s < floor {
			lack += floor - s
		} else {
			above += s - floor
		}
	}
	if lack == 0 {
		return
	}
	rest := int64(million)
	for j, s := range shares {
		if s < floor {
			shares[j] = floor
		} else if above > 0 {
			shares[j] = max(floor, s-mulDiv(s-floor, lack, above)-1)
		}
		rest -= shares[j]
	}
	// One too many was taken from some, so that rounding never leaves too much; the largest gets it.
	most := 0
	for j := range shares {
		if shares[j] > shares[most] {
			most = j
		}
	}
	shares[most] += rest
}

// mulDiv returns a*b/c rounded down for values that are not negative, with the product in 128
// bits; the quotient must fit, which it does for every b <= c or small result here.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if c <= 0 || hi >= uint64(c) {
		return 0
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}
