package postgres

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

const oneBacktest = "backtest_at_work" // the index that lets one run

// Backtest is a model held against leads decided in the past.
type Backtest struct {
	Run
	Revision  string
	Line      lead.Line
	Playbook  string    // that the model scores beside
	From, To  time.Time // of receipt
	StartedAt time.Time
	Leads     int64
	Against   string // model that scored the line when it began; "": the playbook's own table
	Scorecard string // hash of that table
}

// StartBacktest keeps a new backtest; then runs in the same transaction. The problem WRONG_STATE if
// one is running.
func (s *Store) StartBacktest(ctx context.Context, b *Backtest, then func(pgx.Tx) error) error {
	return s.start(ctx, "backtest", oneBacktest, func(q *db.Queries) error {
		return q.InsertBacktest(ctx, db.InsertBacktestParams{
			BacktestID: uuid(b.ID), Revision: b.Revision, Line: int16(b.Line), Playbook: b.Playbook, FromAt: stamp(b.From), ToAt: stamp(b.To),
			Note: b.Note, StartedBy: b.By, StartedAt: stamp(b.StartedAt),
			Against: b.Against, Scorecard: b.Scorecard,
		})
	}, then)
}

// Backtest returns one as it is now.
func (s *Store) Backtest(ctx context.Context, id lead.ID) (*Backtest, error) {
	row, err := s.q.GetBacktest(ctx, uuid(id))
	return backtestOf(&row), mappedAs("backtest", err)
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
	rows, err := s.q.ListBacktests(ctx, cmp.Or(q.Before, math.MaxInt64), q.Revision, q.Most)
	return all(rows, backtestOf), mapped(err)
}

// BacktestChange is what is kept with a change of a backtest.
type BacktestChange struct {
	Part []byte // leads that were scored; nil: none
}

// ChangeBacktest changes one while nobody else does, and keeps what change answers. What change does
// not want is left as it is: it answers nil. The parts of one that does not run any more are removed.
func (s *Store) ChangeBacktest(ctx context.Context, id lead.ID, change func(b *Backtest) (*BacktestChange, error)) (*Backtest, error) {
	return changeRun(ctx, s, "backtest", func(q *db.Queries) (*Backtest, error) {
		row, err := q.LockBacktest(ctx, uuid(id))
		return backtestOf(&row), err
	}, change, func(_ pgx.Tx, q *db.Queries, b *Backtest, c *BacktestChange) error {
		if len(c.Part) > 0 {
			if err := q.InsertBacktestPart(ctx, uuid(id), c.Part); err != nil {
				return err
			}
		}
		if b.State != Running {
			if err := q.DeleteBacktestParts(ctx, uuid(id)); err != nil {
				return err
			}
		}
		return q.UpdateBacktest(ctx, db.UpdateBacktestParams{
			BacktestID: uuid(id), State: int16(b.State), UpdatedAt: stamp(b.UpdatedAt), NextPage: b.NextPage, Progress: b.Progress,
			Leads: b.Leads, Problem: b.Problem, Report: b.Report,
		})
	})
}

// BacktestParts hands over the leads that were scored, in the order they came.
func (s *Store) BacktestParts(ctx context.Context, id lead.ID, take func(part []byte) error) error {
	return eachPart(func(after int64) ([]db.ListBacktestPartsRow, error) {
		return s.q.ListBacktestParts(ctx, uuid(id), after, partsAtOnce)
	}, take)
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

func backtestOf(r *db.Backtest) *Backtest {
	return &Backtest{
		Run: Run{
			ID: r.BacktestID.Bytes, Sequence: r.Sequence, State: RunState(r.State), Note: r.Note, By: r.StartedBy, UpdatedAt: r.UpdatedAt.Time,
			NextPage: r.NextPage, Progress: r.Progress, Problem: r.Problem, Report: r.Report,
		},
		Revision: r.Revision, Line: lead.Line(r.Line), Playbook: r.Playbook, From: r.FromAt.Time, To: r.ToAt.Time,
		StartedAt: r.StartedAt.Time, Leads: r.Leads, Against: r.Against, Scorecard: r.Scorecard,
	}
}
