package identity

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// divide makes two persons of one and writes both. Everything that one side alone said goes with it:
// records and the leads they came with, signals, consent facts, keys. Nobody merges the two again
// but a person.
func (s *Service) divide(ctx context.Context, tx *postgres.Tx, st *story, d *division, by edit) (*identityv1.SplitPersonResponse, error) {
	now := s.deps.Now()
	write := &postgres.Division{At: now, To: d.leaves}
	w := &people{keyCap: s.deps.CommonKeyCap, market: s.cfg.Market, byID: map[lead.ID]*person{}, changes: postgres.Changes{At: now}}
	fresh := st.rows[d.leaves] == nil
	if fresh {
		st.rows[d.leaves] = &postgres.Person{ID: d.leaves, Household: d.leaves, CreatedAt: now}
	}
	stay, leave := st.sides(d, func(lead.ID, *told) bool { return false })
	moved := st.moveSignals(d, write, &stay, &leave)
	st.moveRecords(d, w, write)
	st.moveFacts(d, w, &stay, &leave)
	st.moveSales(d.leaves, moved, &w.changes)
	st.done[d.leaves] = append(st.done[d.leaves], moved...)
	st.moveJoined(d, w, write, by)
	if err := st.recordVehicles(d, w); err != nil {
		return nil, err
	}

	one, other, err := st.settle(w, d)
	if err != nil {
		return nil, err
	}
	other.fresh = fresh
	if fresh {
		if s.matcher().Household(&one.facts, &other.facts) {
			other.row.Household = one.row.Household
		}
	}
	if err := st.moveKeys(ctx, tx, d, w, write); err != nil {
		return nil, err
	}
	if err := tx.Divide(ctx, write); err != nil {
		return nil, err
	}
	if !d.byEvidence {
		if err := tx.Decide(ctx, postgres.PairOf(d.stays, d.leaves), false, by.actor, by.note, now); err != nil {
			return nil, err
		}
	}
	resp := &identityv1.SplitPersonResponse{PersonId: d.stays.String(), NewPersonId: d.leaves.String()}
	for _, id := range st.under(d.leaves) {
		for _, t := range st.told[id] {
			if t.leftAt.IsZero() {
				resp.MovedRecords++
			}
		}
	}
	return resp, w.write(ctx, tx)
}

// moveRecords copies the records that leave persons who stay.
func (st *story) moveRecords(d *division, w *people, write *postgres.Division) {
	for id, list := range st.told {
		if d.persons[id] || id == d.leaves {
			continue
		}
		for i := range list {
			t := list[i]
			if !d.records[t.id] || !t.leftAt.IsZero() {
				continue
			}
			write.Left = append(write.Left, t.raw)
			if !t.leadID.IsZero() {
				write.Leads = append(write.Leads, t.leadID)
			}
			copied := t.raw
			copied.PersonID, copied.LinkedAt = d.leaves, write.At
			w.changes.Records = append(w.changes.Records, copied)
			list[i].leftAt = write.At
			t.raw, t.linkedAt = copied, write.At
			st.told[d.leaves] = append(st.told[d.leaves], t)
		}
	}
	sortTold(st.told[d.leaves])
}

// moveFacts gives who leaves the consent facts that came with its leads. Of facts of which that is
// not known, those that restrict bind both, and a grant for a contact point that only one side has
// is that side's.
func (st *story) moveFacts(d *division, w *people, stay, leave *identity.Record) {
	leads := map[lead.ID]bool{}
	for id, list := range st.told {
		for i := range list {
			if (id == d.leaves || d.persons[id]) && list[i].leftAt.IsZero() {
				leads[list[i].leadID] = true
			}
		}
	}
	points, staying := pointsOf(leave), pointsOf(stay)
	for id := range d.since {
		var kept, gone []given
		for _, g := range st.given[id] {
			point := g.pb.GetContactPoint()
			theirs := point != "" && slices.Contains(points, pointHash(point))
			switch {
			case !g.leadID.IsZero() && leads[g.leadID]:
				gone = append(gone, g)
			case g.old && g.recordedAt.Before(d.since[id]):
				kept = append(kept, g)
			case g.old && (g.restricts() && point == "" || theirs && (g.restricts() || !slices.Contains(staying, pointHash(point)))):
				kept, gone = append(kept, g), append(gone, g)
			default:
				kept = append(kept, g)
			}
		}
		st.given[id] = kept
		for _, g := range gone {
			g.recordedAt = w.changes.At
			if slices.ContainsFunc(st.given[d.leaves], func(o given) bool { return o.id == g.id }) {
				continue
			}
			st.given[d.leaves] = append(st.given[d.leaves], g)
			origin := g.leadID
			if origin.IsZero() { // not known, and not derived either
				origin = d.leaves
			}
			w.changes.Consents = append(w.changes.Consents, postgres.Consent{
				PersonID: d.leaves, ID: g.id, Fact: g.raw, Origin: origin, Epoch: givenEpoch,
			})
		}
	}
}

