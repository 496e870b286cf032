package scoring

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// MaxPriorLeads is the most leads that a calibration may be taken to be worth.
const MaxPriorLeads = 1_000_000

// MaxPoints is 100.00 points, the most a line can have.
const MaxPoints = 10000

const (
	maxPPM      = 1_000_000
	maxRowPoint = 100_000 // of one bin or base: ten times MaxPoints, so that no sum overflows
	maxCuts     = 250     // bins a feature may have over all lines; a bin number is a byte
	maxValue    = 1 << 40 // minor units: value times probability stays within 64 bits
	maxRules    = 100     // per segment; the number of a rule is a byte
)

// checker collects every mistake of a definition.
type checker struct {
	problems []Problem
}

func (c *checker) add(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) definition(d *Definition) {
	if len(d.Lines) == 0 {
		c.add("lines", "there is no scorecard")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Lines)) {
		path := "lines." + name
		if _, ok := lead.ParseLine(name); !ok {
			c.add(path, "no line of this name%s", lead.Suggest(name, lead.Codes("line")))
		}
		line := d.Lines[name]
		c.line(path, &line, d)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Segments)) {
		path := "segments." + name
		if _, ok := lead.ParseSegment(name); !ok {
			c.add(path, "no segment of this name%s", lead.Suggest(name, lead.Codes("segment")))
		}
		segment := d.Segments[name]
		c.segment(path, &segment, d)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Indices)) {
		path := "indices." + name
		code, ok := lead.ParseIndex(name)
		if !ok {
			c.add(path, "no index of this name%s", lead.Suggest(name, lead.Codes("index")))
		}
		x := d.Indices[name]
		c.index(path, code, &x)
	}
}

func (c *checker) line(path string, l *Line, d *Definition) {
	c.table(path, l.Base, l.Rows, l.Groups, l.Cap)
	c.pairs(path+".pairs", l.Pairs)
	c.calibration(path+".calibration", l.Calibration)
	if l.PriorLeads < 0 || l.PriorLeads > MaxPriorLeads {
		c.add(path+".prior_leads", "must be 1..%d, is %d", MaxPriorLeads, l.PriorLeads)
	}
	c.error(path+".base_error", l.BaseError)
	c.stages(path+".stages", &l.Stages, d)
	if l.Trigger != nil && (*l.Trigger < 0 || *l.Trigger > MaxPoints) {
		c.add(path+".trigger", "must be 0..%d, is %d", MaxPoints, *l.Trigger)
	}
	c.value(path+".value", l.Value)
}

// table checks what lines and indices have in common.
func (c *checker) table(path string, base int32, rows []Row, groups map[string]Cap, whole Cap) {
	c.points(path+".base", base)
	var seen [NumFeatures]bool
	for i := range rows {
		c.row(fmt.Sprintf("%s.rows[%d]", path, i), &rows[i], &seen)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		at := path + ".groups." + name
		if _, ok := ParseGroup(name); !ok {
			c.add(at, "no group of this name%s", lead.Suggest(name, groupNames[GroupEngagement:]))
		}
		c.cap(at, groups[name])
	}
	c.cap(path+".cap", whole)
}

func (c *checker) row(path string, r *Row, seen *[NumFeatures]bool) {
	f, ok := ParseFeature(r.Feature)
	if !ok {
		c.add(path+".feature", "no feature named %q%s", r.Feature, SuggestFeature(r.Feature))
		return
	}
	if seen[f] {
		c.add(path+".feature", "%s has a row already", r.Feature)
	}
	seen[f] = true
	scale := c.scale(path+".in", f, r.In)
	if len(r.Bins) == 0 {
		c.add(path+".bins", "there are none")
	}
	c.bins(path+".bins", f, scale, r.Bins)
}

