package identity

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
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
