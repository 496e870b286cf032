package lead

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SplitName reads a name written in one line into its parts. It understands "Last, First",
// titles before and suffixes after (Dr, Frau, Jr, III), family names with particles (van der,
// de la), and companies by their legal form. Full keeps the line, freed of needless spaces and
// in proper case. A name that has no parts to tell (one word in Han or Kana, say) has Full only.
func SplitName(full string) Name {
	n := Name{Full: NormalizeNamePart(full)}
	if n.Full == "" {
		return n
	}
	if CompanyName(n.Full) {
		n.Company = n.Full
		return n
	}
	before, after, comma := strings.Cut(n.Full, ",")
	if !comma {
		n.readTokens(strings.Fields(n.Full))
		return n
	}
	rest := strings.Fields(strings.ReplaceAll(after, ",", " "))
	family := strings.Fields(before)
	for len(rest) > 0 && isSuffix(rest[len(rest)-1]) {
		n.Suffix = joinWords(rest[len(rest)-1], n.Suffix)
		rest = rest[:len(rest)-1]
	}
	if len(rest) == 0 {
		// "John Smith, Jr": the comma parts the suffix only.
		suffix := n.Suffix
		n.Suffix = ""
		n.readTokens(family)
		n.Suffix = joinWords(n.Suffix, suffix)
		return n
	}
	for len(rest) > 0 && isTitle(rest[0]) {
		n.Prefix = joinWords(n.Prefix, rest[0])
		rest = rest[1:]
	}
	for len(family) > 1 && isTitle(family[0]) {
		n.Prefix = joinWords(n.Prefix, family[0])
		family = family[1:]
	}
	for len(family) > 1 && isSuffix(family[len(family)-1]) {
		n.Suffix = joinWords(family[len(family)-1], n.Suffix)
		family = family[:len(family)-1]
	}
	n.Family = strings.Join(family, " ")
	if len(rest) > 0 {
		n.Given, n.Middle = rest[0], strings.Join(rest[1:], " ")
	}
	return n
}

// readTokens fills the parts from words in western order.
func (n *Name) readTokens(words []string) {
	for len(words) > 0 && (isTitle(words[0]) || n.Prefix != "" && len(words) > 1 && isAnd(words[0]) && isTitle(words[1])) {
		n.Prefix = joinWords(n.Prefix, words[0])
		words = words[1:]
	}
	for len(words) > 1 && isSuffix(words[len(words)-1]) {
		n.Suffix = joinWords(words[len(words)-1], n.Suffix)
		words = words[:len(words)-1]
	}
	switch len(words) {
	case 0:
		return
	case 1:
		if n.Prefix != "" {
			n.Family = words[0] // "Frau Schmidt"
		} else if !unspaced(words[0]) {
			n.Given = words[0]
		}
		return
	}
	start := len(words) - 1
	for i := 1; i < len(words)-1; i++ {
		if isParticle(words[i]) {
			start = i
			break
		}
	}
	n.Given = words[0]
	n.Middle = strings.Join(words[1:start], " ")
	n.Family = strings.Join(words[start:], " ")
}

// NormalizeName brings a name as given into one form: needless spaces go, parts in capitals or
// without any get proper case, a full name in one part is split, a missing Full is put together.
// Names in mixed case and in scripts without case stay as they are. Applying it again changes
// nothing.
func NormalizeName(in Name) Name {
	n := Name{
		Full:    NormalizeNamePart(in.Full),
		Prefix:  NormalizeNamePart(in.Prefix),
		Given:   NormalizeNamePart(in.Given),
		Middle:  NormalizeNamePart(in.Middle),
		Family:  NormalizeNamePart(in.Family),
		Suffix:  NormalizeNamePart(in.Suffix),
		Company: Squeeze(in.Company),
	}
	if n.Company != "" && Squeeze(in.Full) == n.Company {
		n.Full = n.Company // a company spells its name as it likes
	}
	switch {
	case n.Given != "" && n.Given == n.Family && strings.IndexByte(n.Given, ' ') > 0:
		n = mergeSplit(n, SplitName(n.Given))
	case n.Given != "" && n.Family == "" && n.Middle == "" && strings.IndexByte(n.Given, ' ') > 0:
		n = mergeSplit(n, SplitName(n.Given))
	case n.Given == "" && n.Family != "" && n.Prefix == "" && n.Middle == "" && strings.Contains(n.Family, ", "):
		n = mergeSplit(n, SplitName(n.Family))
	case n.Given == "" && n.Family == "" && n.Company == "" && n.Full != "":
		n = mergeSplit(n, SplitName(n.Full))
	}
	if n.Full == "" {
		n.Full = n.joined()
	}
	return n
}

