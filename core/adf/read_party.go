package adf

import (
	"strings"

	"golang.org/x/text/language"
)

// customer reads a customer element; a second one adds its contacts.
func (r *reader) customer(n *node, p *path) []placed {
	r.attrs(n, p)
	cust := &r.out.Customer
	if p.n > 1 {
		r.flag(FlagDuplicate, p, n.name)
	}
	var left []placed
	var loose Contact // parts of a contact without the contact element
	rest := r.each(n, p, func(c *node, p *path) bool {
		switch c.name {
		case "contact":
			r.contact(&cust.Contacts, c, p, &left)
		case "id":
			r.id(&cust.IDs, c, p)
		case "timeframe":
			r.timeframe(c, p)
		case "comments", "comment":
			r.respelt(c, p, "comments")
			r.comments(&cust.Comments, c, p)
		default:
			if isContactPart(c.name) {
				r.flag(FlagOutOfPlace, p, c.name)
				return r.takeInContact(&loose, c, p, &left)
			}
			return false
		}
		return true
	})
	left = append(left, rest...)
	if !loose.blank() {
		cust.Contacts = append(cust.Contacts, loose)
	}
	return left
}

func isContactPart(name string) bool {
	switch name {
	case "name", "email", "phone", "address", "firstname", "lastname", "fullname", "first_name", "last_name":
		return true
	}
	return false
}

// timeframe reads children, or text as the DTD has it.
func (r *reader) timeframe(n *node, p *path) {
	r.attrs(n, p)
	t := &r.out.Customer.Timeframe
	plain := true
	for _, part := range n.parts {
		plain = plain && part.child == nil
	}
	if plain {
		r.once(&t.Description, n, p)
		return
	}
	r.allUnknown(r.each(n, p, func(c *node, p *path) bool {
		switch c.name {
		case "description":
			r.once(&t.Description, c, p)
		case "earliestdate":
			r.once(&t.Earliest, c, p)
			r.badDate(t.Earliest, p)
		case "latestdate":
			r.once(&t.Latest, c, p)
			r.badDate(t.Latest, p)
		default:
			return false
		}
		return true
	}))
}

// badDate flags a date nobody can read; a day without zone is enough here.
func (r *reader) badDate(raw string, p *path) {
	if raw == "" || hasPlaceholder(raw) {
		return
	}
	if _, _, _, ok := ParseDate(raw, nil); !ok {
		r.flag(FlagBadDate, p, "")
	}
}

// contact reads a contact and adds it unless it says nothing.
func (r *reader) contact(contacts *[]Contact, n *node, p *path, left *[]placed) {
	attr := r.attrs(n, p, "primarycontact")
	c := Contact{Primary: r.boolean(attr("primarycontact"), "primarycontact", p)}
	rest := r.each(n, p, func(child *node, p *path) bool { return r.takeInContact(&c, child, p, left) })
	*left = append(*left, rest...)
	if !c.blank() {
		*contacts = append(*contacts, c)
	}
}

func (c Contact) blank() bool {
	return len(c.Names) == 0 && len(c.Emails) == 0 && len(c.Phones) == 0 && len(c.Addresses) == 0 &&
		c.Gender == "" && c.Birthday == "" && c.Locale == ""
}

// takeInContact places a child of contact. left takes what belongs elsewhere.
func (r *reader) takeInContact(c *Contact, n *node, p *path, left *[]placed) bool {
	switch n.name {
	case "name":
		r.name(&c.Names, n, p)
	case "firstname", "first_name", "givenname":
		r.respelt(n, p, "name")
		r.namePart(&c.Names, "first", n, p)
	case "middlename", "middle_name":
		r.respelt(n, p, "name")
		r.namePart(&c.Names, "middle", n, p)
	case "lastname", "last_name", "surname", "familyname":
		r.respelt(n, p, "name")
		r.namePart(&c.Names, "last", n, p)
	case "fullname", "full_name":
		r.respelt(n, p, "name")
		r.namePart(&c.Names, "full", n, p)
	case "email", "emailaddress", "email_address", "e-mail":
		r.respelt(n, p, "email")
		r.email(&c.Emails, n, p)
	case "phone", "phonenumber", "phone_number", "telephone", "mobile", "cellphone":
		r.respelt(n, p, "phone")
		r.phone(&c.Phones, n, p)
	case "address":
		r.address(&c.Addresses, n, p, left)
	case "street", "city", "regioncode", "postalcode", "country", "apartment", "zip", "zipcode":
		// The parts of an address without the address element.
		if len(c.Addresses) == 0 {
			c.Addresses = append(c.Addresses, Address{})
		}
		r.flag(FlagOutOfPlace, p, n.name)
		return r.takeInAddress(&c.Addresses[len(c.Addresses)-1], n, p)
	case "gender":
		r.extension(&c.Gender, n, p)
	case "birthday", "dateofbirth", "dob":
		r.extension(&c.Birthday, n, p)
	case "locale", "language":
		r.extension(&c.Locale, n, p)
	default:
		return false
	}
	return true
}

