// Package ops is the door for those who watch a process: probes and the collector of metrics. It
// is open from the first moment of a process to its last, so that a start that waits and a stop
// that drains can be watched too.
package ops

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
)

const (
	headerLimit = 5 * time.Second
	readLimit   = 10 * time.Second
	writeLimit  = time.Minute // a collector far away reads a page of metrics
	probeLimit  = time.Second
)

// Config says where the door is and who may pass.
type Config struct {
	Addr     string      // HOST:PORT
	TLS      *tls.Config // nil: plain text
	Tokens   *rpc.Tokens // beyond loopback metrics and causes need the role ops
	Version  string      // of the build
	Services []string    // that the process runs
	Tel      *telemetry.Telemetry
	Stale    func() map[string]error // files on disk that are not in force; nil: none ever
}

// Server answers probes. Safe for concurrent use.
type Server struct {
	cfg      Config
	listener net.Listener
	loopback bool
	http     *http.Server
	ended    chan struct{}

	health   atomic.Pointer[func(context.Context) error] // nil: the process is starting
	draining atomic.Bool
}

// Start opens the address and serves until Close.
func Start(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, ended: make(chan struct{})}
	var err error
	if s.listener, err = net.Listen("tcp", cfg.Addr); err != nil {
		return nil, fmt.Errorf("open the operations address (--ops): %w", err)
	}
	if tcp, ok := s.listener.Addr().(*net.TCPAddr); ok {
		s.loopback = tcp.IP.IsLoopback()
	}
	s.http = &http.Server{
		Handler: s.routes(), TLSConfig: cfg.TLS.Clone(), MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: headerLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(cfg.Tel.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.ended)
		serve := s.http.Serve
		if cfg.TLS != nil {
			serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
		}
		if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			cfg.Tel.Log.Error("the operations listener ended; the services go on without it", "cause", err)
		}
	}()
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Watch ends the starting phase: from now on healthy says what keeps the process from working.
func (s *Server) Watch(healthy func(context.Context) error) { s.health.Store(&healthy) }

// Drain says from now on that the process is going away.
func (s *Server) Drain() { s.draining.Store(true) }

// Close ends the server.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	<-s.ended
	return err
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, http.StatusOK, report{Status: "ok"}) })
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /metrics", s.metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// report is what a probe is told.
type report struct {
	Status   string   `json:"status"`
	Version  string   `json:"version,omitempty"`
	Services []string `json:"services,omitempty"`
	Problems []string `json:"problems,omitempty"`
	Warnings []string `json:"warnings,omitempty"` // it works, and somebody should look
}

// healthz answers 200 while the process works and takes requests, else 503 with what is wrong.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		s.answer(w, http.StatusServiceUnavailable, report{Status: "draining"})
		return
	}
	health := s.health.Load()
	if health == nil {
		s.answer(w, http.StatusServiceUnavailable, report{Status: "starting"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), probeLimit)
	defer cancel()
	if err := (*health)(ctx); err != nil {
		told := report{Status: "not ready"}
		if s.trusted(r) {
			for line := range strings.Lines(err.Error()) {
				told.Problems = append(told.Problems, strings.TrimSpace(line))
			}
		}
		s.answer(w, http.StatusServiceUnavailable, told)
		return
	}
	s.answer(w, http.StatusOK, report{Status: "ok", Warnings: s.warnings(r)})
}

// warnings are for who may know causes.
func (s *Server) warnings(r *http.Request) []string {
	if s.cfg.Stale == nil || !s.trusted(r) {
		return nil
	}
	var out []string
	for what, err := range s.cfg.Stale() {
		out = append(out, fmt.Sprintf("%s: the changed file cannot be used, what was read before stays in force: %v", what, err))
	}
	slices.Sort(out)
	return out
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if !s.trusted(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.answer(w, http.StatusUnauthorized, report{Status: "metrics need a bearer token with the role ops"})
		return
	}
	s.cfg.Tel.MetricsHandler().ServeHTTP(w, r)
}

// trusted holds for who asks on this machine, and for a token with the role ops.
func (s *Server) trusted(r *http.Request) bool {
	if s.loopback && rpc.NamesThisMachine(r.Host) {
		return true
	}
	caller, ok := s.cfg.Tokens.Caller(r.Header.Get("Authorization"))
	return ok && caller.Has(rpc.RoleOps)
}

func (s *Server) answer(w http.ResponseWriter, code int, told report) {
	told.Version, told.Services = s.cfg.Version, s.cfg.Services
	raw, err := json.Marshal(told)
	if err != nil {
		code, raw = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(raw, '\n')) // a prober that is gone needs no answer
}
