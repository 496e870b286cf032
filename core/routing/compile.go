package routing

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Compile checks a network and a policy and builds the snapshot of both. With any problem there
// is no snapshot; the problems name every mistake, in the order of the rows. The snapshot keeps
// no reference to what was passed in, and the order of the rows changes nothing in it.
func Compile(n Network, p Policy) (*Snapshot, []Problem) {
	if problems := check(&n, &p); len(problems) > 0 {
		return nil, problems
	}
	s := &Snapshot{network: n.Revision, playbook: p.Revision, places: compilePlaces(n.Points)}
	s.compilePrograms(n.Programs)
	s.compileDealers(&n, &p)
	s.compileTerritories(n.Territories)
	s.compileLookups(n.Dealers)
	for l := range s.roles {
		s.roles[l] = roleByLine(lead.Line(l))
	}
	for _, r := range p.Roles {
		s.roles[r.Line] = r.Role
	}
	s.compileMarkets(&p)
	return s, nil
}

func (s *Snapshot) compilePrograms(rows []Program) {
	for _, row := range rows {
		p := program{code: row.Code, fleet: row.Fleet, mandatory: row.Mandatory, fallback: row.Fallback, valid: row.Valid, models: map[string]struct{}{}}
		for _, t := range row.Powertrains {
			p.powertrains |= 1 << t
		}
		for _, m := range row.Models {
			p.models[m] = struct{}{}
		}
		s.programs = append(s.programs, p)
	}
	slices.SortFunc(s.programs, func(a, b program) int { return strings.Compare(a.code, b.code) })
}

// programNumber returns the number of a program; -1 when there is none.
func (s *Snapshot) programNumber(code string) int {
	for i := range s.programs {
		if s.programs[i].code == code {
			return i
		}
	}
	return -1
}

func (s *Snapshot) compileDealers(n *Network, p *Policy) {
	rows := slices.Clone(n.Dealers)
	slices.SortFunc(rows, func(a, b Dealer) int {
		return cmp.Or(strings.Compare(a.Country, b.Country),
			cmp.Compare(morton(a.Latitude, a.Longitude), morton(b.Latitude, b.Longitude)), strings.Compare(a.ID, b.ID))
	})
	s.byID = make(map[string]int32, len(rows))
	for i := range rows {
		s.byID[rows[i].ID] = int32(i)
	}
	s.languages = languageBits(rows)
	active := map[string]int32{}
	for i := range n.Persons {
		if n.Persons[i].Active {
			active[n.Persons[i].Dealer]++
		}
	}
	s.dealers = make([]dealer, len(rows))
	for i := range rows {
		row := &rows[i]
		d := &s.dealers[i]
		*d = dealer{id: row.ID, country: row.Country, at: vectorOf(row.Latitude, row.Longitude), kind: row.Kind,
			status: row.Status, overflow: s.number(row.Overflow), heir: s.number(row.SucceededBy)}
		for _, c := range row.Certificates {
			d.certificates = append(d.certificates, certificate{uint8(s.programNumber(c.Program)), c.Valid})
		}
	}
	// All units of one kind stand together: a lead compares only those of one kind.
	for kind := range departments {
		for i := range rows {
			s.dealers[i].units[kind] = -1
			for j := range rows[i].Departments {
				if x := &rows[i].Departments[j]; x.Kind == lead.Department(kind) {
					s.compileUnit(int32(i), &rows[i], x, active[rows[i].ID]*p.RosterLeadsPerDay)
				}
			}
		}
	}
}

// compileUnit adds a department of a dealer; inferred is the cap that its roster is good for.
func (s *Snapshot) compileUnit(number int32, row *Dealer, x *Department, inferred int32) {
	d := &s.dealers[number]
	u := unit{id: row.ID, dealer: number, status: row.Status, department: x.Kind, cap: -1}
	if row.Status == StatusPaused {
		u.paused = row.Paused
	}
	for _, c := range d.certificates {
		u.held |= 1 << c.program
		u.dated = u.dated || c.valid != Span{}
	}
	switch {
	case x.CapPerDay > 0:
		u.cap = x.CapPerDay
	case x.InferCap && inferred > 0:
		u.cap = inferred
	}
	for _, l := range x.Languages {
		u.languages |= s.languages[l]
	}
	d.units[x.Kind] = int32(len(s.units))
	s.units = append(s.units, u)
	s.brands = append(s.brands, slices.Clone(x.Brands))
	s.details = append(s.details, Unit{Dealer: row.ID, Department: x.Kind, TimeZone: row.TimeZone,
		Capped: u.cap >= 0, CapPerDay: max(u.cap, 0), PersonSetting: x.PersonSetting, BDC: x.BDC})
}

func languageBits(rows []Dealer) map[string]uint32 {
	m := map[string]uint32{}
	for i := range rows {
		for _, d := range rows[i].Departments {
			for _, l := range d.Languages {
				m[l] = 0
			}
		}
	}
	for i, l := range slices.Sorted(maps.Keys(m)) {
		m[l] = 1 << i
	}
	return m
}

// number returns the number of a dealer; -1 for "" or an unknown one.
func (s *Snapshot) number(id string) int32 {
	if n, ok := s.byID[id]; ok {
		return n
	}
	return -1
}

func (s *Snapshot) compileTerritories(rows []Territory) {
	s.territories = make(map[territoryKey][]holder, len(rows))
	for i := range rows {
		k := territoryKey{rows[i].Country, normalPostal(rows[i].Postal), rows[i].Brand}
		s.territories[k] = append(s.territories[k], holder{s.byID[rows[i].Dealer], rows[i].Valid})
	}
}

