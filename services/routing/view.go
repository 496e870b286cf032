package routing

import (
	"fmt"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/sla"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// networkView is the network of one revision as the service works with it: dealers with their
// calendars, models, and the definition that core/routing compiles. Immutable.
type networkView struct {
	revision   string
	dealers    map[string]*dealerView
	models     map[modelKey]catalogueModel
	catalogue  []*routingv1.CatalogueModel
	definition routing.Network
	endpoints  map[endpointKey]endpointRef // enabled push addresses by whose leads go there
	mail       bool                        // this process can send mail
}

// endpointKey is whose leads go to a push address; department 0: those of all departments that have
// none of their own.
type endpointKey struct {
	dealerID   string
	department lead.Department
}

// dealerView is a dealer with what deciding, clocks and answers need of it.
type dealerView struct {
	dealer      *routingv1.Dealer
	zone        *time.Location
	desk        bool // takes what no store may
	departments map[lead.Department]*departmentView
	roster      []routing.Person
}

// departmentView is a part of a rooftop with its calendar.
type departmentView struct {
	row      *routingv1.DealerDepartment
	calendar *sla.Calendar
}

type modelKey struct{ brand, code string }

// catalogueModel is what a decision needs of a model.
type catalogueModel struct {
	code       string
	powertrain lead.Powertrain
	program    string
}

// newNetworkView reads the rows of a network. A row that cannot be read is an error: rows are
// checked when they are imported, so one here means a broken database.
func newNetworkView(rows *postgres.NetworkRows) (*networkView, error) {
	n := &networkView{
		revision: rows.Revision, dealers: make(map[string]*dealerView, len(rows.Dealers)),
		models: map[modelKey]catalogueModel{}, catalogue: rows.Catalogue, endpoints: make(map[endpointKey]endpointRef, len(rows.Webhooks)),
	}
	for _, w := range rows.Webhooks {
		n.endpoints[endpointKey{w.DealerID, w.Department}] = endpointRef{w.ID, w.Kind}
	}
	n.definition.Revision = rows.Revision
	n.definition.Points = rows.Points
	n.definition.Territories = rows.Territories
	for i := range rows.Programs {
		n.definition.Programs = append(n.definition.Programs, rows.Programs[i].Program())
	}
	for _, d := range rows.Dealers {
		v, definition, err := newDealerView(d)
		if err != nil {
			return nil, fmt.Errorf("dealer %s: %w", d.GetDealerId(), err)
		}
		n.dealers[d.GetDealerId()] = v
		n.definition.Dealers = append(n.definition.Dealers, definition)
		n.definition.Persons = append(n.definition.Persons, v.roster...)
	}
	for _, m := range rows.Catalogue {
		powertrain, _ := lead.ParsePowertrain(m.GetPowertrain())
		n.models[modelKey{m.GetBrand(), m.GetModelCode()}] = catalogueModel{m.GetModelCode(), powertrain, m.GetRequiredProgram()}
	}
	return n, nil
}

// soughtModel is the catalogue's model of the vehicle that the lead is about.
func (n *networkView) soughtModel(l *lead.Lead) (catalogueModel, bool) {
	v := l.Vehicle(lead.VehicleRoleSought)
	if v == nil {
		return catalogueModel{}, false
	}
	m, ok := n.models[modelKey{l.Brand, v.ModelCode}]
	if !ok {
		m = catalogueModel{powertrain: v.Powertrain}
	}
	return m, ok
}

// department is the part of a dealer that works a lead, or the one that stands in for it.
func (d *dealerView) department(kind lead.Department) *departmentView {
	if v := d.departments[kind]; v != nil {
		return v
	}
	for _, other := range [...]lead.Department{lead.DepartmentNew, lead.DepartmentService, lead.DepartmentUsed} {
		if v := d.departments[other]; v != nil {
			return v
		}
	}
	return nil
}

// calendar is the hours that the clocks of a dealer's department run in. A desk or store without
// hours has none, and its clocks run in wall time.
func (n *networkView) calendar(dealerID string, kind lead.Department) *sla.Calendar {
	d := n.dealers[dealerID]
	if d == nil {
		return nil
	}
	if v := d.department(kind); v != nil {
		return v.calendar
	}
	return nil
}

func newDealerView(d *routingv1.Dealer) (*dealerView, routing.Dealer, error) {
	zone, err := time.LoadLocation(d.GetTimeZone())
	if err != nil || d.GetTimeZone() == "" {
		return nil, routing.Dealer{}, fmt.Errorf("time_zone %q is no IANA zone", d.GetTimeZone())
	}
	v := &dealerView{dealer: d, zone: zone, desk: d.GetKind() == "DESK", departments: map[lead.Department]*departmentView{}}
	r := routing.Dealer{
		ID: d.GetDealerId(), Name: d.GetName(), Group: d.GetGroup(), LegalEntity: d.GetLegalEntity(), Country: d.GetCountry(),
		Postal: d.GetPostalCode(), Latitude: micro(d.GetLatitude()), Longitude: micro(d.GetLongitude()), TimeZone: d.GetTimeZone(),
		PauseReason: d.GetPauseReason(), Overflow: d.GetOverflowDealerId(), SucceededBy: d.GetSucceededBy(), Kind: routing.KindRooftop,
	}
	if d.GetKind() != "ROOFTOP" {
		r.Kind = routing.KindDesk
	}
	status, ok := routing.ParseStatus(d.GetStatus())
	if !ok {
		return nil, r, fmt.Errorf("status %q is none of ONBOARDING, LIVE, PAUSED, CLOSING, CLOSED", d.GetStatus())
	}
	r.Status = status
	if t := d.GetPausedFrom(); t != nil {
		r.Paused.From = t.GetSeconds()
	}
	if t := d.GetPausedUntil(); t != nil {
		r.Paused.To = t.GetSeconds()
	}
	for _, row := range d.GetDepartments() {
		hours, err := sla.ParseHours(hoursText(row))
		if err != nil {
			return nil, r, fmt.Errorf("hours of %s: %w", row.GetDepartment(), err)
		}
		calendar, err := sla.NewCalendar(zone, hours)
		if err != nil {
			return nil, r, fmt.Errorf("hours of %s: %w", row.GetDepartment(), err)
		}
		kind := lead.Department(row.GetDepartment())
		v.departments[kind] = &departmentView{row: row, calendar: calendar}
		setting, _ := routing.ParsePersonSetting(row.GetPersonSetting())
		r.Departments = append(r.Departments, routing.Department{
			Kind: kind, Brands: row.GetBrands(), CapPerDay: row.GetCapacityPerDay(), InferCap: row.GetCapacityFromRoster(),
			PersonSetting: setting, BDC: row.GetBdcDealerId(), Languages: row.GetLanguages(),
		})
	}
	for _, c := range d.GetCodes() {
		r.Codes = append(r.Codes, routing.Code{
			Brand: c.GetBrand(), Scheme: c.GetScheme(), Code: c.GetCode(), SubCode: c.GetSubCode(),
			Department: lead.Department(c.GetDepartment()), Valid: postgres.Days(c.GetValidFrom(), c.GetValidTo(), zone),
		})
	}
	for _, c := range d.GetCertificates() {
		r.Certificates = append(r.Certificates, routing.Certificate{Program: c.GetProgram(), Valid: postgres.Days(c.GetValidFrom(), c.GetValidTo(), zone)})
	}
	for _, p := range d.GetRoster() {
		v.roster = append(v.roster, rosterPerson(d.GetDealerId(), p, zone))
	}
	return v, r, nil
}

func rosterPerson(dealerID string, p *routingv1.RosterPerson, zone *time.Location) routing.Person {
	out := routing.Person{ID: p.GetPersonId(), Dealer: dealerID, Shifts: p.GetShifts(), Active: p.GetActive()}
	for _, r := range p.GetRoles() {
		out.Roles = append(out.Roles, lead.Role(r))
	}
	out.Skills = append(append(out.Skills, p.GetLanguages()...), p.GetPrograms()...)
	for span := range strings.SplitSeq(p.GetAbsent(), ";") {
		from, to, _ := strings.Cut(strings.TrimSpace(span), "..")
		if from == "" {
			continue
		}
		if to == "" {
			to = from
		}
		out.Absences = append(out.Absences, postgres.Days(from, to, zone))
	}
	return out
}

// hoursText joins the weekly hours and the days a department is closed.
func hoursText(row *routingv1.DealerDepartment) string {
	text := row.GetHours()
	for day := range strings.SplitSeq(row.GetHolidays(), ";") {
		if day = strings.TrimSpace(day); day != "" {
			text += "; " + day + " closed"
		}
	}
	return strings.TrimPrefix(text, "; ")
}

func micro(degrees float64) int32 { return int32(degrees*1_000_000 + copySign(0.5, degrees)) }

func copySign(v, sign float64) float64 {
	if sign < 0 {
		return -v
	}
	return v
}
