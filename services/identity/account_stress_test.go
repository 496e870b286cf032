package identity_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
)

// A company is known by a place and two domains. Leads that come at once, each by another of these, show
// that two more are the same company, while others act for it: no join is lost, and nobody is left behind in
// what was joined.
func TestJoinsOfAccountsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	replicas := []*identity.Service{w.Service}
	for range 2 {
		replicas = append(replicas, w.replica(w.db.Pool("identity")))
	}
	const companies = 26
	for n := range companies {
		company, place := fmt.Sprintf("Northwind Freight %c", 'A'+n), fmt.Sprintf("78%03d", n)
		domain := func(k int) string { return fmt.Sprintf("n%d-%d.example", n, k) }
		from := func(who string, postal string, domains ...int) *leadv1.Lead {
			p := contact("Ada", who, "ada."+who+"@"+domain(domains[0]), "", company, postal)
			for _, k := range domains[1:] {
				p.Emails = append(p.Emails, &leadv1.Email{Address: "ada." + who + "@" + domain(k), Valid: true})
			}
			return w.newLead(p)
		}
		var people []string
		for _, l := range []*leadv1.Lead{from("King", place, 1, 2), from("Stone", "10001", 3), from("Adler", "10002", 4)} {
			people = append(people, w.resolve(l)[0].PersonId)
		}
		if w.person(people[0]).FleetAccount.GetAccountId() == w.person(people[1]).FleetAccount.GetAccountId() {
			t.Fatal("they are one from the first")
		}
		w.advance(time.Hour)
		var group sync.WaitGroup
		var mu sync.Mutex
		begin := make(chan struct{})
		for i, l := range []*leadv1.Lead{from("Byron", place, 3), from("Frost", "10003", 1, 4), from("Moss", "10004", 2)} {
			group.Go(func() {
				<-begin
				resp, err := replicas[i].BatchResolve(t.Context(), &identityv1.BatchResolveRequest{Leads: []*leadv1.Lead{l}})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				people = append(people, resp.Resolutions[0].PersonId)
			})
		}
		close(begin)
		group.Wait()
		slices.Sort(people)
		for _, id := range people {
			a := w.person(id).FleetAccount
			got := slices.Clone(a.GetContactPersonIds())
			slices.Sort(got)
			if !slices.Equal(got, people) {
				t.Errorf("company %d: %s is in %s with %d contacts, want all %d", n, id, a.GetAccountId(), len(got), len(people))
			}
		}
	}
}
