package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

const (
	maxNote  = 500   // characters
	maxNamed = 20    // wrong records that an answer names
	maxMoved = 1_000 // records that one split may move by name
)

// edit is who changes something about persons, and why.
type edit struct{ actor, note string }

// reader gathers what is wrong with a request.
type reader struct{ wrong []problem.Violation }

func (r *reader) bad(field, format string, args ...any) {
	r.wrong = append(r.wrong, problem.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
}

func (r *reader) id(field, text string) lead.ID {
	id, err := lead.ParseID(text)
	if err != nil {
		r.bad(field, "%s", err.Error())
	}
	return id
}

func (r *reader) edit(ctx context.Context, note string) edit {
	note = strings.TrimSpace(note)
	if n := utf8.RuneCountInString(note); n == 0 || n > maxNote {
		r.bad("note", "is required: say why in 1 to %d characters", maxNote)
	}
	return edit{rpc.CallerFrom(ctx).String(), note}
}

func (r *reader) err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return problem.Invalid(r.wrong...)
}

// MergePersons joins two persons whom somebody knows to be one.
func (s *Service) MergePersons(ctx context.Context, req *identityv1.MergePersonsRequest) (*identityv1.MergePersonsResponse, error) {
	var r reader
	a, b, by := r.id("person_id", req.GetPersonId()), r.id("other_person_id", req.GetOtherPersonId()), r.edit(ctx, req.GetNote())
	if a == b && len(r.wrong) == 0 {
		r.bad("other_person_id", "is the same person; name two")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	var resp *identityv1.MergePersonsResponse
	err := s.store.Write(ctx, func(tx *postgres.Tx) error {
		var err error
		resp, err = s.mergeTwo(ctx, tx, a, b, by)
		return err
	})
	return resp, err
}

func (s *Service) mergeTwo(ctx context.Context, tx *postgres.Tx, a, b lead.ID, by edit) (*identityv1.MergePersonsResponse, error) {
	w, err := s.loadPeople(ctx, tx, s.deps.Now(), sought{persons: []lead.ID{a, b}})
	if err != nil {
		return nil, err
	}
	if w.byID[a] == nil || w.byID[b] == nil {
		return nil, problem.NotFound("person")
	}
	first, second := w.byID[a].root(), w.byID[b].root()
	if first == second { // asked for again
		joined := b
		if first.row.ID == b {
			joined = a
		}
		merges, err := tx.MergesOf(ctx, []lead.ID{joined})
		if err != nil {
			return nil, err
		}
		resp := &identityv1.MergePersonsResponse{PersonId: first.row.ID.String()}
		for _, m := range merges {
			if m.PersonID == joined {
				resp.MergeId = m.ID().String()
			}
		}
		return resp, nil
	}
	e := w.match.Match(&first.facts, &second.facts)
	l := link{person: first}
	if err := w.merge(&l, second, postgres.Merge{Actor: by.actor, Note: by.note}, &e); err != nil {
		return nil, err
	}
	done := w.changes.Merges[len(w.changes.Merges)-1]
	if err := tx.Decide(ctx, postgres.PairOf(first.row.ID, second.row.ID), true, by.actor, by.note, w.changes.At); err != nil {
		return nil, err
	}
	if err := w.settle(ctx, tx, s, s.halfLives()); err != nil {
		return nil, err
	}
	return &identityv1.MergePersonsResponse{PersonId: l.person.row.ID.String(), MergeId: done.ID().String()}, w.write(ctx, tx)
}

// SplitPerson takes back a merge, or gives records a person of their own.
func (s *Service) SplitPerson(ctx context.Context, req *identityv1.SplitPersonRequest) (*identityv1.SplitPersonResponse, error) {
	var r reader
	id, by := r.id("person_id", req.GetPersonId()), r.edit(ctx, req.GetNote())
	var mergeID lead.ID
	var records []lead.ID
	switch {
	case (req.GetMergeId() == "") == (len(req.GetRecordIds()) == 0):
		r.bad("merge_id", "name either the merge to take back or the records that leave; GET /v1/persons/{person_id}/history lists both")
	case len(req.GetRecordIds()) > maxMoved:
		r.bad("record_ids", "send at most %d", maxMoved)
	case req.GetMergeId() != "":
		mergeID = r.id("merge_id", req.GetMergeId())
	}
	for i, text := range req.GetRecordIds() {
		if i == maxMoved || len(r.wrong) >= maxNamed {
			break
		}
		records = append(records, r.id(fmt.Sprintf("record_ids[%d]", i), text))
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	var resp *identityv1.SplitPersonResponse
	err := s.curate(ctx, []lead.ID{id}, func(tx *postgres.Tx, st *story) error {
		root := st.root(id)
		var d *division
		var err error
		if !mergeID.IsZero() {
			d, err = st.undo(root, mergeID)
		} else {
			d, err = st.take(root, records, s.deps.NewID)
		}
		if err != nil {
			return err
		}
		resp, err = s.divide(ctx, tx, st, d, by)
		return err
	})
	return resp, err
}

// errMoved means that persons changed between reading and locking them.
var errMoved = problem.New(problemv1.Reason_REASON_UNAVAILABLE, "the person changes all the time; try again")

// curate runs fn on the story of persons and of everybody joined with them, in a transaction in which
// nobody else changes them: their rows are locked, and the buckets of all keys that their records
// and signals bear, as resolving locks them.
func (s *Service) curate(ctx context.Context, ids []lead.ID, fn func(*postgres.Tx, *story) error) error {
	var err error
	for range 3 {
		err = s.store.Write(ctx, func(tx *postgres.Tx) error {
			before, err := s.story(ctx, tx, ids)
			if err != nil {
				return err
			}
			locked := before.buckets()
			if err := tx.Lock(ctx, postgres.Locks{Buckets: locked}); err != nil {
				return err
			}
			if _, err := tx.LockPersons(ctx, before.members()); err != nil {
				return err
			}
			st, err := s.story(ctx, tx, ids)
			if err != nil {
				return err
			}
			if !slices.Equal(before.members(), st.members()) || slices.ContainsFunc(st.buckets(), func(b int32) bool { return !slices.Contains(locked, b) }) {
				return errMoved
			}
			return fn(tx, st)
		})
		if p := problem.From(err); err == nil || p != errMoved {
			return err
		}
	}
	return err
}

// story reads everything about persons and everybody joined with them.
func (s *Service) story(ctx context.Context, tx *postgres.Tx, ids []lead.ID) (*story, error) {
	rows, err := tx.Tree(ctx, ids)
	if err != nil {
		return nil, err
	}
	var roots []lead.ID
	for _, id := range ids {
		at := slices.IndexFunc(rows, func(p postgres.Person) bool { return p.ID == id })
		if at < 0 {
			return nil, problem.NotFound("person")
		}
		root := id
		if into := rows[at].MergedInto; !into.IsZero() {
			root = into
		}
		if !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	if rows, err = tx.Tree(ctx, roots); err != nil {
		return nil, err
	}
	raw, err := tx.Story(ctx, rows)
	if err != nil {
		return nil, err
	}
	st, err := s.read(raw)
	if err != nil {
		return nil, err
	}
	var keys []lead.ID
	for _, list := range st.told {
		for i := range list {
			keys = append(keys, list[i].accountKeys...)
		}
	}
	for _, list := range st.done {
		for i := range list {
			keys = append(keys, list[i].accountKeys...)
		}
	}
	if len(keys) > 0 {
		if st.accounts, err = tx.AccountsByKey(ctx, keys); err != nil {
			return nil, err
		}
	}
	return st, st.readSales(ctx, tx)
}

// members are all persons of a story, in the order of their identifiers.
func (st *story) members() []lead.ID {
	out := make([]lead.ID, 0, len(st.rows))
	for id := range st.rows {
		out = append(out, id)
	}
	slices.SortFunc(out, compareIDs)
	return out
}

// buckets are those of all keys that somebody of the story holds or ever held, or may come to hold by
// what a signal says.
func (st *story) buckets() []int32 {
	var keys [][]key
	var leads []lead.ID
	for _, list := range st.told {
		for i := range list {
			keys = append(keys, list[i].keys)
			if !list[i].leadID.IsZero() {
				leads = append(leads, list[i].leadID)
			}
		}
	}
	for _, list := range st.done {
		for i := range list {
			keys = append(keys, list[i].keys)
		}
	}
	return buckets(leads, keys...)
}

// matcher weighs by the parameters in use.
func (s *Service) matcher() *identity.Matcher { return s.matching.current.Load().Matcher }
