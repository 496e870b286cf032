package playbook_test

import (
	"bytes"
	"encoding/csv"
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
		needs := func(x map[string]any) (missing []any) {
			needed, _ := x["required"].([]any)
			return slices.DeleteFunc(slices.Clone(needed), func(k any) bool { return given[k.(string)] })
		}
		for _, k := range needs(x) {
			fail("needs %s", k)
		}
		if either, ok := x["anyOf"].([]any); ok && !slices.ContainsFunc(either, func(e any) bool { return len(needs(e.(map[string]any))) == 0 }) {
			fail("needs one of %v", either)
		}
	}
	return wrong
}

// parsed is a file as the schemas see it, with what writes it again; a play is its keys, the table of
// chargers its rows by the first line.
func parsed(t *testing.T, name string, text []byte) (doc *yaml.Node, write func() []byte) {
	t.Helper()
	head, script := text, ""
	switch path.Ext(name) {
	case ".csv":
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, row := range rows[1:] {
			m := &yaml.Node{Kind: yaml.MappingNode}
			for i, cell := range row {
				m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: rows[0][i]}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: cell})
			}
			list.Content = append(list.Content, m)
		}
		return list, nil
	case ".md":
		keys, body, ok := strings.Cut(strings.TrimPrefix(string(text), "---\n"), "\n---\n")
		if !ok {
			t.Fatalf("%s has no keys", name)
		}
		head, script = []byte(keys), body
	}
	var root yaml.Node
	if err := yaml.Unmarshal(head, &root); err != nil {
		t.Fatal(err)
	}
	return root.Content[0], func() []byte {
		out, err := yaml.Marshal(&root)
		if err != nil {
			t.Fatal(err)
		}
		if script != "" {
			return []byte("---\n" + string(out) + "---\n" + script)
		}
		return out
	}
}

// more are parts of files that neither the sample nor the small playbook has.
var more = playbook.Files{
	"routing.yaml": []byte("desk: the-desk\nmarkets: [{country: US, policy: BEST_OF_K, best_of: 3, countries: [CA], desk: the-desk}]\noverflow: [{market: US, brand: ACME, dealer: acme-1}]\n"),
	"governance.yaml": []byte("markets: [{country: US, currency: USD, unit: MI, zone: UTC}]\nlines: [{interest: SELL, origin: OEM, line: SALES}, {line: SALES}]\n" +
		"fields: [{field: source.form, case: upper, default: WEB, required: yes}]\nsources: [{source: x, sub_source: y, provider: z, zone: UTC, test: yes}]\n"),
	"catalogue.yaml":  []byte("default_brand: ACME\nbrands: [{code: ACME, makes: [Acme]}]\nwmi: {5ZN: Acme}\nmodels: [{code: A1, make: Acme, name: Uno, service: {every: 1 year}}]\n"),
	"offers.yaml":     []byte("offers: [{model: A1, monthly: 3.50 USD, market: US, from: 2026-01-01}]\n"),
	"incentives.yaml": []byte("incentives: [{name: x, country: CA, regions: [ON], from: 2026-01-01}]\n"),
}

// The files of the playbooks keep to the schemas, and what the schemas know is what Read knows: the keys
// of each part, as Read lists them when one is unknown.
func TestSchemasAndReaderKnowTheSame(t *testing.T) {
	lists := regexp.MustCompile(`nothing is called zzz here; there are (.*)`)
	enlarged := small(t)
	maps.Copy(enlarged, more)
	for _, kind := range playbook.SchemaKinds() {
		s, root := schemaOf(t, kind)
		compared := map[string]bool{}
		for _, files := range []playbook.Files{small(t), readFolder(t, sampleFolder()), enlarged} {
			if p, mistakes := playbook.Read(files); p == nil {
				t.Fatal(mistakes)
			}
			for name, text := range files {
				if playbook.SchemaKind(name, text) != kind {
					continue
				}
				doc, write := parsed(t, name, text)
				for _, wrong := range s.check(root, doc, "") {
					t.Errorf("%s:%s", name, wrong)
				}
				// A mapping of every place gets a key that nobody knows.
				s.eachMapping(root, doc, "", func(at string, n *yaml.Node) {
					if compared[at] {
						return
					}
					compared[at] = true
					n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "zzz"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "1"})
					defer func() { n.Content = n.Content[:len(n.Content)-2] }()
					if len(s.check(root, doc, "")) == 0 {
						t.Errorf("%s: the schema takes an unknown key at %q", name, at)
					}
					if write == nil {
						return
					}
					broken := maps.Clone(files)
					broken[name] = write()
					_, mistakes := playbook.Read(broken)
					var known []string
					for _, m := range mistakes {
						if x := lists.FindStringSubmatch(m.Message); x != nil {
							known = strings.Split(x[1], ", ")
						}
					}
					want := slices.Sorted(slices.Values(s.keys[at]))
					slices.Sort(known)
					switch {
					case strings.HasSuffix(at, "calibration[]") && kind == "index": // chance or revenue, by the index
						want = slices.DeleteFunc(want, func(k string) bool { return k == "revenue" })
					case at == ".clocks[].attempts": // so often, or until it is resolved
						want = slices.DeleteFunc(want, func(k string) bool { return k == "every" })
					}
					if !slices.Equal(known, want) {
						t.Errorf("%s: at %q Read knows %v, the schema %v", name, at, known, want)
					}
				})
			}
		}
		all := map[string]bool{}
		s.places(root, "", all)
		for at := range all {
			if !compared[at] {
				t.Errorf("%s: no playbook has a part %q to compare", kind, at)
			}
		}
	}
	if _, err := playbook.Schema("plays"); err == nil {
		t.Error("there is a schema of plays")
	}
}

