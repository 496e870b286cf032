package scoreconv

import (
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// inputNoConsent is the input that says that tracked behaviour took no part.
const inputNoConsent = "no_consent"

// AppendInputs appends what a score was made from by name, as a receipt keeps it.
func AppendInputs(dst []routing.Input, in *scoring.Inputs) []routing.Input {
	for f := scoring.Feature(1); f < scoring.NumFeatures; f++ {
		if v := in.Values[f]; v > scoring.Missing {
			dst = append(dst, routing.Input{Name: f.String(), Value: int64(v)})
		}
	}
	if in.NoConsent {
		dst = append(dst, routing.Input{Name: inputNoConsent, Value: 1})
	}
	return dst
}

// Inputs reads back from a receipt what AppendInputs wrote.
func Inputs(r *routing.Receipt) scoring.Inputs {
	var in scoring.Inputs
	in.Reset()
	for _, x := range r.Inputs {
		if f, ok := scoring.ParseFeature(x.Name); ok {
			in.Values[f] = int32(x.Value)
		}
		if x.Name == inputNoConsent {
			in.DropTracked()
		}
	}
	return in
}
