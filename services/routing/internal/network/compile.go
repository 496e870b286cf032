package network

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// maxRounds bounds how often rows are left out because of others that were.
const maxRounds = 20

// settle compiles the network, leaves out the rows that do not fit, and compiles again, until it
// holds together. whole is false if it does not for another reason than a file's row.
func (p *plan) settle(check func(*postgres.NetworkRows) []routing.Problem) (rows *postgres.NetworkRows, whole bool) {
	for range maxRounds {
		o := p.rows()
		if check == nil {
			return o.rows, true
		}
		problems := check(o.rows)
		if len(problems) == 0 {
			return o.rows, true
		}
		before := len(p.wrong.list)
		dropped := false
		for _, problem := range problems {
			dropped = o.blame(p, problem) || dropped
		}
		if !dropped {
			p.wrong.list = p.wrong.list[:before]
			for _, problem := range problems[:min(len(problems), 20)] {
				p.wrong.add("", 0, "", "the network would not hold together, so nothing was taken: %s %s", o.name(problem.Path), problem.Message)
			}
			return nil, false
		}
	}
	p.wrong.add("", 0, "", "too many rows depend on bad ones; correct those that are named and import again")
	return nil, false
}

// order is the rows as they were compiled, with the key of each.
type order struct {
	rows         *postgres.NetworkRows
	departments  [][]departmentKey
	codes        [][]codeKey
	certificates [][]certificateKey
	persons      []string
	territories  []territoryKey
	points       []pointKey
	programs     []string
}

