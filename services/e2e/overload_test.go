package e2e_test

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/house"
)

// TestIntakeOverloaded fills Capture's limit with leads whose decisions are held up: the next is
// refused with a time to come back, nothing of it is stored, and those inside are safe.
func TestIntakeOverloaded(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a house")
	}
	const limit = 5
	w := inProcess(t, func(c *house.Config) { c.MaxInFlight, c.AnswerWithin = limit, patience }) // they stay inside while they wait
	db := w.database(t)
	release := w.hold(t, "routing.decision")
	answers := make(chan answer, limit)
	for i := range limit / 2 { // each document holds two leads
		go func() { answers <- w.submit(t.Context(), newSubmission("adf", i)) }()
	}
	single := newSubmission("lead", limit)
	go func() { answers <- w.submit(t.Context(), single) }()
	eventually(t, patience, "the limit is reached", func() bool {
		return db.count(t, `SELECT count(*) FROM capture.pending`) == limit
	})
	for i, kind := range []string{"lead", "adf", "batch"} {
		a := w.submit(t.Context(), newSubmission(kind, 100+i))
		if a.code != http.StatusTooManyRequests || a.reason != "OVERLOADED" || a.retryAfter == "" {
			t.Errorf("beyond the limit a %s was answered %d %s, Retry-After %q, %v", kind, a.code, a.reason, a.retryAfter, a.err)
		}
	}
	if n := db.count(t, `SELECT count(*) FROM capture.lead`); n != limit {
		t.Errorf("%d leads are stored, %d were taken", n, limit)
	}
	if code, raw := w.call(t, "oem", http.MethodGet, "/v1/reports/scorecard", nil, ""); code != http.StatusOK {
		t.Errorf("meanwhile reading was answered %d %s", code, raw)
	}
	release()
	for range limit/2 + 1 {
		if a := <-answers; a.code != http.StatusOK && a.code != http.StatusAccepted {
			t.Errorf("a lead inside the limit was answered %d %s %v", a.code, a.reason, a.err)
		}
	}
	// A batch above the limit gets its turn when nothing else is taken in.
	if a := w.submit(t.Context(), newSubmission("batch", 102)); a.code != http.StatusOK {
		t.Errorf("a batch of ten alone was answered %d %s %v", a.code, a.reason, a.err)
	}
	eventually(t, patience, "everything is decided", func() bool {
		return db.count(t, `SELECT count(*) FROM capture.pending`) == 0
	})
	lawsKept(t, w, limit+10)
}

// TestStreamOverloaded fills Routing's window with commits that are held up: a quote beyond it is
// told so in the stream, which lives on.
func TestStreamOverloaded(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a house")
	}
	const window = 4
	w := inProcess(t, func(c *house.Config) { c.Window, c.AnswerWithin = window, patience })
	db := w.database(t)
	ctx, cancel := context.WithTimeout(w.as(t.Context(), "oem"), 5*patience)
	defer cancel()
	st, err := routingv1.NewDecisionServiceClient(w.grpc).Decide(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(sequence uint64) *routingv1.DecideResponse {
		t.Helper()
		if err := st.Send(quote(sequence)); err != nil {
			t.Fatal(err)
		}
		a, err := st.Recv()
		if err != nil || a.GetSequence() != sequence {
			t.Fatalf("sequence %d was answered %v, %v", sequence, a, err)
		}
		return a
	}
	if a := ask(1); a.GetDecision() == nil {
		t.Fatalf("a quote was answered %v", a)
	}
	if md, err := st.Header(); err != nil || len(md.Get("leadmesh-max-in-flight")) != 1 || md.Get("leadmesh-max-in-flight")[0] != strconv.Itoa(window) {
		t.Errorf("the window is announced as %v, %v", md.Get("leadmesh-max-in-flight"), err)
	}
	release := w.hold(t, "routing.decision")
	var wg sync.WaitGroup
	for i := range 3 * window {
		wg.Go(func() {
			if a := w.submit(t.Context(), newSubmission("lead", i+1)); a.code != http.StatusAccepted && a.code != http.StatusOK {
				t.Errorf("a lead was answered %d %s %v", a.code, a.reason, a.err)
			}
		})
	}
	var a *routingv1.DecideResponse
	sequence := uint64(1)
	eventually(t, patience, "the window is full", func() bool {
		sequence++
		a = ask(sequence)
		return a.GetProblem() != nil
	})
	if p := a.GetProblem(); p.GetReason() != problemv1.Reason_REASON_OVERLOADED || p.GetRetryAfter().AsDuration() <= 0 {
		t.Errorf("beyond the window a quote was answered %v", a)
	}
	release()
	wg.Wait()
	eventually(t, patience, "the stream is answered again", func() bool {
		sequence++
		return ask(sequence).GetDecision() != nil
	})
	eventually(t, patience, "everything is decided", func() bool {
		return db.count(t, `SELECT count(*) FROM capture.pending`) == 0
	})
	lawsKept(t, w, 3*window)
}
