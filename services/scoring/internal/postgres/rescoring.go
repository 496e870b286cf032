package postgres

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

// RescoringState is how far a re-scoring is, by the numbers of leadmesh.scoring.v1.RescoringState.
type RescoringState int16

// The states of a re-scoring. The schema lets one run at a time.
const (
	RescoringUnspecified RescoringState = iota
	RescoringRunning
	RescoringDone
	RescoringCancelled
	RescoringFailed
)

const (
	oneRescoring = "rescoring_at_work" // the index that lets one run
	// A slot is emptied at once, which nobody may read it for. A reader who takes long, such as a
	// backup, is not waited for: everybody else would wait behind.
	patience = "SET LOCAL lock_timeout = '2s'"
)

// Rescoring is what scored everybody.
type Rescoring struct {
	ID        lead.ID
	Sequence  int64  // order of beginning
	Revision  string // model held against what is in force; "": what is in force scores and is kept
	Playbook  string // that scores
	Scorer    string // names the models beside it, as in receipts
	AsOf      time.Time
	Slot      int16   // of the scores kept; -1 without any
	Before    lead.ID // whose scores are counted against; zero for none
	State     RescoringState
	Note, By  string
	UpdatedAt time.Time
	NextPage  string  // Identity's token of the page to read next
	Last      lead.ID // scored last; zero before the first
	Progress  int32   // millionths
	Persons   int64
	Problem   string
	Report    []byte // leadmesh.scoring.v1.RescoringReport: what is counted so far
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
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		if r.Slot = -1; r.Revision == "" {
			before, err := latestKept(ctx, q)
			if err != nil {
				return err
			}
			if r.Slot = 0; before != nil {
				r.Slot, r.Before = 1-before.Slot, before.ID
			}
		}
		err := q.InsertRescoring(ctx, db.InsertRescoringParams{
			RescoringID: uuid(r.ID), Revision: r.Revision, Playbook: r.Playbook, Scorer: r.Scorer, AsOf: stamp(r.AsOf),
			Slot: pgtype.Int2{Int16: r.Slot, Valid: r.Kept()}, BeforeID: pgtype.UUID{Bytes: r.Before, Valid: !r.Before.IsZero()},
			Note: r.Note, StartedBy: r.By,
		})
		if err != nil {
			return err
		}
		return then(tx)
	})
	var broken *pgconn.PgError
	if errors.As(err, &broken) && broken.ConstraintName == oneRescoring {
		return problem.New(problemv1.Reason_REASON_WRONG_STATE, "another re-scoring runs; wait for it or cancel it")
	}
	return mapped(err)
}

// BegunSince reports whether a re-scoring whose scores are to be kept was begun at a time or later.
func (s *Store) BegunSince(ctx context.Context, at time.Time) (bool, error) {
	begun, err := s.q.BegunSince(ctx, stamp(at))
	return begun, mapped(err)
}

// Rescoring returns one as it is now.
func (s *Store) Rescoring(ctx context.Context, id lead.ID) (*Rescoring, error) {
	row, err := s.q.GetRescoring(ctx, uuid(id))
	return rescoringOf(&row), mappedRescoring(err)
}

// RescoringAt returns one by its Sequence.
func (s *Store) RescoringAt(ctx context.Context, sequence int64) (*Rescoring, error) {
	row, err := s.q.GetRescoringAt(ctx, sequence)
	return rescoringOf(&row), mappedRescoring(err)
}

// ListRescorings returns re-scorings, the latest begun first, from before a Sequence on; 0: from the latest.
func (s *Store) ListRescorings(ctx context.Context, before int64, most int32) ([]*Rescoring, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.q.ListRescorings(ctx, before, most)
	out := make([]*Rescoring, len(rows))
	for i := range rows {
		out[i] = rescoringOf(&rows[i])
	}
	return out, mapped(err)
}

// ChangeRescoring changes one while nobody else does, and keeps the persons that were scored for it;
// first empties its slot before. What change does not want is left as it is: it answers false.
func (s *Store) ChangeRescoring(ctx context.Context, id lead.ID, change func(r *Rescoring) (persons []PersonScore, first, save bool, err error)) (*Rescoring, error) {
	var r *Rescoring
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		row, err := q.LockRescoring(ctx, uuid(id))
		if err != nil {
			return err
		}
		r = rescoringOf(&row)
		persons, first, save, err := change(r)
		if err != nil || !save {
			return err
		}
		if first && r.Kept() {
			if err := empty(ctx, tx, r.Slot); err != nil {
				return err
			}
		}
		if r.Kept() {
			if err := copyScores(ctx, tx, r.Slot, persons); err != nil {
				return err
			}
		}
		return q.UpdateRescoring(ctx, db.UpdateRescoringParams{
			RescoringID: uuid(id), State: int16(r.State), UpdatedAt: stamp(r.UpdatedAt), NextPage: r.NextPage,
			LastPerson: uuid(r.Last), Progress: r.Progress, Persons: r.Persons, Problem: r.Problem, Report: r.Report,
		})
	})
	return r, mappedRescoring(err)
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
	return mapped(pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		found, err := s.q.WithTx(tx).TakeStalledRescoring(ctx, stamp(now), stamp(before))
		for i := 0; i < len(found) && err == nil; i++ {
			err = enqueue(tx, found[i].Bytes)
		}
		return err
	}))
}

func rescoringOf(r *db.Rescoring) *Rescoring {
	out := &Rescoring{
		ID: r.RescoringID.Bytes, Sequence: r.Sequence, Revision: r.Revision, Playbook: r.Playbook, Scorer: r.Scorer, AsOf: r.AsOf.Time,
		Slot: -1, Before: r.BeforeID.Bytes, State: RescoringState(r.State), Note: r.Note, By: r.StartedBy, UpdatedAt: r.UpdatedAt.Time,
		NextPage: r.NextPage, Last: r.LastPerson.Bytes, Progress: r.Progress, Persons: r.Persons, Problem: r.Problem, Report: r.Report,
	}
	if r.Slot.Valid {
		out.Slot = r.Slot.Int16
	}
	return out
}

func mappedRescoring(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.NotFound("re-scoring")
	}
	return mapped(err)
}
