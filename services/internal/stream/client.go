// Package stream runs the two ends of the Decide stream: one writer per stream, a window of
// unanswered leads, and drains that lose nothing.
package stream

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/proto"
)

// MaxInFlightHeader is the response header in which the server announces its window.
const MaxInFlightHeader = "leadmesh-max-in-flight"

// defaultWindow holds until the server has announced one.
const defaultWindow = 64

// Client asks for decisions over a few streams that it shares among all its callers: Routing decides
// the leads of one stream one after the other. All leads of a person go over the same stream, in the
// order given. Safe for concurrent use.
type Client struct {
	stop  context.CancelFunc
	lanes []*lane
}

// lane is one stream, opened when needed and again when the server drains or breaks.
type lane struct {
	routing routingv1.DecisionServiceClient
	base    context.Context
	share   int // the window is divided by this

	mu       sync.Mutex
	live     *session
	opening  *opening
	sequence uint64
}

// opening is a session on its way: whoever needs it waits no longer than his own context.
type opening struct {
	done    chan struct{}
	session *session
	err     error
}

// NewClient makes a client of at most so many streams, at least one. Close ends it.
func NewClient(routing routingv1.DecisionServiceClient, streams int) *Client {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{stop: cancel, lanes: make([]*lane, max(streams, 1))}
	for i := range c.lanes {
		c.lanes[i] = &lane{routing: routing, base: ctx, share: len(c.lanes)}
	}
	return c
}

// Close breaks the streams; calls under way are answered as unavailable.
func (c *Client) Close() { c.stop() }

// Decide sends all requests and waits for their answers, in the requests' order. It takes the
// requests over and numbers them. A request whose answer does not come before ctx ends, or whose
// stream broke twice, is answered with a problem, never dropped.
func (c *Client) Decide(ctx context.Context, requests []*routingv1.DecideRequest) []*routingv1.DecideResponse {
	answers := make([]*routingv1.DecideResponse, len(requests))
	open := make([][]int, len(c.lanes))
	for i, r := range requests {
		n := int(lead.BucketOf(r.GetPersonId())) % len(open)
		open[n] = append(open[n], i)
	}
	var others sync.WaitGroup
	for n := 1; n < len(open); n++ {
		if len(open[n]) > 0 {
			others.Go(func() { c.lanes[n].decide(ctx, requests, answers, open[n]) })
		}
	}
	c.lanes[0].decide(ctx, requests, answers, open[0])
	others.Wait()
	return answers
}

// decide answers the open ones of the requests.
func (c *lane) decide(ctx context.Context, requests []*routingv1.DecideRequest, answers []*routingv1.DecideResponse, open []int) {
	for try := 0; len(open) > 0 && try < 3 && ctx.Err() == nil; try++ {
		open = c.round(ctx, requests, answers, open)
	}
	for _, i := range open {
		p := problem.New(problemv1.Reason_REASON_UNAVAILABLE, "routing did not answer in time")
		p.RetryAfter = time.Second
		answers[i] = &routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Problem{Problem: p.Proto()}}
	}
}

