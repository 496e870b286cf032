// Package network reads the files of a dealer network, says of every row that cannot be taken what
// is wrong with it and what would be right, and puts the good rows together with the network that
// is there. It touches neither database nor clock.
package network

import (
	"cmp"
	"fmt"
	"slices"
)

// File is a file as it was sent. Its name says what it holds.
type File struct {
	Name    string
	Content []byte
}

// Mistake is one thing that is wrong in a file, with the remedy. Line 1 is the header; line 0 is
// the file as a whole. An empty File is the network as a whole.
type Mistake struct {
	File    string
	Line    int
	Column  string
	Message string
}

// How many mistakes are told, of a file and of all together; a file with more has one cause.
const (
	mistakeLimit = 2_000
	mistakeTotal = 20_000
)

// mistakes collects what is wrong, file by file.
type mistakes struct {
	list  []Mistake
	count map[string]int
	told  map[string]int
}

func (m *mistakes) add(file string, line int, column, format string, args ...any) {
	if m.count == nil {
		m.count, m.told = map[string]int{}, map[string]int{}
	}
	if m.count[file]++; m.told[file] < mistakeLimit && (len(m.list) < mistakeTotal || m.told[file] == 0) {
		m.told[file]++
		m.list = append(m.list, Mistake{file, line, column, fmt.Sprintf(format, args...)})
	}
}

// sorted returns the mistakes by file and line, with how many were left untold.
func (m *mistakes) sorted() []Mistake {
	out := slices.Clone(m.list)
	for file, n := range m.count {
		if untold := n - m.told[file]; untold > 0 {
			out = append(out, Mistake{File: file, Line: 1 << 30, Message: fmt.Sprintf("%d more mistakes in this file are not listed; correct these first", untold)})
		}
	}
	slices.SortStableFunc(out, func(a, b Mistake) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	for i := range out {
		if out[i].Line == 1<<30 {
			out[i].Line = 0
		}
	}
	return out
}

// kind is what a file holds.
type kind uint8

const (
	kindDealers kind = iota + 1
	kindCodes
	kindDepartments
	kindRoster
	kindTerritories
	kindPrograms
	kindCertificates
	kindCatalogue
	kindPostal
	numKinds
)

// layout is the columns of a kind of file.
type layout struct {
	name    string // of the file, without its ending
	columns []column
}

type column struct {
	name     string
	required bool // the column must be there and its cells filled
	also     string
}

func need(name string) column { return column{name: name, required: true} }

func may(names ...string) []column {
	var out []column
	for _, n := range names {
		out = append(out, column{name: n})
	}
	return out
}

// layouts lists the files in the order in which a person would fill them in.
func layouts() [numKinds]layout {
	return [numKinds]layout{
		kindDealers: {"dealers", append([]column{need("dealer_id"), need("name"), need("kind"), need("country"), need("time_zone"), need("status")},
			may("group", "legal_entity", "postal_code", "street", "city", "region", "latitude", "longitude", "paused_from", "paused_to",
				"pause_reason", "overflow_dealer_id", "succeeded_by", "phone", "email", "website")...)},
		kindCodes: {"dealer_codes", append([]column{need("dealer_id"), need("code")},
			may("brand", "scheme", "sub_code", "department", "valid_from", "valid_to")...)},
		kindDepartments: {"departments", append([]column{need("dealer_id"), need("department"), need("hours")},
			may("brands", "holidays", "phone", "email", "delivery", "capacity_per_day", "person_setting", "bdc_dealer_id", "languages",
				"capacity_from_roster")...)},
		kindRoster: {"roster", append([]column{need("person_id"), need("dealer_id"), need("name"), need("roles")},
			may("languages", "programs", "shifts", "absent", "active")...)},
		kindTerritories: {"territories", append([]column{need("brand"), need("country"), need("postal_code"), need("dealer_id")},
			may("valid_from", "valid_to")...)},
		kindPrograms: {"programs", append([]column{need("program")},
			may("name", "applies_to", "mandatory", "fallback", "valid_from", "valid_to")...)},
		kindCertificates: {"certificates", append([]column{need("dealer_id"), need("program")}, may("valid_from", "valid_to")...)},
		kindCatalogue: {"catalogue", append([]column{need("brand"), need("model_code"), need("model")},
			may("aliases", "year_from", "year_to", "trims", "powertrain", "body", "on_sale_from", "on_sale_to", "required_program")...)},
		kindPostal: {"postal", []column{need("country"), {"postal_code", true, "postal"}, {"latitude", true, "lat"}, {"longitude", true, "lon"},
			{name: "region"}, {name: "place"}}},
	}
}
