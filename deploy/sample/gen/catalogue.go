package main

import (
	"fmt"
	"slices"
)

// The programs of the network.
const (
	evCertified   = "EV_CERTIFIED"
	fleetDesk     = "FLEET_DESK"
	commercialVan = "COMMERCIAL_VAN"
	demoUnit      = "DEMO_UNIT_EV"
	fastCharger   = "CHARGER_ON_SITE"
)

// certificate is one row of certificates.csv; the days count in full.
type certificate struct{ program, from, to string }

func (s *store) has(program string) bool {
	return slices.ContainsFunc(s.certificates, func(c certificate) bool { return c.program == program })
}

// certify hands out certificates by size of the store: most run on, some ended, some end soon.
func (n *network) certify() {
	for _, s := range n.stores {
		r := random(s.id, "certificate")
		give := func(program string, percent int) {
			if r.IntN(100) >= percent {
				return
			}
			from := fmt.Sprintf("%d-%02d-01", 2022+r.IntN(4), 1+r.IntN(12))
			to := "2027-12-31"
			switch d := r.IntN(100); {
			case d < 8:
				to = "2026-06-30"
			case d < 18:
				to = "2026-12-31"
			case d < 40:
				to = "2028-06-30"
			}
			s.certificates = append(s.certificates, certificate{program, from, to})
		}
		big, middle := s.density >= 120, s.density >= 50
		premium := slices.Contains(s.brands, solvane)
		switch {
		case premium && middle:
			give(evCertified, 88)
		case middle:
			give(evCertified, 72)
		default:
			give(evCertified, 42)
		}
		if s.has(evCertified) {
			give(fastCharger, 70)
			give(demoUnit, 55)
		}
		if slices.Contains(s.brands, norrvind) {
			if big {
				give(fleetDesk, 45)
			} else if middle {
				give(fleetDesk, 25)
			} else {
				give(fleetDesk, 8)
			}
			give(commercialVan, 40)
		}
	}
}

func (n *network) certificateTable() table {
	t := newTable("certificates.csv", "dealer_id,program,valid_from,valid_to")
	for _, s := range n.stores {
		for _, c := range s.certificates {
			t.add(s.id, c.program, c.from, c.to)
		}
	}
	return t
}

// programTable: applies_to names what a lead must be about (a powertrain, a model of the catalogue,
// a fleet account); fallback says who gets it when no store in reach holds a mandatory program.
func programTable() table {
	t := newTable("programs.csv", "program,name,applies_to,mandatory,fallback,valid_from,valid_to")
	t.add(evCertified, "EV certified store", "powertrain:ELECTRIC", "true", "DESK", "2022-01-01", "")
	t.add(fleetDesk, "Fleet desk", "fleet", "false", "", "2022-01-01", "")
	t.add(commercialVan, "Commercial van center", "model:N900|model:N900E", "true", "UNCERTIFIED", "2022-01-01", "")
	t.add(demoUnit, "Electric demo car in store", "powertrain:ELECTRIC", "false", "", "2022-01-01", "2028-12-31")
	t.add(fastCharger, "Public fast charger on site", "powertrain:ELECTRIC|powertrain:PLUGIN_HYBRID", "false", "", "2022-01-01", "")
	return t
}

func catalogueTable() table {
	t := newTable("catalogue.csv", "brand,model_code,model,aliases,year_from,year_to,trims,powertrain,body,on_sale_from,on_sale_to,required_program")
	t.add(norrvind, "N100", "Skarv", "Scarv|Skarv hatch|Skarv 5-door|Norrvind Skarv", "2019", "", "Base|Trek|Sport", "COMBUSTION", "HATCHBACK", "2018-09-01", "", "")
	t.add(norrvind, "N100E", "Skarv E", "SkarvE|Skarv-E|E-Skarv|eSkarv|Skarv EV|Skarv electric", "2024", "", "Base|Trek", "ELECTRIC", "HATCHBACK", "2023-10-01", "", evCertified)
	t.add(norrvind, "N200", "Ferdal", "Ferdahl|Ferdall|Ferdal sedan", "2016", "2025", "S|SE|Limited", "COMBUSTION", "SEDAN", "2015-08-01", "2025-06-30", "")
	t.add(norrvind, "N300", "Tindra", "Tyndra|Tindra Hybrid|Tindra HEV|Tindra SUV", "2018", "", "S|Trek|Limited", "HYBRID", "SUV", "2017-10-01", "", "")
	t.add(norrvind, "N300P", "Tindra P", "TindraP|Tindra-P|Tindra PHEV|Tindra plug-in|Tindra plugin hybrid", "2020", "", "Trek|Limited", "PLUGIN_HYBRID", "SUV", "2019-11-01", "", "")
	t.add(norrvind, "N500E", "Lomvi 5", "Lomvi5|Lomvi-5|LOMVI V|Lomvi five|Lomvy 5|Lumvi 5", "2023", "", "Standard|Long Range|AWD GT", "ELECTRIC", "SUV", "2022-09-01", "", evCertified)
	t.add(norrvind, "N700E", "Lomvi 7", "Lomvi7|Lomvi-7|Lomvi seven|Lomvi 7 seater", "2026", "", "Long Range|AWD", "ELECTRIC", "SUV", "2026-03-01", "", evCertified)
	t.add(norrvind, "N600", "Brattli", "Bratli|Brattly|Brattli pickup|Brattli truck", "2020", "", "Work|Crew|Summit", "HYBRID", "PICKUP", "2019-09-01", "", "")
	t.add(norrvind, "N900", "Lastar", "Laster|Lastar van|Lastar cargo|Lastar 2500", "2018", "", "Cargo|Crew|High Roof", "COMBUSTION", "VAN", "2017-10-01", "", commercialVan)
	t.add(norrvind, "N900E", "e-Lastar", "eLastar|e Lastar|Lastar E|Lastar-E|Lastar electric|E-Laster", "2024", "", "Cargo|High Roof", "ELECTRIC", "VAN", "2023-11-01", "", evCertified)
	t.add(solvane, "S400", "Astrel", "Astrell|Astrel sedan|Solvane Astrel", "2018", "", "Line|Atelier", "HYBRID", "SEDAN", "2017-10-01", "", "")
	t.add(solvane, "S600", "Miravel", "Miravell|Miravel|Miravel SUV", "2019", "", "Line|Atelier|Black", "PLUGIN_HYBRID", "SUV", "2018-10-01", "", "")
	t.add(solvane, "S500E", "Orvane e5", "Orvanee5|Orvane-e5|Orvane E 5|Orvane 5|e5 Orvane", "2024", "", "Line|Atelier", "ELECTRIC", "SUV", "2023-09-01", "", evCertified)
	t.add(solvane, "S900E", "Lumeo GT", "LumeoGT|Lumeo-GT|Lumio GT|Lumeo", "2027", "", "GT|GT Black", "ELECTRIC", "COUPE", "2026-10-01", "", evCertified)
	return t
}
