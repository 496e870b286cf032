package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/services/capture/internal/postgres/db"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
)

// copy stores many leads: those that are pending, as most are, with their keys and events by COPY,
// the rest by the statement for few. The captured must be sorted.
func (s *Store) copy(ctx context.Context, c *Captured) error {
	return pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		conn := tx.Conn()
		if err := copyLeads(ctx, conn, c.byKey); err != nil {
			return err
		}
		var rest db.InsertCapturedParams
		pending := make([]*Lead, 0, len(c.byKey))
		for _, l := range c.byKey {
			if l.Place == Rejected || l.Place == Parked {
				addPlace(&rest, l)
			} else {
				pending = append(pending, l)
			}
		}
		if err := copyPending(ctx, conn, pending); err != nil {
			return err
		}
		if err := copyKeys(ctx, conn, c.Keys); err != nil {
			return err
		}
		if err := c.Events.Copy(ctx, conn); err != nil {
			return err
		}
		if len(pending) == len(c.byKey) && len(c.Updates) == 0 {
			return nil
		}
		addUpdates(&rest, c.Updates)
		return s.q.WithTx(tx).InsertCaptured(ctx, rest)
	})
}

func copyLeads(ctx context.Context, conn *pgx.Conn, leads []*Lead) error {
	return pg.Copy(ctx, conn, "lead", len(leads),
		pg.Col("bucket", func(i int) int16 { return leads[i].ID.Bucket() }),
		pg.Col("lead_id", func(i int) pgtype.UUID { return uuid(leads[i].ID) }),
		pg.Col("credential", func(i int) string { return leads[i].Credential }),
		pg.Col("received_at", func(i int) pgtype.Timestamptz { return stamp(leads[i].ReceivedAt) }),
		pg.Col("requested_at", func(i int) pgtype.Timestamptz { return stamp(leads[i].RequestedAt) }),
		pg.Col("test", func(i int) bool { return leads[i].Test }),
		pg.Col("flags", func(i int) int16 { return int16(leads[i].Flags) }),
		pg.Col("playbook_revision", func(i int) string { return leads[i].Revision }),
		pg.Col("traceparent", func(i int) string { return leads[i].Traceparent }),
		pg.Col("content_type", func(i int) string { return leads[i].ContentType }),
		pg.Col("body_hash", func(i int) []byte { return leads[i].Hash[:] }),
		pg.Col("body", func(i int) []byte { return notNil(leads[i].Body) }),
		pg.Col("raw", func(i int) []byte { return notNil(leads[i].Raw) }),
		pg.Col("lookup_keys", func(i int) []int64 { return leads[i].LookupKeys }),
	)
}

func copyPending(ctx context.Context, conn *pgx.Conn, leads []*Lead) error {
	return pg.Copy(ctx, conn, "pending", len(leads),
		pg.Col("bucket", func(i int) int16 { return leads[i].ID.Bucket() }),
		pg.Col("lead_id", func(i int) pgtype.UUID { return uuid(leads[i].ID) }),
		pg.Col("since", func(i int) pgtype.Timestamptz { return stamp(leads[i].ReceivedAt) }),
		pg.Col("attempts", func(int) int16 { return 0 }),
		pg.Col("next_attempt_at", func(i int) pgtype.Timestamptz { return stamp(leads[i].DueAt) }),
	)
}

func copyKeys(ctx context.Context, conn *pgx.Conn, keys []KeyUse) error {
	return pg.Copy(ctx, conn, "idempotency_key", len(keys),
		pg.Col("bucket", func(i int) int16 { return keys[i].Key.bucket() }),
		pg.Col("credential", func(i int) string { return keys[i].Key.Credential }),
		pg.Col("key", func(i int) string { return keys[i].Key.Value }),
		pg.Col("body_hash", func(i int) []byte { return keys[i].Hash[:] }),
		pg.Col("lead_id", func(i int) pgtype.UUID { return uuid(keys[i].LeadID) }),
		pg.Col("created_at", func(i int) pgtype.Timestamptz { return stamp(keys[i].At) }),
	)
}
