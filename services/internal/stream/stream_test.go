package stream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/stream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
)

// router answers every request with a decision that bears its traceparent as the lead, and notes what came.
type router struct {
	routingv1.UnimplementedDecisionServiceServer
	server *stream.Server

	mu      sync.Mutex
	streams int
	came    map[string][]string // leads of a person, by stream
}

func (r *router) Decide(st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse]) error {
	r.mu.Lock()
	r.streams++
	me := r.streams
	r.mu.Unlock()
	return r.server.Serve(st, func(_ context.Context, q *routingv1.DecideRequest, reply func(*routingv1.DecideResponse)) *routingv1.DecideResponse {
		r.mu.Lock()
		key := fmt.Sprint(q.GetPersonId(), " by stream ", me)
		r.came[key] = append(r.came[key], q.GetTraceparent())
		r.mu.Unlock()
		a := &routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Decision{Decision: &leadv1.Decision{LeadId: q.GetTraceparent()}}}
		if q.GetMode() == routingv1.DecideMode_DECIDE_MODE_DRY_RUN {
			return a // known at once
		}
		go reply(a) // as a commit does: later, in any order
		return nil
	})
}

func connect(t *testing.T, r *router) *grpc.ClientConn {
	t.Helper()
	pipe := bufconn.Listen(1 << 20)
	s := grpc.NewServer()
	routingv1.RegisterDecisionServiceServer(s, r)
	done := make(chan error, 1)
	go func() { done <- s.Serve(pipe) }()
	conn, err := grpc.NewClient("passthrough:///routing", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return conn
}

func TestLeadsOfAPersonKeepTheirOrder(t *testing.T) {
	r := &router{server: stream.NewServer(4_096), came: map[string][]string{}}
	client := stream.NewClient(routingv1.NewDecisionServiceClient(connect(t, r)), 3)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const persons, leads = 40, 400
	requests := make([]*routingv1.DecideRequest, leads)
	for i := range requests {
		requests[i] = &routingv1.DecideRequest{PersonId: fmt.Sprint("person ", i%persons), Traceparent: fmt.Sprintf("%04d", i)}
		if i%3 == 0 {
			requests[i].Mode = routingv1.DecideMode_DECIDE_MODE_DRY_RUN
		}
	}
	for i, a := range client.Decide(ctx, requests) {
		if got, want := a.GetDecision().GetLeadId(), fmt.Sprintf("%04d", i); got != want {
			t.Fatalf("answer %d is for lead %q (%v)", i, got, a.GetProblem())
		}
	}
	if r.streams != 3 {
		t.Errorf("%d streams were opened, want 3", r.streams)
	}
	if len(r.came) != persons {
		t.Errorf("leads of %d persons came over several streams", len(r.came)-persons)
	}
	for key, came := range r.came {
		for i := 1; i < len(came); i++ {
			if came[i-1] >= came[i] {
				t.Fatalf("%s: lead %s came before %s", key, came[i-1], came[i])
			}
		}
	}
}

// unread is a stream of dry runs whose caller reads no answer.
type unread struct {
	grpc.ServerStream
	ctx  context.Context
	full chan struct{} // closed when an answer waits for its reader
	once sync.Once
}

func (u *unread) Context() context.Context     { return u.ctx }
func (u *unread) SendHeader(metadata.MD) error { return nil }
func (u *unread) RecvMsg(m any) error {
	m.(*routingv1.DecideRequest).Mode = routingv1.DecideMode_DECIDE_MODE_DRY_RUN
	return u.ctx.Err()
}

func (u *unread) SendMsg(any) error {
	u.once.Do(func() { close(u.full) })
	<-u.ctx.Done()
	return u.ctx.Err()
}

// A caller that does not read its answers holds up its own stream, and takes nobody's place in the
// window.
func TestUnreadAnswersTakeNoPlace(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	u := &unread{ctx: ctx, full: make(chan struct{})}
	server := stream.NewServer(1)
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(&grpc.GenericServerStream[routingv1.DecideRequest, routingv1.DecideResponse]{ServerStream: u},
			func(context.Context, *routingv1.DecideRequest, func(*routingv1.DecideResponse)) *routingv1.DecideResponse {
				return &routingv1.DecideResponse{}
			})
	}()
	<-u.full
	if n := server.InFlight(); n != 0 {
		t.Errorf("%d leads count as unanswered", n)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the stream ended with %v", err)
	}
}
