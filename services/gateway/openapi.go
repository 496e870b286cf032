package gateway

import (
	"bytes"
	_ "embed"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/gen"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"go.yaml.in/yaml/v3"
)

// overlay is what the generated document cannot know: the gateway's own routes and what it answers
// differently from the gRPC twin.
//
//go:embed overlay.openapi.yaml
var overlay string

// routes is the part of the OpenAPI document that requests are checked against, so that what is
// served and what is documented are one.
type routes struct {
	Consumes []string                        `yaml:"consumes"`
	Paths    map[string]map[string]operation `yaml:"paths"`
}

// operation is one route.
type operation struct {
	Consumes   []string    `yaml:"consumes"`
	Parameters []parameter `yaml:"parameters"`
	AnyQuery   bool        `yaml:"x-any-query"` // takes parameters that are not listed
}

// parameter is one value that a route takes.
type parameter struct {
	Name   string   `yaml:"name"`
	In     string   `yaml:"in"`
	Type   string   `yaml:"type"`
	Format string   `yaml:"format"`
	Enum   []string `yaml:"enum"`
}

// openDocument lays the overlay on the generated document.
func openDocument() ([]byte, routes, error) {
	var base, over yaml.Node
	if err := yaml.Unmarshal([]byte(gen.OpenAPI), &base); err != nil {
		return nil, routes{}, fmt.Errorf("read the generated OpenAPI document: %w", err)
	}
	if err := yaml.Unmarshal([]byte(overlay), &over); err != nil {
		return nil, routes{}, fmt.Errorf("read the OpenAPI overlay: %w", err)
	}
	merge(base.Content[0], over.Content[0])
	polish(base.Content[0])
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&base); err != nil {
		return nil, routes{}, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	var table routes
	if err := base.Decode(&table); err != nil {
		return nil, routes{}, fmt.Errorf("read the routes of the OpenAPI document: %w", err)
	}
	return out.Bytes(), table, nil
}

// merge lays the sections of one document on another: operations by path and method, everything
// else by name.
func merge(into, from *yaml.Node) {
	for section, entries := range pairs(from) {
		have := get(into, section)
		if have == nil {
			put(into, section, entries)
			continue
		}
		for name, entry := range pairs(entries) {
			old := get(have, name)
			if section != "paths" || old == nil {
				put(have, name, entry)
				continue
			}
			for method, operation := range pairs(entry) {
				put(old, method, operation)
			}
		}
	}
}

// polish makes the document one for readers of REST: summaries begin with a verb instead of the name
// of a gRPC call, and services without a route are not listed.
func polish(document *yaml.Node) {
	served := map[string]bool{}
	for _, operations := range pairs(get(document, "paths")) {
		for _, operation := range pairs(operations) {
			if tags := get(operation, "tags"); tags != nil {
				for _, tag := range tags.Content {
					served[tag.Value] = true
				}
			}
			id, summary := get(operation, "operationId"), get(operation, "summary")
			if id == nil || summary == nil {
				continue
			}
			_, call, _ := strings.Cut(id.Value, "_")
			if rest, ok := strings.CutPrefix(summary.Value, call+" "); ok && rest != "" {
				summary.Value = strings.ToUpper(rest[:1]) + rest[1:]
			}
		}
	}
	if tags := get(document, "tags"); tags != nil {
		tags.Content = slices.DeleteFunc(tags.Content, func(tag *yaml.Node) bool {
			name := get(tag, "name")
			return name == nil || !served[name.Value]
		})
	}
}

// pairs goes through the entries of a mapping.
func pairs(m *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if !yield(m.Content[i].Value, m.Content[i+1]) {
				return
			}
		}
	}
}

func get(m *yaml.Node, key string) *yaml.Node {
	for k, v := range pairs(m) {
		if k == key {
			return v
		}
	}
	return nil
}

