package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
)

const (
	numberBatches = 1_000 // rows numbered, or looked at to be forgotten, in one transaction
	readBatches   = 256   // rows of the feed read at once
)

// FeedPlace is a place in the feed: before the event of a number and a position in its row.
type FeedPlace struct {
	Number   int64 // from 1
	Position int   // from 0
}

// FeedEnds is what the feed holds: the rows after Forgotten, up to Numbered.
type FeedEnds struct {
	Numbered, Forgotten int64
	Secret              []byte // marks cursors
}

// FeedEnds reads them.
func (s *Store) FeedEnds(ctx context.Context) (FeedEnds, error) {
	r, err := s.q.GetFeedEnd(ctx)
	return FeedEnds{Numbered: r.Numbered, Forgotten: r.Forgotten, Secret: r.Secret}, edge(err)
}

// NumberFeed gives what was appended and committed its place in the feed. Callers take turns: a
// number is given when all smaller ones are committed.
func (s *Store) NumberFeed(ctx context.Context) error {
	for {
		waiting, err := s.q.HasUnnumbered(ctx)
		if err != nil || !waiting {
			return edge(err)
		}
		var n int64
		err = s.tx(ctx, func(q *db.Queries) error {
			end, err := q.LockFeed(ctx)
			if err != nil {
				return err
			}
			if n, err = q.NumberFeed(ctx, end.Numbered, numberBatches); err != nil || n == 0 {
				return err
			}
			return q.SetFeedEnd(ctx, end.Numbered+n, end.Forgotten)
		})
		if err != nil || n < numberBatches {
			return err
		}
	}
}

// ForgetFeed takes what was appended before a moment out of the feed; the log keeps it.
func (s *Store) ForgetFeed(ctx context.Context, before time.Time) error {
	for {
		var until int64
		err := s.tx(ctx, func(q *db.Queries) error {
			end, err := q.LockFeed(ctx)
			if err != nil {
				return err
			}
			if until, err = q.OldFeed(ctx, stamp(before), end.Forgotten, numberBatches); err != nil || until == 0 {
				return err
			}
			if err := q.ForgetFeed(ctx, until); err != nil {
				return err
			}
			return q.SetFeedEnd(ctx, end.Numbered, until)
		})
		if err != nil || until == 0 {
			return err
		}
	}
}

// FeedEvent is an event of the feed with the place behind it.
type FeedEvent struct {
	Event
	Next FeedPlace
}

// Reading is what one reading of the feed found.
type Reading struct {
	Events []FeedEvent
	Next   FeedPlace // behind them; where it began if there is nothing yet
	More   bool      // there may be more behind
}

// ReadFeed reads the events from a place on, about as many as asked for.
func (s *Store) ReadFeed(ctx context.Context, from FeedPlace, events int) (Reading, error) {
	rows, err := s.q.ReadFeed(ctx, from.Number, readBatches, int64(events+from.Position))
	if err != nil {
		return Reading{Next: from}, edge(err)
	}
	var buckets []int16
	var leads, ids []pgtype.UUID
	var places []FeedPlace // behind each
	next := from
	for _, r := range rows {
		first := 0
		if r.Number == from.Number {
			first = min(from.Position, len(r.EventIds))
		}
		for i := first; i < len(r.EventIds); i++ {
			buckets = append(buckets, lead.ID(r.LeadIds[i].Bytes).Bucket())
			leads, ids = append(leads, r.LeadIds[i]), append(ids, r.EventIds[i])
			if next = (FeedPlace{Number: r.Number, Position: i + 1}); i+1 == len(r.EventIds) {
				next = FeedPlace{Number: r.Number + 1}
			}
			places = append(places, next)
		}
	}
	out := Reading{Next: next, More: len(rows) == readBatches || len(ids) >= events}
	if len(ids) == 0 {
		return out, nil
	}
	found, err := s.q.GetEvents(ctx, buckets, leads, ids)
	if err != nil {
		return Reading{Next: from}, edge(err)
	}
	held := make(map[[16]byte]*db.GetEventsRow, len(found))
	for i := range found {
		held[found[i].EventID.Bytes] = &found[i]
	}
	out.Events = make([]FeedEvent, 0, len(ids))
	for i, id := range ids {
		r := held[id.Bytes]
		if r == nil { // it was taken out of the log since
			continue
		}
		out.Events = append(out.Events, FeedEvent{Next: places[i], Event: Event{
			ID: id.Bytes, LeadID: r.LeadID.Bytes, LeadVersion: r.LeadVersion, Type: r.Type, Source: r.Source,
			OccurredAt: fromStamp(r.OccurredAt), RecordedAt: fromStamp(r.RecordedAt), Traceparent: r.Traceparent, Facts: r.Facts,
		}})
	}
	return out, nil
}
