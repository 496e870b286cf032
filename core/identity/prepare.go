package identity

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Prepared is a record made ready to be weighed many times. It is immutable, shares the memory of its
// record and belongs to the matcher that made it.
type Prepared struct {
	has       uint32 // one bit for each field that the record says something of
	names     []preparedName
	emails    []preparedEmail
	phones    []preparedPhone
	addresses []preparedAddress
	born      []date
	ids       []lead.Identifier
	vins      []string
	companies []string
	traits    []preparedTrait
}

// preparedName is a name with what is looked up of it once.
type preparedName struct {
	Name
	plainGiven, plainFamily     string // without the second letter of ae, oe, ue
	nicknames                   []uint16
	givenLetters, familyLetters uint64
	givenShare, familyShare     int32 // log2 of how many have the name, in thousandths
	known                       bool  // the given name is one that many have
	whose                       sex   // of those who have the given name
	generation                  uint8 // 1 for the elder, 2 for the younger, ... 0 when not given
}

type preparedEmail struct {
	key                         string
	local, domain               string
	localLetters, domainLetters uint64
	role                        bool // the local part names an office, not a person
	large                       bool // very many have an address at this domain
	share                       int32
}

type preparedPhone struct {
	number string
	share  int32
}

type preparedTrait struct {
	Trait
	letters uint64
	share   int32
}

// date is a date of birth; a part that is not given is 0.
type date struct{ year, month, day int16 }

func (d date) complete() bool { return d.year != 0 && d.month != 0 && d.day != 0 }

// Prepare does the costly part of a comparison once.
func (m *Matcher) Prepare(r *Record) Prepared {
	p := Prepared{ids: r.IDs, vins: r.VINs, companies: r.Companies}
	if len(r.Names) > 0 {
		p.names = make([]preparedName, len(r.Names))
		for i := range r.Names {
			p.names[i] = m.prepareName(r.Names[i])
			n := &p.names[i]
			p.note(FieldGivenName, n.Given != "")
			p.note(FieldMiddleName, n.Middle != "")
			p.note(FieldFamilyName, n.Family != "")
			p.note(FieldGeneration, n.generation != 0)
		}
	}
	if len(r.Emails) > 0 {
		p.emails = make([]preparedEmail, len(r.Emails))
		for i, key := range r.Emails {
			local, domain, _ := strings.Cut(key, "@")
			local = undivided(local)
			p.emails[i] = preparedEmail{
				key: key, local: local, domain: domain, role: roleName(local),
				localLetters: letters(local), domainLetters: letters(domain), share: m.share(FieldEmail, key),
				large: largeProvider(domain) || m.common(domain),
			}
		}
	}
	if len(r.Phones) > 0 {
		p.phones = make([]preparedPhone, len(r.Phones))
		for i, number := range r.Phones {
			p.phones[i] = preparedPhone{number, m.share(FieldPhone, number)}
		}
	}
	if len(r.Born) > 0 {
		p.born = make([]date, 0, len(r.Born))
		for _, text := range r.Born {
			if d := parseDate(text); d.year != 0 {
				p.born = append(p.born, d)
			}
		}
	}
	if len(r.Traits) > 0 {
		p.traits = make([]preparedTrait, len(r.Traits))
		for i, t := range r.Traits {
			p.traits[i] = preparedTrait{t, letters(t.Value), m.share(t.Kind.Field(), t.Value)}
			p.note(t.Kind.Field(), t.Value != "")
		}
	}
	if list := ReadAddresses(r.Addresses); len(list) > 0 {
		p.addresses = make([]preparedAddress, len(list))
		for i, a := range list {
			p.addresses[i] = preparedAddress{
				Address: a, streetLetters: letters(a.Street), lineLetters: letters(a.Line), cityLetters: letters(a.City),
				cityShare: m.share(FieldPlace, a.City),
			}
			if m.params.Shares[FieldAddress] != nil {
				p.addresses[i].share = m.share(FieldAddress, AddressValue(a))
			}
			p.note(FieldAddress, a.Number != "" || a.Street != "")
			p.note(FieldLine, a.Line != "")
			p.note(FieldPlace, a.Postal != "" || a.City != "" || a.Region != "")
		}
	}
	p.note(FieldEmail, len(p.emails) > 0)
	p.note(FieldPhone, len(p.phones) > 0)
	p.note(FieldBorn, len(p.born) > 0)
	p.note(FieldID, len(p.ids) > 0)
	p.note(FieldVehicle, len(p.vins) > 0)
	p.note(FieldCompany, len(p.companies) > 0)
	return p
}

