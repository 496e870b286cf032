package scoring

import (
	"context"
	"log/slog"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	// A backtest, training or re-scoring is kept for so long after its end, which is a year and a month,
	// and beyond that while it is among the newest of its kind; see store.ForgetRuns for what stays longer.
	runKept    = 400 * 24 * time.Hour
	newestKept = 100

	forgetEvery = time.Hour
)

// forget removes what nobody needs any more if that was not done for a while; it answers when it was done
// last.
func (s *Service) forget(ctx context.Context, last time.Time) time.Time {
	now := s.now()
	if now.Sub(last) < forgetEvery {
		return last
	}
	n, err := s.store.ForgetRuns(ctx, now.Add(-runKept), newestKept)
	if err != nil {
		if ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "old backtests, trainings and re-scorings not removed, trying again", slog.String("cause", problem.From(err).Code()))
		}
		return last
	}
	if n > 0 {
		s.log.LogAttrs(ctx, slog.LevelInfo, "old backtests, trainings and re-scorings removed", slog.Int64("count", n))
	}
	return now
}
