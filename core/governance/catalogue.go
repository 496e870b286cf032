package governance

import (
	"unicode"

	"github.com/leadmesh/leadmesh/core/lead"
)

// catalogue finds brands and models by sense.
type catalogue struct {
	brands       map[string]string                 // folded code or make -> brand code
	makes        map[string]string                 // folded make -> make as written
	byMake       map[string]map[string]*modelEntry // folded make as written -> folded alias
	byName       map[string]*modelEntry            // folded alias; nil where two makes share it
	byCode       map[string]*modelEntry            // folded code
	wmi          map[string]string
	defaultBrand string
}

type modelEntry struct {
	code, make, name string
	powertrain       lead.Powertrain
}

// match is what the catalogue makes of a model text: the entry, and the words after its name.
type match struct {
	*modelEntry
	rest string
}

// find looks a model up under its make (in any spelling, "" for none). Of the words, the longest
// run from the front that is a name counts; year and make in front of it are passed over.
func (c *catalogue) find(vehicleMake, model string) (match, bool) {
	words := splitWords(model)
	brandMake, known := c.makes[lead.Fold(vehicleMake)]
	if len(words) == 0 || vehicleMake != "" && !known {
		return match{}, false
	}
	if m, ok := c.longest(brandMake, model, words); ok {
		return m, true
	}
	if len(words) > 1 && len(words[0].folded) == 4 && isYear(words[0].folded) {
		words = words[1:]
	}
	for n := min(2, len(words)-1); n > 0; n-- {
		if m, ok := c.makes[joined(words[:n])]; ok && (brandMake == "" || m == brandMake) {
			brandMake = m
			words = words[n:]
			break
		}
	}
	return c.longest(brandMake, model, words)
}

func (c *catalogue) longest(brandMake, model string, words []word) (match, bool) {
	names := c.byName
	if brandMake != "" {
		names = c.byMake[lead.Fold(brandMake)]
	}
	for n := len(words); n > 0; n-- {
		e := names[joined(words[:n])]
		if e == nil {
			continue
		}
		m := match{modelEntry: e}
		if n < len(words) {
			m.rest = model[words[n].start:]
		}
		return m, true
	}
	return match{}, false
}

// powertrainWord reads a powertrain from the words after a model's name ("Kona Electric").
func powertrainWord(rest string) lead.Powertrain {
	for _, w := range splitWords(rest) {
		switch w.folded {
		case "electric", "ev", "bev", "elektro", "electrique", "electrico":
			return lead.PowertrainElectric
		case "phev", "plug", "plugin":
			return lead.PowertrainPluginHybrid
		case "hybrid", "hev", "hybride", "hibrido":
			return lead.PowertrainHybrid
		case "fcev", "hydrogen":
			return lead.PowertrainHydrogen
		}
	}
	return lead.PowertrainUnspecified
}

// word is a word of a text in folded form and where it starts.
type word struct {
	folded string
	start  int
}

// splitWords cuts a text at everything that is no letter, mark or digit.
func splitWords(s string) []word {
	var out []word
	start := -1
	for i, r := range s {
		in := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		if in && start < 0 {
			start = i
		} else if !in && start >= 0 {
			out = append(out, word{lead.Fold(s[start:i]), start})
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, word{lead.Fold(s[start:]), start})
	}
	return out
}

func joined(words []word) string {
	if len(words) == 1 {
		return words[0].folded
	}
	n := 0
	for _, w := range words {
		n += len(w.folded)
	}
	b := make([]byte, 0, n)
	for _, w := range words {
		b = append(b, w.folded...)
	}
	return string(b)
}

func isYear(s string) bool {
	return (s[:2] == "19" || s[:2] == "20") && s[2] >= '0' && s[2] <= '9' && s[3] >= '0' && s[3] <= '9'
}
