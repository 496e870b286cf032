package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// learning measures how long a points table takes to learn beside XGBoost: 300 trees of depth 4 by
// histograms, on the same rows and processors, in turn.
func (b *bench) learning(ctx context.Context) (rows []Row, err error) {
	p, err := newPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	f, outcomes := made(amount(b, 100_000, 1_000_000))
	var clock, processor, ratios, worked, others []float64
	for range min(b.pairs, amount(b, 1, 3)) {
		before, begin := processorTime(), time.Now()
		_, _, err := train.Learn(f, outcomes, train.Options{
			Ordered: true, Target: card.Target{Column: "won"}, Workers: runtime.NumCPU(), Seed: 1,
		}, func(int, int) bool { return ctx.Err() == nil })
		if err != nil {
			return nil, err
		}
		took := time.Since(begin).Seconds()
		used := (processorTime() - before).Seconds()
		c, err := p.compare(ctx, f, outcomes, f.Rows, false)
		if err != nil {
			return nil, err
		}
		clock, processor = append(clock, took), append(processor, used)
		ratios, worked, others = append(ratios, took/c.clock), append(worked, used/c.processor), append(others, c.clock)
	}
	return []Row{{
		What:   fmt.Sprintf("learn from %d rows x %d columns", f.Rows, len(f.Columns)),
		Figure: took(seconds(median(clock))), Limit: took(seconds(median(others))) + " XGBoost", Ratio: rangeOf(ratios),
		Goal: "<= 1", Held: held(median(ratios) <= 1),
		Note: fmt.Sprintf("%.1f s of processors, %.2f of XGBoost's", median(processor), median(worked)),
	}}, nil
}

// made is rows with 20 columns of numbers, one in 20 missing, and 10 of names, all of which tell
// something.
func made(rows int) (*frame.Frame, []train.Outcome) {
	rng := rand.New(rand.NewPCG(8, 8))
	odds := make([]float64, rows)
	f := &frame.Frame{Rows: rows}
	for j := range 20 {
		numbers, weight := make([]float64, rows), 0.4*rng.NormFloat64()
		for i := range numbers {
			numbers[i] = rng.NormFloat64()
			odds[i] += weight * math.Sin(2*numbers[i])
			if rng.IntN(20) == 0 {
				numbers[i] = math.NaN()
			}
		}
		f.Columns = append(f.Columns, frame.Numeric(fmt.Sprint("number ", j), numbers))
	}
	for j := range 10 {
		c := frame.Column{Name: fmt.Sprint("name ", j), Kind: frame.Category, Codes: make([]int32, rows)}
		var weights []float64
		for v := range 12 {
			c.Values = append(c.Values, fmt.Sprint("value ", v))
			weights = append(weights, 0.3*rng.NormFloat64())
		}
		for i := range c.Codes {
			c.Codes[i] = rng.Int32N(12)
			odds[i] += weights[c.Codes[i]]
		}
		f.Columns = append(f.Columns, c)
	}
	outcomes := make([]train.Outcome, rows)
	for i := range outcomes {
		if rng.Float64() < 1/(1+math.Exp(2-odds[i])) {
			outcomes[i] = train.Won
		}
	}
	return f, outcomes
}

// processorTime is what this process has used of processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
