package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// WebhookTarget is whose leads go to an enabled push address; department 0: those of every
// department that has none of its own.
type WebhookTarget struct {
	ID         string
	DealerID   string
	Department lead.Department
}

// Webhook is a push address.
type Webhook struct {
	WebhookTarget
	URL     string
	Secret  string
	Enabled bool
}

// PutWebhook makes or replaces the push address of a dealer's department. One that is replaced
// keeps its identifier, and its secret if the new one is empty: made is then not used. It answers
// the identifier and whether made was.
func (s *Store) PutWebhook(ctx context.Context, w Webhook, made string, at time.Time) (id string, used bool, err error) {
	err = s.inTx(ctx, func(_ pgx.Tx, q *db.Queries) error {
		if _, err := q.LockNetwork(ctx); err != nil {
			return err
		}
		secret, keep := w.Secret, false
		if secret == "" {
			_, err := q.WebhookOf(ctx, w.DealerID, int16(w.Department))
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				secret = made
			case err != nil:
				return err
			default:
				keep = true
			}
		}
		used = secret == made
		id, err = q.PutWebhook(ctx, db.PutWebhookParams{
			WebhookID: w.ID, DealerID: w.DealerID, Department: int16(w.Department), Url: w.URL, Secret: secret, Enabled: w.Enabled, KeepSecret: keep,
		})
		if err != nil {
			return err
		}
		_, err = q.TouchNetwork(ctx, stamp(at)) // every replica learns of it as of a change of the network
		return err
	})
	if err != nil {
		return "", false, edge("put a webhook", err)
	}
	return id, used, nil
}

// Webhook reads a push address; the problem NOT_FOUND if there is none.
func (s *Store) Webhook(ctx context.Context, id string) (*Webhook, error) {
	row, err := s.q.WebhookByID(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("webhook")
	}
	if err != nil {
		return nil, edge("read a webhook", err)
	}
	return &Webhook{WebhookTarget{row.WebhookID, row.DealerID, lead.Department(row.Department)}, row.Url, row.Secret, row.Enabled}, nil
}

// DisableWebhook stops pushes to an address.
func (s *Store) DisableWebhook(ctx context.Context, id string, at time.Time) error {
	err := s.inTx(ctx, func(_ pgx.Tx, q *db.Queries) error {
		if _, err := q.LockNetwork(ctx); err != nil {
			return err
		}
		if n, err := q.DisableWebhook(ctx, id); err != nil || n == 0 {
			return err
		}
		_, err := q.TouchNetwork(ctx, stamp(at))
		return err
	})
	return edge("disable a webhook", err)
}

// DeliveryState is what became of a delivery.
type DeliveryState int16

// The values of DeliveryState.
const (
	DeliveryPending DeliveryState = iota + 1
	DeliveryDelivered
	DeliveryDead // given up; it may be sent again
)

// Delivery is one push of one assignment to one address.
type Delivery struct {
	ID          lead.ID // the event's id too
	LeadID      lead.ID
	Sequence    int // of the owner it tells
	DealerID    string
	WebhookID   string
	State       DeliveryState
	Attempts    int
	LastAnswer  string // in one word
	Traceparent string
	JobID       int64
	CreatedAt   time.Time
	At          time.Time // tried next; delivered; given up
}

// InsertDeliveries writes new deliveries in the caller's transaction.
func (s *Store) InsertDeliveries(ctx context.Context, tx pgx.Tx, list []Delivery) error {
	var arg db.InsertDeliveriesParams
	for _, d := range list {
		arg.DeliveryIds = append(arg.DeliveryIds, uuid(d.ID))
		arg.LeadIds = append(arg.LeadIds, uuid(d.LeadID))
		arg.Sequences = append(arg.Sequences, int32(d.Sequence))
		arg.DealerIds = append(arg.DealerIds, d.DealerID)
		arg.WebhookIds = append(arg.WebhookIds, d.WebhookID)
		arg.Traceparents = append(arg.Traceparents, d.Traceparent)
		arg.CreatedAt = append(arg.CreatedAt, stamp(d.CreatedAt))
	}
	return s.q.WithTx(tx).InsertDeliveries(ctx, arg)
}

