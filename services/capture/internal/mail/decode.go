package mail

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/charset"
	"golang.org/x/text/encoding/htmlindex"
)

// decodeTransfer undoes a Content-Transfer-Encoding; one that is unknown leaves the body as it is.
func decodeTransfer(body []byte, encoding string) []byte {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return decodeQuotedPrintable(body)
	default:
		return body
	}
}

// decodeBase64 reads what is base64 of a body: other characters are passed over, padding may stand
// in the middle, and a last group that is incomplete gives what it holds.
func decodeBase64(body []byte) []byte {
	out := make([]byte, 0, len(body)/4*3+3)
	var group [4]byte
	n := 0
	flush := func() {
		if n > 1 {
			var three [3]byte
			if got, err := base64.RawStdEncoding.Decode(three[:], group[:n]); err == nil {
				out = append(out, three[:got]...)
			}
		}
		n = 0
	}
	for _, c := range body {
		switch {
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/':
			group[n] = c
			if n++; n == 4 {
				flush()
			}
		case c == '=':
			flush()
		}
	}
	flush()
	return out
}

// decodeQuotedPrintable undoes =XX and soft line ends; an equals sign that begins neither stays.
func decodeQuotedPrintable(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] != '=' {
			out = append(out, body[i])
			continue
		}
		if i+2 < len(body) {
			high, low := unhex(body[i+1]), unhex(body[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		end := i + 1 // white space that a relay left before the line end
		for end < len(body) && (body[end] == ' ' || body[end] == '\t' || body[end] == '\r') {
			end++
		}
		switch {
		case end < len(body) && body[end] == '\n':
			i = end
		case end == len(body):
			return out
		default:
			out = append(out, '=')
		}
	}
	return out
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// isQuotedPrintable tells quoted-printable that nobody declared: attributes with =3D for =.
func isQuotedPrintable(text []byte) bool {
	return bytes.Contains(text, []byte(`=3D"`)) || bytes.Contains(text, []byte(`=3D'`))
}

// decodeText turns the bytes of a text into UTF-8 by the charset that its part declares, where the
// bytes allow that charset: senders and relays declare what they always declare. What is neither
// UTF-8 nor of a declared charset stays as it is, since an XML declaration in it may say more.
func decodeText(b []byte, declared string) []byte {
	if wide, ok := charset.UTF16(b); ok {
		return wide
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	declared = strings.ToLower(strings.TrimSpace(declared))
	if utf8.Valid(b) && declared != "iso-2022-jp" {
		return b
	}
	switch declared {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be":
		return b
	}
	encoding, err := htmlindex.Get(declared)
	if err != nil {
		return b
	}
	out, err := encoding.NewDecoder().Bytes(b)
	if err != nil {
		return b
	}
	return out
}
