package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/capture/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
)

// Fetch is a parked lead whose form the caller may ask for until its lease ends.
type Fetch struct {
	ID                         lead.ID
	Owner, Intake, Traceparent string
	Attempts                   int
	ReceivedAt                 time.Time
	Test                       bool
	Raw                        []byte // the notification
}

// ClaimFetches leases up to n fetches that are due.
func (s *Store) ClaimFetches(ctx context.Context, now, lease time.Time, n int) ([]Fetch, error) {
	rows, err := s.q.ClaimFetches(ctx, stamp(lease), stamp(now), int32(n))
	if err != nil {
		return nil, mapped(err)
	}
	out := make([]Fetch, len(rows))
	for i, r := range rows {
		out[i] = Fetch{
			ID: r.LeadID.Bytes, Owner: r.Owner, Intake: r.Intake, Traceparent: r.Traceparent, Attempts: int(r.FetchAttempts),
			ReceivedAt: r.ReceivedAt.Time, Test: r.Test, Raw: r.Raw,
		}
	}
	return out, nil
}

// DelayFetch sets when a form is asked for again and why it is not there; the zero time: never.
func (s *Store) DelayFetch(ctx context.Context, id lead.ID, at time.Time, detail string, events *outbox.Rows) error {
	return s.inTx(ctx, func(q *db.Queries, tx pgx.Tx) error {
		if err := q.DelayFetch(ctx, pgtype.Timestamptz{Time: at, Valid: !at.IsZero()}, detail, id.Bucket(), uuid(id)); err != nil {
			return err
		}
		return addEvents(ctx, tx, events)
	})
}

// Fetched is a form that was fetched, and what governance made of it.
type Fetched struct {
	ID          lead.ID
	Raw         []byte // the notification and the form
	ContentType string
	Test        bool
	Since       time.Time // of receipt
	Woken       Woken     // Governed is set
}

// Fetched stores a form and moves its lead on; false if the lead does not wait for it any more.
func (s *Store) Fetched(ctx context.Context, f Fetched, now time.Time, events *outbox.Rows) (moved bool, err error) {
	err = s.inTx(ctx, func(q *db.Queries, tx pgx.Tx) error {
		moved = false
		switch _, err := q.LockFetch(ctx, f.ID.Bucket(), uuid(f.ID)); {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return err
		}
		if err := q.SetFetched(ctx, f.Raw, f.ContentType, f.Test, f.ID.Bucket(), uuid(f.ID)); err != nil {
			return err
		}
		if err := wake(ctx, q, uuid(f.ID), f.ID.Bucket(), now, stamp(f.Since), f.Woken); err != nil {
			return err
		}
		moved = true
		return addEvents(ctx, tx, events)
	})
	return moved, err
}
