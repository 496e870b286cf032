// Package gateway is the REST front door: it authenticates, passes documents of leads to Capture
// as received, translates every other route to its gRPC call, and gives errors one shape. It holds
// no business code.
package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/sources"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"
)

// Limits of a connection. A sender who is slower than this is cut off, so that slow ones cannot
// hold the door.
const (
	headerLimit    = 5 * time.Second
	callLimit      = 30 * time.Second // of the one gRPC call behind a request
	answerLimit    = 30 * time.Second // of the answer, after both
	idleLimit      = 2 * time.Minute
	quietLimit     = 30 * time.Second // of an HTTP/2 connection before it is asked whether it lives
	maxStreams     = 250              // of one HTTP/2 connection
	maxHeaderBytes = 32 << 10
	slowRequest    = 3 * time.Second // logged beyond; intake waits 2 s for a decision
)

// Config says where the gateway listens and whom it lets in.
type Config struct {
	Addr      string        // HOST:PORT
	TLS       *tls.Config   // nil: plain text
	Tokens    *rpc.Tokens   // nil: nobody is let in
	Version   string        // of the build, told by /healthz
	MaxBody   int64         // bytes of a request's body; 0: 4 MiB
	MaxHeld   int64         // bytes of the bodies of all requests in progress; 0: 96 MiB
	MaxCalls  int64         // requests in progress; 0: 16,384
	MaxConns  int           // connections; 0: 8,192
	ReadLimit time.Duration // how long a request may take to arrive; 0: 30 s
	StopLimit time.Duration // how long running requests may take to end at shutdown; 0: 5 s

	Sources func() *sources.File // senders of forms; nil: none are declared
}

// Deps are the services behind the gateway, by connections that the mesh host made for the service
// "gateway", which alone may act for the callers it has authenticated.
type Deps struct {
	Capture, Identity, Scoring, Routing, Feedback grpc.ClientConnInterface

	Tel *telemetry.Telemetry
	// Healthy reports what keeps the process from working, for /healthz; nil: nothing ever does.
	Healthy func(context.Context) error
}

// Server serves REST. Make it with New, then Run once. Safe for concurrent use.
type Server struct {
	cfg      Config
	log      *slog.Logger
	tel      *telemetry.Telemetry
	healthy  func(context.Context) error
	capture  capturev1.CaptureServiceClient
	routing  routingv1.RoutingServiceClient
	mux      *runtime.ServeMux
	routes   routes
	document []byte
	duration metric.Float64Histogram
	sites    *http.CrossOriginProtection
	budget   budget
	conns    *conns

	http     *http.Server
	listener net.Listener
	loopback bool

	drain    sync.Once
	draining atomic.Bool
}

// New checks the parts and opens the listener, so that a taken address fails before anything runs.
func New(cfg Config, deps Deps) (*Server, error) {
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 4<<20)
	cfg.MaxHeld, cfg.MaxCalls = cmp.Or(cfg.MaxHeld, defaultHeld), cmp.Or(cfg.MaxCalls, defaultRequests)
	cfg.MaxConns = cmp.Or(cfg.MaxConns, defaultConns)
	cfg.ReadLimit = cmp.Or(cfg.ReadLimit, 30*time.Second)
	cfg.StopLimit = cmp.Or(cfg.StopLimit, 5*time.Second)
	for name, conn := range map[string]grpc.ClientConnInterface{
		"capture": deps.Capture, "identity": deps.Identity, "scoring": deps.Scoring,
		"routing": deps.Routing, "feedback": deps.Feedback,
	} {
		if conn == nil {
			return nil, fmt.Errorf("the gateway needs a connection to %s", name)
		}
	}
	if deps.Tel == nil {
		return nil, errors.New("the gateway needs telemetry")
	}
	s := &Server{
		cfg: cfg, log: deps.Tel.Log, tel: deps.Tel, healthy: deps.Healthy, sites: http.NewCrossOriginProtection(),
		budget: budget{maxRequests: cfg.MaxCalls, maxBytes: cfg.MaxHeld}, conns: newConns(cfg.MaxConns),
		capture: capturev1.NewCaptureServiceClient(acting{deps.Capture}),
		routing: routingv1.NewRoutingServiceClient(acting{deps.Routing}),
	}
	var err error
	if s.document, s.routes, err = openDocument(); err != nil {
		return nil, err
	}
	if s.duration, err = requestDuration(deps.Tel.Meter); err != nil {
		return nil, err
	}
	if s.mux, err = s.newMux(deps); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", cfg.Addr); err != nil {
		return nil, fmt.Errorf("open the REST address (--http): %w", err)
	}
	if tcp, ok := s.listener.Addr().(*net.TCPAddr); ok {
		s.loopback = tcp.IP.IsLoopback()
	}
	s.http = &http.Server{
		Handler:           s.Handler(),
		TLSConfig:         cfg.TLS.Clone(),
		ReadHeaderTimeout: min(headerLimit, cfg.ReadLimit),
		ReadTimeout:       cfg.ReadLimit,
		WriteTimeout:      cfg.ReadLimit + callLimit + answerLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         s.conns.changed,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: 1 << 20,
			MaxReceiveBufferPerStream:     256 << 10,
			SendPingTimeout:               quietLimit,
			PingTimeout:                   headerLimit,
			WriteByteTimeout:              answerLimit,
		},
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	return s, nil
}

// Addr is where the gateway listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Handler is everything the gateway serves, without the limits of the connection.
func (s *Server) Handler() http.Handler { return s.observe(http.HandlerFunc(s.enter)) }

// Run serves until ctx ends or Drain is called, then lets running requests end.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() {
		if s.cfg.TLS != nil {
			served <- s.http.ServeTLS(s.listener, "", "")
			return
		}
		served <- s.http.Serve(s.listener)
	}()
	var err error
	select {
	case <-ctx.Done():
		s.Drain()
		err = <-served
	case err = <-served:
		s.Drain() // waits where a Drain is under way
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve REST at %s: %w", s.Addr(), err)
	}
	return nil
}

// Drain stops accepting and waits for the running requests to end, at most StopLimit; what has not
// ended by then is cut. Call it before the gRPC servers behind the gateway stop. Calling it again
// does nothing but wait.
func (s *Server) Drain() {
	s.drain.Do(func() {
		s.draining.Store(true)
		s.http.SetKeepAlivesEnabled(false)
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.StopLimit)
		defer cancel()
		if err := s.http.Shutdown(ctx); err != nil {
			s.log.Warn("requests were cut at shutdown", "limit", s.cfg.StopLimit)
			_ = s.http.Close() // nothing is left to do about its error
		}
		_ = s.listener.Close() // a server that never ran does not know its listener
	})
}
