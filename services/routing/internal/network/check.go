package network

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/routing"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// check tells what is wrong between rows, in words that name the other row. What it does not know
// of, compiling finds.
func (p *plan) check() {
	for id, e := range p.dealers.files {
		d := e.value
		switch {
		case d.GetOverflowDealerId() == "":
		case d.GetOverflowDealerId() == id:
			refuse(p, p.dealers, id, e, "overflow_dealer_id", "names the dealer itself; name another store or leave it empty")
			continue
		case !p.rooftop(d.GetOverflowDealerId()):
			refuse(p, p.dealers, id, e, "overflow_dealer_id", "%s", p.unknown(d.GetOverflowDealerId()))
			continue
		}
		if s := d.GetSucceededBy(); s != "" && !p.rooftop(s) {
			refuse(p, p.dealers, id, e, "succeeded_by", "%s", p.unknown(s))
		}
	}
	for k, e := range p.departments.files {
		switch bdc := e.value.value.GetBdcDealerId(); {
		case p.dealers.entries[k.dealer] == nil:
			refuse(p, p.departments, k, e, "dealer_id", "%s", p.unknown(k.dealer))
		case bdc != "" && p.dealers.entries[bdc] == nil:
			refuse(p, p.departments, k, e, "bdc_dealer_id", "%s", p.unknown(bdc))
		}
	}
	for k, e := range p.certificates.files {
		switch {
		case p.dealers.entries[k.dealer] == nil:
			refuse(p, p.certificates, k, e, "dealer_id", "%s", p.unknown(k.dealer))
		case p.programs.entries[k.program] == nil:
			refuse(p, p.certificates, k, e, "program", "%q is no program; add it to programs.csv or correct it", k.program)
		}
	}
	for k, e := range p.roster.files {
		if p.dealers.entries[e.value.dealer] == nil {
			refuse(p, p.roster, k, e, "dealer_id", "%s", p.unknown(e.value.dealer))
		}
	}
	for k, e := range p.catalogue.files {
		if r := e.value.GetRequiredProgram(); r != "" && p.programs.entries[r] == nil {
			refuse(p, p.catalogue, k, e, "required_program", "%q is no program; add it to programs.csv or correct it", r)
		}
	}
	p.checkPrograms()
	p.checkCodes()
	p.checkTerritories()
	p.checkParts()
}

func (p *plan) checkPrograms() {
	models := map[string]bool{}
	for k := range p.catalogue.entries {
		models[k.code] = true
	}
	for k, e := range p.programs.files {
		for condition := range strings.SplitSeq(e.value.AppliesTo, "|") {
			if code, ok := strings.CutPrefix(condition, "model:"); ok && !models[code] && len(models) > 0 {
				refuse(p, p.programs, k, e, "applies_to", "%q is no model code of the catalogue", code)
				break
			}
		}
	}
}

// checkParts refuses a store that would be open without any department.
func (p *plan) checkParts() {
	parts := map[string]bool{}
	for k := range p.departments.entries {
		parts[k.dealer] = true
	}
	for id, e := range p.dealers.files {
		if d := e.value; d.GetKind() == "ROOFTOP" && d.GetStatus() != "CLOSED" && !parts[id] {
			refuse(p, p.dealers, id, e, "dealer_id", "%s has no department; give it at least one row in departments.csv", id)
		}
	}
}

func (p *plan) rooftop(id string) bool {
	e := p.dealers.entries[id]
	return e != nil && e.value.GetKind() == "ROOFTOP"
}

// unknown says why a dealer that a row names cannot be meant.
func (p *plan) unknown(id string) string {
	switch e := p.dealers.entries[id]; {
	case e != nil:
		return "\"" + id + "\" is a " + e.value.GetKind() + ", not a store"
	case p.refused[id]:
		return "dealer \"" + id + "\" was refused itself; correct its row in dealers.csv first"
	}
	return "\"" + id + "\" is no dealer; add it to dealers.csv or correct it"
}

