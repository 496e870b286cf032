package network

import (
	"maps"
	"slices"

	"github.com/leadmesh/leadmesh/core/routing"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// Options say how an import goes.
type Options struct {
	AllOrNothing bool // one bad row refuses everything
	Replace      bool // rows that no file names are removed, in the kinds that files are given of
	// Check compiles the network and returns what does not hold together. Paths of rows count in
	// the order of the rows it is given, roster rows through all dealers.
	Check func(rows *postgres.NetworkRows) []routing.Problem
	// Open answers how many open leads dealers hold: one that holds any is not removed.
	Open func(dealers []string) (map[string]int32, error)
}

// Result is what an import comes to.
type Result struct {
	Rows     *postgres.NetworkRows // the network after it; nil: refused, nothing changes
	Accepted map[string]int32      // rows taken by file; all zero if refused
	Mistakes []Mistake
}

// The keys of the rows.
type (
	departmentKey struct {
		dealer string
		kind   leadv1.Department
	}
	codeKey struct {
		dealer, brand, scheme, code, sub string
		kind                             leadv1.Department
		from                             string
	}
	certificateKey struct{ dealer, program, from string }
	territoryKey   struct {
		brand, country, postal string
		from                   int64
	}
	modelKey struct{ brand, code string }
	pointKey struct{ country, postal string }
)

// plan is a network on its way from what is there to what is to be.
type plan struct {
	dealers      *set[string, *routingv1.Dealer] // without their parts
	departments  *set[departmentKey, departmentRow]
	codes        *set[codeKey, codeRow]
	certificates *set[certificateKey, certificateRow]
	roster       *set[string, personRow]
	territories  *set[territoryKey, routing.Territory]
	programs     *set[string, postgres.ProgramRow]
	catalogue    *set[modelKey, *routingv1.CatalogueModel]
	points       *set[pointKey, routing.PostalPoint]

	wrong    mistakes
	accepted map[string]int32
	refused  map[string]bool // dealers whose own row was refused
}

// Import puts files together with the network that is there.
func Import(present *postgres.NetworkRows, files []File, o Options) (*Result, error) {
	p := newPlan(present)
	var given [numKinds]bool
	left := MaxTotal
	for _, f := range files {
		if _, twice := p.accepted[f.Name]; twice {
			p.wrong.add(f.Name, 0, "", "was sent twice")
			continue
		}
		p.accepted[f.Name] = 0
		if t := open(f, &left, &p.wrong); t != nil {
			given[t.kind] = true
			p.read(t)
		}
	}
	if o.Replace {
		if err := p.replace(given, o); err != nil {
			return nil, err
		}
	}
	p.check()
	rows, whole := p.settle(o.Check)
	r := &Result{Rows: rows, Accepted: p.accepted, Mistakes: p.wrong.sorted()}
	if !whole || o.AllOrNothing && len(r.Mistakes) > 0 {
		r.Rows = nil
		for f := range r.Accepted {
			r.Accepted[f] = 0
		}
	}
	return r, nil
}

func newPlan(present *postgres.NetworkRows) *plan {
	p := &plan{
		dealers: newSet[string, *routingv1.Dealer](len(present.Dealers)), departments: newSet[departmentKey, departmentRow](0),
		codes: newSet[codeKey, codeRow](0), certificates: newSet[certificateKey, certificateRow](0), roster: newSet[string, personRow](0),
		territories: newSet[territoryKey, routing.Territory](len(present.Territories)), programs: newSet[string, postgres.ProgramRow](0),
		catalogue: newSet[modelKey, *routingv1.CatalogueModel](0), points: newSet[pointKey, routing.PostalPoint](len(present.Points)),
		accepted: map[string]int32{}, refused: map[string]bool{},
	}
	for _, d := range present.Dealers {
		id := d.GetDealerId()
		own := proto.CloneOf(d)
		own.Departments, own.Codes, own.Certificates, own.Roster = nil, nil, nil, nil
		p.dealers.keep(id, own)
		for _, v := range d.GetDepartments() {
			p.departments.keep(departmentKey{id, v.GetDepartment()}, departmentRow{id, v})
		}
		for _, v := range d.GetCodes() {
			p.codes.keep(keyOfCode(codeRow{id, v}), codeRow{id, v})
		}
		for _, v := range d.GetCertificates() {
			p.certificates.keep(certificateKey{id, v.GetProgram(), v.GetValidFrom()}, certificateRow{id, v})
		}
		for _, v := range d.GetRoster() {
			p.roster.keep(v.GetPersonId(), personRow{id, v})
		}
	}
	for _, t := range present.Territories {
		p.territories.keep(keyOfTerritory(t), t)
	}
	for _, v := range present.Programs {
		p.programs.keep(v.Code, v)
	}
	for _, m := range present.Catalogue {
		p.catalogue.keep(modelKey{m.GetBrand(), m.GetModelCode()}, m)
	}
	for _, x := range present.Points {
		p.points.keep(pointKey{x.Country, x.Postal}, x)
	}
	return p
}

func keyOfCode(r codeRow) codeKey {
	v := r.value
	return codeKey{r.dealer, v.GetBrand(), v.GetScheme(), v.GetCode(), v.GetSubCode(), v.GetDepartment(), v.GetValidFrom()}
}

func keyOfTerritory(t routing.Territory) territoryKey {
	return territoryKey{t.Brand, t.Country, t.Postal, t.Valid.From}
}

// read takes the rows of a file.
func (p *plan) read(t *table) {
	switch t.kind {
	case kindDealers:
		readInto(p, t, p.dealers, readDealer, (*routingv1.Dealer).GetDealerId)
	case kindCodes:
		readInto(p, t, p.codes, readCode, keyOfCode)
	case kindDepartments:
		readInto(p, t, p.departments, readDepartment, func(r departmentRow) departmentKey { return departmentKey{r.dealer, r.value.GetDepartment()} })
	case kindRoster:
		readInto(p, t, p.roster, readPerson, func(r personRow) string { return r.value.GetPersonId() })
	case kindTerritories:
		readInto(p, t, p.territories, readTerritory, keyOfTerritory)
	case kindPrograms:
		readInto(p, t, p.programs, readProgram, func(r postgres.ProgramRow) string { return r.Code })
	case kindCertificates:
		readInto(p, t, p.certificates, readCertificate, func(r certificateRow) certificateKey {
			return certificateKey{r.dealer, r.value.GetProgram(), r.value.GetValidFrom()}
		})
	case kindCatalogue:
		readInto(p, t, p.catalogue, readModel, func(m *routingv1.CatalogueModel) modelKey { return modelKey{m.GetBrand(), m.GetModelCode()} })
	case kindPostal:
		readInto(p, t, p.points, readPoint, func(x routing.PostalPoint) pointKey { return pointKey{x.Country, x.Postal} })
	}
}

// readInto takes the good rows of a file into their set. A bad row that replaces something leaves
// it as it is.
func readInto[K comparable, V any](p *plan, t *table, s *set[K, V], parse func(*cells) V, key func(V) K) {
	for _, r := range t.rows {
		c := cells{t: t, r: r, wrong: &p.wrong}
		v := parse(&c)
		k := key(v)
		if c.bad {
			if e := s.entries[k]; e != nil && e.file == "" {
				e.named = true
			}
			if d, ok := any(v).(*routingv1.Dealer); ok {
				p.refused[d.GetDealerId()] = true
			}
			continue
		}
		if first, ok := s.take(k, v, t.file, r.line); !ok {
			p.wrong.add(t.file, r.line, t.layout.columns[0].name, "stands already in line %d of %s; keep one of the two", first.line, first.file)
			continue
		}
		p.accepted[t.file]++
	}
}

// replace removes what the files do not name, in the kinds that they are of.
func (p *plan) replace(given [numKinds]bool, o Options) error {
	if given[kindDealers] {
		if err := p.replaceDealers(o); err != nil {
			return err
		}
	}
	if given[kindCodes] {
		p.codes.retain()
	}
	if given[kindDepartments] {
		p.departments.retain()
	}
	if given[kindRoster] {
		p.roster.retain()
	}
	if given[kindTerritories] {
		p.territories.retain()
	}
	if given[kindPrograms] {
		p.programs.retain()
	}
	if given[kindCertificates] {
		p.certificates.retain()
	}
	if given[kindCatalogue] {
		p.catalogue.retain()
	}
	if given[kindPostal] {
		p.points.retain()
	}
	return nil
}

// replaceDealers removes dealers with all their parts, but none that holds open leads.
func (p *plan) replaceDealers(o Options) error {
	file := ""
	var gone []string
	for id, e := range p.dealers.all {
		switch {
		case e.file != "":
			file = e.file
		case !e.named:
			gone = append(gone, id)
		}
	}
	held := map[string]int32{}
	if len(gone) > 0 && o.Open != nil {
		var err error
		if held, err = o.Open(gone); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(held)) {
		p.dealers.entries[id].named = true
		p.wrong.add(file, 0, "dealer_id", "dealer %s is not in the file but holds %d open leads, so it stays; keep its row and set its status to CLOSING or CLOSED", id, held[id])
	}
	removed := map[string]bool{}
	for _, id := range p.dealers.retain() {
		removed[id] = true
	}
	dropParts(p.departments, func(r departmentRow) bool { return removed[r.dealer] })
	dropParts(p.codes, func(r codeRow) bool { return removed[r.dealer] })
	dropParts(p.certificates, func(r certificateRow) bool { return removed[r.dealer] })
	dropParts(p.roster, func(r personRow) bool { return removed[r.dealer] })
	dropParts(p.territories, func(t routing.Territory) bool { return removed[t.Dealer] })
	return nil
}

func dropParts[K comparable, V any](s *set[K, V], gone func(V) bool) {
	for k, e := range s.entries {
		if e.file == "" && gone(e.value) {
			delete(s.entries, k)
		}
	}
}

// refuse notes what is wrong with a file's row and takes it out again.
func refuse[K comparable, V any](p *plan, s *set[K, V], k K, e *entry[V], column, format string, args ...any) {
	file := e.file
	p.wrong.add(file, e.line, column, format, args...)
	p.accepted[file]--
	s.drop(k)
	if d, ok := any(k).(string); ok && any(s) == any(p.dealers) {
		p.refused[d] = true
	}
}
