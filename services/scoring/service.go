// Package scoring keeps the playbook, the one bundle of rules the house works by, and the models that
// score in place of its tables, hands both to the other services, and scores leads with them for
// whoever asks.
package scoring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/queue"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"golang.org/x/sync/errgroup"
)

const (
	followEvery = time.Second
	// A replica's note that it does not take a playbook counts this long after it was last written.
	refusalFresh = 10 * time.Second
	refusalKept  = time.Hour
)

// Migrations is what the service keeps in the database.
func Migrations() postgres.Module {
	m := store.Module()
	m.Companion = queue.Companion(jobSchema)
	return m
}

// Config are the settings of the service; the zero value works.
type Config struct {
	Models ModelRules
	// RescoreAt is the time of day, hours and minutes such as 02:30 in the playbook's time zone, at which
	// everybody is scored each night; "": only when somebody asks.
	RescoreAt string
}

// Deps are what the service works with; Pool, Tel and Now are required.
type Deps struct {
	Pool *pgxpool.Pool // role leadmesh_scoring, schema scoring
	// Model returns what the network's catalogue knows of a model: a decision scores with it, so
	// that a score without it would be another. nil: nothing.
	Model func(brand, code string) (Model, bool)
	// Past reads what was decided, for backtests and trainings. nil: there are none to work on, and
	// those begun wait for a process that can.
	Past PastDecisions
	// Profiles reads everybody, for re-scorings. nil: as with Past.
	Profiles Profiles
	// Cares reads who waits for an answer to a complaint or recall question, for re-scorings. nil: nobody
	// is known to.
	Cares Cares
	// Receipts reads what decisions were scored from. nil: only leads in a request can be explained.
	Receipts Receipts
	Tel      *telemetry.Telemetry
	Now      func() time.Time
}

// Model is what a score needs to know of a model of the catalogue.
type Model struct {
	Powertrain lead.Powertrain
	Program    bool // a store needs a program to sell it
}

// Service is ScoringService, ModelService, RescoringService and SnapshotService. Safe for concurrent use.
type Service struct {
	scoringv1.UnsafeScoringServiceServer
	scoringv1.UnsafeModelServiceServer
	scoringv1.UnsafeModelReportServiceServer
	scoringv1.UnsafeRescoringServiceServer
	scoringv1.UnsafeSnapshotServiceServer

	store      *store.Store
	rules      ModelRules
	model      func(brand, code string) (Model, bool)
	decided    PastDecisions
	profiles   Profiles
	cares      Cares
	receipts   Receipts
	jobs       *jobs
	backtests  *runs[*store.Backtest, store.BacktestChange]
	rescorings *runs[*store.Rescoring, store.RescoringChange]
	trainings  *runs[*store.Training, store.TrainingChange]
	log        *slog.Logger
	now        func() time.Time
	night      night
	look       int32    // persons that one statement of a list looks at
	replica    [16]byte // names this process among the replicas
	held       atomic.Pointer[held]

	mu      sync.Mutex // one refresh at a time
	refused string     // the active revision with its models, if it does not compile here
	failure atomic.Pointer[string]

	pastMu        sync.Mutex
	pastPlaybooks map[pastRules]*playbook.Playbook // compiled for questions about old decisions
}

// held is the playbook with its models in force in this process.
type held struct {
	stored   store.Stored
	own      *playbook.Playbook // with its own tables
	playbook *playbook.Playbook // with those of the active models
	models   []force
	force    string // names the models together; "" for none
}

var (
	_ scoringv1.ScoringServiceServer   = (*Service)(nil)
	_ scoringv1.ModelServiceServer     = (*Service)(nil)
	_ scoringv1.RescoringServiceServer = (*Service)(nil)
	_ scoringv1.SnapshotServiceServer  = (*Service)(nil)
)

