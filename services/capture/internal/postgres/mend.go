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
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// Mending is a lead that is being worked on, locked where it stands.
type Mending struct {
	ID lead.ID
	Record
	Document   Review // of a parked one, as it was received
	RejectedBy string // who rejected it by hand; "" if the rules did
	Unfolded   []Unfolded
	Last       LastUpdate
}

// Unfolded is an update that the lead's body does not have yet.
type Unfolded struct {
	Body  []byte
	Actor string // of one by a person; "": by the lead's source
}

// LastUpdate is the newest update of a lead; zero if there is none.
type LastUpdate struct {
	UpdateID      lead.ID
	At            time.Time
	Raw           []byte
	Actor, Reason string
}

// Mended says what becomes of it. The zero value leaves it as it is.
type Mended struct {
	Governed *Governed // the new body, with all updates in it
	Keys     []int64   // what the lead is found by besides
	Update   *NewUpdate
	To       Place // where it goes; HandedOver: it stays

	DueAt        time.Time // of a pending one
	Code, Detail string    // of a rejected one; Detail of a parked one too
	Actor        string    // who rejects it by hand
	ReviewAt     time.Time // of a parked one
}

// NewUpdate is an update by a person.
type NewUpdate struct {
	UpdateID      lead.ID
	At            time.Time
	Body, Raw     []byte
	Actor, Reason string
}

// placeTries is how often a lead is looked for that moves while it is being locked.
const placeTries = 5

// Mend locks a lead where it stands, gives it to a function that decides and adds events, and does
// what it says, in one transaction. Problem NOT_FOUND if the lead is not held.
func (s *Store) Mend(ctx context.Context, id lead.ID, decide func(*Mending, *outbox.Rows) (Mended, error)) error {
	return s.inTx(ctx, func(q *db.Queries, tx pgx.Tx) error {
		m, err := lockPlace(ctx, q, id)
		if err != nil {
			return err
		}
		events := &outbox.Rows{}
		done, err := decide(m, events)
		if err != nil {
			return err
		}
		if err := m.apply(ctx, q, &done); err != nil {
			return err
		}
		return addEvents(ctx, tx, events)
	})
}

func lockPlace(ctx context.Context, q *db.Queries, id lead.ID) (*Mending, error) {
	bucket, key := id.Bucket(), uuid(id)
	if _, err := q.LockLead(ctx, bucket, key); err != nil {
		return nil, err
	}
	for range placeTries {
		r, err := q.GetLead(ctx, bucket, key)
		if err != nil {
			return nil, err
		}
		m := &Mending{ID: id, Record: record(&r)}
		m.Document = Review{ID: id, ReceivedAt: m.ReceivedAt, Test: m.Test, Traceparent: m.Traceparent, ContentType: r.ContentType, Body: r.Body, Raw: r.Raw}
		lock := map[Place]func(context.Context, int16, pgtype.UUID) (int64, error){
			Pending: q.LockPending, Rejected: q.LockRejected, Parked: q.LockParked,
		}[m.Place]
		if lock != nil {
			n, err := lock(ctx, bucket, key)
			if err != nil {
				return nil, err
			}
			if n == 0 {
				continue
			}
		}
		return m, m.read(ctx, q)
	}
	return nil, problem.Unavailable(errors.New("the lead moved on while it was being locked"))
}

func (m *Mending) read(ctx context.Context, q *db.Queries) (err error) {
	bucket, key := m.ID.Bucket(), uuid(m.ID)
	if m.Place == Rejected {
		if m.RejectedBy, err = q.GetRejectActor(ctx, bucket, key); err != nil {
			return err
		}
	}
	if m.Place == Parked {
		d, err := q.GetParkedDocument(ctx, bucket, key)
		if err != nil {
			return err
		}
		m.Document.Kind, m.Document.Intake = d.Kind, d.Intake
	}
	rows, err := q.ListUnfolded(ctx, bucket, key)
	if err != nil {
		return err
	}
	for _, r := range rows {
		m.Unfolded = append(m.Unfolded, Unfolded{Body: r.Body, Actor: r.Actor})
	}
	last, err := q.LastUpdate(ctx, bucket, key)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	m.Last = LastUpdate{UpdateID: last.UpdateID.Bytes, At: last.At.Time, Raw: last.Raw, Actor: last.Actor, Reason: last.Reason}
	return nil
}

