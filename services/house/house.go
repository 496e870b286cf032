package house

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/signal"
	"github.com/leadmesh/leadmesh/deploy/sample"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/feedback"
	"github.com/leadmesh/leadmesh/services/gateway"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/mesh"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/stream"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/grpc"
)

// House is the services of one process, wired and ready to run.
type House struct {
	cfg     Config
	tel     *telemetry.Telemetry
	private *postgres.Private
	url     string
	host    *mesh.Host
	gateway *gateway.Server
	scoring *scoring.Service
	routing *routing.Service
	names   *directory
	seeded  atomic.Bool
	closers []func(context.Context) error
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
	h = &House{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close(context.WithoutCancel(ctx)))
			h = nil
		}
	}()
	h.tel, err = telemetry.New(ctx, telemetry.Config{
		Service: "leadmesh", Version: cfg.Version, SampleRatio: cfg.TraceRatio, Spans: cfg.Spans, LogWriter: cfg.LogWriter, LogLevel: cfg.LogLevel,
	})
	if err != nil {
		return h, err
	}
	h.closers = append(h.closers, h.tel.Shutdown)
	if err = h.openHost(); err != nil { // a taken address is the quickest to fail
		return h, err
	}
	if err = h.openDatabase(ctx); err != nil {
		return h, err
	}
	return h, h.wire(ctx)
}

func (h *House) openDatabase(ctx context.Context) error {
	h.url = h.cfg.DatabaseURL
	if h.url == "" {
		private, err := postgres.StartPrivate(ctx, postgres.PrivateConfig{DataDir: h.cfg.Data, BinDir: h.cfg.PGBin, Logger: h.tel.Log})
		if err != nil {
			return err
		}
		h.private, h.url = private, private.URL()
		h.closers = append(h.closers, private.Stop)
		if err := os.WriteFile(filepath.Join(h.cfg.Data, databaseFile), []byte(h.url+"\n"), 0o600); err != nil {
			return fmt.Errorf("note the database's address: %w", err)
		}
	}
	return postgres.Migrate(ctx, h.url, Modules())
}

func (h *House) openHost() error {
	cfg := mesh.Config{Runs: h.cfg.Only, Public: h.cfg.GRPC, Mesh: h.cfg.Mesh, Peers: h.cfg.Peers, Tokens: rpc.OpenTokens()}
	if h.cfg.Tokens != "" {
		tokens, err := rpc.ReadTokens(h.cfg.Tokens)
		if err != nil {
			return err
		}
		cfg.Tokens = tokens
	}
	if h.cfg.TLSCert != "" {
		certs, err := rpc.ReadCertificates(h.cfg.TLSCert, h.cfg.TLSKey, "")
		if err != nil {
			return err
		}
		cfg.PublicTLS = certs.Server(false)
	}
	if h.cfg.MeshCert != "" {
		certs, err := rpc.ReadCertificates(h.cfg.MeshCert, h.cfg.MeshKey, h.cfg.MeshCA)
		if err != nil {
			return err
		}
		cfg.Certs = certs
	}
	host, err := mesh.New(cfg, h.rpcTelemetry())
	if err != nil {
		return err
	}
	h.host = host
	h.closers = append(h.closers, func(context.Context) error { return host.Close() })
	return h.openGateway(cfg)
}

func (h *House) rpcTelemetry() rpc.Telemetry {
	return rpc.Telemetry{Log: h.tel.Log, Tracing: h.tel.Tracing, Metrics: h.tel.Metrics}
}