// New makes the service; Run runs its loop.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Pool == nil || deps.Tel == nil || deps.Now == nil {
		return nil, errors.New("scoring needs a pool, telemetry and a clock")
	}
	if deps.Model == nil {
		deps.Model = func(string, string) (Model, bool) { return Model{}, false }
	}
	s := &Service{store: store.New(deps.Pool), rules: cfg.Models.complete(), model: deps.Model, decided: deps.Past, profiles: deps.Profiles, cares: deps.Cares, look: lookAtOnce, receipts: deps.Receipts, log: deps.Tel.Log, now: deps.Now}
	var err error
	if s.night, err = parseNight(cfg.RescoreAt); err != nil {
		return nil, fmt.Errorf("when everybody is scored: %w", err)
	}
	if _, err := rand.Read(s.replica[:]); err != nil {
		return nil, fmt.Errorf("name the replica: %w", err)
	}
	s.backtests, s.rescorings, s.trainings = newBacktests(s), newRescorings(s), newTrainings(s)
	if s.jobs, err = newJobs(s, deps.Pool); err != nil {
		return nil, err
	}
	return s, nil
}

// Run keeps the process in step with the active playbook and does the long work until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.follow(ctx) })
	if len(s.jobs.chores) > 0 {
		group.Go(func() error { return s.jobs.run(ctx) })
	}
	if s.night.set && s.profiles != nil {
		group.Go(func() error { return s.rescoreNightly(ctx) })
	}
	return group.Wait()
}

// follow keeps the process in step with the active playbook.
func (s *Service) follow(ctx context.Context) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if err := s.refresh(ctx); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "playbook not looked up, the old one stays", slog.String("cause", err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Health reports what keeps the service from working: no database, or an active playbook that
// does not compile here. To have no playbook yet is healthy: one can be applied.
func (s *Service) Health(ctx context.Context) error {
	if why := s.failure.Load(); why != nil {
		return errors.New(*why)
	}
	return s.store.Ping(ctx)
}

// refresh takes over the active playbook and the models in force if they are others than those in
// force here. What does not compile leaves the old one in force; the other replicas can see it.
func (s *Service) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	active, err := s.store.Active(ctx)
	if err != nil || active == "" {
		return err
	}
	models, err := s.store.ModelsInForce(ctx)
	if err != nil {
		return err
	}
	force := nameOf(models)
	now := s.held.Load()
	switch {
	case now != nil && now.stored.Revision == active && now.force == force:
		return s.comply(ctx)
	case active+force == s.refused:
		return s.store.Refuse(ctx, s.replica, active, *s.failure.Load(), s.now())
	}
	next := &held{force: force}
	if next.models, err = s.readForce(ctx, models); err != nil {
		return err
	}
	if now != nil && now.stored.Revision == active {
		next.stored, next.own = now.stored, now.own
	} else if next.stored, err = s.store.Get(ctx, active); err != nil {
		return err
	}
	if err := next.compile(); err != nil {
		why := fmt.Sprintf("playbook %s does not compile in this version: %v", active, err)
		s.refused = active + force
		s.failure.Store(&why)
		s.log.LogAttrs(ctx, slog.LevelError, "playbook does not compile here, the one before stays",
			slog.String("revision", active), slog.String("cause", err.Error()))
		return s.store.Refuse(ctx, s.replica, active, why, s.now())
	}
	s.held.Store(next)
	s.log.LogAttrs(ctx, slog.LevelInfo, "playbook in force", slog.String("revision", active), slog.Int("models", len(models)))
	return s.comply(ctx)
}

// compile makes the playbooks of a snapshot.
func (h *held) compile() (err error) {
	if h.own == nil {
		if h.own, err = playbook.Load(h.stored.Bundle); err != nil {
			return err
		}
	}
	h.playbook, err = effective(h.own, h.models)
	return err
}

// comply clears an earlier refusal.
func (s *Service) comply(ctx context.Context) error {
	if s.refused == "" {
		return nil
	}
	if err := s.store.Comply(ctx, s.replica, s.now().Add(-refusalKept)); err != nil {
		return err
	}
	s.refused = ""
	s.failure.Store(nil)
	return nil
}

// active returns the playbook in force; the problem NOT_READY before there is one.
func (s *Service) active(ctx context.Context) (*held, error) {
	if h := s.held.Load(); h != nil {
		return h, nil
	}
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	if h := s.held.Load(); h != nil {
		return h, nil
	}
	why := "no playbook is active yet; apply one"
	if s.failure.Load() != nil {
		why = "the active playbook does not compile in this version; apply a corrected one"
	}
	p := problem.New(problemv1.Reason_REASON_NOT_READY, "%s", why)
	p.RetryAfter = time.Second
	return nil, p
}
