package adf

import (
	"strings"
)

// readProspect reads one lead. n may also be an adf element without prospects,
// whose content is then taken for one lead.
func readProspect(n *node, budget, steps *int) Prospect {
	r := &reader{out: &Prospect{}, budget: budget, steps: steps}
	root := &path{name: "prospect", n: 1}
	r.repairs(n, root)
	if n.name == "adf" {
		r.flag(FlagImpliedProspect, root, "")
	} else {
		attr := r.attrs(n, root, "status")
		r.out.Status = attr("status")
	}
	r.prospect(n, root)
	r.dropMirroredTrades()
	r.readComments()
	r.checkNames()
	return *r.out
}

// repairs flags what the tokenizer and the tree mended inside an element.
func (r *reader) repairs(n *node, p *path) {
	for _, code := range n.odd {
		r.flag(code, p, "")
	}
	seen := make(map[string]int)
	for _, part := range n.parts {
		if c := part.child; c != nil {
			seen[c.name]++
			r.repairs(c, &path{up: p, name: c.name, n: seen[c.name]})
		}
	}
}

func (r *reader) prospect(n *node, p *path) {
	left := r.each(n, p, r.takeInProspect)
	for len(left) > 0 {
		c := left[0]
		left = left[1:]
		if !r.takeMoved(c.n, c.p) {
			r.unknown(c.n, c.p)
		}
	}
}

// takeInProspect places a child of prospect.
func (r *reader) takeInProspect(c *node, p *path) bool {
	o := r.out
	var left []placed
	switch c.name {
	case "id":
		r.id(&o.IDs, c, p)
	case "requestdate":
		value := r.text(c, p)
		if o.RequestDate == "" {
			r.date(value, p)
		}
		r.attrs(c, p)
		r.onceValue(&o.RequestDate, value, c, p)
	case "vehicle":
		left = r.vehicle(c, p)
	case "customer":
		left = r.customer(c, p)
	case "vendor":
		left = r.vendor(c, p)
	case "provider":
		left = r.provider(c, p)
	case "status":
		r.flag(FlagOutOfPlace, p, c.name)
		value := r.enum("prospect", "status", r.text(c, p), p)
		if o.Status == "" && (value == "new" || value == "resend") {
			o.Status = value
		}
		r.keep(p, value, nil)
	case "trade", "tradein", "trade-in", "trade_in", "tradevehicle", "trade_vehicle":
		return r.trade(c, p)
	case "name", "email", "phone", "address", "firstname", "lastname", "first_name", "last_name":
		// A contact's parts directly under the lead describe the customer.
		if len(o.Customer.Contacts) == 0 {
			o.Customer.Contacts = append(o.Customer.Contacts, Contact{})
		}
		r.flag(FlagOutOfPlace, p, c.name)
		return r.takeInContact(&o.Customer.Contacts[0], c, p, &left)
	default:
		return false
	}
	for _, l := range left {
		if !r.takeMoved(l.n, l.p) {
			r.unknown(l.n, l.p)
		}
	}
	return true
}

// takeMoved places an element that stood elsewhere in the lead.
func (r *reader) takeMoved(c *node, p *path) bool {
	o := r.out
	switch c.name {
	case "id":
		// An id somewhere inside belongs to the person it stands with.
		r.flag(FlagOutOfPlace, p, c.name)
		if strings.Contains(p.String(), "/customer") {
			r.id(&o.Customer.IDs, c, p)
		} else {
			r.id(&o.IDs, c, p)
		}
	case "comments", "comment":
		if c.name == "comment" {
			r.flag(FlagMisspelt, p, "comments")
		} else {
			r.flag(FlagOutOfPlace, p, c.name)
		}
		r.comments(&o.Customer.Comments, c, p)
	case "contact":
		r.flag(FlagOutOfPlace, p, c.name)
		var left []placed
		r.contact(&o.Customer.Contacts, c, p, &left)
		for _, l := range left {
			r.takeMoved(l.n, l.p)
		}
	case "timeframe":
		r.flag(FlagOutOfPlace, p, c.name)
		r.timeframe(c, p)
	case "vendorname":
		r.flag(FlagOutOfPlace, p, c.name)
		r.once(&o.Vendor.Name, c, p)
	case "finance":
		v := r.firstWanted()
		if v == nil || v.Finance != nil {
			return false
		}
		r.flag(FlagOutOfPlace, p, c.name)
		v.Finance = r.finance(c, p)
	case "requestdate", "vehicle", "customer", "vendor", "provider":
		r.flag(FlagOutOfPlace, p, c.name)
		return r.takeInProspect(c, p)
	default:
		return false
	}
	return true
}

func (r *reader) firstWanted() *Vehicle {
	for i := range r.out.Vehicles {
		if v := &r.out.Vehicles[i]; v.Interest != "trade-in" && v.Interest != "sell" {
			return v
		}
	}
	return nil
}

