package adf

import (
	"fmt"
	"strings"
)

// Problem is a rule of the format a Document breaks. Rule holds no value.
type Problem struct{ Path, Rule string }

// EmitError lists what keeps a Document from being written.
type EmitError struct{ Problems []Problem }

func (e *EmitError) Error() string {
	first := e.Problems[0]
	if len(e.Problems) == 1 {
		return fmt.Sprintf("adf: %s: %s", first.Path, first.Rule)
	}
	return fmt.Sprintf("adf: %s: %s (and %d more)", first.Path, first.Rule, len(e.Problems)-1)
}

// Emit writes a Document as ADF 1.0 in UTF-8, elements in the order of the DTD.
// It returns *EmitError with the result of Check if that is not empty. Text is
// written without outer white space; what the DTD demands and the lead lacks
// (a vehicle, a vendor's contact) is written as empty elements, which Parse
// leaves out again, so Parse(Emit(d)) gives the written fields of d back.
// Unknown, Outside, extensions and what is derived from comments are not
// written: the format has no place for them.
func Emit(d Document) ([]byte, error) {
	if problems := Check(d); len(problems) > 0 {
		return nil, &EmitError{problems}
	}
	var w emitter
	w.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><?adf version="1.0"?>` + "\n")
	w.open("adf")
	for _, p := range d.Prospects {
		w.prospect(p)
	}
	w.close("adf")
	return []byte(w.b.String()), nil
}

// emitter writes indented elements; text stands in leaves only, so the
// indentation is never part of a value.
type emitter struct {
	b     strings.Builder
	depth int
}

func (w *emitter) indent() {
	for range w.depth {
		w.b.WriteString("  ")
	}
}

func (w *emitter) tag(name string, attrs []string) {
	w.b.WriteByte('<')
	w.b.WriteString(name)
	for i := 0; i+1 < len(attrs); i += 2 {
		if value := trim(attrs[i+1]); value != "" {
			w.b.WriteString(" " + attrs[i] + `="`)
			w.escape(value, true)
			w.b.WriteByte('"')
		}
	}
	w.b.WriteByte('>')
}

// open begins a structural element; attrs are names and values in turn, empty
// values are left out.
func (w *emitter) open(name string, attrs ...string) {
	w.indent()
	w.tag(name, attrs)
	w.b.WriteByte('\n')
	w.depth++
}

func (w *emitter) close(name string) {
	w.depth--
	w.indent()
	w.b.WriteString("</" + name + ">\n")
}

// leaf writes an element that must stand, empty or not.
func (w *emitter) leaf(name, value string, attrs ...string) {
	w.indent()
	w.tag(name, attrs)
	w.escape(trim(value), false)
	w.b.WriteString("</" + name + ">\n")
}

// optional writes an element with a value.
func (w *emitter) optional(name, value string) {
	if trim(value) != "" {
		w.leaf(name, value)
	}
}

func (w *emitter) escape(s string, attr bool) {
	for _, c := range s {
		switch {
		case c == '&':
			w.b.WriteString("&amp;")
		case c == '<':
			w.b.WriteString("&lt;")
		case c == '>':
			w.b.WriteString("&gt;")
		case c == '\r':
			w.b.WriteString("&#13;")
		case attr && c == '"':
			w.b.WriteString("&quot;")
		case attr && c == '\\': // before a quotation mark readers take it for its escape
			w.b.WriteString("&#92;")
		case attr && c == '\n':
			w.b.WriteString("&#10;")
		case attr && c == '\t':
			w.b.WriteString("&#9;")
		default:
			w.b.WriteRune(c)
		}
	}
}

func (w *emitter) prospect(p Prospect) {
	w.open("prospect", "status", p.Status)
	w.ids(p.IDs)
	w.leaf("requestdate", p.RequestDate)
	for _, v := range p.Vehicles {
		w.vehicle(v)
	}
	if len(p.Vehicles) == 0 {
		w.vehicle(Vehicle{})
	}
	w.customer(p.Customer)
	w.vendor(p.Vendor)
	if !p.Provider.blank() {
		w.provider(p.Provider)
	}
	w.close("prospect")
}

func (w *emitter) ids(ids []ID) {
	for _, id := range ids {
		w.leaf("id", id.Value, "sequence", id.Sequence, "source", id.Source)
	}
}

