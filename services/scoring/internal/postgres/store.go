// Package postgres is Scoring's store: playbooks, which of them was active when, and the replicas
// that could not take the active one. It answers problems.
package postgres

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Module is the schema scoring.
func Module() pg.Module { return pg.Module{Service: "scoring", FS: migrations, Dir: "migrations"} }

// Store is the schema scoring. Safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	q    *db.Queries
}

// New makes a store on a pool of the service's own role and schema.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool, q: db.New(pool)} }

// Ping reports what keeps the database from answering.
func (s *Store) Ping(ctx context.Context) error { return mapped(s.pool.Ping(ctx)) }

// Stored is a bundle with the secret of its revision.
type Stored struct {
	Revision string
	Bundle   []byte
	Secret   []byte
}

// Active returns the active revision, "" while there is none.
func (s *Store) Active(ctx context.Context) (string, error) { return active(ctx, s.q) }

func active(ctx context.Context, q *db.Queries) (string, error) {
	revision, err := q.GetActive(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return revision, mapped(err)
}

// Get returns a stored playbook by its whole revision.
func (s *Store) Get(ctx context.Context, revision string) (Stored, error) {
	row, err := s.q.GetPlaybook(ctx, revision)
	return Stored{Revision: row.Revision, Bundle: row.Bundle, Secret: row.Secret}, mapped(err)
}

// Find returns the revisions that begin with a text, at most two of them.
func (s *Store) Find(ctx context.Context, beginning string) ([]string, error) {
	found, err := s.q.FindRevisions(ctx, beginning)
	return found, mapped(err)
}

// Before returns the revision that was active before the given one, "" when there was none.
func (s *Store) Before(ctx context.Context, revision string) (string, error) {
	before, err := s.q.GetBefore(ctx, revision)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return before, mapped(err)
}

// Activation makes a revision active.
type Activation struct {
	Revision string
	Bundle   []byte // stored if the revision is new; nil: it must be stored already
	At       time.Time
	By, Note string
	OnlyIf   *string // the revision that must be active, "" for none; nil: whatever is
}

// Activate makes a revision active and reports whether it became so now: it did not if it was
// active already or OnlyIf does not hold. A new revision gets its secret here.
func (s *Store) Activate(ctx context.Context, a Activation) (activated bool, err error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return false, problem.Internal(err)
	}
	err = pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		activated = false
		q := s.q.WithTx(tx)
		if err := q.LockActivations(ctx); err != nil {
			return err
		}
		now, err := active(ctx, q)
		if err != nil {
			return err
		}
		if now == a.Revision || a.OnlyIf != nil && *a.OnlyIf != now {
			return nil
		}
		if a.Bundle != nil {
			if err := q.InsertPlaybook(ctx, a.Revision, a.Bundle, secret, stamp(a.At)); err != nil {
				return err
			}
		}
		activated = true
		return q.InsertActivation(ctx, a.Revision, stamp(a.At), a.By, a.Note)
	})
	return activated, mapped(err)
}

// Listed is a revision with its newest activation.
type Listed struct {
	Revision string
	At       time.Time
	By, Note string
	Problems []string // of replicas that do not take it
}

// List returns the revisions, the newest activation first, with what replicas said of them since a
// time.
func (s *Store) List(ctx context.Context, most int32, since time.Time) ([]Listed, error) {
	rows, err := s.q.ListPlaybooks(ctx, most)
	if err != nil {
		return nil, mapped(err)
	}
	refusals, err := s.q.ListRefusals(ctx, stamp(since))
	if err != nil {
		return nil, mapped(err)
	}
	out := make([]Listed, len(rows))
	for i, r := range rows {
		out[i] = Listed{Revision: r.Revision, At: r.ActivatedAt.Time, By: r.ActivatedBy, Note: r.Note}
		for _, x := range refusals {
			if x.Revision == r.Revision && !slices.Contains(out[i].Problems, x.Problem) {
				out[i].Problems = append(out[i].Problems, x.Problem)
			}
		}
	}
	return out, nil
}

// Refuse notes that a replica does not take a revision.
func (s *Store) Refuse(ctx context.Context, replica [16]byte, revision, why string, at time.Time) error {
	return mapped(s.q.PutRefusal(ctx, uuid(replica), revision, why, stamp(at)))
}

// Comply takes a replica's note back, and those last seen before a time.
func (s *Store) Comply(ctx context.Context, replica [16]byte, before time.Time) error {
	return mapped(s.q.DeleteRefusals(ctx, uuid(replica), stamp(before)))
}

func mapped(err error) error { return mappedAs("playbook", err) }

// mappedAs is the problem of an error of reading one of something.
func mappedAs(what string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.NotFound(what)
	}
	return pg.Problem(err)
}

func uuid(id [16]byte) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func stamp(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }
