package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/capture/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
)

// Release forgets that the leads are pending: Routing has decided them.
func (s *Store) Release(ctx context.Context, ids []lead.ID) error {
	ids = slices.SortedFunc(slices.Values(ids), byBucket)
	buckets, uuids := split(ids)
	return mapped(s.q.ReleasePending(ctx, buckets, uuids))
}

// Delay is when a pending lead is tried again, and whether the try before counts against it.
type Delay struct {
	LeadID  lead.ID
	Counted bool
	At      time.Time
}

// Delay sets when pending leads are tried again; leads that are not pending are left alone.
func (s *Store) Delay(ctx context.Context, delays []Delay) error {
	if len(delays) == 0 {
		return nil
	}
	slices.SortFunc(delays, func(a, b Delay) int { return byBucket(a.LeadID, b.LeadID) })
	n := len(delays)
	buckets, ids, counted, at := make([]int16, n), make([]pgtype.UUID, n), make([]int16, n), make([]pgtype.Timestamptz, n)
	for i, d := range delays {
		buckets[i], ids[i], at[i] = d.LeadID.Bucket(), uuid(d.LeadID), stamp(d.At)
		if d.Counted {
			counted[i] = 1
		}
	}
	return mapped(s.q.DelayPending(ctx, buckets, ids, counted, at))
}

// WakeAll makes every pending lead due and returns how many were not.
func (s *Store) WakeAll(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for bucket := range int16(lead.Buckets) {
		n, err := s.q.WakeAllPending(ctx, stamp(now), bucket)
		if err != nil {
			return total, mapped(err)
		}
		total += int(n)
	}
	return total, nil
}

// DueBuckets returns the buckets that hold pending leads that are due.
func (s *Store) DueBuckets(ctx context.Context, now time.Time) ([]int16, error) {
	b, err := s.q.DueBuckets(ctx, stamp(now))
	return b, mapped(err)
}

// Claimed is a pending lead that the caller may drive until its lease ends.
type Claimed struct {
	ID                    lead.ID
	Attempts              int
	ReceivedAt            time.Time
	Test                  bool
	Revision, Traceparent string
	Body                  []byte
}

// Claim leases up to n due leads of a bucket.
func (s *Store) Claim(ctx context.Context, bucket int16, now, lease time.Time, n int) ([]Claimed, error) {
	rows, err := s.q.ClaimPending(ctx, stamp(lease), bucket, stamp(now), int32(n))
	if err != nil {
		return nil, mapped(err)
	}
	claimed := make([]Claimed, len(rows))
	for i, r := range rows {
		claimed[i] = Claimed{
			ID: r.LeadID.Bytes, Attempts: int(r.Attempts), ReceivedAt: r.ReceivedAt.Time, Test: r.Test,
			Revision: r.PlaybookRevision, Traceparent: r.Traceparent, Body: r.Body,
		}
	}
	return claimed, nil
}

// OldestPending returns when the oldest pending lead was received and how many are pending; the
// zero time if none is.
func (s *Store) OldestPending(ctx context.Context) (since time.Time, waiting int, err error) {
	r, err := s.q.OldestPending(ctx)
	return r.Since.Time, int(r.Waiting), mapped(err)
}

// Parking says who looks at a parked lead, when and why.
type Parking struct {
	LeadID       lead.ID
	At, ReviewAt time.Time
	Owner        string
	Detail       string
}

// ParkPending moves a pending lead to the parked ones, with its events; false if it is not pending
// any more.
func (s *Store) ParkPending(ctx context.Context, p Parking, events *outbox.Rows) (moved bool, err error) {
	err = s.inTx(ctx, func(q *db.Queries, tx pgx.Tx) error {
		n, err := q.ParkPending(ctx, stamp(p.At), p.Owner, stamp(p.ReviewAt), p.Detail, p.LeadID.Bucket(), uuid(p.LeadID))
		if moved = n > 0; err != nil || !moved {
			return err
		}
		return addEvents(ctx, tx, events)
	})
	return moved, err
}

// Governed is what governance made of a lead after it was captured.
type Governed struct {
	LeadID      lead.ID
	Body        []byte
	Flags       int
	RequestedAt time.Time
	Revision    string
}

func setGoverned(ctx context.Context, q *db.Queries, g Governed) error {
	return q.SetGoverned(ctx, g.Body, int16(g.Flags), stamp(g.RequestedAt), g.Revision, g.LeadID.Bucket(), uuid(g.LeadID))
}

