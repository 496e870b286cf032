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
	FieldLocal      // the part of an e-mail address before the @
	FieldSeven      // the last seven digits of a phone number
	FieldBorn       // date of birth
	FieldBornDigits // its digits in any order: swapped day and month, swapped digits
	FieldName       // given and family name in either order, as they sound
	FieldStreet     // street as it sounds
	FieldPostal
	FieldNumber // of a house
	FieldPlace
	FieldFamily // family name as it sounds
	FieldGiven
	FieldFamilyStart // first three letters of the family name
	FieldGivenStart
	FieldCompany
	fields
)

// String returns the field in words.
func (f Field) String() string {
	return [...]string{"id", "vehicle", "e-mail", "phone", "e-mail name", "phone digits", "born", "born digits", "name",
		"street", "postal code", "house number", "place", "family name", "given name", "family name start", "given name start",
		"company"}[f]
}

// group returns the bits of what a field is made from: fields that share one say much the same, so
// they are not combined.
func (f Field) group() uint16 {
	return [...]uint16{1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 2, 1 << 3, 1 << 4, 1 << 4, 1<<5 | 1<<6,
		1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 5, 1 << 6, 1 << 5, 1 << 6, 1 << 11}[f]
}

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
		local, _, _ := strings.Cut(e, "@")
		c.add(FieldLocal, local)
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
	}
	for _, a := range latest(identity.ReadAddresses(r.Addresses)) {
		c.add(FieldStreet, identity.Phonetic(a.Street))
		c.add(FieldPostal, a.Postal)
		c.add(FieldNumber, a.Number)
		c.add(FieldPlace, identity.Phonetic(a.City))
	}
	for _, t := range r.Traits {
		if t.Kind == identity.TraitNumber {
			c.add(FieldID, t.Value)
		}
	}
	for _, n := range latest(r.Names) {
		g, f := identity.Phonetic(n.Given), identity.Phonetic(n.Family)
		if g != "" && f != "" {
			c.add(FieldName, min(g, f), max(g, f))
		}
		c.add(FieldFamily, f)
		c.add(FieldGiven, g)
		c.add(FieldFamilyStart, start(n.Family))
		c.add(FieldGivenStart, start(n.Given))
	}
	for _, v := range latest(r.Companies) {
		c.add(FieldCompany, v)
	}
}

// latest returns the last few values of a list.
func latest[T any](list []T) []T { return list[max(0, len(list)-maxAtoms):] }

func start(name string) string {
	if len(name) < 3 {
		return ""
	}
	return name[:3]
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
