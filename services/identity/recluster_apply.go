package identity

import (
	"context"
	"errors"
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// errStale passes a step over: what it rests on has changed since the report.
var errStale = errors.New("not as reported any more")

func isMissing(err error) bool {
	return err != nil && problem.From(err).Reason == problemv1.Reason_REASON_NOT_FOUND
}

// apply does one step of a report, if the parameters still say so and nobody decided otherwise. It
// is one transaction with the note that it was done.
func (s *Service) apply(ctx context.Context, id lead.ID, m *identity.Matcher, step *postgres.Step) error {
	note := func(tx *postgres.Tx, applied bool) error {
		r, err := tx.Recluster(ctx, id, true)
		if err != nil {
			return err
		}
		if r.State != postgres.ReclusterApplying || r.NextStep != step.Number {
			return errStopped // cancelled, or another process is at it
		}
		r.NextStep++
		if applied {
			r.Applied++
		} else {
			r.Skipped++
		}
		if r.UpdatedAt = s.deps.Now(); r.NextStep == r.Steps {
			r.State = postgres.ReclusterApplied
		}
		return tx.SaveRecluster(ctx, r)
	}
	var err error
	if step.Kind == postgres.StepLeave {
		err = s.curate(ctx, []lead.ID{step.PersonID}, func(tx *postgres.Tx, st *story) error {
			if err := note(tx, true); err != nil {
				return err
			}
			return s.applyLeave(ctx, tx, st, m, step)
		})
	} else {
		err = s.store.Write(ctx, func(tx *postgres.Tx) error {
			if err := note(tx, true); err != nil {
				return err
			}
			return s.applyPair(ctx, tx, m, step)
		})
	}
	if errors.Is(err, errStale) || isMissing(err) {
		err = s.store.Write(ctx, func(tx *postgres.Tx) error { return note(tx, false) })
	}
	if errors.Is(err, errStopped) {
		return errStopped
	}
	return err
}

// errStopped ends the work on a re-clustering.
var errStopped = errors.New("stopped")

// evidenceNote is why a re-clustering changed something; who asked for it stands with the report.
func evidenceNote(m *identity.Matcher) string {
	return "re-clustered by parameters " + m.Params().Revision()
}

func (s *Service) applyLeave(ctx context.Context, tx *postgres.Tx, st *story, m *identity.Matcher, step *postgres.Step) error {
	root := st.root(step.PersonID)
	groups := regroup(m, st.under(root), st.told, st.merges, st.splits)
	at := slices.IndexFunc(groups, func(g group) bool {
		return len(g.records) == len(step.RecordIDs) && !slices.ContainsFunc(g.records, func(t told) bool { return !slices.Contains(step.RecordIDs, t.id) })
	})
	if at < 1 {
		return errStale
	}
	d, err := st.take(root, step.RecordIDs, s.deps.NewID)
	if err != nil {
		return errStale
	}
	d.byEvidence = true
	if _, err := s.divide(ctx, tx, st, d, edit{note: evidenceNote(m)}); err != nil {
		return err
	}
	e := m.Match(&groups[at].facts, &groups[0].facts)
	if m.Verdict(&e) != identity.VerdictPossible {
		return nil
	}
	return tx.AskFor(ctx, []postgres.Review{{
		Pair: postgres.PairOf(d.stays, d.leaves), RecordID: step.RecordIDs[0], Weight: e.Weight, Probability: e.Probability, Reasons: reasonText(e.Reasons),
	}}, m.Params().Revision(), s.deps.Now())
}

func (s *Service) applyPair(ctx context.Context, tx *postgres.Tx, m *identity.Matcher, step *postgres.Step) error {
	w, err := s.loadPeople(ctx, tx, s.deps.Now(), sought{persons: []lead.ID{step.PersonID, step.OtherID}})
	if err != nil {
		return err
	}
	if w.byID[step.PersonID] == nil || w.byID[step.OtherID] == nil {
		return errStale
	}
	one, other := w.byID[step.PersonID].root(), w.byID[step.OtherID].root()
	if one == other {
		return errStale
	}
	if different, err := w.pairs.different(w, one, other); err != nil || different {
		return errors.Join(err, errStale)
	}
	e := m.Match(&one.facts, &other.facts)
	w.changes.Revision = m.Params().Revision()
	switch verdict := m.Verdict(&e); {
	case verdict == identity.VerdictMatch && step.Kind == postgres.StepJoin:
		l := link{person: one}
		if err := w.merge(&l, other, postgres.Merge{Note: evidenceNote(m)}, &e); err != nil {
			return err
		}
		if err := w.settle(ctx, tx, s, s.halfLives()); err != nil {
			return err
		}
	case verdict == identity.VerdictDifferent:
		return errStale
	default:
		w.pairs.add(one, other, lead.ID{}, &e)
	}
	return w.write(ctx, tx)
}
