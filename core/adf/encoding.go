package adf

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// decode turns bytes into text with line feeds only and without characters XML
// forbids. The declared encoding is believed only where the bytes allow it:
// senders copy the declaration from examples.
func decode(raw []byte) (string, []Repair) {
	var repairs []Repair
	note := func(code FlagCode, detail string) {
		repairs = append(repairs, Repair{Code: code, Detail: detail})
	}
	utf16, wide := charset.UTF16(raw)
	text := string(utf16)
	if !wide {
		raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
		declared := declaredEncoding(raw)
		single, known := charmapOf(declared)
		switch {
		case utf8.Valid(raw):
			text = string(raw)
			if single != nil && !isASCII(raw) {
				note(FlagEncodingMismatch, "declared single byte, is utf-8")
			}
			if strings.HasPrefix(declared, "utf-16") || strings.HasPrefix(declared, "utf16") {
				note(FlagEncodingMismatch, "declared utf-16, is utf-8")
			}
		case single != nil:
			out, err := single.NewDecoder().Bytes(raw)
			if err != nil {
				out = charset.Mend(raw)
			}
			text = string(out)
		default:
			text = string(charset.Mend(raw))
			note(FlagInvalidUTF8, "read as windows-1252")
		}
		if !known {
			note(FlagEncodingUnknown, "read as utf-8")
		}
	}
	text, dropped := cleanText(text)
	if dropped {
		note(FlagControlCharacter, "removed")
	}
	return text, repairs
}

// declaredEncoding finds the encoding named in an XML declaration near the
// beginning, in lower case; "" if there is none.
func declaredEncoding(raw []byte) string {
	head := strings.ToLower(string(raw[:min(len(raw), 1024)]))
	start := strings.Index(head, "<?xml")
	if start < 0 {
		return ""
	}
	head = head[start:]
	if end := strings.IndexByte(head, '>'); end >= 0 {
		head = head[:end]
	}
	_, after, ok := strings.Cut(head, "encoding")
	if !ok {
		return ""
	}
	isName := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	begin := strings.IndexFunc(after, isName)
	if begin < 0 {
		return ""
	}
	after = after[begin:]
	if end := strings.IndexFunc(after, func(c rune) bool { return !isName(c) }); end >= 0 {
		after = after[:end]
	}
	return after
}

// charmapOf gives the single-byte table of a declared name, nil for the
// Unicode ones. ISO-8859-1 means Windows-1252, as on the web: the difference
// is control characters on one side and typographic quotes on the other.
func charmapOf(name string) (table encoding.Encoding, known bool) {
	switch strings.ReplaceAll(name, "_", "-") {
	case "", "utf-8", "utf8", "utf-16", "utf16", "utf-16le", "utf-16be":
		return nil, true
	case "iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252", "us-ascii", "ascii":
		return charmap.Windows1252, true
	case "iso-8859-2", "latin2":
		return charmap.ISO8859_2, true
	case "iso-8859-9", "latin5", "windows-1254", "cp1254":
		return charmap.Windows1254, true
	case "iso-8859-15", "latin9", "latin-9":
		return charmap.ISO8859_15, true
	case "windows-1250", "cp1250":
		return charmap.Windows1250, true
	case "windows-1251", "cp1251":
		return charmap.Windows1251, true
	case "windows-1257", "cp1257":
		return charmap.Windows1257, true
	case "macintosh", "mac-roman", "macroman":
		return charmap.Macintosh, true
	}
	return nil, false
}

func isASCII(raw []byte) bool {
	for _, c := range raw {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cleanText turns CRLF, CR and NEL into LF and drops what XML 1.0 forbids.
func cleanText(s string) (clean string, dropped bool) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == '\r' || r == '\u0085' || !isXMLChar(r) }) {
		return s, false
	}
	var b strings.Builder
	b.Grow(len(s))
	var last rune
	for _, r := range s {
		switch {
		case r == '\n' && last == '\r':
		case r == '\r' || r == '\u0085':
			b.WriteByte('\n')
		case !isXMLChar(r):
			dropped = true
		default:
			b.WriteRune(r)
		}
		last = r
	}
	return b.String(), dropped
}

// isXMLChar tells the characters kept: those of XML 1.0 without the C1 controls
// and a byte order mark inside the text.
func isXMLChar(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return true
	case r < 0x20 || r >= 0x7f && r <= 0x9f || r == 0xfeff:
		return false
	}
	return r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
}
