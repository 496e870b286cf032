package catalogue

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Incentive is money or a favour that a country or a region gives to buyers of some cars. What is
// left open holds for all.
type Incentive struct {
	Country     string   // ISO 3166-1 alpha-2
	Regions     []string // ISO 3166-2 without the country
	Models      []string
	Powertrains []lead.Powertrain
	Buyers      Buyers
	PriceCap    lead.Money // the car may cost at most that; no currency: anything
	Days
}

// Buyers says who may get an incentive.
type Buyers uint8

// The values of Buyers.
const (
	BuyersAll Buyers = iota
	BuyersPrivate
	BuyersFleet
)

// ParseBuyers reads the spelling of a playbook.
func ParseBuyers(s string) (Buyers, bool) {
	i := slices.Index([]string{"all", "private", "fleet"}, s)
	return Buyers(max(i, 0)), i >= 0
}

// Purchase is a car somebody may buy, for Eligible.
type Purchase struct {
	Car             Car
	Price           lead.Money // no currency: the model's list price
	Country, Region string
	Fleet           bool
	At              int64
}

// verdict is whether an incentive is for a purchase.
type verdict uint8

const (
	no   verdict = iota
	open         // it hangs on something that is not known
	yes
)

// Eligible reports whether there is an incentive for a purchase. It is not known (ok is false) when
// nothing is declared for the country, or when all depends on a powertrain, region or price that
// nobody knows.
func (c *Catalogue) Eligible(p *Purchase) (eligible, ok bool) {
	if c == nil || !c.countries[p.Country] {
		return false, false
	}
	price := p.Price
	if price.Currency == "" {
		price = c.ListPrice(p.Car)
	}
	best := no
	for i := range c.incentives {
		if best = max(best, c.judge(&c.incentives[i], p, price)); best == yes {
			return true, true
		}
	}
	return false, best == no
}

func (c *Catalogue) judge(x *Incentive, p *Purchase, price lead.Money) verdict {
	if x.Country != p.Country || !x.Hold(p.At) || x.Buyers == BuyersPrivate && p.Fleet || x.Buyers == BuyersFleet && !p.Fleet {
		return no
	}
	out := yes
	if len(x.Regions) > 0 {
		switch {
		case p.Region == "":
			out = open
		case !slices.Contains(x.Regions, p.Region):
			return no
		}
	}
	if len(x.Powertrains) > 0 {
		switch {
		case p.Car.Powertrain == lead.PowertrainUnspecified:
			out = open
		case !slices.Contains(x.Powertrains, p.Car.Powertrain):
			return no
		}
	}
	if len(x.Models) > 0 {
		switch {
		case p.Car.model == 0:
			out = open
		case !slices.Contains(x.Models, c.models[p.Car.model-1].Code):
			return no
		}
	}
	if x.PriceCap.Currency != "" {
		switch {
		case price.Currency != x.PriceCap.Currency:
			out = open
		case price.Minor > x.PriceCap.Minor:
			return no
		}
	}
	return out
}
