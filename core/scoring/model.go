// Package scoring turns what is known of a lead and its person into points, a probability, a
// stage and reasons, for every line at once. The points come from tables that people can read:
// every point has a feature, and the contributions of a line add up exactly to its points.
//
// The way is Extract (facts to integers), Compile (definition to model, once per playbook
// revision), Model.Score (integers to points, on every decision) and Model.Explain (reasons). No
// float takes part, so the same inputs give the same result on every machine.
package scoring

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/leadmesh/leadmesh/core/lead"
)

// NumLines is one more than the last line: results are indexed by lead.Line.
const NumLines = int(lead.LineCare) + 1

// NumSegments is one more than the last segment.
const NumSegments = int(lead.SegmentAccessoryProspect) + 1

// lanes holds a number per line, by lead.Line less one.
type lanes [NumLines - 1]int32

// packed holds lanes two to a word, word = high<<32 + low, so that five additions add the points
// of all lines. Unlike two halves side by side the sum of words is exact for negative lanes too:
// unpack takes the borrow of the low lane back from the high one.
type packed [(NumLines) / 2]int64

func pack(l *lanes) packed {
	var p packed
	for k, v := range l {
		p[k/2] += int64(v) << (32 * (k % 2))
	}
	return p
}

func (p *packed) lane(k int) int32 {
	w := p[k/2]
	if k%2 == 0 {
		return int32(w)
	}
	return int32((w - int64(int32(w))) >> 32)
}

func (p *packed) unpack() lanes {
	var l lanes
	for k := range l {
		l[k] = p.lane(k)
	}
	return l
}

// Model is a compiled definition. It is immutable and safe for concurrent use.
//
// All lines that look at a feature share one list of cuts, so the feature's bin is searched once
// and gives the points of all lines.
type Model struct {
	columns []column // by group
	groups  [NumGroups]span
	cuts    []int32
	points  []packed // of each bin of each column
	origin  [][NumLines - 1]uint8

	base     lanes
	groupMin [NumGroups]lanes
	groupMax [NumGroups]lanes
	min, max lanes

	chance        [][MaxPoints + 1]int32 // by line less one
	sure          [NumLines - 1]sureness
	consideration lanes
	intent        lanes
	ready         [1 << (NumSegments - 1)]lanes // by set of segments
	trigger       lanes                         // math.MaxInt32: makes no trigger leads
	value         [NumLines - 1]int64
	defined       lanes // all ones where there is a scorecard, else 0

	pairs    []pair
	segments []segment
	rows     [NumLines - 1][NumFeatures]*Row // nil: the line does not look at the feature
	tracked  [NumLines - 1][NumGroups]bool   // the line has tracked features in the group
	indices  [NumIndices]*index              // nil: there is none
}

// column is a feature that some line looks at.
type column struct {
	feature Feature
	width   uint16 // length of its cuts, a power of two, padded with the greatest number
	cut     uint32 // where its cuts start
	bin     uint32 // where its bins start; bin 0 is Absent, bin 1 Missing
}

type span struct{ from, to int }

type segment struct {
	code   lead.Segment
	line   int // less one
	value  int64
	levels []string
	rules  [][]condition
}

type condition struct {
	feature  Feature
	min, max int32
	set      uint64 // of a category: bit v for value v; else 0
}

// Compile checks a definition and turns it into a model. With any problem there is no model; the
// problems are all there are, in a stable order.
func Compile(d Definition) (*Model, []Problem) {
	var c checker
	c.definition(&d)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	m := &Model{chance: make([][MaxPoints + 1]int32, NumLines-1)}
	for i := range m.rows {
		m.trigger[i] = math.MaxInt32
		code := lead.Line(i + 1)
		l, ok := d.Lines[code.String()]
		if !ok {
			for s := range m.ready {
				m.ready[s][i] = math.MaxInt32
			}
			continue
		}
		m.line(i, &l)
	}
	if problems := m.table(); len(problems) > 0 {
		return nil, problems
	}
	m.findPairs()
	for code := lead.Segment(1); int(code) < NumSegments; code++ {
		if s, ok := d.Segments[code.String()]; ok {
			m.segments = append(m.segments, m.segment(code, &s))
		}
	}
	for code := lead.Index(1); int(code) < NumIndices; code++ {
		if x, ok := d.Indices[code.String()]; ok {
			m.indices[code] = newIndex(code, &x)
		}
	}
	return m, nil
}

