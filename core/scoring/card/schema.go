package card

import _ "embed"

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of a card's YAML, by which editors check and
// complete it. What depends on several values, such as the order of bins, only Parse finds.
func Schema() []byte { return []byte(schema) }
