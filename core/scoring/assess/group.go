package assess

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

const (
	mostGroups  = 50 // that one column parts rows into
	fewestOfOne = 30 // rows that make a group of their own
	groupBins   = 10 // bins of the calibration error
)

// Cell is rows of a sample that have something in common.
type Cell struct {
	Value  string // empty: it is not known of them, or see Others
	Others int64  // how many values are together; 0 for one
	Rows   []int32
}

// Pool puts cells in order, the greatest first, of equals the one whose name comes first, and leaves out
// empty ones. At most 50 stand alone; those behind them, and those of fewer than 30 rows, are together
// in the last. It keeps the rows of those that stand alone.
func Pool(cells []Cell) []Cell {
	sorted := slices.DeleteFunc(slices.Clone(cells), func(c Cell) bool { return len(c.Rows) == 0 })
	slices.SortStableFunc(sorted, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(len(b.Rows), len(a.Rows)), cmp.Compare(a.Value, b.Value))
	})
	small := slices.IndexFunc(sorted, func(c Cell) bool { return len(c.Rows) < fewestOfOne })
	if small < 0 {
		small = len(sorted)
	}
	small = min(small, mostGroups)
	if len(sorted)-small <= 1 && small < mostGroups {
		return sorted // the others of one value are that value
	}
	if small == len(sorted) {
		return sorted
	}
	rest := Cell{Others: int64(len(sorted) - small)}
	for _, c := range sorted[small:] {
		rest.Rows = append(rest.Rows, c.Rows...)
	}
	slices.Sort(rest.Rows)
	rest.Rows = slices.Compact(rest.Rows) // one may be in several
	return append(sorted[:small:small], rest)
}

// Groups says for a card how good it was on the rows of every value of a category apart, pooled as
// Pool does. The column must be as Segments needs it.
func Groups(s Sample, by string, column *frame.Column, seed uint64) ([]card.Group, error) {
	if err := segmentable(s, column); err != nil {
		return nil, err
	}
	cells := make([]Cell, len(column.Values)+1)
	for i, name := range column.Values {
		cells[i+1].Value = name
	}
	for i, code := range column.Codes {
		cells[code+1].Rows = append(cells[code+1].Rows, int32(i))
	}
	return GroupsOf(s, by, cells, seed), nil
}

// GroupsOf is Groups for cells of a sample that Check finds no fault with; a row may be in several.
func GroupsOf(s Sample, by string, cells []Cell, seed uint64) []card.Group {
	var out []card.Group
	for _, c := range Pool(cells) {
		g := s.group(c.Rows, seed)
		g.By, g.Value, g.Others = by, c.Value, c.Others
		out = append(out, g)
	}
	return out
}

// group is the figures of some rows.
func (s *Sample) group(rows []int32, seed uint64) card.Group {
	part := s.Rows(rows)
	g := card.Group{Rows: int64(len(rows)), AUC: 0.5, AUCHigh: 1}
	for _, won := range part.Won {
		if won {
			g.Positives++
		}
	}
	if part.Check() != nil {
		return g // no row of any weight
	}
	a, c := AUC(part), CalibrationError(part, groupBins, seed).Error
	g.AUC, g.AUCLow, g.AUCHigh, g.CalibrationError, g.CalibrationLow = a.Value, a.Low, a.High, c.Value, c.Low
	return g
}
