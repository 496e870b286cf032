package governance

import (
	"strconv"

	"github.com/leadmesh/leadmesh/core/lead"
)

// vehicles normalises every vehicle and looks it up in the catalogue.
func (w *work) vehicles() {
	for i := range w.l.Vehicles {
		v := &w.l.Vehicles[i]
		if v.Role == lead.VehicleRoleUnspecified {
			v.Role = lead.VehicleRoleSought
			if v.Interest == lead.InterestTradeIn || v.Interest == lead.InterestSell {
				v.Role = lead.VehicleRoleTraded
			} else if v.Interest == lead.InterestService {
				v.Role = lead.VehicleRoleOwned
			}
			w.change(vehiclePath(i, "role"), "vehicle_role", "", v.Role.String())
		}
		if !w.g.skip[stepVINs] {
			w.vin(i, v)
		}
		w.year(i, v)
		if !w.g.skip[stepModels] {
			w.model(i, v)
		}
		if v.Odometer > 0 && v.OdometerUnit == lead.OdometerUnitUnspecified && !w.g.skip[stepDefaults] {
			v.OdometerUnit = w.market.unit
			w.l.AddFlag(lead.FlagUnitAssumed, vehiclePath(i, "odometer"), v.OdometerUnit.String())
			w.change(vehiclePath(i, "odometer_unit"), "unit", "", v.OdometerUnit.String())
		}
	}
}

func vehiclePath(i int, rest string) string { return "vehicles[" + strconv.Itoa(i) + "]." + rest }

func (w *work) vin(i int, v *lead.Vehicle) {
	if v.VIN == "" {
		v.VINValid = false
		return
	}
	if lead.Placeholder(v.VIN) {
		w.l.AddFlag(lead.FlagPlaceholderValue, fieldVIN.path(i), "")
		w.set(fieldVIN, i, "placeholder", &v.VIN, "")
		v.VINValid = false
		return
	}
	vin, valid, flag := lead.ParseVIN(v.VIN)
	w.set(fieldVIN, i, "vin", &v.VIN, vin)
	v.VINValid = valid
	if flag != "" {
		w.l.AddFlag(flag, fieldVIN.path(i), "")
	}
	if !valid {
		return
	}
	if v.Year == 0 && flag == "" {
		if y := lead.VINYear(vin, w.at.Year()); y != 0 {
			v.Year = y
			w.change(vehiclePath(i, "year"), "vin_year", "", strconv.Itoa(y))
		}
	}
	if v.Make == "" {
		wmi := lead.WMI(vin)
		for n := len(wmi); n >= 2; n-- {
			if name := w.g.catalogue.wmi[wmi[:n]]; name != "" {
				w.set(fieldMake, i, "vin_make", &v.Make, name)
				break
			}
		}
	}
}

func (w *work) year(i int, v *lead.Vehicle) {
	next := w.at.Year() + 1
	if v.Year > 0 && v.Year < 100 {
		y := 2000 + v.Year
		if y > next {
			y -= 100
		}
		w.change(vehiclePath(i, "year"), "year", strconv.Itoa(v.Year), strconv.Itoa(y))
		v.Year = y
	}
	if v.Year != 0 && (v.Year < 1886 || v.Year > next+1) {
		w.l.AddFlag(lead.FlagYearImplausible, vehiclePath(i, "year"), "")
	}
}

// model finds the vehicle in the catalogue, by code, else by name, and fills in what it tells.
// Only a wanted vehicle is flagged: people own anything.
func (w *work) model(i int, v *lead.Vehicle) {
	c := &w.g.catalogue
	sought := v.Role == lead.VehicleRoleSought
	var m match
	found := false
	if v.ModelCode != "" {
		m.modelEntry, found = c.byCode[lead.Fold(v.ModelCode)]
	}
	if !found && v.Model != "" {
		m, found = c.find(v.Make, v.Model)
	}
	if !found {
		if name, ok := c.makes[lead.Fold(v.Make)]; ok {
			w.set(fieldMake, i, "make", &v.Make, name)
		} else if sought && v.Make != "" && len(c.makes) > 0 {
			w.l.AddFlag(lead.FlagMakeUnknown, fieldMake.path(i), "")
		}
		if sought && (v.Model != "" || v.ModelCode != "") && len(c.byCode) > 0 {
			w.l.AddFlag(lead.FlagModelUnknown, fieldModel.path(i), "")
		}
		return
	}
	named := powertrainWord(m.rest)
	w.set(fieldMake, i, "catalogue", &v.Make, m.make)
	w.set(fieldModel, i, "catalogue", &v.Model, m.name)
	w.set(fieldModelCode, i, "catalogue", &v.ModelCode, m.code)
	if v.Trim == "" && m.rest != "" {
		rest := m.rest
		if r := w.g.fields[fieldTrim]; r != nil {
			rest, _ = r.shape(rest)
		}
		w.set(fieldTrim, i, "catalogue", &v.Trim, rest)
	}
	if v.Powertrain == lead.PowertrainUnspecified {
		v.Powertrain = m.powertrain
		if named != lead.PowertrainUnspecified {
			v.Powertrain = named
		}
		if v.Powertrain != lead.PowertrainUnspecified {
			w.change(vehiclePath(i, "powertrain"), "catalogue", "", v.Powertrain.String())
		}
	}
}
