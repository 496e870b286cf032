package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// Account is an organisation.
type Account struct {
	ID        lead.ID
	Name      string // as first given
	CreatedAt time.Time
}

// AccountKey says what an organisation is known by.
type AccountKey struct{ Hash, AccountID lead.ID }

// AccountsByKey returns the organisations that are known by hashed keys. An identifier of one is a key
// as well: of one that was joined into another it leads there, as far as the one that stands.
func (t *Tx) AccountsByKey(ctx context.Context, hashes []lead.ID) (map[lead.ID]lead.ID, error) {
	return accountsBy(ctx, hashes, t.q.AccountKeys)
}

// HoldAccounts is AccountsByKey for who writes: what it returns stays so until the transaction ends, so that
// whom it lets act for an organisation does not stay behind in one that is joined into another meanwhile.
// Two that join the same ones at once meet in a deadlock, and one of them begins again.
func (t *Tx) HoldAccounts(ctx context.Context, hashes []lead.ID) (map[lead.ID]lead.ID, error) {
	return accountsBy(ctx, hashes, t.q.HoldAccountKeys)
}

func accountsBy[R db.AccountKeysRow | db.HoldAccountKeysRow](
	ctx context.Context, hashes []lead.ID, read func(context.Context, []int16, []pgtype.UUID) ([]R, error),
) (map[lead.ID]lead.ID, error) {
	out := make(map[lead.ID]lead.ID, len(hashes))
	for len(hashes) > 0 {
		rows, err := read(ctx, bucketsOf(hashes), uuids(hashes))
		if err != nil {
			return nil, err
		}
		found := make([]lead.ID, len(rows))
		for i, r := range rows {
			r := db.AccountKeysRow(r)
			found[i] = r.AccountID.Bytes
			out[r.KeyHash.Bytes] = found[i]
		}
		hashes = nil
		for _, id := range found {
			if out[id].IsZero() && !slices.Contains(hashes, id) {
				hashes = append(hashes, id)
			}
		}
	}
	return out, nil
}

// Account returns one organisation.
func (t *Tx) Account(ctx context.Context, id lead.ID) (Account, error) {
	r, err := t.q.Account(ctx, id.Bucket(), uuid(id))
	if errors.Is(err, pgx.ErrNoRows) {
		return Account{}, problem.NotFound("account")
	}
	return Account{ID: r.AccountID.Bytes, Name: r.Name, CreatedAt: r.CreatedAt.Time}, err
}

// Contacts returns the persons that act for an organisation, those known longest first.
func (t *Tx) Contacts(ctx context.Context, account lead.ID, most int) ([]lead.ID, error) {
	rows, err := t.q.Contacts(ctx, uuid(account), int32(most))
	if err != nil {
		return nil, err
	}
	return leadIDs(rows), nil
}

func (t *Tx) accounts(ctx context.Context, c *Changes) error {
	if len(c.Accounts) > 0 {
		ids, names := make([]lead.ID, len(c.Accounts)), make([]string, len(c.Accounts))
		for i, a := range c.Accounts {
			ids[i], names[i] = a.ID, a.Name
		}
		if err := t.later.InsertAccounts(ctx, bucketsOf(ids), uuids(ids), names, timestamp(c.At)); err != nil {
			return err
		}
	}
	if len(c.AccountKeys) > 0 {
		if err := t.accountKeys(ctx, c.AccountKeys); err != nil {
			return err
		}
	}
	// One by one: a later one of the same transaction moves what an earlier one moved.
	for _, j := range c.JoinedAccounts {
		if err := t.later.JoinAccount(ctx, uuid(j.AccountID), j.Hash.Bucket(), uuid(j.Hash)); err != nil {
			return err
		}
		if err := t.later.FollowAccount(ctx, uuid(j.AccountID), timestamp(c.At), uuid(j.Hash)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) accountKeys(ctx context.Context, list []AccountKey) error {
	keys, accounts := make([]lead.ID, len(list)), make([]lead.ID, len(list))
	for i, k := range list {
		keys[i], accounts[i] = k.Hash, k.AccountID
	}
	return t.later.InsertAccountKeys(ctx, bucketsOf(keys), uuids(keys), uuids(accounts))
}
