package routing

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/leadmesh/leadmesh/core/lead"
)

// codeRow is one row of dealer_codes under its code.
type codeRow struct {
	brand, scheme, sub string
	department         lead.Department
	valid              Span
	dealer             int32
}

// CodeQuery asks which dealer a sender means. Everything but Code may be empty and then does not
// narrow the search; Brand and Scheme narrow it only while something fits.
type CodeQuery struct {
	Brand, Scheme, Code, SubCode string
	Department                   lead.Department
	At                           int64 // Unix seconds; a code counts only while it is valid
}

// Found is the dealer behind a code or name.
type Found struct {
	Dealer     string
	Department lead.Department // the one the code is for; 0 when it is for all
	Succeeded  bool            // the code belonged to a dealer that this one replaced
}

// FindCode returns the dealer of a code at a time, or the dealer that succeeded it. A code is often
// sent with a lead about another brand than it was given for, or under another scheme's name: what
// nothing fits is looked for without the brand, then without the scheme too. ok is false when there
// is none, or when the query fits several dealers: a guess would be somebody else's customer.
func (s *Snapshot) FindCode(q CodeQuery) (found Found, ok bool) {
	rows := s.codes[normalCode(q.Code)]
	for {
		found, fitting := s.findCode(rows, q)
		switch {
		case fitting > 0:
			return found, fitting == 1
		case q.Brand != "":
			q.Brand = ""
		case q.Scheme != "":
			q.Scheme = ""
		default:
			return Found{}, false
		}
	}
}

// findCode looks at the rows of a code. fitting is how many dealers they lead to, 2 standing for
// several.
func (s *Snapshot) findCode(rows []codeRow, q CodeQuery) (found Found, fitting int) {
	hit := int32(-1)
	for _, row := range rows {
		if !fits(q.Brand, row.brand) || !fits(q.Scheme, row.scheme) || !fits(q.SubCode, row.sub) ||
			q.Department != 0 && row.department != 0 && q.Department != row.department || !row.valid.Holds(q.At) {
			continue
		}
		heir := s.heirOf(row.dealer)
		if hit >= 0 && hit != heir {
			return Found{}, 2
		}
		department := row.department
		if hit >= 0 && found.Department != department {
			department = lead.DepartmentUnspecified
		}
		found = Found{s.dealers[heir].id, department, found.Succeeded || heir != row.dealer}
		hit, fitting = heir, 1
	}
	return found, fitting
}

func fits(asked, row string) bool { return asked == "" || row == "" || asked == row }

// FindName returns the dealer of a name, written as people write it: case, accents, punctuation
// and legal forms do not count. It is weaker evidence than a code; set Facts.DealerByName. ok is
// false when there is none, or several.
func (s *Snapshot) FindName(name string) (found Found, ok bool) {
	n, ok := s.byName[normalName(name)]
	if !ok || n < 0 {
		return Found{}, false
	}
	heir := s.heirOf(n)
	return Found{Dealer: s.dealers[heir].id, Succeeded: heir != n}, true
}

func (s *Snapshot) compileLookups(rows []Dealer) {
	s.codes = map[string][]codeRow{}
	s.byName = make(map[string]int32, len(rows))
	for i := range rows {
		row := &rows[i]
		n := s.byID[row.ID]
		for _, c := range row.Codes {
			key := normalCode(c.Code)
			s.codes[key] = append(s.codes[key], codeRow{c.Brand, c.Scheme, c.SubCode, c.Department, c.Valid, n})
		}
		if key := normalName(row.Name); key != "" && row.Kind == KindRooftop {
			if other, taken := s.byName[key]; taken && other != n {
				n = -1
			}
			s.byName[key] = n
		}
	}
}

func normalCode(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

// normalName folds a dealer's name to lower-case letters and digits with single spaces, without
// marks and without the legal forms at its end.
func normalName(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ø':
			b.WriteByte('o')
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ł':
			b.WriteByte('l')
		case r == '&':
			b.WriteByte(' ')
		case r == '.' || r == '\'' || r == '’' || unicode.Is(unicode.Mn, r):
			// Inside a word: L.L.C., O'Neill.
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	for len(words) > 1 && slices.Contains(legalForms(), words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	if len(words) > 1 && words[0] == "the" {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

func legalForms() []string {
	return []string{"ag", "bv", "co", "corp", "corporation", "company", "gmbh", "inc", "incorporated", "kg", "llc", "llp",
		"limited", "lp", "ltd", "mbh", "nv", "ohg", "plc", "sa", "sarl", "sas", "se", "spa", "srl"}
}
