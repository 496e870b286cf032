package card

import (
	"fmt"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// spans are parts of the values of one signal over which neither version changes its bin.
type spans struct {
	finder
	parts []span
}

type span struct {
	before, after int32 // bins; -1 for none
	text          string
	values        []string
}

func (s *span) words() string {
	if s.text != "" {
		return s.text
	}
	const few = 5
	var text []byte
	for i, v := range s.values[:min(few, len(s.values))] {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = append(text, v...)
	}
	if more := len(s.values) - few; more > 0 {
		text = fmt.Appendf(text, " and %d more", more)
	}
	return string(text)
}

// spansOf parts the values of a signal by the bins of both versions, either of which may be nil.
// leads says that signals are features of leads, whose thresholds have units.
func spansOf(a, b *finder, leads bool) *spans {
	of := a
	if b != nil {
		of = b
	}
	s := &spans{finder: finder{feature: of.feature, kind: of.kind, values: map[string]int32{}, rest: -1}}
	add := func(text string, bin func(f *finder) int32) int32 {
		p := span{before: -1, after: -1, text: text}
		if a != nil {
			p.before = bin(a)
		}
		if b != nil {
			p.after = bin(b)
		}
		s.parts = append(s.parts, p)
		return int32(len(s.parts) - 1)
	}
	show := wording(of.feature, "", leads)
	if of.kind == frame.Number {
		for _, f := range []*finder{a, b} {
			if f != nil {
				s.cuts = append(s.cuts, f.cuts...)
			}
		}
		slices.Sort(s.cuts)
		s.cuts = slices.Compact(s.cuts)
		for i := range len(s.cuts) + 1 {
			text, at := "any number", 0.0
			switch {
			case len(s.cuts) == 0:
			case i == 0:
				text, at = "below "+show(s.cuts[0]), math.Nextafter(s.cuts[0], math.Inf(-1))
			case i == len(s.cuts):
				text, at = show(s.cuts[i-1])+" and more", s.cuts[i-1]
			default:
				text, at = show(s.cuts[i-1])+" up to "+show(s.cuts[i]), s.cuts[i-1]
			}
			s.slots = append(s.slots, add(text, func(f *finder) int32 { return f.number(at) }))
		}
	} else {
		var values []string
		for _, f := range []*finder{a, b} {
			if f != nil {
				for v := range f.values {
					values = append(values, v)
				}
			}
		}
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			bin := add("", func(f *finder) int32 { return f.text(v) })
			// Values of the same bins are told in one go.
			for i := range s.parts[:bin] {
				if p := &s.parts[i]; p.before == s.parts[bin].before && p.after == s.parts[bin].after {
					s.parts, bin = s.parts[:bin], int32(i)
					break
				}
			}
			s.parts[bin].values = append(s.parts[bin].values, v)
			s.values[v] = bin
		}
		s.rest = add("all others", func(f *finder) int32 { return f.rest })
	}
	s.missing = add("not known", func(f *finder) int32 { return f.missing })
	return s
}
