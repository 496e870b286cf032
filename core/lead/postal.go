package lead

import "strings"

// postalForms gives the form of a country's postal codes: N a digit, A a letter, anything else
// itself. The first form is the one that codes are written in.
var postalForms = map[string]string{
	"AR": "NNNN", "AT": "NNNN", "AU": "NNNN", "BE": "NNNN", "BG": "NNNN", "BR": "NNNNN-NNN",
	"CH": "NNNN", "CN": "NNNNNN", "CY": "NNNN", "CZ": "NNN NN", "DE": "NNNNN", "DK": "NNNN",
	"EE": "NNNNN", "ES": "NNNNN", "FI": "NNNNN", "FR": "NNNNN", "GR": "NNN NN", "HR": "NNNNN",
	"HU": "NNNN", "IE": "AXX XXXX", "IL": "NNNNNNN", "IN": "NNNNNN", "IT": "NNNNN", "JP": "NNN-NNNN",
	"KR": "NNNNN", "LI": "NNNN", "LT": "NNNNN", "LU": "NNNN", "LV": "NNNN", "MC": "NNNNN",
	"MX": "NNNNN", "MY": "NNNNN", "NL": "NNNN AA", "NO": "NNNN", "NZ": "NNNN", "PH": "NNNN",
	"PL": "NN-NNN", "PT": "NNNN-NNN", "RO": "NNNNNN", "RS": "NNNNN", "RU": "NNNNNN", "SA": "NNNNN",
	"SE": "NNN NN", "SG": "NNNNNN", "SI": "NNNN", "SK": "NNN NN", "TH": "NNNNN", "TR": "NNNNN",
	"TW": "NNNNN", "UA": "NNNNN", "ZA": "NNNN",
}

// ParsePostal brings a postal code into its country's form: US ZIP and ZIP+4 become five digits
// and get back a leading zero that a spreadsheet ate, Canadian codes "A1A 1A1", British ones
// their space. Country is ISO 3166-1 alpha-2 in upper case; ok is false when the code does not
// have that country's form (then it comes back trimmed) or is empty. Countries without a known
// form take any 2 to 10 letters and digits. A Canadian or British code may be its first half.
func ParsePostal(raw, country string) (code string, ok bool) {
	trimmed := Squeeze(raw)
	if trimmed == "" || len(trimmed) > 32 {
		return trimmed, false
	}
	s := compactCode(trimmed)
	switch country {
	case "US", "PR":
		return zipCode(trimmed, s)
	case "CA":
		return canadianCode(trimmed, s)
	case "GB", "IM", "JE", "GG":
		return britishCode(trimmed, s)
	}
	form, known := postalForms[country]
	if !known {
		up := strings.ToUpper(trimmed)
		return up, len(s) >= 2 && len(s) <= 10
	}
	s = strings.TrimPrefix(s, country)
	if len(s) > 1 && (s[0] == country[0] || s[0] == 'D' && country == "DE") && s[1] >= '0' && s[1] <= '9' && form[0] == 'N' {
		s = s[1:] // D-80331, F-75001, A-1010
	}
	want := len(form) - strings.Count(form, " ") - strings.Count(form, "-")
	if want == 5 && len(s) == 4 && allDigits(s) {
		switch country {
		case "DE", "FR", "ES", "IT":
			s = "0" + s
		}
	}
	if code, ok = fit(s, form); ok {
		return code, true
	}
	return trimmed, false
}

func zipCode(trimmed, s string) (string, bool) {
	t := strings.TrimSuffix(trimmed, ".0") // a number that went through a spreadsheet
	if t != trimmed {
		s = compactCode(t)
	}
	head, tail, plus4 := strings.Cut(t, "-")
	head, tail = strings.TrimSpace(head), strings.TrimSpace(tail)
	switch {
	case !allDigits(s):
		return trimmed, false
	case plus4 && len(head) >= 3 && len(head) <= 5 && (len(tail) == 4 || tail == ""):
		s = head
	case !plus4 && (len(s) == 9 || len(s) == 8):
		s = s[:len(s)-4]
	case plus4:
		return trimmed, false
	}
	switch len(s) {
	case 3:
		s = "00" + s // Puerto Rico and the Virgin Islands start with 00
	case 4:
		s = "0" + s
	case 5:
	default:
		return trimmed, false
	}
	return s, s != "00000"
}

func canadianCode(trimmed, s string) (string, bool) {
	if len(s) != 6 && len(s) != 3 {
		return trimmed, false
	}
	b := []byte(s)
	for i := range b {
		if i%2 == 1 {
			switch b[i] { // the eye takes these letters for digits
			case 'O':
				b[i] = '0'
			case 'I', 'L':
				b[i] = '1'
			}
			if b[i] < '0' || b[i] > '9' {
				return trimmed, false
			}
		} else if b[i] < 'A' || b[i] > 'Z' || strings.IndexByte("DFIOQU", b[i]) >= 0 {
			return trimmed, false
		}
	}
	if b[0] == 'W' || b[0] == 'Z' {
		return trimmed, false
	}
	if len(b) == 3 {
		return string(b), true
	}
	return string(b[:3]) + " " + string(b[3:]), true
}

func britishCode(trimmed, s string) (string, bool) {
	if inward := len(s) - 3; len(s) >= 5 && len(s) <= 7 {
		in, inOK := fit(s[inward:], "NAA")
		if inOK && britishOutward(s[:inward]) {
			return s[:inward] + " " + in, true
		}
	}
	if britishOutward(s) {
		return s, true
	}
	return trimmed, false
}

// britishOutward takes A9, A99, AA9, AA99, A9A and AA9A.
func britishOutward(s string) bool {
	for _, form := range [...]string{"AN", "ANN", "AAN", "AANN", "ANA", "AANA"} {
		if len(form) == len(s) {
			if _, ok := fit(s, form); ok {
				return true
			}
		}
	}
	return false
}

// fit lays a compact code into a form; X takes a letter or a digit.
func fit(s, form string) (string, bool) {
	out := make([]byte, 0, len(form))
	i := 0
	for j := range len(form) {
		f := form[j]
		if f == ' ' || f == '-' {
			out = append(out, f)
			continue
		}
		if i == len(s) {
			return "", false
		}
		c := s[i]
		digit, letter := c >= '0' && c <= '9', c >= 'A' && c <= 'Z'
		if f == 'N' && !digit || f == 'A' && !letter || f == 'X' && !digit && !letter {
			return "", false
		}
		out = append(out, c)
		i++
	}
	return string(out), i == len(s)
}

// compactCode keeps the ASCII letters, in upper case, and digits.
func compactCode(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			b = append(b, c-'a'+'A')
		case c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
			b = append(b, c)
		case c != ' ' && c != '-' && c != '.':
			b = append(b, '?') // keeps anything else from fitting a form
		}
	}
	return string(b)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
