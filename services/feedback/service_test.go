package feedback_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/feedback"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// start is the moment at which the tests' clock stands.
var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// bundle is a service on a database of its own, with a Routing that the test plays.
type bundle struct {
	*feedback.Service
	clock *clock
	cases *cases
	pool  *pgxpool.Pool
}

func setup(t testing.TB) *bundle {
	t.Helper()
	db := pgtest.New(t, feedback.Migrations())
	b := &bundle{pool: db.Pool("feedback"), clock: &clock{now: start}, cases: &cases{owner: make(map[string]string), applied: make(map[string]bool)}}
	svc, err := feedback.New(feedback.Config{}, feedback.Deps{
		Pool: b.pool, Cases: b.cases, Log: slog.New(slog.DiscardHandler), Now: b.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Service = svc
	return b
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// cases plays Routing: it knows the leads that have an owner.
type cases struct {
	mu      sync.Mutex
	owner   map[string]string // by lead
	applied map[string]bool
	order   []string
	down    bool
	after   func() // called when reports were applied, before the answer
}

func (c *cases) own(leadID, dealerID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner[leadID] = dealerID
}

func (c *cases) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func (c *cases) leadCase(leadID string) *routingv1.LeadCase {
	return &routingv1.LeadCase{
		LeadId: leadID, State: leadv1.State_STATE_WORKING,
		Decision: &leadv1.Decision{Assignment: &leadv1.Assignment{DealerId: c.owner[leadID], DeadlineKind: "NEXT_STEP"}},
	}
}

func (c *cases) BatchGetCases(_ context.Context, in *routingv1.BatchGetCasesRequest, _ ...grpc.CallOption) (*routingv1.BatchGetCasesResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return nil, status.Error(codes.Unavailable, "down")
	}
	resp := &routingv1.BatchGetCasesResponse{}
	for _, id := range in.GetLeadIds() {
		if c.owner[id] != "" {
			resp.Cases = append(resp.Cases, c.leadCase(id))
		}
	}
	return resp, nil
}

func (c *cases) ApplyActivities(_ context.Context, in *routingv1.ApplyActivitiesRequest, _ ...grpc.CallOption) (*routingv1.ApplyActivitiesResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return nil, status.Error(codes.Unavailable, "down")
	}
	resp := &routingv1.ApplyActivitiesResponse{}
	apply := func(id, leadID, dealerID string, counted ...string) {
		a := &routingv1.Application{Id: id}
		switch owner := c.owner[leadID]; {
		case owner == "":
			a.Reason = "unknown_lead"
		case dealerID != "" && dealerID != owner:
			a.Reason = "not_owner"
		default:
			a.Applied, a.LeadCase, a.CountedAs = true, c.leadCase(leadID), counted
			c.applied[leadID+"/"+id] = true
			c.order = append(c.order, id)
		}
		resp.Applications = append(resp.Applications, a)
	}
	for _, a := range in.GetActivities() {
		apply(a.GetActivityId(), a.GetLeadId(), a.GetDealerId(), "acknowledged", "attempt", "responded")
	}
	for _, o := range in.GetOutcomes() {
		apply(o.GetOutcomeId(), o.GetLeadId(), o.GetDealerId())
	}
	if c.after != nil {
		c.after()
	}
	return resp, nil
}

func as(t testing.TB, c rpc.Caller) context.Context { return rpc.WithCaller(t.Context(), c) }

func dealer(id string) rpc.Caller {
	return rpc.Caller{Name: id + "-crm", Roles: []rpc.Role{rpc.RoleDealer}, DealerID: id}
}

var oem = rpc.Caller{Name: "oem", Roles: []rpc.Role{rpc.RoleOEM}}

// leadID makes the n-th lead of a test.
func leadID(n int) string {
	var id lead.ID
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	id[0] = byte(n * 37)
	return id.String()
}

// news makes events; each has an id of its own.
type news struct {
	rng *rand.Rand
}

func newNews(seed uint64) *news { return &news{rng: rand.New(rand.NewPCG(seed, 7))} }

func (n *news) event(source, kind, leadID string, version int64, at time.Time, facts *leadv1.EventFacts) *leadv1.Event {
	var id lead.ID
	binary.BigEndian.PutUint64(id[:], n.rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], n.rng.Uint64())
	return &leadv1.Event{
		EventId: id.String(), Type: "leadmesh.lead." + kind + ".v1", LeadId: leadID, LeadVersion: version, Source: source,
		OccurredAt: timestamppb.New(at), RecordedAt: timestamppb.New(start), Facts: facts,
	}
}

func (b *bundle) append(t testing.TB, events ...*leadv1.Event) int32 {
	t.Helper()
	resp, err := b.BatchAppendEvents(t.Context(), &feedbackv1.BatchAppendEventsRequest{Events: events})
	if err != nil {
		t.Fatal(err)
	}
	b.fold(t)
	return resp.GetAdded()
}

// fold does what Run does from time to time.
func (b *bundle) fold(t testing.TB) {
	t.Helper()
	if _, err := b.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func ts(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
