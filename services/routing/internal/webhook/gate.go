package webhook

import (
	"sync"
	"time"
)

const (
	inFlight      = 2 // attempts at one endpoint at once
	tripAfter     = 5 // failures in a row
	firstBreak    = 30 * time.Second
	longestBreak  = 15 * time.Minute
	firstQueueing = 2 * time.Second
	eachWaiting   = 50 * time.Millisecond
	longQueueing  = time.Minute
)

// Gates keep endpoints apart: two attempts at a time each, and none for a growing while at one that
// failed five times in a row; then one attempt tries it again. Safe for concurrent use.
type Gates struct {
	mu    sync.Mutex
	gates map[string]*gate
}

type gate struct {
	busy     int
	waiting  int       // sent away since the last success
	failures int       // in a row
	breaks   int       // in a row
	until    time.Time // closed until then
}

// NewGates makes gates that are all open.
func NewGates() *Gates { return &Gates{gates: map[string]*gate{}} }

// Enter lets an attempt at an endpoint pass, which must Leave; else it says how long to stay away.
func (g *Gates) Enter(endpoint string, now time.Time) (wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.gates[endpoint]
	if e == nil {
		e = &gate{}
		g.gates[endpoint] = e
	}
	switch {
	case now.Before(e.until):
		e.waiting++
		return e.until.Sub(now) + queueing(e.waiting), false
	case e.busy >= inFlight, e.breaks > 0 && e.busy > 0: // after a break one tries alone
		e.waiting++
		return queueing(e.waiting), false
	}
	e.busy++
	return 0, true
}

// queueing spreads those that wait, so that they do not all come back at once.
func queueing(waiting int) time.Duration {
	return min(firstQueueing+time.Duration(waiting)*eachWaiting, longQueueing)
}

// Leave ends an attempt. well says that the endpoint answered as one that works.
func (g *Gates) Leave(endpoint string, well bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.gates[endpoint]
	if e == nil {
		return
	}
	e.busy--
	if well {
		*e = gate{busy: e.busy}
		if e.busy == 0 {
			delete(g.gates, endpoint)
		}
		return
	}
	if e.failures++; e.failures >= tripAfter || e.breaks > 0 {
		e.until = now.Add(min(firstBreak<<min(e.breaks, 10), longestBreak))
		e.breaks++
	}
}

// Forget opens the gate of an endpoint whose address changed.
func (g *Gates) Forget(endpoint string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.gates[endpoint]; e != nil {
		*e = gate{busy: e.busy}
	}
}
