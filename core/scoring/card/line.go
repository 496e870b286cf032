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
// feature that leads do not have, such as any of a person's age or sex, a group that is not the
// feature's own, and pairs, for which a scorecard has no room.
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
	if len(c.Pairs) > 0 {
		k.add("pairs", "a scorecard of leads has no pairs; learn the card without them")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Groups)) {
		if _, ok := scoring.ParseGroup(name); !ok {
			k.add("groups."+name, "leads have no such group of features; there are %s, %s, %s and %s",
				scoring.GroupEngagement, scoring.GroupLifeCycle, scoring.GroupVehicleInterest, scoring.GroupValue)
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
	f, ok := scoring.ParseFeature(r.Feature)
	if !ok {
		names := make([]string, 0, scoring.NumFeatures)
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			names = append(names, f.String())
		}
		meant := lead.Suggest(r.Feature, names)
		if meant == "" {
			meant = "; take one that a scorecard of the playbook uses"
		}
		k.add(at+".feature", "leads have no feature %q%s", r.Feature, meant)
		return out
	}
	if category := f.Unit() == scoring.UnitCategory; category != (r.Kind == frame.Category) {
		kinds := map[bool]string{false: "number", true: "category"}
		k.add(at+".kind", "of leads %s is a %s", r.Feature, kinds[category])
		return out
	}
	if r.Group != "" && r.Group != f.Group().String() {
		k.add(at+".group", "of leads %s belongs to %s; write that or leave it out", r.Feature, f.Group())
	}
	for i := range r.Bins {
		b := &r.Bins[i]
		where := fmt.Sprintf("%s.bins[%d]", at, i)
		bin := scoring.Bin{Values: slices.Clone(b.Values), Missing: b.Missing, Points: b.Points, Error: b.Error, Label: b.Label}
		for _, v := range b.Values {
			if !slices.Contains(f.Values(), v) {
				k.add(where+".values", "%s has no value %q%s", r.Feature, v, lead.Suggest(v, f.Values()))
			}
		}
		if b.Below != nil {
			// Features of leads are whole numbers: below 2.5 is below 3.
			below := math.Ceil(*b.Below)
			if below <= float64(scoring.Missing) || below > math.MaxInt32 {
				k.add(where+".below", "is out of the range of %s", r.Feature)
				continue
			}
			whole := int64(below)
			twice := slices.ContainsFunc(out.Bins, func(x scoring.Bin) bool { return x.Below != nil && *x.Below == whole })
			switch {
			case !twice:
				bin.Below = &whole
			case !b.Missing: // no whole number lies between the two
				continue
			}
		}
		if b.Other && b.Missing { // a scorecard says the two in two bins
			out.Bins = append(out.Bins, bin)
			bin.Missing = false
		}
		out.Bins = append(out.Bins, bin)
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
