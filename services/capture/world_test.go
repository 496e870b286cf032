package capture_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/governance"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/grpc"
)

// world is a Capture on a database of its own, with the other services played by the test.
type world struct {
	t       testing.TB
	db      *pgtest.DB
	pool    *pgxpool.Pool
	service *capture.Service
	deps    capture.Deps
	ctx     context.Context

	mu       sync.Mutex
	now      time.Time
	resolve  func(*identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error)
	decide   func(context.Context, []*routingv1.DecideRequest) []*routingv1.DecideResponse
	getCases func(*routingv1.BatchGetCasesRequest) (*routingv1.BatchGetCasesResponse, error)
	cases    map[string]*routingv1.LeadCase
	events   []*leadv1.Event
	refresh  func(*routingv1.RefreshCasesRequest) (*routingv1.RefreshCasesResponse, error)
	renewed  []*routingv1.CaseRefresh
	governor *governance.Governor
	resolved int
	decided  int
}

func newWorld(t testing.TB, cfg capture.Config) *world {
	t.Helper()
	w := &world{t: t, db: pgtest.New(t, capture.Migrations()), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), cases: map[string]*routingv1.LeadCase{}}
	w.pool = w.db.Pool("capture")
	w.governor = governor(t)
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	w.deps = capture.Deps{
		Pool: w.pool, Identity: w, Decide: w, Cases: w, Events: w, Tel: tel, Now: w.clock,
		Governor: func() (*governance.Governor, string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.governor, "rev-1"
		},
	}
	w.service = w.start(cfg)
	w.ctx = rpc.WithCaller(t.Context(), rpc.Caller{Name: "acme", Roles: []rpc.Role{rpc.RoleOEM}})
	return w
}

// start makes another Capture on the same database.
func (w *world) start(cfg capture.Config) *capture.Service {
	w.t.Helper()
	s, err := capture.New(cfg, w.deps)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func governor(t testing.TB) *governance.Governor {
	t.Helper()
	g, problems := governance.Compile(governance.Rules{
		Markets: []governance.Market{{Country: "US", Currency: "USD", Unit: "MI", Zone: "America/New_York"}},
		Lines:   []governance.LineRule{{Line: "SALES"}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return g
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) BatchResolve(_ context.Context, req *identityv1.BatchResolveRequest, _ ...grpc.CallOption) (*identityv1.BatchResolveResponse, error) {
	w.mu.Lock()
	w.resolved += len(req.GetLeads())
	answer := w.resolve
	w.mu.Unlock()
	if answer != nil {
		return answer(req)
	}
	resp := &identityv1.BatchResolveResponse{}
	for _, l := range req.GetLeads() {
		resp.Resolutions = append(resp.Resolutions, &identityv1.Resolution{PersonId: "person-of-" + l.GetLeadId(), Profile: []byte("profile")})
	}
	return resp, nil
}

func (w *world) Decide(ctx context.Context, requests []*routingv1.DecideRequest) []*routingv1.DecideResponse {
	w.mu.Lock()
	w.decided += len(requests)
	answer := w.decide
	w.mu.Unlock()
	if answer != nil {
		return answer(ctx, requests)
	}
	return w.assign(requests)
}

// assign decides as Routing would: once per lead.
func (w *world) assign(requests []*routingv1.DecideRequest) []*routingv1.DecideResponse {
	w.mu.Lock()
	defer w.mu.Unlock()
	var answers []*routingv1.DecideResponse
	for _, r := range requests {
		id := r.GetLead().GetLeadId()
		if w.cases[id] == nil {
			w.cases[id] = &routingv1.LeadCase{LeadId: id, State: leadv1.State_STATE_ASSIGNED, PersonId: r.GetPersonId(), Decision: &leadv1.Decision{
				LeadId: id, Disposition: leadv1.Disposition_DISPOSITION_ASSIGNED, State: leadv1.State_STATE_ASSIGNED,
				Assignment: &leadv1.Assignment{DealerId: "D1"},
			}}
		}
		answers = append(answers, &routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Decision{Decision: w.cases[id].GetDecision()}})
	}
	return answers
}

func (w *world) BatchGetCases(_ context.Context, req *routingv1.BatchGetCasesRequest, _ ...grpc.CallOption) (*routingv1.BatchGetCasesResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.getCases != nil {
		return w.getCases(req)
	}
	resp := &routingv1.BatchGetCasesResponse{}
	for _, id := range req.GetLeadIds() {
		if c := w.cases[id]; c != nil {
			resp.Cases = append(resp.Cases, c)
		}
	}
	return resp, nil
}

func (w *world) RefreshCases(_ context.Context, req *routingv1.RefreshCasesRequest, _ ...grpc.CallOption) (*routingv1.RefreshCasesResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refresh != nil {
		return w.refresh(req)
	}
	resp := &routingv1.RefreshCasesResponse{}
	for _, r := range req.GetRefreshes() {
		w.renewed = append(w.renewed, r)
		resp.Cases = append(resp.Cases, &routingv1.RefreshedCase{LeadCase: w.cases[r.GetLeadId()], Changed: true})
	}
	return resp, nil
}

func (w *world) RejectCase(_ context.Context, req *routingv1.RejectCaseRequest, _ ...grpc.CallOption) (*routingv1.RejectCaseResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cases[req.GetLeadId()]
	c.State, c.ClosedCode = leadv1.State_STATE_REJECTED, req.GetCode()
	return &routingv1.RejectCaseResponse{LeadCase: c, Changed: true}, nil
}

func (w *world) WakeCases(_ context.Context, req *routingv1.WakeCasesRequest, _ ...grpc.CallOption) (*routingv1.WakeCasesResponse, error) {
	return &routingv1.WakeCasesResponse{Count: min(3, req.GetLimit())}, nil
}

func (w *world) BatchAppendEvents(_ context.Context, req *feedbackv1.BatchAppendEventsRequest, _ ...grpc.CallOption) (*feedbackv1.BatchAppendEventsResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, req.GetEvents()...)
	return &feedbackv1.BatchAppendEventsResponse{}, nil
}

func (w *world) ListLeadEvents(_ context.Context, req *feedbackv1.ListLeadEventsRequest, _ ...grpc.CallOption) (*feedbackv1.ListLeadEventsResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	resp := &feedbackv1.ListLeadEventsResponse{}
	for _, e := range w.events {
		if e.GetLeadId() == req.GetLeadId() {
			resp.Events = append(resp.Events, e)
		}
	}
	return resp, nil
}

// refuse makes Routing answer every lead with a problem.
func refuse(reason problemv1.Reason) func(context.Context, []*routingv1.DecideRequest) []*routingv1.DecideResponse {
	return func(_ context.Context, requests []*routingv1.DecideRequest) []*routingv1.DecideResponse {
		answers := make([]*routingv1.DecideResponse, len(requests))
		for i := range answers {
			answers[i] = &routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Problem{Problem: problem.New(reason, "as the test wants").Proto()}}
		}
		return answers
	}
}

func (w *world) post(body, key string) (*capturev1.LeadResult, error) {
	w.t.Helper()
	resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{
		Kind: capturev1.DocumentKind_DOCUMENT_KIND_LEAD, Body: []byte(body), ContentType: "application/json", IdempotencyKey: key,
	})
	if err != nil {
		return nil, err
	}
	return resp.GetResults()[0], nil
}

