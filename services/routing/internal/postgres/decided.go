package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
)

// PastCase is what has become of a decided lead, without who it is.
type PastCase struct {
	LeadID     lead.ID
	State      lead.State
	Brand      string
	Line       lead.Line
	Test       bool
	ReceivedAt time.Time
	ClosedAt   time.Time // zero while open
}

// PastCases reads the next decided leads of a bucket behind an identifier, in its order.
func (s *Store) PastCases(ctx context.Context, bucket int16, after lead.ID, most int) ([]PastCase, error) {
	rows, err := s.q.PastCases(ctx, bucket, pgtype.UUID{Bytes: after, Valid: true}, int32(most))
	out := make([]PastCase, len(rows))
	for i, r := range rows {
		out[i] = PastCase{r.LeadID.Bytes, lead.State(r.State), r.Brand, lead.Line(r.Line), r.Test, r.ReceivedAt.Time, r.ClosedAt.Time}
	}
	return out, edge("read past decisions", err)
}

// FirstReceipts reads the receipts of the first decisions on leads of one bucket, unpacked; leads
// without any are left out.
func (s *Store) FirstReceipts(ctx context.Context, bucket int16, leadIDs []lead.ID) (map[lead.ID][]byte, error) {
	_, list := ids(leadIDs)
	rows, err := s.q.FirstReceipts(ctx, list, bucket)
	if err != nil {
		return nil, edge("read first receipts", err)
	}
	out := make(map[lead.ID][]byte, len(rows))
	for _, r := range rows {
		if out[r.LeadID.Bytes], err = s.codec.Unpack(r.Canonical); err != nil {
			return nil, edge("unpack a receipt", err)
		}
	}
	return out, nil
}
