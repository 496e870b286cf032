package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// InboxQuery asks for a page of a dealer's inbox.
type InboxQuery struct {
	DealerID   string
	Department lead.Department // unspecified: every one
	PersonID   string          // "": everybody's
	After      time.Time       // place of the last item of the page before; zero for the first page
	AfterID    lead.ID
	Limit      int
}

// Inbox answers the open leads of a dealer and those offered to it, the next deadline first. An
// offer is to the store, so it is left out where a person is asked for.
func (s *Store) Inbox(ctx context.Context, in InboxQuery) ([]*Case, error) {
	after := stamp(in.After)
	if in.After.IsZero() {
		after = pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	rows, err := s.q.Inbox(ctx, db.InboxParams{
		DealerID: in.DealerID, After: after, AfterID: pgtype.UUID{Bytes: in.AfterID, Valid: true},
		Department: int16(in.Department), PersonID: in.PersonID, Page: int32(in.Limit),
	})
	if err != nil {
		return nil, edge("read an inbox", err)
	}
	list := make([]lead.ID, 0, len(rows))
	for _, row := range rows {
		list = append(list, row.LeadID.Bytes)
	}
	cases, err := s.Cases(ctx, list)
	if err != nil {
		return nil, err
	}
	byID := make(map[lead.ID]*Case, len(cases))
	for _, k := range cases {
		byID[k.LeadID] = k
	}
	out := make([]*Case, 0, len(list))
	for _, id := range list {
		// One that was closed or moved between the two statements is left out.
		if k := byID[id]; k != nil && k.Owner != nil && (k.DealerID == in.DealerID || k.Owner.OfferTo == in.DealerID) {
			out = append(out, k)
		}
	}
	return out, nil
}

// CountOpen counts the open leads of a dealer.
func (s *Store) CountOpen(ctx context.Context, dealerID string) (int32, error) {
	n, err := s.q.CountOpen(ctx, dealerID)
	return n, edge("count open leads", err)
}
