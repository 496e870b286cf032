package capture

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// maxUpdateWait is the longest time between two tries to have Identity learn an update.
const maxUpdateWait = time.Hour

// runUpdates hands over what updates bring, until ctx ends.
func (s *Service) runUpdates(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.updateCame:
		case <-timer.C:
		}
		wait := s.cfg.PollEvery
		if err := s.learnUpdates(ctx); err != nil {
			s.warn(ctx, "updates not learned", err)
			wait = max(wait, downPause)
		}
		timer.Reset(wait)
	}
}

// wakeUpdates has new updates learned at once.
func (s *Service) wakeUpdates() {
	select {
	case s.updateCame <- struct{}{}:
	default:
	}
}

// learnUpdates hands every update that is due to those whom it concerns: Identity, for which its
// contact points and consents count from then on, and whoever the lead is with. Handing one over
// twice changes nothing, so a crash only repeats.
func (s *Service) learnUpdates(ctx context.Context) error {
	g, _ := s.governor()
	if g == nil {
		return nil // contact points are not in the form they are compared in yet
	}
	for {
		now := s.deps.Now()
		claimed, err := s.store.ClaimUpdates(ctx, now, now.Add(driverLease), claimBatch)
		if err != nil || len(claimed) == 0 {
			return err
		}
		if err := s.learn(ctx, g, claimed, now); err != nil || len(claimed) < claimBatch {
			return err
		}
	}
}

// learn tells Identity of some updates, then brings each to its lead. Where Identity refuses them
// together, each is told alone.
func (s *Service) learn(ctx context.Context, g *governance.Governor, updates []store.ClaimedUpdate, now time.Time) error {
	req := &identityv1.BatchResolveRequest{}
	var told []*store.ClaimedUpdate
	var learned []store.UpdateRef
	for i := range updates {
		message, err := s.updateMessage(g, &updates[i])
		if err != nil {
			s.warn(ctx, "stored update cannot be read", err)
			continue // looked at again when its lease ends
		}
		if message == nil {
			learned = append(learned, updates[i].UpdateRef)
			continue
		}
		told = append(told, &updates[i])
		req.Leads = append(req.Leads, message)
		req.Traceparents = append(req.Traceparents, updates[i].Traceparent)
	}
	if len(told) > 0 {
		bounded, cancel := context.WithTimeout(ctx, s.cfg.DriveWithin)
		resp, err := s.deps.Identity.BatchResolve(bounded, req)
		cancel()
		if err == nil && len(resp.GetResolutions()) != len(told) {
			err = problem.New(problemv1.Reason_REASON_INTERNAL, "identity answered another number of leads than asked")
		}
		switch p := problem.From(err); {
		case p == nil:
			done, err := s.bring(ctx, told, resp.GetResolutions(), now)
			if err != nil {
				return err
			}
			learned = append(learned, done...)
		case !postponed(p) && len(updates) > 1: // one update must not hold up its company
			for i := range updates {
				if err := s.learn(ctx, g, updates[i:i+1], now); err != nil {
					return err
				}
			}
			return nil
		default:
			s.warn(ctx, "updates not learned", err)
			if err := s.putOff(ctx, told, now); err != nil {
				return err
			}
		}
	}
	return s.store.SettleUpdates(ctx, learned, time.Time{})
}

// putOff has updates tried again: the later the longer they have waited.
func (s *Service) putOff(ctx context.Context, updates []*store.ClaimedUpdate, now time.Time) error {
	if len(updates) == 0 {
		return nil
	}
	refs := make([]store.UpdateRef, len(updates))
	for i, u := range updates {
		refs[i] = u.UpdateRef
	}
	wait := min(max(now.Sub(updates[0].At)/4, time.Second), maxUpdateWait)
	return s.store.SettleUpdates(ctx, refs, now.Add(wait))
}

// updateMessage is what an update says in the form that Identity takes, nil if it is refused as no
// lead: its sender is no person. Having no contact point of its own is no reason here.
func (s *Service) updateMessage(g *governance.Governor, u *store.ClaimedUpdate) (*leadv1.Lead, error) {
	l, err := decode(u.Body)
	if err != nil {
		return nil, err
	}
	l.ID = u.LeadID
	s.placeTimes(g, l)
	if v := g.Apply(l, l.ReceivedAt); !v.Accepted() && v.Reject != lead.RejectCodeNoContactPoint {
		return nil, nil
	}
	return leadconv.ToProto(l), nil
}
