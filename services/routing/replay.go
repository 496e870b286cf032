package routing

import (
	"context"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// ReplayLead decides a lead again from its receipts alone and returns what is stored and what the
// replay gives, one line for each attempt: equal bytes mean that the decisions stand. Grants of
// capacity and turns of persons are decided again from the facts on the assignments; one that
// comes out differently is an error that is routing.ErrGrant.
func (s *Service) ReplayLead(ctx context.Context, id lead.ID) (stored, replayed []byte, err error) {
	k, err := s.store.Case(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	receipts, err := s.store.Receipts(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if len(receipts) == 0 {
		return nil, nil, problem.NotFound("receipt")
	}
	for i, canonical := range receipts {
		stored = append(append(stored, canonical...), '\n')
		r, err := routing.ParseReceipt(canonical)
		if err != nil {
			return stored, replayed, fmt.Errorf("attempt %d: %w", i+1, err)
		}
		again, err := routing.Replay(r)
		if err != nil {
			return stored, replayed, fmt.Errorf("attempt %d: %w", r.Attempt+1, err)
		}
		replayed = append(again.AppendCanonical(replayed), '\n')
	}
	past, err := s.store.Past(ctx, id)
	if err != nil {
		return stored, replayed, err
	}
	for i := range past {
		if err := checkGrant(k.Test, past[i].Sequence, &past[i].Grant); err != nil {
			return stored, replayed, err
		}
	}
	if a := k.Owner; a != nil {
		return stored, replayed, checkGrant(k.Test, a.Sequence, &a.Grant)
	}
	return stored, replayed, nil
}

// checkGrant checks the facts of one owner. Test leads are granted nothing.
func checkGrant(test bool, sequence int, g *routing.GrantFacts) error {
	if test && g.Verdict == routing.VerdictUnspecified {
		return nil
	}
	if err := g.Check(); err != nil {
		return fmt.Errorf("owner %d: %w", sequence, err)
	}
	return nil
}
