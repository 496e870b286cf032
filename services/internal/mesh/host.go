// Package mesh hosts the services of one process: it opens the listeners, connects services to
// each other in process or over the network without their knowing which, pushes health, and
// stops everything in order.
package mesh

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// Service is one service of a process.
type Service struct {
	Name string
	// Public registers what callers from outside may use; Internal what only the house may.
	Public, Internal func(grpc.ServiceRegistrar)
	// Health reports what keeps the service from working; polled every second.
	Health func(context.Context) error
	// Run runs the background loops until the context ends.
	Run func(context.Context) error
	// Drain tells open streams to go elsewhere; called once, before the servers stop.
	Drain func()
}

// Config says where a process listens and where the services are that it does not run.
type Config struct {
	Runs      []string          // services of this process
	Public    string            // HOST:PORT of the public gRPC listener; "" for none
	PublicTLS *tls.Config       // nil: plain text
	Tokens    *rpc.Tokens       // who may call the public listener
	Mesh      string            // HOST:PORT of the listener between processes; "" for none
	Certs     *rpc.Certificates // key pair and authorities between processes
	Peers     map[string]string // service -> HOST:PORT
	StopLimit time.Duration     // how long calls may take to end at shutdown; 0: 10 s
}

// Host runs the services of one process. Make it with New, connect with Conn, add every service,
// then Run once.
type Host struct {
	cfg      Config
	tel      rpc.Telemetry
	services []Service

	public, mesh         net.Listener
	local                *rpc.InProcess
	publicServer         *grpc.Server
	meshServer           *grpc.Server
	publicHealth, health *health.Server

	mu    sync.Mutex
	conns map[[2]string]*grpc.ClientConn // over the network
}

// New opens the listeners, so that a taken address fails before anything runs.
func New(cfg Config, tel rpc.Telemetry) (*Host, error) {
	if cfg.StopLimit == 0 {
		cfg.StopLimit = 10 * time.Second
	}
	h := &Host{
		cfg: cfg, tel: tel, local: rpc.NewInProcessServer(tel), health: health.NewServer(), publicHealth: health.NewServer(),
		conns: map[[2]string]*grpc.ClientConn{},
	}
	if cfg.Public != "" {
		l, err := net.Listen("tcp", cfg.Public)
		if err != nil {
			return nil, fmt.Errorf("open the gRPC address (--grpc): %w", err)
		}
		h.public, h.publicServer = rpc.Limit(l, rpc.MaxConns), rpc.NewPublicServer(tel, cfg.Tokens, cfg.PublicTLS)
		reflection.Register(h.publicServer)
		healthv1.RegisterHealthServer(h.publicServer, h.publicHealth)
	}
	if cfg.Mesh != "" {
		if cfg.Certs == nil {
			return nil, errors.Join(errors.New("a listener between processes needs certificates (--mesh-cert, --mesh-key, --mesh-ca)"), h.closeListeners())
		}
		l, err := net.Listen("tcp", cfg.Mesh)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open the mesh address (--mesh): %w", err), h.closeListeners())
		}
		h.mesh, h.meshServer = rpc.Limit(l, rpc.MaxConns), rpc.NewMeshServer(tel, cfg.Certs.Server(true))
		healthv1.RegisterHealthServer(h.meshServer, h.health)
	}
	h.setServing(false)
	return h, nil
}

// PublicAddr is where the public gRPC listener listens; "" if there is none.
func (h *Host) PublicAddr() string { return addr(h.public) }

// MeshAddr is where the listener between processes listens; "" if there is none.
func (h *Host) MeshAddr() string { return addr(h.mesh) }

