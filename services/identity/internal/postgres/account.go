package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
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

// AccountsByKey returns the organisations that are known by hashed keys.
func (t *Tx) AccountsByKey(ctx context.Context, hashes []lead.ID) (map[lead.ID]lead.ID, error) {
	rows, err := t.q.AccountKeys(ctx, bucketsOf(hashes), uuids(hashes))
	if err != nil {
		return nil, err
	}
	out := make(map[lead.ID]lead.ID, len(hashes))
	for _, r := range rows {
		out[r.KeyHash.Bytes] = r.AccountID.Bytes
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
	if len(c.AccountKeys) == 0 {
		return nil
	}
	keys, accounts := make([]lead.ID, len(c.AccountKeys)), make([]lead.ID, len(c.AccountKeys))
	for i, k := range c.AccountKeys {
		keys[i], accounts[i] = k.Hash, k.AccountID
	}
	return t.later.InsertAccountKeys(ctx, bucketsOf(keys), uuids(keys), uuids(accounts))
}
