package playbook

import (
	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	"go.yaml.in/yaml/v3"
)

// catalogue reads the cars: for governance what tells them apart, and with the files of offers,
// incentives and chargers, each of which may be absent, what is declared about them.
func (b *bundle) catalogue(o *document.Object, where *document.Places) governance.Catalogue {
	c := governance.Catalogue{DefaultBrand: o.Text("default_brand"), WMI: o.Table("wmi")}
	d := catalogue.Definition{Market: b.playbook.Market, WMI: c.WMI}
	o.Need("brands")
	o.Objects("brands", func(x *document.Object) {
		x.Need("makes")
		brand := governance.Brand{Code: x.NeedText("code"), Makes: x.Words("makes")}
		c.Brands = append(c.Brands, brand)
		d.Brands = append(d.Brands, catalogue.Brand(brand))
	})
	o.Objects("models", func(x *document.Object) {
		m := governance.Model{
			Code: x.NeedText("code"), Make: x.NeedText("make"), Name: x.NeedText("name"),
			Aliases: x.Words("aliases"), Powertrain: x.Text("powertrain"),
		}
		c.Models = append(c.Models, m)
		d.Models = append(d.Models, readModel(x, m))
	})
	o.Objects("services", func(x *document.Object) {
		d.Services = append(d.Services, catalogue.ServiceRule{Scope: readScope(x), Service: readService(x)})
	})
	o.Objects("residuals", func(x *document.Object) { d.Residuals = append(d.Residuals, readResidual(x)) })
	o.Close()

	if offers := b.open(fileOffers, "offers", where); offers != nil {
		offers.Need("offers")
		offers.Objects("offers", func(x *document.Object) { d.Offers = append(d.Offers, readOffer(x)) })
		offers.Close()
	}
	if incentives := b.open(fileIncentives, "incentives", where); incentives != nil {
		incentives.Need("incentives")
		incentives.Objects("incentives", func(x *document.Object) {
			d.Incentives = append(d.Incentives, b.readIncentive(x))
		})
		incentives.Close()
	}
	d.Chargers = b.readChargers(where)

	compiled, problems := catalogue.Compile(d)
	for _, p := range problems {
		b.list.Complain(where, p.Path, p.Message)
	}
	b.playbook.Catalogue = compiled
	return c
}

func readModel(o *document.Object, m governance.Model) catalogue.Model {
	out := catalogue.Model{Code: m.Code, Make: m.Make, Residual: o.Text("residual"), Next: o.Text("next")}
	out.Powertrain, _ = lead.ParsePowertrain(m.Powertrain) // governance says what is wrong with it
	out.ListPrice, _ = document.Value(o, "list_price", parseAmount)
	if s := o.Child("service"); s != nil {
		out.Service = readService(s)
		if out.Service == (catalogue.Service{}) && !s.Places.Broken(s.Path) {
			o.Bad(s.Node, "service: is due after a time (every), a distance or both")
		}
		s.Close()
	}
	return out
}

func readScope(o *document.Object) catalogue.Scope {
	s := catalogue.Scope{Brand: o.Text("brand")}
	s.Powertrain, _ = document.Value(o, "powertrain", parsePowertrain)
	return s
}

func readService(o *document.Object) (s catalogue.Service) {
	s.Days, _ = document.Value(o, "every", parseDays)
	s.Metres, _ = document.Value(o, "distance", parseDistance)
	return s
}

func readResidual(o *document.Object) catalogue.Residual {
	t := catalogue.Residual{Scope: readScope(o), Name: o.NeedText("name")}
	t.Years, _ = document.Value(o, "a_year", parseDistance)
	o.Need("distances")
	t.Distances = readList(o, "distances", parseDistance)
	o.Need("rows")
	o.Objects("rows", func(r *document.Object) {
		row := catalogue.ResidualRow{Days: document.NeedValue(r, "age", parseDays)}
		r.Need("shares")
		row.Shares = readList(r, "shares", document.Share)
		t.Rows = append(t.Rows, row)
	})
	return t
}

// readList reads a list of values; one that cannot be read fails the list, in which it keeps its place.
func readList[T any](o *document.Object, key string, parse func(string) (T, error)) []T {
	var out []T
	o.Each(key, func(n *yaml.Node, path string) {
		v, _ := document.Scalar(o, n, key, path, parse)
		out = append(out, v)
	})
	return out
}

func readOffer(o *document.Object) catalogue.Offer {
	x := catalogue.Offer{Model: o.NeedText("model"), Monthly: document.NeedValue(o, "monthly", parseAmount), Days: readValid(o)}
	x.Market, _ = document.Value(o, "market", parseCountry)
	return x
}

func (b *bundle) readIncentive(o *document.Object) catalogue.Incentive {
	o.NeedText("name") // for those who read the file
	x := catalogue.Incentive{Country: b.playbook.Market, Regions: readList(o, "regions", parseRegion), Models: o.Words("models"),
		Powertrains: readList(o, "powertrains", parsePowertrain), Days: readValid(o)}
	set(o, "country", parseCountry, &x.Country)
	x.Buyers, _ = document.Value(o, "buyers", parseBuyers)
	x.PriceCap, _ = document.Value(o, "price_cap", parseAmount)
	return x
}

// readValid reads the first and the last day on which something holds.
func readValid(o *document.Object) catalogue.Days {
	var d catalogue.Days
	d.From, _ = document.Value(o, "from", parseDay)
	if last, ok := document.Value(o, "until", parseDay); ok {
		d.Until = last + 86400
	}
	return d
}
