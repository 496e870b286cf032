package load

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Quantile is the q-quantile of times, 0 <= q <= 1; 0 if there are none. It sorts them.
func Quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(int(q*float64(len(times))), len(times)-1)]
}

// Due tells when the leads of an open-loop run are due: evenly, whatever happens to those before.
type Due struct {
	Start time.Time
	Rate  float64 // leads per second
}

// At is when lead i is due.
func (d Due) At(i int) time.Time {
	return d.Start.Add(time.Duration(float64(i) / d.Rate * float64(time.Second)))
}

// By is how many of n leads are due at a moment.
func (d Due) By(now time.Time, n int) int {
	return min(max(int(now.Sub(d.Start).Seconds()*d.Rate)+1, 0), n)
}

// Pace makes n calls, each when it is due and whatever the others do, and returns when all have ended.
// When ctx ends it begins no more.
func Pace(ctx context.Context, n int, rate float64, call func(i int, due time.Time)) error {
	due := Due{Start: time.Now(), Rate: rate}
	var calls sync.WaitGroup
	defer calls.Wait()
	for i := range n {
		at := due.At(i)
		select {
		case <-time.After(time.Until(at)):
			calls.Go(func() { call(i, at) })
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
