package gateway

import (
	"sync/atomic"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// What a gateway holds at once, where Config says nothing else. A body costs some five times its
// bytes until its leads are stored, so that a flood takes half a gigabyte and no more.
const (
	defaultRequests = 16_384
	defaultHeld     = 96 << 20
	smallBody       = 64 << 10 // of each body that may use the part kept for small ones
	smallPart       = 3        // one part in so many is kept for them
)

// comeBack is when a request that found no room may try again.
const comeBack = time.Second

// budget bounds the requests in progress and the bytes of their bodies, over all connections. What
// a body has delivered counts, not what it announced, so that who announces much and sends nothing
// takes no room; and the first bytes of every body have a part of their own, so that a flood of
// large bodies keeps no single lead out. Safe for concurrent use.
type budget struct {
	requests, bytes       atomic.Int64
	maxRequests, maxBytes int64
}

// enter takes the place of a request; a problem if there is none.
func (b *budget) enter() *problem.Error {
	if b.requests.Add(1) <= b.maxRequests {
		return nil
	}
	b.requests.Add(-1)
	return crowded("more requests are in progress than are taken at once; try again")
}

// leave gives back the place and what its body held.
func (b *budget) leave(held int64) {
	b.bytes.Add(-held)
	b.requests.Add(-1)
}

// hold takes room for n more bytes of a body that holds some already; a problem if there is none.
func (b *budget) hold(n, already int64) *problem.Error {
	limit := b.maxBytes
	if already+n > smallBody {
		limit -= limit / smallPart
	}
	if b.bytes.Add(n) <= limit {
		return nil
	}
	b.bytes.Add(-n)
	return crowded("more bytes of bodies are in progress than are taken at once; try again")
}

func crowded(message string) *problem.Error {
	p := problem.New(problemv1.Reason_REASON_OVERLOADED, "%s", message)
	p.RetryAfter = comeBack
	return p
}
