// Package capture takes leads in: it makes them durable before it answers, drives them to a
// decision, and is the authority for what is pending, rejected or parked for its data.
package capture

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/form"
	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/capture/internal/graph"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/sources"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

//go:embed internal/postgres/migrations/*.sql
var migrations embed.FS

// Migrations is Capture's schema.
func Migrations() postgres.Module {
	return postgres.Module{Service: "capture", FS: migrations, Dir: "internal/postgres/migrations"}
}

// Config sets the service's limits. The zero value takes the defaults.
type Config struct {
	MaxInFlight  int           // leads being taken in at once; beyond it OVERLOADED. 0: 20,000
	AnswerWithin time.Duration // how long a request waits for decisions. 0: 2 s
	DriveWithin  time.Duration // how long the pending driver waits for them. 0: 10 s
	PollEvery    time.Duration // how often the pending driver and the review sweep look. 0: 500 ms
	ParkOwner    string        // who looks at leads parked for their data. "": "mops"
}

func (c Config) withDefaults() Config {
	set(&c.MaxInFlight, 20_000)
	set(&c.AnswerWithin, 2*time.Second)
	set(&c.DriveWithin, 10*time.Second)
	set(&c.PollEvery, 500*time.Millisecond)
	set(&c.ParkOwner, "mops")
	return c
}

func set[T comparable](p *T, byDefault T) {
	var zero T
	if *p == zero {
		*p = byDefault
	}
}

// Deps is what the service works with. All are required except Persons, DealerZone and Sources.
type Deps struct {
	Pool *pgxpool.Pool
	// Governor returns the active governance rules and their playbook's revision; nil while there
	// is none. Leads are stored then and governed when there is.
	Governor func() (*governance.Governor, string)
	Identity resolver
	Decide   decider
	Cases    cases
	Events   eventLog
	Persons  persons // nil: answers carry no person
	// DealerZone knows the zone of a dealer by whatever a lead calls it; nil if it does not. A nil
	// function knows none.
	DealerZone func(lead.DealerReference) *time.Location
	// Sources returns the senders of forms that are declared; nil if none are, as a nil function does.
	Sources func() *sources.File
	Tel     *telemetry.Telemetry
	Now     func() time.Time
}

// resolver is the part of Identity that says who leads are from.
type resolver interface {
	BatchResolve(ctx context.Context, in *identityv1.BatchResolveRequest, opts ...grpc.CallOption) (*identityv1.BatchResolveResponse, error)
}

// decider is the client end of the Decide stream.
type decider interface {
	Decide(ctx context.Context, requests []*routingv1.DecideRequest) []*routingv1.DecideResponse
}

// cases is the part of Routing that knows decided leads, and works on those that nobody owns.
type cases interface {
	BatchGetCases(ctx context.Context, in *routingv1.BatchGetCasesRequest, opts ...grpc.CallOption) (*routingv1.BatchGetCasesResponse, error)
	RefreshCases(ctx context.Context, in *routingv1.RefreshCasesRequest, opts ...grpc.CallOption) (*routingv1.RefreshCasesResponse, error)
	RejectCase(ctx context.Context, in *routingv1.RejectCaseRequest, opts ...grpc.CallOption) (*routingv1.RejectCaseResponse, error)
	WakeCases(ctx context.Context, in *routingv1.WakeCasesRequest, opts ...grpc.CallOption) (*routingv1.WakeCasesResponse, error)
}

// eventLog is the part of Feedback that keeps what happened.
type eventLog interface {
	BatchAppendEvents(ctx context.Context, in *feedbackv1.BatchAppendEventsRequest, opts ...grpc.CallOption) (*feedbackv1.BatchAppendEventsResponse, error)
	ListLeadEvents(ctx context.Context, in *feedbackv1.ListLeadEventsRequest, opts ...grpc.CallOption) (*feedbackv1.ListLeadEventsResponse, error)
}

// persons is the part of Identity that says whose a lead is.
type persons interface {
	ExplainLead(ctx context.Context, in *identityv1.ExplainLeadRequest, opts ...grpc.CallOption) (*identityv1.ExplainLeadResponse, error)
}

// Service is Capture. Safe for concurrent use.
type Service struct {
	capturev1.UnsafeCaptureServiceServer

	cfg      Config
	deps     Deps
	store    *store.Store
	json     *jsonReader
	forms    *form.Reader
	graph    *graph.Client
	relay    *outbox.Relay
	captures *combiner[*intake]
	releases *combiner[lead.ID]
	meters   meters
	log      *slog.Logger

	inFlight   atomic.Int64
	updateCame chan struct{}
	secretMu   sync.Mutex
	secret     []byte
	zones      sync.Map     // IANA name -> *time.Location; nil if the host has no such zone
	oldest     atomic.Int64 // unix nanoseconds of the oldest pending lead; 0: none
}

var _ capturev1.CaptureServiceServer = (*Service)(nil)

// New makes the service. It opens nothing: the pool may still be without a server.
func New(cfg Config, deps Deps) (*Service, error) {
	missing := map[string]bool{
		"Pool": deps.Pool == nil, "Governor": deps.Governor == nil, "Identity": deps.Identity == nil, "Decide": deps.Decide == nil,
		"Cases": deps.Cases == nil, "Events": deps.Events == nil, "Tel": deps.Tel == nil, "Now": deps.Now == nil,
	}
	for name, is := range missing {
		if is {
			return nil, fmt.Errorf("capture needs %s", name)
		}
	}
	s := &Service{
		cfg: cfg.withDefaults(), deps: deps, store: store.New(deps.Pool), json: newJSONReader(), forms: form.NewReader(), graph: graph.New(), log: deps.Tel.Log,
		updateCame: make(chan struct{}, 1),
		relay:      outbox.NewRelay(deps.Pool, deps.Events, deps.Tel.Log, deps.Now),
	}
	s.captures = &combiner[*intake]{work: s.commit}
	s.releases = &combiner[lead.ID]{work: s.store.Release}
	if err := s.meters.register(s); err != nil {
		return nil, err
	}
	return s, nil
}

// Run drives pending leads, wakes parked ones whose review has come, brings updates to
// whom they concern and hands events over, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.relay.Run(ctx) })
	g.Go(func() error { return s.runPending(ctx) })
	g.Go(func() error { return s.runReviews(ctx) })
	g.Go(func() error { return s.runUpdates(ctx) })
	g.Go(func() error { return s.runFetches(ctx) })
	return g.Wait()
}

// Health reports what keeps the service from making leads durable.
func (s *Service) Health(ctx context.Context) error {
	if err := s.store.Ping(ctx); err != nil {
		return fmt.Errorf("capture cannot reach its database: %w", err)
	}
	return nil
}

// installationSecret reads the secret once.
func (s *Service) installationSecret(ctx context.Context) ([]byte, error) {
	s.secretMu.Lock()
	defer s.secretMu.Unlock()
	if s.secret == nil {
		secret, err := s.store.Secret(ctx)
		if err != nil {
			return nil, err
		}
		s.secret = secret
	}
	return s.secret, nil
}

// warn logs what went wrong in the background; causes are of our own code and the database's.
func (s *Service) warn(ctx context.Context, message string, err error) {
	if err == nil || errors.Is(err, context.Canceled) || ctx.Err() != nil {
		return
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, message, slog.String("cause", problem.From(err).Error()))
}
