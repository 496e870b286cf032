// Package routing decides who follows a lead up, owns every decided lead until it is closed, and
// watches its deadlines. Everything that is not thinking is here; the thinking is in core.
package routing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	pgstore "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/queue"
	"github.com/leadmesh/leadmesh/services/internal/stream"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// Config are the settings of the service; the zero value works.
type Config struct {
	Window     int  // leads that may be unanswered at once over all streams; 0: 4,096
	Committers int  // commit groups under way at once; 0: 2
	Group      int  // most leads in one commit group; 0: 512
	Sender     bool // something is configured that acknowledges to customers: that clock is due
	Webhooks   WebhookConfig
}

// Deps are what the service works with; all are required.
type Deps struct {
	Pool     *pgxpool.Pool // role leadmesh_routing, schema routing
	Playbook *playbookfeed.Feed
	Shadows  shadowLog
	Events   eventLog
	Identity resolver // what is known of a customer when a parked lead wakes
	Tel      *telemetry.Telemetry
	Now      func() time.Time
}

// resolver is the part of Identity that says who leads are from.
type resolver interface {
	BatchResolve(ctx context.Context, in *identityv1.BatchResolveRequest, opts ...grpc.CallOption) (*identityv1.BatchResolveResponse, error)
}

// eventLog is the part of Feedback that takes events.
type eventLog interface {
	BatchAppendEvents(ctx context.Context, in *feedbackv1.BatchAppendEventsRequest, opts ...grpc.CallOption) (*feedbackv1.BatchAppendEventsResponse, error)
}

// Service is Routing. Safe for concurrent use.
type Service struct {
	routingv1.UnsafeRoutingServiceServer
	routingv1.UnsafeCaseServiceServer
	routingv1.UnsafeDecisionServiceServer

	cfg       Config
	store     *postgres.Store
	playbooks *playbookfeed.Feed
	identity  resolver
	engine    engine
	old       oldRules
	stream    *stream.Server
	committer *committer
	relay     *outbox.Relay
	push      *pusher
	tel       *telemetry.Telemetry
	log       *slog.Logger
	metrics   *metrics
	shadows   *shadowBook
	now       func() time.Time

	network  networkWatch
	evidence evidenceBook

	verdicts, inquiries sync.Pool
}

var (
	_ routingv1.RoutingServiceServer  = (*Service)(nil)
	_ routingv1.CaseServiceServer     = (*Service)(nil)
	_ routingv1.DecisionServiceServer = (*Service)(nil)
)

// Migrations is what the service keeps in the database.
func Migrations() pgstore.Module {
	return pgstore.Module{Service: "routing", FS: postgres.Migrations(), Dir: "migrations", Companion: queue.Companion(pushSchema)}
}

// New makes the service. Run runs it.
func New(cfg Config, deps Deps) (*Service, error) {
	if cfg.Window == 0 {
		cfg.Window = 4_096
	}
	if cfg.Committers == 0 {
		cfg.Committers = 2
	}
	if cfg.Group == 0 {
		cfg.Group = 512
	}
	store, err := postgres.NewStore(deps.Pool)
	if err != nil {
		return nil, err
	}
	s := &Service{
		cfg: cfg, store: store, playbooks: deps.Playbook, identity: deps.Identity, stream: stream.NewServer(cfg.Window),
		relay: outbox.NewRelay(deps.Pool, deps.Events, deps.Tel.Log, deps.Now),
		tel:   deps.Tel, log: deps.Tel.Log, now: deps.Now,
	}
	s.verdicts.New, s.inquiries.New = func() any { return &verdict{} }, func() any { return &inquiry{} }
	s.committer = newCommitter(s)
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, err
	}
	if s.shadows, err = newShadowBook(deps.Tel, deps.Shadows); err != nil {
		return nil, err
	}
	if s.push, err = newPusher(cfg.Webhooks, s, deps.Pool); err != nil {
		return nil, err
	}
	return s, nil
}

// Run runs the loops of the service until ctx ends: the rulebook's feed, the committers, the
// sweeps, the relay of events, the pushes.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.followRules(ctx) })
	for i := range s.cfg.Committers {
		g.Go(func() error { return s.committer.run(ctx, i) })
	}
	g.Go(func() error { return s.sweep(ctx) })
	g.Go(func() error { return s.relay.Run(ctx) })
	g.Go(func() error { return s.push.run(ctx) })
	g.Go(func() error { return s.push.followNights(ctx) })
	g.Go(func() error { return s.followQueue(ctx) })
	g.Go(func() error { return s.shadows.run(ctx) })
	return g.Wait()
}

// Drain tells open streams to go elsewhere.
func (s *Service) Drain() { s.stream.Drain() }

// Health reports what keeps the service from deciding.
func (s *Service) Health(ctx context.Context) error {
	if s.engine.rules.Load() == nil {
		return errors.New("no network and playbook loaded yet")
	}
	if err := s.network.failure(); err != nil {
		return err
	}
	return s.store.Ping(ctx)
}
