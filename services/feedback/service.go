package feedback

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// caseClient is what Feedback needs of Routing.
type caseClient interface {
	BatchGetCases(ctx context.Context, in *routingv1.BatchGetCasesRequest, opts ...grpc.CallOption) (*routingv1.BatchGetCasesResponse, error)
	ApplyActivities(ctx context.Context, in *routingv1.ApplyActivitiesRequest, opts ...grpc.CallOption) (*routingv1.ApplyActivitiesResponse, error)
}

// Config has usable zero values.
type Config struct {
	// ApplyTimeout is how long a report waits for Routing before it is answered as noted; 0 means
	// 5 seconds.
	ApplyTimeout time.Duration
	// KeepUnknown is how long a report about an unknown lead is retried; 0 means 24 hours.
	KeepUnknown time.Duration
}

// Deps are what the service works with; all are required.
type Deps struct {
	Pool  *pgxpool.Pool // sees the feedback schema
	Cases caseClient
	Log   *slog.Logger
	Now   func() time.Time
}

// Service is FeedbackService and EventService. It is safe for concurrent use.
type Service struct {
	feedbackv1.UnsafeFeedbackServiceServer
	feedbackv1.UnsafeEventServiceServer
	cfg   Config
	store *store.Store
	cases caseClient
	log   *slog.Logger
	now   func() time.Time
	bell  feedBell
}

var (
	_ feedbackv1.FeedbackServiceServer = (*Service)(nil)
	_ feedbackv1.EventServiceServer    = (*Service)(nil)
)

// New makes the service; Run runs its loops.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Pool == nil || deps.Cases == nil || deps.Log == nil || deps.Now == nil {
		return nil, errors.New("feedback needs a pool, routing's cases, a log and a clock")
	}
	if cfg.ApplyTimeout <= 0 {
		cfg.ApplyTimeout = 5 * time.Second
	}
	if cfg.KeepUnknown <= 0 {
		cfg.KeepUnknown = 24 * time.Hour
	}
	return &Service{cfg: cfg, store: store.New(deps.Pool), cases: deps.Cases, log: deps.Log, now: deps.Now}, nil
}

// Migrations is what the service keeps in the database.
func Migrations() postgres.Module { return store.Module() }

const (
	// foldEvery and how long a lead may wait for its decision are together below what the watermark
	// keeps from now anyway.
	foldEvery  = time.Second
	foldWait   = 900 * time.Millisecond
	retryEvery = time.Second
	sweepEvery = time.Minute
)

// Run folds the log into the figures, retries unapplied reports and sweeps what is no longer needed, until ctx ends. Any number of
// replicas may run.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return every(ctx, foldEvery, func() {
			if _, err := s.store.Fold(ctx, store.Young{Now: s.now(), Wait: foldWait}); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "fold of events", "error", err)
			}
		})
	})
	g.Go(func() error {
		return every(ctx, retryEvery, func() {
			if _, err := s.RetryUnapplied(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "retry of unapplied reports", "error", err)
			}
		})
	})
	g.Go(func() error {
		return every(ctx, sweepEvery, func() {
			if err := s.store.ForgetArrivals(ctx, s.now().Add(-time.Hour)); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "sweep of arrivals", "error", err)
			}
			if err := s.SweepFeed(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "sweep of the feed", "error", err)
			}
		})
	})
	return g.Wait()
}

func every(ctx context.Context, interval time.Duration, work func()) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			work()
		}
	}
}

// Fold brings the figures up to the log, as far as appended when it began, and returns how many
// leads it folded. Any number of callers may fold at once.
func (s *Service) Fold(ctx context.Context) (leads int, err error) {
	return s.store.Fold(ctx, store.Young{})
}

// SweepFeed takes out of the feed what is older than it keeps. What nobody read is numbered first, so
// that no cursor passes over it in silence.
func (s *Service) SweepFeed(ctx context.Context) error {
	if err := s.store.NumberFeed(ctx); err != nil {
		return err
	}
	return s.store.ForgetFeed(ctx, s.now().Add(-feedKept))
}

// UnappliedCount returns how many reports wait for Routing, for a metric.
func (s *Service) UnappliedCount(ctx context.Context) (int64, error) {
	return s.store.CountUnapplied(ctx)
}

// Health reports why the service cannot work now; nil if it can.
func (s *Service) Health(ctx context.Context) error { return s.store.Ping(ctx) }
