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
	"github.com/leadmesh/leadmesh/services/internal/queue"
	"github.com/leadmesh/leadmesh/services/routing/internal/adfpost"
	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailer"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// WebhookConfig are the settings of the pushes; the zero value works.
type WebhookConfig struct {
	Source       string          // the CloudEvents source; "": /leadmesh/routing
	AllowPrivate bool            // addresses inside private networks may be pushed to
	NoLoopback   bool            // this machine may not be pushed to
	Retries      []time.Duration // waits between attempts; nil: 5 s to 24 h, nine of them
	Timeout      time.Duration   // of one attempt; 0: 10 s
	Workers      int             // attempts under way at once over all endpoints; 0: 64
	Provider     string          // provider/name of ADF documents; CRMs tell senders apart by it; "": leadmesh
	Mail         MailConfig
}

// MailConfig is the relay that takes mail; the zero value is none, and departments that get ADF by
// e-mail read the inbox.
type MailConfig struct {
	Relay    string // smtp:// or smtps://, with USER:PASSWORD@ if it asks for them
	Password string // instead of the relay's
	From     string // who sends: an address, with or without a name
	ReplyTo  string // "": none
}

const (
	pushSchema = "routing_river"
	pushQueue  = "push"
	adfQueue   = "adf"  // what a process that knows only webhooks must not work
	mailQueue  = "mail" // apart, since all mail waits for one relay

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
	network  endpoint.Network
	schedule endpoint.Schedule
	events   *webhook.Sender
	adf      *adfpost.Sender
	mail     *mailer.Sender // nil: no relay
	gates    *endpoint.Gates
	client   *queue.Client
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
	if cfg.Provider == "" {
		cfg.Provider = adfSystem
	}
	schedule := endpoint.Schedule(cfg.Retries)
	if schedule == nil {
		schedule = endpoint.DefaultSchedule()
	}
	p := &pusher{
		s: s, cfg: cfg, network: endpoint.Network{Loopback: !cfg.NoLoopback, Private: cfg.AllowPrivate}, schedule: schedule, gates: endpoint.NewGates(cfg.Workers / 2),
	}
	post := endpoint.NewClient(p.network, cfg.Timeout)
	p.events, p.adf = webhook.NewSender(post), adfpost.NewSender(post)
	var err error
	if p.mail, err = newMailSender(cfg.Mail, cfg.Timeout); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &pushWorker{p: p}); err != nil {
		return nil, fmt.Errorf("prepare the pushes: %w", err)
	}
	if err := river.AddWorkerSafely(workers, &noticeWorker{p: p}); err != nil {
		return nil, fmt.Errorf("prepare the notices: %w", err)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: pushSchema, Workers: workers,
		Queues: map[string]river.QueueConfig{
			pushQueue: {MaxWorkers: cfg.Workers}, adfQueue: {MaxWorkers: cfg.Workers}, mailQueue: {MaxWorkers: max(1, cfg.Workers/4)},
		},
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

func newMailSender(cfg MailConfig, timeout time.Duration) (*mailer.Sender, error) {
	if cfg.Relay == "" {
		return nil, nil
	}
	relay, err := mailer.ParseRelay(cfg.Relay)
	if err != nil {
		return nil, fmt.Errorf("--smtp-relay: %w", err)
	}
	if cfg.From == "" {
		return nil, errors.New("--smtp-relay needs --mail-from, the address that mail is from")
	}
	if cfg.Password != "" {
		relay.Password = cfg.Password
	}
	sender, err := mailer.NewSender(mailer.Config{Relay: relay, From: cfg.From, ReplyTo: cfg.ReplyTo, Timeout: timeout})
	if err != nil {
		return nil, fmt.Errorf("--mail-from, --mail-reply-to: %w", err)
	}
	return sender, nil
}

// run works the queues until ctx ends; attempts under way are let finish.
func (p *pusher) run(ctx context.Context) error {
	return queue.Run(ctx, "the pushes", p.client, stopLimit, func() { p.watch(ctx) })
}

// watch measures how late pushes are, and feeds the queues, until ctx ends.
func (p *pusher) watch(ctx context.Context) {
	tick := time.NewTicker(lagInterval)
	defer tick.Stop()
	feed := time.NewTimer(0)
	defer feed.Stop()
	p.measure(ctx)
	for {
		select {
		case <-tick.C:
			p.measure(ctx)
		case <-feed.C:
			feed.Reset(p.feed(ctx))
		case <-ctx.Done():
			return
		}
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
	target := rb.network.endpoint(k.Owner.DealerID, k.Owner.Department)
	if target.id == "" {
		return delivery{}
	}
	return delivery{
		ID: outbox.NewEventID(), LeadID: k.LeadID, Sequence: k.Owner.Sequence, DealerID: k.Owner.DealerID, WebhookID: target.id,
		Kind: target.kind, State: postgres.DeliveryPending, Traceparent: k.Traceparent, CreatedAt: p.s.now(),
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
		jobs = append(jobs, river.InsertManyParams{Args: pushArgs{d.ID.String(), d.LeadID.String()}, InsertOpts: p.options(d.Kind)})
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

func (p *pusher) options(kind postgres.EndpointKind) *river.InsertOpts {
	name := pushQueue
	switch kind {
	case postgres.KindADFHTTP:
		name = adfQueue
	case postgres.KindADFEmail:
		name = mailQueue
	}
	return &river.InsertOpts{Queue: name, MaxAttempts: p.schedule.Attempts()}
}

// again sends a delivery once more, at once, with a full schedule of attempts.
func (p *pusher) again(ctx context.Context, d *delivery) error {
	kind, err := p.kindOf(ctx, d.WebhookID)
	if err != nil {
		return err
	}
	return p.s.store.Redeliver(ctx, d.ID, p.s.now(), func(tx pgx.Tx) (int64, error) {
		r, err := p.client.InsertTx(ctx, tx, pushArgs{d.ID.String(), d.LeadID.String()}, p.options(kind))
		if err != nil {
			return 0, fmt.Errorf("queue the push: %w", err)
		}
		return r.Job.ID, nil
	})
}

// wake sends what waits for an address soon, because the address is another now, or none.
func (p *pusher) wake(ctx context.Context, webhookID string) error {
	return p.s.store.HoldPending(ctx, webhookID, p.s.now())
}

const (
	mostFed    = 64 // deliveries of a range under way to one address
	feedAgain  = 100 * time.Millisecond
	feedSeldom = time.Second
)

// feed makes jobs of deliveries that wait for their addresses: those of ranges, and those of
// addresses that changed. Each address gets a few at a time, so that a hundred thousand of them
// slow nobody else's. It answers when to look again.
func (p *pusher) feed(ctx context.Context) time.Duration {
	list, err := p.s.store.WaitingWebhooks(ctx)
	if err != nil || len(list) == 0 {
		return feedSeldom // what is wrong with the database others tell
	}
	wait := feedSeldom
	for _, id := range list {
		n, err := p.feedOne(ctx, id)
		if err != nil && ctx.Err() == nil {
			p.s.log.LogAttrs(ctx, slog.LevelWarn, "deliveries wait on", slog.String("webhook", id), slog.String("cause", plain(err).Error()))
		}
		if n > 0 {
			wait = feedAgain
		}
	}
	return wait
}

func (p *pusher) feedOne(ctx context.Context, webhookID string) (int, error) {
	kind, err := p.kindOf(ctx, webhookID)
	if err != nil {
		return 0, err
	}
	return p.s.store.TakeWaiting(ctx, webhookID, mostFed, p.s.now(), func(tx pgx.Tx, ids, leads []lead.ID) ([]int64, error) {
		params := make([]river.InsertManyParams, len(ids))
		for i := range ids {
			params[i] = river.InsertManyParams{Args: pushArgs{ids[i].String(), leads[i].String()}, InsertOpts: p.options(kind)}
		}
		rows, err := p.client.InsertManyTx(ctx, tx, params)
		if err != nil {
			return nil, fmt.Errorf("queue the pushes: %w", err)
		}
		jobs := make([]int64, 0, len(rows))
		for _, r := range rows {
			jobs = append(jobs, r.Job.ID)
		}
		return jobs, nil
	})
}

// nextRetry is when a job is tried again after its attempt failed.
func (p *pusher) nextRetry(attempt int) time.Time {
	wait, ok := p.schedule.Next(attempt, rand.Float64())
	if !ok {
		wait = 0 // River gives it up
	}
	return time.Now().Add(wait)
}