// Files are checked by the schema of their kind, and all of a playbook but what is for people have one.
func TestSchemaKind(t *testing.T) {
	seen := map[string]bool{}
	for name, text := range readFolder(t, sampleFolder()) {
		kind := playbook.SchemaKind(name, text)
		seen[kind] = true
		if (kind == "") != (path.Base(name) == "README.md") {
			t.Errorf("%s is of kind %q", name, kind)
		}
	}
	for _, kind := range playbook.SchemaKinds() {
		if !seen[kind] {
			t.Errorf("the sample has no %s", kind)
		}
	}
}

// What Read refuses of a single value the schemas refuse too, and what it takes they take.
func TestSchemasOnValues(t *testing.T) {
	for _, tt := range []struct {
		kind, text string
		sound      bool
	}{
		{"offers", "offers: [{model: A1, monthly: 279 USD}]", true},
		{"offers", "offers: [{model: A1, monthly: 279}]", false},
		{"offers", "offers: [{model: A1, monthly: 279 USD, until: 5.1.2026}]", false},
		{"offers", "offers: {model: A1}", false},
		{"catalogue", "brands: [{code: A, makes: [A]}]\nservices: [{every: 1 year 6 months}]", true},
		{"catalogue", "brands: [{code: A, makes: [A]}]\nservices: [{brand: A}]", false},
		{"catalogue", "brands: [{code: A, makes: [A]}]\nservices: [{every: a year}]", false},
		{"catalogue", "brands: [{code: A, makes: [A]}]\nmodels: [{code: M, make: A, name: B, powertrain: STEAM}]", false},
		{"incentives", "incentives: [{name: x, buyers: everybody}]", false},
		{"signals", "half_life: 30d\nkinds: {PAGEVIEW: 14d}", false},
		{"routing", "desk: d\nmarkets: [{country: US, policy: TERRITORY, best_of: 5}]\nrule: {normal_distance: 40}", false},
		{"routing", "desk: d\nmarkets: [{country: us, policy: TERRITORY, best_of: 5}]", false},
		{"chargers", "[{country: US, postal_prefix: 021, chargers: 12}]", true},
		{"chargers", "[{country: US, postal_prefix: 021, charger: 12}]", false},
		{"play", "{id: a, title: b, line: SALES, channel: CALL, steps: [{hour: 0, do: x}]}", true},
		{"play", "{id: a, title: b, line: SALES, channel: CALLS, steps: [{hour: 0, do: x}]}", false},
	} {
		s, root := schemaOf(t, tt.kind)
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(tt.text), &doc); err != nil {
			t.Fatal(err)
		}
		if wrong := s.check(root, doc.Content[0], ""); (len(wrong) == 0) != tt.sound {
			t.Errorf("%s: %s: %v", tt.kind, tt.text, wrong)
		}
	}
}

// places notes where there are mappings of fixed keys.
func (s *schema) places(x map[string]any, at string, all map[string]bool) {
	x = s.resolve(x)
	if properties, ok := x["properties"].(map[string]any); ok {
		all[at] = true
		for k, p := range properties {
			s.places(p.(map[string]any), at+"."+k, all)
		}
	}
	if p, ok := x["items"].(map[string]any); ok {
		s.places(p, at+"[]", all)
	}
	if p, ok := x["additionalProperties"].(map[string]any); ok {
		s.places(p, at+"{}", all)
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