// id reads a key. One that says nothing at all is dropped.
func (r *reader) id(ids *[]ID, n *node, p *path) {
	attr := r.attrs(n, p, "sequence", "source")
	id := ID{Sequence: attr("sequence"), Source: attr("source"), Value: r.text(n, p)}
	if id != (ID{}) {
		*ids = append(*ids, id)
	}
}

// date flags what is odd about the request date. A missing zone cannot be
// judged here, so any zone does.
func (r *reader) date(raw string, p *path) {
	if raw == "" || hasPlaceholder(raw) {
		return
	}
	_, assumed, flags, ok := ParseDate(raw, nil)
	if !ok {
		r.flag(FlagBadDate, p, "")
		return
	}
	if assumed {
		r.flag(FlagDateWithoutZone, p, "")
	}
	for _, code := range flags {
		if code != FlagDateWithoutZone {
			r.flag(code, p, "")
		}
	}
}

// comments appends text to a comments field with sensitive numbers masked.
func (r *reader) comments(field *string, n *node, p *path) {
	r.attrs(n, p)
	text, found := maskSensitive(r.text(n, p))
	if found {
		r.flag(FlagSensitive, p, "")
	}
	switch {
	case text == "":
	case *field == "":
		*field = text
	default:
		r.flag(FlagDuplicate, p, n.name)
		*field += "\n" + text
	}
}

// trade reads a foreign trade element with vehicle parts inside. One with
// text only is unknown content, but its text names a car.
func (r *reader) trade(n *node, p *path) bool {
	structured := false
	for _, part := range n.parts {
		structured = structured || part.child != nil && (isKnown(part.child.name))
	}
	if structured {
		r.flag(FlagMisspelt, p, "vehicle")
		before := len(r.out.Vehicles)
		inner := *n
		inner.name = "vehicle"
		for _, l := range r.vehicle(&inner, p) {
			r.takeMoved(l.n, l.p)
		}
		for i := before; i < len(r.out.Vehicles); i++ {
			if v := &r.out.Vehicles[i]; v.Interest == "" {
				v.Interest = "trade-in"
			}
		}
		return true
	}
	r.unknown(n, p)
	if v, ok := vehicleFromLine(directText(n)); ok {
		v.Interest = "trade-in"
		r.out.CommentVehicles = append(r.out.CommentVehicles, CommentVehicle{v, r.place(p)})
	}
	return true
}

// dropMirroredTrades removes trades that repeat the wanted car: some forms
// send the same vehicle twice whatever the customer owns.
func (r *reader) dropMirroredTrades() {
	kept := r.out.Vehicles[:0]
	for i, v := range r.out.Vehicles {
		if isTrade(v) && r.mirrors(v) {
			r.flag(FlagMirroredTrade, &path{up: &path{name: "prospect", n: 1}, name: "vehicle", n: i + 1}, "")
			r.keepVehicle(v, i+1)
			continue
		}
		kept = append(kept, v)
	}
	r.out.Vehicles = kept
}

func (r *reader) mirrors(trade Vehicle) bool {
	if trade.Model == "" && trade.VIN == "" || hasPlaceholder(trade.Make) || hasPlaceholder(trade.Model) {
		return false
	}
	for _, v := range r.out.Vehicles {
		if !isTrade(v) && strings.EqualFold(v.Year, trade.Year) && strings.EqualFold(v.Make, trade.Make) &&
			strings.EqualFold(v.Model, trade.Model) && strings.EqualFold(v.VIN, trade.VIN) {
			return true
		}
	}
	return false
}

// keepVehicle keeps what a dropped trade says beyond the car it repeats.
func (r *reader) keepVehicle(v Vehicle, n int) {
	p := &path{up: &path{name: "prospect", n: 1}, name: "vehicle", n: n}
	for _, f := range [...][2]string{{"year", v.Year}, {"make", v.Make}, {"model", v.Model}, {"vin", v.VIN},
		{"stock", v.Stock}, {"trim", v.Trim}, {"odometer", v.Odometer.Value}, {"condition", v.Condition},
		{"doors", v.Doors}, {"bodystyle", v.BodyStyle}, {"transmission", v.Transmission},
		{"pricecomments", v.PriceComments}, {"comments", v.Comments}} {
		if f[1] != "" {
			r.keep(&path{up: p, name: f[0], n: 1}, f[1], nil)
		}
	}
	for i, price := range v.Prices {
		r.keep(&path{up: p, name: "price", n: i + 1}, price.Value, []Attr{{"type", price.Type}, {"currency", price.Currency}})
	}
	if v.Finance != nil {
		r.keep(&path{up: p, name: "finance", n: 1}, v.Finance.Method, []Attr{{"balance", v.Finance.Balance.Value}})
	}
}
