package identity

import (
	"context"
	"sync"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	maxGroup    = maxResolve       // leads of one transaction
	groupBudget = 10 * time.Second // a group outlives the calls that wait for it
)

// gatherer resolves calls in groups: at once when nothing is in flight, else together with all that
// came meanwhile. Nobody waits for company, and two groups of one process would only wait for each
// other's buckets.
type gatherer struct {
	run func(context.Context, []*item) error

	mu      sync.Mutex
	waiting []*call
	running bool
}

type call struct {
	items []*item
	done  chan struct{}
	err   error // read after done is closed
}

func newGatherer(run func(context.Context, []*item) error) *gatherer { return &gatherer{run: run} }

// resolve returns when the items are committed. When ctx ends first they may still be: the caller
// must not touch them again.
func (g *gatherer) resolve(ctx context.Context, items []*item) error {
	c := &call{items: items, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	if !g.running {
		g.running = true
		go g.loop()
	}
	g.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return problem.New(problemv1.Reason_REASON_DEADLINE_EXCEEDED, "resolving took longer than allowed; send the leads again").Because(ctx.Err())
	}
}

func (g *gatherer) loop() {
	for {
		group := g.next()
		if group == nil {
			return
		}
		g.commit(group)
		for _, c := range group {
			close(c.done)
		}
	}
}

// next takes what waits, as much as fits one transaction; nil ends the loop.
func (g *gatherer) next() []*call {
	g.mu.Lock()
	defer g.mu.Unlock()
	leads, n := 0, 0
	for n < len(g.waiting) && leads+len(g.waiting[n].items) <= maxGroup {
		leads += len(g.waiting[n].items)
		n++
	}
	if n == 0 {
		g.running = false
		return nil
	}
	group := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	return group
}

// commit runs a group; when it fails by a fault of its own, each call alone, so that one call's
// fault is not another's.
func (g *gatherer) commit(group []*call) {
	var all []*item
	for _, c := range group {
		all = append(all, c.items...)
	}
	err := g.bounded(all)
	alone := err != nil && len(group) > 1 && problem.From(err).Reason == problemv1.Reason_REASON_INTERNAL
	for _, c := range group {
		if c.err = err; alone {
			c.err = g.bounded(c.items)
		}
	}
}

func (g *gatherer) bounded(items []*item) error {
	ctx, cancel := context.WithTimeout(context.Background(), groupBudget)
	defer cancel()
	return g.run(ctx, items)
}
