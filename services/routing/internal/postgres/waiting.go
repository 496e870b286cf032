package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// Range names deliveries of a dealer that are to be sent again.
type Range struct {
	DealerID  string
	WebhookID string // "": of all addresses
	State     DeliveryState
	From, To  time.Time // by when they were made; To is not in it
	RequestID string    // what was sent again under it stays as it is; "": none
}

// QueueRange makes the next deliveries of a range pending, at most so many of those behind a place
// in it, the oldest first. They wait until TakeWaiting takes them. It answers how many they were and
// the place behind the last.
func (s *Store) QueueRange(ctx context.Context, r Range, after Place, most int, at time.Time) (n int, last Place, err error) {
	rows, err := s.q.QueueRange(ctx, db.QueueRangeParams{
		At: stamp(at), RequestID: r.RequestID, DealerID: r.DealerID, WebhookID: r.WebhookID, State: int16(r.State), FromAt: fromStamp(r.From),
		ToAt: untilStamp(r.To), AfterAt: fromStamp(after.At), AfterID: pgtype.UUID{Bytes: after.ID, Valid: true}, Most: int32(min(most, math.MaxInt32)),
	})
	if err != nil {
		return 0, after, edge("queue deliveries", err)
	}
	last = after
	for _, row := range rows {
		if p := (Place{row.CreatedAt.Time, row.DeliveryID.Bytes}); p.after(last) {
			last = p
		}
	}
	return len(rows), last, nil
}

// Place is where a delivery stands by when it was made; zero: before all.
type Place struct {
	At time.Time
	ID lead.ID
}

func (p Place) after(q Place) bool {
	if !p.At.Equal(q.At) {
		return p.At.After(q.At)
	}
	return string(p.ID[:]) > string(q.ID[:])
}

// HoldPending makes all pending deliveries to an address wait for TakeWaiting; jobs made for them do
// nothing any more.
func (s *Store) HoldPending(ctx context.Context, webhookID string, at time.Time) error {
	return edge("hold deliveries", s.q.HoldPending(ctx, stamp(at), webhookID))
}

// WaitingWebhooks are the addresses that deliveries wait for.
func (s *Store) WaitingWebhooks(ctx context.Context) ([]string, error) {
	list, err := s.q.WaitingWebhooks(ctx)
	return list, edge("read what waits", err)
}

// TakeWaiting takes the oldest deliveries that wait for an address, as many as bring those under way
// to most. insert makes their jobs in the same transaction and answers them in order. What is tried
// again later does not count as under way.
func (s *Store) TakeWaiting(ctx context.Context, webhookID string, most int, at time.Time, insert func(tx pgx.Tx, ids, leads []lead.ID) ([]int64, error)) (n int, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		n = 0
		busy, err := q.UnderWay(ctx, webhookID, stamp(at))
		if err != nil || int(busy) >= most {
			return err
		}
		rows, err := q.TakeWaiting(ctx, webhookID, int32(most)-int32(busy))
		if err != nil || len(rows) == 0 {
			return err
		}
		ids, leads, keys := make([]lead.ID, len(rows)), make([]lead.ID, len(rows)), make([]pgtype.UUID, len(rows))
		for i, row := range rows {
			ids[i], leads[i], keys[i] = row.DeliveryID.Bytes, row.LeadID.Bytes, row.DeliveryID
		}
		jobs, err := insert(tx, ids, leads)
		if err != nil {
			return err
		}
		n = len(rows)
		return q.SetDeliveryJobs(ctx, stamp(at), keys, jobs)
	})
	return n, edge("take deliveries", err)
}
