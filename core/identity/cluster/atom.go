package cluster

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
)

// Field is one kind of value that blocking goes by.
type Field uint8

// The values of Field, those that tell people apart best first.
const (
	FieldID Field = iota
	FieldVIN
	FieldEmail
	FieldPhone
	FieldLocal       // the part of an e-mail address before the @
	FieldSeven       // the last seven digits of a phone number
	FieldBorn        // date of birth
	FieldName        // given and family name in either order, as they sound
	FieldBornDigits  // digits of a date of birth in any order: swapped day and month, swapped digits
	FieldBornDay     // day and month of birth
	FieldLocalStart  // first letters of an e-mail address
	FieldDomain      // first letters of the domain of an e-mail address
	FieldStreet      // street as it sounds
	FieldPostal      // postal code
	FieldNumber      // of a house
	FieldNamePart    // given or family name as it sounds
	FieldNameStart   // first letters of given or family name
	FieldNameLetters // consonants of given or family name in any order
	FieldBornYear    // year of birth
	FieldPlace       // as it sounds
	FieldCompany
	FieldBirthplace
	FieldOccupation
	fields
)

// fieldTable holds what is known of each field: its words, and a bit for each thing that it is made
// from. Fields that share a bit say much the same, so they are not combined.
var fieldTable = [fields]struct {
	words string
	from  uint16
}{
	FieldID: {"id", 1 << 0}, FieldVIN: {"vehicle", 1 << 1}, FieldEmail: {"e-mail", 1 << 2}, FieldPhone: {"phone", 1 << 3},
	FieldLocal: {"e-mail name", 1 << 2}, FieldSeven: {"phone's last digits", 1 << 3}, FieldBorn: {"born", 1 << 4},
	FieldName: {"name", 1 << 5}, FieldBornDigits: {"born, digits", 1 << 4}, FieldBornDay: {"born, day", 1 << 4},
	FieldLocalStart: {"e-mail's first letters", 1 << 2}, FieldDomain: {"e-mail's domain", 1 << 2}, FieldStreet: {"street", 1 << 6},
	FieldPostal: {"postal code", 1 << 7}, FieldNumber: {"house number", 1 << 8}, FieldNamePart: {"part of name", 1 << 5},
	FieldNameStart: {"name's first letters", 1 << 5}, FieldNameLetters: {"name's consonants", 1 << 5},
	FieldBornYear: {"born, year", 1 << 4}, FieldPlace: {"place", 1 << 9}, FieldCompany: {"company", 1 << 10},
	FieldBirthplace: {"birthplace", 1 << 11}, FieldOccupation: {"occupation", 1 << 12},
}

// String returns the field in words.
func (f Field) String() string { return fieldTable[f].words }

// maxAtoms bounds what one row is found by in one field; unions hold the latest values last.
const maxAtoms = 4

// atom is the hash of one value, its field in the top bits. Zero is none.
type atom uint64

const fieldShift = 59

func (a atom) field() Field { return Field(a >> fieldShift) }

// atoms holds the atoms of all rows, each row's in the order of fields.
type atoms struct {
	start []uint32 // by row, and one more
	list  []atom
}

func (a *atoms) of(row int32) []atom { return a.list[a.start[row]:a.start[row+1]] }

// collector gathers the atoms of one row.
type collector struct {
	list  []atom
	begin int
}

func (c *collector) add(f Field, parts ...string) {
	h := uint64(offset64)
	some := false
	for _, p := range parts {
		some = some || p != ""
		h = hashText(h, p)
		h = (h ^ 0xff) * prime64
	}
	if !some {
		return
	}
	a := atom(uint64(f)<<fieldShift | mix(h)>>(64-fieldShift))
	n := 0
	for _, o := range c.list[c.begin:] {
		if o.field() == f {
			if n++; o == a || n == maxAtoms {
				return
			}
		}
	}
	c.list = append(c.list, a)
}

