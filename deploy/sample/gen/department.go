package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The days on which a store stays closed, as far as a network can know them ahead.
const (
	holidays     = "2026-11-26;2026-12-25;2027-01-01;2027-03-28;2027-05-31;2027-07-05;2027-09-06;2027-11-25;2027-12-25;2028-01-01"
	longHolidays = "2026-11-26;2026-11-27;2026-12-24;2026-12-25;2026-12-26;2026-12-31;2027-01-01;2027-05-31;2027-07-05;2027-09-06;2027-11-25;2027-11-26;2027-12-24;2027-12-25;2028-01-01"
)

// departmentTable: hours of sales and service differ, as they do in the trade. Spans of one day
// are separated by commas, days by semicolons; a day that is not named is closed.
func (n *network) departmentTable() table {
	t := newTable("departments.csv", "dealer_id,department,brands,hours,holidays,phone,email,delivery,capacity_per_day,person_setting,bdc_dealer_id,languages,capacity_from_roster")
	for _, s := range n.stores {
		r := random(s.id, "department")
		sales, service, parts := s.hours(r)
		closed := holidays
		if r.IntN(20) == 0 {
			closed = longHolidays
		}
		delivery := "inbox"
		if s.crm {
			delivery = pick(r, []string{"inbox", "adf_email", "adf_email", "webhook"})
		}
		servicePhone := s.phone
		if s.kind == "ROOFTOP" {
			servicePhone = n.number(s.region)
		}
		row := func(department, hours, phone, capacity, setting, bdc string, fromRoster bool) {
			brands := strings.Join(s.brands, "|")
			mail := strings.ToLower(department) + "@" + s.id + ".example.com"
			t.add(s.id, department, brands, hours, closed, phone, mail, delivery, capacity, setting, bdc, strings.Join(s.languages, "|"), fmt.Sprint(fromRoster))
		}
		if s.kind != "ROOFTOP" {
			for _, d := range []string{"NEW", "USED", "SERVICE", "PARTS", "FLEET"} {
				row(d, sales, s.phone, "", "LEADMESH", "", false)
			}
			continue
		}

		setting, bdc := "LEADMESH", ""
		switch {
		case s.bdc:
			setting, bdc = "GROUP_BDC", bdcID
		case s.crm:
			setting = "CRM"
		}
		newCap, serviceCap := "", ""
		if r.IntN(4) == 0 {
			newCap = fmt.Sprint(6 + 2*r.IntN(10))
		}
		if r.IntN(6) == 0 {
			serviceCap = fmt.Sprint(20 + 5*r.IntN(8))
		}
		fromRoster := newCap == "" && r.IntN(8) == 0
		inside := setting
		if inside == "GROUP_BDC" {
			inside = "LEADMESH"
		}
		row("NEW", sales, s.phone, newCap, setting, bdc, fromRoster)
		row("USED", sales, s.phone, newCap, setting, bdc, fromRoster)
		row("SERVICE", service, servicePhone, serviceCap, inside, "", false)
		if r.IntN(5) > 0 {
			row("PARTS", parts, servicePhone, "", inside, "", false)
		}
		if s.has(fleetDesk) {
			row("FLEET", "mo-fr 08:00-17:00", s.phone, "", inside, "", false)
		}
	}
	return t
}

// hours invents the opening hours of sales, service and parts.
func (s *store) hours(r *rand.Rand) (sales, service, parts string) {
	if s.kind == "DESK" {
		all := "mo-fr 08:00-21:00; sa 09:00-18:00; su 10:00-17:00"
		return all, all, all
	}
	if s.kind == "BDC" {
		all := "mo-fr 07:30-21:00; sa 08:30-19:00; su 11:00-17:00"
		return all, all, all
	}
	sunday := "su closed"
	if !sundayRest[s.region] && s.density >= 50 {
		sunday = pick(r, []string{"su 11:00-17:00", "su 12:00-17:00", "su 10:00-18:00", "su closed"})
	}
	if s.density >= 50 {
		sales = pick(r, []string{
			"mo-fr 09:00-20:00; sa 09:00-18:00; ", "mo-th 09:00-20:00; fr 09:00-18:00; sa 09:00-17:00; ",
			"mo-sa 09:00-19:00; ", "mo-fr 08:30-20:00; sa 08:30-18:00; ",
		}) + sunday
		service = pick(r, []string{
			"mo-fr 07:00-18:00; sa 08:00-16:00; su closed", "mo-fr 07:30-18:00; sa 08:00-14:00; su closed", "mo-th 07:00-19:00; fr 07:00-18:00; sa 07:30-15:00; su closed",
		})
		parts = "mo-fr 07:30-17:30; sa 08:00-14:00; su closed"
		return sales, service, parts
	}
	sales = pick(r, []string{
		"mo-fr 08:30-18:00; sa 09:00-16:00; su closed", "mo-fr 09:00-18:00; sa 09:00-15:00; su closed", "mo-fr 08:30-12:00, 13:00-18:00; sa 09:00-13:00; su closed",
	})
	service = pick(r, []string{
		"mo-fr 07:30-17:30; su closed", "mo-fr 08:00-17:00; sa 08:00-12:00; su closed", "mo-fr 07:30-12:00, 12:30-17:00; su closed",
	})
	return sales, service, "mo-fr 08:00-17:00; su closed"
}