func (w *emitter) vehicle(v Vehicle) {
	w.open("vehicle", "interest", v.Interest, "status", v.Status)
	w.ids(v.IDs)
	w.leaf("year", v.Year)
	w.leaf("make", v.Make)
	w.leaf("model", v.Model)
	w.optional("vin", v.VIN)
	w.optional("stock", v.Stock)
	w.optional("trim", v.Trim)
	w.optional("doors", v.Doors)
	w.optional("bodystyle", v.BodyStyle)
	w.optional("transmission", v.Transmission)
	if o := v.Odometer; o != (Odometer{}) {
		w.leaf("odometer", o.Value, "status", o.Status, "units", o.Units)
	}
	w.optional("condition", v.Condition)
	for _, c := range v.Colors {
		w.open("colorcombination")
		w.optional("interiorcolor", c.Interior)
		w.optional("exteriorcolor", c.Exterior)
		w.leaf("preference", c.Preference)
		w.close("colorcombination")
	}
	if i := v.Image; i != (Image{}) {
		w.leaf("imagetag", i.URL, "width", i.Width, "height", i.Height, "alttext", i.AltText)
	}
	for _, p := range v.Prices {
		w.price(p)
	}
	w.optional("pricecomments", v.PriceComments)
	for _, o := range v.Options {
		w.open("option")
		w.leaf("optionname", o.Name)
		w.optional("manufacturercode", o.ManufacturerCode)
		w.optional("stock", o.Stock)
		w.optional("weighting", o.Weighting)
		if o.Price != nil {
			w.price(*o.Price)
		}
		w.close("option")
	}
	if v.Finance != nil {
		w.finance(*v.Finance)
	}
	w.optional("comments", v.Comments)
	w.close("vehicle")
}

func (w *emitter) price(p Price) {
	w.leaf("price", p.Value, "type", p.Type, "currency", p.Currency, "delta", p.Delta,
		"relativeto", p.RelativeTo, "source", p.Source)
}

func (w *emitter) finance(f Finance) {
	w.open("finance")
	w.leaf("method", f.Method)
	for _, a := range f.Amounts {
		w.leaf("amount", a.Value, "type", a.Type, "limit", a.Limit, "currency", a.Currency)
	}
	if len(f.Amounts) == 0 {
		w.leaf("amount", "")
	}
	if b := f.Balance; b != (Balance{}) {
		w.leaf("balance", b.Value, "type", b.Type, "currency", b.Currency)
	}
	w.close("finance")
}

func (w *emitter) customer(c Customer) {
	w.open("customer")
	for _, contact := range c.Contacts {
		w.contact(contact)
	}
	w.ids(c.IDs)
	if t := c.Timeframe; t != (Timeframe{}) {
		w.open("timeframe")
		w.optional("description", t.Description)
		w.optional("earliestdate", t.Earliest)
		w.optional("latestdate", t.Latest)
		w.close("timeframe")
	}
	w.optional("comments", c.Comments)
	w.close("customer")
}

func (w *emitter) contact(c Contact) {
	w.open("contact", "primarycontact", flagText(c.Primary))
	for _, n := range c.Names {
		w.name(n)
	}
	if len(c.Names) == 0 {
		w.name(Name{Part: "full"})
	}
	for _, e := range c.Emails {
		w.email(e)
	}
	for _, p := range c.Phones {
		w.phone(p)
	}
	if len(c.Emails) == 0 && len(c.Phones) == 0 {
		w.phone(Phone{})
	}
	for _, a := range c.Addresses {
		w.address(a)
	}
	w.close("contact")
}

func (w *emitter) name(n Name)   { w.leaf("name", n.Value, "part", n.Part, "type", n.Type) }
func (w *emitter) email(e Email) { w.leaf("email", e.Value, "preferredcontact", flagText(e.Preferred)) }
func (w *emitter) phone(p Phone) {
	w.leaf("phone", p.Value, "type", p.Type, "time", p.Time, "preferredcontact", flagText(p.Preferred),
		"besttime", flagText(p.BestTime))
}

func flagText(set bool) string {
	if set {
		return "1"
	}
	return ""
}

func (w *emitter) address(a Address) {
	w.open("address", "type", a.Type)
	for _, s := range a.Streets {
		w.leaf("street", s.Value, "line", s.Line)
	}
	if len(a.Streets) == 0 {
		w.leaf("street", "")
	}
	w.optional("apartment", a.Apartment)
	w.optional("city", a.City)
	w.optional("regioncode", a.RegionCode)
	w.optional("postalcode", a.PostalCode)
	w.optional("country", a.Country)
	w.close("address")
}

func (w *emitter) vendor(v Vendor) {
	w.open("vendor")
	w.ids(v.IDs)
	w.leaf("vendorname", v.Name)
	w.optional("url", v.URL)
	for _, c := range v.Contacts {
		w.contact(c)
	}
	if len(v.Contacts) == 0 {
		w.contact(Contact{})
	}
	w.close("vendor")
}

func (w *emitter) provider(p Provider) {
	w.open("provider")
	w.ids(p.IDs)
	for _, n := range p.Names {
		w.name(n)
	}
	w.optional("service", p.Service)
	w.optional("url", p.URL)
	for _, e := range p.Emails {
		w.email(e)
	}
	for _, ph := range p.Phones {
		w.phone(ph)
	}
	for _, c := range p.Contacts {
		w.contact(c)
	}
	w.close("provider")
}

// blank tells a provider of which Emit would write nothing.
func (v Provider) blank() bool {
	return len(v.IDs) == 0 && len(v.Names) == 0 && v.Service == "" && v.URL == "" && len(v.Emails) == 0 &&
		len(v.Phones) == 0 && len(v.Contacts) == 0
}
