package identity

import "math"

// Evidence is how much two records speak for being the same person.
type Evidence struct {
	Weight      int32 // log2 odds in thousandths of a bit, the prior included
	Probability int32 // of being the same person, in millionths; Probability(Weight)
	Conflict    Conflict
	Reasons     []Reason // strongest first; they add up to Weight exactly
}

// Reason is one contribution to the weight. It names no value, so it may be shown and logged.
type Reason struct {
	Code   ReasonCode
	Weight int32 // thousandths of a bit; negative speaks against
}

// Field returns what was compared.
func (r Reason) Field() Field { return r.Code.Field() }

// Probability returns the probability, in millionths, that a weight in thousandths of a bit of log2
// odds stands for.
func Probability(weight int32) int32 {
	return int32(math.Round(1e6 / (1 + math.Exp2(-float64(weight)/1000))))
}

// Weight returns the log2 odds of a probability between 0 and 1 in thousandths of a bit. Probabilities
// nearer to 0 or 1 than one in a billion count as one in a billion.
func Weight(probability float64) int32 {
	p := min(max(probability, 1e-9), 1-1e-9)
	return int32(math.Round(1000 * math.Log2(p/(1-p))))
}

// Verdict is what is to be done with a pair of records.
type Verdict uint8

// The values of Verdict.
const (
	VerdictDifferent Verdict = iota
	VerdictPossible          // a person should look
	VerdictMatch
)

// String returns the verdict in upper case.
func (v Verdict) String() string {
	switch v {
	case VerdictPossible:
		return "POSSIBLE"
	case VerdictMatch:
		return "MATCH"
	}
	return "DIFFERENT"
}
