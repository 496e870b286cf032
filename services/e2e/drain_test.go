package e2e_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// quote is a lead that the stream answers as a dry run.
func quote(sequence uint64) *routingv1.DecideRequest {
	return &routingv1.DecideRequest{
		Sequence: sequence, Mode: routingv1.DecideMode_DECIDE_MODE_DRY_RUN,
		Lead: &leadv1.Lead{Line: leadv1.Line_LINE_SALES, Brand: "NORRVIND", Parties: []*leadv1.Party{{Address: &leadv1.Address{PostalCode: "80205", Country: "US"}}}},
	}
}

// quoter keeps a stream of dry runs busy until the server drains it.
type quoter struct {
	mu       sync.Mutex
	sent     uint64
	answered map[uint64]int
	draining chan struct{}
	ended    chan error
}

// startQuoter opens a stream whose sequences begin after first.
func startQuoter(ctx context.Context, t *testing.T, conn *grpc.ClientConn, first uint64) *quoter {
	t.Helper()
	st, err := routingv1.NewDecisionServiceClient(conn).Decide(ctx, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	q := &quoter{sent: first, answered: map[uint64]int{}, draining: make(chan struct{}), ended: make(chan error, 1)}
	go q.read(st)
	go q.write(t, st)
	return q
}

func (q *quoter) write(t *testing.T, st routingv1.DecisionService_DecideClient) {
	for {
		select {
		case <-q.draining:
			if err := st.CloseSend(); err != nil {
				t.Error(err)
			}
			return
		default:
		}
		q.mu.Lock()
		q.sent++
		sequence := q.sent
		q.mu.Unlock()
		if err := st.Send(quote(sequence)); err != nil {
			return // the reader says why
		}
	}
}

func (q *quoter) read(st routingv1.DecisionService_DecideClient) {
	for {
		a, err := st.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			q.ended <- err
			return
		}
		if a.GetDraining() != nil {
			close(q.draining)
			continue
		}
		q.mu.Lock()
		q.answered[a.GetSequence()]++
		q.mu.Unlock()
	}
}

func (q *quoter) answers() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.answered)
}

// settle returns the sequences that were sent and not answered, after the stream has ended.
func (q *quoter) settle(t *testing.T, first uint64) (unanswered []uint64) {
	t.Helper()
	for sequence := first + 1; sequence <= q.sent; sequence++ {
		switch n := q.answered[sequence]; {
		case n == 0:
			unanswered = append(unanswered, sequence)
		case n > 1:
			t.Errorf("sequence %d was answered %d times", sequence, n)
		}
	}
	return unanswered
}

// stopLimit is how long a process takes to stop: 10 s at most for calls to end, and some of a busy machine's
// for all that comes after. Whether calls were cut is seen by their callers.
const stopLimit = 30 * time.Second

// TestRoutingDrains tells the routing process to stop while strangers and Capture keep its streams
// busy: each request is answered once, here or on the next stream, and nothing is lost.
func TestRoutingDrains(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	w := fiveProcesses(t)
	l := startLoad(t, w)
	ctx, cancel := context.WithTimeout(w.as(t.Context(), "oem"), 10*patience)
	defer cancel()
	q := startQuoter(ctx, t, w.routing(t), 0)
	l.flows(t, 20)
	eventually(t, patience, "the stream is busy", func() bool { return q.answers() > 500 })

	told := time.Now()
	ended := w.processes["routing"].terminate(t)
	select {
	case <-q.draining:
	case <-time.After(patience):
		t.Fatal("the stream was not told to drain")
	}
	if err := <-q.ended; err != nil {
		t.Errorf("the drained stream ended with %v", err)
	}
	if left := q.settle(t, 0); len(left) > 0 {
		t.Errorf("%d requests of the drained stream were not answered, the first %d of %d", len(left), left[0], q.sent)
	}
	if err := <-ended; err != nil {
		t.Errorf("routing ended with %v", err)
	}
	if took := time.Since(told); took > stopLimit {
		t.Errorf("routing took %s to stop", took)
	}
	w.restart(t, "routing")
	again := startQuoter(ctx, t, w.routing(t), q.sent)
	eventually(t, patience, "a new stream is answered", func() bool { return again.answers() > 100 })
	l.flows(t, 20)
	cancel()
	if err := <-again.ended; err != nil {
		t.Logf("the quoter ended with: %v", err) // it was cut off
	}
	l.verify(t)
}

// TestProcessStops tells the one process to stop under load: what it had taken on it answers.
func TestProcessStops(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	w, p := privateProcess(t, openDir(t))
	l := startLoad(t, w)
	l.tolerate = refused
	l.flows(t, 20)
	told := time.Now()
	if err := <-p.terminate(t); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if took := time.Since(told); took > stopLimit {
		t.Errorf("the process took %s to stop", took)
	}
	from := l.count(0)
	eventually(t, patience, "senders are refused", func() bool { return l.count(0) > from })
	p = spawn(t, p.args...)
	w.awaitHealthy(t)
	l.flows(t, 20)
	l.verify(t)
	p.stop(t)
}

// refused holds for requests that nobody had taken on when they failed.
func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || status.Code(err) == codes.Unavailable
}