// checkCodes refuses two dealers behind one code at the same time.
func (p *plan) checkCodes() {
	type shared struct {
		brand, scheme, code, sub string
		kind                     leadv1.Department
	}
	used := map[shared][]codeKey{}
	for k, e := range p.codes.all {
		if e.file != "" && p.dealers.entries[k.dealer] == nil {
			refuse(p, p.codes, k, e, "dealer_id", "%s", p.unknown(k.dealer))
			continue
		}
		s := shared{k.brand, k.scheme, strings.ToUpper(k.code), k.sub, k.kind}
		used[s] = append(used[s], k)
	}
	for k, e := range p.codes.files {
		for _, other := range used[shared{k.brand, k.scheme, strings.ToUpper(k.code), k.sub, k.kind}] {
			o := p.codes.entries[other]
			if other == k || o == nil || other.dealer == k.dealer || !overlap(e.value.value.GetValidFrom(), e.value.value.GetValidTo(), o.value.value.GetValidFrom(), o.value.value.GetValidTo()) {
				continue
			}
			refuse(p, p.codes, k, e, "code", "%q is also the code of dealer %q at that time; end one of the two or tell them apart by sub_code", k.code, other.dealer)
			break
		}
	}
}

// overlap reports whether two spans of days, both ends inclusive and empty ones open, share a day.
func overlap(from, to, otherFrom, otherTo string) bool {
	return (to == "" || otherFrom == "" || otherFrom <= to) && (otherTo == "" || from == "" || from <= otherTo)
}

// checkTerritories refuses areas of stores that cannot look after them, and days on which two
// stores would. Rows of a closed store end some day: which one does not matter, so that the same
// files are good on every day.
func (p *plan) checkTerritories() {
	type area struct{ brand, country, postal string }
	spans := make(map[area][]territoryKey, len(p.territories.entries))
	for k, e := range p.territories.all {
		if e.file != "" {
			d := p.dealers.entries[e.value.Dealer]
			switch {
			case !p.rooftop(e.value.Dealer):
				refuse(p, p.territories, k, e, "dealer_id", "%s", p.unknown(e.value.Dealer))
				continue
			case d.value.GetStatus() == "CLOSED" && e.value.Valid.To == 0:
				refuse(p, p.territories, k, e, "dealer_id", "%q is closed; end the row with valid_to, or give the area to %s", e.value.Dealer, heir(d.value.GetSucceededBy()))
				continue
			}
		}
		a := area{k.brand, k.country, k.postal}
		spans[a] = append(spans[a], k)
	}
	for _, keys := range spans {
		if len(keys) < 2 {
			continue
		}
		slices.SortFunc(keys, func(a, b territoryKey) int { return cmp.Compare(a.from, b.from) })
		last := keys[0]
		for _, k := range keys[1:] {
			before, e := p.territories.entries[last], p.territories.entries[k]
			to := before.value.Valid.To
			switch apart := to != 0 && to <= e.value.Valid.From; {
			case apart, before.file == "" && e.file == "":
				last = k
			case e.file != "": // the file's row gives way
				p.refuseOverlap(k, e, before)
			default:
				p.refuseOverlap(last, before, e)
				last = k
			}
		}
	}
}

func (p *plan) refuseOverlap(k territoryKey, e, other *entry[routing.Territory]) {
	where := "the row that is there already"
	if other.file != "" {
		where = "line " + strconv.Itoa(other.line) + " of " + other.file
	}
	refuse(p, p.territories, k, e, "valid_from", "overlaps with %s, which gives the area to %q from %s; end the one the day before the other begins",
		where, other.value.Dealer, dayOf(other.value.Valid))
}

func heir(id string) string {
	if id == "" {
		return "another store"
	}
	return "its successor " + id
}

func dayOf(s routing.Span) string {
	if s.From == 0 {
		return "ever"
	}
	return time.Unix(s.From, 0).UTC().Format(time.DateOnly)
}
