package postgres

import (
	"cmp"
	"context"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

const (
	oneRescoring = "rescoring_at_work" // the index that lets one run
	// A slot is emptied at once, which nobody may read it for. A reader who takes long, such as a
	// backup, is not waited for: everybody else would wait behind.
	patience = "SET LOCAL lock_timeout = '2s'"
)

// Rescoring is what scored everybody.
type Rescoring struct {
	Run
	Revision string // model held against what is in force; "": what is in force scores and is kept
	Playbook string // that scores
	Scorer   string // names the models beside it, as in receipts
	AsOf     time.Time
	Slot     int16   // of the scores kept; -1 without any
	Before   lead.ID // whose scores are counted against; zero for none
	Last     lead.ID // scored last; zero before the first
	Persons  int64
}

// Kept reports whether its scores are kept.
func (r *Rescoring) Kept() bool { return r.Slot >= 0 }

// LatestKept returns the re-scoring whose scores hold, nil while there is none.
func (s *Store) LatestKept(ctx context.Context) (*Rescoring, error) { return latestKept(ctx, s.q) }

func latestKept(ctx context.Context, q *db.Queries) (*Rescoring, error) {
	rows, err := q.LatestKept(ctx)
	if err != nil || len(rows) == 0 {
		return nil, mapped(err)
	}
	return rescoringOf(&rows[0]), nil
}

// StartRescoring keeps a new re-scoring. One whose scores are to be kept gets the slot that does not
// hold, and what it is counted against. Then runs in the same transaction. The problem WRONG_STATE if
// one is running.
func (s *Store) StartRescoring(ctx context.Context, r *Rescoring, then func(pgx.Tx) error) error {
	return s.start(ctx, "re-scoring", oneRescoring, func(q *db.Queries) error {
		if r.Slot = -1; r.Revision == "" {
			before, err := latestKept(ctx, q)
			if err != nil {
				return err
			}
			if r.Slot = 0; before != nil {
				r.Slot, r.Before = 1-before.Slot, before.ID
			}
		}
		return q.InsertRescoring(ctx, db.InsertRescoringParams{
			RescoringID: uuid(r.ID), Revision: r.Revision, Playbook: r.Playbook, Scorer: r.Scorer, AsOf: stamp(r.AsOf),
			Slot: pgtype.Int2{Int16: r.Slot, Valid: r.Kept()}, BeforeID: pgtype.UUID{Bytes: r.Before, Valid: !r.Before.IsZero()},
			Note: r.Note, StartedBy: r.By,
		})
	}, then)
}

// BegunSince reports whether a re-scoring whose scores are to be kept was begun at a time or later.
func (s *Store) BegunSince(ctx context.Context, at time.Time) (bool, error) {
	begun, err := s.q.BegunSince(ctx, stamp(at))
	return begun, mapped(err)
}

// Rescoring returns one as it is now.
func (s *Store) Rescoring(ctx context.Context, id lead.ID) (*Rescoring, error) {
	row, err := s.q.GetRescoring(ctx, uuid(id))
	return rescoringOf(&row), mappedAs("re-scoring", err)
}

// RescoringAt returns one by its Sequence.
func (s *Store) RescoringAt(ctx context.Context, sequence int64) (*Rescoring, error) {
	row, err := s.q.GetRescoringAt(ctx, sequence)
	return rescoringOf(&row), mappedAs("re-scoring", err)
}

// ListRescorings returns re-scorings, the latest begun first, from before a Sequence on; 0: from the latest.
func (s *Store) ListRescorings(ctx context.Context, before int64, most int32) ([]*Rescoring, error) {
	rows, err := s.q.ListRescorings(ctx, cmp.Or(before, math.MaxInt64), most)
	return all(rows, rescoringOf), mapped(err)
}

// RescoringChange is what is kept with a change of a re-scoring.
type RescoringChange struct {
	Persons []PersonScore // that were scored
	First   bool          // nobody was scored before them: the slot is emptied
}

// ChangeRescoring changes one while nobody else does, and keeps what change answers. What change does
// not want is left as it is: it answers nil.
func (s *Store) ChangeRescoring(ctx context.Context, id lead.ID, change func(r *Rescoring) (*RescoringChange, error)) (*Rescoring, error) {
	return changeRun(ctx, s, "re-scoring", func(q *db.Queries) (*Rescoring, error) {
		row, err := q.LockRescoring(ctx, uuid(id))
		return rescoringOf(&row), err
	}, change, func(tx pgx.Tx, q *db.Queries, r *Rescoring, c *RescoringChange) error {
		if c.First && r.Kept() {
			if err := empty(ctx, tx, r.Slot); err != nil {
				return err
			}
		}
		if r.Kept() {
			if err := copyScores(ctx, tx, r.Slot, c.Persons); err != nil {
				return err
			}
		}
		return q.UpdateRescoring(ctx, db.UpdateRescoringParams{
			RescoringID: uuid(id), State: int16(r.State), UpdatedAt: stamp(r.UpdatedAt), NextPage: r.NextPage,
			LastPerson: uuid(r.Last), Progress: r.Progress, Persons: r.Persons, Problem: r.Problem, Report: r.Report,
		})
	})
}

func empty(ctx context.Context, tx pgx.Tx, slot int16) error {
	if _, err := tx.Exec(ctx, patience); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "TRUNCATE person_score_"+strconv.Itoa(int(slot)))
	return err
}

// TouchRescoring notes that somebody works on a re-scoring.
func (s *Store) TouchRescoring(ctx context.Context, id lead.ID, at time.Time) error {
	return mapped(s.q.TouchRescoring(ctx, stamp(at), uuid(id)))
}

// TakeStalledRescoring has the running re-scoring worked on again if nobody gave a sign of life since a time.
func (s *Store) TakeStalledRescoring(ctx context.Context, before, now time.Time, enqueue func(tx pgx.Tx, id lead.ID) error) error {
	return s.takeStalled(ctx, enqueue, func(q *db.Queries) ([]pgtype.UUID, error) {
		return q.TakeStalledRescoring(ctx, stamp(now), stamp(before))
	})
}

func rescoringOf(r *db.Rescoring) *Rescoring {
	out := &Rescoring{
		Run: Run{
			ID: r.RescoringID.Bytes, Sequence: r.Sequence, State: RunState(r.State), Note: r.Note, By: r.StartedBy, UpdatedAt: r.UpdatedAt.Time,
			NextPage: r.NextPage, Progress: r.Progress, Problem: r.Problem, Report: r.Report,
		},
		Revision: r.Revision, Playbook: r.Playbook, Scorer: r.Scorer, AsOf: r.AsOf.Time, Slot: -1, Before: r.BeforeID.Bytes,
		Last: r.LastPerson.Bytes, Persons: r.Persons,
	}
	if r.Slot.Valid {
		out.Slot = r.Slot.Int16
	}
	return out
}
