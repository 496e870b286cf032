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

// loadAccounts reads which organisations statements name. Their keys' buckets are locked.
func (w *people) loadAccounts(ctx context.Context, tx *postgres.Tx, keys []lead.ID) (err error) {
	if len(keys) > 0 {
		w.accounts, err = tx.AccountsByKey(ctx, keys)
	}
	return err
}

// acts notes which organisation a person acts for: the one that the latest statement names. It is
// known by its strongest key; one not known by any is new, and its identifier is that key's hash.
// People of one organisation stay persons of their own.
func (w *people) acts(p *person, st *statement) {
	if len(st.accountKeys) == 0 {
		return
	}
	account, known := lead.ID{}, false
	for _, k := range st.accountKeys {
		if account, known = w.accounts[k]; known {
			break
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
