package card

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Lines words a change, one line for each part of it; none where nothing changes.
func (c *Change) Lines() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, f := range c.Fields {
		switch {
		case f.Before == "":
			add("%s: %s (new)", f.Name, f.After)
		case f.After == "":
			add("%s: %s (gone)", f.Name, f.Before)
		default:
			add("%s: %s -> %s", f.Name, f.Before, f.After)
		}
	}
	for _, p := range c.Points {
		var notes []string
		switch {
		case p.New:
			notes = append(notes, "new")
		case p.Gone:
			notes = append(notes, "gone")
		}
		if c.Moves != nil {
			notes = append(notes, counted(p.Rows))
		}
		note := ""
		if len(notes) > 0 {
			note = " (" + strings.Join(notes, ", ") + ")"
		}
		add("%s: %s -> %s%s", p.Name, signed(p.Before), signed(p.After), note)
	}
	m := c.Moves
	if m == nil {
		return out
	}
	if m.Changed == 0 {
		if len(out) > 0 {
			add("%s: no score changes", counted(m.Rows))
		}
		return out
	}
	add("%s, of which %d change: %+.2f points on average, %.2f without sign; chance %+.2f percentage points on average",
		counted(m.Rows), m.Changed, m.Mean/100, m.Either/100, m.MeanPPM/10_000)
	for i := range m.Crossings {
		x := &m.Crossings[i]
		if x.In == 0 && x.Out == 0 && x.Before == x.After {
			continue
		}
		name := x.Name
		if x.Segment != "" {
			name += " of " + x.Segment
		}
		at := "from " + threshold(x.After)
		if x.Before != x.After {
			at = "from " + threshold(x.Before) + " -> " + threshold(x.After)
		}
		add("%s, %s: %d of %s before, %d after; %d come in, %d go out", name, at, x.AboveBefore, counted(x.Rows), x.AboveAfter, x.In, x.Out)
	}
	for i := range m.Largest {
		x := &m.Largest[i]
		s := fmt.Sprintf("row %d: %s -> %s points, chance %s -> %s", x.Row+1, points(x.Before.Points), points(x.After.Points), share(roughly(x.Before.PPM)), share(roughly(x.After.PPM)))
		if x.Why != "" {
			s += "; most by " + x.Why
		}
		out = append(out, s)
	}
	return out
}

func counted(rows int) string {
	if rows == 1 {
		return "1 row"
	}
	return strconv.Itoa(rows) + " rows"
}

func threshold(p int32) string {
	if p < 0 {
		return "none"
	}
	return points(p) + " points"
}

func signed(p int32) string {
	if p > 0 {
		return "+" + points(p)
	}
	return points(p)
}

// fieldChanges compares what stands beside rows and pairs.
func fieldChanges(a, b *Card) []FieldChange {
	x, y := a.fields(), b.fields()
	var out []FieldChange
	was := map[string]string{}
	for _, f := range x {
		was[f.Name] = f.Before
	}
	for _, f := range y {
		if before := was[f.Name]; before != f.Before {
			out = append(out, FieldChange{f.Name, before, f.Before})
		}
		delete(was, f.Name)
	}
	for _, f := range x {
		if before, left := was[f.Name]; left {
			out = append(out, FieldChange{f.Name, before, ""})
		}
	}
	return out
}

// fields lists them with their values as Before.
func (c *Card) fields() []FieldChange {
	var out []FieldChange
	add := func(name, value string) { out = append(out, FieldChange{Name: name, Before: value}) }
	t := &c.Target
	for _, f := range [][2]string{{"target line", t.Line}, {"target column", t.Column}, {"target positive", t.Positive}, {"segments", t.Segments}} {
		if f[1] != "" {
			add(f[0], f[1])
		}
	}
	if len(c.Missing) > 0 {
		add("missing", strings.Join(c.Missing, ", "))
	}
	add("base", points(c.Base))
	if c.Cap != (Cap{}) {
		add("limit of the card", limit(c.Cap))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Groups)) {
		add("limit of "+name, limit(c.Groups[name]))
	}
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Group != "" {
			add("group of "+r.Feature, r.Group)
		}
	}
	for i := range c.Pairs {
		if p := &c.Pairs[i]; p.Group != "" {
			add("group of "+p.First.Feature+" with "+p.Second.Feature, p.Group)
		}
	}
	knots := make([]string, len(c.Calibration))
	for i, k := range c.Calibration {
		knots[i] = points(k.Points) + " is " + share(k.PPM)
	}
	add("calibration", strings.Join(knots, ", "))
	for i := range c.Thresholds {
		t := &c.Thresholds[i]
		name := "threshold " + t.Name
		if t.Segment != "" {
			name += " of " + t.Segment
		}
		add(name, points(t.Points))
	}
	return out
}

// mostKnots is how many knots of a calibration people still read.
const mostKnots = 8

// calibration tells calibrations of many knots by their chances at some points, unless these are the
// same.
func (d *differ) calibration(c *Change) {
	if max(len(d.before.card.Calibration), len(d.after.card.Calibration)) <= mostKnots {
		return
	}
	for i := range c.Fields {
		if f := &c.Fields[i]; f.Name == "calibration" {
			if before, after := d.before.chances(), d.after.chances(); before != after {
				f.Before, f.After = before, after
			}
		}
	}
}

// chances are those at some points.
func (s *Scorer) chances() string {
	var at []string
	for p := int32(10_00); p < MaxPoints; p += 20_00 {
		at = append(at, points(p)+" is "+share(roughly(s.chance[p].ppm)))
	}
	return strings.Join(at, ", ")
}

func limit(b Cap) string {
	var s []string
	if b.Min != nil {
		s = append(s, "at least "+points(*b.Min))
	}
	if b.Max != nil {
		s = append(s, "at most "+points(*b.Max))
	}
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ", ")
}

// roughly keeps two digits behind the point of a percentage.
func roughly(ppm int32) int32 { return (ppm + 50) / 100 * 100 }
