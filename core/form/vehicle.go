package form

import (
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// vehicle puts a value into one of the cars, or what is paid for it.
func (b *builder) vehicle(f Field, v string) bool {
	switch f {
	case DownPayment:
		return money(&b.l.Finance.DownPayment, v)
	case MonthlyPayment:
		return money(&b.l.Finance.Monthly, v)
	}
	which := sought
	whole, part, _ := strings.Cut(string(f), ".")
	switch whole {
	case "vehicle":
	case "owned":
		which = owned
	case "trade":
		which = traded
	default:
		return false
	}
	if stateOf(v) != unclear && yearOf(v) == 0 && part != "trim" { // "yes" is no car
		return false
	}
	if !setCar(&b.cars[which], part, v) {
		return false
	}
	b.given[which] = true
	return true
}

// setCar sets a part of a car; false if the value does not fit or another is there.
func setCar(car *lead.Vehicle, part, v string) bool {
	var p *string
	switch part {
	case "": // the whole car in one text
		if strings.Contains(v, "://") {
			p = &car.Comments
			break
		}
		year, rest := splitVehicle(v)
		if car.Model != "" {
			return car.Model == rest
		}
		if year != 0 && car.Year == 0 {
			car.Year = year
		}
		v, p = rest, &car.Model
	case "make":
		p = &car.Make
	case "model":
		if year, rest := splitVehicle(v); year != 0 && car.Year == 0 {
			car.Year, v = year, rest
		}
		p = &car.Model
	case "model_code":
		p = &car.ModelCode
	case "trim":
		p = &car.Trim
	case "body":
		p = &car.Body
	case "vin":
		p = &car.VIN
	case "stock":
		p = &car.Stock
	case "color":
		p = &car.Color
	case "condition":
		p = &car.Condition
	case "year":
		year, err := strconv.Atoi(v)
		if err != nil || year < 0 || year > 9999 || car.Year != 0 && car.Year != year {
			return false
		}
		car.Year = year
		return true
	case "price":
		return money(&car.Price, v)
	case "odometer":
		reading, unit, ok := lead.ParseOdometer(v, lead.OdometerUnitUnspecified)
		if ok {
			car.Odometer, car.OdometerUnit = reading, unit
		}
		return ok
	case "status":
		return status(car, v)
	case "powertrain":
		return powertrain(car, v)
	}
	if p == nil {
		return false
	}
	fill(p, v)
	return *p == v
}

func money(m *lead.Money, v string) bool {
	amount, ok := lead.ParseMoney(v, "")
	if ok && *m == (lead.Money{}) {
		*m = amount
	}
	return ok
}

func status(car *lead.Vehicle, v string) bool {
	switch lead.Fold(v) {
	case "new", "neu", "neuwagen", "neuf", "nuevo", "nuovo", "novo", "nieuw", "nowy", "ny", "новый", "جديد", "جديدة", "नई", "नया", "新车", "新車", "신차":
		car.Status = lead.VehicleStatusNew
	case "used", "preowned", "secondhand", "gebraucht", "gebrauchtwagen", "occasion", "usado", "usato", "gebruikt", "używany", "begagnad", "brugt", "спробегом",
		"مستعمل", "مستعملة", "पुरानी", "पुराना", "二手车", "中古車", "중고차":
		car.Status = lead.VehicleStatusUsed
	case "certified", "certifiedpreowned", "cpo", "certifiedused":
		car.Status = lead.VehicleStatusCertified
	default:
		return false
	}
	return true
}

func powertrain(car *lead.Vehicle, v string) bool {
	switch lead.Fold(v) {
	case "electric", "ev", "bev", "elektro", "elektrisch", "electrique", "electrico", "elettrico", "eletrico", "электро", "كهربائية", "इलेक्ट्रिक", "电动", "電気", "전기":
		car.Powertrain = lead.PowertrainElectric
	case "hybrid", "hybride", "hibrido", "ibrido", "гибрид", "هجين", "हाइब्रिड":
		car.Powertrain = lead.PowertrainHybrid
	case "pluginhybrid", "phev", "hybriderechargeable", "hibridoenchufable":
		car.Powertrain = lead.PowertrainPluginHybrid
	case "petrol", "gasoline", "gas", "diesel", "benzin", "essence", "gasolina", "benzina", "combustion", "бензин", "дизель", "بنزين", "ديزل", "पेट्रोल", "डीजल":
		car.Powertrain = lead.PowertrainCombustion
	case "hydrogen", "fuelcell", "wasserstoff", "hydrogene":
		car.Powertrain = lead.PowertrainHydrogen
	default:
		return false
	}
	return true
}
