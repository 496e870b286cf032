package scoring

import (
	"cmp"
	"time"

	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

// vehicle is the car of the customer that worth, debt and services are about: the one that the lead
// names, with what the profile knows of the same car, else the one of the profile.
type vehicle struct {
	car   catalogue.Car
	named *lead.Vehicle        // nil: the lead names none
	known *signal.VehicleFacts // nil: the profile knows nothing of it
	days  int32                // old; Missing
	km    int32                // catalogue.Unread when nobody read it
}

// vehicle finds the car. What the profile knows of another car of the customer is not said of it.
func (x *extraction) vehicle(named *lead.Vehicle, c *signal.LifeCycle, decidedAt time.Time) vehicle {
	v := vehicle{named: named, known: c.Vehicle, days: Missing, km: catalogue.Unread}
	var d catalogue.Description
	if v.known != nil && !same(named, v.known) {
		v.known = nil
	}
	year := 0
	if k := v.known; k != nil {
		d = catalogue.Description{Code: k.ModelCode, Make: k.Make, VIN: k.VIN, Powertrain: k.Powertrain}
		if c.AgeDays != signal.Unknown {
			v.days = c.AgeDays
		}
		if c.OdometerKM != signal.Unknown {
			v.km = c.OdometerKM
		}
	}
	if named != nil {
		year = named.Year
		d.Code, d.Make, d.VIN = cmp.Or(d.Code, named.ModelCode), cmp.Or(d.Make, named.Make), cmp.Or(d.VIN, named.VIN)
		d.Powertrain = cmp.Or(d.Powertrain, named.Powertrain)
		if km, ok := odometerKM(named); ok {
			v.km = km
		}
	}
	v.car = x.facts.Catalogue.Car(d)
	if v.days == Missing {
		if year <= 1900 {
			year = lead.VINYear(d.VIN, decidedAt.UTC().Year())
		}
		if year > 1900 {
			v.days = daysSince(year, x.at)
		}
	}
	return v
}

// daysSince counts from the first day of a model year, which is all that is known of the car's age.
func daysSince(year int, at int64) int32 {
	return int32(max(0, floorDays(at-time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix())))
}

// same reports whether what the lead says of a car fits the one that the profile knows.
func same(named *lead.Vehicle, known *signal.VehicleFacts) bool {
	switch {
	case named == nil:
		return true
	case named.VIN != "":
		return named.VIN == known.VIN
	case named.ModelCode != "":
		return named.ModelCode == known.ModelCode
	}
	return named.Make == "" && named.Model == ""
}

// servicesDone is the share of the services due, in 1/1000; Missing when nothing tells.
func (v *vehicle) servicesDone(x *extraction) int32 {
	s, ok := x.facts.Catalogue.Service(v.car)
	if !ok || v.known == nil {
		return Missing
	}
	if n := v.known.ServicesDone(s.Days, s.Metres, x.at); n != signal.Unknown {
		return n
	}
	return Missing
}

// value is what the car is worth: by its last valuation, else the price on the lead, else the table of
// residual values. It has no currency when nothing tells.
func (v *vehicle) value(x *extraction) lead.Money {
	if v.known != nil {
		if m, ok := v.known.Worth(x.at); ok {
			return m
		}
	}
	if v.named != nil && v.named.Price.Currency != "" {
		return v.named.Price
	}
	m, _ := x.facts.Catalogue.Worth(v.car, v.days, v.km)
	return m
}

// owed is what is owed on the car: what the lead says today, else by its contract.
func (v *vehicle) owed(x *extraction) lead.Money {
	if v.named != nil && v.named.Payoff.Currency != "" {
		return v.named.Payoff
	}
	if v.known != nil {
		if m, ok := v.known.Owes(x.at); ok {
			return m
		}
	}
	return lead.Money{}
}

// worth compares what the car is worth with what is owed and with a repair.
func (x *extraction) worth(v *vehicle, c *signal.LifeCycle) {
	worth, owed := v.value(x), v.owed(x)
	if worth.Currency != "" && owed.Currency == worth.Currency {
		x.money(FeatureEquity, lead.Money{Minor: worth.Minor - owed.Minor, Currency: worth.Currency})
	}
	if c.DeclinedDays != signal.Unknown && c.DeclinedDays <= declinedRecent {
		x.money(FeatureDeclinedAmount, c.Declined)
		// A quote for another car of the customer says nothing of this one.
		if share, ok := permille(c.Declined, worth); ok && v.known != nil && (c.Vehicles < 2 || v.known.Declined.Amount == c.Declined) {
			x.set(FeatureRepairValueShare, share)
		}
	}
}

// next reads what the market holds for the car that may follow: its payment against the one of today,
// an incentive for it, chargers around the customer.
func (x *extraction) next(mine catalogue.Car, paying lead.Money) {
	k := x.facts.Catalogue
	country, region, postal := x.lead.Market, "", ""
	if p := x.lead.Primary(); p != nil {
		region, postal = p.Address.Region, p.Address.Postal
		if p.Address.Country != "" {
			country = p.Address.Country
		}
	}
	if n, ok := k.ChargersNear(country, postal); ok {
		x.set(FeatureChargersNearby, int64(n))
	}
	next := catalogue.Purchase{Country: country, Region: region, Fleet: x.fleet, At: x.at}
	switch v := x.sought; {
	case v == nil:
		next.Car = k.Next(mine)
	case v.Status == lead.VehicleStatusUsed || v.Status == lead.VehicleStatusCertified:
		return // offers and incentives are for new cars
	default:
		next.Car = k.Car(catalogue.Description{Code: v.ModelCode, Make: v.Make, Powertrain: x.powertrainSought()})
		next.Price = v.Price
	}
	if next.Car == (catalogue.Car{}) {
		return
	}
	if eligible, ok := k.Eligible(&next); ok {
		x.yes(FeatureIncentiveEligible, eligible)
	}
	if offer, ok := k.Offered(next.Car, x.lead.Market, paying.Currency, x.at); ok {
		if share, ok := permille(offer, paying); ok {
			x.set(FeaturePaymentChange, share-1000)
		}
	}
}
