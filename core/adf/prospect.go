package adf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Limits of what is written into comments of what the sender sent and no field holds.
const (
	maxExtraLines = 30
	maxLineRunes  = 300
)

// Dispatch says what goes with a lead that is written for a dealer's system.
type Dispatch struct {
	System   string         // source of our identifiers, for lead and dealer alike
	Provider string         // provider/name. CRMs tell senders apart by it, so it must stay the same
	Resend   bool           // the receiver may hold the lead already
	Zone     *time.Location // of the request date; nil: UTC
	Vendor   Vendor         // the dealer
	Lines    []string       // readable lines for the end of the comments, "Key: value" each
}

// NewProspect writes a lead as a prospect that Check finds nothing wrong with: the way back of
// Prospect.Lead. What the format has no place for (the source's words, campaign, language, a vehicle
// that is owned and not offered) stands as lines in the customer's comments, behind the customer's
// own words and before d.Lines. Consent is not judged here: contact points that may not be used
// must be out of l. Neither l nor d is changed.
func NewProspect(l *lead.Lead, d Dispatch) Prospect {
	p := Prospect{RequestDate: requestDate(l, d.Zone), Vendor: d.Vendor, Provider: Provider{Service: l.Source.SubSource}}
	if d.Resend {
		p.Status = "resend"
	}
	if d.Provider != "" {
		p.Provider.Names = []Name{{Part: "full", Type: "business", Value: d.Provider}}
	}
	p.IDs = []ID{{Sequence: "1", Source: d.System, Value: l.ID.String()}}
	for _, id := range l.Identifiers {
		switch {
		case id.Value == "" || id.Source == d.System:
		case id.Kind == lead.IDKindSourceLead || id.Kind == lead.IDKindUnspecified:
			p.IDs = append(p.IDs, ID{Sequence: strconv.Itoa(len(p.IDs) + 1), Source: id.Source, Value: id.Value})
		case id.Kind != lead.IDKindClick && id.Kind != lead.IDKindAnonymous:
			p.Customer.IDs = append(p.Customer.IDs, ID{Sequence: strconv.Itoa(len(p.Customer.IDs) + 1), Source: idSource(id), Value: id.Value})
		}
	}
	p.Vehicles = writtenVehicles(l)
	p.Customer.Contacts = writtenContacts(l)
	t := &p.Customer.Timeframe
	t.Description = l.TimeFrame.Text
	t.Earliest, t.Latest = writtenDay(l.TimeFrame.Earliest), writtenDay(l.TimeFrame.Latest)
	p.Customer.Comments = writtenComments(l, d.Lines)
	return soundProspect(p)
}

// requestDate is when the customer asked, else when the lead came.
func requestDate(l *lead.Lead, zone *time.Location) string {
	t := l.RequestedAt
	if t.IsZero() {
		t = l.ReceivedAt
	}
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02T15:04:05-07:00")
}

func writtenDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// idSource names who issued an identifier; without a name, what kind it is.
func idSource(id lead.Identifier) string {
	if id.Source == "" && id.Kind != lead.IDKindOther {
		return id.Kind.String()
	}
	return id.Source
}

// writtenVehicles gives the wanted vehicles and then those offered. A customer who wants and offers
// none is written with what he drives, since the format demands a vehicle; its comments say so.
func writtenVehicles(l *lead.Lead) []Vehicle {
	var wanted, offered, owned []Vehicle
	for i := range l.Vehicles {
		v := &l.Vehicles[i]
		switch v.Role {
		case lead.VehicleRoleTraded:
			w := writtenVehicle(v)
			if w.Interest != "sell" {
				w.Interest = "trade-in"
			}
			offered = append(offered, w)
		case lead.VehicleRoleOwned:
			w := writtenVehicle(v)
			w.Interest = ""
			w.Comments = joinLines("Owned by the customer", w.Comments)
			owned = append(owned, w)
		default:
			w := writtenVehicle(v)
			if isTrade(w) {
				w.Interest = ""
			}
			wanted = append(wanted, w)
		}
	}
	if len(wanted) > 0 {
		wanted[0].Finance = writtenFinance(l.Finance)
	}
	if len(wanted)+len(offered) == 0 {
		return owned
	}
	return append(wanted, offered...)
}

