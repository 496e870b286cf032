package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
)

// Updates returns the bodies of what came under a lead's source id after it, oldest first.
func (s *Store) Updates(ctx context.Context, id lead.ID) ([][]byte, error) {
	bodies, err := s.q.ListUpdates(ctx, id.Bucket(), uuid(id))
	return bodies, mapped(err)
}

// ClaimedUpdate is an update that Identity has not learned yet.
type ClaimedUpdate struct {
	UpdateRef
	At          time.Time
	Body        []byte
	Traceparent string // of the lead

	Actor, Reason string // of one by a person
}

// ClaimUpdates leases up to n updates that are due.
func (s *Store) ClaimUpdates(ctx context.Context, now, lease time.Time, n int) ([]ClaimedUpdate, error) {
	rows, err := s.q.ClaimUpdates(ctx, stamp(lease), stamp(now), int32(n))
	if err != nil {
		return nil, mapped(err)
	}
	claimed := make([]ClaimedUpdate, len(rows))
	for i, r := range rows {
		claimed[i] = ClaimedUpdate{
			UpdateRef: UpdateRef{LeadID: r.LeadID.Bytes, UpdateID: r.UpdateID.Bytes}, At: r.At.Time, Body: r.Body, Traceparent: r.Traceparent,
			Actor: r.Actor, Reason: r.Reason,
		}
	}
	return claimed, nil
}

// SettleUpdates notes when updates are tried again; with the zero time they are learned.
func (s *Store) SettleUpdates(ctx context.Context, refs []UpdateRef, next time.Time) error {
	if len(refs) == 0 {
		return nil
	}
	buckets, leads, updates := splitRefs(refs)
	return mapped(s.q.SetUpdateAttempts(ctx, pgtype.Timestamptz{Time: next, Valid: !next.IsZero()}, buckets, leads, updates))
}

func splitRefs(refs []UpdateRef) (buckets []int16, leads, updates []pgtype.UUID) {
	for _, r := range refs {
		buckets, leads, updates = append(buckets, r.LeadID.Bucket()), append(leads, uuid(r.LeadID)), append(updates, uuid(r.UpdateID))
	}
	return buckets, leads, updates
}
