// Package identity knows who a lead is from, what they own and what they did.
//
// A call that writes is one transaction. It locks the keys it works on, in order, so that two replicas
// never make two persons of one new e-mail address, and then the rows of the persons it may change. A
// few keys are locked each by itself, and many by their buckets, as releases before this one lock all. Records and keys are never moved or removed: two persons found to be one
// are joined by a pointer, so old identifiers stay readable and a split restores what was. Of two
// persons joined the one known longer survives, of one moment the one with the smaller identifier.
package identity

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/queue"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"golang.org/x/sync/errgroup"
)

// Config is what differs between installations. The zero value works.
type Config struct {
	Market  string        // ISO 3166-1 alpha-2 of national phone numbers and units; "" means US
	SeenFor time.Duration // how long the id of a signal is remembered; 0 means 400 days
}

// Deps is what the service works with. Pool, Tel and Now are required.
type Deps struct {
	Pool *pgxpool.Pool // of the service's role and schema
	Tel  *telemetry.Telemetry
	Now  func() time.Time

	// HalfLives returns those of the active playbook; nil, the function or what it returns, stands
	// for the default ones.
	HalfLives func() *signal.HalfLives
	// DealerID finds a dealer by the network's identifier or any of its codes; nil takes what is
	// given for the identifier.
	DealerID func(code string) (string, bool)
	// Model finds a model of the catalogue by code, name or alias; nil knows none.
	Model func(name string) (code string, powertrain lead.Powertrain, ok bool)
	// Owners returns the stores that own leads now; leads that are not decided are left out. It says
	// what a store may see of a person. nil knows of no decided lead.
	Owners func(ctx context.Context, leads []lead.ID) (map[lead.ID]string, error)
	// CommonKeyCap is how many persons may hold a key before it tells nobody apart; 0 means 21.
	CommonKeyCap int
	// NewID makes the identifiers of persons; nil makes random ones that begin with the time.
	NewID func() lead.ID
}

// Service serves what Identity answers, to the outside and to the house. It is safe for concurrent use.
type Service struct {
	identityv1.UnsafeIdentityServiceServer
	identityv1.UnsafeResolveServiceServer
	identityv1.UnsafeReviewServiceServer
	identityv1.UnsafeMatchingServiceServer
	identityv1.UnsafeProfileServiceServer

	cfg      Config
	deps     Deps
	store    *postgres.Store
	gather   *gatherer
	matching *matching
	metrics  *metrics
	jobs     *jobs
}

var (
	_ identityv1.IdentityServiceServer = (*Service)(nil)
	_ identityv1.ResolveServiceServer  = (*Service)(nil)
	_ identityv1.ReviewServiceServer   = (*Service)(nil)
	_ identityv1.MatchingServiceServer = (*Service)(nil)
	_ identityv1.ProfileServiceServer  = (*Service)(nil)
)

// defaultKeyCap keeps the keys of large families and drops those of stores and form fillers.
const defaultKeyCap = 21

const sweepEvery = time.Hour

// New makes the service. It starts nothing; Run does the background work.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Pool == nil || deps.Tel == nil || deps.Now == nil {
		return nil, errors.New("identity needs a pool, telemetry and a clock")
	}
	if cfg.Market == "" {
		cfg.Market = "US"
	}
	if cfg.SeenFor <= 0 {
		cfg.SeenFor = 400 * 24 * time.Hour
	}
	if deps.HalfLives == nil {
		deps.HalfLives = func() *signal.HalfLives { return &signal.HalfLives{} }
	}
	if deps.DealerID == nil {
		deps.DealerID = func(code string) (string, bool) { return code, code != "" }
	}
	if deps.Model == nil {
		deps.Model = func(string) (string, lead.Powertrain, bool) { return "", lead.PowertrainUnspecified, false }
	}
	if deps.CommonKeyCap <= 0 {
		deps.CommonKeyCap = defaultKeyCap
	}
	if deps.NewID == nil {
		deps.NewID = func() lead.ID { return newPersonID(deps.Now()) }
	}
	s := &Service{cfg: cfg, deps: deps, store: postgres.NewStore(deps.Pool)}
	s.gather = newGatherer(groupsAtOnce(), s.resolve)
	var err error
	if s.matching, err = newMatching(); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, err
	}
	if s.jobs, err = newJobs(s, deps.Pool); err != nil {
		return nil, err
	}
	return s, nil
}

// newPersonID makes a random identifier of UUID version 7. It begins with the time, so that the rows
// of new persons come to lie side by side within their bucket and not all over the table.
func newPersonID(now time.Time) lead.ID {
	var id lead.ID
	rand.Read(id[:]) // never fails
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Migrations hands over the service's schema.
func Migrations() pg.Module {
	m := postgres.Module()
	m.Companion = queue.Companion(jobSchema)
	return m
}

// Health reports why the service can not work now; nil if it can.
func (s *Service) Health(ctx context.Context) error { return s.store.Ping(ctx) }

// Run takes up other matching parameters, forgets the ids of old signals and works re-clusterings
// until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.keepFresh(ctx) })
	group.Go(func() error { return s.forgetSeen(ctx) })
	group.Go(func() error { return s.jobs.run(ctx) })
	return group.Wait()
}

func (s *Service) forgetSeen(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if _, err := s.store.ForgetSeen(ctx, s.deps.Now().Add(-s.cfg.SeenFor)); err != nil && ctx.Err() == nil {
			s.deps.Tel.Log.LogAttrs(ctx, slog.LevelWarn, "old signal ids not removed, trying again later",
				slog.String("cause", err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
