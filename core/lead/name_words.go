package lead

import (
	"strings"
	"unicode"
)

// CompanyName reports whether a name ends in a legal form (GmbH, LLC, Inc, S.A.). Short forms
// that are also surnames or initials count only in their own spelling and after two words.
func CompanyName(s string) bool {
	words := strings.Fields(s)
	if len(words) < 2 {
		return false
	}
	last := words[len(words)-1]
	bare := last
	if strings.ContainsAny(last, ".,()") {
		bare = strings.Map(func(r rune) rune {
			if r == '.' || r == ',' || r == '(' || r == ')' {
				return -1
			}
			return r
		}, last)
	}
	bare = strings.ToLower(bare)
	switch bare {
	case "inc", "incorporated", "llc", "llp", "ltd", "limited", "gmbh", "mbh", "plc", "corp",
		"corporation", "sarl", "eurl", "sas", "ohg", "ug", "gbr", "srl", "spa", "sapi", "pty",
		"fleet", "logistics", "leasing", "holdings", "enterprises":
		return true
	case "co", "company":
		return len(words) > 2 || strings.HasSuffix(last, ".")
	case "ag", "kg", "sa", "bv", "nv", "ab", "oy", "as", "lp", "kgaa", "ek":
		return len(words) > 2 && last != capitalise(bare) && last != bare || strings.Contains(last, ".") && len(bare) == 2 && len(words) > 1
	}
	return false
}

// JunkName tells whether a name is no person's name: "placeholder" (null, N/A, an unfilled
// template mark), "test", or "junk" (keyboard noise, one letter over and over, digits, an
// address); "" for a name that may be real. The name "Null" in proper case may be real.
func JunkName(n Name) string {
	given, family := n.Given, n.Family
	if given == "" && family == "" {
		if n.Company != "" {
			return ""
		}
		given = n.Full
	}
	switch {
	case given == "" && family == "":
		return ""
	case (given == "" || Placeholder(given)) && (family == "" || Placeholder(family)):
		return "placeholder"
	case testWord(given) && (family == "" || testWord(family) || strings.EqualFold(family, "lead")),
		testWord(family) && len(given) <= 1:
		return "test"
	case junkWord(given) && (family == "" || junkWord(family)):
		return "junk"
	}
	for _, part := range [...]string{given, family} {
		if strings.Contains(part, "://") || strings.Contains(part, "www.") || strings.IndexByte(part, '@') >= 0 {
			return "junk"
		}
	}
	return ""
}

// Placeholder reports whether a value stands for "nothing": null, N/A, none, a lone dash, or a
// template mark that nobody filled in. "Null" and "None" in proper case may be names and are
// not counted.
func Placeholder(s string) bool {
	s = strings.TrimSpace(s)
	switch s {
	case "null", "NULL", "(null)", "<null>", "nil", "undefined", "NaN", "nan", "none", "NONE",
		"N/A", "n/a", "N/a", "n.a.", "N.A.", "#N/A", "-", "--", "---", ".", "..", "...", "?", "??",
		"unknown", "UNKNOWN", "Unknown", "not provided", "Not Provided", "NOT PROVIDED",
		"not specified", "Not Specified", "not available", "Not Available", "no name", "No Name",
		"k.A.", "k. A.", "keine Angabe", "Keine Angabe", "sin nombre", "non renseigné", "[object Object]":
		return true
	}
	return templateMark(s)
}

// templateMark reports an unfilled mark: {first}, {{lead.name}}, ${name}, [last_name], %EMAIL%,
// ##city##, *|FNAME|*, <<name>>, <%= name %>.
func templateMark(s string) bool {
	if len(s) < 3 {
		return false
	}
	switch s[0] {
	case '$':
		if s[1] != '{' {
			return false
		}
		s = s[1:]
	case '#', '@':
		return len(s) > 4 && s[1] == s[0] && s[len(s)-1] == s[0] && s[len(s)-2] == s[0] && templateName(s[2:len(s)-2])
	case '*':
		return len(s) > 4 && s[1] == '|' && strings.HasSuffix(s, "|*") && templateName(s[2:len(s)-2])
	}
	var end byte
	switch s[0] {
	case '{':
		end = '}'
	case '[':
		end = ']'
	case '%':
		end = '%'
	case '<':
		end = '>'
	default:
		return false
	}
	if s[len(s)-1] != end {
		return false
	}
	return templateName(s[1 : len(s)-1])
}

// templateName reports what may stand inside an unfilled mark, or in and between several.
func templateName(s string) bool {
	letters := 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r) || strings.ContainsRune("_-. :{}[]%<>|$=", r):
		default:
			return false
		}
	}
	return letters > 0
}

func testWord(s string) bool {
	switch strings.ToLower(strings.TrimRight(s, "0123456789 ")) {
	case "test", "tester", "testing", "testlead", "test lead", "test test", "testperson", "testkunde", "prueba", "essai":
		return true
	}
	return false
}

func junkWord(s string) bool {
	low := strings.ToLower(strings.Join(strings.Fields(s), ""))
	switch low {
	case "asdf", "asd", "asdfg", "asdfgh", "asdfasdf", "qwerty", "qwertz", "qwe", "qwer", "zxcv",
		"abc", "abcd", "abcde", "blah", "blahblah", "fake", "fakename", "nobody", "noname", "aaa", "bbb":
		return true
	}
	letters := 0
	same := true
	var first rune
	for _, r := range low {
		if unicode.IsLetter(r) || unicode.IsMark(r) {
			letters++
			if first == 0 {
				first = r
			}
			same = same && r == first
		}
	}
	return letters == 0 || letters >= 3 && same
}

func isTitle(w string) bool {
	switch strings.ToLower(strings.TrimRight(w, ".")) {
	case "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "herr", "hr", "frau", "fr",
		"monsieur", "madame", "mme", "mlle", "señor", "señora", "sr", "sra", "srta", "don", "doña",
		"ing", "dipl-ing", "med":
		// "Don" and "Fr" are given names or initials too: only the dotted or the plain title
		// spelling of the rest is safe to take away.
		low := strings.ToLower(w)
		return low != "don" && low != "fr" && low != "med"
	}
	return false
}

func isAnd(w string) bool {
	return w == "&" || strings.EqualFold(w, "and") || strings.EqualFold(w, "und")
}

func isSuffix(w string) bool {
	low := strings.ToLower(strings.Trim(w, ".,"))
	switch low {
	case "jr", "sr", "md", "phd", "esq", "dds", "cpa":
		return true
	}
	return isGeneration(low)
}

func isGeneration(low string) bool { return low == "ii" || low == "iii" || low == "iv" }

func isParticle(w string) bool {
	switch strings.ToLower(w) {
	case "van", "von", "vom", "der", "den", "de", "del", "della", "di", "da", "das", "do", "dos", "du",
		"la", "las", "le", "los", "ter", "ten", "zu", "zum", "zur", "bin", "ibn", "bint", "el", "al", "y":
		return true
	}
	return false
}

// longParticle names the particles that start a family name but hardly a given one, so that
// "VON TRAPP" in one part keeps its small "von". "Van" and "Di" are given names too.
func longParticle(low string) bool {
	switch low {
	case "von", "vom", "de", "del", "della", "du", "dos", "das", "ibn", "zu", "zum", "zur":
		return true
	}
	return false
}
