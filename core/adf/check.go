package adf

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Check lists where a Document departs from ADF 1.0, nil if nowhere: a request
// date that is not ISO 8601 with zone, no customer contact, no vendor name,
// values outside closed lists, more of an element than the DTD allows, empty
// entries, and values Parse would change (null strings, sensitive numbers,
// a trade that repeats the wanted car).
func Check(d Document) []Problem {
	var c checker
	if len(d.Prospects) == 0 {
		c.problem("adf", "at least one prospect is needed")
	}
	for i, p := range d.Prospects {
		c.at = "prospect"
		if i > 0 {
			c.at = "prospect[" + strconv.Itoa(i+1) + "]"
		}
		c.prospect(p)
	}
	return c.problems
}

type checker struct {
	problems []Problem
	at       string
}

func (c *checker) problem(path, rule string) {
	c.problems = append(c.problems, Problem{path, rule})
}

// in runs check one level deeper.
func (c *checker) in(name string, i int, check func()) {
	before := c.at
	c.at += "/" + name
	if i > 0 {
		c.at += "[" + strconv.Itoa(i+1) + "]"
	}
	check()
	c.at = before
}

func (c *checker) need(ok bool, rule string) {
	if !ok {
		c.problem(c.at, rule)
	}
}

// texts checks values by the name of their element or attribute.
func (c *checker) texts(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, value := pairs[i], pairs[i+1]
		switch {
		case value == "":
		case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !isXMLChar(r) }):
			c.problem(c.at+"/"+name, "characters that xml does not allow")
		case isNullString(trim(value), name):
			c.problem(c.at+"/"+name, "a word for no value instead of none")
		}
	}
}

// enum checks a closed-list value of the element.
func (c *checker) enum(element, attr, value string) {
	if list := enumValues(element, attr); value != "" && !slices.Contains(list, value) {
		c.problem(c.at+"/@"+attr, "not one of "+strings.Join(list, ", "))
	}
}

func (c *checker) currency(code string) {
	if code != "" && !isCurrency(code) {
		c.problem(c.at+"/@currency", "not a currency code of iso 4217")
	}
}

func (c *checker) comment(name, text string) {
	c.texts(name, text)
	if _, found := maskSensitive(text); found {
		c.problem(c.at+"/"+name, "holds an identifying number")
	}
}

func (c *checker) prospect(p Prospect) {
	c.enum("prospect", "status", p.Status)
	c.ids(p.IDs)
	c.in("requestdate", 0, func() {
		_, _, flags, ok := ParseDate(p.RequestDate, nil)
		flags = slices.DeleteFunc(flags, func(f FlagCode) bool { return f == FlagSecondsAreMonth })
		c.need(ok && len(flags) == 0, "not a date and time of iso 8601 with zone")
	})
	for i, v := range p.Vehicles {
		c.in("vehicle", i, func() {
			c.vehicle(v)
			c.need(!isTrade(v) || !repeats(v, p.Vehicles), "a trade equal to the wanted vehicle")
		})
	}
	c.in("customer", 0, func() {
		c.need(len(p.Customer.Contacts) > 0, "a contact is needed")
		c.ids(p.Customer.IDs)
		c.contacts(p.Customer.Contacts, 1<<20)
		c.comment("comments", p.Customer.Comments)
		t := p.Customer.Timeframe
		c.texts("description", t.Description)
		for _, date := range []string{t.Earliest, t.Latest} {
			if date != "" {
				_, _, flags, ok := ParseDate(date, nil)
				flags = slices.DeleteFunc(flags, func(f FlagCode) bool {
					return f == FlagDateOnly || f == FlagDateWithoutZone || f == FlagSecondsAreMonth
				})
				c.need(ok && len(flags) == 0, "a date that is not iso 8601")
			}
		}
	})
	c.in("vendor", 0, func() {
		v := p.Vendor
		c.need(trim(v.DisplayName()) != "", "a vendorname or a contact with a name is needed")
		c.ids(v.IDs)
		c.texts("vendorname", v.Name, "url", v.URL)
		c.contacts(v.Contacts, 1)
	})
	if !p.Provider.blank() {
		c.in("provider", 0, func() { c.provider(p.Provider) })
	}
}

func (c *checker) provider(p Provider) {
	c.need(len(p.Names) == 1, "exactly one name is needed")
	c.ids(p.IDs)
	c.names(p.Names)
	c.texts("service", p.Service, "url", p.URL)
	c.need(len(p.Emails) <= 1, "more than one email")
	c.need(len(p.Phones) <= 1, "more than one phone")
	c.emails(p.Emails)
	c.phones(p.Phones)
	c.contacts(p.Contacts, 1)
}

func repeats(trade Vehicle, all []Vehicle) bool {
	r := reader{out: &Prospect{Vehicles: all}}
	return r.mirrors(trade)
}

func (c *checker) ids(ids []ID) {
	for i, id := range ids {
		c.in("id", i, func() {
			c.need(id != (ID{}), "empty")
			c.texts("@sequence", id.Sequence, "@source", id.Source, "id", id.Value)
		})
	}
}

