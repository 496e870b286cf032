package capture

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// work is what a combiner's work function was given, and how it answers.
type work struct {
	mu    sync.Mutex
	seen  [][]int
	takes time.Duration
	fails int // the item that fails what it is in; 0: none
}

func (w *work) do(_ context.Context, items []int) error {
	w.mu.Lock()
	w.seen = append(w.seen, slices.Clone(items))
	w.mu.Unlock()
	time.Sleep(w.takes) // of the bubble's clock
	if w.fails != 0 && slices.Contains(items, w.fails) {
		return problem.Internal(errors.New("as the test wants"))
	}
	return nil
}

func TestCombinerWorksWhenIdleAndGathersMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &work{takes: time.Second}
		c := &combiner[int]{work: w.do}
		start := time.Now()
		var wg sync.WaitGroup
		for i := 1; i <= 4; i++ {
			wg.Go(func() {
				if err := c.do(t.Context(), []int{i}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		if diff := cmp.Diff([][]int{{1}, {2, 3, 4}}, w.seen); diff != "" {
			t.Errorf("pieces of work (-want +got):\n%s", diff)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want two pieces of work one after the other", took)
		}
	})
}

func TestCombinerLetsNobodyFailForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &work{takes: time.Second, fails: 3}
		c := &combiner[int]{work: w.do}
		errs := make([]error, 5)
		var wg sync.WaitGroup
		for i := 1; i < len(errs); i++ {
			wg.Go(func() { errs[i] = c.do(t.Context(), []int{i}) })
			synctest.Wait()
		}
		wg.Wait()
		for i, err := range errs {
			if (err != nil) != (i == 3) {
				t.Errorf("request %d: %v", i, err)
			}
		}
	})
}

func TestCombinerDropsWhatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &work{takes: time.Minute}
		c := &combiner[int]{work: w.do}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			if err := c.do(t.Context(), []int{1}); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		start := time.Now()
		if err := c.do(impatient, []int{2}); err == nil || time.Since(start) != time.Second {
			t.Errorf("answered %v after %v, want an error when its time is over", err, time.Since(start))
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([][]int{{1}}, w.seen); diff != "" {
			t.Errorf("pieces of work (-want +got):\n%s", diff)
		}
	})
}
