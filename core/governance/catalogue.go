package governance

import (
	"fmt"
	"strings"
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
	if s == "" {
		return nil
	}
	out := make([]word, 0, 2+len(s)/6)
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

func (c *compiler) compileCatalogue(cat Catalogue) {
	k := catalogue{
		brands: map[string]string{}, makes: map[string]string{}, byMake: map[string]map[string]*modelEntry{},
		byName: map[string]*modelEntry{}, byCode: map[string]*modelEntry{}, wmi: map[string]string{}, defaultBrand: cat.DefaultBrand,
	}
	for i, b := range cat.Brands {
		path := fmt.Sprintf("catalogue.brands[%d]", i)
		if b.Code == "" || b.Code != strings.ToUpper(b.Code) || len(b.Makes) == 0 {
			c.fail(path, "a brand has a code in capitals and at least one make")
			continue
		}
		for j, name := range append([]string{b.Code}, b.Makes...) {
			key := lead.Fold(name)
			if other, twice := k.brands[key]; key == "" || twice && other != b.Code {
				c.fail(path, "%q is empty or another brand's", name)
				continue
			}
			k.brands[key] = b.Code
			if j > 0 || k.makes[key] == "" {
				k.makes[key] = b.Makes[0]
			}
		}
		k.byMake[lead.Fold(b.Makes[0])] = map[string]*modelEntry{}
	}
	if cat.DefaultBrand != "" && k.brands[lead.Fold(cat.DefaultBrand)] != cat.DefaultBrand {
		c.fail("catalogue.default_brand", "%q is no brand's code", cat.DefaultBrand)
	}
	for i, m := range cat.Models {
		c.compileModel(&k, fmt.Sprintf("catalogue.models[%d]", i), m)
	}
	for _, id := range sortedKeys(cat.WMI) {
		if len(id) < 2 || len(id) > 6 || id != strings.ToUpper(id) || cat.WMI[id] == "" {
			c.fail("catalogue.wmi", "%q is no world manufacturer identifier with a make", id)
		}
		k.wmi[id] = cat.WMI[id]
		if own, ok := k.makes[lead.Fold(cat.WMI[id])]; ok {
			k.wmi[id] = own
		}
	}
	c.g.catalogue = k
}

func (c *compiler) compileModel(k *catalogue, path string, m Model) {
	name, ok := k.makes[lead.Fold(m.Make)]
	if !ok {
		c.fail(path+".make", "%q is no brand's make", m.Make)
		return
	}
	if m.Code == "" || lead.Fold(m.Name) == "" {
		c.fail(path, "a model has a code and a name")
		return
	}
	e := &modelEntry{code: m.Code, make: name, name: m.Name, powertrain: code(c, path+".powertrain", m.Powertrain, "powertrain", lead.ParsePowertrain)}
	if k.byCode[lead.Fold(m.Code)] != nil {
		c.fail(path+".code", "%q is there twice", m.Code)
	}
	k.byCode[lead.Fold(m.Code)] = e
	models := k.byMake[lead.Fold(name)]
	for _, alias := range append([]string{m.Name}, m.Aliases...) {
		key := lead.Fold(alias)
		if key == "" || models[key] != nil && models[key] != e {
			c.fail(path+".aliases", "%q is empty or another model's", alias)
			continue
		}
		models[key] = e
		if other, seen := k.byName[key]; seen && other != e {
			k.byName[key] = nil // two makes share it: it says nothing without the make
		} else {
			k.byName[key] = e
		}
	}
}