// read gathers what a record is found by.
func (c *collector) read(r *identity.Record) {
	for _, id := range latest(r.IDs) {
		c.add(FieldID, id.Kind.String(), id.Source, id.Value)
	}
	for _, v := range latest(r.VINs) {
		c.add(FieldVIN, v)
	}
	for _, e := range latest(r.Emails) {
		c.add(FieldEmail, e)
		local, domain, _ := strings.Cut(e, "@")
		c.add(FieldLocal, local)
		c.add(FieldLocalStart, start(local, 5))
		c.add(FieldDomain, start(domain, 4))
	}
	for _, p := range latest(r.Phones) {
		c.add(FieldPhone, p)
		if len(p) >= 8 {
			c.add(FieldSeven, p[len(p)-7:])
		}
	}
	for _, b := range latest(r.Born) {
		c.add(FieldBorn, b)
		c.add(FieldBornDigits, digitsOf(b))
		year, day, _ := strings.Cut(b, "-")
		c.add(FieldBornYear, year)
		c.add(FieldBornDay, day)
	}
	for _, a := range latest(identity.ReadAddresses(r.Addresses)) {
		c.add(FieldStreet, sound(a.Street))
		c.add(FieldPostal, a.Postal)
		c.add(FieldNumber, a.Number)
		c.add(FieldPlace, sound(a.City))
	}
	for _, t := range r.Traits {
		switch t.Kind {
		case identity.TraitNumber:
			c.add(FieldID, t.Value)
		case identity.TraitBirthplace:
			c.add(FieldBirthplace, t.Value)
		case identity.TraitOccupation:
			c.add(FieldOccupation, t.Value)
		}
	}
	for _, n := range latest(r.Names) {
		c.name(n.Given)
		c.name(n.Family)
		if g, f := sound(n.Given), sound(n.Family); g != "" && f != "" {
			c.add(FieldName, min(g, f), max(g, f))
		}
	}
	for _, v := range latest(r.Companies) {
		c.add(FieldCompany, v)
	}
}

// name adds a given or family name; which of the two it is people mix up.
func (c *collector) name(s string) {
	if len(s) < 2 {
		return
	}
	c.add(FieldNamePart, sound(s))
	c.add(FieldNameStart, start(s, 3))
	c.add(FieldNameLetters, consonants(s))
}

// latest returns the last few values of a list.
func latest[T any](list []T) []T { return list[max(0, len(list)-maxAtoms):] }

// start returns the first letters of a text that is not shorter.
func start(s string, letters int) string {
	if len(s) < letters {
		return ""
	}
	return s[:letters]
}

// sound returns how a text sounds, the text itself in letters that are not Latin.
func sound(s string) string {
	if p := identity.Phonetic(s); p != "" {
		return p
	}
	return s
}

// consonants returns which consonants stand in a text, whatever their order and number.
func consonants(s string) string {
	var has uint32
	for i := range len(s) {
		switch c := s[i]; c {
		case 'a', 'e', 'i', 'o', 'u', 'y', 'h':
		default:
			if c >= 'a' && c <= 'z' {
				has |= 1 << (c - 'a')
			}
		}
	}
	if has == 0 {
		return ""
	}
	return string([]byte{byte(has), byte(has >> 8), byte(has >> 16), byte(has >> 24)})
}

// digitsOf returns how often each digit stands in a text.
func digitsOf(s string) string {
	var n [10]byte
	for i := range len(s) {
		if c := s[i] - '0'; c < 10 {
			n[c]++
		}
	}
	return string(n[:])
}

// The hash is FNV-1a, 64 bits wide, mixed once more at the end so that sums of hashes are spread.
const (
	offset64 = 14695981039346656037
	prime64  = 1099511628211
)

func hashText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime64
	}
	return h
}

func hashBytes(h uint64, s []byte) uint64 {
	for _, c := range s {
		h = (h ^ uint64(c)) * prime64
	}
	return h
}

// mix spreads a hash over all its bits (the end of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