func writtenVehicle(v *lead.Vehicle) Vehicle {
	w := Vehicle{
		Interest: writtenInterest(v.Interest), Make: v.Make, Model: v.Model, Trim: v.Trim, BodyStyle: v.Body, VIN: v.VIN, Stock: v.Stock,
		Condition: strings.ToLower(v.Condition), Comments: v.Comments,
	}
	switch v.Status {
	case lead.VehicleStatusNew:
		w.Status = "new"
	case lead.VehicleStatusUsed, lead.VehicleStatusCertified:
		w.Status = "used"
	}
	if v.Year > 0 {
		w.Year = strconv.Itoa(v.Year)
	}
	if v.Odometer >= 0 && (v.Odometer > 0 || v.OdometerUnit != lead.OdometerUnitUnspecified) {
		w.Odometer.Value = strconv.FormatInt(v.Odometer, 10)
		switch v.OdometerUnit {
		case lead.OdometerUnitKM:
			w.Odometer.Units = "km"
		case lead.OdometerUnitMI:
			w.Odometer.Units = "mi"
		}
	}
	if v.Color != "" {
		w.Colors = []ColorCombination{{Exterior: v.Color, Preference: "1"}}
	}
	if text := amountText(v.Price); text != "" {
		w.Prices = []Price{{Currency: v.Price.Currency, Value: text}}
	}
	for _, o := range v.Options {
		w.Options = append(w.Options, Option{Name: o})
	}
	if !slices.Contains(enumValues("condition", ""), w.Condition) && v.Condition != "" {
		w.Condition, w.Comments = "", joinLines(w.Comments, "Condition: "+v.Condition)
	}
	if v.Status == lead.VehicleStatusCertified {
		w.Comments = joinLines(w.Comments, "Certified used")
	}
	if text := amountText(v.Payoff); text != "" || v.Lender != "" {
		w.Comments = joinLines(w.Comments, strings.TrimRight(fmt.Sprintf("Still owed: %s %s %s", text, v.Payoff.Currency, v.Lender), " "))
	}
	return w
}

func writtenInterest(i lead.Interest) string {
	switch i {
	case lead.InterestBuy, lead.InterestFinance:
		return "buy"
	case lead.InterestLease:
		return "lease"
	case lead.InterestSell:
		return "sell"
	case lead.InterestTradeIn:
		return "trade-in"
	case lead.InterestTestDrive:
		return "test-drive"
	}
	return ""
}

func writtenFinance(f lead.Finance) *Finance {
	out := &Finance{Method: f.Method}
	for _, a := range [...]struct {
		kind  string
		money lead.Money
	}{{"downpayment", f.DownPayment}, {"monthly", f.Monthly}} {
		if text := amountText(a.money); text != "" {
			out.Amounts = append(out.Amounts, Amount{Type: a.kind, Currency: a.money.Currency, Value: text})
		}
	}
	if text := amountText(f.Balance); text != "" {
		out.Balance = Balance{Type: "finance", Currency: f.Balance.Currency, Value: text}
	}
	if out.Method == "" && len(out.Amounts) == 0 && out.Balance == (Balance{}) {
		return nil
	}
	return out
}

// amountText writes an amount in its currency's main unit, "1250.50"; "" if there is none.
func amountText(m lead.Money) string {
	decimals, ok := lead.CurrencyExponent(m.Currency)
	if !ok {
		return ""
	}
	if decimals == 0 {
		return strconv.FormatInt(m.Minor, 10)
	}
	sign, n := "", m.Minor
	if n < 0 {
		sign, n = "-", -n
	}
	digits := fmt.Sprintf("%0*d", decimals+1, n)
	return sign + digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:]
}

