package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/feedback"
	"github.com/leadmesh/leadmesh/services/gateway"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/mesh"
	"github.com/leadmesh/leadmesh/services/internal/ops"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/sources"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/postbox"
	"github.com/leadmesh/leadmesh/services/routing"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// House is the services of one process, wired and ready to run.
type House struct {
	cfg     Config
	tel     *telemetry.Telemetry
	private *keeper // nil with a database of others
	url     string
	host    *mesh.Host
	gateway *gateway.Server
	postbox *postbox.Server
	ops     *ops.Server // nil: nobody watches
	files   *rpc.Reloader
	scoring *scoring.Service
	routing *routing.Service
	names   *directory
	sources *sources.Feed // nil without a sources file
	seeded  atomic.Bool
	closers []func(context.Context) error

	budget  map[string]int // connections by service
	poolsMu sync.Mutex
	pools   map[string]*pgxpool.Pool
}

// Modules are the database parts of every service, for migrating.
func Modules() []postgres.Module {
	return []postgres.Module{capture.Migrations(), identity.Migrations(), scoring.Migrations(), routing.Migrations(), feedback.Migrations()}
}

// databaseFile names, inside the data directory, the database of the house that uses it, so that
// other commands find it. It holds no secret: the socket's folder decides who is let in.
const databaseFile = "database.url"

// Open validates the configuration, starts the private Postgres if none is given, migrates, opens
// the listeners and wires the services. What was opened is closed again if a part fails.
func Open(ctx context.Context, cfg Config) (h *House, err error) {
	cfg, err = cfg.complete()
	if err != nil {
		return nil, err
	}
	h = &House{cfg: cfg, pools: map[string]*pgxpool.Pool{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close(context.WithoutCancel(ctx)))
			h = nil
		}
	}()
	if err = h.divide(); err != nil {
		return h, err
	}
	h.tel, err = telemetry.New(ctx, telemetry.Config{
		Service: "leadmesh", Version: cfg.Version, SampleRatio: cfg.TraceRatio, Spans: cfg.Spans, LogWriter: cfg.LogWriter, LogLevel: cfg.LogLevel,
	})
	if err != nil {
		return h, err
	}
	h.closers = append(h.closers, h.tel.Shutdown)
	if err = h.measurePools(); err != nil {
		return h, err
	}
	if err = h.openSources(); err != nil {
		return h, err
	}
	if err = h.openHost(); err != nil { // a taken address is the quickest to fail
		return h, err
	}
	if err = h.openDatabase(ctx); err != nil {
		return h, err
	}
	if err = h.wire(ctx); err == nil && h.ops != nil {
		h.ops.Watch(h.host.Healthy)
	}
	return h, err
}

// openSources reads the sources file, if one is given.
func (h *House) openSources() (err error) {
	if h.cfg.Sources != "" {
		h.sources, err = sources.Open(h.cfg.Sources, h.tel.Log)
	}
	return err
}

func (h *House) openDatabase(ctx context.Context) error {
	h.url = h.cfg.DatabaseURL
	if h.url == "" {
		private, err := startPrivate(ctx, postgres.PrivateConfig{DataDir: h.cfg.Data, BinDir: h.cfg.PGBin, Logger: h.tel.Log, Settings: h.privateSettings()})
		if err != nil {
			return err
		}
		h.private, h.url = private, private.url
		h.closers = append(h.closers, private.stop)
		h.host.Add(mesh.Service{Name: "postgres", Run: private.run})
		if err := os.WriteFile(filepath.Join(h.cfg.Data, databaseFile), []byte(h.url+"\n"), 0o600); err != nil {
			return fmt.Errorf("note the database's address: %w", err)
		}
	}
	if err := h.patiently(ctx, func() error { return h.checkRoom(ctx) }); err != nil {
		return err
	}
	return h.patiently(ctx, func() error { return postgres.MigrateLogged(ctx, h.url, Modules(), h.tel.Log) })
}

