package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/services/internal/pack"
)

// Attempt is one decision of a lead, replayed.
type Attempt struct {
	Stored, Replayed []byte
	Err              error // why it could not be replayed

	receipt *routing.Receipt
}

// Replay decides every attempt of a lead again from its receipts, and checks the grants of
// capacity and person on its assignments: one that comes out differently is an error that is
// routing.ErrGrant. Any other error is for what could not be read. A pool of Open may be used, or
// one that may read Routing's schema.
func Replay(ctx context.Context, pool *pgxpool.Pool, id lead.ID) ([]Attempt, error) {
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
		out = append(out, again(codec, packed))
	}
	return out, checkGrants(ctx, pool, id, key)
}

// again decides by a stored receipt again.
func again(codec *pack.Codec, packed []byte) (a Attempt) {
	if a.Stored, a.Err = codec.Unpack(packed); a.Err != nil {
		return a
	}
	if a.receipt, a.Err = routing.ParseReceipt(a.Stored); a.Err != nil {
		return a
	}
	replayed, err := routing.Replay(a.receipt)
	if a.Err = err; err == nil {
		a.Replayed = replayed.AppendCanonical(nil)
	}
	return a
}

// checkGrants decides capacity and person again for every owner the lead has had.
func checkGrants(ctx context.Context, pool *pgxpool.Pool, id lead.ID, key pgtype.UUID) error {
	rows, err := pool.Query(ctx, owners+` WHERE d.bucket = $1 AND d.lead_id = $2 ORDER BY o.sequence`, id.Bucket(), key)
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[owner])
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	for _, o := range all {
		if err := o.check(); err != nil {
			return err
		}
	}
	return nil
}

// owners yields an owner per row, those of before and those of now.
const owners = `
	SELECT d.lead_id::text, o.sequence, o.grant_facts, d.test FROM routing.decision d JOIN (
		SELECT bucket, lead_id, sequence, grant_facts FROM routing.past_assignment
		UNION ALL SELECT bucket, lead_id, sequence, grant_facts FROM routing.assignment) o USING (bucket, lead_id)`

// owner is one owner a lead has or has had.
type owner struct {
	Lead     string
	Sequence int32
	Facts    []byte
	Test     bool
}

// check decides the grant again. Only to owners of test leads nothing is granted.
func (o *owner) check() error {
	var g routing.GrantFacts
	if err := json.Unmarshal(o.Facts, &g); err != nil {
		return fmt.Errorf("owner %d: decode a grant: %w", o.Sequence, err)
	}
	if o.Test && g.Verdict == routing.VerdictUnspecified {
		return nil
	}
	if err := g.Check(); err != nil {
		return fmt.Errorf("owner %d: %w", o.Sequence, err)
	}
	return nil
}
