package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/limit"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
)

// deciding measures the Decide stream with COMMIT, as Capture would call it, beside inserting the
// rows that it leaves again.
func (b *bench) deciding(ctx context.Context) (rows []Row, err error) {
	s, err := b.stage(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	conn, err := s.process.DialAs("capture")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	maker, err := load.NewMaker("p3", uint64(time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	before, err := limit.Count(ctx, s.db, []string{"routing"})
	if err != nil {
		return nil, err
	}
	d := load.Decide{Conn: conn, Streams: 4}
	decided := 0
	run := func(n, window int, rate float64) (load.Outcome, error) {
		requests, err := load.Requests(maker, n)
		if err != nil {
			return load.Outcome{}, err
		}
		o, err := d.Run(ctx, requests, window, rate)
		decided += o.Decided
		if err == nil && o.Refused > 0 {
			err = fmt.Errorf("%d of %d leads were refused, one because of %s", o.Refused, n, o.Problem)
		}
		return o, errors.Join(err, settled(ctx, s))
	}

	// Warm up, and find the window that gives the highest rate.
	window, best, group := 0, 0.0, 0
	for _, w := range amount(b, []int{512, 128, 512}, []int{512, 64, 128, 256, 512}) {
		earlier, err := limit.CountGroups(ctx, s.db, "routing.receipt")
		if err != nil {
			return nil, err
		}
		o, err := run(amount(b, 1_200, 20_000), w, 0)
		if err != nil {
			return nil, fmt.Errorf("%w; the product said: %s", err, s.process.LastWords())
		}
		fmt.Fprintf(os.Stderr, "  window %d: %.0f leads/s\n", w, o.Rate())
		later, err := limit.CountGroups(ctx, s.db, "routing.receipt")
		if err != nil {
			return nil, err
		}
		if o.Rate() > best {
			window, best, group = w, o.Rate(), later.Size(earlier)
		}
	}
	after, err := limit.Count(ctx, s.db, []string{"routing"})
	if err != nil {
		return nil, err
	}
	program, way, err := limitOf(ctx, s, append(after.Sources(before), limit.Outbox("routing")), decided, group)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, program.Close()) }()

	n := int(best * amount(b, 0.6, 5))
	var rates, limits, ratios []float64
	var spent cost
	err = b.profiled(ctx, s, "P3", int(amount(b, 5, 30)), func() error {
		for range b.pairs {
			start, err := s.reading(ctx)
			if err != nil {
				return err
			}
			o, err := run(n, window, 0)
			if err != nil {
				return err
			}
			end, err := s.reading(ctx)
			if err != nil {
				return err
			}
			spent.add(o.Decided, start, end)
			most, err := program.Fast(ctx, group)
			if err != nil {
				return err
			}
			rates, limits, ratios = append(rates, o.Rate()), append(limits, most), append(ratios, o.Rate()/most)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows = append(rows, Row{
		What: "Decide stream, COMMIT", Figure: perSecond(median(rates)), Limit: perSecond(median(limits)), Ratio: rangeOf(ratios),
		Goal: ">= 0.5", Held: held(median(ratios) >= 0.5),
		Note: fmt.Sprintf("4 streams, window %d, groups of %d; limit: the rows of Routing inserted again by %s over %d connections; "+
			"the product hands events to Feedback meanwhile, the limit does not", window, group, way.Method, way.Conns),
	}, spent.row())

	// At half of what the product can, when leads come whether or not those before are done.
	rate := median(rates) / 2
	var own, other, worse []float64
	for range b.pairs {
		n := int(rate * amount(b, 0.8, 5))
		o, err := run(n, 4_096/d.Streams, rate)
		if err != nil {
			return rows, err
		}
		times, err := program.Paced(ctx, n, 512, rate)
		if err != nil {
			return rows, err
		}
		p, l := load.Quantile(o.Times, 0.99), load.Quantile(times, 0.99)
		own, other, worse = append(own, p.Seconds()), append(other, l.Seconds()), append(worse, p.Seconds()/l.Seconds())
	}
	return append(rows, Row{
		What: fmt.Sprintf("its p99 at %.0f leads/s", rate), Figure: took(seconds(median(own))), Limit: took(seconds(median(other))), Ratio: rangeOf(worse),
		Goal: "<= 3x", Held: held(median(worse) <= 3), Note: "open loop: from when a lead is due until it is answered; the limit's until it is durable",
	}), nil
}

// settled waits until the product has nothing left to do.
func settled(ctx context.Context, s *stage) error { return limit.Settle(ctx, s.db) }

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

// quantiles are some of times, for a note.
func quantiles(times []time.Duration) string {
	t := slices.Clone(times)
	return fmt.Sprintf("p50 %s, p99 %s", took(load.Quantile(t, 0.5)), took(load.Quantile(t, 0.99)))
}
