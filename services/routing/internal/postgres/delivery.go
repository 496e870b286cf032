package postgres

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

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
	JobID       int64 // -1: waits until its address has room
	CreatedAt   time.Time
	At          time.Time    // tried next; delivered; given up
	Sent        bool         // the endpoint may hold it
	Tries       []Try        // the last ones, the newest last
	Kind        EndpointKind // of its address, where it is made; not stored
}

// Try is one attempt at a delivery.
type Try struct {
	At     time.Time
	Took   time.Duration // in milliseconds
	Answer string        // in one word
}

// mostTries is how many attempts a delivery remembers.
const mostTries = 10

// Tried notes an attempt.
func (d *Delivery) Tried(t Try) {
	d.Attempts++
	d.LastAnswer = t.Answer
	d.Tries = append(d.Tries, t)
	d.Tries = d.Tries[max(0, len(d.Tries)-mostTries):]
}

func tryTexts(list []Try) []string {
	out := make([]string, 0, len(list))
	for _, t := range list {
		out = append(out, strconv.FormatInt(t.At.UnixMilli(), 10)+" "+strconv.FormatInt(t.Took.Milliseconds(), 10)+" "+t.Answer)
	}
	return out
}

// triesOf reads what tryTexts wrote; what it did not write is left out.
func triesOf(texts []string) []Try {
	var out []Try
	for _, text := range texts {
		at, rest, _ := strings.Cut(text, " ")
		took, answer, ok := strings.Cut(rest, " ")
		atMS, err1 := strconv.ParseInt(at, 10, 64)
		tookMS, err2 := strconv.ParseInt(took, 10, 64)
		if ok && err1 == nil && err2 == nil {
			out = append(out, Try{time.UnixMilli(atMS).UTC(), time.Duration(tookMS) * time.Millisecond, answer})
		}
	}
	return out
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
		CreatedAt: row.CreatedAt.Time, At: row.At.Time, Sent: row.Sent, Tries: triesOf(row.Tries),
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
		Sent: d.Sent, Tries: tryTexts(d.Tries),
	})
}

// MarkSent notes that an attempt at a delivery begins whose end may not be noted any more.
func (s *Store) MarkSent(ctx context.Context, id lead.ID) error {
	return edge("mark a delivery", s.q.MarkDeliverySent(ctx, uuid(id)))
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

// DeliveryPage asks for deliveries, the newest first. Empty fields ask for all.
type DeliveryPage struct {
	DealerID   string
	WebhookID  string
	LeadID     lead.ID
	State      DeliveryState
	LastAnswer string
	From, To   time.Time // by when they were made; To is not in it
	Before     time.Time // zero: from the newest
	BeforeID   lead.ID
	Size       int
}

// Deliveries reads a page of deliveries.
func (s *Store) Deliveries(ctx context.Context, p DeliveryPage) ([]*Delivery, error) {
	arg := db.ListDeliveriesParams{
		DealerID: p.DealerID, State: int16(p.State), WebhookID: p.WebhookID, LastAnswer: p.LastAnswer, FromAt: fromStamp(p.From), ToAt: untilStamp(p.To),
		BeforeAt: untilStamp(p.Before), BeforeID: pgtype.UUID{Bytes: p.BeforeID, Valid: true}, PageSize: int32(min(p.Size, math.MaxInt32)),
	}
	var rows []db.Delivery
	var err error
	if p.LeadID.IsZero() {
		rows, err = s.q.ListDeliveries(ctx, arg)
	} else {
		rows, err = s.q.ListDeliveriesOfLead(ctx, db.ListDeliveriesOfLeadParams{
			LeadID: uuid(p.LeadID), DealerID: arg.DealerID, State: arg.State, WebhookID: arg.WebhookID, LastAnswer: arg.LastAnswer, FromAt: arg.FromAt,
			ToAt: arg.ToAt, BeforeAt: arg.BeforeAt, BeforeID: arg.BeforeID, PageSize: arg.PageSize,
		})
	}
	if err != nil {
		return nil, edge("list deliveries", err)
	}
	out := make([]*Delivery, 0, len(rows))
	for _, row := range rows {
		out = append(out, deliveryOf(row))
	}
	return out, nil
}

// fromStamp is the beginning of a span; zero is the beginning of time.
func fromStamp(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	return stamp(t)
}

// untilStamp is the end of a span; zero is the end of time.
func untilStamp(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	return stamp(t)
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