// mergeSplit takes the parts of a split, each brought into form as if it had come alone, and what the
// sender gave beside them.
func mergeSplit(n, s Name) Name {
	for _, part := range []*string{&s.Prefix, &s.Given, &s.Middle, &s.Family, &s.Suffix} {
		*part = NormalizeNamePart(*part)
	}
	s.Full = cmp.Or(n.Full, s.Full)
	s.Prefix, s.Suffix = cmp.Or(s.Prefix, n.Prefix), cmp.Or(s.Suffix, n.Suffix)
	s.Middle, s.Company = cmp.Or(s.Middle, n.Middle), cmp.Or(s.Company, n.Company)
	return s
}

// joined writes the parts in one line; a company without a person gives its own name.
func (n Name) joined() string {
	s := n.Given
	for _, part := range [...]string{n.Middle, n.Family, n.Suffix} {
		s = joinWords(s, part)
	}
	if s == "" {
		return n.Company
	}
	return s
}

// NormalizeNamePart frees one part of a name of needless spaces and quotes and gives it proper
// case when it is written all in capitals or all in small letters. Two capitals without a vowel
// ("TJ") are taken for initials.
func NormalizeNamePart(part string) string {
	s := strings.Trim(Squeeze(part), `" `)
	lower, upper := 0, 0
	vowel := false
	for _, r := range s {
		switch {
		case unicode.IsLower(r):
			lower++
		case unicode.IsUpper(r):
			upper++
			vowel = vowel || strings.ContainsRune("AEIOUY", r)
		case unicode.IsTitle(r):
			return s
		}
	}
	if lower+upper == 0 || lower > 0 && upper > 0 {
		return s
	}
	if upper == 1 || upper == 2 && (!vowel || s[len(s)-1] == 'J') {
		return s
	}
	return properCase(s)
}

// properCase writes each word with a capital, but keeps particles small between other words and
// knows Mc, Mac before a known stem, O' and D', hyphens, initials and generation numbers.
func properCase(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		low := strings.ToLower(w)
		switch {
		case len(words) > 1 && i < len(words)-1 && isParticle(low) && (i > 0 || isParticle(strings.ToLower(words[1])) || longParticle(low)):
			words[i] = low
		case isGeneration(low):
			words[i] = strings.ToUpper(w)
		default:
			words[i] = capitalise(low)
		}
	}
	return strings.Join(words, " ")
}

func capitalise(low string) string {
	var b strings.Builder
	b.Grow(len(low))
	start := 0 // of the stretch between separators
	for i := 0; i <= len(low); {
		r, size := utf8.DecodeRuneInString(low[i:])
		end := i == len(low)
		if !end && !isNameBreak(r) {
			i += size
			continue
		}
		stretch := low[start:i]
		// After an apostrophe a capital follows a short prefix only: O'Neil, but Dell's.
		if start > 0 && isApostrophe(low[:start]) && (utf8.RuneCountInString(stretch) < 2 || start > 4) {
			b.WriteString(stretch)
		} else {
			writeCapital(&b, stretch)
		}
		if end {
			break
		}
		b.WriteRune(r)
		i += size
		start = i
	}
	return b.String()
}

func writeCapital(b *strings.Builder, s string) {
	if rest, ok := strings.CutPrefix(s, "mc"); ok && len(rest) >= 3 {
		b.WriteString("Mc")
		s = rest
	} else if rest, ok := strings.CutPrefix(s, "mac"); ok && macStem(rest) {
		b.WriteString("Mac")
		s = rest
	}
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return
	}
	b.WriteRune(unicode.ToUpper(r))
	b.WriteString(s[size:])
}

func isNameBreak(r rune) bool {
	return r == '-' || r == '\'' || r == '’' || r == '.' || r == '/' || r == '(' || r == '&'
}

func isApostrophe(before string) bool {
	return strings.HasSuffix(before, "'") || strings.HasSuffix(before, "’")
}

func macStem(s string) bool {
	switch s {
	case "donald", "kenzie", "arthur", "gregor", "leod", "pherson", "intyre", "intosh", "millan",
		"lean", "aulay", "dougall", "farlane", "kinnon", "lachlan", "naughton", "neil", "rae", "allister":
		return true
	}
	return false
}

// Squeeze trims a text of one line and makes every stretch of white space one space. Control
// characters count as space, bytes that are no UTF-8 go.
func Squeeze(s string) string {
	clean := utf8.ValidString(s)
	space := true
	for i := 0; clean && i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == 0x7f || c == 0xc2 || c == 0xe2 || c == 0xe3 || c == ' ' && space {
			clean = false
		}
		space = c == ' '
	}
	if clean && !(len(s) > 0 && space) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	pending := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			pending = b.Len() > 0
			continue
		case invisible(r):
			continue
		}
		if pending {
			b.WriteByte(' ')
			pending = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// invisible names what no eye sees: broken bytes and marks without width.
func invisible(r rune) bool { return r == utf8.RuneError || r == '\u200b' || r == '\ufeff' }

func joinWords(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + " " + b
}

// unspaced reports a word in a script that writes family and given name without a space.
func unspaced(s string) bool {
	for _, r := range s {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			return true
		}
	}
	return false
}
