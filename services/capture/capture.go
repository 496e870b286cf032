package capture

import (
	"context"
	"strconv"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/protobuf/proto"
)

// BatchCreateLeads submits 1 to 1,000 leads and answers per lead, in order.
func (s *Service) BatchCreateLeads(ctx context.Context, req *capturev1.BatchCreateLeadsRequest) (*capturev1.BatchCreateLeadsResponse, error) {
	n := len(req.GetLeads())
	if n == 0 || n > maxBatch {
		return nil, problem.Invalid(problem.Violation{Field: "leads", Description: "send 1 to 1,000 leads"})
	}
	if t := len(req.GetTraceparents()); t != 0 && t != n {
		return nil, problem.Invalid(problem.Violation{Field: "traceparents", Description: "send one per lead or none"})
	}
	items := make([]*intake, n)
	for i, p := range req.GetLeads() {
		in := &intake{contentType: "application/x-protobuf; messageType=leadmesh.lead.v1.Lead"}
		if len(req.GetTraceparents()) > 0 {
			in.traceparent = req.GetTraceparents()[i]
		}
		var violations []problem.Violation
		if in.lead, violations = parse(p); len(violations) > 0 {
			in.problem = problem.Invalid(violations...)
		}
		raw, err := proto.Marshal(p)
		if err != nil {
			return nil, problem.Internal(err)
		}
		in.raw = raw
		items[i] = in
	}
	results, err := s.take(ctx, items)
	if err != nil {
		return nil, err
	}
	return &capturev1.BatchCreateLeadsResponse{Results: results}, nil
}

// take stores what can be taken of the items, drives the new leads to their decisions and answers
// per item. After an error nothing is promised.
func (s *Service) take(ctx context.Context, items []*intake) ([]*capturev1.LeadResult, error) {
	n := int64(len(items))
	// A batch larger than the limit is taken when nothing else is, or it never would be.
	if now := s.inFlight.Add(n); now > int64(s.cfg.MaxInFlight) && now > n {
		s.inFlight.Add(-n)
		s.meters.shed(ctx)
		p := problem.New(problemv1.Reason_REASON_OVERLOADED, "more leads are being taken in than the server works on at once; nothing was stored")
		p.RetryAfter = time.Second
		return nil, p
	}
	defer s.inFlight.Add(-n)

	start := time.Now()
	sound, err := s.prepare(ctx, items)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, in := range items {
			if in.span != nil {
				in.span.End()
			}
		}
	}()
	if len(sound) > 0 {
		if err := s.captures.do(ctx, sound); err != nil {
			for _, in := range items {
				in.span = nil // the commit may still work on them
			}
			return nil, err
		}
	}
	durable := time.Since(start)
	var drives []*drive
	for _, in := range items {
		if in.ctx == nil { // not sound
			in.ctx = ctx
		}
		s.meters.count(in.ctx, in)
		if in.outcome != fresh {
			continue
		}
		s.deps.Tel.Stages.Record(in.ctx, telemetry.StageDurable, durable)
		if in.place == store.Pending && in.revision != "" {
			drives = append(drives, &drive{ctx: in.ctx, id: in.id, message: in.message, traceparent: in.traceparent})
		}
	}
	if len(drives) > 0 {
		within := s.cfg.AnswerWithin - time.Since(start)
		if deadline, ok := ctx.Deadline(); ok {
			within = min(within, time.Until(deadline))
		}
		s.drive(context.WithoutCancel(ctx), within, drives)
	}
	return s.answer(ctx, items, drives), nil
}

// prepare scopes, identifies, governs and traces the items and returns those that can be stored.
func (s *Service) prepare(ctx context.Context, items []*intake) ([]*intake, error) {
	secret, err := s.installationSecret(ctx)
	if err != nil {
		return nil, err
	}
	caller, now := rpc.CallerFrom(ctx), s.deps.Now().UTC().Truncate(time.Microsecond)
	sound := make([]*intake, 0, len(items))
	for _, in := range items {
		if in.problem != nil {
			continue
		}
		if in.scope(caller); in.problem != nil {
			continue
		}
		in.identify(secret, caller.String(), now)
		if in.form.waits {
			in.lead.ID, in.lead.ReceivedAt = in.id, now
			in.place, in.detail = store.Parked, waitsForForm
			if err := in.encode(); err != nil {
				in.problem = problem.From(err)
				continue
			}
		} else if !in.bare() {
			if err := s.govern(in); err != nil {
				p := problem.From(err)
				if in.mail == nil && in.form.kind == 0 || p.Reason != problemv1.Reason_REASON_TOO_LARGE {
					in.problem = p
					continue
				}
				in.unreadable = "the lead in the document is larger than is kept" // nobody reads an answer
			}
		}
		in.setAside(now)
		s.trace(ctx, in, len(items) == 1)
		sound = append(sound, in)
	}
	return sound, nil
}