func (p *Prepared) note(f Field, has bool) {
	if has {
		p.has |= 1 << f
	}
}

func (m *Matcher) prepareName(n Name) preparedName {
	p := preparedName{
		Name: n, plainGiven: plain(n.Given), plainFamily: plain(n.Family),
		givenLetters: letters(n.Given), familyLetters: letters(n.Family),
		givenShare: m.share(FieldGivenName, n.Given), familyShare: m.share(FieldFamilyName, n.Family),
		generation: generationOf(n.Suffix),
	}
	if m.names != nil {
		p.nicknames = m.names.nicknames[n.Given]
		p.known, p.whose = m.names.lookUp(n.Given)
	}
	return p
}

// largeShare is the log2 share of a list's addresses from which on a mail domain counts as a large
// provider's.
const largeShare = -6_650

// common reports a mail domain that many addresses of a learned list are at.
func (m *Matcher) common(domain string) bool {
	if m.params.Shares[FieldEmail] == nil {
		return false
	}
	s := m.share(FieldEmail, "@"+domain)
	return s != 0 && s > largeShare
}

// plain writes ä, ö and ü the same whether they were spelled with one letter or with two.
func plain(s string) string {
	if !strings.Contains(s, "ae") && !strings.Contains(s, "oe") && !strings.Contains(s, "ue") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == 'e' && i > 0 && (s[i-1] == 'a' || s[i-1] == 'o' || s[i-1] == 'u') {
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// generationOf reads a folded suffix: junior and II are the second generation.
func generationOf(suffix string) uint8 {
	switch suffix {
	case "sr", "snr", "senior", "i", "1st", "1":
		return 1
	case "jr", "jnr", "junior", "ii", "2nd", "2":
		return 2
	case "iii", "3rd", "3":
		return 3
	case "iv", "4th", "4":
		return 4
	case "v", "5th", "5":
		return 5
	}
	return 0
}

// undivided returns the local part of an address without what parts its words.
func undivided(local string) string {
	if !strings.ContainsAny(local, "._-") {
		return local
	}
	b := make([]byte, 0, len(local))
	for i := 0; i < len(local); i++ {
		if c := local[i]; c != '.' && c != '_' && c != '-' {
			b = append(b, c)
		}
	}
	return string(b)
}

// roleName reports the local part of an address that several people read.
func roleName(local string) bool {
	switch lead.Fold(local) {
	case "info", "sales", "contact", "office", "admin", "mail", "email", "service", "support", "hello", "kontakt", "fleet", "team":
		return true
	}
	return false
}

// parseDate reads YYYY-MM-DD, YYYY-MM or YYYY, with or without hyphens; the zero date for anything
// else.
func parseDate(s string) date {
	var digits [8]int16
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9' && n < len(digits):
			digits[n] = int16(c - '0')
			n++
		case c != '-':
			return date{}
		}
	}
	var d date
	if n >= 4 {
		d.year = digits[0]*1000 + digits[1]*100 + digits[2]*10 + digits[3]
	}
	if n >= 6 {
		d.month = digits[4]*10 + digits[5]
	}
	if n == 8 {
		d.day = digits[6]*10 + digits[7]
	}
	return d
}

// Field returns the field that traits of a kind are compared in.
func (k TraitKind) Field() Field {
	switch k {
	case TraitNumber:
		return FieldNumber
	case TraitSex:
		return FieldSex
	case TraitBirthplace:
		return FieldBirthplace
	case TraitOccupation:
		return FieldOccupation
	}
	return FieldUnspecified
}
