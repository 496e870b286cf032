package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// grant locks what the dealers took so far and hands out capacity and turns in order of arrival.
func (c *commit) grant(ctx context.Context, group []*Proposal) error {
	var dealers []string
	for _, p := range group {
		if p.Outcome == OutcomeStored && p.Grant != nil {
			dealers = append(dealers, p.Case.Owner.DealerID)
		}
	}
	slices.Sort(dealers)
	dealers = slices.Compact(dealers)
	books, err := lockBooks(ctx, c.q, dealers)
	if err != nil {
		return err
	}
	var owned []*Case
	for _, p := range group {
		if p.Outcome != OutcomeStored || p.Case.Owner == nil {
			continue
		}
		if p.Grant != nil && !p.Grant(books[p.Case.Owner.DealerID]) {
			p.Outcome = OutcomeRefused
			continue
		}
		if err := p.Settle(); err != nil {
			return err
		}
		owned = append(owned, p.Case)
	}
	if err := saveBooks(ctx, c.later, books); err != nil {
		return err
	}
	switch {
	case len(owned) == 0:
		return nil
	case c.bulk && len(owned) >= pg.Bulk:
		return c.copyAssignments(ctx, owned)
	}
	var arg db.InsertAssignmentsParams
	for _, k := range owned {
		if err := appendAssignment(&arg, k); err != nil {
			return err
		}
	}
	return c.later.InsertAssignments(ctx, arg)
}

// lockBooks locks the books of dealers, which must be sorted, and makes those that are missing.
func lockBooks(ctx context.Context, q *db.Queries, dealers []string) (map[string]*Book, error) {
	books := make(map[string]*Book, len(dealers))
	if len(dealers) == 0 {
		return books, nil
	}
	for try := 0; ; try++ {
		rows, err := q.LockCapacity(ctx, dealers)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			b := &Book{}
			if err := json.Unmarshal(row.Book, b); err != nil {
				return nil, fmt.Errorf("decode the book of a dealer: %w", err)
			}
			books[row.DealerID] = b
		}
		if len(rows) == len(dealers) || try > 0 {
			return books, nil
		}
		if err := q.EnsureCapacity(ctx, dealers); err != nil {
			return nil, err
		}
	}
}

func saveBooks(ctx context.Context, q *db.Queries, books map[string]*Book) error {
	if len(books) == 0 {
		return nil
	}
	var names []string
	var raws [][]byte
	for id := range books {
		names = append(names, id)
	}
	slices.Sort(names)
	for _, id := range names {
		raw, err := json.Marshal(books[id])
		if err != nil {
			return fmt.Errorf("encode the book of a dealer: %w", err)
		}
		raws = append(raws, raw)
	}
	return q.SetCapacity(ctx, names, raws)
}

func appendAssignment(arg *db.InsertAssignmentsParams, k *Case) error {
	a := k.Owner
	facts, err := json.Marshal(&a.Grant)
	if err != nil {
		return fmt.Errorf("encode the grant's facts: %w", err)
	}
	arg.Buckets = append(arg.Buckets, k.LeadID.Bucket())
	arg.LeadIds = append(arg.LeadIds, uuid(k.LeadID))
	arg.Sequences = append(arg.Sequences, int32(a.Sequence))
	arg.Attempts = append(arg.Attempts, int32(a.Attempt))
	arg.DealerIds = append(arg.DealerIds, a.DealerID)
	arg.Departments = append(arg.Departments, int16(a.Department))
	arg.Roles = append(arg.Roles, int16(a.Role))
	arg.PersonIds = append(arg.PersonIds, a.PersonID)
	arg.AssignedAt = append(arg.AssignedAt, stamp(a.AssignedAt))
	arg.DeliveredAt = append(arg.DeliveredAt, stamp(a.DeliveredAt))
	arg.NextDeadlines = append(arg.NextDeadlines, stamp(a.Deadline.At))
	arg.DeadlineKinds = append(arg.DeadlineKinds, int16(a.Deadline.Kind))
	arg.Clocks = append(arg.Clocks, marshalClock(a))
	arg.GrantFacts = append(arg.GrantFacts, facts)
	return nil
}