// setAside gives what holds no lead its place: parked for its data, or rejected.
func (in *intake) setAside(now time.Time) {
	if !in.bare() {
		return
	}
	in.lead = lead.Lead{ID: in.id, Test: in.lead.Test, ReceivedAt: now, Source: in.lead.Source, IdempotencyKey: in.lead.IdempotencyKey}
	in.place, in.detail = store.Parked, in.unreadable
	if in.junk != "" {
		in.place, in.code, in.detail = store.Rejected, lead.RejectCodeJunk.String(), in.junk
	}
}

// trace begins the lead's own span: in its sender's trace if there is one for this lead, else, in
// a batch, in a new trace linked to the batch's.
func (s *Service) trace(ctx context.Context, in *intake, alone bool) {
	id := in.id.String()
	if alone || in.traceparent != "" {
		in.ctx, in.span = telemetry.StartLead(ctx, s.deps.Tel.Tracer, telemetry.SpanCapture, in.traceparent, id)
	} else {
		in.ctx, in.span = telemetry.StartRoot(ctx, s.deps.Tel.Tracer, telemetry.SpanCapture, "", id)
	}
	in.traceparent = telemetry.Traceparent(in.ctx)
}

// answer says per item what became of it.
func (s *Service) answer(ctx context.Context, items []*intake, drives []*drive) []*capturev1.LeadResult {
	driven := make(map[lead.ID]*drive, len(drives))
	for _, d := range drives {
		driven[d.id] = d
	}
	results := make([]*capturev1.LeadResult, len(items))
	var again []lead.ID // held before: their state is read anew
	for i, in := range items {
		r := &capturev1.LeadResult{}
		results[i] = r
		if in.problem != nil {
			r.Problem = in.problem.Proto()
			continue
		}
		r.LeadId, r.DuplicateRequest = in.id.String(), in.outcome != fresh
		switch d := driven[in.id]; {
		case d != nil:
			d.answer(r)
		case in.outcome == fresh:
			r.State, r.Code = stateOf(in.place), in.code
			if in.place == store.Parked {
				r.Code = lead.ParkReasonData.String()
			}
		default:
			again = append(again, in.id)
		}
	}
	if len(again) > 0 {
		now := s.states(ctx, again)
		for i, in := range items {
			if results[i].Problem == nil && in.outcome != fresh && driven[in.id] == nil {
				now[in.id].fill(results[i])
			}
		}
	}
	return results
}

func stateOf(p store.Place) leadv1.State {
	switch p {
	case store.Pending:
		return leadv1.State_STATE_PENDING
	case store.Rejected:
		return leadv1.State_STATE_REJECTED
	case store.Parked:
		return leadv1.State_STATE_PARKED
	default:
		return leadv1.State_STATE_UNSPECIFIED
	}
}

// present is where a lead stands now, read at its authority.
type present struct {
	standing store.Standing
	decided  *routingv1.LeadCase
	problem  *problem.Error
}

func (p present) fill(r *capturev1.LeadResult) {
	switch {
	case p.problem != nil:
		r.Problem = p.problem.Proto()
	case p.decided != nil:
		r.State, r.Decision, r.Code = p.decided.GetState(), p.decided.GetDecision(), p.decided.GetClosedCode()
	default:
		r.State, r.Code = stateOf(p.standing.Place), p.standing.Code
	}
}

// states reads where held leads stand. A lead whose state cannot be read now is answered with a
// problem; it is safe, and asking again is too.
func (s *Service) states(ctx context.Context, ids []lead.ID) map[lead.ID]present {
	found := make(map[lead.ID]present, len(ids))
	all := func(err error) map[lead.ID]present {
		p := problem.New(problemv1.Reason_REASON_UNAVAILABLE, "the lead is held and safe, but where it stands cannot be read now; send it again").Because(err)
		p.RetryAfter = time.Second
		for _, id := range ids {
			if _, ok := found[id]; !ok {
				found[id] = present{problem: p}
			}
		}
		return found
	}
	standings, err := s.store.Standings(ctx, ids)
	if err != nil {
		return all(err)
	}
	req := &routingv1.BatchGetCasesRequest{}
	asked := map[lead.ID]bool{}
	for _, id := range ids {
		if st := standings[id]; st.Place != store.HandedOver {
			found[id] = present{standing: st}
		} else if !asked[id] {
			asked[id] = true
			req.LeadIds = append(req.LeadIds, id.String())
		}
	}
	if len(req.LeadIds) == 0 {
		return found
	}
	resp, err := s.deps.Cases.BatchGetCases(ctx, req)
	if err != nil {
		return all(err)
	}
	for _, c := range resp.GetCases() {
		if id, err := lead.ParseID(c.GetLeadId()); err == nil {
			found[id] = present{decided: c}
		}
	}
	return all(nil)
}

// decode reads a stored lead.
func decode(body []byte) (*lead.Lead, error) {
	p := &leadv1.Lead{}
	if err := proto.Unmarshal(body, p); err != nil {
		return nil, problem.Internal(err)
	}
	l, violations := leadconv.FromProto(p)
	if len(violations) > 0 {
		return nil, problem.Internal(problem.Invalid(violations...))
	}
	return &l, nil
}

func itoa(n int) string { return strconv.Itoa(n) }
