package identity

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
)

// Params are the numbers a matcher weighs by. Probabilities and odds stand as their log2 in
// thousandths of a bit.
type Params struct {
	Prior    int32              // log2 odds that two records drawn at random are one person's
	Home     int32              // log2 odds that two records drawn at random are of two people of one home, or NoHomes
	Possible int32              // from this weight on a person should look at a pair
	Match    int32              // from this weight on a pair is one person
	Levels   [ReasonCount]Level // by the code of the level; zero where a code is no level
	Shares   [FieldCount]*Shares
}

// NoHomes as Params.Home says that there are no two people of one home among the records: what people
// of one home share speaks for one person, other given names or not.
const NoHomes = -40_000

// Level is how often a level of agreement is seen, as log2 in thousandths, never above 0: among
// records of one person (M), of strangers (U), and of two people of one home (Home). M less U is the
// weight of the level.
type Level struct {
	M, U, Home int32
}

// Shares is how many people have a value, as log2 in thousandths; agreeing in a rare value speaks for
// more than agreeing in a common one.
type Shares struct {
	Dictionary bool             // look values up in the matcher's dictionary too
	Rare       int32            // for values that are not known, and the least of a share; 0: such values weigh as their level does
	Values     map[string]int32 // by ShareKey of the folded value
}

// ShareKey returns by what a value is found in Shares.Values: names and places by themselves, contact
// points and addresses, which are personal, by a hash.
func ShareKey(f Field, value string) string {
	switch f {
	case FieldEmail, FieldPhone, FieldAddress:
		h := uint64(14695981039346656037) // FNV-1a
		for i := 0; i < len(value); i++ {
			h = (h ^ uint64(value[i])) * 1099511628211
		}
		return strconv.FormatUint(h, 16)
	}
	return value
}

//go:embed params.yaml
var shipped []byte

// Default returns the shipped parameters, which work from the first record on; the prior is that of
// about a million persons.
func Default() *Params {
	p, _ := ParseParams(shipped) // a test reads it
	return p
}

// Revision names the content of the parameters: equal parameters have equal revisions.
func (p *Params) Revision() string {
	sum := sha256.Sum256(p.Marshal())
	return hex.EncodeToString(sum[:6])
}

// Log2 returns the log2 of a probability in thousandths of a bit, the unit of Params; at least -40
// bits.
func Log2(probability float64) int32 {
	return int32(math.Round(1000 * max(-40, math.Log2(probability))))
}

// FrequencyLevels returns the levels of a field whose weight depends on how rare the value agreed in
// is, nil for a field without any.
func FrequencyLevels(f Field) []ReasonCode {
	switch f {
	case FieldGivenName:
		return []ReasonCode{ReasonGivenName}
	case FieldFamilyName:
		return []ReasonCode{ReasonFamilyName}
	case FieldPlace:
		return []ReasonCode{ReasonCity}
	case FieldEmail:
		return []ReasonCode{ReasonEmail}
	case FieldPhone:
		return []ReasonCode{ReasonPhone}
	case FieldAddress:
		return []ReasonCode{ReasonAddress}
	case FieldBirthplace:
		return []ReasonCode{ReasonBirthplace}
	case FieldOccupation:
		return []ReasonCode{ReasonOccupation}
	}
	return nil
}

// frequencyReason is how the difference that the frequency of a value makes is explained.
func frequencyReason(f Field) ReasonCode {
	switch f {
	case FieldGivenName:
		return ReasonGivenNameFrequency
	case FieldFamilyName:
		return ReasonFamilyNameFrequency
	case FieldPlace:
		return ReasonPlaceFrequency
	case FieldEmail:
		return ReasonEmailFrequency
	case FieldPhone:
		return ReasonPhoneFrequency
	case FieldAddress:
		return ReasonAddressFrequency
	}
	return ReasonFactFrequency
}

// share returns the log2 share of people with a value, 0 when nothing is known of the field.
func (m *Matcher) share(f Field, value string) int32 {
	s := m.params.Shares[f]
	if s == nil || value == "" {
		return 0
	}
	if len(s.Values) > 0 {
		if v, ok := s.Values[ShareKey(f, value)]; ok {
			if s.Rare != 0 {
				v = max(v, s.Rare)
			}
			return min(-1, v)
		}
	}
	if s.Dictionary && m.names != nil {
		var v float64
		switch f {
		case FieldGivenName:
			v = m.names.given[value].Share
		case FieldFamilyName:
			v = m.names.family[value]
		}
		if v > 0 {
			return min(-1, max(Log2(v), s.Rare))
		}
	}
	return s.Rare
}

func (p *Params) check() error {
	if p.Possible > p.Match {
		return fmt.Errorf("parameters: possible is %.3f, above match, which is %.3f; raise match or lower possible",
			float64(p.Possible)/1000, float64(p.Match)/1000)
	}
	return nil
}
