package identity

import (
	"strings"
	"unicode/utf8"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// Whoever may decide on a pair without being let into the customers' data sees as much of it as a
// comparison needs: first letters and last digits.

// maskParty leaves of a party what tells two alike and two different ones apart.
func maskParty(p *leadv1.Party) {
	if p == nil {
		return
	}
	if n := p.GetName(); n != nil {
		p.Name = &leadv1.Name{
			Given: head(n.GetGiven()), Middle: head(n.GetMiddle()), Family: head(n.GetFamily()), Suffix: n.GetSuffix(), Company: head(n.GetCompany()),
		}
		if n.GetGiven()+n.GetFamily()+n.GetCompany() == "" {
			p.Name.Full = head(n.GetFull())
		}
	}
	for _, e := range p.GetEmails() {
		local, domain, _ := strings.Cut(e.GetAddress(), "@")
		e.Address, e.Raw = head(local)+"@"+head(domain), ""
	}
	for _, f := range p.GetPhones() {
		f.Number, f.E164, f.Extension = tail(f.GetE164()), tail(f.GetE164()), ""
	}
	if a := p.GetAddress(); a != nil {
		p.Address = &leadv1.Address{City: head(a.GetCity()), Region: a.GetRegion(), PostalCode: head(a.GetPostalCode()), Country: a.GetCountry()}
	}
	if len(p.GetBorn()) >= 4 {
		p.Born = p.GetBorn()[:4]
	}
	p.BestTime = ""
}

// maskRecord masks what a record says of its person.
func maskRecord(r *identityv1.RecordLink) {
	maskParty(r.GetParty())
	for i, id := range r.GetIdentifiers() {
		r.Identifiers[i] = &leadv1.Identifier{Kind: id.GetKind(), Source: id.GetSource(), Value: tail(id.GetValue())}
	}
	for i, vin := range r.GetVins() {
		r.Vins[i] = tail(vin)
	}
}

// head keeps the first letter of a text.
func head(text string) string {
	if text == "" {
		return ""
	}
	_, n := utf8.DecodeRuneInString(text)
	return text[:n] + "***"
}

// tail keeps the last two letters of a text.
func tail(text string) string {
	letters := []rune(text)
	if len(letters) <= 2 {
		return strings.Repeat("*", len(letters))
	}
	return "***" + string(letters[len(letters)-2:])
}
