package capture

import (
	"context"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// drive is one pending lead on its way to a decision.
type drive struct {
	ctx         context.Context // of the lead's span
	id          lead.ID
	message     *leadv1.Lead
	traceparent string
	attempts    int       // counted before this one
	since       time.Time // of receipt; zero for a lead that was received just now

	resolution *identityv1.Resolution
	decision   *leadv1.Decision
	problem    *problem.Error // why there is no decision
	stage      string         // where it arose: identity or routing
}

// answer writes what became of the lead.
func (d *drive) answer(r *capturev1.LeadResult) {
	if d.decision == nil {
		r.State = leadv1.State_STATE_PENDING
		return
	}
	r.State, r.Decision = d.decision.GetState(), d.decision
}

// Waits before a lead is tried again, by the attempts counted so far.
var backoff = [maxAttempts]time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 2 * time.Minute}

const (
	maxAttempts = 5
	reviewAfter = 24 * time.Hour
	minBudget   = 5 * time.Millisecond
	settleLimit = 2 * time.Second // of writing down what came of a drive
)

// drive resolves and decides the leads within a time. Decided ones are handed over; the others
// stay pending and are tried again later. It reports whether a part of the road was down.
func (s *Service) drive(ctx context.Context, within time.Duration, drives []*drive) (down bool) {
	bounded, cancel := context.WithTimeout(ctx, max(within, minBudget))
	defer cancel()
	s.resolve(bounded, drives)
	s.decide(bounded, drives)

	var done []lead.ID
	var delays []store.Delay
	now := s.deps.Now()
	for _, d := range drives {
		switch {
		case d.decision != nil:
			done = append(done, d.id)
		case postponed(d.problem):
			down = true
			delays = append(delays, store.Delay{LeadID: d.id, At: now.Add(d.patience(now))})
		case d.attempts+1 >= maxAttempts:
			s.giveUp(ctx, d, now)
		default:
			delays = append(delays, store.Delay{LeadID: d.id, Counted: true, At: now.Add(backoff[d.attempts])})
		}
	}
	// Whatever of this is lost with the database is done again when the lease ends.
	settle, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	if len(done) > 0 {
		s.warn(ctx, "decided leads not released", s.releases.do(settle, done))
	}
	s.warn(ctx, "pending leads not delayed", s.store.Delay(settle, delays))
	return down
}

// postponed reports whether a problem is the system's and not the lead's: it never counts against
// the lead, however often it comes.
func postponed(p *problem.Error) bool {
	switch p.Reason {
	case problemv1.Reason_REASON_UNAVAILABLE, problemv1.Reason_REASON_OVERLOADED, problemv1.Reason_REASON_DEADLINE_EXCEEDED,
		problemv1.Reason_REASON_DRAINING, problemv1.Reason_REASON_NOT_READY, problemv1.Reason_REASON_UNAUTHENTICATED,
		problemv1.Reason_REASON_PERMISSION_DENIED:
		return true
	default:
		return false
	}
}

// patience is how long a postponed lead waits: longer the longer it has waited, 1 s to 30 s, and
// no less than the callee asked for.
func (d *drive) patience(now time.Time) time.Duration {
	wait := time.Second
	if !d.since.IsZero() {
		wait = min(max(now.Sub(d.since)/4, wait), 30*time.Second)
	}
	return max(wait, min(d.problem.RetryAfter, 30*time.Second))
}

