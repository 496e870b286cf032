package train

import (
	"math"
	"slices"
	"sort"
)

// maxParts is the most parts of one side of a pair's grid.
const maxParts = 12

// side puts the codes of a column into fewer parts, for a pair.
type side struct {
	column int
	part   [256]uint8 // of each code
	parts  int
}

// coarse puts the codes of a column into at most most parts of about equally many rows: neighbours
// together for numbers, but for codes, the rarer names together with all others for categories. Missing values
// are a part of their own where there are at least least of them; else they join the first part.
func coarse(c *coded, column, most, least int) side {
	s := side{column: column}
	count := make([]int, c.bins)
	rows := 0
	for _, code := range c.codes {
		count[code]++
		rows++
	}
	if count[0] >= least {
		s.parts = 1
		most--
		rows -= count[0]
	}
	if c.ordered {
		filled, left := 0, rows
		for code := 1; code < c.bins; code++ {
			if c.apart(code) {
				rows -= count[code] // a part of their own, which leaves the others as many
			}
		}
		for code := 1; code < c.bins; code++ {
			s.part[code] = uint8(s.parts)
			filled += count[code]
			left -= count[code]
			want := max(least, rows/most)
			edge := filled >= least && code < c.bins-1 && (c.apart(code) || c.apart(code+1))
			if code < c.bins-1 && (filled >= want || edge) && left >= least && s.parts < most+1 {
				s.parts++
				filled = 0
			}
		}
		s.parts++
		return s
	}
	order := make([]int, 0, c.bins)
	for code := 1; code < c.bins-1; code++ {
		if count[code] >= least {
			order = append(order, code)
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return count[order[i]] > count[order[j]] })
	order = order[:min(len(order), most-1)]
	slices.Sort(order)
	for code := 1; code < c.bins; code++ {
		s.part[code] = uint8(s.parts + len(order))
	}
	for i, code := range order {
		s.part[code] = uint8(s.parts + i)
	}
	s.parts += len(order) + 1
	return s
}

// pairing is a pair of columns that may be learned together.
type pairing struct {
	outer, inner side
	gain         float64 // loss it could save, with noise taken off
}

// code writes the codes of the pair's cells for the rows of a matrix whose columns it was found
// on, or a matrix coded the same way.
func (p *pairing) code(m *matrix) coded {
	c := coded{
		codes: make([]uint8, m.rows), bins: p.outer.parts * p.inner.parts, inner: p.inner.parts,
		across: m.columns[p.outer.column].ordered, along: m.columns[p.inner.column].ordered,
	}
	one, two := m.columns[p.outer.column].codes, m.columns[p.inner.column].codes
	width := uint8(p.inner.parts)
	for i, code := range one {
		c.codes[i] = p.outer.part[code]*width + p.inner.part[two[i]]
	}
	return c
}

// detect finds the most promising pairs of columns by what the residuals of the rows still hold
// in the cells of a small grid, beyond what each column alone could take up: of pure noise the sum
// of slope²/curve over the cells is about its degrees of freedom. Columns with a monotone rule take no part, as a pair could break it.
//
// Nor do columns to be left out.
func detect(m *matrix, slope, curve []float32, known []pairing, out []bool, most, workers int) []pairing {
	const parts = maxParts
	var sides []side
	least := max(20, m.rows/500)
	for j := range m.columns {
		c := &m.columns[j]
		if c.monotone != 0 || c.inner > 0 || out[j] {
			continue
		}
		if s := coarse(c, j, min(parts, max(3, int(math.Sqrt(float64(m.rows)/10)))), least); s.parts > 1 {
			sides = append(sides, s)
		}
	}
	n := len(sides)
	found := make([]pairing, n*(n-1)/2)
	each(workers, len(found), func(k int) {
		at, i := k, 0
		for at >= n-1-i {
			at -= n - 1 - i
			i++
		}
		found[k] = pairing{outer: sides[i], inner: sides[i+1+at]}
		found[k].gain = gainOf(m, &found[k], slope, curve)
	})
	found = slices.DeleteFunc(found, func(p pairing) bool {
		return p.gain <= 0 || slices.ContainsFunc(known, func(k pairing) bool {
			return k.outer.column == p.outer.column && k.inner.column == p.inner.column
		})
	})
	sort.SliceStable(found, func(i, j int) bool { return found[i].gain > found[j].gain })
	found = found[:min(len(found), most)]
	cells := min(fineBins, max(16, m.rows/15))
	for i := range found {
		p := &found[i]
		wide := min(maxParts, int(math.Sqrt(float64(cells))))
		p.outer = coarse(&m.columns[p.outer.column], p.outer.column, wide, least/2)
		p.inner = coarse(&m.columns[p.inner.column], p.inner.column, wide, least/2)
	}
	return found
}

// gainOf measures one pair; 0 where it is within noise.
func gainOf(m *matrix, p *pairing, slope, curve []float32) float64 {
	a, b := p.outer.parts, p.inner.parts
	var g, h [256]float64
	one, two := m.columns[p.outer.column].codes, m.columns[p.inner.column].codes
	for i, code := range one {
		cell := int(p.outer.part[code])*b + int(p.inner.part[two[i]])
		g[cell] += float64(slope[i])
		h[cell] += float64(curve[i])
	}
	// What is left of the columns' own effects goes first: a few sweeps over both sides.
	for range 4 {
		for i := range a {
			sum, all := 0.0, 1e-9
			for j := range b {
				sum += g[i*b+j]
				all += h[i*b+j]
			}
			for j := range b {
				g[i*b+j] -= sum / all * h[i*b+j]
			}
		}
		for j := range b {
			sum, all := 0.0, 1e-9
			for i := range a {
				sum += g[i*b+j]
				all += h[i*b+j]
			}
			for i := range a {
				g[i*b+j] -= sum / all * h[i*b+j]
			}
		}
	}
	chi, free := 0.0, 0.0
	for i := range a * b {
		chi += g[i] * g[i] / (h[i] + 1)
		free += h[i] / (h[i] + 1)
	}
	free *= float64((a-1)*(b-1)) / float64(a*b)
	if (chi-free)/math.Sqrt(2*free) < 2 || chi <= free {
		return 0
	}
	// What shrinking the cells as noise asks leaves of it.
	return (chi - free) * (chi - free) / chi
}
