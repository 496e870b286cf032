package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/limit"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
)

const (
	callRate  = resolveGoal / 2 // a second
	callGoal  = 5 * time.Millisecond
	callConns = 8   // of the program that commits a row a call
	callRow   = 600 // bytes, as a call has
)

// calls are the times of calls to resolve one record, made at half the rate of the goal, and beside
// them those of a program that commits one row for each.
type calls struct {
	persons       int // beside whom
	times, limits []time.Duration
	own, least    []float64 // p99 of each pair, in seconds
	ratios        []float64
	slow, stalled spells
	spent         cost
}

// calls measures one record a call. What a batch left the server to clean up is the batch's, so it is
// cleaned up before. A disk that stalls delays both alike, so they take turns.
func (b *bench) calls(ctx context.Context, h *personHouse, each int) (c calls, err error) {
	c.persons = h.persons
	if err := h.settle(ctx); err != nil {
		return c, err
	}
	committer, err := limit.NewCommitter(ctx, h.stage.process.DatabaseURL, callConns, callRow)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, committer.Close()) }()
	for pair := range b.pairs + 1 {
		least, err := committer.Paced(ctx, each, callRate)
		if err != nil {
			return c, err
		}
		before, err := h.stage.reading(ctx)
		if err != nil {
			return c, err
		}
		own, err := h.resolve(ctx, each, 1, callRate)
		if err != nil {
			return c, err
		}
		after, err := h.stage.reading(ctx)
		if err != nil {
			return c, err
		}
		if pair == 0 {
			continue // to warm up
		}
		c.spent.add(own.Leads, before, after)
		c.slow.add(own.Times)
		c.stalled.add(least)
		c.times, c.limits = append(c.times, own.Times...), append(c.limits, least...)
		p99, limit := load.Quantile(own.Times, 0.99).Seconds(), load.Quantile(least, 0.99).Seconds()
		c.own, c.least, c.ratios = append(c.own, p99), append(c.least, limit), append(c.ratios, p99/limit)
	}
	return c, nil
}

// settle has the server clean up after what was written.
func (h *personHouse) settle(ctx context.Context) error {
	for _, sql := range []string{"VACUUM (ANALYZE, SKIP_LOCKED)", "CHECKPOINT"} {
		if _, err := h.stage.db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("settle the server: %w", err)
		}
	}
	return nil
}

func (c *calls) rows() []Row {
	what := fmt.Sprintf("one record a call at %d/s beside %d persons", callRate, c.persons)
	return []Row{
		{What: what + ", p99", Figure: took(seconds(median(c.own))), Limit: took(seconds(median(c.least))), Ratio: rangeOf(c.ratios),
			Goal: "<= 5 ms", Held: held(median(c.own) <= callGoal.Seconds()),
			Note: fmt.Sprintf("from when each was due, on a settled server: %s, %s; limit: a row committed for each, over %d connections: %s, %s",
				quantiles(c.times), &c.slow, callConns, quantiles(c.limits), &c.stalled)},
		{What: what + ", p50", Figure: took(load.Quantile(c.times, 0.5)), Limit: took(load.Quantile(c.limits, 0.5)), Note: "processor time of a call: " + c.spent.row().Figure},
	}
}

// spells tell how slow calls came together: a stall delays all that are due while it lasts.
type spells struct{ calls, slow, spells int }

// spellGap is how many calls in a row that are not slow end a spell.
const spellGap = 20

// add looks at calls in the order in which they were due.
func (s *spells) add(times []time.Duration) {
	s.calls += len(times)
	quick := spellGap
	for _, t := range times {
		if t <= callGoal {
			quick++
			continue
		}
		s.slow++
		if quick >= spellGap {
			s.spells++
		}
		quick = 0
	}
}

func (s *spells) String() string {
	return fmt.Sprintf("%d of %d above %s in %d spells", s.slow, s.calls, callGoal, s.spells)
}
