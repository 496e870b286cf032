package train

import (
	"math"
	"slices"
	"sort"
)

// shape is the learned function of one column: a value and a standard error per code, and how
// many rows, and how much weight, stand behind it.
type shape struct {
	value, spread, weight []float64
	count                 []int64
}

// part is one bin of the card: the codes that share it.
type part struct {
	codes         []int
	value, spread float64
	count         int64
}

const (
	// readable is the most bins of a signal beside that for missing.
	readable = 16
	// lossless is which share of a column's variance merging may cost.
	lossless = 0.002
)

// merge puts the codes of a column together into as few bins as keep its function: neighbours
// for numbers, names of about equal value for categories. Code 0, missing, and the codes at both ends stay
// alone; so does the last code of a category, all other names, unless it was never seen.
func merge(c *coded, s *shape) []part {
	var order []int
	for code := 1 + c.low; code < c.bins-c.high; code++ {
		if !c.ordered && code == c.bins-1 {
			continue
		}
		order = append(order, code)
	}
	if !c.ordered {
		sort.SliceStable(order, func(i, j int) bool { return s.value[order[i]] > s.value[order[j]] })
	}
	parts := []part{s.part([]int{0})}
	for code := 1; code <= c.low; code++ {
		parts = append(parts, s.part([]int{code}))
	}
	if len(order) > 0 {
		for _, run := range segments(order, s) {
			codes := slices.Clone(run)
			slices.Sort(codes)
			parts = append(parts, s.part(codes))
		}
	}
	for code := c.bins - c.high; code < c.bins; code++ {
		parts = append(parts, s.part([]int{code}))
	}
	if !c.ordered {
		parts = append(parts, s.part([]int{c.bins - 1}))
	}
	return parts
}

// part is the bin of some codes: their mean by weight.
func (s *shape) part(codes []int) part {
	p := part{codes: codes}
	weight, plain := 0.0, 0.0
	for _, code := range codes {
		p.value += s.weight[code] * s.value[code]
		p.spread += s.weight[code] * s.spread[code]
		plain += s.value[code] / float64(len(codes))
		weight += s.weight[code]
		p.count += s.count[code]
	}
	if weight == 0 {
		p.value = plain
		p.spread = s.spread[codes[0]]
		return p
	}
	p.value /= weight
	p.spread /= weight
	return p
}

// segments cuts a run of codes where that leaves the least weighted variance, into as few pieces
// as leave no more than the lossless share of all, by dynamic programming.
func segments(order []int, s *shape) [][]int {
	n := len(order)
	w, wv, wvv := make([]float64, n+1), make([]float64, n+1), make([]float64, n+1)
	for i, code := range order {
		x, v := s.weight[code]+1e-9, s.value[code]
		w[i+1], wv[i+1], wvv[i+1] = w[i]+x, wv[i]+x*v, wvv[i]+x*v*v
	}
	cost := func(i, j int) float64 {
		a, b, c := w[j]-w[i], wv[j]-wv[i], wvv[j]-wvv[i]
		return max(c-b*b/a, 0)
	}
	all := cost(0, n)
	// Differences well below a hundredth in log-odds are of no use to anybody.
	enough := max(lossless*all, 4e-4*w[n])
	most := min(readable, n)
	best := make([]float64, n+1)
	for j := range best {
		best[j] = math.Inf(1)
	}
	best[0] = 0
	cuts := make([][]int, 0, most)
	for len(cuts) < most {
		next, from := make([]float64, n+1), make([]int, n+1)
		for j := range next {
			next[j] = math.Inf(1)
			for i := range j {
				if v := best[i] + cost(i, j); v < next[j] {
					next[j], from[j] = v, i
				}
			}
		}
		best = next
		cuts = append(cuts, from)
		if best[n] <= enough {
			break
		}
	}
	var runs [][]int
	for k, j := len(cuts)-1, n; k >= 0; k-- {
		i := cuts[k][j]
		runs = append(runs, order[i:j])
		j = i
	}
	slices.Reverse(runs)
	return runs
}
