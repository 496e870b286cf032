package capture

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// bring takes what updates say to their leads: into the body of one that is not decided, which may
// set it on its way again, and to Routing for one that is. It returns those that need nothing more;
// the others are put off.
func (s *Service) bring(ctx context.Context, updates []*store.ClaimedUpdate, known []*identityv1.Resolution, now time.Time) ([]store.UpdateRef, error) {
	var done []store.UpdateRef
	var again, handed []*store.ClaimedUpdate
	req := &routingv1.RefreshCasesRequest{}
	for i, u := range updates {
		refresh, pending, err := s.absorb(ctx, u, known[i], now)
		switch {
		case err != nil:
			s.warn(ctx, "update not brought to its lead", err)
			again = append(again, u)
		case refresh != nil:
			handed = append(handed, u)
			req.Refreshes = append(req.Refreshes, refresh)
		case pending: // whoever decides it now may have the lead of before
			again = append(again, u)
		default:
			done = append(done, u.UpdateRef)
		}
	}
	if len(handed) > 0 {
		bounded, cancel := context.WithTimeout(ctx, s.cfg.DriveWithin)
		resp, err := s.deps.Cases.RefreshCases(bounded, req)
		cancel()
		if err != nil {
			s.warn(ctx, "updates not brought to routing", err)
		}
		for i, u := range handed {
			var p *problem.Error
			if i < len(resp.GetCases()) {
				p = problem.FromProto(resp.GetCases()[i].GetProblem())
			} else {
				p = problem.Unavailable(err)
			}
			if p != nil && (postponed(p) || err != nil) {
				again = append(again, u)
				continue
			}
			s.warn(ctx, "update not taken by routing", asError(p))
			done = append(done, u.UpdateRef)
		}
	}
	s.relay.Wake()
	return done, s.putOff(ctx, again, now)
}

func asError(p *problem.Error) error {
	if p == nil {
		return nil
	}
	return p
}

// absorb brings one update to its lead. It answers what Routing is to be told of a decided one, and
// whether a lead is pending, so that the update must be looked at again.
func (s *Service) absorb(ctx context.Context, u *store.ClaimedUpdate, known *identityv1.Resolution, now time.Time) (refresh *routingv1.CaseRefresh, pending bool, err error) {
	err = s.store.Mend(ctx, u.LeadID, func(m *store.Mending, events *outbox.Rows) (store.Mended, error) {
		refresh, pending = nil, m.Place == store.Pending
		if m.Place == store.Rejected && !unlocks(m) || m.Place == store.Parked && len(m.Unfolded) == 0 {
			return store.Mended{}, nil
		}
		j, err := s.judge(m, nil)
		if j == nil || err != nil {
			return store.Mended{}, err
		}
		if m.Place == store.HandedOver {
			refresh = &routingv1.CaseRefresh{LeadId: u.LeadID.String(), Lead: j.message, Profile: known.GetProfile(), Actor: u.Actor, Note: u.Reason}
			if facts := known.GetConsents(); len(facts) > 0 {
				refresh.Lead.Consents = facts
			}
		}
		if m.Place == store.Rejected && !j.verdict.Accepted() {
			return store.Mended{}, nil
		}
		done, err := j.route(m, "system", "", now, now, events)
		if m.Place == store.Pending && done.Governed != nil {
			done.To = store.HandedOver // it keeps its attempts and its time
		}
		return done, err
	})
	return refresh, pending, err
}

// unlocks reports whether the updates of a rejected lead may bring what it lacked: its source, a
// contact point; an operator, anything.
func unlocks(m *store.Mending) bool {
	if m.RejectedBy != "" || len(m.Unfolded) == 0 {
		return false
	}
	if m.Code == lead.RejectCodeNoContactPoint.String() {
		return true
	}
	for _, u := range m.Unfolded {
		if u.Actor != "" {
			return true
		}
	}
	return false
}
