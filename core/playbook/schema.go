package playbook

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// schemaParts are what the schemas of the files of a playbook consist of, by name. What is listed
// elsewhere, such as the features of leads, Schema adds.
//
//go:embed schema
var schemaParts embed.FS

// SchemaKinds are the kinds of files that Schema knows. Most are called as the one file of their kind;
// scorecard is that of a line in the folder scoring, index that of an index there, play the keys above
// the script of a play. Of chargers.csv the schema is that of its rows, with the first line as keys.
func SchemaKinds() []string {
	return []string{
		"playbook", "governance", "catalogue", "offers", "incentives", "chargers", "signals", "routing", "sla",
		"scorecard", "index", "segments", "play",
	}
}

// SchemaKind returns which schema a file of a playbook keeps to; "" for one that has none, as README.md.
func SchemaKind(name string, text []byte) string {
	switch folder := path.Dir(name); {
	case name == fileSegments:
		return "segments"
	case folder == folderPlays && path.Ext(name) == ".md" && path.Base(name) != "README.md":
		return "play"
	case folder == folderScoring && path.Ext(name) == ".yaml":
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "index:") {
				return "index"
			}
		}
		return "scorecard"
	}
	if kind := strings.TrimSuffix(name, path.Ext(name)); slices.Contains(playbookFiles(), name) {
		return kind
	}
	return ""
}

// Schema returns the JSON Schema (draft 2020-12) of one kind of file, by which editors check and
// complete it. What depends on several values, such as the order of bins, only Read finds.
func Schema(kind string) ([]byte, error) {
	if !slices.Contains(SchemaKinds(), kind) {
		return nil, fmt.Errorf("there is no schema of %q; there are %s", kind, strings.Join(SchemaKinds(), ", "))
	}
	files, err := schemaParts.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	parts := map[string]any{}
	for _, f := range files {
		text, err := schemaParts.ReadFile("schema/" + f.Name())
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &parts); err != nil { // adds to those there are
			return nil, fmt.Errorf("read the parts of the schema in %s: %w", f.Name(), err)
		}
	}
	for name, codes := range schemaCodes() {
		parts[name] = map[string]any{"enum": codes}
	}
	needed := map[string]any{}
	need(parts, needed, kind)
	return json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/" + kind, "$defs": needed,
	}, "", "  ")
}

// schemaCodes are the codes that stand in files of a playbook, by the name of their part.
func schemaCodes() map[string][]string {
	features := make([]string, 0, scoring.NumFeatures)
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		features = append(features, f.String())
	}
	out := map[string][]string{
		"index_code": lead.Codes("index"), "reject_code": lead.Codes("reject"), "group": scoring.GroupCodes(), "feature": features,
		"market_policy": marketPolicies(), "step": governance.Steps(), "field": governance.Fields(),
	}
	for _, kind := range []string{
		"line", "segment", "stage", "channel", "role", "signal", "origin", "request_type", "interest", "powertrain", "dealer_choice", "odometer_unit",
	} {
		out[kind] = lead.Codes(kind)
	}
	return out
}

// need takes over a part, and all that it refers to.
func need(parts, into map[string]any, name string) {
	if _, there := into[name]; there {
		return
	}
	into[name] = parts[name]
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				need(parts, into, strings.TrimPrefix(ref, "#/$defs/"))
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key])
			}
		}
	}
	walk(parts[name])
}
