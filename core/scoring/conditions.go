package scoring

import (
	"math"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Asked is what one rule of a segment asks of a feature.
type Asked struct {
	Level string    // at which people belong to the segment by the rule; may be empty
	Words string    // such as "at most 90 days" or "BEV, PHEV"
	With  []Feature // what the rule asks of, too
}

// Asks returns what the rules of a segment ask of a feature, in their order; nil if none does.
func (m *Model) Asks(code lead.Segment, f Feature) []Asked {
	var out []Asked
	for i := range m.segments {
		s := &m.segments[i]
		if s.code != code {
			continue
		}
		for j, rule := range s.rules {
			var with []Feature
			var words []string
			for k := range rule {
				if rule[k].feature == f {
					words = append(words, rule[k].words())
				} else {
					with = append(with, rule[k].feature)
				}
			}
			if len(words) > 0 {
				out = append(out, Asked{Level: s.levels[j], Words: strings.Join(words, " and "), With: with})
			}
		}
	}
	return out
}

// words says what fulfils the condition.
func (c *condition) words() string {
	if c.set != 0 {
		var values []string
		for v := range int32(64) {
			if c.set>>uint(v)&1 != 0 {
				values = append(values, c.feature.Text(v))
			}
		}
		return strings.Join(values, ", ")
	}
	low, high := c.feature.Unit().Words(float64(c.min), ""), c.feature.Unit().Words(float64(c.max), "")
	switch {
	case c.min == Missing+1 && c.max == math.MaxInt32:
		return "any that is known"
	case c.min == Missing+1:
		return "at most " + high
	case c.max == math.MaxInt32:
		return "at least " + low
	}
	return low + " to " + high
}
