package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// PastCase is what has become of a decided lead, without who it is.
type PastCase struct {
	LeadID     lead.ID
	State      lead.State
	Brand      string
	Line       lead.Line
	Test       bool
	DealerID   string // present or last owner
	ReceivedAt time.Time
	ClosedAt   time.Time // zero while open
}

// PastPlace is where a page of past cases begins: behind a lead, in the order of receipt.
type PastPlace struct {
	ReceivedAt time.Time
	After      lead.ID // zero: before all that were received then
}

// PastCases reads the next decided leads that were received before until, a zero one being no bound, in
// the order of receipt.
func (s *Store) PastCases(ctx context.Context, at PastPlace, until time.Time, most int) ([]PastCase, error) {
	rows, err := s.q.PastCases(ctx, db.PastCasesParams{
		Since: pgtype.Timestamptz{Time: at.ReceivedAt, Valid: true}, After: pgtype.UUID{Bytes: at.After, Valid: true}, Until: end(until), Most: int32(most),
	})
	out := make([]PastCase, len(rows))
	for i, r := range rows {
		out[i] = PastCase{r.LeadID.Bytes, lead.State(r.State), r.Brand, lead.Line(r.Line), r.Test, r.DealerID, r.ReceivedAt.Time, r.ClosedAt.Time}
	}
	return out, edge("read past decisions", err)
}

// PastSpan reads when the first and the last decided lead were received; there may be none.
func (s *Store) PastSpan(ctx context.Context) (first, last time.Time, err error) {
	row, err := s.q.PastSpan(ctx)
	return row.First.Time, row.Last.Time, edge("read when decided leads were received", err)
}

// end is an upper bound, none for the zero time.
func end(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	return stamp(t)
}

// FirstReceipts reads the receipts of the first decisions on leads, unpacked; leads without any are
// left out, those whose receipt does not unpack are nil.
func (s *Store) FirstReceipts(ctx context.Context, leadIDs []lead.ID) (map[lead.ID][]byte, error) {
	buckets, list := ids(leadIDs)
	rows, err := s.q.FirstReceipts(ctx, buckets, list)
	if err != nil {
		return nil, edge("read first receipts", err)
	}
	out := make(map[lead.ID][]byte, len(rows))
	for _, r := range rows {
		canonical, err := s.codec.Unpack(r.Canonical)
		if err != nil {
			canonical = nil
		}
		out[r.LeadID.Bytes] = canonical
	}
	return out, nil
}

// CountPastOutcomes counts leads of a line that are won, lost or expired and were received from since
// on and before until, a zero one being no bound, the latest first and at most so many.
func (s *Store) CountPastOutcomes(ctx context.Context, line lead.Line, since, until time.Time, most int) (closed, won int64, err error) {
	row, err := s.q.CountPastOutcomes(ctx, db.CountPastOutcomesParams{
		Since: pgtype.Timestamptz{Time: since, Valid: true}, Until: end(until), Line: int16(line), Most: int32(most),
	})
	return row.Closed, row.Won, edge("count outcomes", err)
}
