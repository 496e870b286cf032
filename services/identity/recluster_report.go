package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// reportBatch is how many persons one transaction of a report looks at.
const reportBatch = 200

// report looks at some more persons and notes what would become of them.
func (s *Service) report(ctx context.Context, tx *postgres.Tx, r *postgres.Recluster) error {
	m, err := s.revisionOf(ctx, tx, r.Revision)
	if err != nil {
		return err
	}
	rows, err := tx.PersonsAfter(ctx, r.NextBucket, r.NextPerson, reportBatch)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		b := &survey{service: s, m: m, tx: tx, recluster: r}
		if err := b.look(ctx, rows); err != nil {
			return err
		}
		last := rows[len(rows)-1]
		r.NextBucket, r.NextPerson = last.ID.Bucket(), last.ID
		r.Persons += int64(len(rows))
	}
	if len(rows) < reportBatch {
		r.State = postgres.ReclusterReported
		if r.Digest == "" {
			r.Digest = digest(r, nil)
		}
	}
	return nil
}

// survey looks at one batch of persons.
type survey struct {
	service   *Service
	m         *identity.Matcher
	tx        *postgres.Tx
	recluster *postgres.Recluster
}

func (b *survey) look(ctx context.Context, rows []postgres.Person) error {
	ids := make([]lead.ID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	facts := make(map[lead.ID]*identity.Record, len(rows))
	tree, err := b.tx.Tree(ctx, ids)
	if err != nil {
		return err
	}
	members := map[lead.ID][]lead.ID{}
	var all []lead.ID
	for _, p := range tree {
		root := p.ID
		if !p.MergedInto.IsZero() {
			root = p.MergedInto
		}
		members[root], all = append(members[root], p.ID), append(all, p.ID)
	}
	records, err := b.tx.StoredRecords(ctx, all)
	if err != nil {
		return err
	}
	merges, err := b.tx.MergesOf(ctx, all)
	if err != nil {
		return err
	}
	splits, err := b.tx.SplitsOf(ctx, all)
	if err != nil {
		return err
	}
	edges := map[lead.ID]postgres.Merge{}
	for _, e := range merges {
		edges[e.PersonID] = e
	}
	said := map[lead.ID][]told{}
	for _, r := range records {
		t, err := b.service.readTold(r, nil)
		if err != nil {
			return err
		}
		said[r.PersonID] = append(said[r.PersonID], t)
	}
	for _, row := range rows {
		p, err := newPerson(row)
		if err != nil {
			return err
		}
		facts[row.ID] = &p.facts
		groups := regroup(b.m, members[row.ID], said, edgesOf(members[row.ID], edges), splits)
		if len(groups) < 2 {
			continue
		}
		facts[row.ID] = &groups[0].facts
		for _, g := range groups[1:] {
			if err := b.leaves(ctx, row.ID, &groups[0], &g); err != nil {
				return err
			}
		}
	}
	return b.pairs(ctx, rows, facts)
}

func edgesOf(members []lead.ID, all map[lead.ID]postgres.Merge) map[lead.ID]postgres.Merge {
	out := map[lead.ID]postgres.Merge{}
	for _, id := range members {
		if e, ok := all[id]; ok {
			out[id] = e
		}
	}
	return out
}

// leaves notes that records no longer hold to a person.
func (b *survey) leaves(ctx context.Context, person lead.ID, stay, leave *group) error {
	e := b.m.Match(&leave.facts, &stay.facts)
	step := &postgres.Step{
		Kind: postgres.StepLeave, PersonID: person, Possible: b.m.Verdict(&e) == identity.VerdictPossible,
		Weight: e.Weight, Reasons: reasonText(e.Reasons),
	}
	for i := range leave.records {
		step.RecordIDs = append(step.RecordIDs, leave.records[i].id)
	}
	b.recluster.Removed++
	if step.Possible {
		b.recluster.Moved++
	}
	return b.add(ctx, step)
}

// pairs notes which persons would be one, or may be, with others who hold a key of theirs. A pair is
// looked at from the smaller identifier's side.
func (b *survey) pairs(ctx context.Context, rows []postgres.Person, facts map[lead.ID]*identity.Record) error {
	others, err := b.sharing(ctx, rows, facts)
	if err != nil {
		return err
	}
	type found struct {
		pair postgres.Pair
		e    identity.Evidence
	}
	var list []found
	var asked []lead.ID
	for _, row := range rows {
		one := b.m.Prepare(facts[row.ID])
		for _, o := range others[row.ID] {
			two := b.m.Prepare(&o.facts)
			weight, conflict := b.m.Weigh(&one, &two)
			if b.m.Decide(weight, conflict) == identity.VerdictDifferent {
				continue
			}
			list = append(list, found{postgres.PairOf(row.ID, o.row.ID), b.m.Match(facts[row.ID], &o.facts)})
			asked = append(asked, row.ID)
		}
	}
	decided, err := b.tx.Decisions(ctx, asked)
	if err != nil {
		return err
	}
	for _, f := range list {
		var last postgres.Decision
		for _, d := range decided {
			if postgres.PairOf(d.PersonID, d.OtherID) == f.pair && d.DecidedAt.After(last.DecidedAt) {
				last = d
			}
		}
		if !last.DecidedAt.IsZero() && !last.Same {
			continue
		}
		step := &postgres.Step{Kind: postgres.StepJoin, PersonID: f.pair.First, OtherID: f.pair.Second, Weight: f.e.Weight, Reasons: reasonText(f.e.Reasons)}
		if b.m.Verdict(&f.e) != identity.VerdictMatch {
			if _, err := b.tx.Review(ctx, f.pair); !isMissing(err) {
				if err != nil {
					return err
				}
				continue // in the queue already, or decided on
			}
			step.Kind = postgres.StepReview
			b.recluster.Reviews++
		} else {
			b.recluster.Added++
		}
		if err := b.add(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// sharing returns for each person the others of a greater identifier who hold one of its keys.
func (b *survey) sharing(ctx context.Context, rows []postgres.Person, facts map[lead.ID]*identity.Record) (map[lead.ID][]*person, error) {
	var keys []postgres.Key
	var of []lead.ID
	for _, row := range rows {
		for _, k := range hashKeys(b.m.Keys(facts[row.ID])) {
			keys, of = append(keys, k.hashed), append(of, row.ID)
		}
	}
	most := b.service.deps.CommonKeyCap
	held, err := b.tx.Holders(ctx, keys, most+1)
	if err != nil {
		return nil, err
	}
	var ids []lead.ID
	for i, list := range held {
		if len(list) > most {
			held[i] = nil // too common to tell anybody apart
		}
		ids = append(ids, held[i]...)
	}
	slices.SortFunc(ids, compareIDs)
	found, err := b.persons(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	out := map[lead.ID][]*person{}
	for i, list := range held {
		for _, id := range list {
			o := found[id]
			if o == nil || bytes.Compare(o.row.ID[:], of[i][:]) <= 0 || slices.Contains(out[of[i]], o) {
				continue
			}
			out[of[i]] = append(out[of[i]], o)
		}
	}
	return out, nil
}

// persons reads who identifiers stand for today.
func (b *survey) persons(ctx context.Context, ids []lead.ID) (map[lead.ID]*person, error) {
	rows, err := b.tx.Persons(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := map[lead.ID]*person{}
	var roots []lead.ID
	into := map[lead.ID]lead.ID{}
	for _, row := range rows {
		if !row.MergedInto.IsZero() {
			roots, into[row.ID] = append(roots, row.MergedInto), row.MergedInto
			continue
		}
		if byID[row.ID], err = newPerson(row); err != nil {
			return nil, err
		}
	}
	if rows, err = b.tx.Persons(ctx, roots); err != nil {
		return nil, err
	}
	for _, row := range rows {
		if byID[row.ID] == nil {
			if byID[row.ID], err = newPerson(row); err != nil {
				return nil, err
			}
		}
	}
	for id, root := range into {
		byID[id] = byID[root]
	}
	return byID, nil
}

// add keeps a step and takes it into the name of the report.
func (b *survey) add(ctx context.Context, step *postgres.Step) error {
	r := b.recluster
	step.Number = r.Steps
	r.Steps++
	r.Digest = digest(r, step)
	return b.tx.AddStep(ctx, r.ID, step)
}

func digest(r *postgres.Recluster, step *postgres.Step) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %+v", r.ID, r.Revision, r.Digest, step))
	return hex.EncodeToString(sum[:16])
}