func (s *Snapshot) compileMarkets(p *Policy) {
	s.markets = map[string]*market{}
	s.franchises = map[franchiseKey]*franchise{}
	home := func(c string) *market {
		if s.markets[c] == nil {
			s.markets[c] = &market{policy: MarketPolicyTerritory, k: defaultK, desk: p.Desk, allows: map[string]bool{c: true}, brands: map[string]bool{"": true}}
		}
		return s.markets[c]
	}
	for i := range s.dealers {
		if s.dealers[i].kind == KindRooftop {
			home(s.dealers[i].country)
		}
	}
	for _, row := range p.Markets {
		m := home(row.Country)
		m.policy, m.k = row.Policy, row.K
		if row.Desk != "" {
			m.desk = row.Desk
		}
		for _, c := range row.Countries {
			m.allows[c] = true
		}
	}
	s.nowhere = s.newFranchise(p, &market{policy: MarketPolicyTerritory, k: defaultK, desk: p.Desk}, "", "")
	for country, m := range s.markets {
		m.unknown = s.newFranchise(p, m, country, "")
		for i := range s.dealers {
			if d := &s.dealers[i]; m.allows[d.country] {
				for _, u := range d.units {
					if u >= 0 {
						for _, b := range s.brands[u] {
							m.brands[b] = true
						}
					}
				}
			}
		}
		for b := range m.brands {
			for d := 1; d < departments; d++ {
				s.franchises[franchiseKey{country, b, lead.Department(d)}] = s.newFranchise(p, m, country, b)
			}
		}
		s.enroll(country, m)
	}
}

// enroll enters every rooftop of a market, one unit each, into the franchises it belongs to.
func (s *Snapshot) enroll(country string, m *market) {
	all := slices.Sorted(maps.Keys(m.brands))
	for i := range s.dealers {
		d := &s.dealers[i]
		if d.kind != KindRooftop || d.status == StatusClosed || !m.allows[d.country] {
			continue
		}
		brands := []string{""}
		for _, u := range d.units {
			if u >= 0 && len(s.brands[u]) == 0 {
				brands = slices.Clone(all)
				break
			}
			if u >= 0 {
				brands = append(brands, s.brands[u]...)
			}
		}
		slices.Sort(brands)
		for _, b := range slices.Compact(brands) {
			for k := 1; k < departments; k++ {
				if u := s.unitFor(d, b, lead.Department(k)); u >= 0 {
					f := s.franchises[franchiseKey{country, b, lead.Department(k)}]
					f.units = append(f.units, u)
				}
			}
		}
	}
}

func (s *Snapshot) newFranchise(p *Policy, m *market, country, brand string) *franchise {
	f := &franchise{brand: brand, market: m}
	for l := range f.rules {
		f.rules[l] = p.rule(brand, lead.Line(l))
		f.takes[l] = s.number(p.overflow(country, brand, lead.Line(l)))
	}
	return f
}

// rule returns the most specific rule: brand and line, brand, line, neither, else the default.
func (p *Policy) rule(brand string, line lead.Line) Rule {
	best, found := -1, DefaultRule()
	for _, r := range p.Rules {
		if r.Brand != "" && r.Brand != brand || r.Line != 0 && r.Line != line {
			continue
		}
		if weight := bit(r.Brand != "")<<1 | bit(r.Line != 0); weight > best {
			best, found = weight, r
		}
	}
	return found
}

// overflow returns the dealer of the most specific row; "" for none.
func (p *Policy) overflow(market, brand string, line lead.Line) string {
	best, found := -1, ""
	for _, o := range p.Overflow {
		if o.Market != "" && o.Market != market || o.Brand != "" && o.Brand != brand || o.Line != 0 && o.Line != line {
			continue
		}
		if weight := bit(o.Market != "")<<2 | bit(o.Brand != "")<<1 | bit(o.Line != 0); weight > best {
			best, found = weight, o.Dealer
		}
	}
	return found
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// required returns the set of programs that a lead requires.
func (s *Snapshot) required(f *Facts) (set uint64, unknown bool) {
	for i := range s.programs {
		p := &s.programs[i]
		if !p.valid.Holds(f.DecidedAt) {
			continue
		}
		if p.powertrains&(1<<f.Powertrain) != 0 && f.Powertrain != 0 || p.fleet && f.FleetAccount {
			set |= 1 << i
		} else if f.Model != "" && len(p.models) > 0 {
			if _, ok := p.models[f.Model]; ok {
				set |= 1 << i
			}
		}
	}
	for _, code := range f.Programs {
		if i := s.programNumber(code); i >= 0 {
			set |= 1 << i
		} else {
			unknown = true
		}
	}
	return set, unknown
}

// missing returns which of the required programs a unit does not hold at a time, numbered as
// the receipt numbers them.
func (s *Snapshot) missing(u *unit, required uint64, at int64) uint64 {
	held := u.held
	if u.dated && required&held != 0 {
		held = 0
		for _, c := range s.dealers[u.dealer].certificates {
			if c.valid.Holds(at) {
				held |= 1 << c.program
			}
		}
	}
	lacks, set, n := required&^held, uint64(0), 0
	for rest := required; rest != 0; rest &= rest - 1 {
		if lacks&(rest&-rest) != 0 {
			set |= 1 << n
		}
		n++
	}
	return set
}