// bins checks the bins of a row, or the parts of a side of a pair, which follow the same rules.
func (c *checker) bins(path string, f Feature, scale int64, bins []Bin) {
	var values []string
	missing, rest := false, false
	last := int64(math.MinInt64)
	for i := range bins {
		b := &bins[i]
		at := fmt.Sprintf("%s[%d]", path, i)
		c.points(at+".points", b.Points)
		c.error(at+".error", b.Error)
		if b.Missing {
			if missing {
				c.add(at+".missing", "a bin before it takes the missing already")
			}
			missing = true
		}
		switch {
		case b.Below != nil && b.Values != nil:
			c.add(at, "has both below and values")
		case b.Below != nil:
			switch {
			case f.Unit() == UnitCategory:
				c.add(at+".below", "%s is a category; name its values", f)
			case rest:
				c.add(at+".below", "stands after the bin for the rest")
			case *b.Below <= last:
				c.add(at+".below", "%d is not above the threshold before it", *b.Below)
			case !fits(*b.Below, scale):
				c.add(at+".below", "%d is out of range", *b.Below)
			}
			last = max(last, *b.Below)
		case b.Values != nil:
			values = c.values(at+".values", f, b.Values, values)
		case !b.Missing:
			if rest {
				c.add(at, "there is a bin for the rest already")
			}
			rest = true
		}
	}
}

// values checks the values of one bin against those of the bins before it and returns them all.
func (c *checker) values(path string, f Feature, values, before []string) []string {
	if f.Unit() != UnitCategory {
		c.add(path, "%s is a number; give a threshold", f)
		return before
	}
	for i, v := range values {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, ok := f.Code(v); !ok {
			c.add(at, "%s has no value %q%s", f, v, lead.Suggest(v, f.Values()))
		}
		if slices.Contains(before, v) {
			c.add(at, "%q has points already", v)
		}
		before = append(before, v)
	}
	return before
}

// SuggestFeature ends a message about a feature that there is not, as lead.Suggest does.
func SuggestFeature(name string) string {
	names := make([]string, 0, NumFeatures)
	for f := FeatureNone + 1; f < NumFeatures; f++ {
		names = append(names, f.String())
	}
	return lead.Suggest(name, names)
}

func (c *checker) segment(path string, s *Segment, d *Definition) {
	if _, ok := d.Lines[s.Line]; !ok {
		c.add(path+".line", "%q has no scorecard", s.Line)
	}
	c.value(path+".value", s.Value)
	if len(s.Rules) == 0 || len(s.Rules) > maxRules {
		c.add(path+".rules", "must be 1..%d, are %d", maxRules, len(s.Rules))
	}
	for i := range s.Rules {
		at := fmt.Sprintf("%s.rules[%d]", path, i)
		if len(s.Rules[i].All) == 0 {
			c.add(at+".all", "there are no conditions")
		}
		for j := range s.Rules[i].All {
			c.condition(fmt.Sprintf("%s.all[%d]", at, j), &s.Rules[i].All[j])
		}
	}
}

func (c *checker) condition(path string, cond *Condition) {
	f, ok := ParseFeature(cond.Feature)
	if !ok {
		c.add(path+".feature", "no feature named %q%s", cond.Feature, SuggestFeature(cond.Feature))
		return
	}
	scale := c.scale(path+".in", f, cond.In)
	if f.Unit() == UnitCategory {
		if cond.Min != nil || cond.Max != nil {
			c.add(path, "%s is a category; name its values", f)
		}
		if len(cond.Values) == 0 {
			c.add(path+".values", "there are none")
		}
		c.values(path+".values", f, cond.Values, nil)
		return
	}
	if cond.Values != nil {
		c.add(path+".values", "%s is a number; give min or max", f)
	}
	if cond.Min == nil && cond.Max == nil {
		c.add(path, "has neither min nor max")
	}
	if cond.Min != nil && !fits(*cond.Min, scale) {
		c.add(path+".min", "%d is out of range", *cond.Min)
	}
	if cond.Max != nil && !fits(*cond.Max, scale) {
		c.add(path+".max", "%d is out of range", *cond.Max)
	}
	if cond.Min != nil && cond.Max != nil && *cond.Min > *cond.Max {
		c.add(path, "min is above max")
	}
}

