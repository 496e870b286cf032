package train

import (
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

const (
	// fineBins is the most bins of one column, so that a code fits a byte.
	fineBins = 255
	// sampled is from how many rows quantiles are taken.
	sampled = 200_000
)

// binning turns the values of one column into codes. Code 0 is missing. Of a number, code 1+i
// stands for values below cuts[i] and not below cuts[i-1], the last code for all others. Of a
// category, code 1+i stands for kept[i] and the last code for all other names.
type binning struct {
	name string
	kind frame.Kind
	cuts []float64
	kept []string
	code map[string]uint8 // of a category
	bins int              // codes, missing included
}

// ordered reports whether neighbouring codes, but for 0, are neighbouring values.
func (b *binning) ordered() bool { return b.kind == frame.Number }

// bin finds the bins of a column on the given rows. Rows with the weight nought are no evidence.
// Extra cuts and names, of an expert's card, become bins in any case.
func bin(c *frame.Column, most, least int, extraCuts []float64, extraNames []string) *binning {
	b := &binning{name: c.Name, kind: c.Kind}
	if c.Kind == frame.Number {
		b.cuts = cutNumbers(c.Numbers, most-2-len(extraCuts), least)
		if len(extraCuts) > 0 {
			b.cuts = append(b.cuts, extraCuts...)
			slices.Sort(b.cuts)
			b.cuts = slices.Compact(b.cuts)
		}
		b.bins = len(b.cuts) + 2
		return b
	}
	count := make([]int, len(c.Values))
	for _, code := range c.Codes {
		if code >= 0 {
			count[code]++
		}
	}
	order := make([]int, 0, len(count))
	for v, n := range count {
		if n >= least || slices.Contains(extraNames, c.Values[v]) {
			order = append(order, v)
		}
	}
	sort.Slice(order, func(i, j int) bool {
		a, z := order[i], order[j]
		ea, ez := slices.Contains(extraNames, c.Values[a]), slices.Contains(extraNames, c.Values[z])
		switch {
		case ea != ez:
			return ea
		case count[a] != count[z]:
			return count[a] > count[z]
		default:
			return c.Values[a] < c.Values[z]
		}
	})
	order = order[:min(len(order), most-2)]
	b.code = make(map[string]uint8, len(order))
	for _, v := range order {
		b.kept = append(b.kept, c.Values[v])
	}
	for _, name := range extraNames {
		if len(b.kept) < fineBins-2 && !slices.Contains(b.kept, name) {
			b.kept = append(b.kept, name)
		}
	}
	for i, name := range b.kept {
		b.code[name] = uint8(i + 1)
	}
	b.bins = len(b.kept) + 2
	return b
}

// cutNumbers returns at most most-1 ascending cuts that part the numbers into about equally many
// rows, at least least in each but where few values are that many; few values are parted exactly.
func cutNumbers(numbers []float64, most, least int) []float64 {
	stride := 1 + (len(numbers)-1)/sampled
	sorted := make([]float64, 0, len(numbers)/stride+1)
	for i := 0; i < len(numbers); i += stride {
		if !math.IsNaN(numbers[i]) {
			sorted = append(sorted, numbers[i])
		}
	}
	slices.Sort(sorted)
	n := len(sorted)
	if n == 0 || most < 2 {
		return nil
	}
	least = max(1, least/stride)
	want := max(least, (n+most-1)/most)
	if distinct(sorted, most) <= most {
		want = least
	}
	var cuts []float64
	filled := 0
	for i := 1; i < n; i++ {
		filled++
		if sorted[i] == sorted[i-1] || filled < want || n-i < least {
			continue
		}
		cuts = append(cuts, between(sorted[i-1], sorted[i]))
		filled = 0
	}
	return cuts
}

// distinct counts the distinct values of a sorted slice, up to most+1.
func distinct(sorted []float64, most int) int {
	n := 1
	for i := 1; i < len(sorted) && n <= most; i++ {
		if sorted[i] != sorted[i-1] {
			n++
		}
	}
	return n
}

// between returns the number with the fewest digits above low and not above high.
func between(low, high float64) float64 {
	middle := low + (high-low)/2
	for digits := 1; digits < 17; digits++ {
		text := strconv.FormatFloat(middle, 'e', digits-1, 64)
		n, err := strconv.ParseFloat(text, 64)
		if err == nil && n > low && n <= high {
			return n
		}
		text = strconv.FormatFloat(high, 'e', digits-1, 64)
		n, err = strconv.ParseFloat(text, 64)
		if err == nil && n > low && n <= high {
			return n
		}
	}
	return high
}

// apply writes the codes of a column's rows.
func (b *binning) apply(c *frame.Column, codes []uint8) {
	if b.kind == frame.Number {
		for i, v := range c.Numbers {
			codes[i] = b.number(v)
		}
		return
	}
	table := make([]uint8, len(c.Values)+1)
	for v, name := range c.Values {
		code, ok := b.code[name]
		if !ok {
			code = uint8(b.bins - 1)
		}
		table[v+1] = code
	}
	for i, code := range c.Codes {
		codes[i] = table[code+1]
	}
}

func (b *binning) number(v float64) uint8 {
	if math.IsNaN(v) {
		return 0
	}
	low, high := 0, len(b.cuts)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if v < b.cuts[mid] {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return uint8(low + 1)
}
