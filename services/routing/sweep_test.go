package routing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// atDeadlines goes from deadline to deadline of a lead until a time, as the sweep would.
func (w *world) atDeadlines(id lead.ID, until time.Time) {
	w.t.Helper()
	for {
		k := w.kase(id)
		if k.Owner == nil || k.Owner.Deadline.At.After(until) {
			w.now = until
			return
		}
		w.now = k.Owner.Deadline.At
		w.pass(0)
	}
}

func TestTheLadderClimbsByItself(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	first := w.kase(id).Owner.PersonID
	w.atDeadlines(id, monday.Add(5*time.Hour))
	k := w.kase(id)
	if k.Owner.Clock.Level != sla.LevelField || k.State != lead.StateAssigned {
		t.Errorf("level %d, state %s", k.Owner.Clock.Level, k.State)
	}
	if k.Owner.PersonID == first || k.Owner.PersonID == "" {
		t.Errorf("the breached lead is still with %q", first)
	}
	events := w.events(id)
	for _, want := range []string{
		"decided", "deadline MISSED_ACCEPT breached", "deadline WARNED", "deadline BREACHED breached", "escalated PERSON", "escalated MANAGER", "escalated FIELD",
	} {
		if !slices.Contains(events, want) {
			t.Errorf("%q is missing in %v", want, events)
		}
	}
	w.atDeadlines(id, monday.Add(15*24*time.Hour))
	k = w.kase(id)
	if diff := cmp.Diff("EXPIRED CLOSED_UNWORKED", k.State.String()+" "+k.ClosedCode); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if n := count(w.events(id), "escalated DAILY"); n < 2*12 {
		t.Errorf("told daily %d times to two", n)
	}
	if count(w.events(id), "expired CLOSED_UNWORKED") != 1 {
		t.Errorf("events: %v", w.events(id))
	}
}

func TestAnOutageIsMadeUpFor(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.pass(20 * 24 * time.Hour)
	if k := w.kase(id); k.State != lead.StateExpired || !k.ClosedAt.Equal(monday.Add(14*24*time.Hour)) {
		t.Errorf("state %s, closed at %s", k.State, k.ClosedAt)
	}
	if count(w.events(id), "escalated MANAGER") != 1 {
		t.Errorf("events: %v", w.events(id))
	}
}