// round sends the open requests on the live session and returns those that must be sent again.
func (c *lane) round(ctx context.Context, requests []*routingv1.DecideRequest, answers []*routingv1.DecideResponse, open []int) []int {
	s, err := c.session(ctx)
	if err != nil {
		return open
	}
	w := &waiter{done: make(chan struct{}), left: len(open)}
	sent := make(map[uint64]int, len(open))
	for n, i := range open {
		r := requests[i]
		if r.Sequence != 0 { // it was sent before: a message that was sent is not changed
			r = proto.CloneOf(r)
		}
		c.mu.Lock()
		c.sequence++
		r.Sequence = c.sequence
		c.mu.Unlock()
		sent[r.Sequence] = i
		if !s.send(ctx, r, w) {
			w.settle(len(open) - n)
			break
		}
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		s.forget(sent)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.answers {
		if i, ok := sent[a.GetSequence()]; ok && !again(a) {
			answers[i] = a
			delete(sent, a.GetSequence())
		}
	}
	var rest []int
	for _, i := range open {
		if answers[i] == nil {
			rest = append(rest, i)
		}
	}
	return rest
}

// again reports whether an answer only asks to send the request on a new stream.
func again(a *routingv1.DecideResponse) bool {
	return a.GetProblem().GetReason() == problemv1.Reason_REASON_DRAINING
}

// session returns the live session or opens one.
func (c *lane) session(ctx context.Context) (*session, error) {
	c.mu.Lock()
	if c.live != nil && !c.live.closed() {
		defer c.mu.Unlock()
		return c.live, nil
	}
	o := c.opening
	if o == nil {
		o = &opening{done: make(chan struct{})}
		c.opening = o
		go c.open(o)
	}
	c.mu.Unlock()
	select {
	case <-o.done:
		return o.session, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open opens a stream, which takes as long as connecting does.
func (c *lane) open(o *opening) {
	ctx, cancel := context.WithCancel(c.base)
	st, err := c.routing.Decide(ctx)
	if err != nil {
		cancel()
		o.err = err
	} else {
		s := &session{stream: st, cancel: cancel, waiting: map[uint64]*waiter{}, ended: make(chan struct{}), out: make(chan *routingv1.DecideRequest, 256)}
		s.window = make(chan struct{}, 1<<16)
		s.share = c.share
		s.resize(portion(defaultWindow, s.share))
		go s.read()
		go s.write()
		o.session = s
	}
	c.mu.Lock()
	c.opening = nil
	if o.session != nil {
		c.live = o.session
	}
	c.mu.Unlock()
	close(o.done)
}

// session is one open stream.
type session struct {
	stream routingv1.DecisionService_DecideClient
	cancel context.CancelFunc
	window chan struct{} // a token per lead that may be unanswered
	share  int           // the server's window is for so many sessions
	size   int           // places handed out in all; of the reader alone
	debt   atomic.Int64  // places to take back as they come free
	out    chan *routingv1.DecideRequest
	ended  chan struct{} // closed when nothing more may be sent

	mu      sync.Mutex
	waiting map[uint64]*waiter
	over    bool
}

// portion is what one of several sessions may use of the server's window, which is over all streams.
func portion(window, sessions int) int { return max(window/sessions, 1) }

// resize sets the window to n; what is unanswered beyond it is waited for.
func (s *session) resize(n int) {
	n = min(n, cap(s.window))
	for ; s.size < n; s.size++ {
		s.window <- struct{}{}
	}
	for ; s.size > n; s.size-- {
		select {
		case <-s.window:
		default:
			s.debt.Add(1)
		}
	}
}

func (s *session) closed() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// send waits for a place in the window and hands the request to the writer; false if the session
// takes nothing more or ctx ended.
func (s *session) send(ctx context.Context, r *routingv1.DecideRequest, w *waiter) bool {
	select {
	case <-s.window:
	case <-s.ended:
		return false
	case <-ctx.Done():
		return false
	}
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return false
	}
	s.waiting[r.GetSequence()] = w
	s.mu.Unlock()
	select {
	case s.out <- r:
		return true
	case <-s.ended:
		return s.unsent(r)
	case <-ctx.Done():
		return s.unsent(r)
	}
}

// unsent takes back a request that was not handed over; true if it has been answered meanwhile.
func (s *session) unsent(r *routingv1.DecideRequest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.waiting[r.GetSequence()]; !ok {
		return true
	}
	delete(s.waiting, r.GetSequence())
	s.give()
	return false
}

func (s *session) forget(sent map[uint64]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for seq := range sent {
		if _, ok := s.waiting[seq]; ok {
			delete(s.waiting, seq)
			s.give()
		}
	}
}

// give makes a place in the window free.
func (s *session) give() {
	if s.debt.Load() > 0 {
		if s.debt.Add(-1) >= 0 {
			return
		}
		s.debt.Add(1)
	}
	select {
	case s.window <- struct{}{}:
	default:
	}
}

func (s *session) write() {
	for {
		select {
		case r := <-s.out:
			if err := s.stream.Send(r); err != nil {
				return // the reader learns why
			}
		case <-s.ended:
			for { // what is queued still goes out: the server answers it or says that it drains
				select {
				case r := <-s.out:
					if err := s.stream.Send(r); err != nil {
						return
					}
				default:
					if err := s.stream.CloseSend(); err != nil && !errors.Is(err, context.Canceled) {
						s.cancel()
					}
					return
				}
			}
		}
	}
}

func (s *session) read() {
	defer s.cancel()
	if md, err := s.stream.Header(); err == nil {
		if v := md.Get(MaxInFlightHeader); len(v) > 0 {
			if n, err := strconv.Atoi(v[0]); err == nil && n > 0 {
				s.resize(portion(n, s.share))
			}
		}
	}
	for {
		a, err := s.stream.Recv()
		if err != nil {
			s.end(true)
			return
		}
		if a.GetDraining() != nil {
			s.end(false)
			continue
		}
		s.mu.Lock()
		w := s.waiting[a.GetSequence()]
		delete(s.waiting, a.GetSequence())
		s.mu.Unlock()
		if w != nil {
			s.give()
			w.answer(a)
		}
	}
}

// end closes the sending side; with broken, everybody who still waits is released unanswered.
func (s *session) end(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		close(s.ended)
	}
	if broken {
		for seq, w := range s.waiting {
			delete(s.waiting, seq)
			w.settle(1)
		}
	}
}

// waiter collects the answers of one Decide call.
type waiter struct {
	mu      sync.Mutex
	left    int
	answers []*routingv1.DecideResponse
	done    chan struct{}
}

func (w *waiter) answer(a *routingv1.DecideResponse) {
	w.mu.Lock()
	w.answers = append(w.answers, a)
	w.mu.Unlock()
	w.settle(1)
}

func (w *waiter) settle(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left > 0 {
		if w.left -= n; w.left <= 0 {
			w.left = 0
			close(w.done)
		}
	}
}
