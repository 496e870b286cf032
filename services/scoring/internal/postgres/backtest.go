package postgres

import (
	"context"
	"errors"
	"math"
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

// BacktestState is how far a backtest is, by the numbers of leadmesh.scoring.v1.BacktestState.
type BacktestState int16

// The states of a backtest. The schema lets one run at a time.
const (
	BacktestUnspecified BacktestState = iota
	BacktestRunning
	BacktestDone
	BacktestCancelled
	BacktestFailed
)

const (
	oneBacktest = "backtest_at_work" // the index that lets one run
	partsAtOnce = 50
)

// Backtest is a model held against leads decided in the past.
type Backtest struct {
	ID        lead.ID
	Sequence  int64 // order of beginning
	Revision  string
	Line      lead.Line
	Playbook  string    // that the model scores beside
	From, To  time.Time // of receipt
	State     BacktestState
	Note, By  string
	StartedAt time.Time
	UpdatedAt time.Time
	NextPage  string // Routing's token of the page to read next
	Progress  int32  // millionths
	Leads     int64
	Problem   string
	Report    []byte // leadmesh.scoring.v1.BacktestReport; nil until it is done
	Against   string // model that scored the line when it began; "": the playbook's own table
	Scorecard string // hash of that table
}

// StartBacktest keeps a new backtest; then runs in the same transaction. The problem WRONG_STATE if
// one is running.
func (s *Store) StartBacktest(ctx context.Context, b *Backtest, then func(pgx.Tx) error) error {
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		err := s.q.WithTx(tx).InsertBacktest(ctx, db.InsertBacktestParams{
			BacktestID: uuid(b.ID), Revision: b.Revision, Line: int16(b.Line), Playbook: b.Playbook, FromAt: stamp(b.From), ToAt: stamp(b.To),
			Note: b.Note, StartedBy: b.By, StartedAt: stamp(b.StartedAt),
			Against: b.Against, Scorecard: b.Scorecard,
		})
		if err != nil {
			return err
		}
		return then(tx)
	})
	return oneAtWork(err, oneBacktest, "backtest")
}

// Backtest returns one as it is now.
func (s *Store) Backtest(ctx context.Context, id lead.ID) (*Backtest, error) {
	row, err := s.q.GetBacktest(ctx, uuid(id))
	return backtestOf(&row), mappedBacktest(err)
}

// LastDoneBacktest returns the latest begun of a revision that has a report; nil without any.
func (s *Store) LastDoneBacktest(ctx context.Context, revision string) (*Backtest, error) {
	rows, err := s.q.LastDoneBacktest(ctx, revision)
	if err != nil || len(rows) == 0 {
		return nil, mapped(err)
	}
	return backtestOf(&rows[0]), nil
}

// BacktestQuery asks for a page of backtests.
type BacktestQuery struct {
	Revision string // "": any
	Before   int64  // Sequence of the last of the page before; 0: from the latest
	Most     int32
}

// ListBacktests returns backtests, the latest begun first.
func (s *Store) ListBacktests(ctx context.Context, q BacktestQuery) ([]*Backtest, error) {
	if q.Before == 0 {
		q.Before = math.MaxInt64
	}
	rows, err := s.q.ListBacktests(ctx, q.Before, q.Revision, q.Most)
	out := make([]*Backtest, len(rows))
	for i := range rows {
		out[i] = backtestOf(&rows[i])
	}
	return out, mapped(err)
}

// ChangeBacktest changes one while nobody else does, and keeps the leads that were scored for it. What
// change does not want is left as it is: it answers false. The parts of one that does not run any more
// are removed.
func (s *Store) ChangeBacktest(ctx context.Context, id lead.ID, change func(b *Backtest) (part []byte, save bool, err error)) (*Backtest, error) {
	var b *Backtest
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		row, err := q.LockBacktest(ctx, uuid(id))
		if err != nil {
			return err
		}
		b = backtestOf(&row)
		part, save, err := change(b)
		if err != nil || !save {
			return err
		}
		if len(part) > 0 {
			if err := q.InsertBacktestPart(ctx, uuid(id), part); err != nil {
				return err
			}
		}
		if b.State != BacktestRunning {
			if err := q.DeleteBacktestParts(ctx, uuid(id)); err != nil {
				return err
			}
		}
		return q.UpdateBacktest(ctx, db.UpdateBacktestParams{
			BacktestID: uuid(id), State: int16(b.State), UpdatedAt: stamp(b.UpdatedAt), NextPage: b.NextPage, Progress: b.Progress,
			Leads: b.Leads, Problem: b.Problem, Report: b.Report,
		})
	})
	return b, mappedBacktest(err)
}

// BacktestParts hands over the leads that were scored, in the order they came.
func (s *Store) BacktestParts(ctx context.Context, id lead.ID, take func(part []byte) error) error {
	return eachPart(func(after int64) ([]db.ListBacktestPartsRow, error) {
		return s.q.ListBacktestParts(ctx, uuid(id), after, partsAtOnce)
	}, take)
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

// oneAtWork is an error of beginning what an index lets run once at a time.
func oneAtWork(err error, index, what string) error {
	var broken *pgconn.PgError
	if errors.As(err, &broken) && broken.ConstraintName == index {
		return problem.New(problemv1.Reason_REASON_WRONG_STATE, "another %s runs; wait for it or cancel it", what)
	}
	return mapped(err)
}

// TouchBacktest notes that somebody works on a backtest.
func (s *Store) TouchBacktest(ctx context.Context, id lead.ID, at time.Time) error {
	return mapped(s.q.TouchBacktest(ctx, stamp(at), uuid(id)))
}

// TakeStalledBacktest has the running backtest worked on again if nobody gave a sign of life since a time.
func (s *Store) TakeStalledBacktest(ctx context.Context, before, now time.Time, enqueue func(tx pgx.Tx, id lead.ID) error) error {
	return s.takeStalled(ctx, enqueue, func(q *db.Queries) ([]pgtype.UUID, error) {
		return q.TakeStalledBacktest(ctx, stamp(now), stamp(before))
	})
}

func (s *Store) takeStalled(ctx context.Context, enqueue func(tx pgx.Tx, id lead.ID) error, take func(q *db.Queries) ([]pgtype.UUID, error)) error {
	return mapped(pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		found, err := take(s.q.WithTx(tx))
		for i := 0; i < len(found) && err == nil; i++ {
			err = enqueue(tx, found[i].Bytes)
		}
		return err
	}))
}

func backtestOf(r *db.Backtest) *Backtest {
	return &Backtest{
		ID: r.BacktestID.Bytes, Sequence: r.Sequence, Revision: r.Revision, Line: lead.Line(r.Line), Playbook: r.Playbook,
		From: r.FromAt.Time, To: r.ToAt.Time, State: BacktestState(r.State), Note: r.Note, By: r.StartedBy, StartedAt: r.StartedAt.Time,
		UpdatedAt: r.UpdatedAt.Time, NextPage: r.NextPage, Progress: r.Progress, Leads: r.Leads, Problem: r.Problem, Report: r.Report,
		Against: r.Against, Scorecard: r.Scorecard,
	}
}

func mappedBacktest(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.NotFound("backtest")
	}
	return mapped(err)
}
