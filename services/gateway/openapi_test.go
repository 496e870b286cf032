package gateway_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"go.yaml.in/yaml/v3"
)

// document reads what /openapi.yaml serves.
func document(t *testing.T, d *door) map[string]any {
	t.Helper()
	got := d.send("GET", "/openapi.yaml", "", "Authorization:")
	if got.code != 200 || got.header.Get("Content-Type") != "application/yaml" {
		t.Fatalf("%d %s", got.code, got.header.Get("Content-Type"))
	}
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(got.body), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// documented lists "METHOD path" of every route in the document.
func documented(doc map[string]any) []string {
	var routes []string
	for path, operations := range doc["paths"].(map[string]any) {
		for method := range operations.(map[string]any) {
			routes = append(routes, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routes)
	return routes
}

func TestTheDocumentListsEveryRoute(t *testing.T) {
	raw, err := os.ReadFile("../../proto/http.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var mapping struct {
		HTTP struct {
			Rules []map[string]string `yaml:"rules"`
		} `yaml:"http"`
	}
	if err := yaml.Unmarshal(raw, &mapping); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST /v1/leads", "POST /v1/leads:batch", "POST /v1/adf", "POST /v1/adf:validate", "GET /v1/codes",
		"GET /v1/meta/{source}", "POST /v1/meta/{source}", "POST /v1/google/{source}", "GET /v1/forms/{source}", "POST /v1/forms/{source}", "POST /v1/star", "POST /v1/star/{source}",
		"GET /healthz", "GET /metrics", "GET /openapi.yaml",
	}
	for _, rule := range mapping.HTTP.Rules {
		for _, method := range []string{"get", "put", "post", "patch", "delete"} {
			if path := rule[method]; path != "" {
				want = append(want, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, documented(document(t, open(t, nil)))); diff != "" {
		t.Error(diff)
	}
}

func TestEveryDocumentedRouteIsServed(t *testing.T) {
	d := open(t, nil)
	d.backend.ingest = results(assigned)
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return &capturev1.GetLeadResponse{}, nil
	}
	d.backend.receipt = func(*routingv1.GetReceiptRequest) (*routingv1.GetReceiptResponse, error) {
		return &routingv1.GetReceiptResponse{Receipt: &routingv1.Receipt{Canonical: "{}"}}, nil
	}
	doc := document(t, d)
	for _, route := range documented(doc) {
		method, path, _ := strings.Cut(route, " ")
		operation := doc["paths"].(map[string]any)[path].(map[string]any)[strings.ToLower(method)].(map[string]any)
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + "x" + after
		}
		body, contentType := "", "application/json"
		if method != "GET" {
			body = "{}"
			if consumes, ok := operation["consumes"].([]any); ok {
				contentType = consumes[0].(string)
			}
		}
		got := d.send(method, path, body, "Content-Type: "+contentType, "Authorization: Bearer "+opsToken)
		if got.code == 404 || got.code == 405 || got.code == 415 {
			t.Errorf("%s: %d %s", route, got.code, got.body)
		}
		security, stated := operation["security"].([]any)
		open := stated && len(security) == 0 || path == "/metrics" // open on loopback only
		if got := d.send(method, path, body, "Content-Type: "+contentType, "Authorization:"); (got.code == 401) == open {
			t.Errorf("%s without a token: %d, documented as open: %v", route, got.code, open)
		}
	}
}

func TestTheDocumentHoldsTogether(t *testing.T) {
	doc := document(t, open(t, nil))
	ids := map[string]bool{}
	for _, operations := range doc["paths"].(map[string]any) {
		for _, operation := range operations.(map[string]any) {
			id := operation.(map[string]any)["operationId"].(string)
			if ids[id] {
				t.Errorf("operation %s is there twice", id)
			}
			ids[id] = true
		}
	}
	var follow func(node any)
	follow = func(node any) {
		switch n := node.(type) {
		case map[string]any:
			if ref, ok := n["$ref"].(string); ok {
				section, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/"), "/")
				if list, _ := doc[section].(map[string]any); list[name] == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, key := range slices.Sorted(maps.Keys(n)) {
				follow(n[key])
			}
		case []any:
			for _, child := range n {
				follow(child)
			}
		}
	}
	follow(doc)
	receipt := doc["definitions"].(map[string]any)["v1Receipt"].(map[string]any)
	if receipt["properties"] != nil || receipt["additionalProperties"] != true {
		t.Errorf("the receipt is documented as %v", receipt)
	}
}

func TestTheDocumentIsForReadersOfREST(t *testing.T) {
	doc := document(t, open(t, nil))
	used := map[any]bool{}
	for path, operations := range doc["paths"].(map[string]any) {
		for method, o := range operations.(map[string]any) {
			operation := o.(map[string]any)
			summary, _ := operation["summary"].(string)
			_, call, _ := strings.Cut(operation["operationId"].(string), "_")
			if summary == "" || strings.HasPrefix(summary, call) || strings.ToUpper(summary[:1]) != summary[:1] {
				t.Errorf("%s %s is summed up as %q", method, path, summary)
			}
			for _, tag := range operation["tags"].([]any) {
				used[tag] = true
			}
		}
	}
	for _, tag := range doc["tags"].([]any) {
		if name := tag.(map[string]any)["name"]; !used[name] {
			t.Errorf("%v is listed and has no route", name)
		}
	}
}
