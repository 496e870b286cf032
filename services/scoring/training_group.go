package scoring

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// groups tells the figures of what was learned apart by what the leads have in common. As for all of
// them, areas are of those won or lost and chances are held against the open ones too.
func (g *gathered) groups(tested train.Tested) (out []card.Group) {
	decided, all := tested.Decided(nil), tested.All(nil, nil)
	for _, x := range []struct {
		by     string
		values func(row int32) []string
	}{
		{byBrand, func(row int32) []string { return []string{g.brands.list[g.brandOf[row]]} }},
		{byRegion, func(row int32) []string { return []string{g.regions.list[g.regionOf[row]]} }},
		{bySegment, g.segmentsOf},
	} {
		var closed, any parted
		inDecided, inAll := int32(0), int32(0)
		for i := range tested {
			t := &tested[i]
			values := x.values(t.Row)
			if t.Odds < 0 {
				closed.add(values, inDecided)
				inDecided++
			} else { // it has two rows, won and lost
				any.add(values, inAll)
				inAll++
			}
			any.add(values, inAll)
			inAll++
		}
		groups := assess.GroupsOf(decided, x.by, closed.cells, trainingSeed)
		alone := map[string]bool{}
		for i := range groups {
			if groups[i].Others == 0 {
				alone[groups[i].Value] = true
			}
		}
		for i := range groups {
			var rows []int32
			for _, c := range any.cells {
				if c.Value == groups[i].Value && groups[i].Others == 0 || groups[i].Others > 0 && !alone[c.Value] {
					rows = append(rows, c.Rows...)
				}
			}
			slices.Sort(rows)
			rows = slices.Compact(rows) // one may be in several
			e := assess.CalibrationError(all.Rows(rows), calibrationBins, trainingSeed).Error
			groups[i].CalibrationError, groups[i].CalibrationLow = e.Value, e.Low
		}
		out = append(out, groups...)
	}
	return out
}

// segmentsOf names the segments of a lead.
func (g *gathered) segmentsOf(row int32) (out []string) {
	for s := lead.Segment(1); int(s) < scoring.NumSegments; s++ {
		if scoring.SegmentSet(g.segments[row]).Has(s) {
			out = append(out, s.String())
		}
	}
	return out
}

// parted is rows by the values that they have.
type parted struct {
	names names
	cells []assess.Cell
}

func (p *parted) add(values []string, row int32) {
	for _, v := range values {
		at := p.names.number(v)
		if int(at) == len(p.cells) {
			p.cells = append(p.cells, assess.Cell{Value: v})
		}
		p.cells[at].Rows = append(p.cells[at].Rows, row)
	}
}
