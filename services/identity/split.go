package identity

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// division says how one person becomes two.
type division struct {
	stays, leaves lead.ID
	persons       map[lead.ID]bool      // that were joined and leave with all that was said of them
	records       map[lead.ID]bool      // that leave persons who stay
	since         map[lead.ID]time.Time // from when on signals of persons who stay may be of who leaves
	byEvidence    bool                  // nobody decided it, so evidence may join the two again
}

func compareIDs(a, b lead.ID) int { return bytes.Compare(a[:], b[:]) }

// undo takes back a merge. What came since was said of both, so it goes to the side it matches
// better; what matches neither better stays.
func (st *story) undo(root, mergeID lead.ID) (*division, error) {
	var undone *postgres.Merge
	for _, id := range st.under(root) {
		if m, ok := st.merges[id]; ok && m.ID() == mergeID {
			undone = &m
		}
	}
	if undone == nil {
		return nil, problem.Invalid(problem.Violation{Field: "merge_id",
			Description: "is no merge of this person that stands; GET /v1/persons/{person_id}/history lists them"})
	}
	d := &division{stays: root, leaves: undone.PersonID, persons: map[lead.ID]bool{}, records: map[lead.ID]bool{}, since: map[lead.ID]time.Time{}}
	for _, id := range st.under(undone.PersonID) {
		d.persons[id] = true
	}
	// Whoever was the person of both at a time is the survivor of then.
	for id, at := undone.Into, undone.At; ; {
		d.since[id] = at
		next, ok := st.merges[id]
		if !ok {
			break
		}
		id, at = next.Into, next.At
	}
	stay, leave := st.sides(d, func(person lead.ID, t *told) bool {
		since, both := d.since[person]
		return both && !t.linkedAt.Before(since)
	})
	for person, since := range d.since {
		for _, t := range st.told[person] {
			if t.leftAt.IsZero() && !t.linkedAt.Before(since) && st.service.nearer(&t.record, &leave, &stay) {
				d.records[t.id] = true
			}
		}
	}
	return d, nil
}

// take lets records leave. The one who leaves is the oldest of those joined whose own records all
// leave, else somebody new.
func (st *story) take(root lead.ID, records []lead.ID, newID func() lead.ID) (*division, error) {
	d := &division{stays: root, persons: map[lead.ID]bool{}, records: map[lead.ID]bool{}, since: map[lead.ID]time.Time{}}
	found := map[lead.ID]bool{}
	staying := 0
	var returning *postgres.Person
	for _, id := range st.under(root) {
		own, all := 0, true
		for _, t := range st.told[id] {
			if !t.leftAt.IsZero() {
				continue
			}
			if own++; slices.Contains(records, t.id) {
				found[t.id] = true
			} else {
				all = false
				staying++
			}
		}
		if id != root && own > 0 && all {
			d.persons[id] = true
			if p := st.rows[id]; returning == nil || p.CreatedAt.Before(returning.CreatedAt) || p.CreatedAt.Equal(returning.CreatedAt) && compareIDs(p.ID, returning.ID) < 0 {
				returning = p
			}
		}
	}
	var r reader
	for i, id := range records {
		if !found[id] && len(r.wrong) < maxNamed {
			r.bad(fmt.Sprintf("record_ids[%d]", i), "is no record of this person; GET /v1/persons/{person_id} lists them")
		}
	}
	if staying == 0 && len(r.wrong) == 0 {
		r.bad("record_ids", "are all of the person's; leave out those that stay")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	if returning != nil {
		d.leaves = returning.ID
	} else {
		d.leaves = newID()
	}
	for _, id := range st.under(root) {
		if d.persons[id] {
			continue
		}
		d.since[id] = time.Time{}
		for _, t := range st.told[id] {
			if found[t.id] && t.leftAt.IsZero() {
				d.records[t.id] = true
			}
		}
	}
	return d, nil
}

// sides returns what is said on either side of a division, but for records that undecided names.
func (st *story) sides(d *division, undecided func(person lead.ID, t *told) bool) (stay, leave identity.Record) {
	var staying, leaving []told
	for _, id := range st.under(d.stays) {
		for _, t := range st.told[id] {
			switch {
			case !t.leftAt.IsZero() || undecided(id, &t):
			case d.persons[id] || d.records[t.id]:
				leaving = append(leaving, t)
			default:
				staying = append(staying, t)
			}
		}
	}
	sortTold(staying)
	sortTold(leaving)
	return saidBy(staying), saidBy(leaving)
}

// nearer reports whether a record matches one person better than another one.
func (s *Service) nearer(r, one, other *identity.Record) bool {
	m := s.matcher()
	a, b := m.Match(r, one), m.Match(r, other)
	if (a.Conflict == 0) != (b.Conflict == 0) {
		return a.Conflict == 0
	}
	return a.Weight > b.Weight
}

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
