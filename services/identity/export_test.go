package identity

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// Retell rebuilds a person from what is stored and says where it differs from the stored person.
func (s *Service) Retell(ctx context.Context, id string) (string, error) {
	pid, err := lead.ParseID(id)
	if err != nil {
		return "", err
	}
	var diff string
	err = s.store.Read(ctx, func(tx *postgres.Tx) error {
		st, err := s.story(ctx, tx, []lead.ID{pid})
		if err != nil {
			return err
		}
		root := st.root(pid)
		p, err := st.tell(root, s.deps.Now())
		if err != nil {
			return err
		}
		stored, err := personOf(ctx, tx, root)
		if err != nil {
			return err
		}
		held, _, err := tx.Bearing(ctx, []lead.ID{root}, []int16{stored.row.Epoch}, nil)
		if err != nil {
			return err
		}
		facts := p.consents
		if err := p.encode(); err != nil {
			return err
		}
		diff = cmp.Diff(stored.facts, p.facts)
		for name, pair := range map[string][2][]byte{"golden": {stored.row.Golden, p.row.Golden}, "profile": {stored.row.Profile, p.row.Profile}} {
			if !bytes.Equal(pair[0], pair[1]) {
				diff += fmt.Sprintf("%s differs: %q, %q\n", name, pair[0], pair[1])
			}
		}
		for _, c := range held {
			if !slices.ContainsFunc(facts, func(f fact) bool { return f.id == c.ID }) {
				diff += fmt.Sprintf("fact %s is held and not told\n", c.ID)
			}
		}
		for _, f := range facts {
			if !slices.ContainsFunc(held, func(c postgres.Consent) bool { return f.id == c.ID }) {
				diff += fmt.Sprintf("fact %v is told and not held\n", f.pb)
			}
		}
		return nil
	})
	return diff, err
}