func addr(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Conn connects a service to another: in process if this process runs it, else over the network.
// The connection is the host's and lives as long as it.
func (h *Host) Conn(from, to string) (grpc.ClientConnInterface, error) {
	if slices.Contains(h.cfg.Runs, to) {
		return h.local.Conn(from), nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.conns[[2]string{from, to}]; c != nil {
		return c, nil
	}
	c, err := h.dial(from, to)
	if err != nil {
		return nil, err
	}
	h.conns[[2]string{from, to}] = c
	return c, nil
}

func (h *Host) dial(from, to string) (*grpc.ClientConn, error) {
	address := h.cfg.Peers[to]
	if address == "" {
		return nil, fmt.Errorf("%s needs %s, which this process does not run: name it with --peer %s=HOST:PORT", from, to, to)
	}
	if h.cfg.Certs == nil {
		return nil, fmt.Errorf("%s needs certificates to reach %s (--mesh-cert, --mesh-key, --mesh-ca)", from, to)
	}
	return rpc.DialMesh(h.tel, from, address, h.cfg.Certs.Client(to))
}

// Add registers a service. All are added before Run.
func (h *Host) Add(s Service) {
	h.services = append(h.services, s)
	for _, register := range []func(grpc.ServiceRegistrar){s.Public, s.Internal} {
		if register == nil {
			continue
		}
		register(h.local)
		if h.meshServer != nil {
			register(h.meshServer)
		}
	}
	if h.publicServer != nil && s.Public != nil {
		s.Public(h.publicServer)
	}
}

// Run serves until ctx ends or a part fails, then stops in order: not serving, streams drained,
// calls ended (at most StopLimit), loops ended, connections closed.
func (h *Host) Run(ctx context.Context) error {
	loops, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoops()
	g, gctx := errgroup.WithContext(loops)
	serve := func(s *grpc.Server, l net.Listener) {
		g.Go(func() error {
			if err := s.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
				return fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	if h.publicServer != nil {
		serve(h.publicServer, h.public)
	}
	if h.meshServer != nil {
		serve(h.meshServer, h.mesh)
	}
	for _, s := range h.services {
		if s.Run == nil {
			continue
		}
		g.Go(func() error {
			if err := s.Run(loops); err != nil && !cutShort(loops, err) {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			return nil
		})
	}
	g.Go(func() error { h.watchHealth(gctx); return nil })

	select {
	case <-ctx.Done():
	case <-gctx.Done():
	}
	h.setServing(false)
	for _, s := range h.services {
		if s.Drain != nil {
			s.Drain()
		}
	}
	h.stopServers()
	stopLoops()
	err := g.Wait()
	return errors.Join(err, h.Close())
}

// Close closes connections and listeners of a host that does not run any more, or never did.
func (h *Host) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	h.local.Stop()
	for key, c := range h.conns {
		errs = append(errs, c.Close())
		delete(h.conns, key)
	}
	return errors.Join(append(errs, h.closeListeners())...)
}

func (h *Host) closeListeners() error {
	var errs []error
	for _, l := range []net.Listener{h.public, h.mesh} {
		if l != nil {
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// stopServers lets running calls end, and cuts what has not ended in time.
func (h *Host) stopServers() {
	var wg sync.WaitGroup
	servers := []interface {
		GracefulStop()
		Stop()
	}{h.local}
	for _, s := range []*grpc.Server{h.publicServer, h.meshServer} {
		if s != nil {
			servers = append(servers, s)
		}
	}
	for _, s := range servers {
		wg.Go(func() {
			cut := time.AfterFunc(h.cfg.StopLimit, s.Stop)
			defer cut.Stop()
			s.GracefulStop()
		})
	}
	wg.Wait()
}

// watchHealth asks every service each second and pushes the answer to whoever watches.
func (h *Host) watchHealth(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		h.setServing(h.Healthy(ctx) == nil)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Healthy reports what keeps the process from working; nil if it works.
func (h *Host) Healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 900*time.Millisecond)
	defer cancel()
	var errs []error
	for _, s := range h.services {
		if s.Health == nil {
			continue
		}
		if err := s.Health(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (h *Host) setServing(ok bool) {
	state := healthv1.HealthCheckResponse_NOT_SERVING
	if ok {
		state = healthv1.HealthCheckResponse_SERVING
	}
	h.health.SetServingStatus("", state)
	h.publicHealth.SetServingStatus("", state)
}

// cutShort reports that a loop ended with an error because it was told to end.
func cutShort(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) || ctx.Err() != nil && problem.From(err).Reason == problemv1.Reason_REASON_UNAVAILABLE
}
