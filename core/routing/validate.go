package routing

import (
	"fmt"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// checker collects problems.
type checker struct {
	problems []Problem
	dealers  map[string]*Dealer
	programs map[string]bool
}

func (c *checker) bad(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{path, fmt.Sprintf(format, args...)})
}

// check returns every mistake of a network and policy.
func check(n *Network, p *Policy) []Problem {
	c := &checker{dealers: make(map[string]*Dealer, len(n.Dealers)), programs: map[string]bool{}}
	c.checkPrograms(n.Programs)
	for i := range n.Dealers {
		d := &n.Dealers[i]
		path := fmt.Sprintf("dealers[%d].id", i)
		switch _, taken := c.dealers[d.ID]; {
		case d.ID == "" || len(d.ID) > 40 || !utf8.ValidString(d.ID):
			c.bad(path, "must have 1 to 40 characters")
		case taken:
			c.bad(path, "%q stands twice", d.ID)
		default:
			c.dealers[d.ID] = d
		}
	}
	languages := map[string]bool{}
	for i := range n.Dealers {
		c.checkDealer(fmt.Sprintf("dealers[%d]", i), &n.Dealers[i])
		for _, d := range n.Dealers[i].Departments {
			for _, l := range d.Languages {
				languages[l] = true
			}
		}
	}
	if len(languages) > maxLanguages {
		c.bad("dealers", "%d languages, at most %d", len(languages), maxLanguages)
	}
	c.checkCodes(n.Dealers)
	c.checkTerritories(n.Territories)
	c.checkRoster(n.Persons)
	for i := range n.Points {
		x := &n.Points[i]
		path := fmt.Sprintf("points[%d]", i)
		c.country(path, x.Country)
		c.coordinates(path, x.Latitude, x.Longitude)
		if normalPostal(x.Postal) == "" {
			c.bad(path+".postal", "has no letter or digit")
		}
	}
	c.checkPolicy(p)
	return c.problems
}

func (c *checker) country(path, s string) {
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		c.bad(path+".country", "%q is not two capital letters", s)
	}
}

func (c *checker) coordinates(path string, latitude, longitude int32) {
	if latitude < -90*degree || latitude > 90*degree {
		c.bad(path+".latitude", "%d is beyond 90 degrees", latitude)
	}
	if longitude < -180*degree || longitude > 180*degree {
		c.bad(path+".longitude", "%d is beyond 180 degrees", longitude)
	}
}

func (c *checker) span(path string, s Span) {
	if s.From < 0 || s.To < 0 || s.To != 0 && s.To <= s.From {
		c.bad(path, "ends before it begins")
	}
}

func (c *checker) checkPrograms(rows []Program) {
	if len(rows) > maxPrograms {
		c.bad("programs", "%d rows, at most %d", len(rows), maxPrograms)
	}
	for i := range rows {
		path := fmt.Sprintf("programs[%d]", i)
		x := &rows[i]
		if x.Code == "" || !utf8.ValidString(x.Code) {
			c.bad(path+".code", "is missing")
		} else if c.programs[x.Code] {
			c.bad(path+".code", "%q stands twice", x.Code)
		}
		c.programs[x.Code] = true
		c.span(path+".valid", x.Valid)
		if x.Mandatory && x.Fallback == FallbackUnspecified {
			c.bad(path+".fallback", "is missing: a mandatory program must say what happens when nobody holds it")
		}
		if x.Fallback.String() == "" && x.Fallback != 0 {
			c.bad(path+".fallback", "is unknown")
		}
		for _, t := range x.Powertrains {
			if t.String() == "" {
				c.bad(path+".powertrains", "one is unknown")
			}
		}
	}
}