// apply writes what was decided. The update is written last: folding is of those before it, and it
// says itself whether the body has it.
func (m *Mending) apply(ctx context.Context, q *db.Queries, d *Mended) error {
	bucket, key := m.ID.Bucket(), uuid(m.ID)
	if d.Governed != nil {
		if err := setGoverned(ctx, q, *d.Governed); err != nil {
			return err
		}
		if err := q.FoldUpdates(ctx, bucket, key); err != nil {
			return err
		}
	}
	if len(d.Keys) > 0 {
		if err := q.AddLookupKeys(ctx, d.Keys, bucket, key); err != nil {
			return err
		}
	}
	if u := d.Update; u != nil {
		err := q.InsertUpdate(ctx, db.InsertUpdateParams{
			Bucket: bucket, LeadID: key, UpdateID: uuid(u.UpdateID), At: stamp(u.At), Body: notNil(u.Body), Raw: notNil(u.Raw),
			Actor: text(u.Actor), Reason: text(u.Reason), Folded: pgtype.Bool{Bool: d.Governed != nil, Valid: true},
		})
		if err != nil {
			return err
		}
	}
	return m.move(ctx, q, d)
}

func (m *Mending) move(ctx context.Context, q *db.Queries, d *Mended) error {
	bucket, key, now := m.ID.Bucket(), uuid(m.ID), stamp(d.DueAt)
	switch from := m.Place; {
	case d.To == HandedOver || from == HandedOver:
		return nil
	case d.To == Pending && from == Pending:
		return q.RestartPending(ctx, now, bucket, key)
	case d.To == Pending && from == Parked:
		return q.WakeParked(ctx, stamp(m.ReceivedAt), now, bucket, key)
	case d.To == Pending:
		return q.ReviveRejected(ctx, stamp(m.ReceivedAt), now, bucket, key)
	case d.To == Parked && from == Parked:
		return q.ExtendParked(ctx, stamp(d.ReviewAt), d.Detail, bucket, key)
	case d.To == Parked:
		return problem.Internal(errors.New("only a parked lead stays parked"))
	}
	// rejected
	switch m.Place {
	case Pending:
		if _, err := q.RejectPending(ctx, now, d.Code, d.Detail, bucket, key); err != nil {
			return err
		}
	case Parked:
		if err := q.RejectParked(ctx, now, d.Code, d.Detail, bucket, key); err != nil {
			return err
		}
	}
	return q.SetRejected(ctx, d.Code, d.Detail, text(d.Actor), bucket, key)
}

func text(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }

// RejectedPlace is a place among the leads of one reject code, in the order they were rejected.
type RejectedPlace struct {
	At     time.Time
	LeadID lead.ID
}

// Period is from Since to before Until.
type Period struct{ Since, Until time.Time }

// Rejected returns up to n leads that were rejected for a code within a period, after a place.
func (s *Store) Rejected(ctx context.Context, code string, in Period, after RejectedPlace, n int) ([]RejectedPlace, error) {
	rows, err := s.q.ListRejected(ctx, code, stamp(in.Since), stamp(in.Until), stamp(after.At), uuid(after.LeadID), int32(n))
	if err != nil {
		return nil, mapped(err)
	}
	out := make([]RejectedPlace, len(rows))
	for i, r := range rows {
		out[i] = RejectedPlace{At: r.At.Time, LeadID: r.LeadID.Bytes}
	}
	return out, nil
}

// RecallParked has up to n leads that were parked within a period reviewed now, or only counts them.
func (s *Store) RecallParked(ctx context.Context, in Period, now time.Time, n int, count bool) (int, error) {
	recall := s.q.RecallParked
	if count {
		recall = s.q.CountParked
	}
	found, err := recall(ctx, stamp(now), stamp(in.Since), stamp(in.Until), int32(n))
	return int(found), mapped(err)
}
