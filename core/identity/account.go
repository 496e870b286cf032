package identity

import (
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// AccountKeys returns what the organisation that a party acts for can be known by: its name, without
// the legal form, together with the domain of an e-mail address of its own or with the place, the
// strongest first. There are none for a party that names no organisation, or only its name: companies
// of one name are as frequent as people of one name. The keys are personal data: hash them before
// storing them.
func AccountKeys(p *lead.Party) []string {
	company := companyKey(p.Name.Company)
	if company == "" {
		return nil
	}
	var keys []string
	for _, e := range p.Emails {
		if domain := e.Domain(); e.Valid && !publicMail(domain) {
			if k := company + "\x00@" + domain; !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	place := lead.Fold(p.Address.Postal)
	if place == "" {
		place = lead.Fold(p.Address.City)
	}
	if place != "" {
		keys = append(keys, company+"\x00"+strings.ToUpper(p.Address.Country)+"\x00"+place)
	}
	return keys
}

// Colleagues reports whether two records act for an organisation of one name and are of different
// families: what they share then is the office's, not a home's.
func Colleagues(a, b *Record) bool {
	return slices.ContainsFunc(a.Companies, func(x string) bool {
		return slices.ContainsFunc(b.Companies, func(y string) bool { return sameCompany(x, y) })
	}) && !slices.ContainsFunc(a.Names, func(x Name) bool {
		return x.Family != "" && slices.ContainsFunc(b.Names, func(y Name) bool { return x.Family == y.Family })
	})
}

// sameCompany reports whether two folded names are equal but for their legal forms.
func sameCompany(a, b string) bool { return a == b || bareCompany(a) == bareCompany(b) }

// bareCompany cuts a legal form off a folded name.
func bareCompany(name string) string {
	for i := len(name) - 1; i > 1; i-- {
		if legalForm(name[i:]) {
			return name[:i]
		}
	}
	return name
}

// companyKey folds the name of a company and leaves out legal forms at its end.
func companyKey(name string) string {
	words := strings.Fields(name)
	for len(words) > 1 && legalForm(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	return lead.Fold(strings.Join(words, " "))
}

// legalForm reports whether a word behind a company's name is none of the name.
func legalForm(word string) bool {
	switch lead.Fold(word) {
	case "inc", "incorporated", "llc", "llp", "lp", "ltd", "limited", "plc", "corp", "corporation", "co", "company", "pty",
		"gmbh", "mbh", "ag", "kg", "kgaa", "ohg", "ug", "gbr", "ek", "sarl", "sas", "sa", "eurl", "srl", "spa", "sapi",
		"bv", "nv", "ab", "oy", "as", "aps", "sl", "cokg", "":
		return true
	}
	return false
}

// publicMail reports whether anybody can have a mailbox of a domain.
func publicMail(domain string) bool {
	name, _, _ := strings.Cut(domain, ".")
	switch name {
	case "gmail", "googlemail", "yahoo", "ymail", "rocketmail", "hotmail", "outlook", "live", "msn", "aol", "icloud", "me", "mac",
		"proton", "protonmail", "pm", "mail", "email", "gmx", "web", "freenet", "yandex", "zoho", "fastmail", "hey", "tutanota",
		"comcast", "verizon", "att", "sbcglobal", "bellsouth", "cox", "charter", "earthlink", "juno", "optonline", "frontier",
		"btinternet", "sky", "talktalk", "virginmedia", "ntlworld", "orange", "wanadoo", "free", "laposte", "sfr", "libero",
		"t-online", "arcor", "rogers", "shaw", "sympatico", "bigpond", "qq", "163", "126":
		return true
	}
	return false
}
