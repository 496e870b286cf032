package identity

import (
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
)

// merge joins the person of a link and another one, for the evidence given: the older one survives,
// the other keeps its row as it was. The consent facts that hold for both together are written
// under a new epoch. why names the record that showed it, or who merged.
func (w *people) merge(l *link, o *person, why postgres.Merge, e *identity.Evidence) error {
	s := l.person
	if o.older(s) {
		s, o = o, s
	}
	why.PersonID, why.Into, why.HouseholdBefore, why.At = o.row.ID, s.row.ID, s.row.Household, w.changes.At
	why.Weight, why.Reasons, why.Place = e.Weight, reasonText(e.Reasons), int32(len(w.changes.Merges))
	if _, err := w.settleConsents(nil, s, o); err != nil {
		return err
	}
	w.united(s, &s.facts, &o.facts)
	if err := s.unite(o, w.changes.At, w.market); err != nil {
		return err
	}
	s.row.Epoch++
	facts := s.consents
	s.consents = nil
	for _, f := range facts {
		w.keep(s, f, lead.ID{})
	}
	if s.row.Household == s.row.ID && o.row.Household != o.row.ID {
		s.row.Household = o.row.Household
	}
	o.into, o.row.MergedInto, o.dirty = s, s.row.ID, true
	w.changes.Merges = append(w.changes.Merges, why)
	l.person = s
	l.reasons = append(l.reasons, identity.Reason{Code: identity.ReasonJoined})
	return nil
}

// unite gives p what o knows too. The consent facts become those that hold for both together from
// a time on: of two states the stricter.
func (p *person) unite(o *person, at time.Time, market string) error {
	sg, err := p.readGolden()
	if err != nil {
		return err
	}
	og, err := o.readGolden()
	if err != nil {
		return err
	}
	sp, err := p.readProfile()
	if err != nil {
		return err
	}
	op, err := o.readProfile()
	if err != nil {
		return err
	}
	if err := p.uniteConsents(o, at, market); err != nil {
		return err
	}
	golden, _ := identity.Golden([]identity.Statement{{Party: *sg, At: p.facts.At}, {Party: *og, At: o.facts.At}})
	profile := signal.Merge(*sp, *op)
	p.golden, p.profile = &golden, &profile
	p.know(identity.Union(&p.facts, &o.facts))
	p.told = true
	if p.row.Account.IsZero() {
		p.row.Account = o.row.Account
	}
	return nil
}

func (p *person) uniteConsents(o *person, at time.Time, market string) error {
	sets := make([]lead.ConsentSet, 2)
	for i, one := range []*person{p, o} {
		points, err := one.points(market)
		if err != nil {
			return err
		}
		sets[i].Points = points
		for _, f := range one.consents {
			c, _ := leadconv.ConsentFromProto("", f.pb) // codes were checked when they came in
			sets[i].Facts = append(sets[i].Facts, c)
		}
	}
	p.consents = nil
	for _, c := range lead.MergeConsents(at, sets...) {
		f, err := newFact(leadconv.ConsentToProto(&c))
		if err != nil {
			return err
		}
		p.consents = withFact(p.consents, f)
	}
	return nil
}

// withFact adds a fact to a list that holds every fact once.
func withFact(list []fact, f fact) []fact {
	for i := range list {
		if list[i].id == f.id {
			return list
		}
	}
	return append(list, f)
}
