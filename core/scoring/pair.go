package scoring

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Pair gives points to two features of a line together, beyond those of their own rows, where one
// tells something else depending on the other.
type Pair struct {
	First  Side `yaml:"first"`
	Second Side `yaml:"second"`
	// Group is the code of the group that the points count into, with its cap; empty: none, so that
	// only the cap of the line bounds them.
	Group string `yaml:"group"`
	// Label is the sentence that people read when the pair is a reason; empty: the two features' own.
	Label string `yaml:"label"`
	// Points of every part of First, outer, with every part of Second, inner: 1/100.
	Points [][]int32 `yaml:"points"`
	// Errors are the standard errors of Points, as many or none where an expert wrote them.
	Errors [][]int32 `yaml:"errors" json:",omitempty"`
}

// Side is one feature of a pair and the parts its values are put in.
type Side struct {
	Feature string `yaml:"feature"`
	In      string `yaml:"in"` // as in Row
	Parts   []Part `yaml:"parts"`
}

// Part is a Bin without points; the same rules hold. What no part holds gives the pair no points.
type Part struct {
	Below   *int64   `yaml:"below"`
	Values  []string `yaml:"values"`
	Missing bool     `yaml:"missing"`
}

// row writes the parts as the bins of a row, which follow the same rules.
func (s *Side) row() Row {
	r := Row{Feature: s.Feature, In: s.In}
	for _, p := range s.Parts {
		r.Bins = append(r.Bins, Bin{Below: p.Below, Values: p.Values, Missing: p.Missing})
	}
	return r
}

// pair is a compiled Pair of one line. Its features have columns of the model as those of rows do, so
// a cell is found from the bins that are known already, without another search.
type pair struct {
	line   int // less one
	group  Group
	sides  [2]side
	width  int     // one more than the parts of the second side
	points []int32 // by part of the first side times width plus part of the second, parts counted from 1; 0 is none
	errors []int32 // as points; nil: there are none
	label  string
}

type side struct {
	feature Feature
	row     *Row // the parts, with thresholds in the feature's own unit
	column  int
	parts   []uint8 // by bin of the column: the part from 1, 0 for none
}

// pair takes over a pair of a line. Where its features' columns are is known later.
func (m *Model) pair(line int, d *Pair) {
	p := pair{line: line, label: d.Label, width: len(d.Second.Parts) + 1}
	p.group, _ = ParseGroup(d.Group)
	for i, s := range []*Side{&d.First, &d.Second} {
		p.sides[i].feature, p.sides[i].row = s.row().compiled()
		if f := p.sides[i].feature; f.Tracked() {
			m.tracked[line][f.Group()] = true
		}
	}
	grid := func(cells [][]int32) []int32 {
		out := make([]int32, (len(d.First.Parts)+1)*p.width)
		for i := range cells {
			copy(out[(i+1)*p.width+1:], cells[i])
		}
		return out
	}
	p.points = grid(d.Points)
	if len(d.Errors) > 0 {
		p.errors = grid(d.Errors)
	}
	m.pairs = append(m.pairs, p)
}

// findPairs finds the columns of the pairs' features, once there are all columns.
func (m *Model) findPairs() {
	for i := range m.pairs {
		for k := range m.pairs[i].sides {
			s := &m.pairs[i].sides[k]
			s.column = slices.IndexFunc(m.columns, func(c column) bool { return c.feature == s.feature })
			cuts := m.cutsOf(s.feature)
			s.parts = make([]uint8, m.columns[s.column].width)
			for bin := 1; bin < len(s.parts); bin++ {
				s.parts[bin] = uint8(s.row.find(s.feature, cuts[min(bin, len(cuts))-1]) + 1)
			}
		}
	}
}

// PairedWith returns the features that a line looks at together with another one, in the order of its
// pairs.
func (m *Model) PairedWith(line lead.Line, f Feature) (out []Feature) {
	for i := range m.pairs {
		p := &m.pairs[i]
		for k := range p.sides {
			if p.line == int(line)-1 && p.sides[k].feature == f {
				out = append(out, p.sides[1-k].feature)
			}
		}
	}
	return out
}

// part returns the part that a scored lead falls into, from 1; 0 for none.
func (m *Model) part(s *side, res *Result) int {
	return int(s.parts[res.bins[s.column]-m.columns[s.column].bin])
}

func (m *Model) cell(p *pair, res *Result) int {
	return m.part(&p.sides[0], res)*p.width + m.part(&p.sides[1], res)
}

// addPairs puts the points of the pairs to what the rows gave, whose groups are capped already.
func (m *Model) addPairs(out *Result, total *lanes) {
	var sums [NumGroups]lanes
	for i := range m.pairs {
		p := &m.pairs[i]
		sums[p.group][p.line] += p.points[m.cell(p, out)]
	}
	for k := range total {
		total[k] += sums[GroupNone][k]
	}
	for g := GroupNone + 1; g < NumGroups; g++ {
		for k, more := range sums[g] {
			if more == 0 {
				continue
			}
			sum := out.sums[g][k] + more
			capped := min(max(sum, m.groupMin[g][k]), m.groupMax[g][k])
			total[k] += capped - out.sums[g][k] - out.GroupCaps[g][k+1]
			out.sums[g][k], out.GroupCaps[g][k+1] = sum, capped-sum
		}
	}
}

// contribution returns what a pair gave; ok is false where a feature is absent for want of consent,
// so that it took no part.
func (m *Model) contribution(p *pair, in *Inputs, res *Result) (c Contribution, ok bool) {
	a, b := &p.sides[0], &p.sides[1]
	v, w := in.Values[a.feature], in.Values[b.feature]
	if v == Absent || w == Absent {
		return Contribution{}, false
	}
	return Contribution{
		Kind: ContributionPair, Feature: a.feature, Second: b.feature, Group: p.group, Bin: -1,
		Value: v, SecondValue: w, Cell: [2]int{m.part(a, res) - 1, m.part(b, res) - 1}, Points: p.points[m.cell(p, res)],
	}, true
}

// pairOf finds the pair of a line that a contribution is from; nil where there is none.
func (m *Model) pairOf(line lead.Line, c *Contribution) *pair {
	for i := range m.pairs {
		if p := &m.pairs[i]; p.line == int(line)-1 && p.sides[0].feature == c.Feature && p.sides[1].feature == c.Second {
			return p
		}
	}
	return nil
}

// words are the template and the sentence of what the pair gave.
func (p *pair) words(c *Contribution) (template, sentence string) {
	if p.label != "" {
		return p.label, p.label
	}
	first, second := c.Feature.template("", "", c.Value), c.Second.template("", "", c.SecondValue)
	return first + ", and " + second, fill(first, c.Feature, c.Value) + ", and " + fill(second, c.Second, c.SecondValue)
}
