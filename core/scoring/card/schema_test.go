package card_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// checks is as much of JSON Schema as the schema of cards uses.
type checks struct {
	root map[string]any
	met  map[string]bool // places of properties that some text had
	all  map[string]bool
}

func (c *checks) resolve(s map[string]any) map[string]any {
	if ref, ok := s["$ref"].(string); ok {
		return c.root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	return s
}

// walk notes every property there is.
func (c *checks) walk(s map[string]any, at string) {
	s = c.resolve(s)
	if p, ok := s["properties"].(map[string]any); ok {
		if s["additionalProperties"] != false {
			panic(at + " takes any key")
		}
		for k, v := range p {
			c.all[at+"."+k] = true
			c.walk(v.(map[string]any), at+"."+k)
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if v, ok := s[key].(map[string]any); ok {
			c.walk(v, at+"[]")
		}
	}
}

func (c *checks) check(s map[string]any, v any, at string) (wrong []string) {
	s = c.resolve(s)
	fail := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if want, ok := s["type"]; ok {
		kinds := map[string]bool{}
		switch x := v.(type) {
		case map[string]any:
			kinds["object"] = true
		case []any:
			kinds["array"] = true
		case string:
			kinds["string"] = true
		case bool:
			kinds["boolean"] = true
		case int, uint64:
			kinds["integer"], kinds["number"] = true, true
		case float64:
			kinds["number"] = true
		default:
			fail("a %T", x)
		}
		names, several := want.([]any)
		if !several {
			names = []any{want}
		}
		if !slices.ContainsFunc(names, func(n any) bool { return kinds[n.(string)] }) {
			fail("is %v, must be %v", v, want)
		}
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, v) {
		fail("is %v", v)
	}
	if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(fmt.Sprint(v)) {
		fail("is %v", v)
	}
	var n float64
	if _, err := fmt.Sscan(fmt.Sprint(v), &n); err == nil {
		if least, ok := s["minimum"].(float64); ok && n < least {
			fail("is %v", v)
		}
		if most, ok := s["maximum"].(float64); ok && n > most {
			fail("is %v", v)
		}
	}
	switch x := v.(type) {
	case []any:
		for i, e := range x {
			if items, ok := s["items"].(map[string]any); ok {
				wrong = append(wrong, c.check(items, e, at+"[]")...)
			} else {
				fail("element %d", i)
			}
		}
	case map[string]any:
		needed, _ := s["required"].([]any)
		for _, k := range needed {
			if _, ok := x[k.(string)]; !ok {
				fail("needs %s", k)
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for k, e := range x {
			if p, ok := properties[k].(map[string]any); ok {
				c.met[at+"."+k] = true
				wrong = append(wrong, c.check(p, e, at+"."+k)...)
			} else if p, ok := s["additionalProperties"].(map[string]any); ok {
				wrong = append(wrong, c.check(p, e, at+"[]")...)
			} else {
				fail("has %s", k)
			}
		}
	}
	return wrong
}

func TestSchemaAndParserKnowTheSameKeys(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(card.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	c := &checks{root: root, met: map[string]bool{}, all: map[string]bool{}}
	c.walk(root, "")
	r := rand.New(rand.NewPCG(21, 22))
	texts := [][]byte{course().Marshal()}
	for range 20 {
		x, _ := random(r, 1)
		texts = append(texts, x.Marshal())
	}
	for code, l := range scorecards(t).Lines {
		x, problems := card.FromLine(code, l)
		if x == nil {
			t.Fatal(problems)
		}
		texts = append(texts, x.Marshal())
	}
	for _, text := range texts {
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		if wrong := c.check(root, v, ""); len(wrong) > 0 {
			t.Errorf("the schema refuses %v in\n%s", wrong, text)
		}
	}
	// A key of the schema that no card above holds is one the parser may not know.
	for k := range c.all {
		if !c.met[k] && k != ".pairs[].first.in" && k != ".pairs[].second.in" && k != ".pairs[].label" {
			t.Errorf("no text has %s", k)
		}
	}
	// What the parser refuses at once, the schema does too.
	for _, bad := range []string{"base: 5000", "base: 1\nbse: 2", "target: {}", "calibration: []", "rows: [{feature: a}]", "learned: {rows: -1, wins: 0}"} {
		var v any
		if err := yaml.Unmarshal([]byte(bad), &v); err != nil {
			t.Fatal(err)
		}
		if len(c.check(root, v, "")) == 0 {
			t.Errorf("the schema takes %q", bad)
		}
	}
}
