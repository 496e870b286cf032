package network

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// PutDealer replaces one dealer with all its parts, by the same rules as rows of files, and answers
// the network after it or every field that is wrong.
func PutDealer(present *postgres.NetworkRows, d *routingv1.Dealer, o Options) (*postgres.NetworkRows, []problem.Violation) {
	p := newPlan(present)
	id := d.GetDealerId()
	dropParts(p.departments, func(r departmentRow) bool { return r.dealer == id })
	dropParts(p.codes, func(r codeRow) bool { return r.dealer == id })
	dropParts(p.certificates, func(r certificateRow) bool { return r.dealer == id })
	dropParts(p.roster, func(r personRow) bool { return r.dealer == id })
	for _, t := range tablesOf(d) {
		p.read(t)
	}
	p.checkPeople(id, d)
	pause(p, d)
	p.check()
	var rows *postgres.NetworkRows
	if len(p.wrong.list) == 0 {
		rows, _ = p.settle(o.Check)
	}
	if len(p.wrong.list) == 0 {
		return rows, nil
	}
	var out []problem.Violation
	for _, m := range p.wrong.sorted() {
		field := m.File
		switch {
		case m.File == "":
			field = "dealer"
		case m.File != dealerField:
			field = fmt.Sprintf("%s[%d]", m.File, m.Line)
		}
		if m.Column != "" {
			field += "." + m.Column
		}
		out = append(out, problem.Violation{Field: field, Description: m.Message})
	}
	return nil, out
}

const dealerField = "dealer"

// checkPeople refuses to take people away from another dealer by their ids.
func (p *plan) checkPeople(id string, d *routingv1.Dealer) {
	for i, person := range d.GetRoster() {
		if e := p.roster.entries[person.GetPersonId()]; e != nil && e.before != nil && e.before.dealer != id {
			p.wrong.add(dealerField+".roster", i, "person_id", "%q works for dealer %q; remove the person there first", person.GetPersonId(), e.before.dealer)
		}
	}
}

// pause sets a pause, which a request gives to the second and a file by days.
func pause(p *plan, d *routingv1.Dealer) {
	from, until := d.GetPausedFrom(), d.GetPausedUntil()
	if from != nil && until != nil && !until.AsTime().After(from.AsTime()) {
		p.wrong.add(dealerField, 0, "paused_until", "must be after paused_from")
	}
	for name, t := range map[string]*timestamppb.Timestamp{"paused_from": from, "paused_until": until} {
		if t != nil && (!t.IsValid() || t.GetSeconds() <= 0) {
			p.wrong.add(dealerField, 0, name, "is no time after 1970")
		}
	}
	if e := p.dealers.entries[d.GetDealerId()]; e != nil && e.file == dealerField {
		e.value.PausedFrom, e.value.PausedUntil = proto.CloneOf(from), proto.CloneOf(until)
	}
}

// tablesOf writes a dealer as the files it would stand in; the files are named by the fields.
func tablesOf(d *routingv1.Dealer) []*table {
	id := d.GetDealerId()
	dealers := newTable(dealerField, kindDealers)
	dealers.add(0, map[string]string{
		"dealer_id": id, "name": d.GetName(), "kind": d.GetKind(), "group": d.GetGroup(), "legal_entity": d.GetLegalEntity(),
		"country": d.GetCountry(), "postal_code": d.GetPostalCode(), "street": d.GetStreet(), "city": d.GetCity(), "region": d.GetRegion(),
		"latitude": degrees(d.GetLatitude(), d), "longitude": degrees(d.GetLongitude(), d), "time_zone": d.GetTimeZone(), "status": d.GetStatus(),
		"pause_reason": d.GetPauseReason(), "overflow_dealer_id": d.GetOverflowDealerId(), "succeeded_by": d.GetSucceededBy(),
		"phone": d.GetPhone(), "email": d.GetEmail(), "website": d.GetWebsite(),
	})
	departments := newTable(dealerField+".departments", kindDepartments)
	for i, v := range d.GetDepartments() {
		departments.add(i, map[string]string{
			"dealer_id": id, "department": departmentText(v.GetDepartment()), "brands": join(v.GetBrands()), "hours": v.GetHours(), "holidays": v.GetHolidays(),
			"phone": v.GetPhone(), "email": v.GetEmail(), "delivery": v.GetDelivery(), "capacity_per_day": whole(v.GetCapacityPerDay()),
			"person_setting": v.GetPersonSetting(), "bdc_dealer_id": v.GetBdcDealerId(), "languages": join(v.GetLanguages()),
			"capacity_from_roster": strconv.FormatBool(v.GetCapacityFromRoster()),
		})
	}
	codes := newTable(dealerField+".codes", kindCodes)
	for i, v := range d.GetCodes() {
		codes.add(i, map[string]string{
			"dealer_id": id, "brand": v.GetBrand(), "scheme": v.GetScheme(), "code": v.GetCode(), "sub_code": v.GetSubCode(),
			"department": departmentText(v.GetDepartment()), "valid_from": v.GetValidFrom(), "valid_to": v.GetValidTo(),
		})
	}
	certificates := newTable(dealerField+".certificates", kindCertificates)
	for i, v := range d.GetCertificates() {
		certificates.add(i, map[string]string{"dealer_id": id, "program": v.GetProgram(), "valid_from": v.GetValidFrom(), "valid_to": v.GetValidTo()})
	}
	roster := newTable(dealerField+".roster", kindRoster)
	for i, v := range d.GetRoster() {
		var roles []string
		for _, r := range v.GetRoles() {
			name := lead.Role(r).String()
			if name == "" {
				name = strconv.Itoa(int(r))
			}
			roles = append(roles, name)
		}
		roster.add(i, map[string]string{
			"person_id": v.GetPersonId(), "dealer_id": id, "name": v.GetName(), "roles": join(roles), "languages": join(v.GetLanguages()),
			"programs": join(v.GetPrograms()), "shifts": v.GetShifts(), "absent": v.GetAbsent(), "active": strconv.FormatBool(v.GetActive()),
		})
	}
	return []*table{dealers, departments, codes, certificates, roster}
}

func newTable(file string, k kind) *table { return &table{file: file, kind: k, layout: layouts()[k]} }

func (t *table) add(line int, cells map[string]string) {
	r := row{line, make([]string, len(t.layout.columns))}
	for i, c := range t.layout.columns {
		r.cells[i] = strings.TrimSpace(cells[c.name])
	}
	t.rows = append(t.rows, r)
}

// degrees writes a coordinate; both of them zero are none.
func degrees(v float64, d *routingv1.Dealer) string {
	if d.GetLatitude() == 0 && d.GetLongitude() == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func whole(n int32) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

func join(list []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" }), "|")
}

func departmentText(d leadv1.Department) string {
	if name := lead.Department(d).String(); name != "" || d == 0 {
		return name
	}
	return strconv.Itoa(int(d))
}
