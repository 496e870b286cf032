package identity

import (
	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
)

// merge joins the person of a link and another one, for the evidence given: the older one survives,
// the other keeps its row as it was. The consent facts that hold for both together are written
// under a new epoch.
func (w *people) merge(l *link, o *person, recordID lead.ID, e *identity.Evidence) error {
	s := l.person
	if o.older(s) {
		s, o = o, s
	}
	sg, err := s.readGolden()
	if err != nil {
		return err
	}
	og, err := o.readGolden()
	if err != nil {
		return err
	}
	sp, err := s.readProfile()
	if err != nil {
		return err
	}
	op, err := o.readProfile()
	if err != nil {
		return err
	}
	if err := w.mergeConsents(s, o); err != nil {
		return err
	}
	golden := identity.Golden([]identity.Statement{{Party: *sg, At: s.facts.At}, {Party: *og, At: o.facts.At}})
	profile := signal.Merge(*sp, *op)
	s.golden, s.profile = &golden, &profile
	s.know(identity.Union(&s.facts, &o.facts))
	if s.row.Household == s.row.ID && o.row.Household != o.row.ID {
		s.row.Household = o.row.Household
	}
	if s.row.Account.IsZero() {
		s.row.Account = o.row.Account
	}
	o.into, o.row.MergedInto, o.dirty = s, s.row.ID, true
	w.changes.Merges = append(w.changes.Merges, postgres.Merge{
		PersonID: o.row.ID, Into: s.row.ID, RecordID: recordID, Weight: e.Weight, Reasons: reasonText(e.Reasons),
	})
	l.person = s
	l.reasons = append(l.reasons, identity.Reason{Code: identity.ReasonJoined})
	return nil
}

func (w *people) mergeConsents(s, o *person) error {
	sets := make([]lead.ConsentSet, 2)
	for i, p := range []*person{s, o} {
		points, err := p.points(w.market)
		if err != nil {
			return err
		}
		sets[i].Points = points
		for _, f := range p.consents {
			c, _ := leadconv.ConsentFromProto("", f.pb) // codes were checked when they came in
			sets[i].Facts = append(sets[i].Facts, c)
		}
	}
	s.row.Epoch++
	s.consents = nil
	for _, c := range lead.MergeConsents(w.changes.At, sets...) {
		f, err := newFact(leadconv.ConsentToProto(&c))
		if err != nil {
			return err
		}
		w.keep(s, f)
	}
	return nil
}
