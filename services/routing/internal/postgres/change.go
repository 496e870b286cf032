package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
	"google.golang.org/protobuf/proto"
)

// Ending is how an owner stopped being one.
type Ending struct {
	By   string // declined, transferred, returned, closed, expired, moved
	Code string
	At   time.Time
}

// Change is one transaction over locked cases. Its methods are for the function given to
// Store.Change only.
type Change struct {
	Cases map[lead.ID]*Case // locked; the function changes them in place
	Out   outbox.Rows       // what happened

	Broken []lead.ID // locked by a sweep, but their rows cannot be read

	s     *Store
	ctx   context.Context
	tx    pgx.Tx
	q     *db.Queries
	ended map[lead.ID]Ending
	books map[string]*Book
}

// Change locks the cases of leads in order, lets f change them, and saves what it left: versions
// grow by one, a case left without owner loses its assignment and its open interest. f may run
// again when the database asks for it, so it must not keep state of its own.
func (s *Store) Change(ctx context.Context, leadIDs []lead.ID, f func(c *Change) error) error {
	err := s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		cases, err := s.lockCases(ctx, q, leadIDs)
		if err != nil {
			return err
		}
		c := &Change{Cases: make(map[lead.ID]*Case, len(cases)), s: s, ctx: ctx, tx: tx, q: q, ended: map[lead.ID]Ending{}, books: map[string]*Book{}}
		for _, k := range cases {
			c.Cases[k.LeadID] = k
		}
		if err := f(c); err != nil {
			return err
		}
		return c.save()
	})
	return edge("change cases", err)
}

// End notes how the present owner of a case stops being one, before the function changes Owner.
func (c *Change) End(k *Case, e Ending) error {
	if k.Owner == nil {
		return nil
	}
	c.ended[k.LeadID] = e
	facts, err := json.Marshal(&k.Owner.Grant)
	if err != nil {
		return fmt.Errorf("encode the grant's facts: %w", err)
	}
	return c.q.InsertPastAssignment(c.ctx, db.InsertPastAssignmentParams{
		Bucket: k.LeadID.Bucket(), LeadID: uuid(k.LeadID), Sequence: int32(k.Owner.Sequence), DealerID: k.Owner.DealerID,
		Department: int16(k.Owner.Department), Role: int16(k.Owner.Role), PersonID: k.Owner.PersonID,
		AssignedAt: stamp(k.Owner.AssignedAt), EndedAt: stamp(e.At), EndedBy: e.By, Code: e.Code,
		Clock: marshalClock(k.Owner), GrantFacts: facts,
	})
}

// Books locks the books of dealers for granting or giving back; asked for once, after everything
// else that locks.
func (c *Change) Books(dealers ...string) (map[string]*Book, error) {
	slices.Sort(dealers)
	dealers = slices.Compact(dealers)
	books, err := lockBooks(c.ctx, c.q, dealers)
	c.books = books
	return books, err
}

// Receipt stores the receipt of a new attempt.
func (c *Change) Receipt(id lead.ID, attempt int, canonical []byte) error {
	return c.q.InsertReceipts(c.ctx, db.InsertReceiptsParams{
		Buckets: []int16{id.Bucket()}, LeadIds: uuids(id), Attempts: []int32{int32(attempt)}, Canonical: [][]byte{c.s.codec.Pack(canonical)},
	})
}

// ReportID names an activity or an outcome of a lead: a sender may number each from 1.
type ReportID struct {
	ID      string
	Outcome bool
}

// key is what it is held under. Identifiers hold no control characters, so none of an activity looks
// like that of an outcome. The first release held outcomes under their bare identifier.
func (r ReportID) key() string {
	if r.Outcome {
		return "outcome\x1f" + r.ID
	}
	return r.ID
}

// Applied notes a report that moves a lead and returns whether it did so before. The activity is
// empty for an outcome.
func (c *Change) Applied(id lead.ID, r ReportID, at time.Time, activity []byte) (before bool, err error) {
	if r.Outcome {
		if before, err = c.WasApplied(id, r); before || err != nil {
			return before, err
		}
	}
	n, err := c.q.NoteApplied(c.ctx, db.NoteAppliedParams{
		Bucket: id.Bucket(), LeadID: uuid(id), ID: r.key(), At: stamp(at), Activity: activity,
	})
	return n == 0, err
}

// Activities reads the activities that moved a lead so far, the oldest first.
func (c *Change) Activities(id lead.ID) ([][]byte, error) {
	return c.q.AppliedActivities(c.ctx, id.Bucket(), uuid(id))
}

// Tx is the transaction, for jobs that must be made with it.
func (c *Change) Tx() pgx.Tx { return c.tx }

func (c *Change) save() error {
	if err := c.giveBack(); err != nil {
		return err
	}
	for _, k := range sortedCases(c.Cases) {
		if err := saveCase(c.ctx, c.q, k); err != nil {
			return err
		}
	}
	if err := saveBooks(c.ctx, c.q, c.books); err != nil {
		return err
	}
	return c.Out.Insert(c.ctx, c.tx)
}