// pool opens a service's connections to its own schema.
func (h *House) pool(ctx context.Context, service string, conns int32) (*pgxpool.Pool, error) {
	pool, err := postgres.Open(ctx, postgres.PoolConfig{
		URL: h.databaseURL(service), Role: postgres.ServiceRole(service), Schema: service, MaxConns: conns,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: open the database: %w", service, err)
	}
	h.closers = append(h.closers, func(context.Context) error { pool.Close(); return nil })
	return pool, nil
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

// wire makes the services this process runs and connects them.
func (h *House) wire(ctx context.Context) error {
	steps := []struct {
		service string
		make    func(context.Context) error
	}{
		{Scoring, h.wireScoring}, {Feedback, h.wireFeedback}, {Identity, h.wireIdentity}, {Routing, h.wireRouting}, {Capture, h.wireCapture},
	}
	for _, step := range steps {
		if !h.cfg.runs(step.service) {
			continue
		}
		if err := step.make(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.service, err)
		}
	}
	return nil
}

func (h *House) wireScoring(ctx context.Context) error {
	pool, err := h.pool(ctx, Scoring, 4)
	if err != nil {
		return err
	}
	s, err := scoring.New(scoring.Deps{Pool: pool, Tel: h.tel, Now: h.cfg.Now})
	if err != nil {
		return err
	}
	h.scoring = s
	h.host.Add(mesh.Service{
		Name:     Scoring,
		Public:   func(r grpc.ServiceRegistrar) { scoringv1.RegisterScoringServiceServer(r, s) },
		Internal: func(r grpc.ServiceRegistrar) { scoringv1.RegisterSnapshotServiceServer(r, s) },
		Health:   s.Health, Run: s.Run,
	})
	return nil
}

func (h *House) wireFeedback(ctx context.Context) error {
	pool, err := h.pool(ctx, Feedback, 12)
	if err != nil {
		return err
	}
	cases, err := h.host.Conn(Feedback, Routing)
	if err != nil {
		return err
	}
	s, err := feedback.New(feedback.Config{}, feedback.Deps{Pool: pool, Cases: routingv1.NewCaseServiceClient(cases), Log: h.tel.Log, Now: h.cfg.Now})
	if err != nil {
		return err
	}
	h.host.Add(mesh.Service{
		Name:     Feedback,
		Public:   func(r grpc.ServiceRegistrar) { feedbackv1.RegisterFeedbackServiceServer(r, s) },
		Internal: func(r grpc.ServiceRegistrar) { feedbackv1.RegisterEventServiceServer(r, s) },
		Health:   s.Health, Run: s.Run,
	})
	return nil
}

// playbooks follows the active playbook for one service.
func (h *House) playbooks(service string) (*playbookfeed.Feed, error) {
	conn, err := h.host.Conn(service, Scoring)
	if err != nil {
		return nil, err
	}
	feed := playbookfeed.New(scoringv1.NewSnapshotServiceClient(conn), h.tel.Log)
	h.host.Add(mesh.Service{Name: service + ".playbook", Run: feed.Run, Health: feed.Health})
	return feed, nil
}

func (h *House) wireIdentity(ctx context.Context) error {
	pool, err := h.pool(ctx, Identity, 10)
	if err != nil {
		return err
	}
	feed, err := h.playbooks(Identity)
	if err != nil {
		return err
	}
	cases, err := h.host.Conn(Identity, Routing)
	if err != nil {
		return err
	}
	names := newDirectory(routingv1.NewCaseServiceClient(cases), h.tel.Log)
	h.names = names
	s, err := identity.New(identity.Config{}, identity.Deps{
		Pool: pool, Tel: h.tel, Now: h.cfg.Now, DealerID: names.dealerID, Model: names.model,
		HalfLives: func() *signal.HalfLives {
			if now := feed.Current(); now != nil {
				return &now.Playbook.HalfLives
			}
			return &signal.HalfLives{}
		},
	})
	if err != nil {
		return err
	}
	h.host.Add(mesh.Service{Name: Identity + ".directory", Run: names.run})
	h.host.Add(mesh.Service{
		Name:     Identity,
		Public:   func(r grpc.ServiceRegistrar) { identityv1.RegisterIdentityServiceServer(r, s) },
		Internal: func(r grpc.ServiceRegistrar) { identityv1.RegisterResolveServiceServer(r, s) },
		Health:   s.Health, Run: s.Run,
	})
	return nil
}

func (h *House) wireRouting(ctx context.Context) error {
	pool, err := h.pool(ctx, Routing, 20)
	if err != nil {
		return err
	}
	feed, err := h.playbooks(Routing)
	if err != nil {
		return err
	}
	events, err := h.host.Conn(Routing, Feedback)
	if err != nil {
		return err
	}
	s, err := routing.New(routing.Config{Webhooks: routing.WebhookConfig{AllowPrivate: h.cfg.AllowPrivateWebhooks}}, routing.Deps{
		Pool: pool, Playbook: feed, Events: feedbackv1.NewEventServiceClient(events), Tel: h.tel, Now: h.cfg.Now,
	})
	if err != nil {
		return err
	}
	h.routing = s
	h.host.Add(mesh.Service{
		Name: Routing,
		Public: func(r grpc.ServiceRegistrar) {
			routingv1.RegisterRoutingServiceServer(r, s)
			routingv1.RegisterDecisionServiceServer(r, s)
		},
		Internal: func(r grpc.ServiceRegistrar) { routingv1.RegisterCaseServiceServer(r, s) },
		Health:   s.Health, Run: s.Run, Drain: s.Drain,
	})
	return nil
}

func (h *House) wireCapture(ctx context.Context) error {
	pool, err := h.pool(ctx, Capture, 20)
	if err != nil {
		return err
	}
	feed, err := h.playbooks(Capture)
	if err != nil {
		return err
	}
	var conns [3]*grpc.ClientConn
	for i, to := range []string{Identity, Routing, Feedback} {
		if conns[i], err = h.host.Conn(Capture, to); err != nil {
			return err
		}
	}
	decide := stream.NewClient(routingv1.NewDecisionServiceClient(conns[1]))
	h.closers = append(h.closers, func(context.Context) error { decide.Close(); return nil })
	s, err := capture.New(capture.Config{}, capture.Deps{
		Pool: pool, Identity: identityv1.NewResolveServiceClient(conns[0]), Persons: identityv1.NewIdentityServiceClient(conns[0]),
		Decide: decide, Cases: routingv1.NewCaseServiceClient(conns[1]), Events: feedbackv1.NewEventServiceClient(conns[2]),
		Governor: func() (*governance.Governor, string) {
			if now := feed.Current(); now != nil {
				return now.Playbook.Governor, now.Playbook.Revision
			}
			return nil, ""
		},
		Tel: h.tel, Now: h.cfg.Now,
	})
	if err != nil {
		return err
	}
	h.host.Add(mesh.Service{
		Name:   Capture,
		Public: func(r grpc.ServiceRegistrar) { capturev1.RegisterCaptureServiceServer(r, s) },
		Health: s.Health, Run: s.Run,
	})
	return nil
}

func (h *House) openGateway(cfg mesh.Config) error {
	if !h.cfg.runs(Gateway) {
		return nil
	}
	var conns [5]grpc.ClientConnInterface
	for i, to := range []string{Capture, Identity, Scoring, Routing, Feedback} {
		c, err := h.host.Conn(Gateway, to)
		if err != nil {
			return err
		}
		conns[i] = c
	}
	g, err := gateway.New(gateway.Config{Addr: h.cfg.HTTP, TLS: cfg.PublicTLS, Tokens: cfg.Tokens, Version: h.cfg.Version}, gateway.Deps{
		Capture: conns[0], Identity: conns[1], Scoring: conns[2], Routing: conns[3], Feedback: conns[4],
		Tel: h.tel, Healthy: h.host.Healthy,
	})
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	h.gateway = g
	h.host.Add(mesh.Service{Name: Gateway, Run: g.Run, Drain: g.Drain})
	return nil
}

// Run serves until ctx ends, then stops everything in order.
func (h *House) Run(ctx context.Context) error {
	if h.cfg.Sample {
		h.host.Add(mesh.Service{Name: "sample", Run: func(ctx context.Context) error { return h.Seed(ctx) }})
	}
	err := h.host.Run(ctx)
	return errors.Join(err, h.Close(context.WithoutCancel(ctx)))
}

// Seed fills an empty installation with the sample network and playbook; one that has either
// keeps its own.
func (h *House) Seed(ctx context.Context) error {
	if h.scoring != nil {
		files, err := readFiles(sample.Files(), "playbook")
		if err != nil {
			return err
		}
		if err := h.scoring.Seed(ctx, files, "the sample playbook"); err != nil {
			return fmt.Errorf("load the sample playbook: %w", err)
		}
	}
	if h.routing != nil {
		if err := h.routing.SeedNetwork(ctx, sampleNetwork); err != nil {
			return fmt.Errorf("load the sample network: %w", err)
		}
	}
	h.seeded.Store(true)
	return nil
}

// sampleNetwork reads the sample network as files to import.
func sampleNetwork() ([]*routingv1.NetworkFile, error) {
	var out []*routingv1.NetworkFile
	for _, dir := range []string{"network", "postal"} {
		files, err := readFiles(sample.Files(), dir)
		if err != nil {
			return nil, err
		}
		for name, content := range files {
			if path.Ext(name) != ".md" {
				out = append(out, &routingv1.NetworkFile{Name: path.Base(name), Content: content})
			}
		}
	}
	return out, nil
}

// readFiles reads a folder and everything below it, by path inside the folder.
func readFiles(tree fs.FS, dir string) (map[string][]byte, error) {
	sub, err := fs.Sub(tree, dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(sub, name)
		return err
	})
	return files, err
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

// GRPCAddr is where gRPC listens; "" if it does not.
func (h *House) GRPCAddr() string { return h.host.PublicAddr() }

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
