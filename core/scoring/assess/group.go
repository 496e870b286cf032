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

// Groups says for a card how good it was on the rows of every value of a category apart: the
// greatest first, of equals the one whose name comes first. At most 50 values stand alone; those
// behind them, and those of fewer than 30 rows, are one group of others, the last. The column
// must be as Segments needs it.
func Groups(s Sample, by string, column *frame.Column, seed uint64) ([]card.Group, error) {
	if err := segmentable(s, column); err != nil {
		return nil, err
	}
	type value struct {
		name string
		rows []int32
	}
	values := make([]value, len(column.Values)+1)
	for i, name := range column.Values {
		values[i+1].name = name
	}
	for i, code := range column.Codes {
		values[code+1].rows = append(values[code+1].rows, int32(i))
	}
	values = slices.DeleteFunc(values, func(v value) bool { return len(v.rows) == 0 })
	slices.SortStableFunc(values, func(a, b value) int {
		return cmp.Or(cmp.Compare(len(b.rows), len(a.rows)), cmp.Compare(a.name, b.name))
	})
	var out []card.Group
	var rest []int32
	small := slices.IndexFunc(values, func(v value) bool { return len(v.rows) < fewestOfOne })
	if small < 0 {
		small = len(values)
	}
	small = min(small, mostGroups)
	if len(values)-small == 1 && small < mostGroups {
		small++ // the others of one value are that value
	}
	for i := range values {
		v := &values[i]
		if i >= small {
			rest = append(rest, v.rows...)
			continue
		}
		out = append(out, s.group(v.rows, seed))
		g := &out[len(out)-1]
		g.By, g.Value = by, v.name
	}
	if len(rest) > 0 {
		slices.Sort(rest)
		out = append(out, s.group(rest, seed))
		g := &out[len(out)-1]
		g.By, g.Others = by, int64(len(values)-small)
	}
	return out, nil
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