// rows puts the dealers' parts together.
func (p *plan) rows() *order {
	o := &order{rows: &postgres.NetworkRows{}}
	number := map[string]int{}
	ids := make([]string, 0, len(p.dealers.entries))
	for id := range p.dealers.entries {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i, id := range ids {
		number[id] = i
		o.rows.Dealers = append(o.rows.Dealers, proto.CloneOf(p.dealers.entries[id].value))
	}
	o.departments, o.codes, o.certificates = make([][]departmentKey, len(ids)), make([][]codeKey, len(ids)), make([][]certificateKey, len(ids))
	for _, k := range sortedKeys(p.departments, func(a, b departmentKey) int {
		return cmp.Or(cmp.Compare(a.dealer, b.dealer), cmp.Compare(a.kind, b.kind))
	}) {
		if i, ok := number[k.dealer]; ok {
			o.rows.Dealers[i].Departments = append(o.rows.Dealers[i].Departments, p.departments.entries[k].value.value)
			o.departments[i] = append(o.departments[i], k)
		}
	}
	for _, k := range sortedKeys(p.codes, compareCodes) {
		if i, ok := number[k.dealer]; ok {
			o.rows.Dealers[i].Codes = append(o.rows.Dealers[i].Codes, p.codes.entries[k].value.value)
			o.codes[i] = append(o.codes[i], k)
		}
	}
	for _, k := range sortedKeys(p.certificates, func(a, b certificateKey) int {
		return cmp.Or(cmp.Compare(a.dealer, b.dealer), cmp.Compare(a.program, b.program), cmp.Compare(a.from, b.from))
	}) {
		if i, ok := number[k.dealer]; ok {
			o.rows.Dealers[i].Certificates = append(o.rows.Dealers[i].Certificates, p.certificates.entries[k].value.value)
			o.certificates[i] = append(o.certificates[i], k)
		}
	}
	staff := make([][]string, len(ids))
	for _, k := range sortedKeys(p.roster, cmp.Compare[string]) {
		e := p.roster.entries[k]
		if i, ok := number[e.value.dealer]; ok {
			o.rows.Dealers[i].Roster = append(o.rows.Dealers[i].Roster, e.value.value)
			staff[i] = append(staff[i], k)
		}
	}
	o.persons = slices.Concat(staff...)
	for k, e := range p.territories.all {
		o.rows.Territories, o.territories = append(o.rows.Territories, e.value), append(o.territories, k)
	}
	for k, e := range p.points.all {
		o.rows.Points, o.points = append(o.rows.Points, e.value), append(o.points, k)
	}
	o.programs = sortedKeys(p.programs, cmp.Compare[string])
	for _, k := range o.programs {
		o.rows.Programs = append(o.rows.Programs, p.programs.entries[k].value)
	}
	for _, k := range sortedKeys(p.catalogue, func(a, b modelKey) int { return cmp.Or(cmp.Compare(a.brand, b.brand), cmp.Compare(a.code, b.code)) }) {
		o.rows.Catalogue = append(o.rows.Catalogue, p.catalogue.entries[k].value)
	}
	return o
}

func compareCodes(a, b codeKey) int {
	return cmp.Or(cmp.Compare(a.dealer, b.dealer), cmp.Compare(a.scheme, b.scheme), cmp.Compare(a.brand, b.brand), cmp.Compare(a.code, b.code),
		cmp.Compare(a.sub, b.sub), cmp.Compare(a.kind, b.kind), cmp.Compare(a.from, b.from))
}

func sortedKeys[K comparable, V any](s *set[K, V], compare func(a, b K) int) []K {
	keys := make([]K, 0, len(s.entries))
	for k := range s.entries {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}

// blame leaves out the file's row that a problem is about; false if it is about no such row.
func (o *order) blame(p *plan, problem routing.Problem) bool {
	path, field, _ := strings.Cut(problem.Path, "].")
	table, i, ok := index(path + "]")
	if !ok {
		return false
	}
	at := func(n int) bool { return i < n }
	switch {
	case table == "territories" && at(len(o.territories)):
		if leave(p, p.territories, o.territories[i], field, problem.Message) {
			return true
		}
		// The row it overlaps with may be the file's.
		_, other, _ := strings.Cut(problem.Message, "territories")
		_, i, ok = index(other)
		return ok && at(len(o.territories)) && leave(p, p.territories, o.territories[i], "", "overlaps with a row that is there already")
	case table == "points" && at(len(o.points)):
		return leave(p, p.points, o.points[i], field, problem.Message)
	case table == "programs" && at(len(o.programs)):
		return leave(p, p.programs, o.programs[i], field, problem.Message)
	case table == "roster" && at(len(o.persons)):
		return leave(p, p.roster, o.persons[i], field, problem.Message)
	case table != "dealers" || !at(len(o.rows.Dealers)):
		return false
	}
	part, rest, _ := strings.Cut(field, "].")
	name, j, nested := index(part + "]")
	switch {
	case nested && name == "departments" && j < len(o.departments[i]):
		return leave(p, p.departments, o.departments[i][j], rest, problem.Message)
	case nested && name == "codes" && j < len(o.codes[i]):
		return leave(p, p.codes, o.codes[i][j], rest, problem.Message)
	case nested && name == "certificates" && j < len(o.certificates[i]):
		return leave(p, p.certificates, o.certificates[i][j], rest, problem.Message)
	}
	return leave(p, p.dealers, o.rows.Dealers[i].GetDealerId(), field, problem.Message)
}

func leave[K comparable, V any](p *plan, s *set[K, V], k K, column, message string) bool {
	e := s.entries[k]
	if e == nil {
		return true // left out for another problem of it
	}
	if e.file == "" {
		return false
	}
	refuse(p, s, k, e, strings.TrimSuffix(column, "]"), "%s", message)
	return true
}

// index reads name[number].
func index(s string) (name string, n int, ok bool) {
	name, rest, ok := strings.Cut(s, "[")
	if !ok {
		return "", 0, false
	}
	digits, _, _ := strings.Cut(rest, "]")
	n, err := strconv.Atoi(digits)
	return name, n, err == nil && n >= 0
}

// name says a problem's place in words a person can find.
func (o *order) name(path string) string {
	table, i, ok := index(path)
	switch {
	case ok && table == "dealers" && i < len(o.rows.Dealers):
		_, field, _ := strings.Cut(path, "].")
		return "dealer " + o.rows.Dealers[i].GetDealerId() + " " + field
	case ok && table == "territories" && i < len(o.territories):
		k := o.territories[i]
		return "the area " + k.brand + " " + k.country + " " + k.postal
	case ok && table == "roster" && i < len(o.persons):
		return "the person " + o.persons[i]
	case ok && table == "programs" && i < len(o.programs):
		return "the program " + o.programs[i]
	}
	return path
}
