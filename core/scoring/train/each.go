package train

import (
	"sync"
	"sync/atomic"
)

// each calls do for 0..n-1 on so many goroutines. Which of them takes which number is left to
// chance, so do must write only to what belongs to its number.
func each(workers, n int, do func(i int)) {
	if workers <= 1 || n <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(workers, n) {
		done.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	done.Wait()
}