func (c *checker) calibration(path string, knots []Knot) {
	if len(knots) == 0 {
		c.add(path, "there are no knots")
	}
	for i, k := range knots {
		at := fmt.Sprintf("%s[%d]", path, i)
		if k.Points < 0 || k.Points > MaxPoints {
			c.add(at+".points", "must be 0..%d, is %d", MaxPoints, k.Points)
		}
		if k.PPM < 0 || k.PPM > maxPPM {
			c.add(at+".ppm", "must be 0..%d, is %d", maxPPM, k.PPM)
		}
		if i > 0 && k.Points <= knots[i-1].Points {
			c.add(at+".points", "is not above the knot before it")
		}
		if i > 0 && k.PPM < knots[i-1].PPM {
			c.add(at+".ppm", "is below the knot before it: more points must not mean less chance")
		}
		c.knotBounds(at, &k, knots[0].Low != nil)
	}
}

// knotBounds checks those of a knot; given says whether the first one has them.
func (c *checker) knotBounds(at string, k *Knot, given bool) {
	switch {
	case (k.Low == nil) != (k.High == nil):
		c.add(at, "has one bound only; give low and high, or neither")
	case (k.Low != nil) != given:
		c.add(at, "give low and high at every knot, or at none")
	case k.Low == nil:
	case *k.Low < 0 || *k.Low > k.PPM:
		c.add(at+".low", "must be from nothing up to the chance")
	case *k.High < k.PPM || *k.High > maxPPM:
		c.add(at+".high", "must be from the chance up to all")
	}
}

// error checks a standard error.
func (c *checker) error(path string, e int32) {
	if e < 0 || e > maxRowPoint {
		c.add(path, "must be 0..%d, is %d", maxRowPoint, e)
	}
}

func (c *checker) stages(path string, s *Stages, d *Definition) {
	if s.Consideration < 0 || s.Consideration > s.Intent || s.Intent > s.Ready || s.Ready > MaxPoints {
		c.add(path, "consideration, intent and ready must rise within 0..%d", MaxPoints)
	}
	for _, name := range slices.Sorted(maps.Keys(s.ReadyBySegment)) {
		at := path + ".ready_by_segment." + name
		if _, ok := d.Segments[name]; !ok {
			c.add(at, "no such segment is defined")
		}
		if v := s.ReadyBySegment[name]; v < 0 || v > MaxPoints {
			c.add(at, "must be 0..%d, is %d", MaxPoints, v)
		}
	}
}

func (c *checker) cap(path string, b Cap) {
	if b.Min != nil {
		c.points(path+".min", *b.Min)
	}
	if b.Max != nil {
		c.points(path+".max", *b.Max)
	}
	if b.Min != nil && b.Max != nil && *b.Min > *b.Max {
		c.add(path, "min is above max")
	}
}

func (c *checker) points(path string, p int32) {
	if p < -maxRowPoint || p > maxRowPoint {
		c.add(path, "must be %d..%d, is %d", -maxRowPoint, maxRowPoint, p)
	}
}

func (c *checker) value(path string, v int64) {
	if v < 0 || v > maxValue {
		c.add(path, "must be 0..%d, is %d", int64(maxValue), v)
	}
}

func (c *checker) scale(path string, f Feature, in string) int64 {
	scale, ok := f.Unit().Scale(in)
	if !ok {
		c.add(path, "%s is in %s and has no unit %q", f, f.Unit(), in)
		return 1
	}
	return scale
}

// fits reports whether a threshold lies in the range of values.
func fits(v, scale int64) bool {
	return v >= -math.MaxInt32/scale && v <= math.MaxInt32/scale && v*scale > int64(Missing)
}
