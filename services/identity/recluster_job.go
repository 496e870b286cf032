package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/queue"
	"github.com/riverqueue/river"
)

const (
	jobSchema = "identity_river"
	jobQueue  = "recluster"

	// A job works for a slice of time and then waits for its next turn: what it did is kept, so a
	// process that dies costs a slice, and River never takes a long job for a stuck one.
	jobSlice = 15 * time.Second
	stepsAt  = 100 // read at once
)

// jobs are the re-clusterings at work: jobs of River, which hold an identifier only.
type jobs struct{ client *queue.Client }

type reclusterArgs struct {
	ReclusterID string `json:"recluster_id"`
}

// Kind names the job in River's table.
func (reclusterArgs) Kind() string { return "recluster" }

type reclusterWorker struct {
	river.WorkerDefaults[reclusterArgs]
	s *Service
}

func newJobs(s *Service, pool *pgxpool.Pool) (*jobs, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &reclusterWorker{s: s}); err != nil {
		return nil, fmt.Errorf("prepare re-clustering: %w", err)
	}
	client, err := queue.NewLong(pool, jobSchema, jobSlice, workers, jobQueue)
	if err != nil {
		return nil, fmt.Errorf("open the queue of re-clusterings: %w", err)
	}
	return &jobs{client}, nil
}

// enqueue has a re-clustering worked on, in the transaction that says so.
func (j *jobs) enqueue(ctx context.Context, tx pgx.Tx, id lead.ID) error {
	if _, err := j.client.InsertTx(ctx, tx, reclusterArgs{id.String()}, &river.InsertOpts{Queue: jobQueue}); err != nil {
		return fmt.Errorf("queue a re-clustering: %w", err)
	}
	return nil
}

// run works jobs until ctx ends.
func (j *jobs) run(ctx context.Context) error {
	return queue.Run(ctx, "re-clustering", j.client, jobSlice, func() { <-ctx.Done() })
}

// Work goes on with a re-clustering for a while.
func (w *reclusterWorker) Work(ctx context.Context, job *river.Job[reclusterArgs]) error {
	id, err := lead.ParseID(job.Args.ReclusterID)
	if err != nil {
		return river.JobCancel(errors.New("no re-clustering id"))
	}
	for begun := time.Now(); time.Since(begun) < jobSlice && ctx.Err() == nil; {
		more, err := w.s.recluster(ctx, id)
		if err != nil {
			p := problem.From(err)
			w.s.deps.Tel.Log.LogAttrs(ctx, slog.LevelWarn, "a re-clustering does not go on, trying again later",
				slog.String("recluster", id.String()), slog.String("cause", p.Error()))
			return errors.New(p.Code()) // texts of errors may name what they are about
		}
		if !more {
			return nil
		}
	}
	return river.JobSnooze(0)
}

// recluster does one batch of work; more is false when nothing is left to do.
func (s *Service) recluster(ctx context.Context, id lead.ID) (more bool, err error) {
	var r *postgres.Recluster
	var todo []postgres.Step
	var match *revised
	err = s.store.Write(ctx, func(tx *postgres.Tx) error {
		if r, err = tx.Recluster(ctx, id, true); err != nil {
			return err
		}
		switch r.State {
		case postgres.ReclusterReporting:
			r.UpdatedAt = s.deps.Now()
			if err := s.report(ctx, tx, r); err != nil {
				return err
			}
			return tx.SaveRecluster(ctx, r)
		case postgres.ReclusterApplying:
			m, err := s.revisionOf(ctx, tx, r.Revision)
			if err != nil {
				return err
			}
			match = &revised{m, r.Revision}
			if r.Steps == r.NextStep {
				r.State, r.UpdatedAt = postgres.ReclusterApplied, s.deps.Now()
				return tx.SaveRecluster(ctx, r)
			}
			todo, err = tx.Steps(ctx, id, r.NextStep, stepsAt)
			return err
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for i := range todo {
		if err := s.apply(ctx, id, match.Matcher, &todo[i]); errors.Is(err, errStopped) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return r.State == postgres.ReclusterReporting || r.State == postgres.ReclusterApplying, nil
}
