package capture

import (
	"context"
	"sync"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	maxGroup    = 2_000 // items in one piece of work; more waits for the next
	commitLimit = 10 * time.Second
)

// combiner gathers what requests want done in the database: it works at once when idle and gathers
// while work is in flight, so that nobody waits for company.
type combiner[T any] struct {
	work func(ctx context.Context, items []T) error

	mu    sync.Mutex
	queue []*share[T]
	busy  bool
}

// share is what one request wants done.
type share[T any] struct {
	ctx   context.Context
	items []T
	err   error
	done  chan struct{}
}

// do returns when the items are done, or why they are not. If ctx ends first, they may be.
func (c *combiner[T]) do(ctx context.Context, items []T) error {
	s := &share[T]{ctx: ctx, items: items, done: make(chan struct{})}
	c.mu.Lock()
	c.queue = append(c.queue, s)
	idle := !c.busy
	c.busy = true
	c.mu.Unlock()
	if idle {
		go c.drain()
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return problem.Unavailable(ctx.Err())
	}
}

// drain works until nothing is queued.
func (c *combiner[T]) drain() {
	for {
		c.mu.Lock()
		var shares []*share[T]
		n := 0
		for len(c.queue) > 0 && (n == 0 || n+len(c.queue[0].items) <= maxGroup) {
			s := c.queue[0]
			c.queue = c.queue[1:]
			shares, n = append(shares, s), n+len(s.items)
		}
		if len(shares) == 0 {
			c.busy = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		c.together(shares)
	}
}

// together does shares in one piece of work; where that fails for a reason of one of them, each
// is done alone.
func (c *combiner[T]) together(shares []*share[T]) {
	var items []T
	live := shares[:0]
	for _, s := range shares {
		if err := s.ctx.Err(); err != nil { // nobody waits for it any more, and nothing was promised
			s.err = problem.Unavailable(err)
			close(s.done)
			continue
		}
		live = append(live, s)
		items = append(items, s.items...)
	}
	if len(items) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitLimit)
	err := c.work(ctx, items)
	cancel()
	if err != nil && len(live) > 1 && problem.From(err).Reason == problemv1.Reason_REASON_INTERNAL {
		for _, s := range live {
			c.together([]*share[T]{s})
		}
		return
	}
	for _, s := range live {
		s.err = err
		close(s.done)
	}
}
