package identity

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Statement is a party as somebody gave it at a time in unix seconds.
type Statement struct {
	Party lead.Party
	At    int64
}

// Survival is by what rule a value of a golden record was chosen.
type Survival uint8

// The values of Survival.
const (
	SurvivalMostComplete Survival = iota + 1 // the value that says most, of equals the latest
	SurvivalLatest                           // the latest value given
	SurvivalEach                             // each value once, the latest first
)

// String returns the rule in words.
func (s Survival) String() string {
	switch s {
	case SurvivalMostComplete:
		return "the most complete, of equals the latest"
	case SurvivalLatest:
		return "the latest given"
	case SurvivalEach:
		return "each once, the latest first"
	}
	return ""
}

// Origin says where a value of a golden record comes from.
type Origin struct {
	Field     string // of lead.Party: name, company, email, phone, address, born, language, best_time, preferred
	Index     int    // among the values of the field, where it has several
	Statement int    // position among the statements given
	Rule      Survival
}

// Golden returns the best known name and contact points from everything said of one person, and where
// each comes from. The rules: the most complete name, address and date of birth, of equals the latest;
// each e-mail address and phone number once, the latest first, at most MaxValues of a kind; the latest
// company, language, time to call and preferred channel. Statements of the same second count in the
// order given, the first as the latest. What could not be read is left out, and the part a party plays
// in a lead does not belong to the person.
func Golden(said []Statement) (lead.Party, []Origin) {
	order := make([]int, len(said))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(said[b].At, said[a].At) })
	var g goldenRecord
	for _, i := range order {
		g.take(&said[i].Party, i)
	}
	return g.party, g.origins()
}

// goldenRecord is a golden record in the making.
type goldenRecord struct {
	party          lead.Party
	single         [7]Origin // of the fields with one value; Rule 0 while they have none
	emails, phones []Origin
}

// take adds a statement that is not later than any before.
func (g *goldenRecord) take(p *lead.Party, statement int) {
	note := func(i int, field string, rule Survival) { g.single[i] = Origin{field, 0, statement, rule} }
	latest := func(i int, field string, have *string, v string) {
		if *have == "" && v != "" {
			*have = v
			note(i, field, SurvivalLatest)
		}
	}
	company := g.party.Name.Company
	if nameRank(&p.Name) > nameRank(&g.party.Name) {
		g.party.Name = p.Name
		note(0, "name", SurvivalMostComplete)
	}
	g.party.Name.Company = company
	latest(1, "company", &g.party.Name.Company, p.Name.Company)
	for _, e := range p.Emails {
		if e.Valid && len(g.party.Emails) < MaxValues && !slices.ContainsFunc(g.party.Emails, func(o lead.Email) bool { return o.Key == e.Key }) {
			e.Raw = e.Address
			g.emails = append(g.emails, Origin{"email", len(g.party.Emails), statement, SurvivalEach})
			g.party.Emails = append(g.party.Emails, e)
		}
	}
	for _, f := range p.Phones {
		if f.E164 != "" && len(g.party.Phones) < MaxValues && !slices.ContainsFunc(g.party.Phones, func(o lead.Phone) bool { return o.E164 == f.E164 }) {
			f.Preferred = f.Preferred && !slices.ContainsFunc(g.party.Phones, func(o lead.Phone) bool { return o.Preferred })
			g.phones = append(g.phones, Origin{"phone", len(g.party.Phones), statement, SurvivalEach})
			g.party.Phones = append(g.party.Phones, f)
		}
	}
	if addressRank(&p.Address) > addressRank(&g.party.Address) {
		g.party.Address = p.Address
		note(2, "address", SurvivalMostComplete)
	}
	if len(p.Born) > len(g.party.Born) {
		g.party.Born = p.Born
		note(3, "born", SurvivalMostComplete)
	}
	latest(4, "language", &g.party.Language, p.Language)
	latest(5, "best_time", &g.party.BestTime, p.BestTime)
	if g.party.Preferred == 0 && p.Preferred != 0 {
		g.party.Preferred = p.Preferred
		note(6, "preferred", SurvivalLatest)
	}
}

// origins returns where the values come from, in the order of the fields.
func (g *goldenRecord) origins() []Origin {
	var out []Origin
	add := func(list ...Origin) {
		for _, o := range list {
			if o.Rule != 0 {
				out = append(out, o)
			}
		}
	}
	add(g.single[:2]...)
	add(g.emails...)
	add(g.phones...)
	add(g.single[2:]...)
	return out
}

// nameRank orders names by how much of a person they name.
func nameRank(n *lead.Name) int {
	rank := 0
	if n.Full != "" || n.Company != "" {
		rank = 1
	}
	if n.Family != "" {
		rank += 2
	}
	if n.Given != "" {
		rank += 2
		if len(n.Given) > 2 { // more than an initial
			rank++
		}
	}
	return rank
}

func addressRank(a *lead.Address) int {
	rank := 0
	for _, part := range [...]string{a.City, a.Region, a.Country} {
		if part != "" {
			rank++
		}
	}
	if a.Postal != "" {
		rank += 4
	}
	if len(a.Streets) > 0 {
		rank += 4
	}
	return rank
}
