package card

import (
	"math"
	"slices"
	"strconv"

	"github.com/leadmesh/leadmesh/core/scoring"
)

// AppendPoints appends hundredths of a point as people write them, without needless zeros: 1450
// is 14.5.
func AppendPoints(dst []byte, points int32) []byte {
	n := int64(points)
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	return appendDecimal(dst, n, 2)
}

// AppendShare appends parts per million as a percentage without needless zeros: 152500 is 15.25 %.
func AppendShare(dst []byte, ppm int32) []byte {
	n := int64(ppm)
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	return append(appendDecimal(dst, n, 4), " %"...)
}

// appendDecimal appends n, which is not negative, with its last places digits behind the point.
func appendDecimal(dst []byte, n int64, places int) []byte {
	one := int64(1)
	for range places {
		one *= 10
	}
	dst = strconv.AppendInt(dst, n/one, 10)
	if n%one == 0 {
		return dst
	}
	dst = append(dst, '.')
	for rest := n % one; rest != 0; rest %= one {
		one /= 10
		dst = append(dst, byte('0'+rest/one))
	}
	return dst
}

// Clone returns a copy that shares nothing with c.
func (c *Card) Clone() *Card {
	out := *c
	out.Missing = slices.Clone(c.Missing)
	out.Rows = slices.Clone(c.Rows)
	for i := range out.Rows {
		bins := slices.Clone(out.Rows[i].Bins)
		for j := range bins {
			bins[j].Below, bins[j].Values = clonePointer(bins[j].Below), slices.Clone(bins[j].Values)
		}
		out.Rows[i].Bins = bins
	}
	out.Pairs = slices.Clone(c.Pairs)
	for i := range out.Pairs {
		p := &out.Pairs[i]
		p.First.Parts, p.Second.Parts = cloneParts(p.First.Parts), cloneParts(p.Second.Parts)
		p.Cells = slices.Clone(p.Cells)
		for j := range p.Cells {
			p.Cells[j] = slices.Clone(p.Cells[j])
		}
	}
	if c.Groups != nil {
		out.Groups = make(map[string]Cap, len(c.Groups))
		for name, b := range c.Groups {
			out.Groups[name] = cloneCap(b)
		}
	}
	out.Cap = cloneCap(c.Cap)
	out.Calibration = slices.Clone(c.Calibration)
	out.Thresholds = slices.Clone(c.Thresholds)
	for i := range out.Thresholds {
		out.Thresholds[i].Capacity = clonePointer(out.Thresholds[i].Capacity)
	}
	if c.Learned != nil {
		l := *c.Learned
		l.Held, l.Overrides = slices.Clone(l.Held), slices.Clone(l.Overrides)
		out.Learned = &l
	}
	return &out
}

func cloneParts(parts []Part) []Part {
	out := slices.Clone(parts)
	for i := range out {
		out[i].Below, out[i].Values = clonePointer(out[i].Below), slices.Clone(out[i].Values)
	}
	return out
}

func cloneCap(b Cap) Cap { return Cap{Min: clonePointer(b.Min), Max: clonePointer(b.Max)} }

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Part returns which values the bin holds.
func (b *Bin) Part() Part {
	return Part{Below: b.Below, Values: b.Values, Missing: b.Missing, Other: b.Other}
}

// number writes a threshold as people do: plainly unless it is huge or tiny.
func number(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e15) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// wording returns how thresholds of a signal read. Those of a feature of leads have a unit: the one
// given, else the largest of which they are at least one.
func wording(feature, in string, leads bool) func(v float64) string {
	f, ok := scoring.ParseFeature(feature)
	if !ok || !leads {
		return number
	}
	return func(v float64) string { return f.Unit().Words(v, in) }
}

func monotoneName(m Monotone) string {
	switch m {
	case Rising:
		return "rising"
	case Falling:
		return "falling"
	}
	return ""
}
