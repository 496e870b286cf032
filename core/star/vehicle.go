package star

import (
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// vehicles reads every vehicle, boat or machine of the lead. What stands inside something that
// speaks of a trade-in is the customer's own.
func (r *reader) vehicles() {
	r.collect(r.n, false)
	class := lead.Fold(r.n.peek("SaleClassCode"))
	for i := range r.l.Vehicles {
		v := &r.l.Vehicles[i]
		if v.Role == lead.VehicleRoleSought && v.Status == lead.VehicleStatusUnspecified {
			v.Status = status(class)
		}
	}
}

func (r *reader) collect(n *node, traded bool) {
	for _, c := range n.kids {
		trade := traded || strings.Contains(lead.Fold(c.name), "tradein")
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

func (r *reader) vehicle(n *node, traded bool) {
	if len(r.l.Vehicles) >= maxParts {
		return
	}
	v := lead.Vehicle{
		Role: lead.VehicleRoleSought, Odometer: -1, Make: n.text("MakeString", "Make", "ManufacturerName", "MakeCode"),
		Model: n.text("ModelString", "Model"), Trim: n.text("TrimCode", "Trim", "TrimString"), Body: n.text("BodyStyle"),
		VIN: n.text("VIN", "HullID", "HIN"), Stock: n.text("VehicleStockString", "StockNumber", "StockID"), Color: n.text("ColorDescription", "ExteriorColor", "Color"),
		ModelCode: n.text("ModelCode"), Condition: n.text("Condition"), Comments: n.text("VehicleNote", "VehicleComments"),
	}
	if traded {
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
	if c := n.leaf("SaleClassCode", "NewUsed", "VehicleStatus"); c != nil {
		if v.Status = status(lead.Fold(c.value)); v.Status != lead.VehicleStatusUnspecified {
			c.used = true
		}
	}
	r.odometer(n, &v)
	if v.Make+v.Model+v.VIN+v.Stock+v.ModelCode != "" || v.Year != 0 {
		r.l.Vehicles = append(r.l.Vehicles, v)
	}
}

func (r *reader) odometer(n *node, v *lead.Vehicle) {
	c := n.leaf("InUseOdometerMeasure", "OdometerMeasure", "Odometer", "Mileage", "DeliveryDistanceMeasure")
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
