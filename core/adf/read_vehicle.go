package adf

import (
	"strings"

	"golang.org/x/text/currency"
)

// vehicle reads a vehicle and adds it to the lead. One that says nothing is
// left out: forms without a car send the empty elements.
func (r *reader) vehicle(n *node, p *path) []placed {
	attr := r.attrs(n, p, "interest", "status")
	v := Vehicle{Interest: attr("interest"), Status: attr("status")}
	left := r.each(n, p, func(c *node, p *path) bool { return r.takeInVehicle(&v, c, p) })
	r.checkVIN(v.VIN, p)
	// An id or url inside stays with the vehicle; the rest belongs to the lead.
	var up []placed
	for _, l := range left {
		switch l.n.name {
		case "url":
			r.unknown(l.n, l.p)
		default:
			up = append(up, l)
		}
	}
	if v.blank() {
		return up
	}
	r.out.Vehicles = append(r.out.Vehicles, v)
	return up
}

func (r *reader) takeInVehicle(v *Vehicle, c *node, p *path) bool {
	switch c.name {
	case "id":
		r.id(&v.IDs, c, p)
	case "year", "modelyear", "model_year":
		r.respelt(c, p, "year")
		r.once(&v.Year, c, p)
	case "make":
		r.once(&v.Make, c, p)
	case "model":
		r.once(&v.Model, c, p)
	case "vin":
		r.once(&v.VIN, c, p)
	case "stock", "stocknumber", "stock_number", "stockno":
		r.respelt(c, p, "stock")
		r.once(&v.Stock, c, p)
	case "trim":
		r.once(&v.Trim, c, p)
	case "doors":
		r.once(&v.Doors, c, p)
	case "bodystyle", "body", "bodytype", "body_style":
		r.respelt(c, p, "bodystyle")
		r.once(&v.BodyStyle, c, p)
	case "transmission":
		r.once(&v.Transmission, c, p)
	case "odometer", "mileage", "miles", "kilometers":
		r.odometer(&v.Odometer, c, p)
	case "condition":
		r.attrs(c, p)
		value := r.enum("condition", "", r.text(c, p), p)
		r.onceValue(&v.Condition, value, c, p)
	case "colorcombination", "colourcombination":
		r.color(v, c, p)
	case "color", "colour", "exteriorcolor", "interiorcolor":
		r.looseColor(v, c, p)
	case "imagetag":
		attr := r.attrs(c, p, "width", "height", "alttext")
		img := Image{URL: r.text(c, p), Width: attr("width"), Height: attr("height"), AltText: attr("alttext")}
		if v.Image == (Image{}) {
			v.Image = img
		} else if img.URL != "" {
			r.flag(FlagDuplicate, p, c.name)
			r.keep(p, img.URL, keptAttrs(c.attrs))
		}
	case "price":
		if price := r.price(c, p); price != (Price{}) {
			v.Prices = append(v.Prices, price)
			if len(v.Prices) > 1 {
				r.flag(FlagDuplicate, p, c.name)
			}
		}
	case "pricecomments":
		r.comments(&v.PriceComments, c, p)
	case "option":
		r.option(v, c, p)
	case "finance":
		if v.Finance != nil {
			r.flag(FlagDuplicate, p, c.name)
			r.flatten(c, p)
			return true
		}
		v.Finance = r.finance(c, p)
	case "comments", "comment":
		r.respelt(c, p, "comments")
		r.comments(&v.Comments, c, p)
	case "interest", "status":
		// An attribute written as an element.
		r.flag(FlagOutOfPlace, p, c.name)
		value := r.enum("vehicle", c.name, r.text(c, p), p)
		r.keep(p, value, nil)
		field := &v.Interest
		if c.name == "status" {
			field = &v.Status
		}
		if *field == "" {
			*field = value
		}
	default:
		return false
	}
	return true
}

// respelt flags a name that was read as one of the format.
func (r *reader) respelt(c *node, p *path, as string) {
	if c.name != as {
		r.flag(FlagMisspelt, p, as)
	}
}

func (r *reader) odometer(o *Odometer, c *node, p *path) {
	r.respelt(c, p, "odometer")
	inner := *c
	inner.name = "odometer"
	attr := r.attrs(&inner, p, "status", "units")
	read := Odometer{Value: r.text(c, p), Status: attr("status"), Units: attr("units")}
	switch {
	case *o == (Odometer{}):
		*o = read
	case read.Value != "":
		r.flag(FlagDuplicate, p, "odometer")
		if read.Value != o.Value {
			r.keep(p, read.Value, keptAttrs(c.attrs))
		}
	}
}

func (r *reader) color(v *Vehicle, n *node, p *path) {
	r.respelt(n, p, "colorcombination")
	r.attrs(n, p)
	var c ColorCombination
	left := r.each(n, p, func(n *node, p *path) bool {
		switch n.name {
		case "interiorcolor":
			r.once(&c.Interior, n, p)
		case "exteriorcolor":
			r.once(&c.Exterior, n, p)
		case "preference":
			r.once(&c.Preference, n, p)
		default:
			return false
		}
		return true
	})
	r.allUnknown(left)
	if c != (ColorCombination{}) {
		v.Colors = append(v.Colors, c)
	}
}

