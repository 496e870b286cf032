package adf

import (
	"strings"
	"unicode"
)

// isNullString tells a text that programs write for a missing value. The
// surname Null exists, so in names only the spellings of programs count.
func isNullString(s, element string) bool {
	if len(s) > 16 {
		return false
	}
	switch strings.ToLower(s) {
	case "null", "none", "nil", "nan":
		if element == "name" {
			return s == "null" || s == "NULL" || s == "nil" || s == "NaN"
		}
		return true
	case "undefined", "n/a", "#n/a", "(null)", "[null]", "<null>", "null null", "undefined undefined", "none none",
		"(none)", "not provided", "not available", "not specified", "n.a.", "-", "--":
		return true
	}
	return false
}

// hasPlaceholder tells template variables nobody filled: {x}, {{x}}, ${x},
// [[x]], [x] as the whole value, %%x%%, %x%, ##x##, @@x@@, *|X|*, <%= x %>, <<x>>.
func hasPlaceholder(s string) bool {
	for _, pair := range [...][2]string{{"{", "}"}, {"[[", "]]"}, {"%%", "%%"}, {"##", "##"}, {"*|", "|*"}, {"<%", "%>"}, {"<<", ">>"}, {"@@", "@@"}} {
		if _, rest, ok := strings.Cut(s, pair[0]); ok {
			if inner, _, ok := strings.Cut(rest, pair[1]); ok && isVariable(strings.Trim(inner, "{} =-")) {
				return true
			}
		}
	}
	if len(s) > 2 && (s[0] == '[' && s[len(s)-1] == ']' || s[0] == '%' && s[len(s)-1] == '%') {
		return isVariable(s[1 : len(s)-1])
	}
	// A bracketed identifier with an underscore inside a sentence.
	open := -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[':
			open = i + 1
		case ']':
			if open >= 0 && i-open <= 64 && strings.Contains(s[open:i], "_") && isVariable(s[open:i]) {
				return true
			}
			open = -1
		}
	}
	return false
}

// isVariable tells what may stand inside the marks of a template variable.
func isVariable(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	letters := false
	for _, c := range s {
		switch {
		case unicode.IsLetter(c):
			letters = true
		case unicode.IsDigit(c), strings.ContainsRune(" _.:-|$'\"()/", c):
		default:
			return false
		}
	}
	return letters
}

// maskSensitive replaces numbers grouped like a US social security number
// (3-2-4) anywhere, and nine digits in any grouping behind words that announce
// such a number or its Canadian sibling.
func maskSensitive(s string) (masked string, found bool) {
	var b []byte
	announced := -1 // digits before this offset belong to an announced number
	for i := 0; i < len(s); i++ {
		if !isAlnum(s[i]) || i > 0 && isAlnum(s[i-1]) {
			continue
		}
		if !isDigit(s[i]) {
			end := i
			for end < len(s) && isAlpha(s[end]) {
				end++
			}
			if announces(s[i:end]) {
				announced = end + 40
			}
			i = end - 1
			continue
		}
		end, groups := digitGroups(s, i)
		ssn := groups == "324"
		if i < announced {
			ssn = ssn || groups == "9" || groups == "333" || groups == "36" || groups == "54" || groups == "4" && announcedLast4(s[max(0, i-16):i])
		}
		if ssn {
			if b == nil {
				b = []byte(s)
			}
			for k := i; k < end; k++ {
				if isDigit(b[k]) {
					b[k] = '*'
				}
			}
		}
		i = end - 1
	}
	if b == nil {
		return s, false
	}
	return string(b), true
}

// announces tells the words before a number of this kind. "sin" alone is a
// word of Spanish, so only capitals count.
func announces(word string) bool {
	switch word {
	case "SIN", "NAS", "TIN":
		return true
	}
	switch strings.ToLower(word) {
	case "ssn", "ssnumber", "socialsecuritynumber", "social", "itin", "socialinsurancenumber", "cobuyerssn":
		return true
	}
	return false
}

func announcedLast4(before string) bool {
	return strings.Contains(strings.ToLower(before), "last") || strings.HasSuffix(strings.TrimRight(before, " :=#"), "SSN")
}

// digitGroups reads groups of digits joined by one space or hyphen and gives
// the end and the group sizes, "324". At most four groups are read.
func digitGroups(s string, i int) (end int, groups string) {
	start := i
	for n := 0; ; n++ {
		g := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i-g > 9 || n == 4 {
			return i, ""
		}
		groups += string(rune('0' + i - g))
		if i+1 < len(s) && (s[i] == '-' || s[i] == ' ' || s[i] == '.') && isDigit(s[i+1]) && !breaksGroup(s, start, i) {
			i++
			continue
		}
		if i < len(s) && isAlpha(s[i]) {
			return i, ""
		}
		return i, groups
	}
}

// breaksGroup keeps a number that already has the 3-2-4 shape apart from a
// following one after a space.
func breaksGroup(s string, start, i int) bool {
	return i-start == 11 && s[i] == ' ' && !isDigit(s[start+3]) && !isDigit(s[start+6])
}

func isSensitiveKey(name string) bool {
	switch foldEnum(name) {
	case "ssn", "socialsecuritynumber", "socialsecurity", "sin", "socialinsurancenumber", "cobuyerssn", "itin":
		return true
	}
	return false
}

func maskDigits(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return '*'
		}
		return c
	}, s)
}
