package card

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Words says of each bin which values it holds; leads says that the card is of features of leads, whose
// thresholds have units.
func (r *Row) Words(leads bool) []string {
	parts := make([]Part, len(r.Bins))
	for i := range r.Bins {
		parts[i] = r.Bins[i].Part()
	}
	return partWords(parts, r.Kind, wording(r.Feature, r.In, leads))
}

// Words says of each part which values it holds, as those of a row.
func (s *Side) Words(leads bool) []string {
	return partWords(s.Parts, s.Kind, wording(s.Feature, s.In, leads))
}

func partWords(parts []Part, kind frame.Kind, show func(float64) string) []string {
	out := make([]string, len(parts))
	before := ""
	for i := range parts {
		p := &parts[i]
		words := p.Values
		switch {
		case p.Below != nil && before == "":
			words = append(words, "below "+show(*p.Below))
		case p.Below != nil:
			words = append(words, before+" up to "+show(*p.Below))
		case p.Other && kind == frame.Number && before != "":
			words = append(words, before+" and more")
		case p.Other && kind == frame.Number:
			words = append(words, "any number")
		case p.Other:
			words = append(words[:len(words):len(words)], "all others")
		}
		if p.Missing {
			words = append(words[:len(words):len(words)], "not known")
		}
		if p.Below != nil {
			before = show(*p.Below)
		}
		out[i] = strings.Join(words, ", ")
	}
	return out
}
