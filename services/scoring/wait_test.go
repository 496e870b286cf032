package scoring_test

import (
	"context"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come: the machine may have much else to do.
const patience = 3 * time.Minute

// until looks until what it sees is as wanted.
func until[R any](t testing.TB, look func() R, wanted func(R) bool) R {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		r := look()
		if wanted(r) {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is %v", r)
		}
	}
}

// gate keeps who comes to it until it is opened.
type gate struct {
	came chan struct{} // is closed when somebody did
	once *sync.Once
	goOn chan struct{}
}

func newGate() gate { return gate{make(chan struct{}), &sync.Once{}, make(chan struct{})} }

func (g *gate) hold(ctx context.Context) error {
	g.once.Do(func() { close(g.came) })
	select {
	case <-g.goOn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits until somebody stands at the gate.
func (g *gate) await(t *testing.T) {
	t.Helper()
	select {
	case <-g.came:
	case <-time.After(patience):
		t.Fatal("nobody came to the page")
	}
}

func (g *gate) open() { close(g.goOn) }

// runs works the service's jobs until the test ends.
func (m models) runs() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.s.Run(ctx) }()
	m.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			m.t.Error(err)
		}
	})
}
