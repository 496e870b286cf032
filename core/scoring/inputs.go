package scoring

import (
	"encoding/binary"
	"errors"
)

// Inputs is the vector a model scores: one integer per feature. It is a plain value of fixed
// size, so it can be compared, kept in a receipt and scored again to the same result.
type Inputs struct {
	Values [NumFeatures]int32 // indexed by Feature; Values[FeatureNone] is not used
	// NoConsent says that profiling is not granted: every tracked feature is Absent.
	NoConsent bool
}

// Reset makes every feature missing, with consent.
func (in *Inputs) Reset() {
	for i := range in.Values {
		in.Values[i] = Missing
	}
	in.NoConsent = false
}

// DropTracked takes out every tracked feature, as for a person who has not granted profiling.
func (in *Inputs) DropTracked() {
	in.NoConsent = true
	for f := FeatureNone + 1; f < NumFeatures; f++ {
		if features[f].tracked {
			in.Values[f] = Absent
		}
	}
}

// ErrInputs means that bytes are no encoded inputs, or name a feature this version does not know.
var ErrInputs = errors.New("not encoded inputs of a known version")

// Append adds the canonical bytes of the inputs to dst: a flag byte, the number of features that
// have a value, then per feature its number and its zigzag value, ascending. A feature added to
// a later version is missing when these bytes are read.
func (in *Inputs) Append(dst []byte) []byte {
	flag := byte(0)
	if in.NoConsent {
		flag = 1
	}
	n := uint64(0)
	for f := FeatureNone + 1; f < NumFeatures; f++ {
		if in.Values[f] > Missing {
			n++
		}
	}
	dst = binary.AppendUvarint(append(dst, flag), n)
	for f := FeatureNone + 1; f < NumFeatures; f++ {
		if in.Values[f] > Missing {
			dst = binary.AppendUvarint(dst, uint64(f))
			dst = binary.AppendVarint(dst, int64(in.Values[f]))
		}
	}
	return dst
}

// ParseInputs reads the bytes that Append wrote and returns what follows them.
func ParseInputs(b []byte, in *Inputs) (rest []byte, err error) {
	in.Reset()
	if len(b) == 0 || b[0] > 1 {
		return nil, ErrInputs
	}
	if b[0] == 1 {
		in.DropTracked()
	}
	n, k := binary.Uvarint(b[1:])
	if k <= 0 || n >= uint64(NumFeatures) {
		return nil, ErrInputs
	}
	b = b[1+k:]
	last := uint64(FeatureNone)
	for range n {
		f, k := binary.Uvarint(b)
		if k <= 0 || f <= last || f >= uint64(NumFeatures) {
			return nil, ErrInputs
		}
		v, m := binary.Varint(b[k:])
		if m <= 0 || v <= int64(Missing) || v > 1<<31-1 || in.Values[f] == Absent {
			return nil, ErrInputs
		}
		in.Values[f], last, b = int32(v), f, b[k+m:]
	}
	return b, nil
}
