package train

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// clustered finds which rows belong together: those of one number in Options.Cluster, and rows that are
// copies of each other. No fold learns from a row when another of its cluster is to be told, or a learner that
// knows a customer, or a row, by heart would look good.
func (l *learner) clustered() {
	n := l.f.Rows
	group := make([]int32, n)
	next, together := int32(0), false
	number := make(map[int32]int32)
	for i := range group {
		group[i] = -1
		if l.o.Cluster == nil || l.o.Cluster[l.order[i]] < 0 {
			continue
		}
		own := l.o.Cluster[l.order[i]]
		id, known := number[own]
		if !known {
			id = next
			number[own] = id
			next++
		}
		together = together || known
		group[i] = id
	}
	copies := l.copied()
	first := make(map[uint64]int32)
	for i := range group {
		if group[i] >= 0 {
			continue
		}
		if copies != nil && copies[i] != 0 {
			id, known := first[copies[i]]
			if !known {
				id = next
				first[copies[i]] = id
				next++
			}
			together = together || known
			group[i] = id
			continue
		}
		group[i] = next
		next++
	}
	if together {
		l.s.group = group
	}
}

// gather lets the rows of a cluster stand where the first of them was drawn to, so that a fold seldom cuts one
// in two.
func (l *learner) gather() {
	if l.o.Cluster == nil {
		return
	}
	first := make(map[int32]int)
	at := make([]int, len(l.order))
	for i, row := range l.order {
		at[row] = i
		if c := l.o.Cluster[row]; c >= 0 {
			if _, ok := first[c]; !ok {
				first[c] = i
			}
			at[row] = first[c]
		}
	}
	slices.SortStableFunc(l.order, func(a, b int32) int { return at[a] - at[b] })
}

// copied gives rows that are copies of each other a number above 0 that they share, and others 0; nil where
// there are none.
//
// Of a table of few values many rows are alike without being copies. So most rows must be unlike all others,
// and a copy must have a value that fewer than a hundredth of the rows have. Tables of more rows than are
// searched are not looked through: copies hardly matter there.
func (l *learner) copied() []uint64 {
	n := l.f.Rows
	if n > searched || n < 50 {
		return nil
	}
	keys := make([]uint64, n)
	columns := 0
	for j := range l.f.Columns {
		if l.report.Columns[j].Held != "" {
			continue
		}
		columns++
		for i := range keys {
			keys[i] = mix(keys[i] ^ value(&l.f.Columns[j], i))
		}
	}
	count := make(map[uint64]int, n)
	for _, k := range keys {
		count[k]++
	}
	alone := 0
	for _, c := range count {
		if c == 1 {
			alone++
		}
	}
	if columns == 0 || alone == n || alone*2 < n {
		return nil
	}
	rare := make([]bool, n)
	for j := range l.f.Columns {
		if l.report.Columns[j].Held != "" {
			continue
		}
		c := &l.f.Columns[j]
		often := make(map[uint64]int)
		for i := range n {
			often[value(c, i)]++
		}
		for i := range rare {
			if !rare[i] && count[keys[i]] > 1 {
				rare[i] = often[value(c, i)]*100 < n
			}
		}
	}
	for i, k := range keys {
		if count[k] == 1 || !rare[i] {
			keys[i] = 0
			continue
		}
		keys[i] = max(k, 1)
		l.report.Copies++
	}
	if l.report.Copies == 0 {
		return nil
	}
	return keys
}

// value is a row's value in a column, as bits.
func value(c *frame.Column, i int) uint64 {
	switch {
	case c.Missing(i):
		return 1 << 63
	case c.Kind == frame.Number:
		return math.Float64bits(c.Numbers[i])
	default:
		return uint64(c.Codes[i])
	}
}

// mix spreads bits (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// known is the weight of the rows before a fold's from, without those of a cluster that the fold tells, and
// whether that could be had.
func (l *learner) known(p fold) (weight []float64, apart bool) {
	weight = l.s.weight[:p.from:p.from]
	if l.s.group == nil {
		return weight, true
	}
	told := make(map[int32]bool)
	for _, g := range l.s.group[p.from:p.to] {
		told[g] = true
	}
	out := make([]float64, p.from)
	left, all := 0.0, 0.0
	for i, w := range weight {
		all += w
		if !told[l.s.group[i]] {
			out[i] = w
			left += w
		}
	}
	if left < fewKnown*all {
		return weight, false
	}
	return out, true
}

// fewKnown is the share of rows that must be left to learn from without the clusters that are told. Where
// fewer are, clusters are no customers but regions or brands, of which every time has rows.
const fewKnown = 0.1

// drawn is a bag: as many draws of the rows, or of their clusters, with replacement as there are.
func (s sample) drawn(seed, stream uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, stream+1))
	out := make([]float64, len(s.weight))
	if s.group == nil {
		for range s.weight {
			i := rng.IntN(len(s.weight))
			out[i] += s.weight[i]
		}
		return out
	}
	// Numbers of clusters may have gaps where some rows are left out; those draw nothing.
	place := make(map[int32]int)
	for _, g := range s.group {
		if _, ok := place[g]; !ok {
			place[g] = len(place)
		}
	}
	times := make([]float64, len(place))
	for range times {
		times[rng.IntN(len(times))]++
	}
	for i, w := range s.weight {
		out[i] = w * times[place[s.group[i]]]
	}
	return out
}
