// Package charset reads bytes whose encoding is not told, or is told wrongly.
package charset

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// UTF16 reads UTF-16 as UTF-8: with a byte order mark, which goes, or without one when every second
// byte of the beginning is zero. What pairs badly becomes U+FFFD. ok is false if it is no UTF-16.
func UTF16(raw []byte) (_ []byte, ok bool) {
	order, mark, ok := UTF16Order(raw)
	if !ok {
		return nil, false
	}
	if mark {
		raw = raw[2:]
	}
	out, err := unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder().Bytes(raw)
	return out, err == nil
}

// UTF16Order tells from the beginning of a text whether it is UTF-16, in which order its bytes are and
// whether a byte order mark of two bytes stands before it.
func UTF16Order(head []byte) (order unicode.Endianness, mark, ok bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return unicode.LittleEndian, true, true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return unicode.BigEndian, true, true
	}
	head = head[:min(len(head), 128)&^1]
	even, odd := 0, 0
	for i := 0; i < len(head); i += 2 {
		if head[i] == 0 {
			even++
		}
		if head[i+1] == 0 {
			odd++
		}
	}
	half := len(head) / 2
	switch {
	case half >= 4 && odd*4 >= half*3 && even == 0:
		return unicode.LittleEndian, false, true
	case half >= 4 && even*4 >= half*3 && odd == 0:
		return unicode.BigEndian, false, true
	}
	return unicode.LittleEndian, false, false
}

// Mend keeps valid UTF-8 sequences and reads every other byte as Windows-1252. Valid text is returned
// as it is, not copied.
func Mend(raw []byte) []byte {
	if utf8.Valid(raw) {
		return raw
	}
	out := make([]byte, 0, len(raw)+len(raw)/8)
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			r = charmap.Windows1252.DecodeByte(raw[0])
		}
		out = utf8.AppendRune(out, r)
		raw = raw[size:]
	}
	return out
}