// giveBack takes ended work off the books of the persons who had it. Test leads were never in them.
func (c *Change) giveBack() error {
	var dealers []string
	for id := range c.ended {
		if k := c.Cases[id]; k != nil && k.before.PersonID != "" && !k.Test {
			dealers = append(dealers, k.before.DealerID)
		}
	}
	var missing []string
	for _, d := range dealers {
		if c.books[d] == nil {
			missing = append(missing, d)
		}
	}
	slices.Sort(missing)
	more, err := lockBooks(c.ctx, c.q, slices.Compact(missing))
	if err != nil {
		return err
	}
	for d, b := range more {
		c.books[d] = b
	}
	for id := range c.ended {
		k := c.Cases[id]
		if k == nil || k.before.PersonID == "" || k.Test {
			continue
		}
		if b := c.books[k.before.DealerID]; b != nil {
			b.GiveBack(k.before.PersonID)
		}
	}
	return nil
}

func sortedCases(m map[lead.ID]*Case) []*Case {
	out := make([]*Case, 0, len(m))
	for _, k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b *Case) int { return slices.Compare(a.LeadID[:], b.LeadID[:]) })
	return out
}

// lockCases locks and reads cases in the order of their leads.
func (s *Store) lockCases(ctx context.Context, q *db.Queries, leadIDs []lead.ID) ([]*Case, error) {
	buckets, list := ids(leadIDs)
	if _, err := q.LockCases(ctx, buckets, list); err != nil {
		return nil, err
	}
	rows, err := q.Cases(ctx, buckets, list)
	if err != nil {
		return nil, err
	}
	out := make([]*Case, 0, len(rows))
	for i := range rows {
		k, err := s.caseOf(&rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b *Case) int { return slices.Compare(a.LeadID[:], b.LeadID[:]) })
	return out, nil
}

// saveCase writes a case back, one version on.
func saveCase(ctx context.Context, q *db.Queries, k *Case) error {
	raw, err := proto.Marshal(k.Decision)
	if err != nil {
		return fmt.Errorf("encode a decision: %w", err)
	}
	k.Version++
	if k.Owner != nil {
		k.DealerID = k.Owner.DealerID
	}
	err = q.UpdateDecision(ctx, db.UpdateDecisionParams{
		Bucket: k.LeadID.Bucket(), LeadID: uuid(k.LeadID), LeadVersion: k.Version, State: int16(k.State), Line: int16(k.Line), Chosen: k.Chosen, Attempt: int32(k.Attempt),
		DealerID: k.DealerID, MergedInto: uuid(k.MergedInto), ParkReason: int16(k.Parking.Reason), ParkOwner: k.Parking.Owner,
		ReviewAt: stamp(k.Parking.ReviewAt), ClosedCode: k.ClosedCode, ClosedAt: stamp(k.ClosedAt), DecidedAt: stamp(k.DecidedAt),
		Playbook: k.Playbook, Profile: append([]byte{}, k.Profile...), Decision: raw, // nothing known is no NULL
	})
	if err != nil {
		return err
	}
	switch {
	case k.Owner == nil && k.owned:
		if err := q.DeleteAssignment(ctx, k.LeadID.Bucket(), uuid(k.LeadID)); err != nil {
			return err
		}
		return q.ReleaseInterest(ctx, uuids(k.LeadID))
	case k.Owner == nil:
		return nil
	case !k.owned:
		var arg db.InsertAssignmentsParams
		if err := appendAssignment(&arg, k); err != nil {
			return err
		}
		return q.InsertAssignments(ctx, arg)
	}
	return updateAssignment(ctx, q, k)
}

func updateAssignment(ctx context.Context, q *db.Queries, k *Case) error {
	a := k.Owner
	facts, err := json.Marshal(&a.Grant)
	if err != nil {
		return fmt.Errorf("encode the grant's facts: %w", err)
	}
	return q.UpdateAssignment(ctx, db.UpdateAssignmentParams{
		Bucket: k.LeadID.Bucket(), LeadID: uuid(k.LeadID), Sequence: int32(a.Sequence), Attempt: int32(a.Attempt), DealerID: a.DealerID,
		Department: int16(a.Department), Role: int16(a.Role), PersonID: a.PersonID, AssignedAt: stamp(a.AssignedAt),
		DeliveredAt: stamp(a.DeliveredAt), NextDeadline: stamp(a.Deadline.At), DeadlineKind: int16(a.Deadline.Kind),
		Clock: marshalClock(a), GrantFacts: facts, OfferTo: a.OfferTo, OfferUntil: stamp(a.OfferUntil),
	})
}

func marshalClock(a *Assignment) []byte { return sla.MarshalState(a.Clock) }
