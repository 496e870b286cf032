package identity

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// consents are the consent facts that a transaction has to do with. Those held are read for the
// persons that something is said of, not for all that a record is compared with, and for many at once:
// what is said waits until it must be known what is held.
type consents struct {
	read    func(persons []lead.ID, epochs []int16, points []lead.ID) ([]postgres.Consent, []postgres.Stop, error)
	waiting []saidFact
}

// saidFact is a fact that somebody gave with a lead.
type saidFact struct {
	fact
	person *person
	lead   lead.ID
}

// say notes a fact that somebody gave. Settle before asking what a person is held to.
func (w *people) say(p *person, f fact, leadID lead.ID) {
	w.consents.waiting = append(w.consents.waiting, saidFact{f, p, leadID})
}

// settleConsents reads what is held of persons, and of all that something was said of, and adds what
// was said. It returns the revocations stored at contact points, which are read with it.
func (w *people) settleConsents(points []lead.ID, persons ...*person) ([]postgres.Stop, error) {
	for i := range w.consents.waiting {
		persons = append(persons, w.consents.waiting[i].person)
	}
	var ids []lead.ID
	var epochs []int16
	for _, p := range persons {
		if p = p.root(); !p.fresh && !p.held {
			p.held = true
			ids, epochs = append(ids, p.row.ID), append(epochs, p.row.Epoch)
		}
	}
	rows, stops, err := w.consents.read(ids, epochs, points)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if err := w.byID[r.PersonID].said(r); err != nil {
			return nil, err
		}
	}
	for i := range w.consents.waiting {
		s := &w.consents.waiting[i]
		w.note(s.person.root(), s.fact, s.lead)
	}
	w.consents.waiting = nil
	return stops, nil
}

// keep adds a consent fact to a person unless it is held already; it reports whether it did. Origin
// is the lead it came with, zero for a derived fact.
func (w *people) keep(p *person, f fact, origin lead.ID) bool {
	if slices.ContainsFunc(p.consents, func(o fact) bool { return o.id == f.id }) {
		return false
	}
	p.consents = append(p.consents, f)
	w.changes.Consents = append(w.changes.Consents, postgres.Consent{PersonID: p.row.ID, Epoch: p.row.Epoch, ID: f.id, Fact: f.raw, Origin: origin})
	return true
}

// note keeps a consent fact that somebody gave. Facts that a merge derives are kept only: what they
// restrict is one person, not everybody at a contact point.
func (w *people) note(p *person, f fact, origin lead.ID) {
	if w.keep(p, f, origin) && f.stops() {
		w.changes.Stops = append(w.changes.Stops, postgres.Stop{
			Point: pointHash(f.pb.GetContactPoint()), ConsentID: f.id, PersonID: p.row.ID, Fact: f.raw,
		})
	}
}
