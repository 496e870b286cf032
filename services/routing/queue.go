package routing

import (
	"context"
	"time"
)

// followQueue notes how long the queue of pushes keeps jobs waiting, until ctx ends. A database
// that does not answer leaves the last figure: its own health says so.
func (s *Service) followQueue(ctx context.Context) error {
	tick := time.NewTicker(lagInterval)
	defer tick.Stop()
	for {
		if waited, err := s.store.OldestJob(ctx, pushSchema); err == nil {
			s.metrics.queueLag.Store(int64(waited))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
