package card

import (
	"maps"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// The thresholds that FromLine gives a card.
const (
	thresholdConsideration = "consideration"
	thresholdIntent        = "intent"
	thresholdReady         = "ready"
	thresholdTrigger       = "trigger"
)

// FromLine makes a card of a scorecard that an expert wrote for a line, given by its code. It gives
// the same points to the same facts: a frame holds a column for every feature, by its name, numbers
// in the feature's own unit. The stages and the trigger become thresholds; what a win is worth has
// no place in a card. A feature that is absent for want of consent has no place in a frame: score
// such leads by Line.
func FromLine(code string, l scoring.Line) (*Card, []Problem) {
	checked := l
	checked.Stages.ReadyBySegment = nil // the segments are defined elsewhere
	if _, problems := scoring.Compile(scoring.Definition{Lines: map[string]scoring.Line{code: checked}}); len(problems) > 0 {
		out := make([]Problem, len(problems))
		for i, p := range problems {
			out[i] = Problem{Path: p.Path, Message: p.Message}
		}
		return nil, out
	}
	c := &Card{Target: Target{Line: code}, Base: l.Base, BaseError: l.BaseError, Cap: cloneCap(l.Cap)}
	for _, k := range l.Calibration {
		knot := Knot{Points: k.Points, PPM: k.PPM, High: Certain}
		if k.Low != nil {
			knot.Low, knot.High = *k.Low, *k.High
		}
		c.Calibration = append(c.Calibration, knot)
	}
	for i := range l.Rows {
		c.Rows = append(c.Rows, fromRow(&l.Rows[i]))
	}
	for i := range l.Pairs {
		c.Pairs = append(c.Pairs, fromPair(&l.Pairs[i]))
	}
	for name, b := range l.Groups {
		if c.Groups == nil {
			c.Groups = map[string]Cap{}
		}
		c.Groups[name] = cloneCap(b)
	}
	s := &l.Stages
	c.Thresholds = []Threshold{{Name: thresholdConsideration, Points: s.Consideration}, {Name: thresholdIntent, Points: s.Intent}, {Name: thresholdReady, Points: s.Ready}}
	for _, segment := range slices.Sorted(maps.Keys(s.ReadyBySegment)) {
		c.Thresholds = append(c.Thresholds, Threshold{Name: thresholdReady, Segment: segment, Points: s.ReadyBySegment[segment]})
	}
	if l.Trigger != nil {
		c.Thresholds = append(c.Thresholds, Threshold{Name: thresholdTrigger, Points: *l.Trigger})
	}
	if problems := c.Check(); len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

func fromRow(r *scoring.Row) Row {
	f, _ := scoring.ParseFeature(r.Feature)
	out := Row{Feature: r.Feature, Kind: kindOfFeature(f), In: r.In, Group: f.Group().String(), Label: r.Label}
	scale, _ := f.Unit().Scale(r.In)
	rest := false
	for _, b := range r.Bins {
		p := fromPart(scoring.Part{Below: b.Below, Values: b.Values, Missing: b.Missing}, scale)
		rest = rest || p.Other
		out.Bins = append(out.Bins, Bin{
			Below: p.Below, Values: p.Values, Missing: p.Missing, Other: p.Other, Points: b.Points, Error: b.Error, Label: b.Label,
		})
	}
	if !rest {
		out.Bins = append(out.Bins, Bin{Other: true})
	}
	return out
}

func fromPair(p *scoring.Pair) Pair {
	out := Pair{First: fromSide(&p.First), Second: fromSide(&p.Second), Group: p.Group, Label: p.Label}
	for i := range out.First.Parts { // of which the one for the rest may be added
		cells := make([]Cell, len(out.Second.Parts))
		for j := range cells {
			if i < len(p.Points) && j < len(p.Points[i]) {
				cells[j].Points = p.Points[i][j]
				if len(p.Errors) > 0 {
					cells[j].Error = p.Errors[i][j]
				}
			}
		}
		out.Cells = append(out.Cells, cells)
	}
	return out
}

func fromSide(s *scoring.Side) Side {
	f, _ := scoring.ParseFeature(s.Feature)
	out := Side{Feature: s.Feature, Kind: kindOfFeature(f), In: s.In}
	scale, _ := f.Unit().Scale(s.In)
	rest := false
	for _, p := range s.Parts {
		x := fromPart(p, scale)
		rest = rest || x.Other
		out.Parts = append(out.Parts, x)
	}
	if !rest {
		out.Parts = append(out.Parts, Part{Other: true})
	}
	return out
}

// fromPart takes the threshold into the unit of cards; what names nothing is for the rest.
func fromPart(p scoring.Part, scale int64) Part {
	out := Part{Values: slices.Clone(p.Values), Missing: p.Missing, Other: p.Below == nil && p.Values == nil && !p.Missing}
	if p.Below != nil {
		below := float64(*p.Below * scale)
		out.Below = &below
	}
	return out
}

func kindOfFeature(f scoring.Feature) frame.Kind {
	if f.Unit() == scoring.UnitCategory {
		return frame.Category
	}
	return frame.Number
}