func (c *checker) checkDealer(path string, d *Dealer) {
	if d.Kind.String() == "" {
		c.bad(path+".kind", "is missing")
	}
	if d.Status.String() == "" {
		c.bad(path+".status", "is missing")
	}
	c.country(path, d.Country)
	c.coordinates(path, d.Latitude, d.Longitude)
	if d.TimeZone == "" {
		c.bad(path+".time_zone", "is missing")
	}
	if d.Status == StatusPaused {
		c.span(path+".paused", d.Paused)
	}
	if d.Overflow == d.ID && d.ID != "" {
		c.bad(path+".overflow", "names the dealer itself")
	} else if d.Overflow != "" {
		c.rooftop(path+".overflow", d.Overflow)
	}
	if d.SucceededBy != "" && c.rooftop(path+".succeeded_by", d.SucceededBy) {
		seen := 0
		for x := d; x != nil && x.SucceededBy != ""; x = c.dealers[x.SucceededBy] {
			if seen++; seen > len(c.dealers) || x.SucceededBy == d.ID {
				c.bad(path+".succeeded_by", "leads in a circle")
				break
			}
		}
	}
	if d.Kind == KindRooftop && len(d.Departments) == 0 && d.Status != StatusClosed {
		c.bad(path+".departments", "are missing")
	}
	kinds := map[lead.Department]map[string]bool{}
	for i := range d.Departments {
		c.checkDepartment(fmt.Sprintf("%s.departments[%d]", path, i), &d.Departments[i], kinds)
	}
	for i, x := range d.Certificates {
		if !c.programs[x.Program] {
			c.bad(fmt.Sprintf("%s.certificates[%d].program", path, i), "%q is no program", x.Program)
		}
		c.span(fmt.Sprintf("%s.certificates[%d].valid", path, i), x.Valid)
	}
}

func (c *checker) checkDepartment(path string, x *Department, kinds map[lead.Department]map[string]bool) {
	switch {
	case x.Kind.String() == "":
		c.bad(path+".kind", "is missing")
	case kinds[x.Kind] != nil:
		c.bad(path+".kind", "%s stands twice", x.Kind)
	case len(x.Brands) == 0 && (x.Kind == lead.DepartmentNew || x.Kind == lead.DepartmentService):
		c.bad(path+".brands", "are missing: a franchise names its brands")
	}
	brands := map[string]bool{}
	for _, b := range x.Brands {
		if b == "" || brands[b] {
			c.bad(path+".brands", "%q is empty or stands twice", b)
		}
		brands[b] = true
	}
	kinds[x.Kind] = brands
	if x.CapPerDay < 0 {
		c.bad(path+".cap_per_day", "is below zero")
	}
	if x.PersonSetting.String() == "" {
		c.bad(path+".person_setting", "is missing")
	}
	if x.PersonSetting == PersonSettingGroupBDC {
		if x.BDC == "" {
			c.bad(path+".bdc", "is missing: GROUP_BDC needs its desk")
		} else if c.dealers[x.BDC] == nil {
			c.bad(path+".bdc", "%q is no dealer", x.BDC)
		}
	}
}

// rooftop checks that an id names a rooftop.
func (c *checker) rooftop(path, id string) bool {
	d := c.dealers[id]
	switch {
	case d == nil:
		c.bad(path, "%q is no dealer", id)
	case d.Kind == KindDesk:
		c.bad(path, "%q is a desk", id)
	default:
		return true
	}
	return false
}

// checkCodes refuses two dealers behind the same code at the same time.
func (c *checker) checkCodes(rows []Dealer) {
	type key struct {
		brand, scheme, code, sub string
		department               lead.Department
	}
	type use struct {
		dealer string
		valid  Span
	}
	used := map[key][]use{}
	for i := range rows {
		for j, x := range rows[i].Codes {
			path := fmt.Sprintf("dealers[%d].codes[%d]", i, j)
			if normalCode(x.Code) == "" {
				c.bad(path+".code", "is missing")
			}
			c.span(path+".valid", x.Valid)
			k := key{x.Brand, x.Scheme, normalCode(x.Code), x.SubCode, x.Department}
			for _, u := range used[k] {
				if u.dealer != rows[i].ID && overlap(u.valid, x.Valid) {
					c.bad(path+".code", "%q is also a code of dealer %q at that time", x.Code, u.dealer)
				}
			}
			used[k] = append(used[k], use{rows[i].ID, x.Valid})
		}
	}
}

func overlap(a, b Span) bool {
	return (a.To == 0 || b.From < a.To) && (b.To == 0 || a.From < b.To)
}

func (c *checker) checkTerritories(rows []Territory) {
	latest := make(map[territoryKey]int, len(rows)) // row of the key that came last, plus 1
	before := make([]int, len(rows))                // and for each row the one before it
	for i := range rows {
		x := &rows[i]
		path := fmt.Sprintf("territories[%d]", i)
		c.country(path, x.Country)
		if normalPostal(x.Postal) == "" {
			c.bad(path+".postal", "has no letter or digit")
		}
		if x.Brand == "" {
			c.bad(path+".brand", "is missing")
		}
		c.rooftop(path+".dealer", x.Dealer)
		c.span(path+".valid", x.Valid)
		k := territoryKey{x.Country, normalPostal(x.Postal), x.Brand}
		before[i] = latest[k]
		for j := before[i]; j > 0; j = before[j-1] {
			if overlap(x.Valid, rows[j-1].Valid) {
				c.bad(path, "overlaps with territories[%d]", j-1)
			}
		}
		latest[k] = i + 1
	}
}

