// Package queue keeps durable background work in River, on the Postgres of the service whose work
// it is: the schema of its jobs, the client of long work, and its life beside the service's.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Client is River's, on connections of pgx.
type Client = river.Client[pgx.Tx]

const (
	version = "0.51.1"        // River's: its migrations make the schema
	poll    = time.Second     // between looks for jobs, and for a database that is away at the start
	limit   = 5 * time.Minute // of one job of long work
)

// Companion is the schema that River keeps a service's jobs in.
func Companion(schema string) *postgres.Companion {
	return &postgres.Companion{Schema: schema, Version: version, Migrate: func(ctx context.Context, pool *pgxpool.Pool) error {
		m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return fmt.Errorf("prepare the queue's migrations: %w", err)
		}
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate the queue: %w", err)
		}
		return nil
	}}
}

// NewLong is a client for long work, of which one job at a time of each queue is under way. A job works
// for a slice of time and then waits for its next turn, so that a process that dies costs little and
// River never takes it for a stuck one.
func NewLong(pool *pgxpool.Pool, schema string, slice time.Duration, workers *river.Workers, queues ...string) (*Client, error) {
	each := make(map[string]river.QueueConfig, len(queues))
	for _, name := range queues {
		each[name] = river.QueueConfig{MaxWorkers: 1}
	}
	return river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: schema, Workers: workers, Queues: each,
		Logger:   slog.New(slog.DiscardHandler), // it writes job rows and errors; what matters is logged by the workers
		PollOnly: true, FetchPollInterval: poll, // nobody hurries: no connection is kept for listening
		JobTimeout: limit, RescueStuckJobsAfter: 2 * limit,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: 24 * time.Hour, DiscardedJobRetentionPeriod: 24 * time.Hour,
		SoftStopTimeout: slice,
	})
}

// Run works a client's queues while work runs, which returns when ctx ends; jobs under way are then
// let finish for up to patience. A database that is away at the start is waited for. what names the
// jobs in errors.
func Run(ctx context.Context, what string, client *Client, patience time.Duration, work func()) error {
	if err := postgres.Persist(ctx, poll, func() error { return client.Start(context.WithoutCancel(ctx)) }); err != nil {
		return fmt.Errorf("start %s: %w", what, err)
	}
	work()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience+5*time.Second)
	defer cancel()
	if err := client.Stop(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop %s: %w", what, err)
	}
	return nil
}
