// Package postgres is Feedback's store: the event log with the leads' facts folded from it, the
// reports of dealers with the queue of those not applied yet, and appointments.
package postgres

import (
	"context"
	"embed"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Module is what Feedback keeps in the database.
func Module() pg.Module { return pg.Module{Service: "feedback", FS: migrations, Dir: "migrations"} }

// Store is safe for concurrent use. Its errors are problems, ready to be answered.
type Store struct {
	pool *pgxpool.Pool
	q    *db.Queries
}

// New makes a store on a pool that sees the feedback schema.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool, q: db.New(pool)} }

func (s *Store) tx(ctx context.Context, fn func(*db.Queries) error) error {
	return edge(s.inTx(ctx, fn))
}

// inTx is tx with the driver's own errors.
func (s *Store) inTx(ctx context.Context, fn func(*db.Queries) error) error {
	return pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error { return fn(s.q.WithTx(tx)) })
}

// edge is where the driver's errors stop.
func edge(err error) error { return pg.Problem(err) }

func uuid(id lead.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func stamp(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }

func fromStamp(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return edge(s.pool.Ping(ctx)) }
