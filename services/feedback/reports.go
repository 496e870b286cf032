package feedback

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// BatchCreateActivities notes activities and applies them at once. A wrong one is answered in its
// place and stops none of the others.
func (s *Service) BatchCreateActivities(ctx context.Context, req *feedbackv1.BatchCreateActivitiesRequest) (*feedbackv1.BatchCreateActivitiesResponse, error) {
	if err := checkCount("activities", len(req.GetActivities())); err != nil {
		return nil, err
	}
	caller, now := rpc.CallerFrom(ctx), s.now()
	batch := newBatch(len(req.GetActivities()))
	for i, a := range req.GetActivities() {
		p, err := parseActivity(fmt.Sprintf("activities[%d].", i), a, caller, now)
		batch.add(i, p, err)
	}
	if err := s.report(ctx, caller, batch, now); err != nil {
		return nil, err
	}
	return &feedbackv1.BatchCreateActivitiesResponse{Results: batch.results}, nil
}

// BatchCreateOutcomes notes outcomes and applies them at once, like BatchCreateActivities.
func (s *Service) BatchCreateOutcomes(ctx context.Context, req *feedbackv1.BatchCreateOutcomesRequest) (*feedbackv1.BatchCreateOutcomesResponse, error) {
	if err := checkCount("outcomes", len(req.GetOutcomes())); err != nil {
		return nil, err
	}
	caller, now := rpc.CallerFrom(ctx), s.now()
	batch := newBatch(len(req.GetOutcomes()))
	for i, o := range req.GetOutcomes() {
		p, err := parseOutcome(fmt.Sprintf("outcomes[%d].", i), o, caller, now)
		batch.add(i, p, err)
	}
	if err := s.report(ctx, caller, batch, now); err != nil {
		return nil, err
	}
	return &feedbackv1.BatchCreateOutcomesResponse{Results: batch.results}, nil
}

func checkCount(field string, n int) error {
	if n < 1 || n > maxReports {
		return problem.Invalid(problem.Violation{Field: field, Description: fmt.Sprintf("has %d; 1 to %d at once", n, maxReports)})
	}
	return nil
}

// batch is a request being worked: one result per item, and the reports of those that are right.
type batch struct {
	results []*feedbackv1.ReportResult
	reports []parsed
	// places are the results of a report: two, if the request repeats it.
	places map[store.ReportKey][]int
}

func newBatch(n int) *batch {
	return &batch{results: make([]*feedbackv1.ReportResult, n), places: make(map[store.ReportKey][]int, n)}
}

func (b *batch) add(i int, p parsed, err error) {
	if err != nil {
		b.results[i] = &feedbackv1.ReportResult{Problem: problem.From(err).Proto()}
		return
	}
	b.results[i] = &feedbackv1.ReportResult{Id: p.ID}
	if repeats := len(b.places[p.ReportKey]) > 0; repeats {
		b.results[i].Duplicate = true
	} else {
		b.reports = append(b.reports, p)
	}
	b.places[p.ReportKey] = append(b.places[p.ReportKey], i)
}

// fill writes what is known of a report into its results.
func (b *batch) fill(key store.ReportKey, write func(*feedbackv1.ReportResult)) {
	for _, i := range b.places[key] {
		write(b.results[i])
	}
}

// report stores the reports of a batch and applies the new ones. It fails only if nothing was
// stored.
func (s *Service) report(ctx context.Context, caller rpc.Caller, b *batch, now time.Time) error {
	if len(b.reports) == 0 {
		return nil
	}
	reports := make([]store.Report, len(b.reports))
	for i := range b.reports {
		reports[i] = b.reports[i].Report
	}
	added, err := s.store.AddReports(ctx, caller.String(), reports, now, now.Add(2*s.cfg.ApplyTimeout))
	if err != nil {
		return err
	}
	var fresh []parsed
	held := map[store.ReportKey][]byte{}
	for _, r := range b.reports {
		if added[r.ReportKey] {
			fresh = append(fresh, r)
			continue
		}
		b.fill(r.ReportKey, func(res *feedbackv1.ReportResult) { res.Duplicate = true })
		held[r.ReportKey] = r.Payload
	}
	// From here on everything is stored: what fails now is done later.
	s.answerHeld(ctx, caller, b, held)
	s.answerFresh(ctx, b, fresh, now)
	return nil
}

// answerFresh applies new reports and tells what came of them.
func (s *Service) answerFresh(ctx context.Context, b *batch, fresh []parsed, now time.Time) {
	if len(fresh) == 0 {
		return
	}
	applyCtx, cancel := context.WithTimeout(ctx, s.cfg.ApplyTimeout)
	defer cancel()
	outcomes, err := s.apply(applyCtx, fresh)
	if err != nil {
		s.log.WarnContext(ctx, "reports noted but not applied yet", "reports", len(fresh), "error", err)
		return
	}
	known := s.knownLeads(ctx, outcomes)
	settlements := make([]store.Settlement, 0, len(outcomes))
	for _, o := range outcomes {
		settlement := s.settle(o, 1, now, now)
		settlements = append(settlements, settlement)
		b.fill(o.ReportKey, func(res *feedbackv1.ReportResult) {
			if res.Applied = o.application.GetApplied(); res.Applied {
				res.State = o.application.GetLeadCase().GetState()
				res.Assignment = o.application.GetLeadCase().GetDecision().GetAssignment()
				res.CountedAs = o.application.GetCountedAs()
			}
			res.Problem = reasonProblem(settlement, known[o.LeadID])
		})
	}
	if err := s.settleAll(ctx, outcomes, settlements, now); err != nil {
		// The queue applies them again, which changes nothing.
		s.log.WarnContext(ctx, "settle applied reports", "error", err)
	}
}

