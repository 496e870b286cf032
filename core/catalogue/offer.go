package catalogue

import "github.com/leadmesh/leadmesh/core/lead"

// Days are the days on which something holds, as seconds: from the first midnight UTC on, before the
// last. A zero leaves that end open.
type Days struct{ From, Until int64 }

// Hold reports whether a second lies within the days.
func (d Days) Hold(at int64) bool {
	return (d.From == 0 || at >= d.From) && (d.Until == 0 || at < d.Until)
}

// Offer is what a new car of a model costs a month.
type Offer struct {
	Model   string
	Market  string // ISO 3166-1 alpha-2; empty: the catalogue's
	Monthly lead.Money
	Days
}

// Offered is the least monthly payment on offer for a car in a market at a second, in the currency
// given; ok is false when there is none. An empty market is the catalogue's.
func (c *Catalogue) Offered(of Car, market, currency string, at int64) (monthly lead.Money, ok bool) {
	if c == nil || of.model == 0 {
		return monthly, false
	}
	if market == "" {
		market = c.market
	}
	list := c.offers[c.models[of.model-1].Code]
	for i := range list {
		o := &list[i]
		if o.Market != market || o.Monthly.Currency != currency || !o.Hold(at) {
			continue
		}
		if !ok || o.Monthly.Minor < monthly.Minor {
			monthly, ok = o.Monthly, true
		}
	}
	return monthly, ok
}
