package routing

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Decide serves one stream of decisions.
func (s *Service) Decide(st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse]) error {
	caller := rpc.CallerFrom(st.Context())
	return s.stream.Serve(st, func(ctx context.Context, r *routingv1.DecideRequest, reply func(*routingv1.DecideResponse)) {
		s.answer(ctx, caller, r, reply)
	})
}

// defaultBudget is how long a caller waits that does not say.
const defaultBudget = 2 * time.Second

// answer decides one request. A dry run is answered at once, a commit when its group is durable.
func (s *Service) answer(ctx context.Context, caller rpc.Caller, r *routingv1.DecideRequest, reply func(*routingv1.DecideResponse)) {
	start := time.Now()
	spanCtx, span := telemetry.StartLead(ctx, s.tel.Tracer, telemetry.SpanDecide, r.GetTraceparent(), r.GetLead().GetLeadId())
	finish := func(d *leadv1.Decision, err error) {
		took := time.Since(start)
		s.metrics.decided(spanCtx, d, err, took)
		span.End()
		if err != nil {
			reply(&routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Problem{Problem: problem.From(err).Proto()}})
			return
		}
		reply(&routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Decision{Decision: d}})
	}
	q, err := parseDecide(caller, r)
	if err != nil {
		finish(nil, err)
		return
	}
	rb, err := s.rules()
	if err != nil {
		finish(nil, err)
		return
	}
	budget := defaultBudget
	if b := r.GetBudget(); b != nil {
		budget = b.AsDuration()
	}
	if budget < time.Millisecond {
		finish(nil, problem.New(problemv1.Reason_REASON_DEADLINE_EXCEEDED, "the budget is shorter than any decision; allow at least 1 ms"))
		return
	}
	if r.GetMode() == routingv1.DecideMode_DECIDE_MODE_DRY_RUN {
		v := s.verdicts.Get().(*verdict)
		rb.decide(q, s.now(), v)
		d := v.decision(q)
		d.DryRun = true
		d.Assignment = v.dryAssignment(q, s.cfg.Sender)
		s.verdicts.Put(v)
		finish(d, nil)
		return
	}
	s.committer.submit(rb, &job{ctx: spanCtx, inquiry: q, started: start, deadline: start.Add(budget), finish: finish})
}

// parseDecide reads a request. What only Capture may send is refused from anybody else.
func parseDecide(caller rpc.Caller, r *routingv1.DecideRequest) (*inquiry, error) {
	fromCapture := caller.Service == "capture"
	switch r.GetMode() {
	case routingv1.DecideMode_DECIDE_MODE_COMMIT:
		if !fromCapture {
			return nil, problem.New(problemv1.Reason_REASON_COMMIT_NOT_ALLOWED,
				"COMMIT is for Capture only, so that no lead is decided that was not captured; submit through CaptureService.BatchCreateLeads")
		}
	case routingv1.DecideMode_DECIDE_MODE_DRY_RUN:
	default:
		return nil, problem.Invalid(problem.Violation{Field: "mode", Description: "send DECIDE_MODE_DRY_RUN; DECIDE_MODE_COMMIT is for Capture"})
	}
	if len(r.GetProfile()) > 0 && !fromCapture && caller.Service == "" {
		return nil, problem.New(problemv1.Reason_REASON_COMMIT_NOT_ALLOWED, "a profile is for Capture only; leave the field empty")
	}
	if r.GetLead() == nil {
		return nil, problem.Invalid(problem.Violation{Field: "lead", Description: "is required; a line and a postal code are enough for a dry run"})
	}
	l, violations := leadconv.FromProto(r.GetLead())
	if len(violations) > 0 {
		for i := range violations {
			violations[i].Field = "lead." + violations[i].Field
		}
		return nil, problem.Invalid(violations...)
	}
	q := &inquiry{lead: l, rawProfile: r.GetProfile(), traceparent: r.GetTraceparent(), attempt: 1}
	if len(r.GetProfile()) > 0 {
		profile, err := signal.Unmarshal(r.GetProfile())
		if err != nil {
			return nil, problem.Invalid(problem.Violation{Field: "profile", Description: "is none that ResolveService.BatchResolve answered"})
		}
		q.profile = profile
	}
	if r.GetMode() == routingv1.DecideMode_DECIDE_MODE_DRY_RUN {
		return q, nil
	}
	if l.ID.IsZero() {
		return nil, problem.Invalid(problem.Violation{Field: "lead.lead_id", Description: "is required to commit"})
	}
	person, err := lead.ParseID(r.GetPersonId())
	if err != nil {
		return nil, problem.Invalid(problem.Violation{Field: "person_id", Description: "is required to commit: " + err.Error()})
	}
	q.person = person
	raw, err := proto.Marshal(r.GetLead())
	if err != nil {
		return nil, problem.Internal(err)
	}
	q.rawLead = raw
	q.mergeable = mergeable(&q.lead)
	return q, nil
}

// mergeable leads may go into an open lead of the same person, brand and line. Credit
// applications and appointment requests never do.
func mergeable(l *lead.Lead) bool {
	switch l.RequestType {
	case lead.RequestTypeCreditApp, lead.RequestTypeTestDrive, lead.RequestTypeServiceBooking:
		return false
	}
	return !l.Test
}
