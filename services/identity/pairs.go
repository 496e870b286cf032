package identity

import (
	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// pairs are what people decided about two persons, and the pairs that somebody is to look at. What
// was decided is read at most once in a transaction, and only when two persons known are in question.
type pairs struct {
	read    func(persons []lead.ID) ([]postgres.Decision, error)
	decided []postgres.Decision
	loaded  bool
	open    map[postgres.Pair]postgres.Review
}

// different reports whether somebody decided that two persons are not one. Nothing overrides that
// but a later decision.
func (s *pairs) different(w *people, a, b *person) (bool, error) {
	if !s.loaded {
		ids := make([]lead.ID, 0, len(w.byID))
		for id, p := range w.byID {
			if !p.fresh {
				ids = append(ids, id)
			}
		}
		decided, err := s.read(ids)
		if err != nil {
			return false, err
		}
		s.decided, s.loaded = decided, true
	}
	pair := postgres.PairOf(a.row.ID, b.row.ID)
	var last postgres.Decision
	for _, d := range s.decided {
		if d.DecidedAt.After(last.DecidedAt) && postgres.PairOf(w.today(d.PersonID), w.today(d.OtherID)) == pair {
			last = d
		}
	}
	return !last.DecidedAt.IsZero() && !last.Same, nil
}

// today is the person that an identifier stands for.
func (w *people) today(id lead.ID) lead.ID {
	if p := w.byID[id]; p != nil {
		return p.root().row.ID
	}
	return id
}

// add puts a pair into the review queue, by the strongest evidence of the transaction.
func (s *pairs) add(a, b *person, recordID lead.ID, e *identity.Evidence) {
	pair := postgres.PairOf(a.row.ID, b.row.ID)
	if r, ok := s.open[pair]; ok && r.Weight >= e.Weight {
		return
	}
	if s.open == nil {
		s.open = map[postgres.Pair]postgres.Review{}
	}
	s.open[pair] = postgres.Review{
		Pair: pair, RecordID: recordID, Weight: e.Weight, Probability: e.Probability, Reasons: reasonText(e.Reasons),
	}
}

// reviews returns the pairs that are still two persons.
func (w *people) reviews() []postgres.Review {
	var out []postgres.Review
	for pair, r := range w.pairs.open {
		if w.today(pair.First) != w.today(pair.Second) {
			out = append(out, r)
		}
	}
	return out
}
