package routing

import (
	"context"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// BatchGetCases answers the cases of leads that have been decided. Asked for one lead, the score
// comes with every contribution.
func (s *Service) BatchGetCases(ctx context.Context, req *routingv1.BatchGetCasesRequest) (*routingv1.BatchGetCasesResponse, error) {
	if len(req.GetLeadIds()) > 1_000 {
		return nil, problem.Invalid(problem.Violation{Field: "lead_ids", Description: "at most 1,000 at once"})
	}
	var list []lead.ID
	for i, text := range req.GetLeadIds() {
		id, err := lead.ParseID(text)
		if err != nil {
			return nil, problem.Invalid(problem.Violation{Field: fmt.Sprintf("lead_ids[%d]", i), Description: err.Error()})
		}
		list = append(list, id)
	}
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	cases, err := s.store.Cases(ctx, list)
	if err != nil {
		return nil, err
	}
	merged, err := s.store.MergedLeads(ctx, list)
	if err != nil {
		return nil, err
	}
	resp := &routingv1.BatchGetCasesResponse{}
	for _, k := range cases {
		c := rb.network.leadCase(k)
		for _, id := range merged[k.LeadID] {
			c.MergedLeadIds = append(c.MergedLeadIds, id.String())
		}
		if len(list) == 1 {
			if err := s.explain(ctx, k, c.GetDecision()); err != nil {
				return nil, err
			}
			if c.SiblingCount, err = s.store.CountSiblings(ctx, k); err != nil {
				return nil, err
			}
		}
		resp.Cases = append(resp.Cases, c)
	}
	return resp, nil
}

// leadCase writes a case as the house shares it.
func (n *networkView) leadCase(k *postgres.Case) *routingv1.LeadCase {
	c := &routingv1.LeadCase{
		LeadId: k.LeadID.String(), State: leadv1.State(k.State), LeadVersion: k.Version, Decision: n.decisionOf(k),
		PersonId: k.PersonID.String(), ClosedCode: k.ClosedCode,
	}
	if !k.ReturnedFrom.IsZero() {
		c.ReturnedFrom = k.ReturnedFrom.String()
	}
	if a := k.Owner; a != nil && a.OfferTo != "" {
		c.TransferOffer = &routingv1.TransferOffer{ToDealerId: a.OfferTo, ExpiresAt: leadconv.Time(a.OfferUntil)}
	}
	return c
}

// explain fills in the contributions of a stored score: they are computed again from the inputs
// in the receipt, with the playbook and models that decided, and must add up to the points that were
// stored. Points that came from elsewhere are only told how sure they are.
func (s *Service) explain(ctx context.Context, k *postgres.Case, d *leadv1.Decision) error {
	receipt, err := s.store.Receipt(ctx, k.LeadID, k.Attempt)
	if err != nil {
		return err
	}
	r, err := corerouting.ParseReceipt(receipt.Canonical)
	if err != nil {
		return problem.Internal(err)
	}
	snapshot, err := s.playbookOf(ctx, ruling{r.Playbook, r.Model})
	if err != nil {
		return err
	}
	in := scoreconv.Inputs(r)
	var res scoring.Result
	snapshot.Playbook.Scoring.Score(&in, &res)
	full := scoreconv.ToProto(snapshot.Playbook, &in, &res, r.Line, true)
	if full.GetPoints() == d.GetScore().GetPoints() {
		d.Score = full
	} else if d.GetScore().GetModelRevision() == full.GetModelRevision() {
		scoreconv.Bound(d.GetScore(), snapshot.Playbook) // raised by a lead that was merged into this one
	}
	if d.GetScore() != nil {
		d.Score.Indices = scoreconv.Indices(snapshot.Playbook, &in)
	}
	return nil
}

func parseLeadID(text string) (lead.ID, error) {
	id, err := lead.ParseID(text)
	if err != nil {
		return lead.ID{}, problem.Invalid(problem.Violation{Field: "lead_id", Description: err.Error()})
	}
	return id, nil
}

// owns reports why a dealer may not see or move a case; nil if it may.
func owns(caller rpc.Caller, k *postgres.Case) error {
	if !caller.OnlyDealer() || sees(caller.DealerID, k) {
		return nil
	}
	return notYours()
}

// sees reports whether a case is a dealer's. A receiving dealer sees what is offered to it.
func sees(dealerID string, k *postgres.Case) bool {
	return dealerID == k.DealerID || k.Owner != nil && dealerID == k.Owner.OfferTo
}

func notYours() error {
	return problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the lead belongs to another dealer")
}