func put(m *yaml.Node, key string, value *yaml.Node) {
	if old := get(m, key); old != nil {
		*old = *value
		return
	}
	m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// methods lists what a path takes, for Allow.
func (t routes) methods(path string) []string {
	var methods []string
	for route, operations := range t.Paths {
		if !matches(route, path) {
			continue
		}
		for method := range operations {
			methods = append(methods, strings.ToUpper(method))
			if method == "get" {
				methods = append(methods, http.MethodHead)
			}
		}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}

// verbs lists what may stand behind the colon of a path whose own verb does not exist; none if its
// verb exists, or if nothing there takes one.
func (t routes) verbs(path string) []string {
	cut := strings.LastIndexByte(path, ':')
	if cut < strings.LastIndexByte(path, '/') {
		return nil
	}
	var verbs []string
	for route := range t.Paths {
		colon := strings.LastIndexByte(route, ':')
		if colon < 0 || !matches(route[:colon], path[:cut]) {
			continue
		}
		if route[colon:] == path[cut:] {
			return nil
		}
		verbs = append(verbs, route[colon:])
	}
	slices.Sort(verbs)
	return verbs
}

// matches reports whether a path is one of a route's.
func matches(route, path string) bool {
	want, have := strings.Split(route, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		open := strings.IndexByte(want[i], '{')
		if open < 0 {
			if want[i] != have[i] {
				return false
			}
			continue
		}
		verb := want[i][strings.IndexByte(want[i], '}')+1:]
		if !strings.HasSuffix(have[i], verb) || len(have[i]) == len(verb) {
			return false
		}
	}
	return true
}

// check reports what the document does not allow of a request: unknown or wrong query parameters,
// the content type, the size.
func (t routes) check(r *http.Request, path string, limit int64) *problem.Error {
	op := t.Paths[path][strings.ToLower(r.Method)]
	query, ok := queryOf(r.URL)
	if !ok {
		return problem.New(problemv1.Reason_REASON_INVALID_ARGUMENT, "the query is not UTF-8 text in URL encoding, or holds control characters")
	}
	if v := op.checkQuery(query); len(v) > 0 {
		return problem.Invalid(v...)
	}
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	if r.ContentLength == 0 {
		return nil
	}
	return t.checkContent(r.Header, op)
}

func (t routes) checkContent(h http.Header, op operation) *problem.Error {
	takes := op.Consumes
	if len(takes) == 0 {
		takes = t.Consumes
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return problem.New(problemv1.Reason_REASON_UNSUPPORTED_MEDIA_TYPE, "send the body without a content encoding")
	}
	if media, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || !slices.Contains(takes, media) {
		return problem.New(problemv1.Reason_REASON_UNSUPPORTED_MEDIA_TYPE, "send the body with a content type of %s", strings.Join(takes, ", "))
	}
	return nil
}

func (op operation) checkQuery(query url.Values) []problem.Violation {
	var names []string
	known := map[string]parameter{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			names, known[p.Name] = append(names, p.Name), p
		}
	}
	var v []problem.Violation
	for key, values := range query {
		p, ok := known[key]
		switch {
		case !ok && op.AnyQuery:
		case !ok && len(names) == 0:
			v = append(v, problem.Violation{Field: key, Description: "is no query parameter of this address, which takes none"})
		case !ok:
			v = append(v, problem.Violation{Field: key, Description: "is no query parameter of this address, which takes " + strings.Join(names, ", ")})
		case len(values) > 1 && p.Type != "array":
			v = append(v, problem.Violation{Field: key, Description: "is given more than once"})
		default:
			if why := p.check(values[0]); why != "" {
				v = append(v, problem.Violation{Field: key, Description: why})
			}
		}
	}
	slices.SortFunc(v, func(a, b problem.Violation) int { return strings.Compare(a.Field, b.Field) })
	return v
}

// check says what is wrong with a value; "" if nothing.
func (p parameter) check(value string) string {
	var err error
	switch {
	case len(p.Enum) > 0:
		if !slices.Contains(p.Enum, value) {
			return "takes one of " + strings.Join(p.Enum, ", ")
		}
	case p.Format == "date-time":
		if _, err = time.Parse(time.RFC3339Nano, value); err != nil {
			return "takes a time such as 2026-05-04T09:30:00Z"
		}
	case p.Type == "integer":
		bits := 64
		if p.Format == "int32" {
			bits = 32
		}
		if _, err = strconv.ParseInt(value, 10, bits); err != nil {
			return "takes a whole number"
		}
	case p.Type == "boolean":
		if value != "true" && value != "false" {
			return "takes true or false"
		}
	}
	return ""
}