func (c *checker) vehicle(v Vehicle) {
	c.need(!v.blank(), "empty")
	c.enum("vehicle", "interest", v.Interest)
	c.enum("vehicle", "status", v.Status)
	c.ids(v.IDs)
	c.texts("year", v.Year, "make", v.Make, "model", v.Model, "vin", v.VIN, "stock", v.Stock, "trim", v.Trim,
		"doors", v.Doors, "bodystyle", v.BodyStyle, "transmission", v.Transmission, "odometer", v.Odometer.Value,
		"imagetag", v.Image.URL, "width", v.Image.Width, "height", v.Image.Height, "alttext", v.Image.AltText)
	c.in("odometer", 0, func() {
		c.enum("odometer", "status", v.Odometer.Status)
		c.enum("odometer", "units", v.Odometer.Units)
	})
	if v.Condition != "" {
		c.enum("condition", "", v.Condition)
	}
	for i, col := range v.Colors {
		c.in("colorcombination", i, func() {
			c.need(trim(col.Interior+col.Exterior) != "", "a colour is needed")
			c.need(trim(col.Preference) != "", "a preference is needed")
			c.texts("interiorcolor", col.Interior, "exteriorcolor", col.Exterior, "preference", col.Preference)
		})
	}
	c.need(len(v.Prices) <= 1, "more than one price")
	for i, p := range v.Prices {
		c.in("price", i, func() { c.price(p) })
	}
	c.comment("pricecomments", v.PriceComments)
	for i, o := range v.Options {
		c.in("option", i, func() {
			c.need(trim(o.Name) != "", "an optionname is needed")
			c.texts("optionname", o.Name, "manufacturercode", o.ManufacturerCode, "stock", o.Stock, "weighting", o.Weighting)
			if o.Price != nil {
				c.in("price", 0, func() { c.price(*o.Price) })
			}
		})
	}
	if f := v.Finance; f != nil {
		c.in("finance", 0, func() { c.finance(*f) })
	}
	c.comment("comments", v.Comments)
}

func (c *checker) price(p Price) {
	c.need(p != (Price{}), "empty")
	c.enum("price", "type", p.Type)
	c.enum("price", "delta", p.Delta)
	c.enum("price", "relativeto", p.RelativeTo)
	c.currency(p.Currency)
	c.texts("price", p.Value, "@source", p.Source)
}

func (c *checker) finance(f Finance) {
	c.need(f.Method != "" || len(f.Amounts) > 0 || f.Balance != (Balance{}), "empty")
	c.texts("method", f.Method, "balance", f.Balance.Value)
	for i, a := range f.Amounts {
		c.in("amount", i, func() {
			c.need(a != (Amount{}), "empty")
			c.enum("amount", "type", a.Type)
			c.enum("amount", "limit", a.Limit)
			c.currency(a.Currency)
			c.texts("amount", a.Value)
		})
	}
	c.in("balance", 0, func() {
		c.enum("balance", "type", f.Balance.Type)
		c.currency(f.Balance.Currency)
	})
}

func (c *checker) contacts(contacts []Contact, limit int) {
	c.need(len(contacts) <= limit, "more contacts than allowed")
	for i, contact := range contacts {
		c.in("contact", i, func() {
			c.need(len(contact.Names)+len(contact.Emails)+len(contact.Phones)+len(contact.Addresses) > 0, "empty")
			c.names(contact.Names)
			c.emails(contact.Emails)
			c.phones(contact.Phones)
			c.need(len(contact.Addresses) <= 1, "more than one address")
			for k, a := range contact.Addresses {
				c.in("address", k, func() { c.address(a) })
			}
		})
	}
}

func (c *checker) names(names []Name) {
	for i, n := range names {
		c.in("name", i, func() {
			c.need(trim(n.Value) != "", "empty")
			c.need(!slices.Contains(names[:i], n), "twice the same")
			c.enum("name", "part", n.Part)
			c.enum("name", "type", n.Type)
			c.texts("name", n.Value)
		})
	}
}

func (c *checker) emails(emails []Email) {
	for i, e := range emails {
		c.in("email", i, func() {
			c.need(trim(e.Value) != "", "empty")
			c.need(!slices.Contains(emails[:i], e), "twice the same")
			c.texts("email", e.Value)
		})
	}
}

func (c *checker) phones(phones []Phone) {
	for i, p := range phones {
		c.in("phone", i, func() {
			c.need(trim(p.Value) != "", "empty")
			c.need(!slices.Contains(phones[:i], p), "twice the same")
			c.enum("phone", "type", p.Type)
			c.enum("phone", "time", p.Time)
			c.texts("phone", p.Value)
		})
	}
}

func (c *checker) address(a Address) {
	c.enum("address", "type", a.Type)
	c.need(len(a.Streets) > 0 || a.Apartment+a.City+a.RegionCode+a.PostalCode+a.Country != "", "empty")
	c.need(len(a.Streets) <= 5, "more than five street lines")
	for i, s := range a.Streets {
		c.in("street", i, func() {
			c.need(trim(s.Value) != "", "empty")
			c.texts("street", s.Value, "@line", s.Line)
		})
	}
	c.texts("apartment", a.Apartment, "city", a.City, "regioncode", a.RegionCode, "postalcode", a.PostalCode)
	if a.Country != "" && !isCountry(a.Country) {
		c.problem(c.at+"/country", "not a two-letter country code of iso 3166")
	}
}
