package cluster

import (
	"sync"
	"sync/atomic"
)

// each calls do for every piece of 0..n-1 from several goroutines, each of which has a number below
// workers, and tells the progress from the calling one. It returns false if it was told to stop;
// then some pieces are not done.
func (w *work) each(s Step, n int, do func(worker, piece int)) bool {
	var next atomic.Int64
	var stopped atomic.Bool
	done := make(chan struct{}, w.workers)
	var group sync.WaitGroup
	for k := range w.workers {
		group.Go(func() {
			for !stopped.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(k, i)
				done <- struct{}{}
			}
		})
	}
	go func() { group.Wait(); close(done) }()
	count, ok := 0, w.tell(s, 0, n)
	stopped.Store(!ok)
	for range done {
		if count++; ok && !w.tell(s, count, n) {
			ok = false
			stopped.Store(true)
		}
	}
	return ok
}

// span is how many rows one piece of work holds.
const span = 1 << 12

// eachRow calls do for stretches of rows 0..n-1.
func (w *work) eachRow(s Step, n int, do func(worker, from, to int)) bool {
	return w.each(s, (n+span-1)/span, func(worker, piece int) {
		do(worker, piece*span, min((piece+1)*span, n))
	})
}
