package star

import (
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// vehicles reads every vehicle, boat or machine of the lead. What stands inside something that
// speaks of a trade-in is the customer's own.
func (r *reader) vehicles() {
	r.collect(r.n, nil)
	class := lead.Fold(r.n.peek("SaleClassCode"))
	for i := range r.l.Vehicles {
		v := &r.l.Vehicles[i]
		if v.Role == lead.VehicleRoleSought && v.Status == lead.VehicleStatusUnspecified {
			v.Status = status(class)
		}
	}
}

// collect takes the vehicles below; traded is what speaks of a trade-in around them.
func (r *reader) collect(n, traded *node) {
	for _, c := range n.kids {
		trade := traded
		if trade == nil && strings.Contains(lead.Fold(c.name), "tradein") {
			trade = c
		}
		if isVehicle(c) {
			r.vehicle(c, trade)
			continue
		}
		r.collect(c, trade)
	}
}

// isVehicle knows a vehicle by what it is told by.
func isVehicle(n *node) bool {
	for _, c := range n.kids {
		switch lead.Fold(c.name) {
		case "makestring", "make", "modelstring", "model", "modeldescription", "modelyear", "vin", "vehicleid":
			return true
		}
	}
	return false
}

func (r *reader) vehicle(n, traded *node) {
	if len(r.l.Vehicles) >= maxParts {
		return
	}
	v := lead.Vehicle{
		Role: lead.VehicleRoleSought, Odometer: -1, Make: n.text("MakeString", "Make", "ManufacturerName", "MakeCode"),
		Model: n.text("ModelString", "Model"), Trim: n.text("TrimCode", "Trim", "TrimString"), Body: n.text("BodyStyle"),
		VIN: n.text("VIN", "HullID", "HIN"), Stock: n.text("VehicleStockString", "StockNumber", "StockID"), Color: n.text("ColorDescription", "ExteriorColor", "Color"),
		ModelCode: n.text("ModelCode"), Condition: n.text("Condition"), Comments: n.text("VehicleNote", "VehicleComments"),
	}
	if traded != nil {
		v.Role = lead.VehicleRoleTraded
	}
	if v.Model == "" {
		v.Model = n.text("ModelDescription")
	}
	if id := n.text("VehicleID"); id != "" {
		switch {
		case v.VIN == "" && len(id) == 17:
			v.VIN = id
		case v.Stock == "":
			v.Stock = id
		default:
			r.extra("SalesLead/"+n.name+"/VehicleID", id)
		}
	}
	if year, err := strconv.Atoi(n.peek("ModelYear")); err == nil && year > 0 && year <= 9999 {
		n.text("ModelYear")
		v.Year = year
	} else if year, err := strconv.Atoi(n.peek("Year")); err == nil && year > 0 && year <= 9999 {
		n.text("Year")
		v.Year = year
	}
	if first, rest, _ := strings.Cut(v.Model, " "); v.Year == 0 && len(first) == 4 { // a whole car in one text
		if year, err := strconv.Atoi(first); err == nil && year >= 1900 && rest != "" {
			v.Year, v.Model = year, rest
		}
	}
	if c := n.leaf("Price", "PriceAmount", "ListPrice", "ListPriceAmount"); c != nil {
		if price, ok := lead.ParseMoney(c.value, c.peek("@currencyID")); ok {
			c.used, v.Price = true, price
		}
	}
	if c := n.leaf("SaleClass", "SaleClassCode", "NewUsed", "VehicleStatus"); c != nil {
		if v.Status = status(lead.Fold(c.value)); v.Status != lead.VehicleStatusUnspecified {
			c.used = true
		}
	}
	if r.odometer(n, &v); v.Odometer < 0 && traded != nil {
		r.odometer(traded, &v)
	}
	if v.Make+v.Model+v.VIN+v.Stock+v.ModelCode != "" || v.Year != 0 {
		r.l.Vehicles = append(r.l.Vehicles, v)
	}
}

func (r *reader) odometer(n *node, v *lead.Vehicle) {
	c := n.leaf("InUseOdometerMeasure", "OdometerMeasure", "Odometer", "Mileage", "InDeliveryOdometerMeasure", "DeliveryDistanceMeasure")
	if c == nil {
		return
	}
	unit := lead.OdometerUnitUnspecified
	switch lead.Fold(c.peek("@unitCode")) {
	case "km", "kmt", "kilometer", "kilometre":
		unit = lead.OdometerUnitKM
	case "mi", "smi", "mile", "miles":
		unit = lead.OdometerUnitMI
	}
	if reading, unit, ok := lead.ParseOdometer(c.value, unit); ok {
		c.used, v.Odometer, v.OdometerUnit = true, reading, unit
	}
}

func status(folded string) lead.VehicleStatus {
	switch folded {
	case "new", "n", "neu", "neuf", "nuovo":
		return lead.VehicleStatusNew
	case "used", "u", "preowned", "occasion", "gebraucht", "usato":
		return lead.VehicleStatusUsed
	case "certified", "cpo", "certifiedpreowned":
		return lead.VehicleStatusCertified
	}
	return lead.VehicleStatusUnspecified
}
