// Package gen carries the OpenAPI document that is generated with the code of this module.
package gen

import _ "embed"

// OpenAPI is the generated OpenAPI 2.0 document (YAML) of every route in proto/http.yaml. The
// gateway adds its own routes and serves the whole.
//
//go:embed openapi/leadmesh.swagger.yaml
var OpenAPI string