// line takes over what a line says beside its rows' points.
func (m *Model) line(i int, l *Line) {
	m.defined[i] = -1
	m.base[i] = l.Base
	m.value[i] = l.Value
	for g := GroupNone; g < NumGroups; g++ {
		m.groupMin[g][i], m.groupMax[g][i] = l.Groups[g.String()].Bounds()
	}
	m.min[i], m.max[i] = l.Cap.Bounds()
	if l.Trigger != nil {
		m.trigger[i] = *l.Trigger
	}
	m.consideration[i], m.intent[i] = l.Stages.Consideration, l.Stages.Intent
	for set := range m.ready {
		threshold, replaced := l.Stages.Ready, false
		for code := lead.Segment(1); int(code) < NumSegments; code++ {
			v, ok := l.Stages.ReadyBySegment[code.String()]
			if ok && SegmentSet(set).Has(code) && (!replaced || v < threshold) {
				threshold, replaced = v, true
			}
		}
		m.ready[set][i] = threshold
	}
	calibrate(l.Calibration, &m.chance[i])
	m.sure[i] = surenessOf(l)
	for _, r := range l.Rows {
		f, row := r.compiled()
		m.rows[i][f] = row
		if f.Tracked() {
			m.tracked[i][f.Group()] = true
		}
	}
	for j := range l.Pairs {
		m.pair(i, &l.Pairs[j])
	}
}

// compiled returns the row's feature and a copy of the row with thresholds in the feature's own unit.
func (r Row) compiled() (Feature, *Row) {
	f, _ := ParseFeature(r.Feature)
	r.Bins = slices.Clone(r.Bins)
	scale, _ := f.Unit().Scale(r.In)
	for j := range r.Bins {
		if b := r.Bins[j].Below; b != nil {
			scaled := *b * scale
			r.Bins[j].Below = &scaled
		}
		r.Bins[j].Values = slices.Clone(r.Bins[j].Values)
	}
	r.In = ""
	return f, &r
}

// table lays out the columns: groups in order, features in order within a group.
func (m *Model) table() []Problem {
	var problems []Problem
	for g := GroupNone + 1; g < NumGroups; g++ {
		m.groups[g].from = len(m.columns)
		for f := FeatureNone + 1; f < NumFeatures; f++ {
			cuts := m.cutsOf(f)
			if f.Group() != g || cuts == nil {
				continue
			}
			if len(cuts) > maxCuts {
				problems = append(problems, Problem{Path: "lines", Message: f.String() + " has too many different bins over all lines"})
				continue
			}
			m.column(f, cuts)
		}
		m.groups[g].to = len(m.columns)
	}
	return problems
}

