package star

import (
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// person reads the prospect: where the lead names several, the first with a name or contact point is
// the primary party.
func (r *reader) person() {
	for _, name := range []string{"IndividualProspect", "CustomerProspect", "OrganizationProspect", "ProspectParty", "Prospect", "Customer", "SpecifiedPerson"} {
		for _, n := range r.n.all(name, nil) {
			if len(r.l.Parties) < maxParts {
				r.party(n)
			}
		}
		if len(r.l.Parties) > 0 {
			break
		}
	}
	for _, name := range []string{"CoBuyer", "CoBuyerParty", "CoApplicant", "CoApplicantParty", "CoSigner"} {
		for _, n := range r.n.all(name, nil) {
			if len(r.l.Parties) > 0 && len(r.l.Parties) < maxParts {
				r.party(n)
			}
		}
	}
}

func (r *reader) party(n *node) {
	p := lead.Party{Role: lead.PartyRolePrimary}
	if len(r.l.Parties) > 0 {
		p.Role = lead.PartyRoleCoBuyer
	}
	p.Name = lead.Name{
		Prefix: n.text("Salutation", "Title"), Given: n.text("GivenName", "FirstName", "FirstName1"), Middle: n.text("MiddleName"),
		Family: n.text("FamilyName", "LastName", "LastName1", "Surname"), Suffix: n.text("NameSuffix", "Suffix"),
		Full: n.text("FormattedName", "FullName"), Company: n.text("CompanyName", "OrganizationName", "Company"),
	}
	r.emails(n, &p)
	r.phones(n, &p)
	p.Address = lead.Address{
		Unit: n.text("UnitNumber", "Apartment"), City: n.text("CityName", "City"), Postal: n.text("Postcode", "PostalCode", "Zip", "ZipCode"),
		Region:  n.text("StateOrProvinceCountrySub-DivisionID", "StateOrProvince", "Region", "Canton"),
		Country: n.text("CountryID", "Country", "CountryCode"),
	}
	for _, line := range []string{"LineOne", "LineTwo", "LineThree", "AddressLine", "AddressLine1", "AddressLine2", "Street", "Street1", "Street2", "StreetName"} {
		for _, s := range n.all(line, nil) {
			if s.value != "" && !lead.Placeholder(s.value) {
				p.Address.Streets = append(p.Address.Streets, s.take())
			}
		}
	}
	if t, _, ok := lead.ParseTime(n.peek("BirthDate"), nil, false); ok {
		n.text("BirthDate")
		p.Born = t.Format(time.DateOnly)
	}
	if c := channel(n.peek("ContactMethodTypeCode")); c != lead.ChannelUnspecified {
		n.text("ContactMethodTypeCode")
		p.Preferred = c
	} else if c := channel(n.peek("PreferredContactMethod")); c != lead.ChannelUnspecified {
		n.text("PreferredContactMethod")
		p.Preferred = c
	}
	p.BestTime = n.text("PreferredContactTime", "ContactTime")
	p.Language = r.l.Language
	if p.Name != (lead.Name{}) || len(p.Emails)+len(p.Phones) > 0 {
		r.l.Parties = append(r.l.Parties, p)
	}
}

func (r *reader) emails(n *node, p *lead.Party) {
	add := func(c *node) {
		if c.value != "" && !c.used && !lead.Placeholder(c.value) && len(p.Emails) < maxParts {
			p.Emails = append(p.Emails, lead.Email{Raw: c.value, Address: c.take()})
		}
	}
	for _, u := range n.all("URICommunication", nil) {
		if id := u.leaf("URIID", "URI", "CompleteURI"); id != nil && strings.Contains(id.value, "@") {
			add(id)
		}
	}
	for _, name := range []string{"EMailAddress", "EmailAddress", "EmailP1", "EmailP2", "EmailB1", "EmailB2", "Email", "EMail"} {
		for _, c := range n.all(name, nil) {
			add(c)
		}
	}
}

func (r *reader) phones(n *node, p *lead.Party) {
	add := func(c *node, number string, kind lead.PhoneType) {
		c.used = true
		if number != "" && !lead.Placeholder(number) && len(p.Phones) < maxParts {
			p.Phones = append(p.Phones, lead.Phone{Raw: number, Type: kind})
		}
	}
	for _, name := range []string{"TelephoneCommunication", "Telephone", "PhoneCommunication"} {
		for _, t := range n.all(name, nil) {
			kind := phoneType(t.peek("ChannelCode") + t.peek("UseCode") + t.peek("@desc") + t.peek("@type"))
			if t.value != "" {
				add(t, t.value, kind)
				continue
			}
			number := t.text("CompleteNumber")
			if number == "" {
				area, local := t.text("AreaNumberCode"), t.text("LocalNumber")
				if number = strings.TrimSpace(area + " " + local); number != "" {
					if country := t.text("CountryNumberCode"); country != "" {
						number = "+" + strings.TrimLeft(country, "+0") + " " + number
					}
				}
			}
			add(t, number, kind)
		}
	}
	for _, f := range []struct {
		name string
		kind lead.PhoneType
	}{
		{"MobileP1", lead.PhoneTypeMobile}, {"MobileP2", lead.PhoneTypeMobile}, {"Mobile", lead.PhoneTypeMobile}, {"MobileNumber", lead.PhoneTypeMobile},
		{"TelP1", lead.PhoneTypeUnspecified}, {"TelP2", lead.PhoneTypeUnspecified}, {"TelB1", lead.PhoneTypeWork}, {"TelB2", lead.PhoneTypeWork},
		{"CellPhone", lead.PhoneTypeMobile}, {"MobilePhone", lead.PhoneTypeMobile}, {"HomePhone", lead.PhoneTypeHome}, {"EveningPhone", lead.PhoneTypeHome},
		{"WorkPhone", lead.PhoneTypeWork}, {"DayPhone", lead.PhoneTypeWork},
		{"PhoneNumber", lead.PhoneTypeUnspecified}, {"Phone", lead.PhoneTypeUnspecified}, {"Tel", lead.PhoneTypeUnspecified},
	} {
		for _, c := range n.all(f.name, nil) {
			if c.value != "" && !c.used {
				add(c, c.value, f.kind)
			}
		}
	}
}

func phoneType(words string) lead.PhoneType {
	words = lead.Fold(words)
	switch {
	case strings.Contains(words, "mobile"), strings.Contains(words, "cell"):
		return lead.PhoneTypeMobile
	case strings.Contains(words, "fax"):
		return lead.PhoneTypeFax
	case strings.Contains(words, "work"), strings.Contains(words, "business"), strings.Contains(words, "day"):
		return lead.PhoneTypeWork
	case strings.Contains(words, "home"), strings.Contains(words, "evening"):
		return lead.PhoneTypeHome
	}
	return lead.PhoneTypeUnspecified
}

// channel reads a way of being reached.
func channel(s string) lead.Channel {
	s = lead.Fold(s)
	switch {
	case s == "":
		return lead.ChannelUnspecified
	case strings.Contains(s, "mail"):
		return lead.ChannelEmail
	case strings.Contains(s, "sms"), strings.Contains(s, "text"):
		return lead.ChannelSMS
	case strings.Contains(s, "phone"), strings.Contains(s, "call"), strings.Contains(s, "tel"), strings.Contains(s, "mobile"), strings.Contains(s, "voice"):
		return lead.ChannelCall
	case strings.Contains(s, "post"), strings.Contains(s, "letter"):
		return lead.ChannelPost
	}
	return lead.ChannelUnspecified
}