// Govern stores what governance made of a pending lead that was captured while there was no
// playbook; with a reject code it moves to the rejected ones.
func (s *Store) Govern(ctx context.Context, g Governed, at time.Time, code, detail string, events *outbox.Rows) error {
	return s.inTx(ctx, func(q *db.Queries, tx pgx.Tx) error {
		if err := setGoverned(ctx, q, g); err != nil || code == "" {
			return err
		}
		n, err := q.RejectPending(ctx, stamp(at), code, detail, g.LeadID.Bucket(), uuid(g.LeadID))
		if err != nil || n == 0 {
			return err
		}
		return addEvents(ctx, tx, events)
	})
}

// Review is a parked lead whose review date has come.
type Review struct {
	ID                                 lead.ID
	Owner, Detail                      string
	ReceivedAt                         time.Time
	Test                               bool
	Revision, Traceparent, ContentType string
	Body, Raw                          []byte
	Kind                               int16  // of its document; 0: ADF
	Intake                             string // its sender in the sources file
}

// Woken says what becomes of a parked lead: with Code it is rejected, with ReviewAt it stays
// parked, else it is pending again. Governed, if set, replaces the lead's body.
type Woken struct {
	Code, Detail string
	ReviewAt     time.Time
	Governed     *Governed
}

// ReviewBuckets returns the buckets that hold parked leads whose review date has come.
func (s *Store) ReviewBuckets(ctx context.Context, now time.Time) ([]int16, error) {
	b, err := s.q.ReviewBuckets(ctx, stamp(now))
	return b, mapped(err)
}

// ReviewParked gives up to n parked leads of a bucket whose review date has come to a function
// that decides and adds events, and does what it says, in one transaction. It returns how many.
func (s *Store) ReviewParked(ctx context.Context, bucket int16, now time.Time, n int, decide func(Review, *outbox.Rows) (Woken, error)) (int, error) {
	done := 0
	err := s.inTx(ctx, func(q *db.Queries, tx pgx.Tx) error {
		done = 0
		rows, err := q.ClaimParked(ctx, bucket, stamp(now), int32(n))
		if err != nil {
			return err
		}
		events := &outbox.Rows{}
		for _, r := range rows {
			w, err := decide(Review{
				ID: r.LeadID.Bytes, Owner: r.Owner, Detail: r.Detail, ReceivedAt: r.ReceivedAt.Time, Test: r.Test,
				Revision: r.PlaybookRevision, Traceparent: r.Traceparent, ContentType: r.ContentType, Body: r.Body, Raw: r.Raw,
				Kind: r.Kind, Intake: r.Intake,
			}, events)
			if err != nil {
				return err
			}
			if err := wake(ctx, q, r.LeadID, bucket, now, r.ReceivedAt, w); err != nil {
				return err
			}
			done++
		}
		return addEvents(ctx, tx, events)
	})
	return done, err
}

// ParkedLead is a parked lead with its review date.
type ParkedLead struct {
	LeadID   lead.ID
	ReviewAt time.Time
}

// ParkedLeads returns up to n parked leads, documents left out, after the given one in the order of
// their review.
func (s *Store) ParkedLeads(ctx context.Context, after ParkedLead, n int) ([]ParkedLead, error) {
	rows, err := s.q.ListParkedLeads(ctx, stamp(after.ReviewAt), uuid(after.LeadID), int32(n))
	if err != nil {
		return nil, mapped(err)
	}
	list := make([]ParkedLead, len(rows))
	for i, r := range rows {
		list[i] = ParkedLead{LeadID: r.LeadID.Bytes, ReviewAt: r.ReviewAt.Time}
	}
	return list, nil
}

// Yield forgets that the leads are parked: Routing has decided them.
func (s *Store) Yield(ctx context.Context, ids []lead.ID) error {
	if len(ids) == 0 {
		return nil
	}
	buckets, uuids := split(slices.SortedFunc(slices.Values(ids), byBucket))
	return mapped(s.q.YieldParked(ctx, buckets, uuids))
}

func wake(ctx context.Context, q *db.Queries, id pgtype.UUID, bucket int16, now time.Time, since pgtype.Timestamptz, w Woken) error {
	if w.Governed != nil {
		if err := setGoverned(ctx, q, *w.Governed); err != nil {
			return err
		}
	}
	switch {
	case w.Code != "":
		return q.RejectParked(ctx, stamp(now), w.Code, w.Detail, bucket, id)
	case !w.ReviewAt.IsZero():
		return q.ExtendParked(ctx, stamp(w.ReviewAt), w.Detail, bucket, id)
	default:
		return q.WakeParked(ctx, since, stamp(now), bucket, id)
	}
}