// answerHeld tells where the leads of reports held already stand. given are their contents as they
// came now. What another sender reported under the same identifier is another report: it is refused
// rather than taken for the one that is held.
func (s *Service) answerHeld(ctx context.Context, caller rpc.Caller, b *batch, given map[store.ReportKey][]byte) {
	if len(given) == 0 {
		return
	}
	keys := slices.Collect(maps.Keys(given))
	stored, err := s.store.Reports(ctx, keys)
	if err != nil {
		s.log.WarnContext(ctx, "read held reports", "error", err)
		return
	}
	cases := s.casesOf(ctx, keys)
	for _, h := range stored {
		if h.Reporter != caller.String() && !bytes.Equal(h.Payload, given[h.ReportKey]) {
			b.fill(h.ReportKey, func(res *feedbackv1.ReportResult) {
				res.Duplicate = false
				res.Problem = problem.New(problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED,
					"another sender reported something else about this lead under this identifier; put your system's name before yours").Proto()
			})
			continue
		}
		b.fill(h.ReportKey, func(res *feedbackv1.ReportResult) {
			res.Applied = h.Status == store.Applied
			if c := cases[h.LeadID]; maySee(caller, c) {
				res.State, res.Assignment = c.GetState(), c.GetDecision().GetAssignment()
			}
			res.Problem = reasonProblem(store.Settlement{Status: h.Status, Reason: h.Reason}, true)
		})
	}
}

// casesOf reads the cases of leads as far as Routing answers.
func (s *Service) casesOf(ctx context.Context, keys []store.ReportKey) map[lead.ID]*routingv1.LeadCase {
	req := &routingv1.BatchGetCasesRequest{}
	seen := make(map[lead.ID]bool, len(keys))
	for _, k := range keys {
		if !seen[k.LeadID] {
			seen[k.LeadID] = true
			req.LeadIds = append(req.LeadIds, k.LeadID.String())
		}
	}
	resp, err := s.cases.BatchGetCases(ctx, req)
	if err != nil {
		s.log.WarnContext(ctx, "read cases", "error", err)
		return nil
	}
	cases := make(map[lead.ID]*routingv1.LeadCase, len(resp.GetCases()))
	for _, c := range resp.GetCases() {
		if id, err := lead.ParseID(c.GetLeadId()); err == nil {
			cases[id] = c
		}
	}
	return cases
}

// knownLeads returns which of the leads that Routing does not know the log has seen captured.
func (s *Service) knownLeads(ctx context.Context, outcomes []applied) map[lead.ID]bool {
	var unknown []lead.ID
	for _, o := range outcomes {
		if o.application.GetReason() == unknownLead {
			unknown = append(unknown, o.LeadID)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	known, err := s.store.Captured(ctx, unknown)
	if err != nil {
		s.log.WarnContext(ctx, "look for leads in the log", "error", err)
	}
	return known
}

// settleAll keeps what applied reports tell beyond the lead's case, useless contact points and
// appointments, then settles all. Both may be repeated. Routing has moved the leads by now: this
// outlives who waits for an answer, or the queue would have Routing look at all of them again.
func (s *Service) settleAll(ctx context.Context, outcomes []applied, settlements []store.Settlement, now time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ApplyTimeout)
	defer cancel()
	var bad []lead.ID
	for i, o := range outcomes {
		if settlements[i].Status != store.Applied || o.activity == nil {
			continue
		}
		if projection.BadContact(name(o.activity.GetCallResult(), "CALL_RESULT_")) {
			bad = append(bad, o.LeadID)
		}
		if o.activity.GetKind() == feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE {
			if err := s.noteAppointment(ctx, o.parsed, now); err != nil {
				return err
			}
		}
	}
	if err := s.store.MarkBadContact(ctx, bad); err != nil {
		return err
	}
	return s.store.Settle(ctx, settlements)
}

// maySee reports whether a caller may be told where a case stands.
func maySee(caller rpc.Caller, c *routingv1.LeadCase) bool {
	return c != nil && (!caller.OnlyDealer() || c.GetDecision().GetAssignment().GetDealerId() == caller.DealerID)
}

// reasonProblem says why a report was not taken, or that its lead is not known so far.
func reasonProblem(st store.Settlement, knownLead bool) *problemv1.Problem {
	switch {
	case st.Status == store.Applied:
		return nil
	case st.Reason == unknownLead && st.Status == store.Refused:
		return problem.NotFound("lead").Proto()
	case st.Reason == unknownLead && !knownLead:
		return problem.New(problemv1.Reason_REASON_NOT_FOUND,
			"no lead has this identifier yet; the report is kept and applied if the lead turns up within a day").Proto()
	case st.Reason == notOwner:
		return problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "another dealer owns this lead").Proto()
	case st.Status == store.Refused:
		return problem.New(problemv1.Reason_REASON_WRONG_STATE, "the lead does not take this any more; the report is kept").Proto()
	}
	return nil
}