func TestAPlanThatWasDoneExpiresUnreachable(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	var calls []*feedbackv1.Activity
	for i := range 6 {
		at := w.now.Add(time.Duration(i)*24*time.Hour + 10*time.Minute)
		calls = append(calls, w.call(id, string(rune('a'+i)), "a", at))
	}
	w.now = monday.Add(6 * 24 * time.Hour)
	w.apply(calls)
	w.pass(9 * 24 * time.Hour)
	k := w.kase(id)
	if diff := cmp.Diff("EXPIRED UNREACHABLE", k.State.String()+" "+k.ClosedCode); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

func TestALateReportShowsThatAnExpiredPlanWasDone(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.pass(15 * 24 * time.Hour)
	var calls []*feedbackv1.Activity
	for i := range 6 {
		calls = append(calls, w.call(id, string(rune('a'+i)), "a", monday.Add(time.Duration(i)*24*time.Hour+10*time.Minute)))
	}
	if diff := cmp.Diff([]string{"applied"}, slices.Compact(w.apply(calls))); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	k := w.kase(id)
	if diff := cmp.Diff("EXPIRED UNREACHABLE", k.State.String()+" "+k.ClosedCode); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if got := w.apply([]*feedbackv1.Activity{w.call(id, "after", "a", w.now)}); got[0] != reasonClosed {
		t.Errorf("a call after the end is %s", got[0])
	}
}

func TestLateReportMarksEscalationsNeedless(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.atDeadlines(id, monday.Add(5*time.Hour))
	mail := &feedbackv1.Activity{
		ActivityId: "mail", LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_EMAIL, PersonId: "a-1",
		OccurredAt: timestamppb.New(monday.Add(40 * time.Minute)), DealerId: "a",
	}
	w.apply([]*feedbackv1.Activity{mail})
	events := w.events(id)
	if n := count(events, "escalation_needless NEEDLESS"); n != 4 { // breach, person, manager, field
		t.Errorf("needless %d times: %v", n, events)
	}
	if count(events, "milestone RESPONDED met") != 1 {
		t.Errorf("events: %v", events)
	}
	for _, e := range w.rawEvents() {
		if e.GetFacts().GetKind() == "RESPONDED" {
			if diff := cmp.Diff(int64(40*60), e.GetFacts().GetStoreSeconds()); diff != "" {
				t.Errorf("store time (-want +got):\n%s", diff)
			}
		}
	}
}

func TestTwoSweepersFireEachDeadlineOnce(t *testing.T) {
	w := newWorld(t)
	other := w.replica()
	const leads = 60
	ids := map[string]int{}
	for range leads {
		ids[w.customer(chooses("a")).String()] = 0
	}
	w.now = w.now.Add(65 * time.Minute) // accept, warn, respond and the second person are due
	var wg sync.WaitGroup
	for _, s := range []*Service{w.s, other, w.s, other} {
		wg.Go(func() {
			if _, err := s.sweepOnce(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, e := range w.rawEvents() {
		if e.GetType() == eventDeadline && e.GetFacts().GetKind() == "BREACHED" {
			ids[e.GetLeadId()]++
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("the breach of %s was told %d times", id, n)
		}
	}
}

func TestParkedLeadsWake(t *testing.T) {
	w := newWorld(t)
	denied := func(p *leadv1.Lead) {
		p.Consents = []*leadv1.Consent{{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_ANSWER_INQUIRY,
			State: leadv1.ConsentState_CONSENT_STATE_DENIED, At: timestamppb.New(monday.Add(-time.Hour)),
		}}
	}
	still, free, twin := w.customer(denied), w.customer(denied), w.inquire("ada", denied)
	holder := w.inquire("ada", nil)
	for _, id := range []lead.ID{free, twin} { // consent comes in while the lead is parked
		w.allow(id)
	}
	w.pass(6 * 24 * time.Hour)
	for _, id := range []lead.ID{still, free, twin} {
		if k := w.kase(id); k.State != lead.StateParked || k.Attempt != 1 {
			t.Fatalf("before the review: %s, attempt %d", k.State, k.Attempt)
		}
	}
	w.pass(2 * 24 * time.Hour)
	k := w.kase(still)
	if k.State != lead.StateParked || k.Attempt != 2 || !k.Parking.ReviewAt.After(w.now) {
		t.Errorf("without consent: %s, attempt %d, review %s", k.State, k.Attempt, k.Parking.ReviewAt)
	}
	if k := w.kase(free); k.State != lead.StateAssigned || k.Owner == nil || k.Owner.Sequence != 1 {
		t.Errorf("with consent: %s", k.State)
	}
	if k := w.kase(twin); k.State != lead.StateMerged || k.MergedInto != holder {
		t.Errorf("with an open twin: %s", k.State)
	}
	if count(w.events(free), "woken CONSENT") != 1 || count(w.events(still), "woken CONSENT") != 0 {
		t.Errorf("events: %v and %v", w.events(free), w.events(still))
	}
}

// customers answers what Identity knows now.
type customers struct {
	known *identityv1.Resolution
	err   error
}

func (c *customers) BatchResolve(context.Context, *identityv1.BatchResolveRequest, ...grpc.CallOption) (*identityv1.BatchResolveResponse, error) {
	return &identityv1.BatchResolveResponse{Resolutions: []*identityv1.Resolution{c.known}}, c.err
}

func TestParkedLeadsWakeWithWhatIsKnownNow(t *testing.T) {
	w := newWorld(t)
	identity := &customers{known: &identityv1.Resolution{}, err: errors.New("away")}
	w.s.identity = identity
	id := w.customer(func(p *leadv1.Lead) {
		p.Consents = []*leadv1.Consent{{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_ANSWER_INQUIRY,
			State: leadv1.ConsentState_CONSENT_STATE_DENIED, At: timestamppb.New(monday.Add(-time.Hour)),
		}}
	})
	w.now = w.now.Add(8 * 24 * time.Hour)
	if _, err := w.s.sweepOnce(t.Context()); err == nil {
		t.Error("nobody is told that Identity is away")
	}
	if k := w.kase(id); k.State != lead.StateParked || k.Attempt != 1 || !k.Parking.ReviewAt.After(w.now) {
		t.Fatalf("while Identity is away: %s, attempt %d, review %s", k.State, k.Attempt, k.Parking.ReviewAt)
	}
	identity.err = nil // the customer agreed meanwhile: no fact denies an answer any more
	w.pass(time.Hour)
	k := w.kase(id)
	if k.State != lead.StateAssigned || k.Owner == nil {
		t.Fatalf("with consent given: %s", k.State)
	}
	stored := &leadv1.Lead{}
	if err := proto.Unmarshal(k.Lead, stored); err != nil || len(stored.GetConsents()) != 0 {
		t.Errorf("the lead keeps %v, %v", stored.GetConsents(), err)
	}
}

// allow drops the consent facts of a stored lead, as Capture does when the customer agrees.
func (w *world) allow(id lead.ID) {
	w.t.Helper()
	p := &leadv1.Lead{}
	if err := proto.Unmarshal(w.kase(id).Lead, p); err != nil {
		w.t.Fatal(err)
	}
	p.Consents = nil
	raw, err := proto.Marshal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.pool.Exec(w.t.Context(), "UPDATE decision SET lead = $1 WHERE lead_id = $2::uuid", w.s.store.Pack(raw), id.String()); err != nil {
		w.t.Fatal(err)
	}
}

// BenchmarkSweep measures deadlines carried out a second: every lead has its accept, warning,
// breach and first step of the ladder due at once, and a second person to be named.
func BenchmarkSweep(b *testing.B) {
	const leads = 2_000
	w := newWorld(b)
	fired := 0
	for b.Loop() {
		b.StopTimer()
		for range leads / 200 {
			var group []*inquiry
			for i := range 200 {
				group = append(group, w.inquiry(fmt.Sprint("person ", w.made, i), chooses("a")))
			}
			w.commit(group...)
		}
		w.now = w.now.Add(65 * time.Minute)
		b.StartTimer()
		if _, err := w.s.sweepOnce(b.Context()); err != nil {
			b.Fatal(err)
		}
		fired += leads
	}
	b.ReportMetric(float64(fired)/b.Elapsed().Seconds(), "leads/s")
}

func TestAStoreThatCannotBeSeenIsNotJudged(t *testing.T) {
	w := newPushWorld(t, map[string]string{"c": "https://leads.example.com/c"})
	first, second := w.customer(chooses("c")), w.customer(chooses("c"))
	breach := func(id lead.ID) string {
		t.Helper()
		for _, e := range w.events(id) {
			if strings.HasPrefix(e, "deadline BREACHED") {
				return e
			}
		}
		return ""
	}
	w.atDeadlines(first, monday.Add(61*time.Minute))
	if diff := cmp.Diff("deadline BREACHED unknown", breach(first)); diff != "" {
		t.Errorf("breach of a store that shows nothing (-want +got):\n%s", diff)
	}
	again := w.customer(chooses("c")) // the clock of a customer who asks again obeys the same rule
	k := w.kase(again)
	for _, f := range w.s.effectEvents(w.s.engine.rules.Load(), k, []sla.Effect{{Kind: sla.AskedAgainMissed, At: w.now}, {Kind: sla.MissedAccept, At: w.now}}) {
		if diff := cmp.Diff(verdictUnknown, f.GetFacts().GetVerdict()); diff != "" {
			t.Errorf("verdict of %s (-want +got):\n%s", f.GetFacts().GetKind(), diff)
		}
	}
	if k := w.kase(first); k.Owner.Clock.Level != sla.LevelPerson {
		t.Errorf("its ladder stands at %d; it climbs at every grade", k.Owner.Clock.Level)
	}
	delivered := func(id lead.ID) *feedbackv1.Activity {
		a := w.milestone(id, "delivered", leadv1.Milestone_MILESTONE_DELIVERED, w.now)
		a.DealerId, a.PersonId = "c", ""
		return a
	}
	w.apply([]*feedbackv1.Activity{delivered(first), delivered(second)})
	if err := w.s.countEvidence(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sla.Observed, w.s.evidenceGrade(w.s.engine.rules.Load(), "c", lead.DepartmentNew)); diff != "" {
		t.Errorf("grade once it reports about every lead (-want +got):\n%s", diff)
	}
	w.atDeadlines(second, w.now.Add(61*time.Minute))
	if diff := cmp.Diff(1, count(w.events(second), "deadline BREACHED breached")); diff != "" {
		t.Errorf("breaches after delivery (-want +got):\n%s", diff)
	}
}

func TestTheLoopSweepsUntilItIsStopped(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.now = w.now.Add(65 * time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.s.sweep(ctx) }()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for swept := false; !swept; {
		select {
		case <-limit.C:
			t.Fatal("the deadline was not swept")
		case <-look.C:
			swept = w.kase(id).Owner.Clock.Level == sla.LevelPerson
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
