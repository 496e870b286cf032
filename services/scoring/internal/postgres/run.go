package postgres

import (
	"context"
	"errors"
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

// RunState is how far a run is, by the numbers of BacktestState, TrainingState and RescoringState of
// leadmesh.scoring.v1.
type RunState int16

// The states of a run. The schema lets one of a kind run at a time.
const (
	Unspecified RunState = iota
	Running
	Done
	Cancelled
	Failed
)

const partsAtOnce = 50

// Run is what backtests, trainings and re-scorings have in common.
type Run struct {
	ID        lead.ID
	Sequence  int64 // order of beginning among its kind
	State     RunState
	Note, By  string
	UpdatedAt time.Time
	NextPage  string // Routing's or Identity's token of the page to read next
	Progress  int32  // millionths
	Problem   string
	Report    []byte // leadmesh.scoring.v1.BacktestReport or the like; nil until it is done, but of a re-scoring what is counted so far
}

// AsRun is the run itself, of whichever kind it is part.
func (r *Run) AsRun() *Run { return r }

// AnyRun is a run of any kind.
type AnyRun interface{ AsRun() *Run }

// start keeps a new run by what insert does; then runs in the same transaction. The problem WRONG_STATE
// if an index says that one is running.
func (s *Store) start(ctx context.Context, what, index string, insert func(q *db.Queries) error, then func(pgx.Tx) error) error {
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := insert(s.q.WithTx(tx)); err != nil {
			return err
		}
		return then(tx)
	})
	var broken *pgconn.PgError
	if errors.As(err, &broken) && broken.ConstraintName == index {
		return problem.New(problemv1.Reason_REASON_WRONG_STATE, "another %s runs; wait for it or cancel it", what)
	}
	return mapped(err)
}

// changeRun changes a run while nobody else does: lock reads it, and keep writes it with what change
// answers. What change does not want is left as it is: it answers nil.
func changeRun[R, C any](ctx context.Context, s *Store, what string, lock func(q *db.Queries) (R, error), change func(R) (*C, error), keep func(tx pgx.Tx, q *db.Queries, r R, c *C) error) (R, error) {
	var r R
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
		q := s.q.WithTx(tx)
		if r, err = lock(q); err != nil {
			return err
		}
		c, err := change(r)
		if err != nil || c == nil {
			return err
		}
		return keep(tx, q, r, c)
	})
	return r, mappedAs(what, err)
}

// takeStalled has the runs that take finds worked on again.
func (s *Store) takeStalled(ctx context.Context, enqueue func(tx pgx.Tx, id lead.ID) error, take func(q *db.Queries) ([]pgtype.UUID, error)) error {
	return mapped(pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		found, err := take(s.q.WithTx(tx))
		for i := 0; i < len(found) && err == nil; i++ {
			err = enqueue(tx, found[i].Bytes)
		}
		return err
	}))
}

// ForgetRuns removes what ended before a time, except so many of the newest of each kind and what
// somebody goes by: the scores that hold, the backtests that models were judged by, and the trainings of
// models that were ever a shadow or active. It returns how many there were.
func (s *Store) ForgetRuns(ctx context.Context, before time.Time, newest int32) (forgotten int64, err error) {
	err = pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		backtests, err := q.ForgetBacktests(ctx, stamp(before), newest)
		if err != nil {
			return err
		}
		trainings, err := q.ForgetTrainings(ctx, stamp(before), newest)
		if err != nil {
			return err
		}
		rescorings, err := q.ListForgettableRescorings(ctx, stamp(before), newest)
		if err != nil {
			return err
		}
		if forgotten = backtests + trainings + int64(len(rescorings)); len(rescorings) == 0 {
			return nil
		}
		if err := q.ForgetBefore(ctx, rescorings); err != nil {
			return err
		}
		return q.ForgetRescorings(ctx, rescorings)
	})
	return forgotten, mapped(err)
}

// eachPart hands over the parts that list reads in the order of their numbers.
func eachPart[R db.ListBacktestPartsRow | db.ListTrainingPartsRow](list func(after int64) ([]R, error), take func(part []byte) error) error {
	for after := int64(0); ; {
		rows, err := list(after)
		if err != nil {
			return mapped(err)
		}
		for _, r := range rows {
			x := db.ListBacktestPartsRow(r)
			if err := take(x.Leads); err != nil {
				return err
			}
			after = x.Part
		}
		if len(rows) < partsAtOnce {
			return nil
		}
	}
}

// all reads rows.
func all[R, T any](rows []R, of func(*R) T) []T {
	out := make([]T, len(rows))
	for i := range rows {
		out[i] = of(&rows[i])
	}
	return out
}
