package feedback_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
)

func TestEventsAreHeldOnce(t *testing.T) {
	b, n := setup(t), newNews(1)
	captured := n.event("capture", "captured", leadID(1), 1, start, &leadv1.EventFacts{Source: "site", ReceivedAt: ts(start)})
	won := n.event("routing", "won", leadID(1), 9, start.Add(time.Hour), &leadv1.EventFacts{State: "WON"})
	if got := b.append(t, won, captured, won); got != 2 {
		t.Errorf("first added %d, want 2: an event repeated in its batch is one", got)
	}
	if got := b.append(t, captured, won); got != 0 {
		t.Errorf("again added %d, want 0", got)
	}
	resp, err := b.ListLeadEvents(t.Context(), &feedbackv1.ListLeadEventsRequest{LeadId: leadID(1)})
	if err != nil {
		t.Fatal(err)
	}
	want := []*leadv1.Event{captured, won}
	if diff := cmp.Diff(want, resp.GetEvents(), protocmp.Transform()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestEventsAreCheckedTogether(t *testing.T) {
	b, n := setup(t), newNews(1)
	good := n.event("capture", "captured", leadID(1), 1, start, nil)
	_, err := b.BatchAppendEvents(t.Context(), &feedbackv1.BatchAppendEventsRequest{Events: []*leadv1.Event{good, {EventId: "x"}}})
	if status.Code(err) != codes.InvalidArgument {
		t.Fatalf("error %v, want InvalidArgument", err)
	}
	resp, err := b.ListLeadEvents(t.Context(), &feedbackv1.ListLeadEventsRequest{LeadId: leadID(1)})
	if err != nil || len(resp.GetEvents()) != 0 {
		t.Errorf("held %d events, %v; a batch with a wrong event adds none", len(resp.GetEvents()), err)
	}
}

// history makes a plausible history of a lead, now and then with an unknown line or a test.
func history(n *news, i int) []*leadv1.Event {
	id, at := leadID(i), start.Add(-time.Duration(1+n.rng.IntN(20*24))*time.Hour)
	after := func(most time.Duration) time.Time {
		at = at.Add(time.Duration(n.rng.Int64N(int64(most))).Truncate(time.Microsecond))
		return at
	}
	events := []*leadv1.Event{n.event("capture", "captured", id, 1, at, &leadv1.EventFacts{
		Test: n.rng.IntN(20) == 0, Line: "SALES", Source: fmt.Sprintf("source-%d", n.rng.IntN(3)), ReceivedAt: ts(at), Flags: int32(n.rng.IntN(2)),
	})}
	add := func(source, kind string, version int64, facts *leadv1.EventFacts) {
		events = append(events, n.event(source, kind, id, version, after(time.Hour), facts))
	}
	switch n.rng.IntN(6) {
	case 0:
		return events
	case 1:
		add("capture", "rejected", 2, &leadv1.EventFacts{Code: "JUNK"})
		return events
	case 2:
		add("capture", "parked", 2, &leadv1.EventFacts{Code: "DATA", DueAt: ts(at.Add(24 * time.Hour)), Actor: "mops"})
		add("capture", "woken", 3, &leadv1.EventFacts{})
	}
	if n.rng.IntN(6) == 0 {
		add("routing", "decided", 1, &leadv1.EventFacts{State: "MERGED", RelatedId: leadID(i + 1)})
		return events
	}
	add("routing", "decided", 1, &leadv1.EventFacts{State: "ASSIGNED", DealerId: "D1", DueAt: ts(at.Add(time.Hour)), DeadlineKind: "RESPOND", DeliveredAt: ts(at), ProbabilityPpm: 120_000})
	if n.rng.IntN(2) == 0 {
		add("routing", "deadline", 2, &leadv1.EventFacts{DeadlineKind: "RESPOND", Verdict: "breached", DealerId: "D1", DueAt: ts(at)})
	}
	if n.rng.IntN(3) == 0 {
		add("routing", "transfer_offered", 3, &leadv1.EventFacts{RelatedId: "D2", DueAt: ts(at.Add(4 * time.Hour))})
		add("routing", "transferred", 4, &leadv1.EventFacts{State: "ASSIGNED", DealerId: "D2", RelatedId: "D1", DueAt: ts(at.Add(time.Hour)), DeadlineKind: "RESPOND"})
	}
	if n.rng.IntN(2) == 0 {
		add("routing", "milestone", 5, &leadv1.EventFacts{Kind: "RESPONDED", Verdict: "met", DealerId: "D1", StoreSeconds: n.rng.Int64N(5000), Actor: "p1"})
		add("routing", "milestone", 6, &leadv1.EventFacts{Kind: "ENGAGED", Actor: "p1"})
		add("routing", "state", 6, &leadv1.EventFacts{State: "ENGAGED"})
	}
	switch n.rng.IntN(5) {
	case 0:
		add("routing", "won", 7, &leadv1.EventFacts{State: "WON"})
		add("routing", "unwound", 8, &leadv1.EventFacts{State: "WORKING"})
	case 1:
		add("routing", "won", 7, &leadv1.EventFacts{})
	case 2:
		add("routing", "lost", 7, &leadv1.EventFacts{Code: "PRICE"})
	case 3:
		add("routing", "expired", 7, &leadv1.EventFacts{Code: "UNREACHABLE"})
	}
	return events
}

// TestFiguresDoNotDependOnOrder feeds the same events to two services: to one in order, to the
// other shuffled, cut into batches, some of them twice, from four sides at once. Every figure,
// leak and the equation must come out the same, and the equation must agree with the log.
func TestFiguresDoNotDependOnOrder(t *testing.T) {
	n := newNews(42)
	const leads = 300
	var events []*leadv1.Event
	captured := int64(0)
	for i := range leads {
		h := history(n, i)
		if !h[0].GetFacts().GetTest() {
			captured++
		}
		events = append(events, h...)
	}
	ordered, shuffled := setup(t), setup(t)
	for i := 0; i < len(events); i += 1000 {
		ordered.append(t, events[i:min(i+1000, len(events))]...)
	}
	n.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	feed(t, shuffled, events)

	req := &feedbackv1.GetScorecardRequest{GroupBy: "source", From: ts(start.Add(-60 * 24 * time.Hour))}
	want, err := ordered.GetScorecard(as(t, oem), req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := shuffled.GetScorecard(as(t, oem), req)
	if err != nil {
		t.Fatal(err)
	}
	ignore := protocmp.IgnoreFields(&feedbackv1.GetScorecardResponse{}, "watermark")
	if diff := cmp.Diff(want, got, protocmp.Transform(), ignore); diff != "" {
		t.Errorf("scorecard depends on the order of events (-in order +shuffled):\n%s", diff)
	}
	if c := got.GetConservation(); !c.GetHolds() || c.GetCaptured() != captured {
		t.Errorf("equation %v, want to hold with %d captured", c, captured)
	}
	leaks := &feedbackv1.GetLeakageRequest{From: req.GetFrom(), PageSize: 1000}
	wantLeaks, err := ordered.GetLeakage(as(t, oem), leaks)
	if err != nil {
		t.Fatal(err)
	}
	gotLeaks, err := shuffled.GetLeakage(as(t, oem), leaks)
	if err != nil {
		t.Fatal(err)
	}
	if wantLeaks.GetCount() == 0 {
		t.Error("no leak among the histories: the test tests nothing")
	}
	ignoreLeaks := []cmp.Option{protocmp.Transform(), protocmp.IgnoreFields(&feedbackv1.GetLeakageResponse{}, "watermark"), protocmp.IgnoreFields(&feedbackv1.Leak{}, "age_seconds")}
	if diff := cmp.Diff(wantLeaks, gotLeaks, ignoreLeaks...); diff != "" {
		t.Errorf("leaks depend on the order of events (-in order +shuffled):\n%s", diff)
	}
}

// feed appends events in small batches from four sides at once, every fifth batch twice, while
// three others fold what they find.
func feed(t *testing.T, b *bundle, events []*leadv1.Event) {
	t.Helper()
	batches := make(chan []*leadv1.Event)
	var wg, folders sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for batch := range batches {
				if _, err := b.BatchAppendEvents(t.Context(), &feedbackv1.BatchAppendEventsRequest{Events: batch}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	for range 3 {
		folders.Go(func() {
			for {
				if _, err := b.Fold(t.Context()); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := 0; i < len(events); i += 17 {
		batch := events[i:min(i+17, len(events))]
		batches <- batch
		if i%5 == 0 {
			batches <- batch
		}
	}
	close(batches)
	wg.Wait()
	close(done)
	folders.Wait()
	b.fold(t)
}

// TestEquationHoldsAtEveryMoment cuts a shuffled log anywhere: the leads captured so far stand in
// exactly one state each.
func TestEquationHoldsAtEveryMoment(t *testing.T) {
	b, n := setup(t), newNews(5)
	var events []*leadv1.Event
	for i := range 60 {
		events = append(events, history(n, i)...)
	}
	n.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	captured := int64(0)
	for i := 0; i < len(events); i += 23 {
		batch := events[i:min(i+23, len(events))]
		b.append(t, batch...)
		for _, e := range batch {
			if e.GetType() == "leadmesh.lead.captured.v1" && !e.GetFacts().GetTest() {
				captured++
			}
		}
		resp, err := b.GetScorecard(as(t, oem), &feedbackv1.GetScorecardRequest{From: ts(start.Add(-60 * 24 * time.Hour))})
		if err != nil {
			t.Fatal(err)
		}
		if c := resp.GetConservation(); !c.GetHolds() || c.GetCaptured() != captured {
			t.Fatalf("after %d events: %v, want to hold with %d captured", i+len(batch), c, captured)
		}
	}
}

// TestWatermarkWaitsForFolding: what is in the log and in no figure yet holds the watermark back,
// however long ago it came.
func TestWatermarkWaitsForFolding(t *testing.T) {
	b, n := setup(t), newNews(1)
	watermark := func() time.Time {
		t.Helper()
		resp, err := b.GetScorecard(as(t, oem), &feedbackv1.GetScorecardRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetWatermark().AsTime()
	}
	captured := n.event("capture", "captured", leadID(1), 1, start, &leadv1.EventFacts{ReceivedAt: ts(start)})
	if _, err := b.BatchAppendEvents(t.Context(), &feedbackv1.BatchAppendEventsRequest{Events: []*leadv1.Event{captured}}); err != nil {
		t.Fatal(err)
	}
	b.clock.pass(time.Hour)
	if got := watermark(); !got.Equal(start) {
		t.Errorf("watermark %s while an event of %s waits", got, start)
	}
	if leads, err := b.Fold(t.Context()); leads != 1 || err != nil {
		t.Errorf("folded %d, %v, want 1", leads, err)
	}
	if leads, err := b.Fold(t.Context()); leads != 0 || err != nil {
		t.Errorf("folded %d again, %v", leads, err)
	}
	if got, want := watermark(), b.clock.Now().Add(-2*time.Second); !got.Equal(want) {
		t.Errorf("watermark %s, want %s", got, want)
	}
}

// TestBadContactOutlivesFolding: what a report proved about a lead stays, whenever its events come.
func TestBadContactOutlivesFolding(t *testing.T) {
	b, n := setup(t), newNews(1)
	b.cases.own(leadID(1), "D1")
	wrong := call("a1", leadID(1), start)
	wrong.CallResult = leadv1.CallResult_CALL_RESULT_WRONG_NUMBER
	if r := b.report(t, dealer("D1"), wrong)[0]; !r.GetApplied() {
		t.Fatalf("report %v", r)
	}
	at := start.Add(-time.Hour)
	b.append(t, n.event("capture", "captured", leadID(1), 1, at, &leadv1.EventFacts{ReceivedAt: ts(at)}))
	b.append(t, n.event("routing", "decided", leadID(1), 1, at, &leadv1.EventFacts{State: "ASSIGNED", DealerId: "D1"}))
	resp, err := b.ListScorecardLeads(as(t, oem), &feedbackv1.ListScorecardLeadsRequest{Figure: "data_accuracy", Missing: true})
	if err != nil || len(resp.GetLeadIds()) != 1 {
		t.Errorf("inaccurate leads %v, %v, want the one with the wrong number", resp.GetLeadIds(), err)
	}
}
