package scoring

import (
	"context"
	"crypto/rand"
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

	// A job works for a slice of time and then waits for its next turn: what it did is kept, so a
	// process that dies costs a step, and River never takes a long job for a stuck one.
	jobSlice = 5 * time.Second
	jobAgain = 3 * time.Second // after something was not there; from 5 s on River's scheduler has a say

	// Work without a sign of life for this long is given a new job: River alone would take the job of
	// a process that died for running until its limit.
	stalledAfter = time.Minute
	stalledEvery = 5 * time.Second
)

// chore is a kind of long work of the service, of which a queue of its own does one job at a time.
type chore struct {
	name  string        // of its queue too
	limit time.Duration // of a job, as a step may take long; 0: the queue's, below 0 none
	begin func() step
	args  func(id lead.ID) named
	// touch notes that somebody works on one.
	touch func(ctx context.Context, id lead.ID, at time.Time) error
	// stalled hands over the one at work if nobody gave a sign of life since a time.
	stalled func(ctx context.Context, before, now time.Time, enqueue func(tx pgx.Tx, id lead.ID) error) error
}

// step does the next piece of work and keeps what came of it; more is false when nothing is left to do.
type step func(ctx context.Context, id lead.ID) (more bool, err error)

// named is what River keeps of a job: whose it is.
type named interface {
	river.JobArgs
	name() string
}

// worker works on the jobs of a chore.
type worker[A named] struct {
	river.WorkerDefaults[A]
	j *jobs
	c *chore
}

// Work goes on with what a job is about for a while.
func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	return w.j.work(ctx, w.c, job.Args.name())
}

// Timeout is how long a job may take.
func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.c.limit }

// jobs is the service's long work: jobs of River, which hold an identifier only.
type jobs struct {
	client *queue.Client
	s      *Service
	chores []*chore
}

func newJobs(s *Service, pool *pgxpool.Pool) (*jobs, error) {
	j := &jobs{s: s}
	if s.decided != nil {
		j.chores = append(j.chores, s.backtests.chore, s.trainings.chore)
	}
	if s.profiles != nil {
		j.chores = append(j.chores, s.rescorings.chore)
	}
	workers, queues := river.NewWorkers(), make([]string, len(j.chores))
	err := errors.Join(
		river.AddWorkerSafely(workers, &worker[backtestArgs]{j: j, c: s.backtests.chore}),
		river.AddWorkerSafely(workers, &worker[rescoringArgs]{j: j, c: s.rescorings.chore}),
		river.AddWorkerSafely(workers, &worker[trainingArgs]{j: j, c: s.trainings.chore}),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare long work: %w", err)
	}
	for i, c := range j.chores {
		queues[i] = c.name
	}
	if j.client, err = queue.NewLong(pool, jobSchema, jobSlice, workers, queues...); err != nil {
		return nil, fmt.Errorf("open the queue of long work: %w", err)
	}
	return j, nil
}

// enqueue has something worked on, in the transaction that says so.
func (j *jobs) enqueue(ctx context.Context, tx pgx.Tx, c *chore, id lead.ID) error {
	if _, err := j.client.InsertTx(ctx, tx, c.args(id), &river.InsertOpts{Queue: c.name}); err != nil {
		return fmt.Errorf("queue a %s: %w", c.name, err)
	}
	return nil
}

// run works jobs until ctx ends.
func (j *jobs) run(ctx context.Context) error {
	return queue.Run(ctx, "long work", j.client, jobSlice, func() { j.watch(ctx) })
}

// watch gives work whose process died a new job and forgets what ended long ago, until ctx ends.
func (j *jobs) watch(ctx context.Context) {
	ticker := time.NewTicker(stalledEvery)
	defer ticker.Stop()
	for forgot := (time.Time{}); ; {
		now := j.s.now()
		for _, c := range j.chores {
			err := c.stalled(ctx, now.Add(-stalledAfter), now, func(tx pgx.Tx, id lead.ID) error {
				j.s.log.LogAttrs(ctx, slog.LevelWarn, "a "+c.name+" stood still and is taken up again", slog.String(c.name, id.String()))
				return j.enqueue(ctx, tx, c, id)
			})
			if err != nil && ctx.Err() == nil {
				j.s.log.LogAttrs(ctx, slog.LevelWarn, c.name+"s not looked after, trying again", slog.String("cause", problem.From(err).Code()))
			}
		}
		forgot = j.s.forget(ctx, forgot)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// work goes on with one for a while. After each step it rests as long as the step took, a second at
// most, so that reading never has more than half of what a connection can do.
func (j *jobs) work(ctx context.Context, c *chore, named string) error {
	id, err := lead.ParseID(named)
	if err != nil {
		return river.JobCancel(fmt.Errorf("no %s id", c.name))
	}
	next := c.begin()
	for begun := time.Now(); time.Since(begun) < jobSlice && ctx.Err() == nil; {
		at := time.Now()
		more, err := next(ctx, id)
		if err != nil && ctx.Err() != nil {
			break // the process stops; another goes on
		}
		if err != nil {
			j.s.log.LogAttrs(ctx, slog.LevelWarn, "a "+c.name+" does not go on, trying again later",
				slog.String(c.name, id.String()), slog.String("cause", problem.From(err).Code()))
			if err := c.touch(ctx, id, j.s.now()); err != nil {
				return errors.New(problem.From(err).Code()) // texts of errors may name what they are about
			}
			return river.JobSnooze(jobAgain)
		}
		if !more {
			return nil
		}
		rest(ctx, min(time.Since(at), time.Second))
	}
	return river.JobSnooze(0)
}

// rest waits for a while, or until ctx ends.
func rest(ctx context.Context, a time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(a):
	}
}

// newJobID draws the name of something to be worked on.
func newJobID() lead.ID {
	var id lead.ID
	rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
