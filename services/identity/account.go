package identity

import (
	"context"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// maxContacts bounds the contacts that a person's account is shown with.
const maxContacts = 100

// accountKeys are the hashed keys of the organisation that a party acts for.
func accountKeys(p *lead.Party) []lead.ID {
	if p == nil {
		return nil
	}
	var out []lead.ID
	for _, k := range identity.AccountKeys(p) {
		out = append(out, hash([]byte("account\x00"+k)))
	}
	return out
}

// loadAccounts reads which organisations statements name, and holds them.
func (w *people) loadAccounts(ctx context.Context, tx *postgres.Tx, keys []lead.ID) (err error) {
	if len(keys) > 0 {
		w.accounts, err = tx.HoldAccounts(ctx, keys)
	}
	return err
}

// accounts holds what organisations are known by: hashed keys, and the identifiers of those that were
// joined into another.
type accounts map[lead.ID]lead.ID

// of returns the organisation that stands of a key.
func (a accounts) of(key lead.ID) (id lead.ID, known bool) {
	id, known = a[key]
	for next, ok := a[id]; ok && next != id; next, ok = a[id] {
		id = next
	}
	return id, known
}

// acts notes which organisation a person acts for: the one that the latest statement names. One not
// known by any key is new, and its identifier is the hash of the strongest. Keys of two say that they are
// one: of them the smaller identifier stands, so that no two are joined into each other. People of one
// organisation stay persons of their own.
func (w *people) acts(p *person, st *statement) {
	if len(st.accountKeys) == 0 {
		return
	}
	account, known := lead.ID{}, false
	for _, k := range st.accountKeys {
		switch other, ok := w.accounts.of(k); {
		case !ok:
		case !known:
			account, known = other, true
		case other != account:
			joined := other
			if compareIDs(other, account) < 0 {
				account, joined = other, account
			}
			w.accounts[joined] = account
			w.changes.JoinedAccounts = append(w.changes.JoinedAccounts, postgres.AccountKey{Hash: joined, AccountID: account})
		}
	}
	if !known {
		account = st.accountKeys[0]
		w.changes.Accounts = append(w.changes.Accounts, postgres.Account{ID: account, Name: st.party.Name.Company})
	}
	for _, k := range st.accountKeys {
		if _, ok := w.accounts[k]; !ok {
			w.accounts[k] = account
			w.changes.AccountKeys = append(w.changes.AccountKeys, postgres.AccountKey{Hash: k, AccountID: account})
		}
	}
	p.actsFor(account, st)
}

// actsFor notes the organisation that a statement names, unless a later one has named another.
func (p *person) actsFor(account lead.ID, st *statement) {
	if p.row.Account != account && (p.row.Account.IsZero() || st.record.At >= p.facts.At) {
		p.row.Account, p.dirty = account, true
	}
}

// describeAccount answers the organisation that a person acts for; nil without one.
func describeAccount(ctx context.Context, tx *postgres.Tx, id lead.ID) (*identityv1.Account, error) {
	if id.IsZero() {
		return nil, nil
	}
	known, err := tx.AccountsByKey(ctx, []lead.ID{id})
	if err != nil {
		return nil, err
	}
	if standing, ok := accounts(known).of(id); ok {
		id = standing
	}
	a, err := tx.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	contacts, err := tx.Contacts(ctx, id, maxContacts)
	if err != nil {
		return nil, err
	}
	out := &identityv1.Account{AccountId: a.ID.String(), Name: a.Name}
	for _, c := range contacts {
		out.ContactPersonIds = append(out.ContactPersonIds, c.String())
	}
	return out, nil
}