func (h *House) openHost() error {
	d, err := h.openDoors()
	if err != nil {
		return err
	}
	cfg := mesh.Config{Runs: h.cfg.Only, Public: h.cfg.GRPC, Mesh: h.cfg.Mesh, Peers: h.cfg.Peers, Tokens: d.tokens, Certs: d.mesh}
	if d.public != nil {
		cfg.PublicTLS = d.public.Server(false)
	}
	if err := h.openOps(cfg); err != nil {
		return err
	}
	host, err := mesh.New(cfg, h.rpcTelemetry())
	if err != nil {
		return err
	}
	h.host = host
	if h.sources != nil {
		host.Add(mesh.Service{Name: "sources", Run: h.sources.Run})
	}
	h.closers = append(h.closers, func(context.Context) error { return host.Close() })
	if h.ops != nil { // before the gateway, whose drain takes its time
		h.host.Add(mesh.Service{Name: "ops", Drain: h.ops.Drain})
	}
	h.followFiles()
	if err := h.openGateway(cfg); err != nil {
		return err
	}
	return h.openPostbox(cfg)
}

// openOps opens the door of those who watch, which is the first to open and the last to close.
func (h *House) openOps(cfg mesh.Config) error {
	if h.cfg.Ops == "" {
		return nil
	}
	door, err := ops.Start(ops.Config{
		Addr: h.cfg.Ops, TLS: cfg.PublicTLS, Tokens: cfg.Tokens, Version: h.cfg.Version, Services: h.cfg.Only, Tel: h.tel, Stale: h.files.Stale,
	})
	if err != nil {
		return err
	}
	h.ops = door
	h.closers = append(h.closers, door.Close)
	return nil
}

func (h *House) rpcTelemetry() rpc.Telemetry {
	return rpc.Telemetry{Log: h.tel.Log, Tracing: h.tel.Tracing, Metrics: h.tel.Metrics}
}

// databaseURL is the login of a service: its own, if the environment gives one.
func (h *House) databaseURL(service string) string {
	if url := os.Getenv("LEADMESH_DATABASE_URL_" + upper(service)); url != "" {
		return url
	}
	return h.url
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// Run serves until ctx ends, then stops everything in order.
func (h *House) Run(ctx context.Context) error {
	if h.cfg.Sample {
		h.host.Add(mesh.Service{Name: "sample", Run: func(ctx context.Context) error { return h.Seed(ctx) }})
	}
	err := h.host.Run(ctx)
	return errors.Join(err, h.Close(context.WithoutCancel(ctx)))
}

// Ready waits until every service of the process is healthy and, with a sample, knows it.
func (h *House) Ready(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		last = h.host.Healthy(ctx)
		if last == nil && h.cfg.Sample && (!h.seeded.Load() || h.names != nil && !h.names.loaded()) {
			last = errors.New("the sample is not loaded yet")
		}
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", last)
		case <-tick.C:
		}
	}
}

// HTTPAddr is where REST listens; "" without a gateway.
func (h *House) HTTPAddr() string {
	if h.gateway == nil {
		return ""
	}
	return h.gateway.Addr()
}

// SMTPAddr is where the postbox takes mail; "" if there is none.
func (h *House) SMTPAddr() string {
	if h.postbox == nil {
		return ""
	}
	return h.postbox.Addr()
}

// GRPCAddr is where gRPC listens; "" if it does not.
func (h *House) GRPCAddr() string { return h.host.PublicAddr() }

// OpsAddr is where probes and the collector of metrics are answered; "" if nowhere.
func (h *House) OpsAddr() string {
	if h.ops == nil {
		return ""
	}
	return h.ops.Addr()
}

// MeshAddr is where the other processes of the house reach this one; "" if they cannot.
func (h *House) MeshAddr() string { return h.host.MeshAddr() }

// DatabaseURL is the database in use.
func (h *House) DatabaseURL() string { return h.url }

// Log is the house's log.
func (h *House) Log() *slog.Logger { return h.tel.Log }

// Close closes what Open opened, in reverse; Run does it by itself.
func (h *House) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var errs []error
	for i := len(h.closers) - 1; i >= 0; i-- {
		errs = append(errs, h.closers[i](ctx))
	}
	h.closers = nil
	return errors.Join(errs...)
}
