package capture_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/governance"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// quick makes the background loops look often; what is due is still the test's clock's.
var quick = capture.Config{PollEvery: time.Millisecond}

func (w *world) setDecide(f func(context.Context, []*routingv1.DecideRequest) []*routingv1.DecideResponse) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.decide = f
}

func (w *world) setResolve(f func(*identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resolve = f
}

func (w *world) attempts() int {
	return w.count("SELECT coalesce(max(attempts), -1) FROM pending")
}

func TestLeadNotDecidedInTimeIsPendingAndSafe(t *testing.T) {
	w := newWorld(t, capture.Config{AnswerWithin: 20 * time.Millisecond, PollEvery: time.Millisecond})
	w.setDecide(func(ctx context.Context, requests []*routingv1.DecideRequest) []*routingv1.DecideResponse {
		<-ctx.Done() // as the stream's client: who gets no answer in time is told so
		return refuse(problemv1.Reason_REASON_UNAVAILABLE)(ctx, requests)
	})
	r := w.mustPost(adaJSON, "k")
	if r.GetState() != leadv1.State_STATE_PENDING || r.GetLeadId() == "" || r.GetProblem() != nil {
		t.Fatalf("answer = %v, want PENDING with the lead's id", r)
	}
	if diff := cmp.Diff(places{Leads: 1, Pending: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	w.setDecide(nil)
	defer w.run(w.service)()
	w.eventually("the pending lead is decided", func() bool { return w.places() == places{Leads: 1, Decided: 1} })
	if again := w.mustPost(adaJSON, "k"); again.GetState() != leadv1.State_STATE_ASSIGNED || again.GetLeadId() != r.GetLeadId() {
		t.Errorf("asked again = %v, want the decision", again)
	}
}

func TestPendingLeadsOutliveTheirProcess(t *testing.T) {
	w := newWorld(t, quick)
	w.setResolve(func(*identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
		return nil, status.Error(codes.Unavailable, "gone")
	})
	for i := range 30 {
		w.batch(someLead(i))
	}
	if diff := cmp.Diff(places{Leads: 30, Pending: 30}, w.places()); diff != "" {
		t.Fatalf("places (-want +got):\n%s", diff)
	}
	w.setResolve(nil)
	next := w.start(quick) // nothing of the first process is left but its rows, none of them due
	defer w.run(next)()
	w.eventually("the next process decides them", func() bool { return w.places() == places{Leads: 30, Decided: 30} })
	for id, c := range w.cases {
		if c.GetPersonId() != "person-of-"+id {
			t.Errorf("person = %q, want the resolved one", c.GetPersonId())
		}
	}
}

func TestUnavailabilityNeverParks(t *testing.T) {
	for name, reason := range map[string]problemv1.Reason{
		"down": problemv1.Reason_REASON_UNAVAILABLE, "overloaded": problemv1.Reason_REASON_OVERLOADED,
		"slow": problemv1.Reason_REASON_DEADLINE_EXCEEDED, "not ready": problemv1.Reason_REASON_NOT_READY,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, quick)
			w.setDecide(refuse(reason))
			if r := w.mustPost(adaJSON, ""); r.GetState() != leadv1.State_STATE_PENDING {
				t.Fatalf("answer = %v, want PENDING", r)
			}
			for range 8 {
				w.advance(time.Minute)
				if err := w.service.DrivePending(w.ctx); err != nil {
					t.Fatal(err)
				}
			}
			if w.decided != 9 {
				t.Errorf("driven %d times, want 9", w.decided)
			}
			if got := w.attempts(); got != 0 {
				t.Errorf("attempts = %d, want none counted", got)
			}
			if diff := cmp.Diff(places{Leads: 1, Pending: 1}, w.places()); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParkedAfterFiveAttemptsAndWoken(t *testing.T) {
	w := newWorld(t, quick)
	w.setDecide(refuse(problemv1.Reason_REASON_INTERNAL))
	r := w.mustPost(adaJSON, "k")
	for attempt, wait := range []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute} {
		if got := w.attempts(); got != attempt+1 {
			t.Fatalf("attempts = %d, want %d", got, attempt+1)
		}
		w.advance(wait - time.Millisecond)
		if err := w.service.DrivePending(w.ctx); err != nil {
			t.Fatal(err)
		}
		if got := w.attempts(); got != attempt+1 {
			t.Fatalf("attempt %d came before its time", attempt+2)
		}
		w.advance(time.Millisecond)
		if err := w.service.DrivePending(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(places{Leads: 1, Parked: 1}, w.places()); diff != "" {
		t.Fatalf("places (-want +got):\n%s", diff)
	}
	got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: r.GetLeadId()})
	if err != nil {
		t.Fatal(err)
	}
	p := got.GetDecision().GetParking()
	if got.GetState() != leadv1.State_STATE_PARKED || p.GetOwner() == "" || p.GetDetail() == "" || !p.GetReviewAt().AsTime().Equal(w.clock().Add(24*time.Hour)) {
		t.Errorf("parked lead = %v, want owner, reason and a review in a day", got)
	}
	w.setDecide(nil)
	w.advance(24*time.Hour - time.Second)
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	if n := w.places().Parked; n != 1 {
		t.Fatal("woken before its review")
	}
	w.advance(time.Second)
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(places{Leads: 1, Pending: 1}, w.places()); diff != "" {
		t.Fatalf("places (-want +got):\n%s", diff)
	}
	if err := w.service.DrivePending(w.ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(places{Leads: 1, Decided: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	w.wantEvents(r.GetLeadId(), "leadmesh.lead.captured.v1", "leadmesh.lead.parked.v1", "leadmesh.lead.woken.v1")
}

// wantEvents relays the outbox and compares a lead's events, in the order they happened.
func (w *world) wantEvents(leadID string, want ...string) {
	w.t.Helper()
	stop := w.run(w.service)
	w.eventually("events are handed over", func() bool { return w.count("SELECT count(*) FROM outbox") == 0 })
	stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := map[string]int{}
	for _, e := range w.events {
		if e.GetLeadId() == leadID {
			got[e.GetType()]++
		}
	}
	wanted := map[string]int{}
	for _, kind := range want {
		wanted[kind]++
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		w.t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestLeadThatRoutingHasDecidedIsNotParked(t *testing.T) {
	w := newWorld(t, quick)
	w.setDecide(func(ctx context.Context, requests []*routingv1.DecideRequest) []*routingv1.DecideResponse {
		w.assign(requests) // decided, but the answer is lost in an error
		return refuse(problemv1.Reason_REASON_INTERNAL)(ctx, requests)
	})
	w.mustPost(adaJSON, "")
	for range 5 {
		w.advance(time.Hour)
		if err := w.service.DrivePending(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(places{Leads: 1, Decided: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// TestLeadDecidedWhileItWasGivenUpIsRoutings lets Routing decide a lead between Capture's question
// and its parking.
func TestLeadDecidedWhileItWasGivenUpIsRoutings(t *testing.T) {
	w := newWorld(t, quick)
	w.setDecide(refuse(problemv1.Reason_REASON_INTERNAL))
	w.batch(someLead(7)) // stays parked
	r := w.mustPost(adaJSON, "")
	w.mu.Lock()
	w.getCases = func(*routingv1.BatchGetCasesRequest) (*routingv1.BatchGetCasesResponse, error) {
		return &routingv1.BatchGetCasesResponse{}, nil // asked too early
	}
	w.mu.Unlock()
	for range 5 {
		w.advance(time.Hour)
		if err := w.service.DrivePending(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(places{Leads: 2, Parked: 2}, w.places()); diff != "" {
		t.Fatalf("places (-want +got):\n%s", diff)
	}
	defer w.run(w.service)()
	w.assign([]*routingv1.DecideRequest{{Lead: &leadv1.Lead{LeadId: r.GetLeadId()}, PersonId: "p"}})
	w.mu.Lock()
	w.getCases = nil
	w.mu.Unlock()
	w.advance(time.Minute)
	w.eventually("the lead is Routing's alone", func() bool { return w.places() == places{Leads: 2, Parked: 1, Decided: 1} })
}

func TestOneBadLeadDoesNotHoldUpItsCompany(t *testing.T) {
	w := newWorld(t, quick)
	bad := someLead(3)
	bad.Comments = "poison"
	w.setResolve(func(req *identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
		resp := &identityv1.BatchResolveResponse{}
		for _, l := range req.GetLeads() {
			if l.GetComments() == "poison" {
				return nil, problem.Internal(errors.New("as the test wants"))
			}
			resp.Resolutions = append(resp.Resolutions, &identityv1.Resolution{PersonId: "p"})
		}
		return resp, nil
	})
	got := w.batch(someLead(1), someLead(2), bad, someLead(4))
	for i, want := range []leadv1.State{leadv1.State_STATE_ASSIGNED, leadv1.State_STATE_ASSIGNED, leadv1.State_STATE_PENDING, leadv1.State_STATE_ASSIGNED} {
		if got[i].GetState() != want {
			t.Errorf("result %d = %v, want %v", i, got[i].GetState(), want)
		}
	}
}

func TestWithoutPlaybookLeadsAreSafeAndGovernedLater(t *testing.T) {
	w := newWorld(t, quick)
	rules := w.governor
	w.governor = nil
	good, bad := w.mustPost(adaJSON, ""), w.mustPost(`{"comments":"nobody"}`, "")
	for _, r := range []*capturev1.LeadResult{good, bad} {
		if r.GetState() != leadv1.State_STATE_PENDING {
			t.Errorf("answer = %v, want PENDING", r)
		}
	}
	w.advance(time.Hour)
	if err := w.service.DrivePending(w.ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(places{Leads: 2, Pending: 2}, w.places()); diff != "" {
		t.Fatalf("places (-want +got):\n%s", diff)
	}
	w.mu.Lock()
	w.governor = rules
	w.mu.Unlock()
	w.advance(time.Hour)
	if err := w.service.DrivePending(w.ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(places{Leads: 2, Rejected: 1, Decided: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: good.GetLeadId()})
	if err != nil || got.GetLead().GetLine() != leadv1.Line_LINE_SALES || got.GetLead().GetMarket() != "US" {
		t.Errorf("lead = %v (%v), want it governed", got.GetLead(), err)
	}
	w.wantEvents(bad.GetLeadId(), "leadmesh.lead.captured.v1", "leadmesh.lead.rejected.v1")
}

func TestReviewGoesByThePlaybookOfToday(t *testing.T) {
	w := newWorld(t, quick)
	w.setDecide(refuse(problemv1.Reason_REASON_INTERNAL))
	r := w.mustPost(`{"comments":"zebra","parties":[{"name":"Ada Byron","emails":["ada@byron.example.com"]}]}`, "")
	for range 5 {
		w.advance(time.Hour)
		if err := w.service.DrivePending(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	stricter, problems := governance.Compile(governance.Rules{
		Markets: []governance.Market{{Country: "US", Currency: "USD", Unit: "MI", Zone: "America/New_York"}},
		Lines:   []governance.LineRule{{Line: "SALES"}},
		Reject:  governance.Reject{Phrases: []governance.PhraseRule{{Name: "zoo", Code: "SOLICITATION", Phrases: []string{"zebra"}, Min: 1}}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w.mu.Lock()
	w.governor = stricter
	w.mu.Unlock()
	w.advance(48 * time.Hour)
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: r.GetLeadId()})
	if err != nil || got.GetState() != leadv1.State_STATE_REJECTED || got.GetCode() != "SOLICITATION" {
		t.Errorf("lead = %v (%v), want it rejected by the new rule", got, err)
	}
	w.wantEvents(r.GetLeadId(), "leadmesh.lead.captured.v1", "leadmesh.lead.parked.v1", "leadmesh.lead.rejected.v1")
}

func TestUpdateIsOnTheTimeline(t *testing.T) {
	w := newWorld(t, quick)
	l := someLead(1)
	l.Identifiers = []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, Source: "portal", Value: "1"}}
	one := w.batch(l)[0]
	l.Comments = "and a trailer hook"
	if two := w.batch(l)[0]; two.GetLeadId() != one.GetLeadId() || !two.GetDuplicateRequest() || two.GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("update = %v, want the first lead as it stands", two)
	}
	w.wantEvents(one.GetLeadId(), "leadmesh.lead.captured.v1", "leadmesh.lead.updated.v1")
}

// TestEachLeadIsInOnePlace holds Law 1 under a road that fails at random.
func TestEachLeadIsInOnePlace(t *testing.T) {
	w := newWorld(t, quick)
	rng := rand.New(rand.NewPCG(1, 2))
	reasons := []problemv1.Reason{problemv1.Reason_REASON_UNAVAILABLE, problemv1.Reason_REASON_INTERNAL, problemv1.Reason_REASON_INVALID_ARGUMENT}
	w.setDecide(func(ctx context.Context, requests []*routingv1.DecideRequest) []*routingv1.DecideResponse {
		answers := w.assign(nil)
		for _, r := range requests {
			if n := rng.IntN(4); n == 0 {
				answers = append(answers, w.assign([]*routingv1.DecideRequest{r})...)
			} else {
				answers = append(answers, refuse(reasons[n-1])(ctx, []*routingv1.DecideRequest{r})...)
			}
		}
		return answers
	})
	for step := range 40 {
		leads := make([]*leadv1.Lead, 1+rng.IntN(8))
		for i := range leads {
			if leads[i] = someLead(rng.IntN(60)); rng.IntN(8) == 0 {
				leads[i].Parties = nil
				leads[i].Comments = fmt.Sprint("nobody ", rng.IntN(20))
			}
			if rng.IntN(3) == 0 {
				leads[i].IdempotencyKey = fmt.Sprint("key-", rng.IntN(20))
			}
		}
		w.batch(leads...)
		w.advance(time.Duration(rng.IntN(int(3 * time.Hour))))
		if err := errors.Join(w.service.DrivePending(w.ctx), w.service.ReviewParked(w.ctx)); err != nil {
			t.Fatal(err)
		}
		w.holdsLaw1(fmt.Sprint("step ", step))
	}
	if p := w.places(); p.Parked == 0 || p.Rejected == 0 || p.Decided == 0 {
		t.Errorf("places = %+v: the walk did not reach all of them", p)
	}
}

// holdsLaw1 checks that every captured lead is in exactly one place.
func (w *world) holdsLaw1(at string) {
	w.t.Helper()
	rows, err := w.pool.Query(w.ctx, `SELECT l.lead_id::text, (p.lead_id IS NOT NULL)::int + (r.lead_id IS NOT NULL)::int + (k.lead_id IS NOT NULL)::int
		FROM lead l LEFT JOIN pending p USING (bucket, lead_id) LEFT JOIN rejected r USING (bucket, lead_id) LEFT JOIN parked k USING (bucket, lead_id)`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var here int
		if err := rows.Scan(&id, &here); err != nil {
			w.t.Fatal(err)
		}
		w.mu.Lock()
		if w.cases[id] != nil {
			here++
		}
		w.mu.Unlock()
		if here != 1 {
			w.t.Fatalf("%s: lead %s is in %d places", at, id, here)
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	if n := w.count(`SELECT count(*) FROM (SELECT bucket, lead_id FROM pending UNION ALL SELECT bucket, lead_id FROM rejected UNION ALL SELECT bucket, lead_id FROM parked) x
		WHERE NOT EXISTS (SELECT FROM lead l WHERE l.bucket = x.bucket AND l.lead_id = x.lead_id)`); n != 0 {
		w.t.Fatalf("%s: %d places without a lead", at, n)
	}
}

func TestSchemaRefusesASecondPlace(t *testing.T) {
	w := newWorld(t, capture.Config{})
	w.mustPost(`{"comments":"nobody"}`, "") // rejected
	for name, statement := range map[string]string{
		"pending too":    "INSERT INTO pending SELECT bucket, lead_id, now(), 0, now() FROM lead",
		"parked too":     "INSERT INTO parked SELECT bucket, lead_id, now(), 'mops', 'DATA', now(), '' FROM lead",
		"without a lead": "INSERT INTO pending VALUES (1, gen_random_uuid(), now(), 0, now())",
		"no next try":    "INSERT INTO pending (bucket, lead_id, since, attempts) VALUES (1, gen_random_uuid(), now(), 0)",
		"no owner":       "INSERT INTO parked SELECT bucket, lead_id, now(), '', 'DATA', now(), '' FROM lead",
	} {
		if _, err := w.pool.Exec(w.ctx, statement); err == nil {
			t.Errorf("%s: the schema let it through", name)
		}
	}
}