// looseColor reads a colour that stands directly in the vehicle.
func (r *reader) looseColor(v *Vehicle, n *node, p *path) {
	value := r.text(n, p)
	r.unknown(n, p)
	if value == "" {
		return
	}
	if len(v.Colors) == 0 {
		v.Colors = append(v.Colors, ColorCombination{})
	}
	c := &v.Colors[0]
	switch {
	case n.name == "interiorcolor" && c.Interior == "":
		c.Interior = value
	case n.name != "interiorcolor" && c.Exterior == "":
		c.Exterior = value
	}
}

func (r *reader) price(n *node, p *path) Price {
	attr := r.attrs(n, p, "type", "currency", "delta", "relativeto", "source")
	price := Price{Type: attr("type"), Currency: attr("currency"), Delta: attr("delta"),
		RelativeTo: attr("relativeto"), Source: attr("source"), Value: r.text(n, p)}
	r.checkCurrency(price.Currency, p)
	return price
}

func (r *reader) option(v *Vehicle, n *node, p *path) {
	r.attrs(n, p)
	var o Option
	left := r.each(n, p, func(c *node, p *path) bool {
		switch c.name {
		case "optionname", "name":
			r.respelt(c, p, "optionname")
			r.once(&o.Name, c, p)
		case "manufacturercode":
			r.once(&o.ManufacturerCode, c, p)
		case "stock":
			r.once(&o.Stock, c, p)
		case "weighting":
			r.once(&o.Weighting, c, p)
		case "price":
			if price := r.price(c, p); price != (Price{}) && o.Price == nil {
				o.Price = &price
			} else if price != (Price{}) {
				r.flag(FlagDuplicate, p, c.name)
				r.flatten(c, p)
			}
		default:
			return false
		}
		return true
	})
	// An option may be no more than its name as text.
	r.allUnknown(left)
	if o != (Option{}) {
		v.Options = append(v.Options, o)
	}
}

func (r *reader) finance(n *node, p *path) *Finance {
	r.attrs(n, p)
	f := &Finance{}
	left := r.each(n, p, func(c *node, p *path) bool {
		switch c.name {
		case "method":
			r.once(&f.Method, c, p)
		case "amount":
			attr := r.attrs(c, p, "type", "limit", "currency")
			a := Amount{Type: attr("type"), Limit: attr("limit"), Currency: attr("currency"), Value: r.text(c, p)}
			r.checkCurrency(a.Currency, p)
			if a != (Amount{}) {
				f.Amounts = append(f.Amounts, a)
			}
		case "balance":
			attr := r.attrs(c, p, "type", "currency")
			b := Balance{Type: attr("type"), Currency: attr("currency"), Value: r.text(c, p)}
			r.checkCurrency(b.Currency, p)
			if f.Balance == (Balance{}) {
				f.Balance = b
			} else if b.Value != "" {
				r.flag(FlagDuplicate, p, c.name)
				r.flatten(c, p)
			}
		case "term":
			r.extension(&f.Term, c, p)
		case "rate":
			r.extension(&f.Rate, c, p)
		case "frequency":
			r.extension(&f.Frequency, c, p)
		case "mileageallowance":
			r.extension(&f.MileageAllowance, c, p)
		default:
			return false
		}
		return true
	})
	r.allUnknown(left)
	if f.Method == "" && len(f.Amounts) == 0 && f.Balance == (Balance{}) && f.Term == "" && f.Rate == "" &&
		f.Frequency == "" && f.MileageAllowance == "" {
		return nil
	}
	return f
}

// extension keeps an element outside the format and fills its field too.
func (r *reader) extension(field *string, c *node, p *path) {
	value := r.value(directText(c), p)
	r.unknown(c, p)
	if *field == "" {
		*field = value
	}
}

func (r *reader) allUnknown(left []placed) {
	for _, l := range left {
		r.unknown(l.n, l.p)
	}
}

// checkCurrency flags what is not a code of ISO 4217 in capitals.
func (r *reader) checkCurrency(code string, p *path) {
	if code == "" || hasPlaceholder(code) || isCurrency(code) {
		return
	}
	r.flag(FlagBadCurrency, &path{up: p, name: "@currency", n: 1}, "")
}

func isCurrency(code string) bool {
	if len(code) != 3 || code != strings.ToUpper(code) {
		return false
	}
	_, err := currency.ParseISO(code)
	return err == nil
}

func (v Vehicle) blank() bool {
	return v.Interest == "" && v.Status == "" && v.unnamed()
}

// unnamed tells a vehicle with nothing but attributes.
func (v Vehicle) unnamed() bool {
	return len(v.IDs) == 0 && v.Year == "" && v.Make == "" && v.Model == "" &&
		v.VIN == "" && v.Stock == "" && v.Trim == "" && v.Doors == "" && v.BodyStyle == "" && v.Transmission == "" &&
		v.Odometer == (Odometer{}) && v.Condition == "" && len(v.Colors) == 0 && v.Image == (Image{}) &&
		len(v.Prices) == 0 && v.PriceComments == "" && len(v.Options) == 0 && v.Finance == nil && v.Comments == ""
}
