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
	// Numbers that stand apart at either end; each is a bin of its own, which nothing is smoothed into.
	low, high []Code
}

// ordered reports whether neighbouring codes, but for 0, are neighbouring values.
func (b *binning) ordered() bool { return b.kind == frame.Number }

// bin finds the bins of a column on the given rows. Rows with the weight nought are no evidence.
// Extra cuts and names, of an expert's card, become bins in any case. Of a scale, on which points rise or
// fall, nought is the beginning and no code.
func bin(c *frame.Column, most, least int, extraCuts []float64, extraNames []string, scale bool) *binning {
	b := &binning{name: c.Name, kind: c.Kind}
	if c.Kind == frame.Number {
		sorted := ascending(c.Numbers)
		if low, high := codesOf(sorted); !scale || !slices.ContainsFunc(append(slices.Clone(low), high...), func(c Code) bool { return c.Value == 0 }) {
			b.low, b.high = low, high
		}
		for _, code := range b.low {
			first, _ := runs(sorted)
			sorted = sorted[first:]
			b.cuts = append(b.cuts, beyond(code.Value, sorted[0]))
		}
		for range b.high {
			_, last := runs(sorted)
			b.cuts = append(b.cuts, sorted[len(sorted)-1])
			sorted = sorted[:len(sorted)-last]
		}
		stride := 1 + (len(c.Numbers)-1)/sampled
		b.cuts = append(b.cuts, cutNumbers(sorted, most-2-len(extraCuts)-len(b.low)-len(b.high), max(1, least/stride))...)
		b.cuts = append(b.cuts, extraCuts...)
		slices.Sort(b.cuts)
		b.cuts = slices.Compact(b.cuts)
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

// ends is how many codes from 1 up, and how many up to the last, are numbers that stand apart.
func (b *binning) ends() (low, high int) {
	if n := len(b.low); n > 0 {
		low = int(b.number(b.low[n-1].Value))
	}
	if len(b.high) > 0 {
		high = b.bins - int(b.number(b.high[0].Value))
	}
	return low, high
}

// cutNumbers returns at most most-1 ascending cuts that part sorted numbers into about equally many
// rows, at least least in each but where few values are that many; few values are parted exactly.
func cutNumbers(sorted []float64, most, least int) []float64 {
	n := len(sorted)
	if n == 0 || most < 2 {
		return nil
	}
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
