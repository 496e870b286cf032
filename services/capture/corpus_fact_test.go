package capture_test

import (
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

func partyFact(l *lead.Lead, key string) (string, bool) {
	p := l.Primary()
	if p == nil {
		p = &lead.Party{}
	}
	switch key {
	case "first":
		return p.Name.Given, true
	case "middle":
		return p.Name.Middle, true
	case "last":
		return p.Name.Family, true
	case "suffix":
		return p.Name.Suffix, true
	case "full":
		return p.Name.Full, true
	case "street":
		return strings.Join(p.Address.Streets, ", "), true
	case "city":
		return p.Address.City, true
	case "region":
		return p.Address.Region, true
	case "postal": // some write the space of a Canadian code, some do not
		return strings.ReplaceAll(p.Address.Postal, " ", ""), true
	case "country":
		return p.Address.Country, true
	case "email":
		for _, e := range p.Emails {
			return e.Address, true
		}
		return "", true
	case "phone":
		for _, f := range p.Phones {
			return f.Raw, true
		}
		return "", true
	case "phone_e164":
		for _, f := range p.Phones {
			return f.E164, true
		}
		return "", true
	case "locale":
		return p.Language, true
	case "born":
		return p.Born, true
	}
	return "", false
}

func leadFact(l *lead.Lead, key string) (string, bool) {
	switch key {
	case "vendor":
		return l.Dealer.Name, true
	case "dealer_code":
		return l.Dealer.Code, true
	case "provider":
		return l.Source.Provider, true
	case "campaign":
		return l.Campaign.Name, true
	case "language":
		return l.Language, true
	case "comments":
		return l.Comments, true
	case "finance_method":
		return l.Finance.Method, true
	case "downpayment":
		return amount(l.Finance.DownPayment), true
	case "balance":
		return amount(l.Finance.Balance), true
	case "earliest":
		return day(l.TimeFrame.Earliest), true
	case "latest":
		return day(l.TimeFrame.Latest), true
	case "customer_id":
		for _, id := range l.Identifiers {
			if id.Kind != lead.IDKindSourceLead {
				return id.Value, true
			}
		}
		return "", true
	case "id":
		for _, id := range l.Identifiers {
			if id.Kind == lead.IDKindSourceLead {
				return id.Value, true
			}
		}
		return "", true
	}
	return "", false
}

func mainVehicle(l *lead.Lead) *lead.Vehicle {
	if v := l.Vehicle(lead.VehicleRoleSought); v != nil {
		return v
	}
	if len(l.Vehicles) > 0 {
		return &l.Vehicles[0]
	}
	return &lead.Vehicle{Odometer: -1}
}

func tradedVehicle(l *lead.Lead) *lead.Vehicle {
	if v := l.Vehicle(lead.VehicleRoleTraded); v != nil {
		return v
	}
	return &lead.Vehicle{Odometer: -1}
}

func vehicleFact(l *lead.Lead, v *lead.Vehicle, key string) string {
	year := ""
	if v.Year != 0 {
		year = strconv.Itoa(v.Year)
	}
	switch key {
	case "make":
		return v.Make
	case "model":
		return v.Model
	case "year":
		return year
	case "trim":
		return v.Trim
	case "stock":
		return v.Stock
	case "vin":
		return v.VIN
	case "vehicle":
		return strings.Join(strings.Fields(strings.Join([]string{year, v.Make, v.Model, v.Trim}, " ")), " ")
	case "interest":
		return strings.ReplaceAll(strings.ToLower(v.Interest.String()), "_", "-")
	case "status":
		return strings.ToLower(v.Status.String())
	case "odometer":
		if v.Odometer < 0 {
			return ""
		}
		return strconv.FormatInt(v.Odometer, 10)
	case "odometer_unit":
		return v.OdometerUnit.String()
	case "price":
		return amount(v.Price)
	case "price_currency":
		return v.Price.Currency
	case "condition":
		return v.Condition
	case "bodystyle":
		return v.Body
	}
	return "no check for " + key
}

func amount(m lead.Money) string {
	if m == (lead.Money{}) {
		return ""
	}
	decimals, _ := lead.CurrencyExponent(m.Currency)
	div := int64(1)
	for range decimals {
		div *= 10
	}
	if m.Minor%div == 0 {
		return strconv.FormatInt(m.Minor/div, 10)
	}
	return strconv.FormatFloat(float64(m.Minor)/float64(div), 'f', decimals, 64)
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func extra(l *lead.Lead, name string) string {
	for _, e := range l.Extra {
		last := e.Path[strings.LastIndexByte(e.Path, '/')+1:]
		last, _, _ = strings.Cut(last, "[")
		if strings.TrimPrefix(last, "@") == name {
			return e.Value
		}
	}
	return ""
}
