// Package postbox is the door for mails: it takes mail by SMTP for the mailboxes of a file and
// passes each, as received, to Capture. It answers 250 only when the mail's leads are durable;
// while they cannot be made so it answers 4xx, and the sender's relay keeps the mail and tries
// again. It reads no mail itself and relays none.
package postbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/grpc"
)

// MaxMail is the largest mail taken, in bytes: with the line that is put before it, it fits into
// one call.
const MaxMail = 4<<20 - 4<<10

// Config says where the door is and what it holds at once.
type Config struct {
	Addr string      // HOST:PORT
	TLS  *tls.Config // for STARTTLS; nil: plain text only

	MaxConns      int           // connections at once; 0: 256
	MaxConnsOfOne int           // of one address, or one network of IPv6; 0: 64
	MaxHeld       int64         // bytes of mails being received at once; 0: 64 MiB
	ReadLimit     time.Duration // how long a sender may take for a command, or for a whole mail; 0: 2 min
	ConnLimit     time.Duration // how long a connection may live; 0: 15 min
	StopLimit     time.Duration // how long mails being stored may take at shutdown; 0: 5 s
}

func (c Config) withDefaults() Config {
	set(&c.MaxConns, 256)
	set(&c.MaxConnsOfOne, 64)
	set(&c.MaxHeld, 64<<20)
	set(&c.ReadLimit, 2*time.Minute)
	set(&c.ConnLimit, 15*time.Minute)
	set(&c.StopLimit, 5*time.Second)
	return c
}

func set[T comparable](p *T, byDefault T) {
	var zero T
	if *p == zero {
		*p = byDefault
	}
}

// Deps are what the door works with.
type Deps struct {
	// Capture is a connection made for the service "gateway", which alone may act for the mailboxes.
	Capture   grpc.ClientConnInterface
	Mailboxes *Mailboxes
	Tel       *telemetry.Telemetry
	Now       func() time.Time
}

// Server is the door. Make it with New, then Run once. Safe for concurrent use.
type Server struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	capture capturev1.CaptureServiceClient
	meters  meters

	smtp     *smtp.Server
	listener net.Listener

	held     atomic.Int64 // bytes of mails being received
	draining atomic.Bool
	drain    sync.Once
	keeping  sync.WaitGroup // mails being stored and answered
	keepMu   sync.Mutex     // orders keeping against draining
}

// New opens the listener, so that a taken address fails before anything runs.
func New(cfg Config, deps Deps) (*Server, error) {
	if deps.Capture == nil || deps.Mailboxes == nil || deps.Tel == nil || deps.Now == nil {
		return nil, errors.New("the postbox needs Capture, Mailboxes, Tel and Now")
	}
	s := &Server{cfg: cfg.withDefaults(), deps: deps, log: deps.Tel.Log, capture: capturev1.NewCaptureServiceClient(deps.Capture)}
	if err := s.meters.register(deps.Tel.Meter); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("open the SMTP address (--smtp): %w", err)
	}
	s.listener = l
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.session))
	s.smtp.Domain = "leadmesh"
	s.smtp.TLSConfig = startTLS(cfg.TLS)
	s.smtp.MaxRecipients = 1 // each mailbox answers for itself; senders send the others on their own
	s.smtp.MaxMessageBytes = MaxMail + 1
	s.smtp.MaxLineLength = MaxMail // ADF comes in one line too; commands are bounded by the connection
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = s.cfg.ReadLimit, s.cfg.ReadLimit
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = quiet{s.log}
	return s, nil
}

// startTLS takes the certificate of the public listeners for SMTP, whose relays are often older
// than browsers.
func startTLS(public *tls.Config) *tls.Config {
	if public == nil {
		return nil
	}
	c := public.Clone()
	c.MinVersion, c.NextProtos = tls.VersionTLS12, nil
	return c
}

// Addr is where the door is.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends or Drain is called.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.smtp.Serve(newGate(s.listener, s)) }()
	var err error
	select {
	case <-ctx.Done():
		s.Drain()
		err = <-served
	case err = <-served:
		s.Drain() // waits where a Drain is under way
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("serve SMTP at %s: %w", s.Addr(), err)
	}
	return nil
}

// Drain stops taking mails, lets those being stored end, at most StopLimit, and closes the
// connections: a sender who has no 250 by then sends again. Call it before the servers of Capture
// stop.
func (s *Server) Drain() {
	s.drain.Do(func() {
		s.keepMu.Lock()
		s.draining.Store(true)
		s.keepMu.Unlock()
		_ = s.listener.Close() // nothing is left to do about its error
		done := make(chan struct{})
		go func() { s.keeping.Wait(); close(done) }()
		limit := time.NewTimer(s.cfg.StopLimit)
		defer limit.Stop()
		select {
		case <-done:
		case <-limit.C:
			s.log.Warn("mails were cut at shutdown; their senders send them again", "limit", s.cfg.StopLimit)
		}
		_ = s.smtp.Close() // the listener is closed already
	})
}

// quiet is the log of the SMTP library. What it says of connections names their addresses and may
// quote what was sent, so only that something broke is kept, and where for a panic.
type quiet struct{ log *slog.Logger }

// Printf notes a panic with its place, and anything else for debugging.
func (q quiet) Printf(format string, v ...any) {
	if len(v) > 0 && len(format) >= 5 && format[:5] == "panic" {
		stack, _ := v[len(v)-1].([]byte)
		q.log.Error("panic while a mail was taken", "stack", string(stack[:min(len(stack), 4<<10)]))
		return
	}
	q.log.Debug("an SMTP connection broke")
}

// Println notes that something broke.
func (q quiet) Println(...any) { q.log.Debug("an SMTP connection broke") }

var errTooLarge = errors.New("the mail is larger than its mailbox takes")

// receive reads a mail whose bytes count against those held at once; release gives them back.
func (s *Server) receive(r io.Reader, limit int64, before []byte) (raw []byte, release func(), err error) {
	var held int64
	release = func() { s.held.Add(-held) }
	raw = append(make([]byte, 0, len(before)+16<<10), before...)
	for {
		if len(raw) == cap(raw) || held == 0 {
			more := int64(max(16<<10, len(raw)/2))
			if s.held.Add(more) > s.cfg.MaxHeld {
				s.held.Add(-more)
				return nil, release, errBusy
			}
			held += more
			if free := int64(cap(raw) - len(raw)); free < more {
				raw = append(make([]byte, 0, int64(len(raw))+more), raw...)
			}
		}
		n, err := r.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		if int64(len(raw)-len(before)) > limit {
			return nil, release, errTooLarge
		}
		if errors.Is(err, io.EOF) {
			return raw, release, nil
		}
		if err != nil {
			return nil, release, err
		}
	}
}

var errBusy = errors.New("more mails are being received than are held at once")
