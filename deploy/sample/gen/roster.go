package main

import (
	"fmt"
	"strings"
)

// rosterTable: three to eight people a store; everyone does what the small stores need, so one
// person may hold several roles.
func (n *network) rosterTable() table {
	t := newTable("roster.csv", "person_id,dealer_id,name,roles,languages,programs,shifts,absent,active")
	for _, s := range n.stores {
		r := random(s.id, "roster")
		used := map[string]bool{}
		number, left := 0, false
		person := func(roles string, programs []string, shifts string) {
			name := personName(r)
			for used[name] {
				name = personName(r)
			}
			used[name] = true
			number++
			languages := "en"
			if len(s.languages) > 1 && (number == 2 || r.IntN(3) == 0) {
				languages += "|" + s.languages[1+r.IntN(len(s.languages)-1)]
			}
			absent := ""
			if r.IntN(12) == 0 {
				absent = pick(r, []string{"2026-11-23..2026-12-04", "2026-12-21..2027-01-03", "2027-01-18..2027-01-29", "2026-11-20..2027-05-14"})
			}
			// At most one of the people has left, never one of the first three.
			active := left || number < 4 || r.IntN(20) > 0
			left = left || !active
			t.add(fmt.Sprintf("%s-p%02d", s.id, number), s.id, name, roles, languages, strings.Join(programs, "|"), shifts, absent, fmt.Sprint(active))
		}
		switch s.kind {
		case "DESK":
			person("MANAGER", []string{evCertified, fleetDesk}, "")
			person("MANAGER|RETENTION", []string{evCertified}, "mo-fr 08:00-16:30")
			person("MANAGER|BDC", nil, "mo-fr 12:30-21:00")
			person("MANAGER|BDC", nil, "we-fr 08:00-16:30; sa 09:00-18:00; su 10:00-17:00")
			continue
		case "BDC":
			person("MANAGER", nil, "")
			for _, shift := range []string{"mo-fr 07:30-16:00", "mo-fr 07:30-16:00", "mo-fr 12:30-21:00", "mo-fr 12:30-21:00", "we-fr 10:00-18:30; sa 08:30-19:00; su 11:00-17:00"} {
				person("BDC", nil, shift)
			}
			continue
		}

		// Only what the store itself is certified for makes sense on its people.
		var skills []string
		for _, p := range []string{evCertified, commercialVan} {
			if s.has(p) {
				skills = append(skills, p)
			}
		}
		big, middle := s.density >= 120, s.density >= 50
		switch {
		case big:
			person("MANAGER", nil, "")
			person("SALES", skills, "mo-fr 09:00-17:30")
			person("SALES", nil, "mo-we 11:30-20:00; fr-sa 09:00-18:00")
			person("SALES", skills, "")
			person("BDC", nil, "")
			person("SERVICE_ADVISOR", nil, "mo-fr 07:00-15:30")
			person("SERVICE_ADVISOR|RETENTION", nil, "mo-fr 09:30-18:00")
		case middle:
			person("MANAGER", nil, "")
			person("SALES", skills, "")
			person("SALES|BDC", nil, "tu-sa 09:00-18:00")
			person("SERVICE_ADVISOR", nil, "")
			person("SERVICE_ADVISOR|RETENTION", nil, "mo-fr 09:00-17:00")
		default:
			person("MANAGER|SALES", skills, "")
			person("SALES|BDC|RETENTION", nil, "")
			person("SERVICE_ADVISOR", nil, "")
		}
		if s.has(fleetDesk) {
			person("FLEET|SALES", append([]string{fleetDesk}, skills...), "mo-fr 08:00-17:00")
		}
	}
	return t
}
