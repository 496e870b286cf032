package stream

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Handler decides one request. What it can answer at once it returns; else it returns nil and calls
// reply exactly once, later, from any goroutine. It must not wait for the commit: the next request
// of the stream is read when it returns.
type Handler func(ctx context.Context, r *routingv1.DecideRequest, reply func(*routingv1.DecideResponse)) *routingv1.DecideResponse

// Server serves Decide streams. Safe for concurrent use.
type Server struct {
	window   int
	inFlight atomic.Int64

	mu       sync.Mutex
	draining bool
	drain    chan struct{}
}

// NewServer makes a server that holds at most window unanswered leads over all its streams.
func NewServer(window int) *Server { return &Server{window: window, drain: make(chan struct{})} }

// InFlight is the number of leads that are unanswered now.
func (s *Server) InFlight() int64 { return s.inFlight.Load() }

// Drain tells every stream, open or to come, to go elsewhere. What was read before is answered.
func (s *Server) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.draining = true
		close(s.drain)
	}
}

// Serve runs one stream until the caller closes it, it breaks, or it has drained. Every request
// read is answered exactly once; a request beyond the window is answered OVERLOADED.
func (s *Server) Serve(st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse], handle Handler) error {
	if err := st.SendHeader(metadata.Pairs(MaxInFlightHeader, strconv.Itoa(s.window))); err != nil {
		return err
	}
	ctx := st.Context()
	w := newWriter(st, s.window)
	written := make(chan struct{})
	go func() { defer close(written); w.run() }()

	readEnd := make(chan error, 1)
	go func() { readEnd <- s.read(ctx, st, w, handle) }()

	var err error
	select {
	case err = <-readEnd:
	case <-s.drain:
		w.notice(&routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Draining{Draining: &routingv1.Draining{}}})
		err = <-readEnd
	}
	w.open.Wait() // every request that was read gets its answer before the stream ends
	close(w.ended)
	<-written
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (s *Server) read(ctx context.Context, st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse], w *writer, handle Handler) error {
	for {
		r, err := st.Recv()
		if err != nil {
			return err
		}
		sequence := r.GetSequence()
		if n := s.inFlight.Add(1); n > int64(s.window) {
			s.inFlight.Add(-1)
			w.notice(refuse(sequence, overloaded()))
			continue
		}
		w.open.Add(1)
		var once sync.Once
		now := handle(ctx, r, func(a *routingv1.DecideResponse) {
			once.Do(func() {
				a.Sequence = sequence
				w.answer(a)
				s.inFlight.Add(-1)
				w.open.Done()
			})
		})
		if now != nil {
			once.Do(func() {
				now.Sequence = sequence
				s.inFlight.Add(-1)
				w.send(now)
				w.open.Done()
			})
		}
	}
}

func overloaded() *problem.Error {
	p := problem.New(problemv1.Reason_REASON_OVERLOADED, "more leads are unanswered than %s allows", MaxInFlightHeader)
	p.RetryAfter = 100 * time.Millisecond
	return p
}

func refuse(sequence uint64, p *problem.Error) *routingv1.DecideResponse {
	return &routingv1.DecideResponse{Sequence: sequence, Answer: &routingv1.DecideResponse_Problem{Problem: p.Proto()}}
}

// writer sends on a stream. Answers that come later never wait for a peer that reads slowly, or it
// would hold up the leads of others in the same commit group: there is a place for every lead of the
// window, and a goroutine that takes them from there. Answers known at once, refusals and the
// draining notice may wait; they hold up their own reader.
type writer struct {
	st               grpc.ServerStream
	sending          sync.Mutex // a stream takes one message at a time
	failed           bool
	answers, notices chan *routingv1.DecideResponse
	broken, ended    chan struct{}
	open             sync.WaitGroup
}

func newWriter(st grpc.ServerStream, window int) *writer {
	return &writer{
		st:      st,
		answers: make(chan *routingv1.DecideResponse, window+1), notices: make(chan *routingv1.DecideResponse, 16),
		broken: make(chan struct{}), ended: make(chan struct{}),
	}
}

// answer hands over the answer to a request of the window.
func (w *writer) answer(a *routingv1.DecideResponse) { w.answers <- a }

// notice hands over anything else.
func (w *writer) notice(a *routingv1.DecideResponse) {
	select {
	case w.notices <- a:
	case <-w.broken: // nobody is there to read it
	}
}

// send writes a message. After the first that could not be sent nobody is there to read another.
func (w *writer) send(a *routingv1.DecideResponse) {
	w.sending.Lock()
	defer w.sending.Unlock()
	if w.failed {
		return
	}
	if err := w.st.SendMsg(a); err != nil {
		w.failed = true
		close(w.broken)
	}
}

// run sends what is handed over until the stream has ended and everything is sent.
func (w *writer) run() {
	for {
		select {
		case a := <-w.answers:
			w.send(a)
		case a := <-w.notices:
			w.send(a)
		case <-w.ended:
			for {
				select {
				case a := <-w.answers:
					w.send(a)
				case a := <-w.notices:
					w.send(a)
				default:
					return
				}
			}
		}
	}
}