func (w *world) mustPost(body, key string) *capturev1.LeadResult {
	w.t.Helper()
	r, err := w.post(body, key)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) batch(leads ...*leadv1.Lead) []*capturev1.LeadResult {
	w.t.Helper()
	resp, err := w.service.BatchCreateLeads(w.ctx, &capturev1.BatchCreateLeadsRequest{Leads: leads})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetResults()
}

// someLead is a lead of one person, by number.
func someLead(n int) *leadv1.Lead {
	return &leadv1.Lead{
		RequestType: leadv1.RequestType_REQUEST_TYPE_QUOTE, Source: &leadv1.Source{Source: "oem_site"},
		Parties: []*leadv1.Party{{Name: &leadv1.Name{Full: fmt.Sprintf("Ada Byron%d", n)}, Emails: []*leadv1.Email{{Address: fmt.Sprintf("ada%d@byron.example.com", n)}}}},
	}
}

// count reads one number from the database.
func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.pool.QueryRow(context.WithoutCancel(w.ctx), query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// places counts leads by where they stand.
type places struct{ Leads, Pending, Rejected, Parked, Decided int }

func (w *world) places() places {
	w.t.Helper()
	w.mu.Lock()
	decided := len(w.cases)
	w.mu.Unlock()
	return places{
		Leads: w.count("SELECT count(*) FROM lead"), Pending: w.count("SELECT count(*) FROM pending"),
		Rejected: w.count("SELECT count(*) FROM rejected"), Parked: w.count("SELECT count(*) FROM parked"), Decided: decided,
	}
}

// run runs the background loops until the returned function is called.
func (w *world) run(s *capture.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.ctx))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

// eventually waits for a condition that the background loops bring about.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			w.t.Fatalf("not in time: %s; %+v", what, w.places())
		}
		<-tick.C
	}
}
