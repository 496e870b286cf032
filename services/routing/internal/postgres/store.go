// Package postgres keeps the state of Routing: decided leads, receipts, owners with their one next
// deadline, open interest, capacity and the network.
package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/pack"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the schema's goose migrations, in folder "migrations".
func Migrations() fs.FS { return migrations }

// Store is the database of Routing. Safe for concurrent use.
type Store struct {
	pool  *pgxpool.Pool
	q     *db.Queries
	codec *pack.Codec
}

// NewStore makes a store over a pool of role leadmesh_routing.
func NewStore(pool *pgxpool.Pool) (*Store, error) {
	codec, err := pack.New()
	if err != nil {
		return nil, err
	}
	return &Store{pool: pool, q: db.New(pool), codec: codec}, nil
}

// Pack makes a document what a Proposal stores; done by whoever decides, so that no commit waits
// for it.
func (s *Store) Pack(document []byte) []byte { return s.codec.Pack(document) }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return edge("reach the database", err)
	}
	return nil
}

// inTx runs f in a transaction that is tried again when the database asks for it.
func (s *Store) inTx(ctx context.Context, f func(tx pgx.Tx, q *db.Queries) error) error {
	return postgres.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error { return f(tx, s.q.WithTx(tx)) })
}

// edge is where the driver's errors stop.
func edge(doing string, err error) error {
	var p *problem.Error
	if err == nil || errors.As(err, &p) {
		return err
	}
	return postgres.Problem(fmt.Errorf("%s: %w", doing, err))
}

func uuid(id lead.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: !id.IsZero()} }

func ids(list []lead.ID) (buckets []int16, out []pgtype.UUID) {
	for _, id := range list {
		buckets = append(buckets, id.Bucket())
		out = append(out, uuid(id))
	}
	return buckets, out
}

func stamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

func uuids(list ...lead.ID) []pgtype.UUID {
	out := make([]pgtype.UUID, 0, len(list))
	for _, id := range list {
		out = append(out, uuid(id))
	}
	return out
}
