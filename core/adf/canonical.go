package adf

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Canonical brings a read Document nearer to what Emit accepts: values outside
// closed lists, currencies and countries that cannot be resolved, second
// addresses and prices, extensions, Unknown, Flags and everything derived are
// left out; a readable request date becomes ISO 8601, in zone (UTC if nil) when
// it has none. What is missing stays missing: Check still tells. d is not
// changed and shares no slices with the result.
func (d Document) Canonical(zone *time.Location) Document {
	var out Document
	for _, p := range d.Prospects {
		out.Prospects = append(out.Prospects, canonicalProspect(p, zone))
	}
	return out
}

func canonicalProspect(p Prospect, zone *time.Location) Prospect {
	out := Prospect{
		Status:      listed("prospect", "status", p.Status),
		IDs:         cleanIDs(p.IDs),
		RequestDate: isoDate(p.RequestDate, zone),
		Customer: Customer{
			Contacts: cleanContacts(p.Customer.Contacts, len(p.Customer.Contacts)),
			IDs:      cleanIDs(p.Customer.IDs),
			Comments: cleanComment(p.Customer.Comments),
			Timeframe: Timeframe{
				Description: clean(p.Customer.Timeframe.Description),
				Earliest:    isoDay(p.Customer.Timeframe.Earliest),
				Latest:      isoDay(p.Customer.Timeframe.Latest),
			},
		},
		Vendor: Vendor{IDs: cleanIDs(p.Vendor.IDs), Name: clean(p.Vendor.Name), URL: clean(p.Vendor.URL),
			Contacts: cleanContacts(p.Vendor.Contacts, 1)},
	}
	for _, v := range p.Vehicles {
		if v = canonicalVehicle(v); !v.blank() {
			out.Vehicles = append(out.Vehicles, v)
		}
	}
	all := slices.Clone(out.Vehicles)
	out.Vehicles = slices.DeleteFunc(out.Vehicles, func(v Vehicle) bool { return isTrade(v) && repeats(v, all) })
	if !p.Provider.blank() {
		out.Provider = canonicalProvider(p.Provider)
	}
	return out
}

func canonicalProvider(p Provider) Provider {
	out := Provider{IDs: cleanIDs(p.IDs), Service: clean(p.Service), URL: clean(p.URL),
		Contacts: cleanContacts(p.Contacts, 1)}
	if name := clean(p.DisplayName()); name != "" {
		out.Names = []Name{{Part: "full", Type: "business", Value: name}}
		if len(p.Names) == 1 {
			out.Names = cleanNames(p.Names)
		}
	}
	out.Emails = cleanEmails(p.Emails)
	out.Emails = out.Emails[:min(1, len(out.Emails))]
	out.Phones = cleanPhones(p.Phones)
	out.Phones = out.Phones[:min(1, len(out.Phones))]
	if len(out.Names) == 0 && !out.blank() {
		return Provider{}
	}
	return out
}

func canonicalVehicle(v Vehicle) Vehicle {
	out := Vehicle{
		Interest: listed("vehicle", "interest", v.Interest), Status: listed("vehicle", "status", v.Status),
		IDs: cleanIDs(v.IDs), Year: clean(v.Year), Make: clean(v.Make), Model: clean(v.Model), VIN: clean(v.VIN),
		Stock: clean(v.Stock), Trim: clean(v.Trim), Doors: clean(v.Doors), BodyStyle: clean(v.BodyStyle),
		Transmission: clean(v.Transmission),
		Odometer: Odometer{Value: clean(v.Odometer.Value), Status: listed("odometer", "status", v.Odometer.Status),
			Units: listed("odometer", "units", v.Odometer.Units)},
		Condition:     listed("condition", "", v.Condition),
		Image:         Image{URL: clean(v.Image.URL), Width: clean(v.Image.Width), Height: clean(v.Image.Height), AltText: clean(v.Image.AltText)},
		PriceComments: cleanComment(v.PriceComments), Comments: cleanComment(v.Comments),
	}
	for i, c := range v.Colors {
		c = ColorCombination{Interior: clean(c.Interior), Exterior: clean(c.Exterior), Preference: clean(c.Preference)}
		if c.Preference == "" {
			c.Preference = strconv.Itoa(i + 1)
		}
		if c.Interior+c.Exterior != "" {
			out.Colors = append(out.Colors, c)
		}
	}
	for _, p := range v.Prices {
		if p = canonicalPrice(p); p != (Price{}) && len(out.Prices) == 0 {
			out.Prices = append(out.Prices, p)
		}
	}
	for _, o := range v.Options {
		option := Option{Name: clean(o.Name), ManufacturerCode: clean(o.ManufacturerCode), Stock: clean(o.Stock), Weighting: clean(o.Weighting)}
		if o.Price != nil {
			if p := canonicalPrice(*o.Price); p != (Price{}) {
				option.Price = &p
			}
		}
		if option.Name != "" {
			out.Options = append(out.Options, option)
		}
	}
	if v.Finance != nil {
		out.Finance = canonicalFinance(*v.Finance)
	}
	return out
}

