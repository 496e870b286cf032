package identity

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/leadmesh/leadmesh/core/lead"
)

// codecVersion is the first byte of an encoded record; a layout is never changed, only followed by
// the next.
const codecVersion = 1

// ErrEncoding means that bytes are no encoded record, or one of a newer version.
var ErrEncoding = errors.New("not an encoded identity record of a known version")

// Marshal encodes a record for storage. Equal records give equal bytes.
func (r *Record) Marshal() []byte {
	b := make([]byte, 0, 192)
	b = append(b, codecVersion)
	b = binary.AppendVarint(b, r.At)
	b = binary.AppendUvarint(b, uint64(len(r.Names)))
	for _, n := range r.Names {
		b = appendTexts(b, n.Given, n.Middle, n.Family, n.Suffix)
	}
	for _, list := range [...][]string{r.Companies, r.Emails, r.Phones, r.Addresses, r.Born, r.VINs} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		b = appendTexts(b, list...)
	}
	b = binary.AppendUvarint(b, uint64(len(r.IDs)))
	for _, id := range r.IDs {
		b = append(b, byte(id.Kind))
		b = appendTexts(b, id.Source, id.Value)
	}
	return b
}

// Unmarshal decodes what Marshal wrote and refuses anything else. Empty input is the zero Record.
func Unmarshal(b []byte) (Record, error) {
	var r Record
	if len(b) == 0 {
		return r, nil
	}
	if b[0] != codecVersion {
		return r, ErrEncoding
	}
	d := decoder{rest: string(b[1:])}
	at, n := binary.Varint(b[1:])
	d.skip(n)
	r.At = at
	for range d.count() {
		r.Names = append(r.Names, Name{Given: d.text(), Middle: d.text(), Family: d.text(), Suffix: d.text()})
	}
	for _, list := range [...]*[]string{&r.Companies, &r.Emails, &r.Phones, &r.Addresses, &r.Born, &r.VINs} {
		for range d.count() {
			*list = append(*list, d.text())
		}
	}
	for range d.count() {
		kind := lead.IDKind(d.byte())
		r.IDs = append(r.IDs, lead.Identifier{Kind: kind, Source: d.text(), Value: d.text()})
	}
	if d.bad || d.rest != "" {
		return Record{}, ErrEncoding
	}
	return r, nil
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// decoder reads from one string, so that the texts it returns share its memory.
type decoder struct {
	rest string
	bad  bool
}

func (d *decoder) skip(n int) {
	if n <= 0 || n > len(d.rest) {
		d.bad, d.rest = true, ""
		return
	}
	d.rest = d.rest[n:]
}

func (d *decoder) uint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			d.bad = d.bad || c == 0 && shift > 0 // one spelling per number
			return v
		}
	}
	d.bad = true
	return math.MaxUint64
}

func (d *decoder) byte() byte {
	if d.bad || d.rest == "" {
		d.bad = true
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

func (d *decoder) count() int {
	n := d.uint()
	if d.bad || n > 2*MaxValues {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	n := d.uint()
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}