// name reads a name; foreign senders nest the parts.
func (r *reader) name(names *[]Name, n *node, p *path) {
	for _, part := range n.parts {
		if part.child != nil && nestedPart(part.child.name) != "" {
			r.attrs(n, p, "part", "type")
			r.allUnknown(r.each(n, p, func(c *node, p *path) bool {
				part := nestedPart(c.name)
				if part != "" {
					r.flag(FlagMisspelt, p, "name")
					r.namePart(names, part, c, p)
				}
				return part != ""
			}))
			return
		}
	}
	attr := r.attrs(n, p, "part", "type")
	name := Name{Part: attr("part"), Type: attr("type"), Value: r.text(n, p)}
	if name.Value == "" {
		return
	}
	for _, have := range *names {
		if have == name {
			r.flag(FlagDuplicate, p, n.name)
			return
		}
	}
	*names = append(*names, name)
}

func nestedPart(element string) string {
	switch element {
	case "first", "middle", "last", "full", "suffix":
		return element
	}
	return enumSynonym("name", "part", foldEnum(element))
}

func (r *reader) namePart(names *[]Name, part string, n *node, p *path) {
	attr := r.attrs(n, p, "type")
	if value := r.text(n, p); value != "" {
		*names = append(*names, Name{Part: part, Type: attr("type"), Value: value})
	}
}

func (r *reader) email(emails *[]Email, n *node, p *path) {
	attr := r.attrs(n, p, "preferredcontact")
	e := Email{Preferred: r.boolean(attr("preferredcontact"), "preferredcontact", p), Value: r.text(n, p)}
	if e.Value == "" {
		return
	}
	for _, have := range *emails {
		if have == e {
			r.flag(FlagDuplicate, p, n.name)
			return
		}
	}
	*emails = append(*emails, e)
}

func (r *reader) phone(phones *[]Phone, n *node, p *path) {
	inner := *n
	inner.name = "phone"
	attr := r.attrs(&inner, p, "type", "time", "preferredcontact", "besttime")
	ph := Phone{Type: attr("type"), Time: attr("time"), Value: r.text(n, p),
		Preferred: r.boolean(attr("preferredcontact"), "preferredcontact", p),
		BestTime:  r.boolean(attr("besttime"), "besttime", p)}
	if ph.Type == "" && (n.name == "mobile" || n.name == "cellphone") {
		ph.Type = "cellphone"
	}
	if ph.Value == "" {
		return
	}
	for _, have := range *phones {
		if have == ph {
			r.flag(FlagDuplicate, p, n.name)
			return
		}
	}
	*phones = append(*phones, ph)
}

func (r *reader) address(addresses *[]Address, n *node, p *path, left *[]placed) {
	attr := r.attrs(n, p, "type")
	a := Address{Type: attr("type")}
	rest := r.each(n, p, func(c *node, p *path) bool { return r.takeInAddress(&a, c, p) })
	*left = append(*left, rest...)
	if a.Country != "" && !hasPlaceholder(a.Country) && !isCountry(a.Country) {
		r.flag(FlagBadCountry, &path{up: p, name: "country", n: 1}, "")
	}
	if len(a.Streets) > 0 || a.Apartment != "" || a.City != "" || a.RegionCode != "" || a.PostalCode != "" || a.Country != "" {
		*addresses = append(*addresses, a)
	}
}

