package capture

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// yielding takes back the parking of leads that Routing has decided after all. Who gives a lead up
// asks Routing first, but an attempt that is still under way there may end after the question; from
// its decision on the lead is Routing's.
type yielding struct {
	seen time.Time // review date up to which parked leads were asked about often enough
	due  time.Time
}

const (
	yieldEvery = 10 * time.Second
	yieldBatch = 500
	// yieldFor is how long after it was parked a lead is asked about: no attempt lasts as long.
	yieldFor = 2 * time.Minute
)

// yield asks Routing about the leads that were parked lately, and at a process's start about all.
func (s *Service) yield(ctx context.Context, y *yielding) error {
	now := s.deps.Now()
	if now.Before(y.due) {
		return nil
	}
	for at := (store.ParkedLead{ReviewAt: y.seen}); ; {
		list, err := s.store.ParkedLeads(ctx, at, yieldBatch)
		if err != nil {
			return err
		}
		if err := s.yieldDecided(ctx, list); err != nil {
			return err
		}
		if len(list) < yieldBatch {
			break
		}
		at = list[len(list)-1]
	}
	y.seen, y.due = now.Add(reviewAfter-yieldFor), now.Add(yieldEvery)
	return nil
}

func (s *Service) yieldDecided(ctx context.Context, list []store.ParkedLead) error {
	if len(list) == 0 {
		return nil
	}
	req := &routingv1.BatchGetCasesRequest{}
	for _, k := range list {
		req.LeadIds = append(req.LeadIds, k.LeadID.String())
	}
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	resp, err := s.deps.Cases.BatchGetCases(ctx, req)
	if err != nil {
		return err
	}
	var decided []lead.ID
	for _, c := range resp.GetCases() {
		id, err := lead.ParseID(c.GetLeadId())
		if err != nil {
			return problem.Internal(err)
		}
		decided = append(decided, id)
	}
	return s.store.Yield(ctx, decided)
}
