package network

import (
	"math"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The rows of a dealer's parts, with the dealer they belong to.
type (
	codeRow struct {
		dealer string
		value  *routingv1.DealerCode
	}
	departmentRow struct {
		dealer string
		value  *routingv1.DealerDepartment
	}
	personRow struct {
		dealer string
		value  *routingv1.RosterPerson
	}
	certificateRow struct {
		dealer string
		value  *routingv1.Certificate
	}
)

func readDealer(c *cells) *routingv1.Dealer {
	d := &routingv1.Dealer{
		DealerId: c.id("dealer_id"), Name: c.text("name"), Kind: c.one("kind", "", "ROOFTOP", "BDC", "DESK"), Group: c.text("group"),
		LegalEntity: c.text("legal_entity"), Country: c.country("country"), TimeZone: c.text("time_zone"),
		Status:      c.one("status", "", "ONBOARDING", "LIVE", "PAUSED", "CLOSING", "CLOSED"),
		PauseReason: c.text("pause_reason"), OverflowDealerId: c.text("overflow_dealer_id"), SucceededBy: c.text("succeeded_by"),
		Phone: c.text("phone"), Email: c.text("email"), Street: c.text("street"), City: c.text("city"), Region: c.text("region"), Website: c.text("website"),
	}
	d.PostalCode = c.postal("postal_code", d.Country)
	var haveLatitude, haveLongitude bool
	d.Latitude, haveLatitude = c.degrees("latitude", 90)
	d.Longitude, haveLongitude = c.degrees("longitude", 180)
	if d.Kind == "ROOFTOP" && !c.bad && (!haveLatitude || !haveLongitude) {
		c.fail("latitude", "is empty; a store needs latitude and longitude, or no distance to it can be known")
	}
	zone, ok := loadZone(d.TimeZone)
	if !ok && d.TimeZone != "" {
		c.fail("time_zone", "%q is no time zone; write one such as America/Chicago", d.TimeZone)
	}
	from, to := c.days("paused_from", "paused_to")
	if ok && from != "" {
		d.PausedFrom = timestamppb.New(dayIn(from, zone))
	}
	if ok && to != "" {
		d.PausedUntil = timestamppb.New(dayIn(to, zone).AddDate(0, 0, 1))
	}
	return d
}

// loadZone reads an IANA zone; the machine's own and none are none.
func loadZone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

func dayIn(day string, zone *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil { // checked when it was read
		return time.Time{}
	}
	return t
}

func readCode(c *cells) codeRow {
	v := &routingv1.DealerCode{
		Brand: c.text("brand"), Scheme: c.text("scheme"), Code: c.text("code"), SubCode: c.text("sub_code"),
		Department: c.department(false),
	}
	v.ValidFrom, v.ValidTo = c.days("valid_from", "valid_to")
	return codeRow{c.text("dealer_id"), v}
}

// department is the department column.
func (c *cells) department(required bool) leadv1.Department {
	v := c.text("department")
	if v == "" && !required {
		return 0
	}
	d, ok := lead.ParseDepartment(v)
	if !ok && v != "" {
		c.fail("department", "%q is none of NEW, USED, SERVICE, PARTS, BODY, FLEET", v)
	}
	return leadv1.Department(d)
}

func readDepartment(c *cells) departmentRow {
	v := &routingv1.DealerDepartment{
		Department: c.department(true), Brands: c.list("brands"), Hours: c.text("hours"), Holidays: c.text("holidays"),
		CapacityPerDay: c.number("capacity_per_day", 0, 100_000), PersonSetting: c.one("person_setting", "CRM", "CRM", "LEADMESH", "GROUP_BDC"),
		BdcDealerId: c.text("bdc_dealer_id"), Languages: c.languages("languages"), Delivery: c.one("delivery", "inbox", "inbox", "webhook", "adf_email"),
		Phone: c.text("phone"), Email: c.text("email"), CapacityFromRoster: c.flag("capacity_from_roster", false),
	}
	if d := lead.Department(v.Department); len(v.Brands) == 0 && (d == lead.DepartmentNew || d == lead.DepartmentService) {
		c.fail("brands", "is empty; %s names the brands it has the franchise for", d)
	}
	if v.PersonSetting == "GROUP_BDC" && v.BdcDealerId == "" {
		c.fail("bdc_dealer_id", "is empty; GROUP_BDC needs the desk that works the leads")
	}
	if v.Hours != "" {
		checkHours(c, v)
	}
	return departmentRow{c.text("dealer_id"), v}
}

// checkHours reads the hours alone and then with the days the department is closed.
func checkHours(c *cells, v *routingv1.DealerDepartment) {
	hours, err := sla.ParseHours(v.Hours)
	if err == nil {
		_, err = sla.NewCalendar(time.UTC, hours)
	}
	if err != nil {
		c.fail("hours", "%s; write them as mo-fr 08:30-18:00; sa 09:00-16:00", strings.TrimPrefix(err.Error(), "hours: "))
		return
	}
	taken := map[string]bool{}
	for _, e := range hours.Exceptions {
		taken[e.Date.String()] = true
	}
	var days []string
	for day := range strings.SplitSeq(strings.ReplaceAll(v.Holidays, "|", ";"), ";") {
		switch day = strings.TrimSpace(day); {
		case day == "":
		case !isDay(day):
			c.fail("holidays", "%q is no day; write 2026-12-25;2027-01-01", day)
		case taken[day]:
			c.fail("holidays", "%s is given twice", day)
		default:
			taken[day] = true
			days = append(days, day)
		}
	}
	v.Holidays = strings.Join(days, ";")
}

func readPerson(c *cells) personRow {
	v := &routingv1.RosterPerson{
		PersonId: c.id("person_id"), Name: c.text("name"), Languages: c.languages("languages"), Programs: c.list("programs"),
		Shifts: c.text("shifts"), Active: c.flag("active", true),
	}
	for _, text := range c.list("roles") {
		r, ok := lead.ParseRole(text)
		if !ok {
			c.fail("roles", "%q is none of BDC, SALES, SERVICE_ADVISOR, RETENTION, FLEET, MANAGER", text)
			continue
		}
		v.Roles = append(v.Roles, leadv1.Role(r))
	}
	if _, err := routing.ParseShifts(v.Shifts); err != nil {
		c.fail("shifts", "%s; write them as mo-fr 09:00-17:00; sa 10:00-14:00, or leave them empty for the opening hours", err)
	}
	var spans []string
	for span := range strings.SplitSeq(strings.ReplaceAll(c.text("absent"), "|", ";"), ";") {
		if span = strings.TrimSpace(span); span == "" {
			continue
		}
		from, to, ranged := strings.Cut(span, "..")
		if !ranged {
			to = from
		}
		if from, to = strings.TrimSpace(from), strings.TrimSpace(to); !isDay(from) || !isDay(to) || to < from {
			c.fail("absent", "%q is no absence; write 2026-12-21..2027-01-03", span)
			continue
		}
		spans = append(spans, from+".."+to)
	}
	v.Absent = strings.Join(spans, ";")
	return personRow{c.text("dealer_id"), v}
}

func readCertificate(c *cells) certificateRow {
	v := &routingv1.Certificate{Program: c.text("program")}
	v.ValidFrom, v.ValidTo = c.days("valid_from", "valid_to")
	return certificateRow{c.text("dealer_id"), v}
}

func readTerritory(c *cells) routing.Territory {
	t := routing.Territory{Brand: c.text("brand"), Country: c.country("country"), Dealer: c.text("dealer_id")}
	t.Postal = c.postal("postal_code", t.Country)
	from, to := c.days("valid_from", "valid_to")
	if from != "" {
		t.Valid.From = dayIn(from, time.UTC).Unix()
	}
	if to != "" {
		t.Valid.To = dayIn(to, time.UTC).AddDate(0, 0, 1).Unix()
	}
	if t.Valid.From < 0 || to != "" && t.Valid.To <= 0 {
		c.fail("valid_from", "is before 1970")
	}
	return t
}

func readProgram(c *cells) postgres.ProgramRow {
	p := postgres.ProgramRow{
		Code: c.id("program"), Name: c.text("name"), AppliesTo: strings.Join(c.list("applies_to"), "|"),
		Mandatory: c.flag("mandatory", false), Fallback: c.one("fallback", "", "DESK", "UNCERTIFIED"),
	}
	for _, condition := range c.list("applies_to") {
		name, value, _ := strings.Cut(condition, ":")
		_, powertrain := lead.ParsePowertrain(value)
		if known := condition == "fleet" || name == "model" && value != "" || name == "powertrain" && powertrain; !known {
			c.fail("applies_to", "%q is none of powertrain:ELECTRIC, model:CODE, fleet", condition)
		}
	}
	if p.Mandatory && p.Fallback == "" {
		c.fail("fallback", "is empty; a mandatory program says DESK or UNCERTIFIED for when no store in reach is in it")
	}
	p.ValidFrom, p.ValidTo = c.days("valid_from", "valid_to")
	return p
}

func readModel(c *cells) *routingv1.CatalogueModel {
	m := &routingv1.CatalogueModel{
		Brand: c.text("brand"), ModelCode: c.text("model_code"), Model: c.text("model"), Aliases: c.list("aliases"),
		YearFrom: c.number("year_from", 1900, 2200), YearTo: c.number("year_to", 1900, 2200), Trims: c.list("trims"),
		Powertrain: c.text("powertrain"), Body: c.text("body"), RequiredProgram: c.text("required_program"),
	}
	if m.YearFrom != 0 && m.YearTo != 0 && m.YearTo < m.YearFrom {
		c.fail("year_to", "%d is before %d", m.YearTo, m.YearFrom)
	}
	if _, ok := lead.ParsePowertrain(m.Powertrain); m.Powertrain != "" && !ok {
		c.fail("powertrain", "%q is no powertrain; write COMBUSTION, HYBRID, PLUGIN_HYBRID or ELECTRIC", m.Powertrain)
	}
	m.OnSaleFrom, m.OnSaleTo = c.days("on_sale_from", "on_sale_to")
	return m
}

func readPoint(c *cells) routing.PostalPoint {
	p := routing.PostalPoint{Country: c.country("country"), Region: c.text("region")}
	p.Postal = c.postal("postal_code", p.Country)
	latitude, _ := c.degrees("latitude", 90)
	longitude, _ := c.degrees("longitude", 180)
	p.Latitude, p.Longitude = int32(math.Round(latitude*1_000_000)), int32(math.Round(longitude*1_000_000))
	return p
}
