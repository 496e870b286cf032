package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/services/internal/pack"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Attempt is one decision of a lead, replayed.
type Attempt struct {
	Stored, Replayed []byte
	Err              error // why it could not be replayed
}

// Replay decides every attempt of a lead again from its receipts, and checks the grants of
// capacity and person on its assignments. The error is for what could not be read.
func Replay(ctx context.Context, databaseURL string, id lead.ID) ([]Attempt, error) {
	pool, err := postgres.Open(ctx, postgres.PoolConfig{URL: databaseURL, Role: postgres.AuditRole, MaxConns: 1, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	defer pool.Close()
	key := pgtype.UUID{Bytes: id, Valid: true}
	rows, err := pool.Query(ctx, `SELECT canonical FROM routing.receipt WHERE bucket = $1 AND lead_id = $2 ORDER BY attempt`, id.Bucket(), key)
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	if len(stored) == 0 {
		return nil, fmt.Errorf("lead %s has no receipt: it is not decided, or not held here", id)
	}
	var out []Attempt
	codec, err := pack.New()
	if err != nil {
		return nil, err
	}
	for _, packed := range stored {
		b, err := codec.Unpack(packed)
		if err != nil {
			out = append(out, Attempt{Err: err})
			continue
		}
		a := Attempt{Stored: b}
		if r, err := routing.ParseReceipt(b); err != nil {
			a.Err = err
		} else if again, err := routing.Replay(r); err != nil {
			a.Err = err
		} else {
			a.Replayed = again.AppendCanonical(nil)
		}
		out = append(out, a)
	}
	return out, checkGrants(ctx, pool, id, key)
}

// checkGrants decides capacity and person again for every owner the lead has had.
func checkGrants(ctx context.Context, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, id lead.ID, key pgtype.UUID) error {
	rows, err := q.Query(ctx, `
		SELECT grant_facts FROM routing.past_assignment WHERE bucket = $1 AND lead_id = $2
		UNION ALL SELECT grant_facts FROM routing.assignment WHERE bucket = $1 AND lead_id = $2`, id.Bucket(), key)
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	facts, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	for _, raw := range facts {
		var g routing.GrantFacts
		if err := json.Unmarshal(raw, &g); err != nil {
			return fmt.Errorf("decode a grant: %w", err)
		}
		if g.Verdict == routing.VerdictUnspecified {
			continue // nothing was granted: a test lead, or an owner by transfer
		}
		if err := g.Check(); err != nil {
			return err
		}
	}
	return nil
}
