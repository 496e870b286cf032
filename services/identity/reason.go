package identity

import (
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
)

// reasonText writes reasons as they are stored: code:weight, separated by spaces.
func reasonText(reasons []identity.Reason) string {
	b := make([]byte, 0, 12*len(reasons))
	for i, r := range reasons {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, uint64(r.Code), 10)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(r.Weight), 10)
	}
	return string(b)
}

// readReasons reads what reasonText wrote; what is none of it is passed over.
func readReasons(text string) []identity.Reason {
	var out []identity.Reason
	for field := range strings.FieldsSeq(text) {
		code, weight, _ := strings.Cut(field, ":")
		c, err := strconv.ParseUint(code, 10, 8)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(weight, 10, 32)
		if err != nil {
			continue
		}
		out = append(out, identity.Reason{Code: identity.ReasonCode(c), Weight: int32(n)})
	}
	return out
}

// reasonWords writes reasons for people, each with its weight in bits.
func reasonWords(reasons []identity.Reason) []string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = r.Code.String()
		if r.Weight != 0 {
			out[i] += " (" + strconv.FormatFloat(float64(r.Weight)/1000, 'f', 1, 64) + " bits)"
		}
	}
	return out
}

// matchReasons writes reasons as data.
func matchReasons(reasons []identity.Reason) []*identityv1.MatchReason {
	out := make([]*identityv1.MatchReason, len(reasons))
	for i, r := range reasons {
		code, words, _ := strings.Cut(r.Code.String(), " ")
		out[i] = &identityv1.MatchReason{Code: code, Words: words, WeightMillibits: r.Weight}
	}
	return out
}
