package identity

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	maxRelated = 500   // persons whose merges and splits a history follows
	maxChanges = 1_000 // events of a history, the latest first
)

// GetPersonHistory answers the person as of a time, told from what was linked then.
func (s *Service) GetPersonHistory(ctx context.Context, req *identityv1.GetPersonHistoryRequest) (*identityv1.GetPersonHistoryResponse, error) {
	var r reader
	id, at := r.id("person_id", req.GetPersonId()), s.deps.Now()
	if t := req.GetAsOf(); t != nil {
		if !t.IsValid() {
			r.bad("as_of", "is no time; send RFC 3339 such as 2026-03-01T09:30:00Z")
		} else if t.AsTime().Before(at) {
			at = t.AsTime()
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	var resp *identityv1.GetPersonHistoryResponse
	err := s.store.Read(ctx, func(tx *postgres.Tx) error {
		st, err := s.past(ctx, tx, id, at)
		if err != nil {
			return err
		}
		root := st.root(id)
		p, err := st.tell(root, at)
		if err != nil {
			return err
		}
		golden, err := p.readGolden()
		if err != nil {
			return err
		}
		resp = &identityv1.GetPersonHistoryResponse{PersonId: root.String(), Party: leadconv.PartyToProto(golden)}
		members := st.under(root)
		for _, joined := range members[1:] {
			resp.MergedPersonIds = append(resp.MergedPersonIds, joined.String())
		}
		resp.Records = st.linked(members, at)
		resp.Changes, err = s.changes(ctx, tx, members, at)
		return err
	})
	return resp, err
}

// past reads everything about a person with the merges that stood at a time.
func (s *Service) past(ctx context.Context, tx *postgres.Tx, id lead.ID, at time.Time) (*story, error) {
	row, err := tx.Person(ctx, id)
	if err != nil {
		return nil, err
	}
	if row.CreatedAt.After(at) {
		return nil, problem.Invalid(problem.Violation{Field: "as_of", Description: "lies before the person was known"})
	}
	ids, merges, err := related(ctx, tx, id, at)
	if err != nil {
		return nil, err
	}
	var rows []postgres.Person
	all, err := tx.Tree(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		known := slices.ContainsFunc(rows, func(o postgres.Person) bool { return o.ID == p.ID })
		if slices.Contains(ids, p.ID) && !known {
			rows = append(rows, p)
		}
	}
	raw, err := tx.Story(ctx, rows)
	if err != nil {
		return nil, err
	}
	raw.Merges = merges
	return s.read(raw)
}

// related returns everybody who ever was one with a person by a time, and the merges that stood then.
func related(ctx context.Context, tx *postgres.Tx, id lead.ID, at time.Time) ([]lead.ID, []postgres.Merge, error) {
	ids := []lead.ID{id}
	for {
		merges, err := tx.MergesOf(ctx, ids)
		if err != nil {
			return nil, nil, err
		}
		splits, err := tx.SplitsOf(ctx, ids)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range splits {
			if p.Merge != nil && p.At.After(at) {
				merges = append(merges, *p.Merge)
			}
		}
		merges = slices.DeleteFunc(merges, func(m postgres.Merge) bool { return m.At.After(at) })
		more := slices.Clone(ids)
		for _, m := range merges {
			for _, id := range []lead.ID{m.PersonID, m.Into} {
				if !slices.Contains(more, id) {
					more = append(more, id)
				}
			}
		}
		if len(more) == len(ids) || len(ids) > maxRelated {
			return ids, merges, nil
		}
		ids = more
	}
}

// linked returns the records that persons had at a time, the latest first.
func (st *story) linked(members []lead.ID, at time.Time) []*identityv1.RecordLink {
	var records []told
	for _, id := range members {
		for _, t := range st.told[id] {
			if !t.linkedAt.After(at) && (t.leftAt.IsZero() || t.leftAt.After(at)) {
				records = append(records, t)
			}
		}
	}
	sortTold(records)
	slices.Reverse(records)
	out := make([]*identityv1.RecordLink, min(len(records), maxRecords))
	for i := range out {
		out[i] = records[i].link()
	}
	return out
}

// changes returns what happened to persons up to a time, the latest first.
func (s *Service) changes(ctx context.Context, tx *postgres.Tx, ids []lead.ID, until time.Time) ([]*identityv1.PersonChange, error) {
	rows, err := tx.Tree(ctx, ids)
	if err != nil {
		return nil, err
	}
	merges, err := tx.MergesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	splits, err := tx.SplitsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	decisions, err := tx.DecisionsAbout(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []*identityv1.PersonChange
	seen := map[string]bool{}
	add := func(at time.Time, c *identityv1.PersonChange) {
		key := c.GetKind().String() + c.GetPersonId() + c.GetOtherPersonId() + at.String()
		if !at.After(until) && !seen[key] {
			seen[key] = true
			c.At = leadconv.Time(at)
			out = append(out, c)
		}
	}
	for _, p := range rows {
		if slices.Contains(ids, p.ID) {
			add(p.CreatedAt, &identityv1.PersonChange{Kind: identityv1.PersonChangeKind_PERSON_CHANGE_KIND_CREATED, PersonId: p.ID.String()})
		}
	}
	for i := range splits {
		p := &splits[i]
		c := &identityv1.PersonChange{
			Kind:  identityv1.PersonChangeKind_PERSON_CHANGE_KIND_SPLIT,
			Actor: p.Actor, Note: p.Note, PersonId: p.PersonID.String(), OtherPersonId: p.NewPersonID.String(), RecordIds: texts(p.RecordIDs),
		}
		if p.Merge != nil {
			c.Kind, c.MergeId = identityv1.PersonChangeKind_PERSON_CHANGE_KIND_UNMERGED, p.Merge.ID().String()
			merges = append(merges, *p.Merge)
		}
		add(p.At, c)
	}
	for i := range merges {
		m := &merges[i]
		c := &identityv1.PersonChange{
			Kind: identityv1.PersonChangeKind_PERSON_CHANGE_KIND_MERGED, Actor: m.Actor, Note: m.Note, PersonId: m.Into.String(),
			OtherPersonId: m.PersonID.String(), MergeId: m.ID().String(), WeightMillibits: m.Weight, Reasons: reasonWords(readReasons(m.Reasons)),
		}
		if !m.RecordID.IsZero() {
			c.RecordIds = []string{m.RecordID.String()}
		}
		add(m.At, c)
	}
	for _, d := range decisions {
		kind := identityv1.PersonChangeKind_PERSON_CHANGE_KIND_REJECTED
		if d.Same {
			kind = identityv1.PersonChangeKind_PERSON_CHANGE_KIND_CONFIRMED
		}
		one, other := d.PersonID, d.OtherID
		if compareIDs(one, other) > 0 { // it stands from both sides
			one, other = other, one
		}
		add(d.DecidedAt, &identityv1.PersonChange{Kind: kind, Actor: d.By, Note: d.Why, PersonId: one.String(), OtherPersonId: other.String()})
	}
	slices.SortStableFunc(out, func(a, b *identityv1.PersonChange) int {
		return cmp.Or(b.GetAt().AsTime().Compare(a.GetAt().AsTime()), cmp.Compare(b.GetKind(), a.GetKind()), cmp.Compare(a.GetOtherPersonId(), b.GetOtherPersonId()))
	})
	return out[:min(len(out), maxChanges)], nil
}

func texts(ids []lead.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}
