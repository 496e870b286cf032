package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/queue"
	"github.com/riverqueue/river"
)

const (
	jobSchema = "scoring_river"
	jobQueue  = "backtest"

	// A job works for a slice of time and then waits for its next turn: what it did is kept, so a
	// process that dies costs a page, and River never takes a long job for a stuck one.
	jobSlice = 5 * time.Second
	jobAgain = 3 * time.Second // after something was not there; from 5 s on River's scheduler has a say

	// A backtest without a sign of life for this long is given a new job: River alone would take
	// the job of a process that died for running until its limit.
	stalledAfter = time.Minute
	stalledEvery = 5 * time.Second
)

// jobs are the backtests at work: jobs of River, which hold an identifier only.
type jobs struct {
	client *queue.Client
	s      *Service
}

type backtestArgs struct {
	BacktestID string `json:"backtest_id"`
}

// Kind names the job in River's table.
func (backtestArgs) Kind() string { return "backtest" }

type backtestWorker struct {
	river.WorkerDefaults[backtestArgs]
	s *Service
}

func newJobs(s *Service, pool *pgxpool.Pool) (*jobs, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &backtestWorker{s: s}); err != nil {
		return nil, fmt.Errorf("prepare backtests: %w", err)
	}
	client, err := queue.NewLong(pool, jobSchema, jobQueue, jobSlice, workers)
	if err != nil {
		return nil, fmt.Errorf("open the queue of backtests: %w", err)
	}
	return &jobs{client, s}, nil
}

// enqueue has a backtest worked on, in the transaction that says so.
func (j *jobs) enqueue(ctx context.Context, tx pgx.Tx, id lead.ID) error {
	if _, err := j.client.InsertTx(ctx, tx, backtestArgs{id.String()}, &river.InsertOpts{Queue: jobQueue}); err != nil {
		return fmt.Errorf("queue a backtest: %w", err)
	}
	return nil
}

// run works jobs until ctx ends.
func (j *jobs) run(ctx context.Context) error {
	return queue.Run(ctx, "backtests", j.client, jobSlice, func() { j.watch(ctx) })
}

// watch gives a backtest whose process died a new job, until ctx ends.
func (j *jobs) watch(ctx context.Context) {
	ticker := time.NewTicker(stalledEvery)
	defer ticker.Stop()
	for {
		now := j.s.now()
		err := j.s.store.TakeStalled(ctx, now.Add(-stalledAfter), now, func(tx pgx.Tx, id lead.ID) error {
			j.s.log.LogAttrs(ctx, slog.LevelWarn, "a backtest stood still and is taken up again", slog.String("backtest", id.String()))
			return j.enqueue(ctx, tx, id)
		})
		if err != nil && ctx.Err() == nil {
			j.s.log.LogAttrs(ctx, slog.LevelWarn, "backtests not looked after, trying again", slog.String("cause", problem.From(err).Code()))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Work goes on with a backtest for a while. After each page it rests as long as the page took, so that
// it never has more than half of what a connection can do.
func (w *backtestWorker) Work(ctx context.Context, job *river.Job[backtestArgs]) error {
	id, err := lead.ParseID(job.Args.BacktestID)
	if err != nil {
		return river.JobCancel(errors.New("no backtest id"))
	}
	t := &trial{s: w.s}
	for begun := time.Now(); time.Since(begun) < jobSlice && ctx.Err() == nil; {
		page := time.Now()
		more, err := t.step(ctx, id)
		if err != nil {
			p := problem.From(err)
			w.s.log.LogAttrs(ctx, slog.LevelWarn, "a backtest does not go on, trying again later",
				slog.String("backtest", id.String()), slog.String("cause", p.Code()))
			if err := w.s.store.TouchBacktest(ctx, id, w.s.now()); err != nil {
				return errors.New(problem.From(err).Code()) // texts of errors may name what they are about
			}
			return river.JobSnooze(jobAgain)
		}
		if !more {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Since(page), time.Second)):
		}
	}
	return river.JobSnooze(0)
}