func (c *checker) checkRoster(rows []Person) {
	seen := make(map[string]bool, len(rows))
	for i := range rows {
		x := &rows[i]
		path := fmt.Sprintf("roster[%d]", i)
		if x.ID == "" || seen[x.ID] {
			c.bad(path+".id", "%q is empty or stands twice", x.ID)
		}
		seen[x.ID] = true
		if c.dealers[x.Dealer] == nil {
			c.bad(path+".dealer", "%q is no dealer", x.Dealer)
		}
		for _, r := range x.Roles {
			if r.String() == "" {
				c.bad(path+".roles", "one is unknown")
			}
		}
		if _, err := ParseShifts(x.Shifts); err != nil {
			c.bad(path+".shifts", "%v", err)
		}
		for j, a := range x.Absences {
			c.span(fmt.Sprintf("%s.absences[%d]", path, j), a)
		}
	}
}

func (c *checker) checkPolicy(p *Policy) {
	c.desk("policy.desk", p.Desk)
	if p.RosterLeadsPerDay < 0 || p.RosterLeadsPerDay > 1000 {
		c.bad("policy.roster_leads_per_day", "must be 0 to 1000")
	}
	countries := map[string]bool{}
	for i := range p.Markets {
		m := &p.Markets[i]
		path := fmt.Sprintf("policy.markets[%d]", i)
		c.country(path, m.Country)
		if countries[m.Country] {
			c.bad(path+".country", "%q stands twice", m.Country)
		}
		countries[m.Country] = true
		if m.Policy.String() == "" {
			c.bad(path+".policy", "is missing")
		}
		if m.K < 1 || m.K > MaxCandidates {
			c.bad(path+".k", "must be 1 to %d", MaxCandidates)
		}
		if m.Desk != "" {
			c.desk(path+".desk", m.Desk)
		}
	}
	rules := map[Rule]bool{}
	for i := range p.Rules {
		path := fmt.Sprintf("policy.rules[%d]", i)
		c.checkRule(path, &p.Rules[i])
		k := Rule{Brand: p.Rules[i].Brand, Line: p.Rules[i].Line}
		if rules[k] {
			c.bad(path, "stands twice for this brand and line")
		}
		rules[k] = true
	}
	overflows := map[Overflow]bool{}
	for i, o := range p.Overflow {
		path := fmt.Sprintf("policy.overflow[%d]", i)
		c.rooftop(path+".dealer", o.Dealer)
		o.Dealer = ""
		if overflows[o] {
			c.bad(path, "stands twice for this market, brand and line")
		}
		overflows[o] = true
	}
	for i, r := range p.Roles {
		if r.Line.String() == "" || r.Role.String() == "" {
			c.bad(fmt.Sprintf("policy.roles[%d]", i), "needs a line and a role")
		}
	}
}

func (c *checker) desk(path, id string) {
	if d := c.dealers[id]; d == nil || d.Kind != KindDesk {
		c.bad(path, "%q is no dealer of kind DESK: without a desk a lead may have no owner", id)
	}
}

func (c *checker) checkRule(path string, r *Rule) {
	if r.Line != 0 && r.Line.String() == "" {
		c.bad(path+".line", "is unknown")
	}
	if r.NormalDistance < 1 || r.NormalDistance > maxDistance {
		c.bad(path+".normal_distance", "must be 1 to %d metres", maxDistance)
	}
	if r.KnownFactor < 0 || r.KnownFactor > 100_000 {
		c.bad(path+".known_factor", "must be 0 to 100000 thousandths")
	}
	if r.MaxDistance < 0 {
		c.bad(path+".max_distance", "is below zero")
	}
	if r.ServiceMemory < 0 || r.SellingMemory < 0 {
		c.bad(path, "has a memory below zero")
	}
	for _, x := range []struct {
		name  string
		value int32
	}{
		{"performance_cap", r.PerformanceCap}, {"minimum_share", r.MinimumShare}, {"exploration", r.Exploration}, {"equals", r.Equals},
		{"closed", r.Closed}, {"missing_program", r.MissingProgram}, {"other_language", r.OtherLanguage},
	} {
		if x.value < 0 || x.value > million {
			c.bad(path+"."+x.name, "must be 0 to 1000000 parts per million")
		}
	}
}