// cutsOf returns the merged cuts of a feature: a value belongs to the bin whose number is how
// many cuts are not above it. nil when no line looks at the feature.
func (m *Model) cutsOf(f Feature) []int32 {
	var cuts []int32
	for _, r := range m.looks(f) {
		cuts = append(cuts, Missing, Missing+1)
		for _, b := range r.Bins {
			if b.Below != nil {
				cuts = append(cuts, int32(*b.Below))
			}
			for _, v := range b.Values {
				code, _ := f.Code(v)
				cuts = append(cuts, code, code+1)
			}
		}
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// looks lists how lines look at a feature, by their rows and the sides of their pairs.
func (m *Model) looks(f Feature) (all []*Row) {
	for i := range m.rows {
		if r := m.rows[i][f]; r != nil {
			all = append(all, r)
		}
	}
	for i := range m.pairs {
		for k := range m.pairs[i].sides {
			if s := &m.pairs[i].sides[k]; s.feature == f {
				all = append(all, s.row)
			}
		}
	}
	return all
}

// column adds a feature with its cuts and the points of every line in every bin.
func (m *Model) column(f Feature, cuts []int32) {
	width := narrow
	for width < len(cuts)+1 {
		width *= 2
	}
	m.columns = append(m.columns, column{feature: f, width: uint16(width), cut: uint32(len(m.cuts)), bin: uint32(len(m.points))})
	m.cuts = append(m.cuts, cuts...)
	for range width - len(cuts) {
		m.cuts = append(m.cuts, math.MaxInt32)
	}
	for bin := range width {
		var points lanes
		var origin [NumLines - 1]uint8
		if bin > 0 {
			// The greatest number equals the padding and lands behind the last cut.
			from := cuts[min(bin, len(cuts))-1]
			for i := range m.rows {
				if r := m.rows[i][f]; r != nil {
					if j := r.find(f, from); j >= 0 {
						points[i], origin[i] = r.Bins[j].Points, uint8(min(j, math.MaxUint8-1)+1)
					}
				}
			}
		}
		m.points = append(m.points, pack(&points))
		m.origin = append(m.origin, origin)
	}
}

// find returns the bin of a row that a value belongs to, -1 for none. Below is in the feature's
// own unit here.
func (r *Row) find(f Feature, v int32) int {
	rest := -1
	for i := range r.Bins {
		b := &r.Bins[i]
		switch {
		case v == Missing:
			if b.Missing {
				return i
			}
		case b.Below != nil:
			if int64(v) < *b.Below {
				return i
			}
		case b.Values != nil:
			for _, name := range b.Values {
				if code, _ := f.Code(name); code == v {
					return i
				}
			}
		case !b.Missing:
			rest = i
		}
	}
	return rest
}

func (m *Model) segment(code lead.Segment, s *Segment) segment {
	line, _ := lead.ParseLine(s.Line)
	out := segment{code: code, line: int(line) - 1, value: cmp.Or(s.Value, m.value[line-1])}
	for _, r := range s.Rules {
		out.levels = append(out.levels, r.Level)
		var all []condition
		for _, c := range r.All {
			f, _ := ParseFeature(c.Feature)
			scale, _ := f.Unit().Scale(c.In)
			k := condition{feature: f, min: Missing + 1, max: math.MaxInt32}
			if c.Min != nil {
				k.min = int32(*c.Min * scale)
			}
			if c.Max != nil {
				k.max = int32(*c.Max * scale)
			}
			for _, v := range c.Values {
				n, _ := f.Code(v)
				k.set |= 1 << uint(n)
			}
			all = append(all, k)
		}
		out.rules = append(out.rules, all)
	}
	return out
}

// calibrate writes out the chance of every number of points.
func calibrate(knots []Knot, table *[MaxPoints + 1]int32) {
	for p := range table {
		table[p] = interpolate(knots, int32(p), func(n *Knot) int32 { return n.PPM })
	}
}

// interpolate reads a value of knots at a number of points: between two a straight line rounded half up,
// outside of them constant.
func interpolate(knots []Knot, p int32, of func(*Knot) int32) int32 {
	k := sort.Search(len(knots), func(i int) bool { return knots[i].Points > p }) - 1
	switch {
	case k < 0:
		return of(&knots[0])
	case k+1 == len(knots):
		return of(&knots[k])
	}
	a, b := &knots[k], &knots[k+1]
	return Between(p, a.Points, b.Points, of(a), of(b))
}

// Between is the value at x of the straight line from low at from to high at to, rounded half up. from is
// less than to.
func Between(x, from, to, low, high int32) int32 {
	dx, dy := int64(to-from), int64(high-low)
	return low + int32(floorDiv(2*dy*int64(x-from)+dx, 2*dx))
}

// Bounds are the least and the most that the sum may be; the outermost numbers where there is none.
func (c Cap) Bounds() (lo, hi int32) {
	lo, hi = math.MinInt32, math.MaxInt32
	if c.Min != nil {
		lo = *c.Min
	}
	if c.Max != nil {
		hi = *c.Max
	}
	return lo, hi
}

// Features returns the features that the line or, for an unspecified line, any line looks at.
func (m *Model) Features(line lead.Line) []Feature {
	var out []Feature
	for _, c := range m.columns {
		if line == lead.LineUnspecified || int(line) >= NumLines || m.rows[line-1][c.feature] != nil || len(m.PairedWith(line, c.feature)) > 0 {
			out = append(out, c.feature)
		}
	}
	slices.Sort(out)
	return out
}
