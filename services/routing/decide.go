package routing

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Decide serves one stream of decisions.
func (s *Service) Decide(st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse]) error {
	caller := rpc.CallerFrom(st.Context())
	return s.stream.Serve(st, func(ctx context.Context, r *routingv1.DecideRequest, reply func(*routingv1.DecideResponse)) *routingv1.DecideResponse {
		return s.answer(ctx, caller, r, reply)
	})
}

// defaultBudget is how long a caller waits that does not say.
const defaultBudget = 2 * time.Second

// answer decides one request. A dry run is answered at once; a commit when its group is durable, by
// reply.
func (s *Service) answer(ctx context.Context, caller rpc.Caller, r *routingv1.DecideRequest, reply func(*routingv1.DecideResponse)) *routingv1.DecideResponse {
	start := time.Now()
	ctx, span := telemetry.StartLead(ctx, s.tel.Tracer, telemetry.SpanDecide, r.GetTraceparent(), r.GetLead().GetLeadId())
	finish := func(d *leadv1.Decision, err error) *routingv1.DecideResponse {
		s.metrics.decided(ctx, d, err, time.Since(start))
		span.End()
		if err != nil {
			return &routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Problem{Problem: problem.From(err).Proto()}}
		}
		return &routingv1.DecideResponse{Answer: &routingv1.DecideResponse_Decision{Decision: d}}
	}
	dry := r.GetMode() == routingv1.DecideMode_DECIDE_MODE_DRY_RUN
	q := &inquiry{}
	if dry { // nothing of it is kept
		q = s.inquiries.Get().(*inquiry)
		defer s.putInquiry(q)
	}
	if err := parseDecide(caller, r, q); err != nil {
		return finish(nil, err)
	}
	rb, err := s.rules()
	if err != nil {
		return finish(nil, err)
	}
	budget := defaultBudget
	if b := r.GetBudget(); b != nil {
		budget = b.AsDuration()
	}
	if budget < time.Millisecond {
		return finish(nil, problem.New(problemv1.Reason_REASON_DEADLINE_EXCEEDED, "the budget is shorter than any decision; allow at least 1 ms"))
	}
	if dry {
		return finish(s.dryRun(rb, q, r.GetExplain()), nil)
	}
	s.committer.submit(rb, &job{
		ctx: ctx, inquiry: q, started: start, deadline: start.Add(budget),
		finish: func(d *leadv1.Decision, err error) { reply(finish(d, err)) },
	})
	return nil
}

// dryRun decides what would become of an inquiry, with the whole score if it is to explain. Nothing is
// kept.
func (s *Service) dryRun(rb *rulebook, q *inquiry, full bool) *leadv1.Decision {
	v := s.verdicts.Get().(*verdict)
	defer s.verdicts.Put(v)
	rb.decide(q, s.now(), v)
	d := v.decision(q)
	if full {
		d.Score = scoreconv.ToProto(rb.playbook, &v.inputs, &v.result, v.line, true)
	}
	d.DryRun = true
	d.Assignment = v.dryAssignment(q, s.cfg.Sender)
	return d
}

// mostKept is how many entries a list of an inquiry may have room for that is used again.
const mostKept = 64

// putInquiry keeps the room of an inquiry for another, unless it was an uncommonly large one.
func (s *Service) putInquiry(q *inquiry) {
	l := &q.lead
	most := max(cap(l.Parties), cap(l.Vehicles), cap(l.Consents), cap(l.Identifiers), cap(l.Changes), cap(l.Flags), cap(l.Extra))
	for i := range l.Parties {
		most = max(most, cap(l.Parties[i].Emails), cap(l.Parties[i].Phones))
	}
	if most <= mostKept {
		s.inquiries.Put(q)
	}
}

// parseDecide reads a request into an inquiry, in the room of the lead and profile that were in it.
// What only Capture may send is refused from anybody else.
func parseDecide(caller rpc.Caller, r *routingv1.DecideRequest, q *inquiry) error {
	fromCapture := caller.Service == "capture"
	switch r.GetMode() {
	case routingv1.DecideMode_DECIDE_MODE_COMMIT:
		if !fromCapture {
			return problem.New(problemv1.Reason_REASON_COMMIT_NOT_ALLOWED,
				"COMMIT is for Capture only, so that no lead is decided that was not captured; submit through CaptureService.BatchCreateLeads")
		}
	case routingv1.DecideMode_DECIDE_MODE_DRY_RUN:
	default:
		return problem.Invalid(problem.Violation{Field: "mode", Description: "send DECIDE_MODE_DRY_RUN; DECIDE_MODE_COMMIT is for Capture"})
	}
	if len(r.GetProfile()) > 0 && !fromCapture && caller.Service == "" {
		return problem.New(problemv1.Reason_REASON_COMMIT_NOT_ALLOWED, "a profile is for Capture only; leave the field empty")
	}
	if r.GetLead() == nil {
		return problem.Invalid(problem.Violation{Field: "lead", Description: "is required; a line and a postal code are enough for a dry run"})
	}
	q.rawProfile, q.traceparent, q.attempt = r.GetProfile(), r.GetTraceparent(), 1
	violations := leadconv.Read(&q.lead, r.GetLead())
	if len(violations) > 0 {
		for i := range violations {
			violations[i].Field = "lead." + violations[i].Field
		}
		return problem.Invalid(violations...)
	}
	if err := q.profile.Unmarshal(r.GetProfile()); err != nil {
		return problem.Invalid(problem.Violation{Field: "profile", Description: "is none that ResolveService.BatchResolve answered"})
	}
	if r.GetMode() == routingv1.DecideMode_DECIDE_MODE_DRY_RUN {
		return nil
	}
	if r.GetExplain() {
		return problem.Invalid(problem.Violation{Field: "explain", Description: "is for dry runs; ask GetLead about a lead that was committed"})
	}
	if q.lead.ID.IsZero() {
		return problem.Invalid(problem.Violation{Field: "lead.lead_id", Description: "is required to commit"})
	}
	person, err := lead.ParseID(r.GetPersonId())
	if err != nil {
		return problem.Invalid(problem.Violation{Field: "person_id", Description: "is required to commit: " + err.Error()})
	}
	q.person = person
	raw, err := proto.Marshal(r.GetLead())
	if err != nil {
		return problem.Internal(err)
	}
	q.rawLead = raw
	q.mergeable = mergeable(&q.lead)
	return nil
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
