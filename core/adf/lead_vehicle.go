package adf

import (
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

func (m *mapping) vehicles() {
	for i := range m.p.Vehicles {
		m.vehicle(&m.p.Vehicles[i], "prospect/vehicle["+strconv.Itoa(i+1)+"]")
	}
	for i := range m.p.CommentVehicles {
		c := &m.p.CommentVehicles[i]
		m.vehicle(&c.Vehicle, c.Path)
	}
}

func (m *mapping) vehicle(v *Vehicle, path string) {
	if len(m.l.Vehicles) == maxLeadCars {
		m.l.AddFlag(lead.FlagValueTruncated, "vehicles", "")
		return
	}
	car := lead.Vehicle{
		Role: lead.VehicleRoleSought, Interest: interest(v.Interest), Make: v.Make, Model: v.Model, Trim: v.Trim, Body: v.BodyStyle,
		VIN: v.VIN, Stock: v.Stock, Condition: v.Condition, Comments: v.Comments, Odometer: -1,
	}
	if isTrade(*v) {
		car.Role = lead.VehicleRoleTraded
	}
	if car.Interest == lead.InterestUnspecified {
		m.extra(path+"/@interest", v.Interest)
	}
	switch v.Status {
	case "new":
		car.Status = lead.VehicleStatusNew
	case "used":
		car.Status = lead.VehicleStatusUsed
	default:
		m.extra(path+"/@status", v.Status)
	}
	if year, err := strconv.Atoi(v.Year); err == nil && year >= 0 && year <= 9999 {
		car.Year = year
	} else {
		m.extra(path+"/year", v.Year)
	}
	m.odometer(&car, v, path)
	for _, c := range v.Colors {
		if car.Color == "" {
			car.Color = c.Exterior
		} else {
			m.extra(path+"/colorcombination/exteriorcolor", c.Exterior)
		}
		m.extra(path+"/colorcombination/interiorcolor", c.Interior)
	}
	for _, price := range v.Prices {
		amount, ok := money(price.Value, price.Currency)
		if ok && car.Price == (lead.Money{}) && price.Delta != "relative" && price.Delta != "percentage" {
			car.Price = amount
		} else {
			m.extra(path+"/price", price.Value)
		}
	}
	for _, o := range v.Options {
		if o.Name != "" && len(car.Options) < maxLeadIDs {
			car.Options = append(car.Options, o.Name)
		}
	}
	m.extra(path+"/doors", v.Doors)
	m.extra(path+"/transmission", v.Transmission)
	m.extra(path+"/pricecomments", v.PriceComments)
	m.extra(path+"/imagetag", v.Image.URL)
	if v.Finance != nil {
		m.finance(v.Finance, path)
	}
	m.l.Vehicles = append(m.l.Vehicles, car)
}

func (m *mapping) odometer(car *lead.Vehicle, v *Vehicle, path string) {
	unit := lead.OdometerUnitUnspecified
	switch v.Odometer.Units {
	case "km":
		unit = lead.OdometerUnitKM
	case "mi":
		unit = lead.OdometerUnitMI
	}
	if v.Odometer.Value == "" {
		return
	}
	reading, unit, ok := lead.ParseOdometer(v.Odometer.Value, unit)
	if !ok {
		m.extra(path+"/odometer", v.Odometer.Value)
		return
	}
	car.Odometer, car.OdometerUnit = reading, unit
}

func interest(s string) lead.Interest {
	switch s {
	case "buy":
		return lead.InterestBuy
	case "lease":
		return lead.InterestLease
	case "sell":
		return lead.InterestSell
	case "trade-in":
		return lead.InterestTradeIn
	case "test-drive":
		return lead.InterestTestDrive
	}
	return lead.InterestUnspecified
}

// money reads an amount. A currency that is none is left out; governance assumes the market's.
func money(value, currency string) (lead.Money, bool) {
	currency = strings.ToUpper(currency)
	if _, known := lead.CurrencyExponent(currency); !known {
		currency = ""
	}
	return lead.ParseMoney(value, currency)
}

// finance takes the first vehicle's wishes for the lead's; other amounts go to Extra.
func (m *mapping) finance(f *Finance, path string) {
	to := &m.l.Finance
	if to.Method == "" {
		to.Method = f.Method
	}
	for _, a := range f.Amounts {
		amount, ok := money(a.Value, a.Currency)
		switch {
		case ok && a.Type == "downpayment" && to.DownPayment == (lead.Money{}):
			to.DownPayment = amount
		case ok && a.Type == "monthly" && to.Monthly == (lead.Money{}):
			to.Monthly = amount
		default:
			m.extra(path+"/finance/amount", a.Value)
		}
	}
	if amount, ok := money(f.Balance.Value, f.Balance.Currency); ok && f.Balance.Type != "residual" {
		to.Balance = amount
	} else {
		m.extra(path+"/finance/balance", f.Balance.Value)
	}
	m.extra(path+"/finance/term", f.Term)
	m.extra(path+"/finance/rate", f.Rate)
	m.extra(path+"/finance/mileageallowance", f.MileageAllowance)
}
