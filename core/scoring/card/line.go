package card

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Line writes a card over features of leads as the scorecard of a line: its points table, without
// stages, trigger and value, which are the playbook's. With any problem there is no scorecard: a
// feature that leads do not have, such as any of a person's age or sex, or a group that is not the
// feature's own. A pair without a group counts into none, here and there.
func (c *Card) Line() (scoring.Line, []Problem) {
	var k checker
	if problems := c.Check(); len(problems) > 0 {
		return scoring.Line{}, problems
	}
	l := scoring.Line{Base: c.Base, BaseError: c.BaseError, Cap: cloneCap(c.Cap)}
	if c.Learned != nil {
		l.PriorLeads = int32(min(max(c.Learned.PriorRows, 0), scoring.MaxPriorLeads))
	}
	for i := range c.Rows {
		l.Rows = append(l.Rows, k.leadRow(fmt.Sprintf("rows[%d]", i), &c.Rows[i]))
	}
	for i := range c.Pairs {
		l.Pairs = append(l.Pairs, k.leadPair(fmt.Sprintf("pairs[%d]", i), &c.Pairs[i]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Groups)) {
		if _, ok := scoring.ParseGroup(name); !ok {
			k.group("groups." + name)
		}
		if l.Groups == nil {
			l.Groups = map[string]scoring.Cap{}
		}
		l.Groups[name] = cloneCap(c.Groups[name])
	}
	// A knot of which nothing is known says that the whole calibration is a guess.
	bounded := !slices.ContainsFunc(c.Calibration, func(n Knot) bool { return n.Low == 0 && n.High == Certain })
	for _, n := range c.Calibration {
		knot := scoring.Knot{Points: n.Points, PPM: n.PPM}
		if bounded {
			low, high := n.Low, n.High
			knot.Low, knot.High = &low, &high
		}
		l.Calibration = append(l.Calibration, knot)
	}
	if len(k.problems) > 0 {
		return scoring.Line{}, k.problems
	}
	return l, nil
}

// leadRow writes a row as one of a scorecard.
func (k *checker) leadRow(at string, r *Row) scoring.Row {
	out := scoring.Row{Feature: r.Feature, Label: r.Label}
	f, ok := k.leadFeature(at, r.Feature, r.Kind)
	if !ok {
		return out
	}
	if r.Group != "" && r.Group != f.Group().String() {
		k.add(at+".group", "of leads %s belongs to %s; write that or leave it out", r.Feature, f.Group())
	}
	all := make([]Part, len(r.Bins))
	for i := range r.Bins {
		all[i] = r.Bins[i].Part()
	}
	for _, p := range k.leadParts(at+".bins", f, all) {
		b := &r.Bins[p.from]
		out.Bins = append(out.Bins, scoring.Bin{Below: p.Below, Values: p.Values, Missing: p.Missing, Points: b.Points, Error: b.Error, Label: b.Label})
	}
	return out
}

// leadPair writes a pair as one of a scorecard.
func (k *checker) leadPair(at string, p *Pair) scoring.Pair {
	out := scoring.Pair{Group: p.Group, Label: p.Label}
	if _, ok := scoring.ParseGroup(p.Group); !ok && p.Group != "" {
		k.group(at + ".group")
	}
	var sides [2][]leadPart
	for i, side := range []*Side{&p.First, &p.Second} {
		where := at + []string{".first", ".second"}[i]
		to := []*scoring.Side{&out.First, &out.Second}[i]
		to.Feature = side.Feature
		if f, ok := k.leadFeature(where, side.Feature, side.Kind); ok {
			sides[i] = k.leadParts(where+".parts", f, side.Parts)
		}
		for _, part := range sides[i] {
			to.Parts = append(to.Parts, part.Part)
		}
	}
	known := false
	for _, a := range sides[0] {
		points, errors := make([]int32, len(sides[1])), make([]int32, len(sides[1]))
		for j, b := range sides[1] {
			cell := &p.Cells[a.from][b.from]
			points[j], errors[j] = cell.Points, cell.Error
			known = known || cell.Error != 0
		}
		out.Points, out.Errors = append(out.Points, points), append(out.Errors, errors)
	}
	if !known {
		out.Errors = nil
	}
	return out
}

// leadFeature finds a feature of leads; ok is false where there is none, which is noted.
func (k *checker) leadFeature(at, name string, kind frame.Kind) (f scoring.Feature, ok bool) {
	f, ok = scoring.ParseFeature(name)
	if !ok {
		meant := scoring.SuggestFeature(name)
		if meant == "" {
			meant = "; take one that a scorecard of the playbook uses"
		}
		k.add(at+".feature", "leads have no feature %q%s", name, meant)
		return f, false
	}
	if category := f.Unit() == scoring.UnitCategory; category != (kind == frame.Category) {
		kinds := map[bool]string{false: "number", true: "category"}
		k.add(at+".kind", "of leads %s is a %s", name, kinds[category])
		return f, false
	}
	return f, true
}

// group says that leads have no such group.
func (k *checker) group(at string) {
	k.add(at, "leads have no such group of features; there are %s, %s, %s and %s",
		scoring.GroupEngagement, scoring.GroupLifeCycle, scoring.GroupVehicleInterest, scoring.GroupValue)
}

// leadPart is a part of a scorecard and which one of the card it is from.
type leadPart struct {
	scoring.Part
	from int
}

// leadParts writes the parts of a feature of leads. Their facts are whole numbers, so some parts of a
// card hold none and are left out; a part that is for the rest and for what is missing becomes two.
func (k *checker) leadParts(at string, f scoring.Feature, parts []Part) (out []leadPart) {
	for i := range parts {
		b := &parts[i]
		where := fmt.Sprintf("%s[%d]", at, i)
		part := leadPart{scoring.Part{Values: slices.Clone(b.Values), Missing: b.Missing}, i}
		for _, v := range b.Values {
			if !slices.Contains(f.Values(), v) {
				k.add(where+".values", "%s has no value %q%s", f, v, lead.Suggest(v, f.Values()))
			}
		}
		if b.Below != nil {
			below := math.Ceil(*b.Below) // below 2.5 is below 3
			if below <= float64(scoring.Missing) || below > math.MaxInt32 {
				k.add(where+".below", "is out of the range of %s", f)
				continue
			}
			whole := int64(below)
			twice := slices.ContainsFunc(out, func(x leadPart) bool { return x.Below != nil && *x.Below == whole })
			switch {
			case !twice:
				part.Below = &whole
			case !b.Missing: // no whole number lies between the two
				continue
			}
		}
		if b.Other && b.Missing { // a scorecard says the two in two parts
			out = append(out, part)
			part.Missing = false
		}
		out = append(out, part)
	}
	return out
}

// ParseLine is Parse for a card that is to be the scorecard of a line: the mistakes that Line finds
// have their place in the text too.
func ParseLine(text []byte) (*Card, scoring.Line, []Problem) {
	c, places, problems := parse(text)
	if len(problems) > 0 {
		return nil, scoring.Line{}, problems
	}
	l, problems := c.Line()
	for i := range problems {
		at := places.At(problems[i].Path)
		problems[i].Line, problems[i].Column = at.Line, at.Column
	}
	if len(problems) > 0 {
		return nil, scoring.Line{}, problems
	}
	return c, l, nil
}
