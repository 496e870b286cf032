package scoring

import (
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/assess"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// What leads are told apart by, in the groups of reports and of cards.
const (
	byBrand   = "brand"
	byRegion  = "region"
	bySegment = "segment"
)

// groups tells the figures apart by what the leads have in common.
func (t *tally) groups() (out []*scoringv1.BacktestGroup) {
	for _, x := range []struct {
		by    string
		cells []assess.Cell
	}{
		{byBrand, cells(t.brands.list, t.brandOf)},
		{byRegion, cells(t.regions.list, t.regionOf)},
		{bySegment, segmentCells(t.segments)},
	} {
		for _, c := range assess.Pool(x.cells) {
			current, model := t.current.Rows(c.Rows), t.model.Rows(c.Rows)
			out = append(out, &scoringv1.BacktestGroup{
				By: x.by, Value: c.Value, Others: c.Others, LeadCount: int64(len(c.Rows)), WonCount: wins(model.Won),
				Current: figuresOf(current), Model: figuresOf(model), Difference: differenceOf(current, model),
			})
		}
	}
	return out
}

// cells parts rows by the value that each has.
func cells(values []string, of []int32) []assess.Cell {
	out := make([]assess.Cell, len(values))
	for i, value := range values {
		out[i].Value = value
	}
	for row, value := range of {
		out[value].Rows = append(out[value].Rows, int32(row))
	}
	return out
}

// segmentCells are the rows of each segment; a row may be of several, or of none.
func segmentCells(sets []byte) []assess.Cell {
	out := make([]assess.Cell, scoring.NumSegments)
	for s := range out {
		out[s].Value = lead.Segment(s).String()
	}
	for row, set := range sets {
		for s := lead.Segment(1); int(s) < scoring.NumSegments; s++ {
			if scoring.SegmentSet(set).Has(s) {
				out[s].Rows = append(out[s].Rows, int32(row))
			}
		}
	}
	return out
}

func wins(won []bool) (n int64) {
	for _, w := range won {
		if w {
			n++
		}
	}
	return n
}

// differenceOf is the figures of b less those of a.
func differenceOf(a, b assess.Sample) *scoringv1.BacktestDifference {
	d := assess.Compare(a, b)
	return &scoringv1.BacktestDifference{Auc: figureOf(d.AUC), LogLoss: figureOf(d.LogLoss), Brier: figureOf(d.Brier)}
}
