package postgres

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/leadmesh/leadmesh/core/routing"
)

// The long tables in one piece: a format byte, the words that repeat (brands, countries, dealers,
// regions), then the rows as varints and short texts. Reading one costs a tenth of reading rows.
const (
	blobTerritory = "territory"
	blobPostal    = "postal"

	blobFormat = 1
	blobDay    = 24 * 60 * 60
)

// packer writes a blob: rows go to body while the words are still being collected.
type packer struct {
	words map[string]uint64
	list  []string
	body  []byte
}

func (p *packer) word(s string) {
	n, ok := p.words[s]
	if !ok {
		if p.words == nil {
			p.words = map[string]uint64{}
		}
		n = uint64(len(p.list))
		p.words[s] = n
		p.list = append(p.list, s)
	}
	p.body = binary.AppendUvarint(p.body, n)
}

func (p *packer) text(s string) {
	p.body = binary.AppendUvarint(p.body, uint64(len(s)))
	p.body = append(p.body, s...)
}

func (p *packer) number(n int64) { p.body = binary.AppendVarint(p.body, n) }

func (p *packer) bytes(rows int) []byte {
	out := []byte{blobFormat}
	out = binary.AppendUvarint(out, uint64(rows))
	out = binary.AppendUvarint(out, uint64(len(p.list)))
	for _, w := range p.list {
		out = binary.AppendUvarint(out, uint64(len(w)))
		out = append(out, w...)
	}
	return append(out, p.body...)
}

// unpacker reads a blob; the texts it gives share the blob's memory.
type unpacker struct {
	rest  []byte
	words []string
	rows  int
	bad   bool
}

func newUnpacker(b []byte) *unpacker {
	u := &unpacker{}
	if len(b) == 0 || b[0] != blobFormat {
		u.bad = true
		return u
	}
	u.rest = slices.Clone(b[1:])
	u.rows = int(u.unsigned())
	for range u.unsigned() {
		if u.bad {
			return u
		}
		u.words = append(u.words, u.text())
	}
	u.bad = u.bad || u.rows < 0 || u.rows > len(u.rest)
	return u
}

func (u *unpacker) unsigned() uint64 {
	v, n := binary.Uvarint(u.rest)
	if n <= 0 {
		u.bad = true
		return 0
	}
	u.rest = u.rest[n:]
	return v
}

func (u *unpacker) number() int64 {
	v, n := binary.Varint(u.rest)
	if n <= 0 {
		u.bad = true
		return 0
	}
	u.rest = u.rest[n:]
	return v
}

func (u *unpacker) word() string {
	n := u.unsigned()
	if n >= uint64(len(u.words)) {
		u.bad = true
		return ""
	}
	return u.words[n]
}

func (u *unpacker) text() string {
	n := u.unsigned()
	if n > uint64(len(u.rest)) {
		u.bad = true
		return ""
	}
	if n == 0 {
		return ""
	}
	s := unsafe.String(&u.rest[0], int(n)) // nobody writes to the clone any more
	u.rest = u.rest[n:]
	return s
}

func packTerritories(rows []routing.Territory) []byte {
	var p packer
	for i := range rows {
		t := &rows[i]
		p.word(t.Brand)
		p.word(t.Country)
		p.word(t.Dealer)
		p.text(t.Postal)
		p.number(t.Valid.From / blobDay)
		p.number(t.Valid.To / blobDay)
	}
	return p.bytes(len(rows))
}

// unpackTerritories reads what packTerritories wrote; ok is false for anything else.
func unpackTerritories(b []byte) (rows []routing.Territory, ok bool) {
	u := newUnpacker(b)
	if u.bad {
		return nil, false
	}
	rows = make([]routing.Territory, u.rows)
	for i := range rows {
		t := &rows[i]
		t.Brand, t.Country, t.Dealer, t.Postal = u.word(), u.word(), u.word(), u.text()
		t.Valid.From, t.Valid.To = u.number()*blobDay, u.number()*blobDay
	}
	return rows, !u.bad && len(u.rest) == 0
}

func packPoints(rows []routing.PostalPoint) []byte {
	var p packer
	for i := range rows {
		x := &rows[i]
		p.word(x.Country)
		p.word(x.Region)
		p.text(x.Postal)
		p.number(int64(x.Latitude))
		p.number(int64(x.Longitude))
	}
	return p.bytes(len(rows))
}

// unpackPoints reads what packPoints wrote; ok is false for anything else.
func unpackPoints(b []byte) (rows []routing.PostalPoint, ok bool) {
	u := newUnpacker(b)
	if u.bad {
		return nil, false
	}
	rows = make([]routing.PostalPoint, u.rows)
	for i := range rows {
		x := &rows[i]
		x.Country, x.Region, x.Postal = u.word(), u.word(), u.text()
		x.Latitude, x.Longitude = int32(u.number()), int32(u.number())
	}
	return rows, !u.bad && len(u.rest) == 0
}