// Delivery reads a delivery; the problem NOT_FOUND if there is none.
func (s *Store) Delivery(ctx context.Context, id lead.ID) (*Delivery, error) {
	row, err := s.q.DeliveryByID(ctx, uuid(id))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("delivery")
	}
	if err != nil {
		return nil, edge("read a delivery", err)
	}
	return deliveryOf(row), nil
}

func deliveryOf(row db.Delivery) *Delivery {
	return &Delivery{
		ID: row.DeliveryID.Bytes, LeadID: row.LeadID.Bytes, Sequence: int(row.Sequence), DealerID: row.DealerID, WebhookID: row.WebhookID,
		State: DeliveryState(row.State), Attempts: int(row.Attempts), LastAnswer: row.LastAnswer, Traceparent: row.Traceparent, JobID: row.JobID,
		CreatedAt: row.CreatedAt.Time, At: row.At.Time,
	}
}

// SaveDelivery writes what became of an attempt.
func (s *Store) SaveDelivery(ctx context.Context, d *Delivery) error {
	return edge("save a delivery", saveDelivery(ctx, s.q, d))
}

// SaveDelivery writes what became of an attempt together with what it changed.
func (c *Change) SaveDelivery(d *Delivery) error { return saveDelivery(c.ctx, c.q, d) }

func saveDelivery(ctx context.Context, q *db.Queries, d *Delivery) error {
	return q.SetDelivery(ctx, db.SetDeliveryParams{
		DeliveryID: uuid(d.ID), State: int16(d.State), Attempts: int32(d.Attempts), LastAnswer: d.LastAnswer, At: stamp(d.At),
	})
}

// Redeliver makes a delivery pending again. insert makes the job that sends it in the same
// transaction; jobs made before do nothing any more.
func (s *Store) Redeliver(ctx context.Context, id lead.ID, at time.Time, insert func(tx pgx.Tx) (jobID int64, err error)) error {
	err := s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		_, err := q.LockDelivery(ctx, uuid(id))
		if errors.Is(err, pgx.ErrNoRows) {
			return problem.NotFound("delivery")
		}
		if err != nil {
			return err
		}
		job, err := insert(tx)
		if err != nil {
			return err
		}
		return q.SetDeliveryJob(ctx, job, stamp(at), uuid(id))
	})
	return edge("redeliver", err)
}

// PendingOf answers the oldest pending deliveries to an address, their leads by their identifiers.
func (s *Store) PendingOf(ctx context.Context, webhookID string, most int) (map[lead.ID]lead.ID, error) {
	rows, err := s.q.PendingOf(ctx, webhookID, int32(most))
	if err != nil {
		return nil, edge("read pending deliveries", err)
	}
	out := make(map[lead.ID]lead.ID, len(rows))
	for _, row := range rows {
		out[row.DeliveryID.Bytes] = row.LeadID.Bytes
	}
	return out, nil
}

// DeliveryPage asks for deliveries, the newest first.
type DeliveryPage struct {
	DealerID string        // "": of all
	State    DeliveryState // 0: in every state
	Before   time.Time     // zero: from the newest
	BeforeID lead.ID
	Size     int
}

// Deliveries reads a page of deliveries.
func (s *Store) Deliveries(ctx context.Context, p DeliveryPage) ([]*Delivery, error) {
	before := stamp(p.Before)
	if p.Before.IsZero() {
		before = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	rows, err := s.q.ListDeliveries(ctx, db.ListDeliveriesParams{
		DealerID: p.DealerID, State: int16(p.State), BeforeAt: before, BeforeID: pgtype.UUID{Bytes: p.BeforeID, Valid: true},
		PageSize: int32(min(p.Size, math.MaxInt32)),
	})
	if err != nil {
		return nil, edge("list deliveries", err)
	}
	out := make([]*Delivery, 0, len(rows))
	for _, row := range rows {
		out = append(out, deliveryOf(row))
	}
	return out, nil
}

// OldestDelivery is when the oldest delivery that is still pending was made; zero if none is.
func (s *Store) OldestDelivery(ctx context.Context) (time.Time, error) {
	t, err := s.q.OldestPendingDelivery(ctx)
	if err != nil {
		return time.Time{}, edge("read the oldest delivery", err)
	}
	if t.Time.Unix() == 0 {
		return time.Time{}, nil
	}
	return t.Time, nil
}
