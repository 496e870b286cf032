package card

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// quote writes a text as a YAML value, in quotes unless every reader takes it for a text as it is.
func quote(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// reserved are the words that some reader of YAML takes for something else than a text.
var reserved = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"}

func plain(s string) bool {
	if s == "" || strings.HasSuffix(s, " ") || strings.Contains(s, "  ") || slices.Contains(reserved, strings.ToLower(s)) {
		return false
	}
	for i, r := range s {
		letter := r < 0x80 && unicode.IsLetter(r)
		if i == 0 && !letter || !letter && !strings.ContainsRune("0123456789 _./+-", r) {
			return false
		}
	}
	return true
}
