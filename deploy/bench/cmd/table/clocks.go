package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/crowd"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
	"github.com/leadmesh/leadmesh/deploy/bench/product"
)

const (
	breachRate = 1_000 // responses that come due a second
	breachLook = 20 * time.Millisecond
)

// clocks measures how late deadlines are handled while a thousand responses a second are missed, with
// many open leads and with a tenth of them.
func (b *bench) clocks(ctx context.Context) (rows []Row, err error) {
	sizes := amount(b, [2]int{20_000, 2_000}, [2]int{1_000_000, 100_000})
	length := amount(b, 1, 10)
	b.alwaysOpen = true
	defer func() { b.alwaysOpen = false }()
	var houses [2]*clockHouse
	for i, size := range sizes {
		h, failed := b.clockHouse(ctx, size)
		if h != nil {
			defer func() { err = errors.Join(err, h.stage.close()) }()
		}
		if failed != nil {
			return nil, failed
		}
		houses[i] = h
	}
	var late [2][]time.Duration
	var p99 [2][]float64
	var ratios, work []float64
	for pair := range b.pairs + 1 {
		var tail, cost [2]float64
		for i, h := range houses {
			times, busy, err := h.breach(ctx, length*breachRate, amount(b, time.Second/2, 4*time.Second))
			if err != nil {
				return nil, fmt.Errorf("%w; the product said: %s", err, h.stage.process.LastWords())
			}
			tail[i], cost[i] = load.Quantile(slices.Clone(times), 0.99).Seconds(), busy.Seconds()/float64(len(times))
			if pair > 0 {
				late[i], p99[i] = append(late[i], times...), append(p99[i], tail[i])
			}
		}
		if pair > 0 {
			ratios, work = append(ratios, tail[0]/tail[1]), append(work, cost[0]/cost[1])
		}
	}
	whole := fmt.Sprintf("%d responses a second come due", breachRate)
	return []Row{
		{What: fmt.Sprintf("deadlines handled late, p99, %d open", sizes[0]), Figure: took(seconds(median(p99[0]))), Limit: "1s", Goal: "<= 1 s",
			Held: held(median(p99[0]) <= 1), Note: fmt.Sprintf("%s, looked at every %s from outside: %s", whole, breachLook, quantiles(late[0]))},
		{What: fmt.Sprintf("the same beside %d open", sizes[1]), Figure: took(seconds(median(p99[0]))), Limit: took(seconds(median(p99[1]))), Ratio: rangeOf(ratios),
			Goal: "<= 1.5x", Held: held(median(ratios) <= 1.5), Note: quantiles(late[1])},
		{What: "processor time of a deadline beside it", Ratio: rangeOf(work), Goal: "<= 1.5x", Held: held(median(work) <= 1.5), Note: "product and Postgres"},
	}, nil
}

// clockHouse is an installation with many open leads.
type clockHouse struct {
	stage *stage
	crowd *crowd.Crowd
}

// clockHouse starts an installation and fills it.
func (b *bench) clockHouse(ctx context.Context, open int) (*clockHouse, error) {
	s, err := b.stage(ctx)
	if err != nil {
		return nil, err
	}
	h := &clockHouse{stage: s}
	conn, err := s.process.Dial()
	if err != nil {
		return h, err
	}
	defer conn.Close()
	maker, err := load.NewMaker("p7", uint64(time.Now().UnixNano()))
	if err != nil {
		return h, err
	}
	batches, err := load.Batches(maker, 4, 250)
	if err != nil {
		return h, err
	}
	if _, err := load.Create(ctx, conn, batches, 2); err != nil {
		return h, err
	}
	if err := settled(ctx, s); err != nil {
		return h, err
	}
	if h.crowd, err = crowd.New(ctx, s.db, fmt.Sprint(open)); err != nil {
		return h, err
	}
	begin := time.Now()
	if err := h.crowd.Grow(ctx, open); err != nil {
		return h, err
	}
	fmt.Fprintf(os.Stderr, "  %d open leads in %s\n", open, time.Since(begin).Round(100*time.Millisecond))
	return h, nil
}

// breach lets n responses be missed, a thousand a second after some time before, and returns how late each was handled, seen
// from outside, and the processor time that product and Postgres took meanwhile.
func (h *clockHouse) breach(ctx context.Context, n int, before time.Duration) ([]time.Duration, time.Duration, error) {
	list, err := h.crowd.Arrange(ctx, n, time.Now().Add(before), time.Second/breachRate)
	for err == nil && time.Now().After(list[0].At) { // a busy machine takes longer to write them
		before *= 2
		if list, err = h.crowd.Arrange(ctx, n, time.Now().Add(before), time.Second/breachRate); before > time.Minute {
			return nil, 0, errors.New("the deadlines were not written before they came due")
		}
	}
	if err != nil {
		return nil, 0, err
	}
	select {
	case <-time.After(time.Until(list[0].At)):
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	busy := h.busy()
	out := make([]time.Duration, 0, n)
	waiting := list
	end := list[n-1].At.Add(30 * time.Second)
	for len(waiting) > 0 {
		now := time.Now()
		if now.After(end) {
			return nil, 0, fmt.Errorf("%d deadlines were not handled within 30 s", len(waiting))
		}
		late, err := h.crowd.Overdue(ctx, now)
		if err != nil {
			return nil, 0, err
		}
		seen := time.Now()
		waiting = slices.DeleteFunc(waiting, func(d crowd.Due) bool {
			handled := !d.At.After(now) && !late[d.ID]
			if handled {
				out = append(out, seen.Sub(d.At))
			}
			return handled
		})
		select {
		case <-time.After(breachLook):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	if err := settled(ctx, h.stage); err != nil {
		return nil, 0, err
	}
	return out, h.busy() - busy, nil
}

func (h *clockHouse) busy() time.Duration {
	return product.CPU(h.stage.process.PID, false) + product.CPU(h.stage.server.PID, true)
}
