package adf

import (
	"html"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxEntity is the longest reference looked at, "&CounterClockwiseContourIntegral;".
const maxEntity = 34

// decodeText resolves references in a piece of text. XML's five and numbers of
// ordinary characters are silent, HTML's are resolved and reported, and
// anything else stays as written. The result is never longer than the input
// by more than the few HTML names that stand for two characters.
func decodeText(s string) (text string, odd []FlagCode) {
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for amp >= 0 {
		b.WriteString(s[:amp])
		s = s[amp:]
		value, size, code := reference(s)
		b.WriteString(value)
		if code != "" {
			odd = addCode(odd, code)
		}
		s = s[size:]
		amp = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String(), odd
}

// reference reads one reference at the ampersand s begins with: what it stands
// for, the bytes it takes, and the oddity if any.
func reference(s string) (value string, size int, code FlagCode) {
	limit := min(len(s), maxEntity)
	end := 1
	for end < limit && (isAlnum(s[end]) || end == 1 && s[end] == '#') {
		end++
	}
	name := s[1:end]
	closed := end < len(s) && s[end] == ';'
	if strings.HasPrefix(name, "#") {
		return numberReference(name[1:], end, closed)
	}
	if !closed {
		switch strings.ToLower(name) {
		case "amp", "lt", "gt", "quot", "apos", "nbsp":
			if end < len(s) && s[end] == '=' {
				break // a query parameter of that name
			}
			return html.UnescapeString("&" + strings.ToLower(name) + ";"), end, FlagRepairedEntity
		}
		return "&", 1, FlagRepairedEntity
	}
	switch name {
	case "amp":
		return "&", end + 1, ""
	case "lt":
		return "<", end + 1, ""
	case "gt":
		return ">", end + 1, ""
	case "quot":
		return `"`, end + 1, ""
	case "apos":
		return "'", end + 1, ""
	}
	for _, try := range []string{name, strings.ToLower(name)} {
		if v := html.UnescapeString("&" + try + ";"); !strings.HasPrefix(v, "&") && !strings.HasSuffix(v, ";") {
			return v, end + 1, FlagRepairedEntity
		}
	}
	return "&", 1, FlagUnknownEntity
}

func numberReference(digits string, end int, closed bool) (string, int, FlagCode) {
	base := 10
	if strings.HasPrefix(digits, "x") || strings.HasPrefix(digits, "X") {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return "&", 1, FlagUnknownEntity
	}
	var code FlagCode
	if closed {
		end++
	} else {
		code = FlagRepairedEntity
	}
	r := rune(utf8.RuneError)
	switch {
	case n >= 0x80 && n <= 0x9f:
		r, code = charmap.Windows1252.DecodeByte(byte(n)), FlagRepairedEntity
	case n <= utf8.MaxRune && utf8.ValidRune(rune(n)):
		r = rune(n)
	}
	if !isXMLChar(r) {
		return "", end, FlagControlCharacter
	}
	if r == utf8.RuneError {
		code = FlagRepairedEntity
	}
	return string(r), end, code
}

// unescapeDocument undoes one level of escaping when the text holds an escaped
// lead and no plain one.
func unescapeDocument(s string) (string, bool) {
	for _, name := range []string{"adf", "prospect"} {
		for _, lt := range []string{"&lt;", "&amp;lt;", "&#60;", "&#x3c;"} {
			if indexFold(s, lt+name) >= 0 {
				text, _ := decodeText(s)
				return text, true
			}
		}
	}
	return s, false
}

// indexFold is strings.Index for an ASCII needle in lower case.
func indexFold(s, needle string) int {
	first := needle[0]
	for i := 0; i+len(needle) <= len(s); i++ {
		if lower(s[i]) == first && strings.EqualFold(s[i:i+len(needle)], needle) {
			return i
		}
	}
	return -1
}

// positions turns offsets into lines and columns of src.
type positions struct {
	src   string
	lines []int // offset of each line's beginning
}

func newPositions(src string) positions {
	p := positions{src: src, lines: []int{0}}
	for i := 0; i < len(src); i++ {
		if src[i] == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	return p
}

func (p positions) at(offset int) (line, column int) {
	offset = min(offset, len(p.src))
	line = sort.Search(len(p.lines), func(i int) bool { return p.lines[i] > offset })
	start := p.lines[line-1]
	// A one-line document has columns in the millions; counting characters for
	// each of a thousand repairs would be quadratic, so far columns are bytes.
	if offset-start > 4096 {
		return line, offset - start + 1
	}
	return line, utf8.RuneCountInString(p.src[start:offset]) + 1
}

func addCode(codes []FlagCode, code FlagCode) []FlagCode {
	for _, c := range codes {
		if c == code {
			return codes
		}
	}
	return append(codes, code)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isAlpha(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
