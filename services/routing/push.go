package routing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	pgstore "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// WebhookConfig are the settings of the pushes; the zero value works.
type WebhookConfig struct {
	Source       string          // the CloudEvents source; "": /leadmesh/routing
	AllowPrivate bool            // addresses inside private networks may be pushed to
	NoLoopback   bool            // this machine may not be pushed to
	Retries      []time.Duration // waits between attempts; nil: 5 s to 24 h, nine of them
	Timeout      time.Duration   // of one attempt; 0: 10 s
	Workers      int             // attempts under way at once over all endpoints; 0: 64
}

const (
	pushSchema  = "routing_river"
	pushQueue   = "push"
	pushVersion = "0.51.1" // River's: its migrations make the schema

	stopLimit   = 15 * time.Second // how long attempts under way may take at a shutdown
	lagInterval = 15 * time.Second
)

// delivery is a push to be made; the zero delivery is none.
type delivery = postgres.Delivery

// pusher pushes assignments to the systems of dealers. What waits for its next attempt is a job of
// River, which holds identifiers only: what is sent is made when it is sent.
type pusher struct {
	s        *Service
	cfg      WebhookConfig
	network  webhook.Network
	schedule webhook.Schedule
	sender   *webhook.Sender
	gates    *webhook.Gates
	client   *river.Client[pgx.Tx]
}

// pushCompanion is the schema that River keeps its jobs in.
func pushCompanion() *pgstore.Companion {
	return &pgstore.Companion{Schema: pushSchema, Version: pushVersion, Migrate: func(ctx context.Context, pool *pgxpool.Pool) error {
		m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: pushSchema, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return fmt.Errorf("prepare the queue's migrations: %w", err)
		}
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate the queue: %w", err)
		}
		return nil
	}}
}

func newPusher(cfg WebhookConfig, s *Service, pool *pgxpool.Pool) (*pusher, error) {
	if cfg.Source == "" {
		cfg.Source = "/leadmesh/routing"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Workers == 0 {
		cfg.Workers = 64
	}
	schedule := webhook.Schedule(cfg.Retries)
	if schedule == nil {
		schedule = webhook.DefaultSchedule()
	}
	p := &pusher{
		s: s, cfg: cfg, network: webhook.Network{Loopback: !cfg.NoLoopback, Private: cfg.AllowPrivate}, schedule: schedule, gates: webhook.NewGates(cfg.Workers / 2),
	}
	p.sender = webhook.NewSender(p.network, cfg.Timeout)
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &pushWorker{p: p}); err != nil {
		return nil, fmt.Errorf("prepare the pushes: %w", err)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: pushSchema, Queues: map[string]river.QueueConfig{pushQueue: {MaxWorkers: cfg.Workers}}, Workers: workers,
		Logger:     slog.New(slog.DiscardHandler), // it writes job rows and errors; what matters is logged here
		JobTimeout: cfg.Timeout + 20*time.Second, RescueStuckJobsAfter: cfg.Timeout + time.Minute,
		FetchCooldown: 20 * time.Millisecond, CompletedJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: 24 * time.Hour,
		CancelledJobRetentionPeriod: 24 * time.Hour, MaxAttempts: schedule.Attempts(), SoftStopTimeout: stopLimit,
	})
	if err != nil {
		return nil, fmt.Errorf("open the queue of pushes: %w", err)
	}
	p.client = client
	return p, nil
}

// run works the queue until ctx ends; attempts under way are let finish.
func (p *pusher) run(ctx context.Context) error {
	if err := p.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the pushes: %w", err)
	}
	tick := time.NewTicker(lagInterval)
	defer tick.Stop()
	for {
		p.measure(ctx)
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit+5*time.Second)
		defer cancel()
		if err := p.client.Stop(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("stop the pushes: %w", err)
		}
		return nil
	}
}

// measure notes how long the oldest push has been under way.
func (p *pusher) measure(ctx context.Context) {
	oldest, err := p.s.store.OldestDelivery(ctx)
	switch {
	case err != nil:
	case oldest.IsZero():
		p.s.metrics.delivery.Store(0)
	default:
		p.s.metrics.delivery.Store(int64(max(0, p.s.now().Sub(oldest))))
	}
}

// assigned is the push that tells a dealer of a lead; the zero delivery if its department has no
// address and reads our inbox.
func (p *pusher) assigned(rb *rulebook, k *postgres.Case) delivery {
	if k.Owner == nil {
		return delivery{}
	}
	target := rb.network.webhook(k.Owner.DealerID, k.Owner.Department)
	if target == "" {
		return delivery{}
	}
	return delivery{
		ID: outbox.NewEventID(), LeadID: k.LeadID, Sequence: k.Owner.Sequence, DealerID: k.Owner.DealerID, WebhookID: target,
		State: postgres.DeliveryPending, Traceparent: k.Traceparent, CreatedAt: p.s.now(),
	}
}

// enqueue makes pushes in the transaction that made their cause.
func (p *pusher) enqueue(ctx context.Context, tx pgx.Tx, list []delivery) error {
	kept := make([]delivery, 0, len(list))
	var jobs []river.InsertManyParams
	for _, d := range list {
		if d.ID.IsZero() {
			continue
		}
		kept = append(kept, d)
		jobs = append(jobs, river.InsertManyParams{Args: pushArgs{d.ID.String(), d.LeadID.String()}, InsertOpts: p.options()})
	}
	if len(kept) == 0 {
		return nil
	}
	if err := p.s.store.InsertDeliveries(ctx, tx, kept); err != nil {
		return err
	}
	if _, err := p.client.InsertManyFastTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("queue the pushes: %w", err)
	}
	return nil
}

func (p *pusher) options() *river.InsertOpts {
	return &river.InsertOpts{Queue: pushQueue, MaxAttempts: p.schedule.Attempts()}
}

// again sends a delivery once more, at once, with a full schedule of attempts.
func (p *pusher) again(ctx context.Context, id, leadID lead.ID) error {
	return p.s.store.Redeliver(ctx, id, p.s.now(), func(tx pgx.Tx) (int64, error) {
		r, err := p.client.InsertTx(ctx, tx, pushArgs{id.String(), leadID.String()}, p.options())
		if err != nil {
			return 0, fmt.Errorf("queue the push: %w", err)
		}
		return r.Job.ID, nil
	})
}

// mostWoken bounds what one change of an address sends again; the rest comes with its next attempts.
const mostWoken = 500

// wake sends what waits for an address at once, because the address is another now, or none.
func (p *pusher) wake(ctx context.Context, webhookID string) error {
	list, err := p.s.store.PendingOf(ctx, webhookID, mostWoken)
	if err != nil {
		return err
	}
	for id, leadID := range list {
		if err := p.again(ctx, id, leadID); err != nil {
			return err
		}
	}
	return nil
}

// nextRetry is when a job is tried again after its attempt failed.
func (p *pusher) nextRetry(attempt int) time.Time {
	wait, ok := p.schedule.Next(attempt, rand.Float64())
	if !ok {
		wait = 0 // River gives it up
	}
	return time.Now().Add(wait)
}
