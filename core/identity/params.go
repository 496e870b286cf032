package identity

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"
)

// Params are the numbers a matcher weighs by, in thousandths of a bit.
type Params struct {
	Prior    int32 // log2 odds that two records drawn at random are one person
	Possible int32 // from this weight on a person should look at a pair
	Match    int32 // from this weight on a pair is one person
}

//go:embed params.yaml
var shipped []byte

// Default returns the shipped parameters, which work from the first record on; the prior is that of
// about a million persons.
func Default() *Params {
	p, _ := ParseParams(shipped) // a test reads it
	return p
}

// ParseParams reads what Marshal writes, as a person may have edited it. An error names the line and
// the field.
func ParseParams(text []byte) (*Params, error) {
	var f paramsFile
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	p := &Params{Prior: bits(f.Prior), Possible: bits(f.Possible), Match: bits(f.Match)}
	return p, p.check()
}

// Marshal writes the parameters as YAML for people. Equal parameters give equal bytes.
func (p *Params) Marshal() []byte {
	return fmt.Appendf(nil, "prior: %.3f\npossible: %.3f\nmatch: %.3f\n",
		float64(p.Prior)/1000, float64(p.Possible)/1000, float64(p.Match)/1000)
}

// Revision names the content of the parameters: equal parameters have equal revisions.
func (p *Params) Revision() string {
	sum := sha256.Sum256(p.Marshal())
	return hex.EncodeToString(sum[:6])
}

func (p *Params) check() error {
	if p.Possible > p.Match {
		return fmt.Errorf("parameters: possible is %.3f, above match, which is %.3f; raise match or lower possible",
			float64(p.Possible)/1000, float64(p.Match)/1000)
	}
	return nil
}

type paramsFile struct {
	Prior    float64 `yaml:"prior"`
	Possible float64 `yaml:"possible"`
	Match    float64 `yaml:"match"`
}

// bits turns bits into thousandths of a bit.
func bits(v float64) int32 { return int32(math.Round(1000 * v)) }
