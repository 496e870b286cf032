package playbook

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// schemaParts are what the schemas of scorecards, indices and segments consist of, by name. What is
// listed elsewhere, such as the features of leads, Schema adds.
//
//go:embed schema.json
var schemaParts []byte

// SchemaKinds are the kinds of files that Schema knows: a line's file in the folder scoring, an
// index's, and that of the segments.
func SchemaKinds() []string { return []string{"scorecard", "index", "segments"} }

// Schema returns the JSON Schema (draft 2020-12) of one kind of file, by which editors check and
// complete it. What depends on several values, such as the order of bins, only Read finds.
func Schema(kind string) ([]byte, error) {
	var parts map[string]any
	if err := json.Unmarshal(schemaParts, &parts); err != nil {
		return nil, fmt.Errorf("read the parts of the schema: %w", err)
	}
	if !slices.Contains(SchemaKinds(), kind) {
		return nil, fmt.Errorf("there is no schema of %q; there are %s", kind, strings.Join(SchemaKinds(), ", "))
	}
	for _, other := range SchemaKinds() {
		if other != kind {
			delete(parts, other)
		}
	}
	features := make([]string, 0, scoring.NumFeatures)
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		features = append(features, f.String())
	}
	for name, codes := range map[string][]string{
		"line": lead.Codes("line"), "segment": lead.Codes("segment"), "index_code": lead.Codes("index"), "group": scoring.GroupCodes(), "feature": features,
	} {
		parts[name] = map[string]any{"enum": codes}
	}
	return json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/" + kind, "$defs": parts,
	}, "", "  ")
}
