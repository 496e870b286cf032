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
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const (
	jobSchema  = "identity_river"
	jobQueue   = "recluster"
	jobVersion = "0.51.1" // River's: its migrations make the schema

	// A job works for a slice of time and then waits for its next turn: what it did is kept, so a
	// process that dies costs a slice, and River never takes a long job for a stuck one.
	jobSlice = 15 * time.Second
	jobLimit = 5 * time.Minute
	jobPoll  = time.Second
	stepsAt  = 100 // read at once
)

// jobs are the re-clusterings at work: jobs of River, which hold an identifier only.
type jobs struct{ client *river.Client[pgx.Tx] }

type reclusterArgs struct {
	ReclusterID string `json:"recluster_id"`
}

// Kind names the job in River's table.
func (reclusterArgs) Kind() string { return "recluster" }

type reclusterWorker struct {
	river.WorkerDefaults[reclusterArgs]
	s *Service
}

// jobCompanion is the schema that River keeps its jobs in.
func jobCompanion() *pg.Companion {
	return &pg.Companion{Schema: jobSchema, Version: jobVersion, Migrate: func(ctx context.Context, pool *pgxpool.Pool) error {
		m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: jobSchema, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return fmt.Errorf("prepare the queue's migrations: %w", err)
		}
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate the queue: %w", err)
		}
		return nil
	}}
}

func newJobs(s *Service, pool *pgxpool.Pool) (*jobs, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &reclusterWorker{s: s}); err != nil {
		return nil, fmt.Errorf("prepare re-clustering: %w", err)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: jobSchema, Workers: workers, Queues: map[string]river.QueueConfig{jobQueue: {MaxWorkers: 1}},
		Logger:   slog.New(slog.DiscardHandler),    // it writes job rows and errors; what matters is logged here
		PollOnly: true, FetchPollInterval: jobPoll, // nobody hurries: no connection is kept for listening
		JobTimeout: jobLimit, RescueStuckJobsAfter: 2 * jobLimit,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: 24 * time.Hour, DiscardedJobRetentionPeriod: 24 * time.Hour,
		SoftStopTimeout: jobSlice,
	})
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
	if err := pg.Persist(ctx, jobPoll, func() error { return j.client.Start(context.WithoutCancel(ctx)) }); err != nil {
		return fmt.Errorf("start re-clustering: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobSlice+5*time.Second)
	defer cancel()
	if err := j.client.Stop(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop re-clustering: %w", err)
	}
	return nil
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
