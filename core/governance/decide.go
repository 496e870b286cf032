package governance

import (
	"github.com/leadmesh/leadmesh/core/lead"
)

// decide settles what the sender left open, in the order in which one thing rests on another.
func (w *work) decide() {
	w.requestType()
	w.trigger()
	w.line()
	w.choice()
	w.brand()
	digital := w.l.Trigger && w.l.RequestType == lead.RequestTypeUnspecified && !w.personal()
	if digital != w.l.DigitalOnly {
		w.change("digital_only", "digital_only", boolText(w.l.DigitalOnly), boolText(digital))
		w.l.DigitalOnly = digital
	}
}

// requestType reads the sender's own words, else what the vehicles are wanted for.
func (w *work) requestType() {
	l := w.l
	if l.RequestType != lead.RequestTypeUnspecified {
		return
	}
	rt, rule := lead.RequestTypeUnspecified, "request_type"
	if l.RawRequest != "" {
		var ok bool
		if rt, ok = w.g.requests[lead.Fold(l.RawRequest)]; !ok {
			if rt, ok = requestByCode(l.RawRequest); !ok {
				rt = lead.RequestTypeOther
				l.AddFlag(lead.FlagUnknownCode, "request_type", "")
			}
		}
	} else if !l.Trigger {
		rule = "interest"
		for i := range l.Vehicles {
			switch l.Vehicles[i].Interest {
			case lead.InterestTestDrive:
				rt = lead.RequestTypeTestDrive
			case lead.InterestService:
				rt = lead.RequestTypeServiceBooking
			case lead.InterestSell:
				if len(l.Vehicles) == 1 {
					rt = lead.RequestTypeSellMyCar
				}
			}
			if rt != lead.RequestTypeUnspecified {
				break
			}
		}
	}
	if rt != lead.RequestTypeUnspecified {
		l.RequestType = rt
		w.change("request_type", rule, l.RawRequest, rt.String())
	}
}

// requestByCode takes the domain's own spelling in any case and with any separators.
func requestByCode(s string) (lead.RequestType, bool) {
	f := lead.Fold(s)
	for rt := lead.RequestTypeQuote; rt <= lead.RequestTypeOther; rt++ {
		if lead.Fold(rt.String()) == f {
			return rt, true
		}
	}
	return 0, false
}

func (w *work) trigger() {
	l := w.l
	if !l.Trigger && l.RequestType == lead.RequestTypeUnspecified && l.Source.Channel != "" && w.g.triggers[lead.Fold(l.Source.Channel)] {
		l.Trigger = true
		w.change("trigger", "trigger_channel", "", "true")
	}
}

func (w *work) line() {
	l := w.l
	if l.Line != lead.LineUnspecified {
		return
	}
	if line := w.g.LineOf(l); line != lead.LineUnspecified {
		l.Line = line
		w.change("line", "line", "", line.String())
	}
}

// LineOf returns the line that the rules give a lead whose sender names none: by its request type,
// origin and what its vehicles are wanted for.
func (g *Governor) LineOf(l *lead.Lead) lead.Line {
	for i := range g.lines {
		r := &g.lines[i]
		if r.request != 0 && r.request != l.RequestType || r.origin != 0 && r.origin != l.Origin || r.interest != 0 && !wants(l, r.interest) {
			continue
		}
		return r.line
	}
	return lead.LineUnspecified
}

func wants(l *lead.Lead, interest lead.Interest) bool {
	for i := range l.Vehicles {
		if l.Vehicles[i].Interest == interest {
			return true
		}
	}
	return false
}

// choice settles how the named dealer came to be named. A lead that names none has no choice,
// whatever it says.
func (w *work) choice() {
	l := w.l
	before := l.Choice
	named := l.Dealer.ID != "" || l.Dealer.Code != "" || l.Dealer.Name != ""
	switch {
	case !named:
		if before == lead.DealerChoiceCustomerChose || before == lead.DealerChoiceCustomerVehicle {
			l.AddFlag(lead.FlagDealerMissing, "dealer", before.String())
		}
		if before != lead.DealerChoiceExistingCustomer {
			l.Choice = lead.DealerChoiceNone
		}
	case before == lead.DealerChoiceUnspecified || before == lead.DealerChoiceNone:
		l.Choice = lead.DealerChoiceCustomerChose
		if c, ok := w.g.choices[l.Origin]; ok {
			l.Choice = c
		}
		// A car clicked in one store's stock says more than the origin.
		if v := l.Vehicle(lead.VehicleRoleSought); v != nil && (v.Stock != "" || v.VIN != "") {
			l.Choice = lead.DealerChoiceCustomerVehicle
		}
	}
	if l.Choice != before {
		w.change("dealer_choice", "dealer_choice", before.String(), l.Choice.String())
	}
}

// brand takes the sender's brand, else that of the wanted vehicle, else of the owned one.
func (w *work) brand() {
	c := &w.g.catalogue
	brand := w.l.Brand
	if brand != "" {
		if known, ok := c.brands[lead.Fold(brand)]; ok {
			brand = known
		}
	} else {
		for _, role := range [...]lead.VehicleRole{lead.VehicleRoleSought, lead.VehicleRoleOwned} {
			for i := range w.l.Vehicles {
				if v := &w.l.Vehicles[i]; brand == "" && v.Role == role && v.Make != "" {
					brand = c.brands[lead.Fold(v.Make)]
				}
			}
		}
		if brand == "" {
			brand = c.defaultBrand
		}
	}
	w.set(fieldBrand, 0, "brand", &w.l.Brand, brand)
}

// personal reports a visit, call or service contact behind the lead.
func (w *work) personal() bool {
	if w.l.Source.Channel != "" && w.g.personal[lead.Fold(w.l.Source.Channel)] {
		return true
	}
	return w.l.Line == lead.LineService || w.l.Line == lead.LineWarranty || w.l.Line == lead.LineCare
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return ""
}
