package people

import (
	"strings"
	"unicode"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

// recorder makes records of the rows of one list. It is immutable.
type recorder struct {
	columns [fields][]int
	mapping *Mapping
	country string // of rows that do not say
	known   bool   // the country was told, not taken for granted
	year    int    // the present one
}

func (w *work) recorder(l *List) *recorder {
	c := &recorder{mapping: l.Mapping, country: w.country(l), year: w.Year}
	c.known = w.Country != "" || germanHeader(l.headers())
	for i, col := range l.Mapping.Columns {
		c.columns[col.Field] = append(c.columns[col.Field], i)
	}
	return c
}

// germanHeader reports whether the names of columns are German words: then so are the postal codes.
func germanHeader(headers []string) bool {
	n := 0
	for _, h := range headers {
		switch strings.Join(headerWords(h), "") {
		case "vorname", "nachname", "familienname", "strasse", "hausnummer", "hausnr", "plz", "postleitzahl", "ort", "wohnort",
			"geburtsdatum", "telefon", "telefonnummer", "handy", "mobilnummer", "firma", "anrede", "kundennummer", "emailadresse":
			n++
		}
	}
	return n >= 2
}

// record makes the record of a row.
func (c *recorder) record(cells []string) identity.Record {
	var p lead.Party
	country := c.country
	told := c.known
	if code, ok := lead.CountryCode(c.join(cells, FieldCountry)); ok {
		country, told = code, true
	}
	p.Name = c.personName(cells)
	for _, cell := range c.values(cells, FieldEmail, ",;| \n") {
		p.Emails = append(p.Emails, identity.ParseListEmail(cell))
	}
	for _, cell := range c.values(cells, FieldPhone, ",;|\n") {
		p.Phones = append(p.Phones, readPhone(cell, country))
	}
	p.Address = c.address(cells, country, told)
	for _, i := range c.columns[FieldBorn] {
		if iso, ok := readDate(cells[i], c.mapping.Columns[i].order, c.year); ok {
			p.Born = iso
		}
	}
	r := identity.NewRecord(&p, c.ids(cells), "", c.vins(cells), 0)
	c.traits(cells, &r)
	return r
}

func (c *recorder) personName(cells []string) lead.Name {
	n := lead.Name{
		Given: c.join(cells, FieldGivenName), Middle: c.join(cells, FieldMiddleName), Family: c.join(cells, FieldFamilyName),
		Suffix: c.join(cells, FieldSuffix), Company: c.join(cells, FieldCompany),
	}
	if full := c.first(cells, FieldName); full != "" && (n.Given == "" || n.Family == "") {
		n = completed(n, full)
	}
	company := n.Company
	n.Company = "" // a person's name beside a company's is a person's
	n = lead.NormalizeName(n)
	if company != "" {
		n.Company = company
	}
	return n
}

// completed fills the parts that a name lacks from the whole of it.
func completed(n lead.Name, full string) lead.Name {
	if n.Given == "" && n.Family == "" {
		n.Full = full
		return n
	}
	whole := lead.NormalizeName(lead.Name{Full: full})
	if n.Given == "" && lead.Fold(whole.Given) != lead.Fold(n.Family) {
		n.Given = whole.Given
	}
	if n.Family == "" && lead.Fold(whole.Family) != lead.Fold(n.Given) {
		n.Family = whole.Family
	}
	return n
}

// address reads the postal address. Postal codes get back the zeros that spreadsheets drop where the
// country is told.
func (c *recorder) address(cells []string, country string, told bool) lead.Address {
	a := lead.Address{Unit: c.join(cells, FieldUnit), City: c.join(cells, FieldCity), Region: c.join(cells, FieldRegion)}
	number := c.join(cells, FieldStreetNumber)
	for _, i := range c.columns[FieldStreet] {
		street := value(cells[i])
		if len(a.Streets) == 0 && number != "" {
			street, number = strings.TrimSpace(number+" "+street), ""
		}
		if street != "" {
			a.Streets = append(a.Streets, street)
		}
	}
	if number != "" {
		a.Streets = append(a.Streets, number)
	}
	a.Postal = c.first(cells, FieldPostalCode)
	if told && (len(a.Streets) > 0 || a.City != "" || a.Region != "" || a.Postal != "") {
		a.Country = country
		if code, ok := lead.ParsePostal(a.Postal, country); ok {
			a.Postal = code
		}
		if code, ok := lead.RegionCode(a.Region, country); ok {
			a.Region = code
		}
	}
	return a
}

// ids reads the ids that other systems gave. Where two different ids of one system contradict nothing,
// each stands for a system of its own.
func (c *recorder) ids(cells []string) []lead.Identifier {
	var out []lead.Identifier
	for _, f := range [...]Field{FieldLoyaltyID, FieldAccountID, FieldCustomerID, FieldDMSID} {
		for _, i := range c.columns[f] {
			v := value(cells[i])
			if !looksLikeID(v) {
				continue
			}
			id := lead.Identifier{Kind: idKind(f), Source: c.mapping.Columns[i].source, Value: v}
			if c.mapping.Columns[i].single {
				id.Source += " " + v
			}
			out = append(out, id)
		}
	}
	return out
}

func idKind(f Field) lead.IDKind {
	switch f {
	case FieldLoyaltyID:
		return lead.IDKindLoyalty
	case FieldAccountID:
		return lead.IDKindOEMAccount
	case FieldDMSID:
		return lead.IDKindDMSCustomer
	}
	return lead.IDKindCRMCustomer
}

func (c *recorder) vins(cells []string) []string {
	var out []string
	for _, v := range c.values(cells, FieldVIN, ",;|\n ") {
		if vin, _, flag := lead.ParseVIN(v); flag != lead.FlagVINMalformed {
			out = append(out, vin)
		}
	}
	return out
}

func (c *recorder) traits(cells []string, r *identity.Record) {
	for _, i := range c.columns[FieldNationalID] {
		if v := lead.Fold(value(cells[i])); len(v) >= 5 && strings.Trim(v, v[:1]) != "" {
			r.Traits = append(r.Traits, identity.Trait{Kind: identity.TraitNumber, Value: v})
		}
	}
	if v := lead.Fold(c.first(cells, FieldSex)); v != "" {
		v = string([]rune(v)[:1])
		if v == "w" {
			v = "f" // weiblich
		}
		if v == "m" || v == "f" {
			r.Traits = append(r.Traits, identity.Trait{Kind: identity.TraitSex, Value: v})
		}
	}
	if v := lead.Fold(c.first(cells, FieldBirthplace)); v != "" {
		r.Traits = append(r.Traits, identity.Trait{Kind: identity.TraitBirthplace, Value: v})
	}
	if v := lead.Fold(c.first(cells, FieldOccupation)); v != "" {
		r.Traits = append(r.Traits, identity.Trait{Kind: identity.TraitOccupation, Value: v})
	}
}

// value is a cell without what stands for nothing.
func value(cell string) string {
	if lead.Placeholder(cell) {
		return ""
	}
	return cell
}

// first returns the first cell of a field that holds something.
func (c *recorder) first(cells []string, f Field) string {
	for _, i := range c.columns[f] {
		if v := value(cells[i]); v != "" {
			return v
		}
	}
	return ""
}

// join returns all cells of a field in one.
func (c *recorder) join(cells []string, f Field) string {
	out := ""
	for _, i := range c.columns[f] {
		if v := value(cells[i]); v != "" && out == "" {
			out = v
		} else if v != "" {
			out += " " + v
		}
	}
	return out
}

// values returns all values of a field; several may stand in one cell.
func (c *recorder) values(cells []string, f Field, between string) []string {
	var out []string
	for _, i := range c.columns[f] {
		v := value(cells[i])
		if !strings.ContainsAny(v, between) {
			if v != "" {
				out = append(out, v)
			}
			continue
		}
		for _, part := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(between, r) }) {
			if part = value(strings.TrimSpace(part)); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// readPhone reads a phone number. One that fits no numbering plan is still one that two rows may
// share, unless it is a filler.
func readPhone(s, country string) lead.Phone {
	p := lead.ParsePhone(s, country)
	if p.E164 != "" || strings.ContainsFunc(s, unicode.IsLetter) {
		return p
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	if len(digits) >= 7 && len(digits) <= 15 && strings.Trim(digits, digits[:1]) != "" {
		p.E164 = "+" + digits
	}
	return p
}
