package assess

import (
	"fmt"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Segment is how good a table is on the rows of one segment.
type Segment struct {
	Name   string // value of the column; empty: where it is missing
	Report *Report
}

// Segments assesses the rows of every value of a category apart, the largest segment first, of
// equals the one whose name comes first. The column must be a category as long as the sample.
func Segments(s Sample, column *frame.Column, o Options) ([]Segment, error) {
	if err := segmentable(s, column); err != nil {
		return nil, err
	}
	rows := make([][]int32, len(column.Values)+1)
	for i, code := range column.Codes {
		rows[code+1] = append(rows[code+1], int32(i))
	}
	var out []Segment
	for i, order := range rows {
		part := s.Rows(order)
		if part.Check() != nil {
			continue // no row of any weight
		}
		segment := Segment{}
		if i > 0 {
			segment.Name = column.Values[i-1]
		}
		var err error
		if segment.Report, err = Assess(part, o); err != nil {
			return nil, err
		}
		out = append(out, segment)
	}
	slices.SortStableFunc(out, func(a, b Segment) int {
		switch {
		case a.Report.Weight != b.Report.Weight:
			if a.Report.Weight > b.Report.Weight {
				return -1
			}
			return 1
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return out, nil
}

// segmentable returns what keeps a column from parting a sample.
func segmentable(s Sample, column *frame.Column) error {
	if err := s.Check(); err != nil {
		return err
	}
	if column.Kind != frame.Category || column.Len() != len(s.Won) {
		return fmt.Errorf("column %q must be a category with a value for every row", column.Name)
	}
	return nil
}

// Shift is how far apart two distributions are.
type Shift struct {
	// Index is the population stability index, the sum of (a-b) ln(a/b) over the bins' shares
	// (Siddiqi 2006: below 0.1 stable, above 0.25 another population). Half a row is added to every
	// bin, so that an empty one does not make it infinite.
	Index float64
	// Chance is what it would be on average if both came from the same distribution: bins less one
	// times (1/rows of a + 1/rows of b) (Yurdakul 2018).
	Chance float64
}

// Stability compares how two columns of the same signal are distributed, what is missing being a
// bin of its own: a number over bins of equal size of the first (at most ten), a category over its
// values.
func Stability(a, b *frame.Column) (Shift, error) {
	if a.Kind != b.Kind || a.Len() == 0 || b.Len() == 0 {
		return Shift{}, fmt.Errorf("columns %q and %q can not be compared: they need the same kind, and rows", a.Name, b.Name)
	}
	if a.Kind == frame.Category {
		bins := map[string]int{}
		for _, c := range []*frame.Column{a, b} {
			for _, v := range c.Values {
				if _, ok := bins[v]; !ok {
					bins[v] = len(bins) + 1
				}
			}
		}
		counts := func(c *frame.Column) []float64 {
			out := make([]float64, len(bins)+1)
			for i := range c.Codes {
				if c.Missing(i) {
					out[0]++
				} else {
					out[bins[c.Text(i)]]++
				}
			}
			return out
		}
		return StabilityOf(counts(a), counts(b)), nil
	}
	cuts := deciles(a.Numbers)
	counts := func(c *frame.Column) []float64 {
		out := make([]float64, len(cuts)+2)
		for _, v := range c.Numbers {
			if math.IsNaN(v) {
				out[0]++
				continue
			}
			// The bin's number is how many cuts are not above it.
			at, found := slices.BinarySearch(cuts, v)
			if found {
				at++
			}
			out[at+1]++
		}
		return out
	}
	return StabilityOf(counts(a), counts(b)), nil
}

// deciles returns the different values that part sorted numbers into ten.
func deciles(numbers []float64) []float64 {
	sorted := slices.DeleteFunc(slices.Clone(numbers), math.IsNaN)
	slices.Sort(sorted)
	var out []float64
	for k := 1; k < 10 && len(sorted) > 0; k++ {
		if v := sorted[k*len(sorted)/10]; v > sorted[0] {
			out = append(out, v)
		}
	}
	return slices.Compact(out)
}

// StabilityOf compares two distributions by the rows in each bin, of which there must be equally
// many. Bins that are empty in both do not count.
func StabilityOf(a, b []float64) Shift {
	var inA, inB float64
	bins := 0
	for i := range a {
		inA += a[i]
		inB += b[i]
		if a[i]+b[i] > 0 {
			bins++
		}
	}
	if bins < 2 || inA == 0 || inB == 0 {
		return Shift{}
	}
	half := float64(bins) / 2
	var s Shift
	for i := range a {
		if a[i]+b[i] > 0 {
			p, q := (a[i]+0.5)/(inA+half), (b[i]+0.5)/(inB+half)
			s.Index += (p - q) * math.Log(p/q)
		}
	}
	s.Chance = float64(bins-1) * (1/inA + 1/inB)
	return s
}
