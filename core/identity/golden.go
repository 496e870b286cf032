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

// Golden returns the best known name and contact points from everything said of one person: the
// most complete name and address, of equals the latest; each contact point once, the latest first,
// at most MaxValues of a kind. What could not be read is left out, and the part a party plays in a
// lead does not belong to the person.
func Golden(said []Statement) lead.Party {
	order := slices.Clone(said)
	slices.SortStableFunc(order, func(a, b Statement) int { return cmp.Compare(b.At, a.At) })
	var g lead.Party
	for i := range order {
		p := &order[i].Party
		if nameRank(&p.Name) > nameRank(&g.Name) {
			company := g.Name.Company
			g.Name = p.Name
			g.Name.Company = cmp.Or(company, p.Name.Company)
		} else {
			g.Name.Company = cmp.Or(g.Name.Company, p.Name.Company)
		}
		for _, e := range p.Emails {
			if e.Valid && len(g.Emails) < MaxValues && !slices.ContainsFunc(g.Emails, func(o lead.Email) bool { return o.Key == e.Key }) {
				e.Raw = e.Address
				g.Emails = append(g.Emails, e)
			}
		}
		for _, f := range p.Phones {
			if f.E164 != "" && len(g.Phones) < MaxValues && !slices.ContainsFunc(g.Phones, func(o lead.Phone) bool { return o.E164 == f.E164 }) {
				f.Preferred = f.Preferred && !slices.ContainsFunc(g.Phones, func(o lead.Phone) bool { return o.Preferred })
				g.Phones = append(g.Phones, f)
			}
		}
		if addressRank(&p.Address) > addressRank(&g.Address) {
			g.Address = p.Address
		}
		g.Born = cmp.Or(g.Born, p.Born)
		g.Language = cmp.Or(g.Language, p.Language)
		g.BestTime = cmp.Or(g.BestTime, p.BestTime)
		g.Preferred = cmp.Or(g.Preferred, p.Preferred)
	}
	return g
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
