package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// Due is the earliest deadline and the earliest review of a bucket; zero for none.
type Due struct {
	Bucket             int16
	Deadline, ReviewAt time.Time
}

// Due answers what comes first in each bucket: one look into two indexes each.
func (s *Store) Due(ctx context.Context) ([]Due, error) {
	buckets := make([]int16, lead.Buckets)
	for i := range buckets {
		buckets[i] = int16(i)
	}
	rows, err := s.q.DueByBucket(ctx, buckets)
	if err != nil {
		return nil, edge("look for deadlines", err)
	}
	out := make([]Due, 0, len(rows))
	for _, row := range rows {
		out = append(out, Due{row.Bucket, row.NextDeadline.Time, row.ReviewAt.Time})
	}
	return out, nil
}

// NextOffer is when the first transfer that is offered lapses; zero if none is.
func (s *Store) NextOffer(ctx context.Context) (time.Time, error) {
	at, err := s.q.NextOffer(ctx)
	return at.Time, edge("look for offers", err)
}

// SweepDeadlines locks up to limit leads of a bucket whose deadline has come, the longest overdue
// first and without waiting for anybody, lets f change them, and saves them together. It returns
// how many it locked. f must set Leave for those it did not change.
func (s *Store) SweepDeadlines(ctx context.Context, bucket int16, now time.Time, limit int, f func(c *Change) error) (int, error) {
	return s.sweep(ctx, f, func(q *db.Queries) ([]lead.ID, error) {
		rows, err := q.LockDue(ctx, bucket, stamp(now), int32(limit))
		return leads(rows), err
	})
}

// SweepReviews does the same for parked leads whose review has come.
func (s *Store) SweepReviews(ctx context.Context, bucket int16, now time.Time, limit int, f func(c *Change) error) (int, error) {
	return s.sweep(ctx, f, func(q *db.Queries) ([]lead.ID, error) {
		rows, err := q.LockReviews(ctx, bucket, stamp(now), int32(limit))
		return leads(rows), err
	})
}

// SweepOffers does the same for offered transfers that nobody answered in time, over all buckets:
// few are open at once, and the index of open offers holds nothing else.
func (s *Store) SweepOffers(ctx context.Context, now time.Time, limit int, f func(c *Change) error) (int, error) {
	return s.sweep(ctx, f, func(q *db.Queries) ([]lead.ID, error) {
		rows, err := q.LockOffers(ctx, stamp(now), int32(limit))
		var out []lead.ID
		for _, row := range rows {
			out = append(out, row.LeadID.Bytes)
		}
		return out, err
	})
}

// Recall names parked leads whose review is to come now.
type Recall struct {
	Reason            lead.ParkReason
	Since, Until, Now time.Time
	Limit             int
	Count             bool // only count them
}

// RecallParked moves the review of parked leads to now and returns how many there were.
func (s *Store) RecallParked(ctx context.Context, r Recall) (int, error) {
	if r.Count {
		n, err := s.q.CountParked(ctx, db.CountParkedParams{Reason: int16(r.Reason), Now: stamp(r.Now), Since: stamp(r.Since), Until: stamp(r.Until), Page: int32(r.Limit)})
		return int(n), edge("count parked leads", err)
	}
	n, err := s.q.RecallParked(ctx, db.RecallParkedParams{Now: stamp(r.Now), Reason: int16(r.Reason), Since: stamp(r.Since), Until: stamp(r.Until), Page: int32(r.Limit)})
	return int(n), edge("recall parked leads", err)
}

func leads(rows []pgtype.UUID) []lead.ID {
	out := make([]lead.ID, 0, len(rows))
	for _, row := range rows {
		out = append(out, row.Bytes)
	}
	return out
}

func (s *Store) sweep(ctx context.Context, f func(c *Change) error, lock func(q *db.Queries) ([]lead.ID, error)) (int, error) {
	n := 0
	err := s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		list, err := lock(q)
		n = len(list)
		if err != nil || n == 0 {
			return err
		}
		buckets, uuids := ids(list)
		rows, err := q.Cases(ctx, buckets, uuids)
		if err != nil {
			return err
		}
		c := &Change{Cases: make(map[lead.ID]*Case, n), s: s, ctx: ctx, tx: tx, q: q, ended: map[lead.ID]Ending{}, books: map[string]*Book{}}
		for i := range rows {
			k, err := s.caseOf(&rows[i])
			if err != nil { // one row that cannot be read must not stop the clocks of the others
				c.Broken = append(c.Broken, rows[i].LeadID.Bytes)
				continue
			}
			c.Cases[k.LeadID] = k
		}
		if err := f(c); err != nil {
			return err
		}
		return c.saveSwept()
	})
	return n, edge("sweep", err)
}

// saveSwept saves cases whose clocks went on with two statements for each bucket; those whose
// owner or decision changed too go the long way.
func (c *Change) saveSwept() error {
	if err := c.giveBack(); err != nil {
		return err
	}
	clocks := map[int16]*sweptRows{}
	for _, k := range sortedCases(c.Cases) {
		if !k.onlyClock() {
			if err := saveCase(c.ctx, c.q, k); err != nil {
				return err
			}
			continue
		}
		b := k.LeadID.Bucket()
		if clocks[b] == nil {
			clocks[b] = &sweptRows{clocks: db.UpdateClocksParams{Bucket: b}}
		}
		if err := clocks[b].add(k); err != nil {
			return err
		}
	}
	for b, rows := range clocks {
		if err := c.q.UpdateVersions(c.ctx, b, rows.clocks.LeadIds, rows.versions); err != nil {
			return err
		}
		if err := c.q.UpdateClocks(c.ctx, rows.clocks); err != nil {
			return err
		}
	}
	if err := saveBooks(c.ctx, c.q, c.books); err != nil {
		return err
	}
	return c.Out.Insert(c.ctx, c.tx)
}

// onlyClock reports that nothing but clock, deadline and person of the same owner changed.
func (k *Case) onlyClock() bool {
	return k.owned && !k.whole && k.Owner != nil && k.Owner.Sequence == k.before.Sequence && k.Owner.OfferTo == k.before.OfferTo
}

type sweptRows struct {
	clocks   db.UpdateClocksParams
	versions []int64
}

func (r *sweptRows) add(k *Case) error {
	k.Version++
	a := k.Owner
	facts, err := json.Marshal(&a.Grant)
	if err != nil {
		return fmt.Errorf("encode the grant's facts: %w", err)
	}
	r.versions = append(r.versions, k.Version)
	r.clocks.LeadIds = append(r.clocks.LeadIds, uuid(k.LeadID))
	r.clocks.NextDeadlines = append(r.clocks.NextDeadlines, stamp(a.Deadline.At))
	r.clocks.DeadlineKinds = append(r.clocks.DeadlineKinds, int16(a.Deadline.Kind))
	r.clocks.Clocks = append(r.clocks.Clocks, marshalClock(a))
	r.clocks.PersonIds = append(r.clocks.PersonIds, a.PersonID)
	r.clocks.GrantFacts = append(r.clocks.GrantFacts, facts)
	return nil
}
