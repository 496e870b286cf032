package lead

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseEmail reads an e-mail address. Address is what to send to: freed of spaces, "mailto:",
// a display name with angle brackets and a final full stop, its domain in lower case and its
// local part as given. Key is for matching only: all lower case, without a +tag, and for Google's
// mail without full stops. An address in another script stays as written. What is no address
// keeps Raw alone, with Valid false.
func ParseEmail(raw string) Email {
	e := Email{Raw: raw}
	s := strings.TrimSpace(raw)
	if i := strings.IndexByte(s, '<'); i >= 0 {
		j := strings.IndexByte(s[i:], '>')
		if j < 0 {
			return e
		}
		s = strings.TrimSpace(s[i+1 : i+j])
	}
	if len(s) >= 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
		if i := strings.IndexByte(s, '?'); i >= 0 {
			s = s[:i]
		}
	}
	s = strings.TrimRight(strings.Trim(s, `"' `), ".,;")
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at > 64 || len(s) > 254 {
		return e
	}
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if !validLocal(local) || !validDomain(domain) {
		return e
	}
	e.Valid = true
	e.Address = joinEmail(s, local, domain)
	e.Key = emailKey(e.Address, strings.ToLower(local), domain)
	return e
}

// Domain returns the part after the @, "" for an address that could not be read.
func (e Email) Domain() string { return e.Address[strings.LastIndexByte(e.Address, '@')+1:] }

func emailKey(address, local, domain string) string {
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	return joinEmail(address, local, domain)
}

// joinEmail joins the parts of an address; where they make up the very text they came from, as they
// mostly do, it is that text.
func joinEmail(from, local, domain string) string {
	if len(from) == len(local)+1+len(domain) && from[:len(local)] == local && from[len(local)+1:] == domain {
		return from
	}
	return local + "@" + domain
}

// validLocal takes the unquoted local parts of RFC 5321 and RFC 6531, and, as large providers
// do, full stops anywhere but in front and doubled.
func validLocal(s string) bool {
	if s[0] == '.' || strings.Contains(s, "..") || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
		case r < utf8.RuneSelf:
			if strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", byte(r)) < 0 {
				return false
			}
		case !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r):
			return false
		}
	}
	return true
}

func validDomain(s string) bool {
	if len(s) < 4 || len(s) > 253 || strings.IndexByte(s, '.') < 0 || !utf8.ValidString(s) {
		return false
	}
	label, letters := 0, false
	last := byte('.')
	for i, r := range s {
		switch {
		case r == '.':
			if label == 0 || last == '-' {
				return false
			}
			label, letters = 0, false
		case r == '-':
			if label == 0 {
				return false
			}
			label++
		case r >= 'a' && r <= 'z' || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsMark(r)):
			label++
			letters = true
		case r >= '0' && r <= '9':
			label++
		default:
			return false
		}
		if label > 63 {
			return false
		}
		last = s[i]
	}
	return label >= 2 && letters && last != '-'
}

// DomainSet is a set of mail domains. The zero value is empty. A set is not changed after
// NewDomainSet, so many goroutines may read it.
type DomainSet struct {
	domains map[string]struct{}
}

// NewDomainSet builds a set from lines: one domain each, "#" starts a comment, blank lines and a
// leading "@" or "*." are passed over.
func NewDomainSet(lines []string) DomainSet {
	s := DomainSet{domains: make(map[string]struct{}, len(lines))}
	for _, line := range lines {
		if i := strings.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		line = strings.ToLower(strings.TrimSpace(line))
		line = strings.TrimPrefix(strings.TrimPrefix(line, "@"), "*.")
		if line != "" {
			s.domains[line] = struct{}{}
		}
	}
	return s
}

// Len returns the number of domains in the set.
func (s DomainSet) Len() int { return len(s.domains) }

// Has reports whether the domain, in lower case, or a domain above it is in the set. A name
// without a dot never counts as a domain above.
func (s DomainSet) Has(domain string) bool {
	if len(s.domains) == 0 {
		return false
	}
	for {
		if _, ok := s.domains[domain]; ok {
			return true
		}
		i := strings.IndexByte(domain, '.')
		if i < 0 || strings.IndexByte(domain[i+1:], '.') < 0 {
			return false
		}
		domain = domain[i+1:]
	}
}
