package playbook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/leadmesh/leadmesh/core/playbook"
)

// schema is as much of JSON Schema as the schemas of a playbook use.
type schema struct {
	defs map[string]any
	keys map[string][]string // properties by place
}

func schemaOf(t *testing.T, kind string) (*schema, map[string]any) {
	t.Helper()
	raw, err := playbook.Schema(kind)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	s := &schema{defs: root["$defs"].(map[string]any), keys: map[string][]string{}}
	return s, root
}

func (s *schema) resolve(x map[string]any) map[string]any {
	if ref, ok := x["$ref"].(string); ok {
		return s.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	return x
}

// check returns what is wrong with a value; places are without indices and names of people's choice.
func (s *schema) check(x map[string]any, n *yaml.Node, at string) (wrong []string) {
	x = s.resolve(x)
	fail := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%d: %s: ", n.Line, at)+fmt.Sprintf(format, args...))
	}
	types, _ := x["type"].([]any)
	if one, ok := x["type"].(string); ok {
		types = []any{one}
	}
	kind := map[yaml.Kind]string{yaml.MappingNode: "object", yaml.SequenceNode: "array"}[n.Kind]
	if n.Kind == yaml.ScalarNode {
		kind = map[string]string{"!!int": "integer", "!!float": "number", "!!bool": "boolean"}[n.Tag]
		if kind == "" {
			kind = "string"
		}
	}
	if len(types) > 0 && !slices.Contains(types, any(kind)) && (kind != "integer" || !slices.Contains(types, any("number"))) {
		fail("is %s, must be %v", kind, types)
	}
	if enum, ok := x["enum"].([]any); ok && !slices.Contains(enum, any(n.Value)) {
		fail("is %q", n.Value)
	}
	if p, ok := x["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(n.Value) {
		fail("is %q", n.Value)
	}
	var v float64
	if _, err := fmt.Sscan(n.Value, &v); err == nil {
		least, low := x["minimum"].(float64)
		most, high := x["maximum"].(float64)
		if low && v < least || high && v > most {
			fail("is %v", v)
		}
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for _, e := range n.Content {
			wrong = append(wrong, s.check(x["items"].(map[string]any), e, at+"[]")...)
		}
		if least, ok := x["minItems"].(float64); ok && len(n.Content) < int(least) {
			fail("has %d elements", len(n.Content))
		}
	case yaml.MappingNode:
		given := map[string]bool{}
		properties, _ := x["properties"].(map[string]any)
		for k := range properties {
			if !slices.Contains(s.keys[at], k) {
				s.keys[at] = append(s.keys[at], k)
			}
		}
		for i := 0; i < len(n.Content); i += 2 {
			k, e := n.Content[i].Value, n.Content[i+1]
			given[k] = true
			if p, ok := properties[k].(map[string]any); ok {
				wrong = append(wrong, s.check(p, e, at+"."+k)...)
			} else if p, ok := x["additionalProperties"].(map[string]any); ok {
				wrong = append(wrong, s.check(x["propertyNames"].(map[string]any), n.Content[i], at)...)
				wrong = append(wrong, s.check(p, e, at+"{}")...)
			} else {
				fail("has %s", k)
			}
		}
		needed, _ := x["required"].([]any)
		for _, k := range needed {
			if !given[k.(string)] {
				fail("needs %s", k)
			}
		}
	}
	return wrong
}

// kindOf says which schema a file of the folder scoring has.
func kindOf(name string, text []byte) string {
	switch {
	case name == "scoring/segments.yaml":
		return "segments"
	case bytes.Contains(text, []byte("\nindex:")), bytes.HasPrefix(text, []byte("index:")):
		return "index"
	}
	return "scorecard"
}

// The files of the playbooks keep to the schemas, and what the schemas know is what Read knows: the keys
// of each part, as Read lists them when one is unknown.
func TestSchemasAndReaderKnowTheSame(t *testing.T) {
	lists := regexp.MustCompile(`nothing is called zzz here; there are (.*)`)
	for _, kind := range playbook.SchemaKinds() {
		s, root := schemaOf(t, kind)
		compared := 0
		for _, files := range []playbook.Files{readFolder(t, sampleFolder()), small(t)} {
			for name, text := range files {
				if path.Dir(name) != "scoring" || path.Ext(name) != ".yaml" || kindOf(name, text) != kind {
					continue
				}
				var doc yaml.Node
				if err := yaml.Unmarshal(text, &doc); err != nil {
					t.Fatal(err)
				}
				for _, wrong := range s.check(root, doc.Content[0], "") {
					t.Errorf("%s:%s", name, wrong)
				}
			}
		}
		// Every mapping of the small playbook gets a key that nobody knows.
		files := small(t)
		for name, text := range files {
			if path.Dir(name) != "scoring" || kindOf(name, text) != kind {
				continue
			}
			var doc yaml.Node
			if err := yaml.Unmarshal(text, &doc); err != nil {
				t.Fatal(err)
			}
			s.eachMapping(root, doc.Content[0], "", func(at string, n *yaml.Node) {
				n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "zzz"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "1"})
				broken := maps.Clone(files)
				var err error
				if broken[name], err = yaml.Marshal(&doc); err != nil {
					t.Fatal(err)
				}
				n.Content = n.Content[:len(n.Content)-2]
				_, mistakes := playbook.Read(broken)
				var known []string
				for _, m := range mistakes {
					if x := lists.FindStringSubmatch(m.Message); x != nil {
						known = strings.Split(x[1], ", ")
					}
				}
				want := slices.Sorted(slices.Values(s.keys[at]))
				slices.Sort(known)
				if strings.HasSuffix(at, "calibration[]") && kind == "index" { // chance or revenue, by the index
					want = slices.DeleteFunc(want, func(k string) bool { return k == "revenue" })
				}
				if !slices.Equal(known, want) {
					t.Errorf("%s: at %q Read knows %v, the schema %v", name, at, known, want)
				}
				compared++
			})
		}
		if compared < 2 {
			t.Errorf("%s: only %d places were compared", kind, compared)
		}
	}
	if _, err := playbook.Schema("plays"); err == nil {
		t.Error("there is a schema of plays")
	}
}

// eachMapping visits the mappings of fixed keys.
func (s *schema) eachMapping(x map[string]any, n *yaml.Node, at string, visit func(at string, n *yaml.Node)) {
	x = s.resolve(x)
	switch n.Kind {
	case yaml.SequenceNode:
		for _, e := range n.Content {
			s.eachMapping(x["items"].(map[string]any), e, at+"[]", visit)
		}
	case yaml.MappingNode:
		properties, fixed := x["properties"].(map[string]any)
		if fixed {
			visit(at, n)
		}
		for i := 0; i < len(n.Content); i += 2 {
			if fixed {
				k := n.Content[i].Value
				s.eachMapping(properties[k].(map[string]any), n.Content[i+1], at+"."+k, visit)
			} else {
				s.eachMapping(x["additionalProperties"].(map[string]any), n.Content[i+1], at+"{}", visit)
			}
		}
	}
}
