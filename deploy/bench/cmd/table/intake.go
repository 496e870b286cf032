package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/limit"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
	"github.com/leadmesh/leadmesh/deploy/bench/product"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/grpc"
)

const (
	batchSize = 500
	callers   = 4
)

// services are all whose tables leads write to.
var services = []string{"capture", "identity", "scoring", "routing", "feedback"}

// intake measures batches through all services beside inserting the rows that they leave again.
func (b *bench) intake(ctx context.Context) (rows []Row, err error) {
	s, err := b.stage(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	conn, err := s.process.Dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	maker, err := load.NewMaker("p4", uint64(time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	before, err := limit.Count(ctx, s.db, services)
	if err != nil {
		return nil, err
	}
	t := &intake{stage: s, conn: conn, maker: maker, states: map[leadv1.State]int{}}
	if _, err := t.run(ctx, amount(b, 2_000, 20_000)); err != nil {
		return nil, fmt.Errorf("%w; the product said: %s", err, s.process.LastWords())
	}
	after, err := limit.Count(ctx, s.db, services)
	if err != nil {
		return nil, err
	}
	perLead := float64(after.Since(before)) / float64(t.leads)
	groups, err := limit.CountGroups(ctx, s.db, "capture.lead")
	if err != nil {
		return nil, err
	}
	group := groups.Size(limit.Groups{})
	sources := append([]limit.Source{limit.Pending(), limit.Outbox("capture")}, after.Sources(before)...)
	program, way, err := limitOf(ctx, s, append(sources, limit.Outbox("routing")), t.leads, group)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, program.Close()) }()

	first := amount(b, 4_000, 200_000)
	for t.leads < first {
		if _, err := t.run(ctx, min(first-t.leads, 50_000)); err != nil {
			return nil, err
		}
	}
	least := product.RSS(s.process.PID)
	t.cost = cost{}
	var rates, limits, ratios, settledRates []float64
	var times []time.Duration
	err = b.profiled(ctx, s, "P4", int(amount(b, 8, 30)), func() error {
		for range b.pairs {
			c, err := t.run(ctx, amount(b, 2_000, 20_000))
			if err != nil {
				return err
			}
			most, err := program.Fast(ctx, group)
			if err != nil {
				return err
			}
			rates, limits, ratios = append(rates, c.Rate()), append(limits, most), append(ratios, c.Rate()/most)
			settledRates, times = append(settledRates, t.settled), append(times, c.Times...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	spent := t.cost
	for t.leads < 5*first {
		if _, err := t.run(ctx, min(5*first-t.leads, 50_000)); err != nil {
			return nil, err
		}
	}
	most := product.RSS(s.process.PID)
	n := float64(spent.leads)
	wal := float64(spent.wal) / n / 1000
	growth := float64(most) / float64(max(least, 1))
	return []Row{
		{
			What: "batches through all services", Figure: perSecond(median(rates)), Limit: perSecond(median(limits)), Ratio: rangeOf(ratios),
			Goal: ">= 0.35", Held: held(median(ratios) >= 0.35),
			Note: fmt.Sprintf("%d callers, batches of %d (%s), capture's groups of %d; limit: all their rows inserted again by %s over %d connections, "+
				"a transaction per service; %s until nothing is under way; answers %s", callers, batchSize, quantiles(times), group, way.Method, way.Conns,
				perSecond(median(settledRates)), t.answers()),
		},
		{What: "rows a lead leaves", Figure: fmt.Sprintf("%.1f", perLead), Goal: "<= 20", Held: held(perLead <= 20), Note: "tables: " + tables(after, before, t)},
		{What: "log a lead writes", Figure: fmt.Sprintf("%.1f KB", wal), Goal: "<= 12 KB", Held: held(wal <= 12)},
		spent.row(),
		{
			What: fmt.Sprintf("memory of the product at %d leads", t.leads), Figure: megabytes(most), Limit: fmt.Sprintf("%s at %d", megabytes(least), first),
			Ratio: &Range{Median: growth, Min: growth, Max: growth}, Goal: "<= 1.2x", Held: held(growth <= 1.2),
		},
	}, nil
}

func tables(after, before limit.Counts, t *intake) string {
	var out string
	for _, s := range after.Sources(before) {
		name := s.Schema + "." + s.Table
		out += fmt.Sprintf("%s %.2f ", name, float64(after[name]-before[name])/float64(t.first))
	}
	return out
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// intake sends batches and adds up what they cost.
type intake struct {
	stage   *stage
	conn    *grpc.ClientConn
	maker   *load.Maker
	leads   int
	first   int // of the first run
	states  map[leadv1.State]int
	settled float64 // leads per second of the last run, until nothing was under way
	cost    cost
}

func (t *intake) run(ctx context.Context, n int) (load.Created, error) {
	batches, err := load.Batches(t.maker, (n+batchSize-1)/batchSize, batchSize)
	if err != nil {
		return load.Created{}, err
	}
	start, err := t.stage.reading(ctx)
	if err != nil {
		return load.Created{}, err
	}
	began := time.Now()
	c, err := load.Create(ctx, t.conn, batches, callers)
	if err != nil {
		return c, err
	}
	if c.Refused > 0 {
		return c, fmt.Errorf("%d leads were refused, one because of %s", c.Refused, c.Problem)
	}
	if err := settled(ctx, t.stage); err != nil {
		return c, err
	}
	sent := len(batches) * batchSize
	t.settled = float64(sent) / time.Since(began).Seconds()
	end, err := t.stage.reading(ctx)
	if err != nil {
		return c, err
	}
	for state, count := range c.States {
		t.states[state] += count
	}
	t.leads += sent
	if t.first == 0 {
		t.first = sent
	}
	t.cost.add(sent, start, end)
	fmt.Fprintf(os.Stderr, "  %d leads: %.0f leads/s, settled %.0f leads/s\n", sent, c.Rate(), t.settled)
	return c, nil
}

func (t *intake) answers() string {
	var out string
	for state := range leadv1.State_name {
		if n := t.states[leadv1.State(state)]; n > 0 {
			out += fmt.Sprintf("%s %d ", leadv1.State(state).String()[len("STATE_"):], n)
		}
	}
	return out
}
