package routing

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

const maxRefreshes = 1_000

// RefreshCases brings our copies of leads up to what Capture knows. The copy is what the inbox shows
// and what is pushed; it changes nobody's ownership, but a parked lead is decided anew by it.
func (s *Service) RefreshCases(ctx context.Context, req *routingv1.RefreshCasesRequest) (*routingv1.RefreshCasesResponse, error) {
	if n := len(req.GetRefreshes()); n == 0 || n > maxRefreshes {
		return nil, problem.Invalid(problem.Violation{Field: "refreshes", Description: "send 1 to 1,000"})
	}
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	resp := &routingv1.RefreshCasesResponse{}
	for _, r := range req.GetRefreshes() {
		out := &routingv1.RefreshedCase{}
		if out.LeadCase, out.Changed, err = s.refresh(ctx, rb, r); err != nil {
			out.Problem = problem.From(err).Proto()
		}
		resp.Cases = append(resp.Cases, out)
	}
	s.relay.Wake()
	return resp, nil
}

func (s *Service) refresh(ctx context.Context, rb *rulebook, r *routingv1.CaseRefresh) (*routingv1.LeadCase, bool, error) {
	id, err := parseLeadID(r.GetLeadId())
	if err != nil {
		return nil, false, err
	}
	if r.GetLead() != nil {
		if _, violations := leadconv.FromProto(r.GetLead()); len(violations) > 0 {
			return nil, false, problem.Invalid(violations...)
		}
	}
	var k *postgres.Case
	changed := false
	err = s.store.Change(ctx, []lead.ID{id}, func(c *postgres.Change) error {
		if k = c.Cases[id]; k == nil {
			return problem.NotFound("decided lead")
		}
		w := s.work(ctx, rb, c, k)
		fresh, err := renew(k, r)
		if err != nil {
			return err
		}
		changed = fresh || k.State == lead.StateParked && r.GetDecideAgain()
		switch {
		case !changed:
			c.Leave(id)
			return nil
		case k.State == lead.StateParked:
			return w.rouse(r.GetActor(), r.GetNote())
		}
		if err := c.SaveLead(k); err != nil {
			return err
		}
		w.add(eventUpdated, w.now, &leadv1.EventFacts{Actor: r.GetActor(), Note: r.GetNote()})
		return w.finish()
	})
	if err != nil {
		return nil, false, err
	}
	return rb.network.leadCase(k), changed, nil
}

// renew puts what is known now into a case and reports whether that changes its lead.
func renew(k *postgres.Case, r *routingv1.CaseRefresh) (fresh bool, err error) {
	if r.GetLead() == nil {
		return false, nil
	}
	held := &leadv1.Lead{}
	if err := proto.Unmarshal(k.Lead, held); err != nil {
		return false, fmt.Errorf("decode the stored lead: %w", err)
	}
	if proto.Equal(held, r.GetLead()) {
		return false, nil
	}
	if k.Lead, err = proto.Marshal(r.GetLead()); err != nil {
		return false, fmt.Errorf("encode the lead: %w", err)
	}
	if p := r.GetProfile(); len(p) > 0 {
		k.Profile = p
	}
	return true, nil
}

// RejectCase closes a parked lead that is none. One that somebody owns is returned by its owner.
func (s *Service) RejectCase(ctx context.Context, req *routingv1.RejectCaseRequest) (*routingv1.RejectCaseResponse, error) {
	if _, ok := lead.ParseRejectCode(req.GetCode()); !ok {
		return nil, problem.Invalid(problem.Violation{Field: "code", Description: "is no reject code"})
	}
	changed := false
	c, err := s.move(ctx, req.GetLeadId(), func(w *caseWork) (bool, error) {
		k := w.k
		changed = false
		switch {
		case k.State == lead.StateRejected && k.ClosedCode == req.GetCode():
			return false, nil
		case k.Owner != nil:
			return false, wrongState("the lead is with %s; it is given back with POST /v1/leads/%s:return", k.DealerID, k.LeadID)
		case k.State != lead.StateParked:
			return false, wrongState("the lead is closed (%s)", k.State)
		}
		changed = true
		k.State, k.ClosedCode, k.ClosedAt, k.Parking = lead.StateRejected, req.GetCode(), w.now, postgres.Parking{}
		w.add(eventRejected, w.now, &leadv1.EventFacts{Code: req.GetCode(), Actor: req.GetActor(), Note: req.GetNote()})
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return &routingv1.RejectCaseResponse{LeadCase: c, Changed: changed}, nil
}

// WakeCases moves the review of parked leads to now; the sweep does the rest.
func (s *Service) WakeCases(ctx context.Context, req *routingv1.WakeCasesRequest) (*routingv1.WakeCasesResponse, error) {
	var bad []problem.Violation
	reason := lead.ParkReason(req.GetReason())
	if reason.String() == "" {
		bad = append(bad, problem.Violation{Field: "reason", Description: "is required"})
	}
	if n := req.GetLimit(); n < 1 || n > maxRefreshes {
		bad = append(bad, problem.Violation{Field: "limit", Description: "is 1 to 1,000"})
	}
	since, until := time.Unix(0, 0), s.now().Add(time.Hour)
	if t := req.GetSince(); t.IsValid() {
		since = t.AsTime()
	}
	if t := req.GetUntil(); t.IsValid() {
		until = t.AsTime()
	}
	if len(bad) > 0 {
		return nil, problem.Invalid(bad...)
	}
	n, err := s.store.RecallParked(ctx, postgres.Recall{
		Reason: reason, Since: since, Until: until, Now: s.now(), Limit: int(req.GetLimit()), Count: req.GetDryRun(),
	})
	return &routingv1.WakeCasesResponse{Count: int32(n)}, err
}