func (r *reader) takeInAddress(a *Address, n *node, p *path) bool {
	switch n.name {
	case "street", "street1", "street2", "address1", "address2", "line1", "line2", "streetaddress":
		r.respelt(n, p, "street")
		attr := r.attrs(n, p, "line")
		if value := r.text(n, p); value != "" {
			a.Streets = append(a.Streets, Street{Line: attr("line"), Value: value})
		}
	case "apartment":
		r.once(&a.Apartment, n, p)
	case "city":
		r.once(&a.City, n, p)
	case "regioncode", "state", "province", "region", "regionname":
		r.respelt(n, p, "regioncode")
		r.once(&a.RegionCode, n, p)
	case "postalcode", "zip", "zipcode", "postal", "postcode", "postal_code", "zip_code":
		r.respelt(n, p, "postalcode")
		r.once(&a.PostalCode, n, p)
	case "country", "countrycode":
		r.respelt(n, p, "country")
		r.once(&a.Country, n, p)
	default:
		return false
	}
	return true
}

// isCountry tells a two-letter code of ISO 3166 in capitals.
func isCountry(code string) bool {
	if len(code) != 2 || code != strings.ToUpper(code) {
		return false
	}
	region, err := language.ParseRegion(code)
	return err == nil && region.IsCountry() && region.String() == code
}

func (r *reader) vendor(n *node, p *path) []placed {
	if p.n > 1 {
		r.flag(FlagDuplicate, p, n.name)
	}
	r.attrs(n, p)
	v := &r.out.Vendor
	var left []placed
	take := func(c *node, p *path) bool {
		switch c.name {
		case "id":
			r.id(&v.IDs, c, p)
		case "vendorname":
			r.once(&v.Name, c, p)
		case "name":
			r.flag(FlagOutOfPlace, p, c.name)
			r.once(&v.Name, c, p)
		case "url":
			r.once(&v.URL, c, p)
		case "service":
			r.flag(FlagOutOfPlace, p, c.name)
			value := r.text(c, p)
			r.onceValue(&v.Service, value, c, p)
			r.keep(p, value, nil)
		case "contact":
			r.contact(&v.Contacts, c, p, &left)
		case "email", "phone", "address":
			// A contact's parts directly under the vendor.
			r.flag(FlagOutOfPlace, p, c.name)
			if len(v.Contacts) == 0 {
				v.Contacts = append(v.Contacts, Contact{})
			}
			r.takeInContact(&v.Contacts[0], c, p, &left)
		default:
			return false
		}
		return true
	}
	rest := r.each(n, p, take)
	v.Contacts = dropBlank(v.Contacts)
	return r.own(append(rest, left...), take)
}

// own takes an url or id that stood deeper inside its owner; the rest goes up.
func (r *reader) own(left []placed, take func(*node, *path) bool) (up []placed) {
	for _, l := range left {
		switch l.n.name {
		case "url", "id":
			r.flag(FlagOutOfPlace, l.p, l.n.name)
			take(l.n, l.p)
		default:
			up = append(up, l)
		}
	}
	return up
}

func dropBlank(contacts []Contact) []Contact {
	var kept []Contact
	for _, c := range contacts {
		if !c.blank() {
			kept = append(kept, c)
		}
	}
	return kept
}

func (r *reader) provider(n *node, p *path) []placed {
	if p.n > 1 {
		r.flag(FlagDuplicate, p, n.name)
	}
	r.attrs(n, p)
	v := &r.out.Provider
	var left []placed
	take := func(c *node, p *path) bool {
		switch c.name {
		case "id":
			r.id(&v.IDs, c, p)
		case "name":
			r.name(&v.Names, c, p)
		case "providername":
			r.respelt(c, p, "name")
			r.namePart(&v.Names, "full", c, p)
		case "service":
			r.once(&v.Service, c, p)
		case "url":
			r.once(&v.URL, c, p)
		case "email":
			r.email(&v.Emails, c, p)
		case "phone":
			r.phone(&v.Phones, c, p)
		case "contact":
			r.contact(&v.Contacts, c, p, &left)
		case "form":
			r.extension(&v.Form, c, p)
		case "campaign":
			r.extension(&v.Campaign, c, p)
		case "searchterm":
			r.extension(&v.SearchTerm, c, p)
		case "keyword":
			r.extension(&v.Keyword, c, p)
		case "referrer", "referer":
			r.extension(&v.Referrer, c, p)
		case "navigationhistory":
			r.extension(&v.NavigationHistory, c, p)
		default:
			return false
		}
		return true
	}
	rest := r.each(n, p, take)
	return r.own(append(rest, left...), take)
}
