package feedback_test

import (
	"context"
	"testing"
	"time"

	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// TestCaptureWaitsForItsDecision: a lead that was captured a moment ago is not folded before it is
// decided, or before that moment is over; its company is, and the watermark does not pass it.
func TestCaptureWaitsForItsDecision(t *testing.T) {
	b, n := setup(t), newNews(1)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	captured := func(i int, at time.Time) *leadv1.Event {
		e := n.event("capture", "captured", leadID(i), 1, at, &leadv1.EventFacts{ReceivedAt: ts(at)})
		e.RecordedAt = ts(at)
		return e
	}
	say := func(events ...*leadv1.Event) {
		t.Helper()
		if _, err := b.BatchAppendEvents(t.Context(), &feedbackv1.BatchAppendEventsRequest{Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	events := func(i int) (n int32) {
		t.Helper()
		if err := b.pool.QueryRow(t.Context(), "SELECT COALESCE(max(events), 0) FROM lead_fact WHERE lead_id = $1", leadID(i)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	await := func(i int, want int32) {
		t.Helper()
		for end := time.Now().Add(time.Minute); events(i) != want; {
			if time.Now().After(end) {
				t.Fatalf("lead %d has %d events folded, want %d", i, events(i), want)
			}
		}
	}
	parked := n.event("capture", "parked", leadID(2), 1, start, &leadv1.EventFacts{})
	parked.RecordedAt = ts(start)
	say(captured(1, start), captured(2, start), parked)
	say(captured(3, start.Add(-time.Second)))
	say(captured(4, start.Add(time.Minute))) // by a clock that is fast
	await(2, 2)
	await(3, 1)
	await(4, 1)
	if got := events(1); got != 0 {
		t.Errorf("%d events of the young lead are folded, want none yet", got)
	}
	var since time.Time
	if err := b.pool.QueryRow(t.Context(), "SELECT min(recorded_at) FROM unfolded").Scan(&since); err != nil || !since.Equal(start) {
		t.Errorf("what waits was recorded at %s, %v, want %s", since, err, start)
	}

	decided := n.event("routing", "decided", leadID(1), 2, start, &leadv1.EventFacts{})
	decided.RecordedAt = ts(start)
	say(decided)
	await(1, 2)

	say(captured(5, start), captured(6, start.Add(-time.Hour)))
	say(captured(7, start))
	await(6, 1) // an append is as old as the oldest of its events
	await(5, 1)
	b.clock.pass(time.Second)
	await(7, 1)
}
