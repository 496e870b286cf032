package identity

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// people are the persons that one transaction works on, found by the keys of all its records. What
// an earlier record of the batch changed, a later one sees.
type people struct {
	match   *revised
	keyCap  int
	market  string
	newID   func() lead.ID
	byID    map[lead.ID]*person
	holders map[postgres.Key][]*person
	crowded map[postgres.Key]bool // held by more than the cap
	known   map[lead.ID]postgres.LeadPerson
	stopped map[lead.ID]bool // of the contact points looked at
	changes postgres.Changes
	ignored int64 // keys of records left out as too common

	pairs    pairs
	consents consents
	accounts accounts

	ownership ownership
}

// key is a blocking key with its hash.
type key struct {
	identity.Key
	hashed postgres.Key
}

func hashKeys(keys []identity.Key) []key {
	out := make([]key, len(keys))
	buf := make([]byte, 0, 96)
	for i, k := range keys {
		buf = append(append(buf[:0], byte(k.Kind)), k.Value...)
		out[i] = key{k, postgres.Key{Kind: int16(k.Kind), Hash: hash(buf)}}
	}
	return out
}

// sought is what a transaction has to do with.
type sought struct {
	keys    [][]key
	persons []lead.ID
	leads   []lead.ID // that may have been resolved before
	points  []lead.ID // hashed contact points that may have a revocation
}

// loadPeople reads and locks everybody who holds one of the keys or is named, and whom the leads are from.
func (s *Service) loadPeople(ctx context.Context, tx *postgres.Tx, at time.Time, what sought) (*people, error) {
	match := s.matching.current.Load()
	w := &people{
		match: match, keyCap: s.deps.CommonKeyCap, market: s.cfg.Market, newID: s.deps.NewID,
		byID: map[lead.ID]*person{}, stopped: make(map[lead.ID]bool, len(what.points)), changes: postgres.Changes{At: at, Revision: match.revision},
	}
	w.consents.read = func(ids []lead.ID, epochs []int16, points []lead.ID) ([]postgres.Consent, []postgres.Stop, error) {
		return tx.Bearing(ctx, ids, epochs, points)
	}
	w.pairs.read = func(ids []lead.ID) ([]postgres.Decision, error) { return tx.Decisions(ctx, ids) }
	n := 0
	for _, list := range what.keys {
		n += len(list)
	}
	distinct := make([]postgres.Key, 0, n)
	w.holders = make(map[postgres.Key][]*person, n)
	for _, list := range what.keys {
		for i := range list {
			if _, ok := w.holders[list[i].hashed]; !ok {
				w.holders[list[i].hashed] = nil
				distinct = append(distinct, list[i].hashed)
			}
		}
	}
	found, err := tx.Known(ctx, distinct, w.keyCap+1, what.leads, what.points)
	if err != nil {
		return nil, err
	}
	held, ids := found.Holders, what.persons
	for _, point := range what.points {
		w.stopped[point] = found.Stopped[point]
	}
	if w.known, err = tx.LeadPersons(ctx, found.Leads); err != nil {
		return nil, err
	}
	for _, k := range w.known {
		ids = append(ids, k.PersonID)
	}
	w.crowded = map[postgres.Key]bool{}
	for i, list := range held {
		if len(list) > w.keyCap {
			w.crowded[distinct[i]] = true
			continue
		}
		ids = append(ids, list...)
	}
	if err := w.loadPersons(ctx, tx, ids); err != nil {
		return nil, err
	}
	for i, list := range held {
		for _, id := range list {
			if p := w.byID[id]; p != nil && !w.crowded[distinct[i]] {
				w.hold(distinct[i], p.root())
			}
		}
	}
	return w, nil
}

// loadPersons locks persons and those they were joined into.
func (w *people) loadPersons(ctx context.Context, tx *postgres.Tx, ids []lead.ID) error {
	for len(ids) > 0 {
		slices.SortFunc(ids, func(a, b lead.ID) int { return bytes.Compare(a[:], b[:]) })
		rows, err := tx.LockPersons(ctx, slices.Compact(ids))
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, row := range rows {
			p, err := newPerson(row)
			if err != nil {
				return err
			}
			w.byID[row.ID] = p
		}
		for _, row := range rows {
			if !row.MergedInto.IsZero() && w.byID[row.MergedInto] == nil {
				ids = append(ids, row.MergedInto)
			}
		}
	}
	for _, p := range w.byID {
		if !p.row.MergedInto.IsZero() {
			p.into = w.byID[p.row.MergedInto]
		}
	}
	return nil
}

func (w *people) hold(k postgres.Key, p *person) {
	if list := w.holders[k]; !slices.Contains(list, p) {
		w.holders[k] = append(list, p)
	}
}

// common reports whether so many hold a key that it tells nobody apart. Who holds such a key is not
// even read: it stays common when some of them are found to be one.
func (w *people) common(k postgres.Key) bool { return w.crowded[k] || len(w.holders[k]) > w.keyCap }

func (w *people) create(housemate *person) *person {
	p := &person{fresh: true, golden: &lead.Party{}, profile: &signal.Profile{}}
	p.row.ID = w.newID()
	p.row.CreatedAt = w.changes.At
	p.row.Household = p.row.ID
	if housemate != nil {
		p.row.Household = housemate.row.Household
	}
	w.byID[p.row.ID] = p
	return p
}

// learn adds what a statement says to its person; body is how the statement is kept.
func (w *people) learn(l *link, st *statement, leadID lead.ID, body []byte) error {
	p := l.person
	w.acts(p, st)
	if err := p.absorb(&st.record, st.party); err != nil {
		return err
	}
	w.changes.Records = append(w.changes.Records, postgres.Record{
		PersonID: p.row.ID, ID: st.id, LeadID: leadID, Body: body, Weight: l.weight, Reasons: reasonText(l.reasons),
	})
	w.holdAll(p, st.keys)
	return nil
}

// holdAll notes that a person holds keys. A common key takes no more holders, which bounds it.
func (w *people) holdAll(p *person, keys []key) {
	for _, k := range keys {
		list := w.holders[k.hashed]
		if w.common(k.hashed) || slices.ContainsFunc(list, func(o *person) bool { return o.root() == p }) {
			continue
		}
		w.hold(k.hashed, p)
		w.changes.Keys = append(w.changes.Keys, postgres.Holder{Key: k.hashed, PersonID: p.row.ID})
	}
}

// write stores everything that changed.
func (w *people) write(ctx context.Context, tx *postgres.Tx) error {
	for _, p := range w.byID {
		if !p.fresh && !p.dirty {
			continue
		}
		if err := p.encode(); err != nil {
			return err
		}
		if p.fresh {
			w.changes.New = append(w.changes.New, &p.row)
		}
		if !p.fresh || p.into != nil || p.row.Epoch > 0 {
			w.changes.Changed = append(w.changes.Changed, &p.row)
		}
	}
	w.changes.Reviews = w.reviews()
	return tx.Apply(ctx, &w.changes)
}
