package identity

import (
	"context"
	"runtime"
	"sync"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	maxGroup    = maxResolve       // leads of one transaction
	groupBudget = 10 * time.Second // a group outlives the calls that wait for it
)

// gatherer resolves calls in groups. Small groups, which lock their keys one by one, run beside each
// other: at once while there are few of them, else with all that came meanwhile. What is too much for a
// small group goes as a single large one as soon as nothing else is under way: two of them would only
// wait for each other's buckets. Nobody waits for company.
type gatherer struct {
	run  func(context.Context, []*item) error
	most int // small groups under way at once

	mu      sync.Mutex
	waiting []*call
	running int  // groups
	large   bool // the one that runs is
}

type call struct {
	items  []*item
	claims int
	done   chan struct{}
	err    error // read after done is closed
}

// newGatherer makes a gatherer of so many small groups at once, at least two: while one is committed, the
// next one is made ready.
func newGatherer(most int, run func(context.Context, []*item) error) *gatherer {
	return &gatherer{run: run, most: max(most, 2)}
}

// groupsAtOnce is how many small groups a process has under way. More of them are smaller and take more
// processor time for each lead, which pays where there are processors to spare.
func groupsAtOnce() int { return min(runtime.GOMAXPROCS(0), 4) }

// resolve returns when the items are committed. When ctx ends first they may still be: the caller
// must not touch them again.
func (g *gatherer) resolve(ctx context.Context, items []*item) error {
	c := &call{items: items, done: make(chan struct{})}
	for _, it := range items {
		c.claims += it.claims()
	}
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	if group := g.next(); group != nil {
		go g.work(group)
	}
	g.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return problem.New(problemv1.Reason_REASON_DEADLINE_EXCEEDED, "resolving took longer than allowed; send the leads again").Because(ctx.Err())
	}
}

// work commits a group and whatever waits then.
func (g *gatherer) work(group []*call) {
	for group != nil {
		g.commit(group)
		for _, c := range group {
			close(c.done)
		}
		g.mu.Lock()
		g.running, g.large = g.running-1, false
		group = g.next()
		g.mu.Unlock()
	}
}

// next takes what waits, as much as fits one transaction, if it may begin now; else it is nil. The
// caller holds the mutex and works on it.
func (g *gatherer) next() []*call {
	leads, claims, n := 0, 0, 0
	for n < len(g.waiting) && leads+len(g.waiting[n].items) <= maxGroup {
		leads += len(g.waiting[n].items)
		claims += g.waiting[n].claims
		n++
	}
	large := claims > maxClaims
	if n == 0 || g.large || g.running == g.most || large && g.running > 0 {
		return nil
	}
	g.running, g.large = g.running+1, large
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