// givenEpoch holds facts that moved to a person; those that hold stand under the person's own epoch.
const givenEpoch = -1

// moveJoined hangs everybody joined to the side he is on.
func (st *story) moveJoined(d *division, w *people, write *postgres.Division, by edit) {
	moved := make([]lead.ID, 0, len(write.Left))
	for _, r := range write.Left {
		moved = append(moved, r.ID)
	}
	leaves := func(id lead.ID) bool { return d.persons[id] || id == d.leaves }
	for _, id := range st.under(d.stays)[1:] {
		m := st.merges[id]
		if id != d.leaves && leaves(id) == leaves(m.Into) {
			continue
		}
		write.Splits = append(write.Splits, postgres.Split{
			ID: newRandomID(), PersonID: d.stays, NewPersonID: id, At: w.changes.At, Actor: by.actor, Note: by.note, Merge: &m,
		})
		if stays := st.rows[d.stays]; m.Into == d.stays && !m.HouseholdBefore.IsZero() && stays.Household == st.rows[id].Household {
			stays.Household = m.HouseholdBefore
		}
		delete(st.merges, id)
		if id == d.leaves {
			write.Splits[len(write.Splits)-1].RecordIDs, moved = moved, nil
			continue
		}
		m.Into, m.Actor, m.Note, m.At, m.HouseholdBefore = d.stays, by.actor, by.note, w.changes.At, lead.ID{}
		m.Place = int32(len(w.changes.Merges))
		if leaves(id) {
			m.Into = d.leaves
		}
		st.merges[id] = m
		w.changes.Merges = append(w.changes.Merges, m)
	}
	if moved != nil { // nobody returned who would have them
		write.Splits = append(write.Splits, postgres.Split{
			ID: newRandomID(), PersonID: d.stays, NewPersonID: d.leaves, At: w.changes.At, Actor: by.actor, Note: by.note, RecordIDs: moved,
		})
	}
}

func newRandomID() lead.ID {
	var id lead.ID
	rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// settle tells both persons anew and hands their rows, and those of everybody joined with them, to
// be written.
func (st *story) settle(w *people, d *division) (stays, leaves *person, err error) {
	for _, id := range []lead.ID{d.stays, d.leaves} {
		p, err := st.tell(id, w.changes.At)
		if err != nil {
			return nil, nil, err
		}
		row := st.rows[id]
		facts := p.consents
		account := p.row.Account
		p.row, p.consents, p.fresh, p.dirty = *row, nil, false, true
		p.row.Account = account
		p.row.MergedInto = lead.ID{}
		p.row.Epoch++
		for _, f := range facts {
			w.keep(p, f, lead.ID{})
		}
		w.byID[id] = p
		for _, joined := range st.under(id)[1:] {
			o, err := newPerson(*st.rows[joined])
			if err != nil {
				return nil, nil, err
			}
			if o.row.MergedInto != id {
				o.row.MergedInto, o.dirty = id, true
			}
			w.byID[joined] = o
		}
		if id == d.stays {
			stays = p
		} else {
			leaves = p
		}
	}
	return stays, leaves, nil
}

// keys are those of all records of the story.
func (st *story) keys() []postgres.Key {
	seen := map[postgres.Key]bool{}
	var out []postgres.Key
	for _, list := range st.told {
		for i := range list {
			for _, k := range list[i].keys {
				if !seen[k.hashed] {
					seen[k.hashed] = true
					out = append(out, k.hashed)
				}
			}
		}
	}
	return out
}

// moveKeys lets each side be found by what it says itself, and by nothing else.
func (st *story) moveKeys(ctx context.Context, tx *postgres.Tx, d *division, w *people, write *postgres.Division) error {
	held, err := tx.HeldKeys(ctx, st.keys(), st.members())
	if err != nil {
		return err
	}
	var missing []postgres.Holder
	for _, side := range []lead.ID{d.stays, d.leaves} {
		members := st.under(side)
		wanted := map[postgres.Key]bool{}
		for _, id := range members {
			for _, t := range st.told[id] {
				for _, k := range t.keys {
					if t.leftAt.IsZero() {
						wanted[k.hashed] = true
					}
				}
			}
		}
		for _, h := range held {
			if !slices.Contains(members, h.PersonID) {
				continue
			}
			if wanted[h.Key] {
				wanted[h.Key] = false
			} else if _, again := wanted[h.Key]; !again {
				write.Forsaken = append(write.Forsaken, h)
			}
		}
		for _, k := range st.keys() {
			if wanted[k] {
				missing = append(missing, postgres.Holder{Key: k, PersonID: side})
			}
		}
	}
	keys := make([]postgres.Key, len(missing))
	for i, h := range missing {
		keys[i] = h.Key
	}
	holders, err := tx.Holders(ctx, keys, w.keyCap+1)
	if err != nil {
		return err
	}
	for i, h := range missing {
		if len(holders[i]) <= w.keyCap { // a common key takes no more holders
			w.changes.Keys = append(w.changes.Keys, h)
		}
	}
	return nil
}
