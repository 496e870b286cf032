package lead

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold reduces a word or phrase to what people mean by it when they spell it differently: small
// letters and digits only, Latin letters without their marks, ß as ss. "IONIQ 5", "Ioniq-5" and
// "ioniq5" fold to the same key. Letters of other scripts stay.
func Fold(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteByte(byte(r))
		case r >= 'A' && r <= 'Z':
			b.WriteByte(byte(r) + 'a' - 'A')
		case r < utf8.RuneSelf || r == utf8.RuneError:
		default:
			foldRune(&b, unicode.ToLower(r))
		}
	}
	return b.String()
}

func foldRune(b *strings.Builder, r rune) {
	switch r {
	case 'à', 'á', 'â', 'ã', 'ä', 'å', 'ā', 'ă', 'ą':
		b.WriteByte('a')
	case 'ç', 'ć', 'č':
		b.WriteByte('c')
	case 'ď', 'đ', 'ð':
		b.WriteByte('d')
	case 'è', 'é', 'ê', 'ë', 'ē', 'ę', 'ě':
		b.WriteByte('e')
	case 'ğ':
		b.WriteByte('g')
	case 'ì', 'í', 'î', 'ï', 'ī', 'ı':
		b.WriteByte('i')
	case 'ł', 'ľ':
		b.WriteByte('l')
	case 'ñ', 'ń', 'ň':
		b.WriteByte('n')
	case 'ò', 'ó', 'ô', 'õ', 'ö', 'ø', 'ő', 'ō':
		b.WriteByte('o')
	case 'ř', 'ŕ':
		b.WriteByte('r')
	case 'ś', 'š', 'ş', 'ș':
		b.WriteByte('s')
	case 'ß':
		b.WriteString("ss")
	case 'ť', 'ţ', 'ț':
		b.WriteByte('t')
	case 'ù', 'ú', 'û', 'ü', 'ū', 'ů', 'ű':
		b.WriteByte('u')
	case 'ý', 'ÿ':
		b.WriteByte('y')
	case 'ź', 'ž', 'ż':
		b.WriteByte('z')
	case 'æ':
		b.WriteString("ae")
	case 'œ':
		b.WriteString("oe")
	default:
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && !unicode.In(r, unicode.Mn) || unicode.In(r, unicode.Mn) && r > 0x36f {
			b.WriteRune(r)
		}
	}
}