// resolve asks Identity whom the leads are from.
func (s *Service) resolve(ctx context.Context, drives []*drive) {
	start := time.Now()
	req := &identityv1.BatchResolveRequest{}
	for _, d := range drives {
		req.Leads = append(req.Leads, d.message)
		req.Traceparents = append(req.Traceparents, d.traceparent)
	}
	resp, err := s.deps.Identity.BatchResolve(ctx, req)
	p := problem.From(err)
	if err == nil && len(resp.GetResolutions()) != len(drives) {
		p = problem.New(problemv1.Reason_REASON_INTERNAL, "identity answered another number of leads than asked")
	}
	if p != nil && !postponed(p) && len(drives) > 1 { // one lead must not hold up its company
		for _, d := range drives {
			s.resolve(ctx, []*drive{d})
		}
		return
	}
	took := time.Since(start)
	for i, d := range drives {
		if p != nil {
			d.problem, d.stage = p, "identity"
			continue
		}
		if d.resolution = resp.GetResolutions()[i]; d.resolution == nil {
			d.problem, d.stage = problem.New(problemv1.Reason_REASON_INTERNAL, "identity left a lead out"), "identity"
			continue
		}
		s.deps.Tel.Stages.Record(d.ctx, telemetry.StageResolved, took)
	}
}

// decide asks Routing for the decisions of the leads that are resolved.
func (s *Service) decide(ctx context.Context, drives []*drive) {
	resolved := make([]*drive, 0, len(drives))
	requests := make([]*routingv1.DecideRequest, 0, len(drives))
	var budget *durationpb.Duration
	if deadline, ok := ctx.Deadline(); ok {
		budget = durationpb.New(max(time.Until(deadline), minBudget))
	}
	for _, d := range drives {
		if d.resolution == nil {
			continue
		}
		resolved = append(resolved, d)
		requests = append(requests, &routingv1.DecideRequest{
			Traceparent: d.traceparent, Budget: budget, Mode: routingv1.DecideMode_DECIDE_MODE_COMMIT, Lead: d.informed(),
			Profile: d.resolution.GetProfile(), PersonId: d.resolution.GetPersonId(),
		})
	}
	if len(requests) == 0 {
		return
	}
	answers := s.deps.Decide.Decide(ctx, requests)
	for i, d := range resolved {
		var a *routingv1.DecideResponse
		if i < len(answers) {
			a = answers[i]
		}
		if d.decision = a.GetDecision(); d.decision != nil {
			continue
		}
		d.stage = "routing"
		if d.problem = problem.FromProto(a.GetProblem()); d.problem == nil {
			d.problem = problem.Unavailable(nil)
		}
	}
}

// informed is the lead as Routing decides it: with the consent facts that Identity holds for it, since
// what a customer took back with another lead binds this one too. What Capture stores stays as its
// source sent it.
func (d *drive) informed() *leadv1.Lead {
	facts := d.resolution.GetConsents()
	if len(facts) == 0 || slices.EqualFunc(facts, d.message.GetConsents(), func(a, b *leadv1.Consent) bool { return proto.Equal(a, b) }) {
		return d.message
	}
	l := proto.CloneOf(d.message) // a call that timed out may still read the other
	l.Consents = facts
	return l
}

// giveUp parks a lead that failed too often, unless Routing has decided it without our knowing.
func (s *Service) giveUp(ctx context.Context, d *drive, now time.Time) {
	resp, err := s.deps.Cases.BatchGetCases(ctx, &routingv1.BatchGetCasesRequest{LeadIds: []string{d.id.String()}})
	if err != nil {
		s.warn(ctx, "lead not parked: routing cannot be asked", s.store.Delay(ctx, []store.Delay{{LeadID: d.id, At: now.Add(d.patience(now))}}))
		return
	}
	if len(resp.GetCases()) > 0 {
		d.decision = resp.GetCases()[0].GetDecision()
		s.warn(ctx, "decided lead not released", s.releases.do(ctx, []lead.ID{d.id}))
		return
	}
	s.warn(ctx, "lead not parked", s.park(ctx, d, now))
}

// park sets a pending lead aside with its reason.
func (s *Service) park(ctx context.Context, d *drive, now time.Time) error {
	detail := "five attempts failed, the last in " + d.stage + " with " + d.problem.Code()
	l, err := decodeMessage(d.message)
	if err != nil {
		return err
	}
	p := store.Parking{LeadID: d.id, At: now, ReviewAt: now.Add(reviewAfter), Owner: s.cfg.ParkOwner, Detail: detail}
	return s.parkWith(ctx, l, d.traceparent, p)
}
