package endpoint

import (
	"context"
	"sync"
	"time"
)

const (
	inFlight      = 2 // attempts at one endpoint at once
	tripAfter     = 5 // failures in a row
	firstBreak    = 30 * time.Second
	longestBreak  = 15 * time.Minute
	firstQueueing = 2 * time.Second
	eachQueueing  = 50 * time.Millisecond
	longQueueing  = time.Minute

	// patience is how long an attempt may stand in line at an endpoint that answers quickly; slow
	// is what does not.
	patience = time.Second
	slow     = 500 * time.Millisecond
)

// Gates keep endpoints apart: two attempts at a time each, and none for a growing while at one that
// failed five times in a row; then one attempt tries it again. At an endpoint that answers quickly
// the next ones may stand in line for a moment, all others are sent away. Safe for concurrent use.
type Gates struct {
	mu     sync.Mutex
	gates  map[string]*gate
	inLine int // at all endpoints
	most   int
}

type gate struct {
	slots    chan struct{} // holds one token for each attempt under way
	busy     int
	away     int       // sent away since the last success
	failures int       // in a row
	breaks   int       // in a row
	until    time.Time // closed until then
	slow     bool      // the last attempt took long
	started  time.Time // when the last attempt entered
}

// NewGates makes gates that are all open. At most inLine attempts stand in line at once.
func NewGates(inLine int) *Gates { return &Gates{gates: map[string]*gate{}, most: inLine} }

// Enter lets an attempt at an endpoint pass, which must Leave; else it says how long to stay away.
func (g *Gates) Enter(ctx context.Context, endpoint string) (wait time.Duration, ok bool) {
	g.mu.Lock()
	e := g.gates[endpoint]
	if e == nil {
		e = &gate{slots: make(chan struct{}, inFlight)}
		g.gates[endpoint] = e
	}
	now := time.Now()
	closed := now.Before(e.until)
	alone := e.breaks > 0 && e.busy > 0 // after a break one tries first
	if !closed && !alone {
		select {
		case e.slots <- struct{}{}:
			e.busy++
			e.started = now
			g.mu.Unlock()
			return 0, true
		default:
		}
	}
	quick := e.failures == 0 && !e.slow && now.Sub(e.started) < slow
	if closed || alone || !quick || g.inLine >= g.most {
		e.away++
		wait = min(firstQueueing+time.Duration(e.away)*eachQueueing, longQueueing)
		if closed {
			wait += e.until.Sub(now)
		}
		g.mu.Unlock()
		return wait, false
	}
	g.inLine++
	g.mu.Unlock()
	ok = e.line(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inLine--
	if !ok {
		e.away++
		return firstQueueing, false
	}
	e.busy++
	e.started = time.Now()
	return 0, true
}

// line waits for a slot, not for long.
func (e *gate) line(ctx context.Context) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case e.slots <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// Leave ends an attempt that took so long. well says that the endpoint answered as one that works.
func (g *Gates) Leave(endpoint string, well bool, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.gates[endpoint]
	<-e.slots
	e.busy--
	e.slow = took >= slow
	if well {
		e.away, e.failures, e.breaks, e.until = 0, 0, 0, time.Time{}
		return
	}
	if e.failures++; e.failures >= tripAfter || e.breaks > 0 {
		e.until = time.Now().Add(min(firstBreak<<min(e.breaks, 10), longestBreak))
		e.breaks++
	}
}

// Forget opens the gate of an endpoint whose address changed.
func (g *Gates) Forget(endpoint string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.gates[endpoint]; e != nil {
		e.away, e.failures, e.breaks, e.until, e.slow = 0, 0, 0, time.Time{}, false
	}
}
