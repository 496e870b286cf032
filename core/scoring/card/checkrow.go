package card

import (
	"fmt"
	"math"

	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

func (k *checker) row(at string, r *Row, leads bool) {
	scale := k.feature(at, r.Feature, r.Kind, r.In, leads)
	k.text(at+".group", r.Group)
	k.text(at+".label", r.Label)
	if r.Monotone < Falling || r.Monotone > Rising {
		k.add(at+".monotone", "must be rising, falling or left out")
	}
	if r.Monotone != 0 && r.Kind == frame.Category {
		k.add(at+".monotone", "%s is a category, which has no order; leave it out", r.Feature)
	}
	if len(r.Bins) > maxBins {
		k.add(at+".bins", "there are %d, at most %d are read", len(r.Bins), maxBins)
		return
	}
	p := parts{checker: k, at: at + ".bins", feature: r.Feature, kind: r.Kind, scale: scale}
	var last *Bin
	for i := range r.Bins {
		b := &r.Bins[i]
		where := fmt.Sprintf("%s.bins[%d]", at, i)
		p.add(where, b.Part())
		k.points(where+".points", b.Points)
		k.error(where+".error", b.Error)
		k.text(where+".label", b.Label)
		if b.Count < 0 {
			k.add(where+".rows", "must not be negative, is %d", b.Count)
		}
		if r.Kind != frame.Number || b.Below == nil && !b.Other {
			continue
		}
		if last != nil && int64(r.Monotone)*int64(b.Points-last.Points) < 0 {
			k.add(where+".points", "%s is said to be %s and turns here; change the points or leave monotone out", r.Feature, monotoneName(r.Monotone))
		}
		last = b
	}
	p.done()
}

func (k *checker) pair(at string, p *Pair, before []Pair, leads bool) {
	if p.First.Feature == p.Second.Feature {
		k.add(at, "a pair needs two different features")
	}
	for i := range before {
		a, b := before[i].First.Feature, before[i].Second.Feature
		if a == p.First.Feature && b == p.Second.Feature || a == p.Second.Feature && b == p.First.Feature {
			k.add(at, "these two have a pair already; add its points to that one")
			break
		}
	}
	k.side(at+".first", &p.First, leads)
	k.side(at+".second", &p.Second, leads)
	k.text(at+".group", p.Group)
	k.text(at+".label", p.Label)
	if n := len(p.First.Parts) * len(p.Second.Parts); n > maxCells {
		k.add(at, "has %d cells, at most %d are read", n, maxCells)
		return
	}
	if len(p.Cells) != len(p.First.Parts) {
		k.add(at+".points", "must have one line for every part of the first feature, %d, has %d", len(p.First.Parts), len(p.Cells))
		return
	}
	for i, cells := range p.Cells {
		where := fmt.Sprintf("%s.points[%d]", at, i)
		if len(cells) != len(p.Second.Parts) {
			k.add(where, "must have one number for every part of the second feature, %d, has %d", len(p.Second.Parts), len(cells))
		}
		for j, c := range cells {
			k.points(fmt.Sprintf("%s[%d]", where, j), c.Points)
			k.error(fmt.Sprintf("%s.error[%d][%d]", at, i, j), c.Error)
			if c.Count < 0 {
				k.add(fmt.Sprintf("%s.rows[%d][%d]", at, i, j), "must not be negative, is %d", c.Count)
			}
		}
	}
}

func (k *checker) side(at string, s *Side, leads bool) {
	scale := k.feature(at, s.Feature, s.Kind, s.In, leads)
	if len(s.Parts) > maxCells {
		k.add(at+".parts", "there are %d, at most %d are read", len(s.Parts), maxCells)
		return
	}
	p := parts{checker: k, at: at + ".parts", feature: s.Feature, kind: s.Kind, scale: scale}
	for i, part := range s.Parts {
		p.add(fmt.Sprintf("%s.parts[%d]", at, i), part)
	}
	p.done()
}

// feature checks what a row and a side have in common and returns how many of the feature's own
// unit make one of that it is written in.
func (k *checker) feature(at, name string, kind frame.Kind, in string, leads bool) float64 {
	if name == "" {
		k.add(at+".feature", "a row needs the name of its feature")
	}
	k.text(at+".feature", name)
	if kind != frame.Number && kind != frame.Category {
		k.add(at+".kind", "must be number or category")
	}
	if in == "" {
		return 1
	}
	f, ok := scoring.ParseFeature(name)
	if !ok || !leads || kind != frame.Number {
		k.add(at+".in", "only numbers of leads have a unit; leave it out")
		return 1
	}
	scale, ok := f.Unit().Scale(in)
	if !ok {
		k.add(at+".in", "%s is in %s and has no unit %q", f, f.Unit(), in)
		return 1
	}
	return float64(scale)
}

// parts checks the bins of a row, or the parts of a side, one after the other.
type parts struct {
	*checker
	at            string
	feature       string
	kind          frame.Kind
	scale         float64 // of the unit it is written in
	last          float64
	any           bool // a Below came
	missing, rest bool
	values        map[string]bool
}

func (p *parts) add(at string, part Part) {
	if part.Below == nil && len(part.Values) == 0 && !part.Missing && !part.Other {
		p.checker.add(at, "whom is this for? give below, values, missing: yes or else: yes")
	}
	if part.Missing {
		if p.missing {
			p.checker.add(at+".missing", "what is missing has a bin already")
		}
		p.missing = true
	}
	if part.Other {
		switch {
		case p.rest:
			p.checker.add(at+".else", "there is a bin for the rest already")
		case part.Below != nil || len(part.Values) > 0:
			p.checker.add(at+".else", "else takes what is left and stands without below and values")
		}
		p.rest = true
	}
	if part.Below != nil {
		p.below(at+".below", *part.Below)
		if len(part.Values) > 0 {
			p.checker.add(at, "has both below and values; give one")
		}
	}
	if len(part.Values) > 0 && p.kind == frame.Number {
		p.checker.add(at+".values", "%s is a number; give below", p.feature)
		return
	}
	for i, v := range part.Values {
		where := fmt.Sprintf("%s.values[%d]", at, i)
		p.text(where, v)
		if v == "" {
			p.checker.add(where, "is empty; missing: yes is for what is not there")
		}
		if p.values == nil {
			p.values = map[string]bool{}
		}
		if p.values[v] {
			p.checker.add(where, "%q has points already", v)
		}
		p.values[v] = true
	}
}

func (p *parts) below(at string, v float64) {
	switch {
	case p.kind == frame.Category:
		p.checker.add(at, "%s is a category; name its values", p.feature)
	case math.IsNaN(v) || math.IsInf(v, 0):
		p.checker.add(at, "must be a number")
	case v/p.scale*p.scale != v:
		p.checker.add(at, "%s can not be written in the unit of the row; leave in out", number(v))
	case p.rest:
		p.checker.add(at, "stands after the bin for the rest; put that last")
	case p.any && v <= p.last:
		p.checker.add(at, "%s is not above the threshold before it; put the bins in ascending order", number(v))
	}
	if v > p.last || !p.any {
		p.last = v
	}
	p.any = true
}

func (p *parts) done() {
	if !p.rest {
		p.checker.add(p.at, "there is no bin for the rest; add one with else: yes")
	}
}
