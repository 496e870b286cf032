package identity

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// Small groups run beside each other, what comes while as many as may run do is one group, and a large
// one runs alone.
func TestGroups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan int, 100) // leads of each group
		end := make(chan struct{})
		const most = 4
		g := newGatherer(most, func(_ context.Context, items []*item) error {
			begun <- len(items)
			<-end
			return nil
		})
		send := func(leads int) {
			items := make([]*item, leads)
			for i := range items {
				items[i] = &item{}
			}
			go func() {
				if err := g.resolve(t.Context(), items); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		groups := func() (sizes []int) {
			synctest.Wait()
			for len(begun) > 0 {
				sizes = append(sizes, <-begun)
			}
			return sizes
		}
		expect := func(what string, want ...int) {
			t.Helper()
			if d := cmp.Diff(want, groups()); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}
		for range most {
			send(1)
		}
		expect("as many as may run", 1, 1, 1, 1)
		send(2)
		send(3)
		expect("while as many run")
		end <- struct{}{}
		expect("when one has ended", 5)
		send(maxClaims + 1)
		for range most - 1 {
			end <- struct{}{}
		}
		send(1)
		expect("a large one while a small one runs")
		end <- struct{}{}
		expect("a large one when nothing runs", maxClaims+2)
		send(1)
		expect("a small one while a large one runs")
		end <- struct{}{}
		expect("a small one after a large one", 1)
		end <- struct{}{}
		synctest.Wait()
		send(maxGroup)
		send(maxGroup)
		expect("more than a transaction takes", maxGroup)
		end <- struct{}{}
		expect("the rest of it", maxGroup)
		end <- struct{}{}
		synctest.Wait()
	})
}