// writtenContacts gives the customer first, marked so if others follow.
func writtenContacts(l *lead.Lead) []Contact {
	primary := l.Primary()
	if primary == nil {
		primary = &lead.Party{}
	}
	first := writtenContact(primary)
	if len(first.Names)+len(first.Emails)+len(first.Phones)+len(first.Addresses) == 0 {
		first.Names = []Name{{Part: "full", Value: "Customer " + l.ID.String()}}
	}
	out := []Contact{first}
	for i := range l.Parties {
		if &l.Parties[i] == primary {
			continue
		}
		if c := writtenContact(&l.Parties[i]); len(c.Names)+len(c.Emails)+len(c.Phones)+len(c.Addresses) > 0 {
			out = append(out, c)
		}
	}
	out[0].Primary = len(out) > 1
	return out
}

func writtenContact(p *lead.Party) Contact {
	c := Contact{Names: writtenNames(p.Name)}
	for i, e := range p.Emails {
		address := e.Address
		if address == "" {
			address = e.Raw
		}
		if address != "" {
			c.Emails = append(c.Emails, Email{Value: address, Preferred: i == 0 && p.Preferred == lead.ChannelEmail})
		}
	}
	for _, f := range p.Phones {
		number := f.E164
		switch {
		case number == "":
			number = f.Raw
		case f.Extension != "":
			number += " x" + f.Extension
		}
		if number == "" {
			continue
		}
		w := Phone{Value: number, Type: "voice", Preferred: f.Preferred}
		switch f.Type {
		case lead.PhoneTypeMobile:
			w.Type = "cellphone"
		case lead.PhoneTypeFax:
			w.Type = "fax"
		}
		if len(c.Phones) == 0 && slices.Contains(enumValues("phone", "time"), p.BestTime) {
			w.Time = p.BestTime
		}
		c.Phones = append(c.Phones, w)
	}
	a := Address{Apartment: p.Address.Unit, City: p.Address.City, RegionCode: p.Address.Region, PostalCode: p.Address.Postal, Country: p.Address.Country}
	for i, s := range p.Address.Streets {
		a.Streets = append(a.Streets, Street{Line: strconv.Itoa(i + 1), Value: s})
	}
	if len(a.Streets) > 0 || a.Apartment+a.City+a.RegionCode+a.PostalCode+a.Country != "" {
		c.Addresses = []Address{a}
	}
	return c
}

// writtenNames writes a name in its parts, or whole if it has none. A company is named where no
// person is.
func writtenNames(n lead.Name) []Name {
	var out []Name
	add := func(part, kind, value string) {
		if trim(value) != "" {
			out = append(out, Name{Part: part, Type: kind, Value: value})
		}
	}
	switch {
	case n.Given != "" || n.Family != "":
		add("first", "individual", n.Given)
		add("middle", "individual", n.Middle)
		add("last", "individual", n.Family)
		add("suffix", "individual", n.Suffix)
	case n.Full != "" && n.Full != n.Company:
		add("full", "individual", n.Full)
	default:
		add("full", "business", n.Company)
	}
	return out
}

// soundProspect takes out of a prospect what no XML may hold and what the format's rules refuse.
func soundProspect(p Prospect) Prospect {
	sound := Document{Prospects: []Prospect{p}}.Canonical(nil).Prospects[0]
	if len(sound.Customer.Contacts) == 0 { // every value of it was a word for none
		sound.Customer.Contacts = []Contact{{Names: []Name{{Part: "full", Value: "Customer"}}}}
	}
	if sound.Vendor.DisplayName() == "" {
		sound.Vendor.Name = "Dealer"
	}
	return sound
}

// soundText drops what XML does not allow.
func soundText(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !isXMLChar(r) }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if !isXMLChar(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func joinLines(lines ...string) string {
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}
