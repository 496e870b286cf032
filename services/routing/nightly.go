package routing

import (
	"context"
	"log/slog"
	"time"

	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"golang.org/x/sync/errgroup"
)

const (
	nightBegins  = 2 // o'clock at the dealer's
	nightEnds    = 5
	nightApart   = 20 * time.Hour // tests of one address
	nightLook    = time.Minute
	nightWorkers = 8
)

// followNights sends the nightly test leads until ctx ends. What they come to is shown with the
// address and feeds nothing else.
func (p *pusher) followNights(ctx context.Context) error {
	tick := time.NewTicker(nightLook)
	defer tick.Stop()
	for {
		if err := p.nightly(ctx); err != nil && ctx.Err() == nil {
			p.s.log.LogAttrs(ctx, slog.LevelWarn, "nightly tests put off", slog.String("cause", plain(err).Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// nightly tests the addresses whose dealers have night and that were not tested in this one. Each is
// claimed first, so that one replica tests it.
func (p *pusher) nightly(ctx context.Context) error {
	rb := p.s.engine.rules.Load()
	if rb == nil {
		return nil
	}
	now := p.s.now()
	list, err := p.s.store.NightlyTests(ctx, now.Add(-nightApart))
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(nightWorkers)
	for _, target := range list {
		d := rb.network.dealers[target.DealerID]
		if d == nil {
			continue
		}
		if hour := now.In(d.zone).Hour(); hour < nightBegins || hour >= nightEnds {
			continue
		}
		g.Go(func() error { return p.nightlyTest(ctx, rb, target, now) })
	}
	return g.Wait()
}

func (p *pusher) nightlyTest(ctx context.Context, rb *rulebook, target postgres.WebhookTarget, now time.Time) error {
	mine, err := p.s.store.ClaimNightlyTest(ctx, target.ID, now, now.Add(-nightApart))
	if err != nil || !mine {
		return err
	}
	w, err := p.s.store.Webhook(ctx, target.ID)
	if err != nil {
		if isNotFound(err) {
			return nil
		}
		return err
	}
	a, _, err := p.trial(ctx, rb, w)
	if err != nil {
		return err
	}
	return p.s.store.SetTestAnswer(ctx, w.ID, a.Word)
}