func canonicalPrice(p Price) Price {
	return Price{Type: listed("price", "type", p.Type), Currency: currencyOf(p.Currency), Delta: listed("price", "delta", p.Delta),
		RelativeTo: listed("price", "relativeto", p.RelativeTo), Source: clean(p.Source), Value: clean(p.Value)}
}

func canonicalFinance(f Finance) *Finance {
	out := &Finance{Method: clean(f.Method), Balance: Balance{Type: listed("balance", "type", f.Balance.Type),
		Currency: currencyOf(f.Balance.Currency), Value: clean(f.Balance.Value)}}
	for _, a := range f.Amounts {
		a = Amount{Type: listed("amount", "type", a.Type), Limit: listed("amount", "limit", a.Limit),
			Currency: currencyOf(a.Currency), Value: clean(a.Value)}
		if a != (Amount{}) {
			out.Amounts = append(out.Amounts, a)
		}
	}
	if out.Method == "" && len(out.Amounts) == 0 && out.Balance == (Balance{}) {
		return nil
	}
	return out
}

func cleanContacts(contacts []Contact, limit int) []Contact {
	var out []Contact
	for _, c := range contacts {
		c = Contact{Primary: c.Primary, Names: cleanNames(c.Names), Emails: cleanEmails(c.Emails),
			Phones: cleanPhones(c.Phones), Addresses: cleanAddresses(c.Addresses)}
		if !c.blank() && len(out) < limit {
			out = append(out, c)
		}
	}
	return out
}

func cleanNames(names []Name) []Name {
	var out []Name
	for _, n := range names {
		n = Name{Part: listed("name", "part", n.Part), Type: listed("name", "type", n.Type), Value: trim(soundText(n.Value))}
		if n.Value != "" && !isNullString(n.Value, "name") && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func cleanEmails(emails []Email) []Email {
	var out []Email
	for _, e := range emails {
		if e.Value = clean(e.Value); e.Value != "" && !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

func cleanPhones(phones []Phone) []Phone {
	var out []Phone
	for _, p := range phones {
		p.Type, p.Time, p.Value = listed("phone", "type", p.Type), listed("phone", "time", p.Time), clean(p.Value)
		if p.Value != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func cleanAddresses(addresses []Address) []Address {
	for _, a := range addresses {
		out := Address{Type: listed("address", "type", a.Type), Apartment: clean(a.Apartment), City: clean(a.City),
			RegionCode: clean(a.RegionCode), PostalCode: clean(a.PostalCode), Country: countryOf(clean(a.Country))}
		for _, s := range a.Streets {
			if s = (Street{Line: clean(s.Line), Value: clean(s.Value)}); s.Value != "" && len(out.Streets) < 5 {
				out.Streets = append(out.Streets, s)
			}
		}
		if len(out.Streets) > 0 || out.Apartment+out.City+out.RegionCode+out.PostalCode+out.Country != "" {
			return []Address{out}
		}
	}
	return nil
}

func cleanIDs(ids []ID) []ID {
	var out []ID
	for _, id := range ids {
		id = ID{Sequence: clean(id.Sequence), Source: clean(id.Source), Value: clean(id.Value)}
		if id != (ID{}) {
			out = append(out, id)
		}
	}
	return out
}

// clean trims a value, clears words for none, and drops what XML does not allow.
func clean(s string) string {
	s = trim(soundText(s))
	if isNullString(s, "") {
		return ""
	}
	return s
}

func cleanComment(s string) string {
	masked, _ := maskSensitive(clean(s))
	return masked
}

// listed clears a value outside its closed list.
func listed(element, attr, value string) string {
	if slices.Contains(enumValues(element, attr), value) {
		return value
	}
	return ""
}

func isoDate(raw string, zone *time.Location) string {
	t, _, _, ok := ParseDate(raw, zone)
	if !ok {
		return raw
	}
	return t.Format("2006-01-02T15:04:05-07:00")
}

func isoDay(raw string) string {
	t, assumed, flags, ok := ParseDate(raw, nil)
	switch {
	case !ok:
		return ""
	case slices.Contains(flags, FlagDateOnly):
		return t.Format(time.DateOnly)
	case assumed:
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05-07:00")
}

func currencyOf(code string) string {
	if code = strings.ToUpper(code); isCurrency(code) {
		return code
	}
	return ""
}

// countryOf resolves the names and codes North American senders write.
func countryOf(s string) string {
	if isCountry(s) {
		return s
	}
	switch strings.ToLower(strings.ReplaceAll(s, ".", "")) {
	case "usa", "us", "united states", "united states of america":
		return "US"
	case "canada", "can", "ca":
		return "CA"
	case "mexico", "mex", "mx", "méxico":
		return "MX"
	case "united kingdom", "uk", "gb", "gbr", "great britain":
		return "GB"
	case "germany", "deutschland", "deu", "de":
		return "DE"
	}
	return ""
}
