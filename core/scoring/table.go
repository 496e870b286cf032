package scoring

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// WithTable returns the line with the points table of another: base, rows, pairs, groups, cap and
// calibration with its errors are those of t; stages, trigger and value stay. Both share slices and maps with the
// result, so nobody may change any of them.
func (l Line) WithTable(t Line) Line {
	l.Base, l.Rows, l.Groups, l.Cap, l.Calibration = t.Base, t.Rows, t.Groups, t.Cap, t.Calibration
	l.Pairs, l.PriorLeads, l.BaseError = t.Pairs, t.PriorLeads, t.BaseError
	return l
}

// TableHash names the points table of a line by its content, what WithTable replaces: 64
// hexadecimal digits, the same on every machine and in every version.
func (l Line) TableHash() string {
	// Of plain values JSON is the same bytes every time: fields in their order, maps by key.
	raw, err := json.Marshal(struct {
		Base        int32
		Rows        []Row
		Groups      map[string]Cap
		Cap         Cap
		Calibration []Knot
		PriorLeads  int32  `json:",omitempty"` // what came later must not change the hash of what does without it
		BaseError   int32  `json:",omitempty"`
		Pairs       []Pair `json:",omitempty"`
	}{l.Base, l.Rows, l.Groups, l.Cap, l.Calibration, l.PriorLeads, l.BaseError, l.Pairs})
	if err != nil { // numbers, texts and slices of them: there is nothing that JSON can not hold
		raw = fmt.Append(nil, err)
	}
	digest := sha256.Sum256(raw)
	return hex.EncodeToString(digest[:])
}
