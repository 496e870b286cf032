package card

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Parse reads a card from YAML as Marshal writes it and people edit it: points in whole points,
// chances in per cent. Every key must be known, nothing may stand twice. With any problem there is
// no card; the problems are all that could be found, in the order of the text.
func Parse(text []byte) (*Card, []Problem) {
	c, _, problems := parse(text)
	return c, problems
}

// parse is Parse that also answers where in the text each part stands.
func parse(text []byte) (*Card, *document.Places, []Problem) {
	var list document.List
	places := document.NewPlaces()
	d := &document.Document{Places: places, List: &list}
	o := d.Root(text, "")
	var problems []Problem
	c := &Card{}
	if o != nil {
		places.Whole = o.Place(o.Node)
		c.read(o)
		o.Close()
		for _, p := range c.Check() {
			if !places.Broken(p.Path) {
				at := places.At(p.Path)
				p.Line, p.Column = at.Line, at.Column
				problems = append(problems, p)
			}
		}
	}
	for _, m := range list.Mistakes {
		problems = append(problems, Problem{Line: m.Line, Column: m.Column, Message: m.Message})
	}
	if len(problems) == 0 {
		return c, places, nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return nil, nil, problems
}

func (c *Card) read(o *document.Object) {
	if t := o.NeedChild("target"); t != nil {
		c.Target = Target{Line: t.Text("line"), Column: t.Text("column"), Positive: t.Text("positive"), Segments: t.Text("segments")}
		t.Close()
	}
	c.Missing = o.Words("missing")
	c.Base = document.NeedValue(o, "base", document.Points)
	c.BaseError, _ = document.Value(o, "base_error", document.Points)
	o.Need("calibration")
	o.Objects("calibration", func(k *document.Object) {
		knot := Knot{Points: document.NeedValue(k, "points", document.Score), PPM: document.NeedValue(k, "chance", document.Share), High: Certain}
		knot.Low, _ = document.Value(k, "low", document.Share)
		if high, ok := document.Value(k, "high", document.Share); ok {
			knot.High = high
		}
		c.Calibration = append(c.Calibration, knot)
	})
	o.Objects("thresholds", func(t *document.Object) { c.Thresholds = append(c.Thresholds, readThreshold(t)) })
	c.Cap = readCap(o.Child("cap"))
	if groups := o.Child("groups"); groups != nil {
		c.Groups = map[string]Cap{}
		groups.Keys(func(name string, v *yaml.Node) {
			c.Groups[name] = readCap(groups.Object(v, document.Join(groups.Path, name)))
		})
	}
	o.Objects("rows", func(r *document.Object) { c.Rows = append(c.Rows, readRow(r)) })
	o.Objects("pairs", func(p *document.Object) { c.Pairs = append(c.Pairs, readPair(p)) })
	if l := o.Child("learned"); l != nil {
		c.Learned = readLearned(l)
		l.Close()
	}
}

func readThreshold(o *document.Object) Threshold {
	t := Threshold{Name: o.NeedText("name"), Segment: o.Text("segment"), Points: document.NeedValue(o, "points", document.Score)}
	t.Precision, _ = document.Value(o, "precision", document.Share)
	take, some := document.Value(o, "take", document.Whole)
	of, all := document.Value(o, "of", document.Whole)
	if some || all {
		t.Capacity = &Capacity{Take: take, Of: of}
	}
	return t
}

func readCap(o *document.Object) Cap {
	if o == nil {
		return Cap{}
	}
	defer o.Close()
	return Cap{Min: document.Optional(o, "min", document.Points), Max: document.Optional(o, "max", document.Points)}
}

func readRow(o *document.Object) Row {
	r := Row{Feature: o.NeedText("feature"), In: o.Text("in"), Group: o.Text("group"), Label: o.Text("label")}
	kind, _ := document.Value(o, "kind", parseKind)
	r.Monotone, _ = document.Value(o, "monotone", parseMonotone)
	scale := scaleOf(r.Feature, r.In)
	o.Need("bins")
	o.Objects("bins", func(x *document.Object) {
		part := readPart(x, scale)
		b := Bin{Below: part.Below, Values: part.Values, Missing: part.Missing, Other: part.Other,
			Points: document.NeedValue(x, "points", document.Points), Label: x.Text("label")}
		b.Error, _ = document.Value(x, "error", document.Points)
		b.Count, _ = document.Value(x, "rows", document.Whole)
		r.Bins = append(r.Bins, b)
	})
	parts := make([]Part, len(r.Bins))
	for i := range r.Bins {
		parts[i] = r.Bins[i].Part()
	}
	r.Kind = kindOf(o, kind, parts)
	return r
}

func readPart(o *document.Object, scale float64) Part {
	p := Part{Below: document.Optional(o, "below", parseNumber), Values: o.Words("values")}
	if p.Below != nil {
		*p.Below *= scale
	}
	p.Missing, _ = document.Value(o, "missing", document.Switch)
	p.Other, _ = document.Value(o, "else", document.Switch)
	return p
}

// kindOf returns the kind that is given or, without one, that the bins show.
func kindOf(o *document.Object, given frame.Kind, parts []Part) frame.Kind {
	if given != 0 || o.Given("kind") != nil {
		return given
	}
	o.Places.Failed[o.At("kind")] = true
	for _, p := range parts {
		if p.Below != nil {
			return frame.Number
		}
		if len(p.Values) > 0 {
			return frame.Category
		}
	}
	o.Bad(o.Node, "kind is missing; give number or category")
	return 0
}

func readPair(o *document.Object) Pair {
	p := Pair{Group: o.Text("group"), Label: o.Text("label")}
	if s := o.NeedChild("first"); s != nil {
		p.First = readSide(s)
		s.Close()
	}
	if s := o.NeedChild("second"); s != nil {
		p.Second = readSide(s)
		s.Close()
	}
	o.Need("points")
	for _, points := range document.Grid(o, "points", document.Points) {
		cells := make([]Cell, len(points))
		for i, v := range points {
			cells[i].Points = v
		}
		p.Cells = append(p.Cells, cells)
	}
	readGrid(o, "error", &p, document.Points, func(c *Cell, v int32) { c.Error = v })
	readGrid(o, "rows", &p, document.Whole, func(c *Cell, v int64) { c.Count = v })
	return p
}

func readSide(o *document.Object) Side {
	s := Side{Feature: o.NeedText("feature"), In: o.Text("in")}
	kind, _ := document.Value(o, "kind", parseKind)
	scale := scaleOf(s.Feature, s.In)
	o.Need("parts")
	o.Objects("parts", func(x *document.Object) { s.Parts = append(s.Parts, readPart(x, scale)) })
	s.Kind = kindOf(o, kind, s.Parts)
	return s
}

// readGrid reads a list of lists of numbers into the cells of a pair, of which there are as many.
func readGrid[T any](o *document.Object, key string, p *Pair, parse func(string) (T, error), set func(*Cell, T)) {
	grid := document.Grid(o, key, parse)
	if v := o.Given(key); v != nil && !slices.EqualFunc(grid, p.Cells, func(line []T, cells []Cell) bool { return len(line) == len(cells) }) {
		o.Bad(v, "%s: must have as many lines and numbers in them as points", key)
		return
	}
	for i, line := range grid {
		for j, v := range line {
			set(&p.Cells[i][j], v)
		}
	}
}

func readLearned(o *document.Object) *Learned {
	l := &Learned{From: o.Text("from"), To: o.Text("to"), Prior: o.Text("prior")}
	l.Rows = document.NeedValue(o, "rows", document.Whole)
	l.Positives = document.NeedValue(o, "wins", document.Whole)
	l.PriorRows, _ = document.Value(o, "prior_rows", document.Whole)
	l.Seed, _ = document.Value(o, "seed", parseSeed)
	if s := o.Child("split"); s != nil {
		l.Split = Split{Column: s.Text("column"), At: s.Text("at")}
		l.Split.Learn, _ = document.Value(s, "learn", document.Whole)
		l.Split.Tune, _ = document.Value(s, "tune", document.Whole)
		l.Split.Unseen, _ = document.Value(s, "unseen", document.Whole)
		s.Close()
	}
	readFigures(o, "unseen", &l.Unseen)
	readFigures(o, "without_denied", &l.Without)
	o.Objects("groups", func(x *document.Object) {
		g := Group{By: x.NeedText("by"), Value: x.Text("value")}
		g.Others, _ = document.Value(x, "others", document.Whole)
		g.Rows = document.NeedValue(x, "rows", document.Whole)
		g.Positives = document.NeedValue(x, "wins", document.Whole)
		for _, f := range g.figures() {
			*f.value = document.NeedValue(x, f.name, parseNumber)
		}
		l.Groups = append(l.Groups, g)
	})
	o.Objects("held", func(h *document.Object) {
		l.Held = append(l.Held, Held{Column: h.NeedText("column"), Why: h.NeedText("why")})
	})
	o.Objects("overrides", func(v *document.Object) {
		l.Overrides = append(l.Overrides, Override{Column: v.NeedText("column"), Reason: v.NeedText("reason")})
	})
	return l
}

func readFigures(o *document.Object, key string, into *Figures) {
	u := o.Child(key)
	if u == nil {
		return
	}
	into.Rows, _ = document.Value(u, "rows", document.Whole)
	into.Positives, _ = document.Value(u, "wins", document.Whole)
	for _, f := range figures(into) {
		*f.value, _ = document.Value(u, f.name, parseNumber)
	}
	u.Close()
}

// scaleOf returns how many of a feature's own unit make one of the unit it is written in; 1 where
// Check refuses the unit.
func scaleOf(feature, in string) float64 {
	if f, ok := scoring.ParseFeature(feature); ok {
		if n, ok := f.Unit().Scale(in); ok {
			return float64(n)
		}
	}
	return 1
}

func parseKind(s string) (frame.Kind, error) {
	for _, k := range []frame.Kind{frame.Number, frame.Category} {
		if s == k.String() {
			return k, nil
		}
	}
	return 0, fmt.Errorf("must be number or category, is %q", s)
}

func parseMonotone(s string) (Monotone, error) {
	for _, m := range []Monotone{Rising, Falling} {
		if s == monotoneName(m) {
			return m, nil
		}
	}
	return 0, fmt.Errorf("must be rising, falling or left out, is %q", s)
}

func parseNumber(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimPrefix(s, "+"), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || strings.ContainsAny(s, "xXpP_") {
		return 0, fmt.Errorf("must be a number such as 60 or 0.5, is %q", s)
	}
	return v, nil
}

func parseSeed(s string) (uint64, error) {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, errors.New("must be a whole number that is not negative")
	}
	return v, nil
}
