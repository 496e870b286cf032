package routing

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

const (
	evidenceWindow  = 14 * 24 * time.Hour
	evidenceRefresh = 15 * time.Minute // the count reads every assignment of the window
)

// evidenceBook is what each department showed of its work lately, as counted from time to time.
type evidenceBook struct {
	mu   sync.RWMutex
	seen map[evidenceKey]postgres.Seen
}

type evidenceKey struct {
	dealerID   string
	department lead.Department
}

// followEvidence counts again from time to time. It has a loop of its own: the count may take its
// time, deadlines may not.
func (s *Service) followEvidence(ctx context.Context) error {
	tick := time.NewTicker(evidenceRefresh)
	defer tick.Stop()
	for {
		if err := s.countEvidence(ctx, s.now()); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "evidence not counted, the last count stays", slog.String("cause", err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) countEvidence(ctx context.Context, now time.Time) error {
	list, err := s.store.Evidence(ctx, now.Add(-evidenceWindow), now)
	if err != nil {
		return err
	}
	seen := make(map[evidenceKey]postgres.Seen, len(list))
	for _, x := range list {
		seen[evidenceKey{x.DealerID, x.Department}] = x
	}
	s.evidence.mu.Lock()
	defer s.evidence.mu.Unlock()
	s.evidence.seen = seen
	return nil
}

// evidenceGrade is how much a dealer's department lets us see. A store on our inbox is OBSERVED: we
// see there what it does. Others are graded by how many of the leads they got in 14 days they
// reported anything about; one that got none is BLIND.
func (s *Service) evidenceGrade(rb *rulebook, dealerID string, department lead.Department) sla.Grade {
	if rb.network.delivery(dealerID, department) == deliveryInbox {
		return sla.Observed
	}
	s.evidence.mu.RLock()
	seen := s.evidence.seen[evidenceKey{dealerID, department}]
	s.evidence.mu.RUnlock()
	return sla.GradeOf(sla.Evidence{Leads: seen.Leads, WithEvidence: seen.WithEvidence}, rb.playbook.ObservedPercent)
}
