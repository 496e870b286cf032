package identity_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// While leads come in over two replicas, people merge and split the same persons. Nothing is lost, and
// every person is what its own records say.
func TestCurationBesideResolving(t *testing.T) {
	t.Parallel()
	c := &talkers{world: newWorld(t), random: rand.New(rand.NewPCG(1, 2))}
	replicas := []*identity.Service{c.Service, c.replica(c.db.Pool("identity"))}
	const people, leadsEach, edits = 4, 60, 40
	for who := range people {
		c.tells(who)
	}
	said := make([][]*leadv1.Lead, 2)
	for i := range said {
		for n := range leadsEach {
			who := n % people
			p := party("Given"+string(rune('a'+who)), "Family"+string(rune('a'+who)), "", "")
			l := c.newLead(p, identifier(account, "x", string(rune('0'+who))))
			if n%3 == 0 {
				says(granted, "")(l)
			}
			said[i] = append(said[i], l)
			c.leads++
		}
	}
	ctx := c.as("carla", rpc.RoleOps)
	busy := func(err error) bool { // what a person may be told: try again, or that it is so no longer
		r := problem.From(err).Reason
		return r == problemv1.Reason_REASON_UNAVAILABLE || r == problemv1.Reason_REASON_INVALID_ARGUMENT || r == problemv1.Reason_REASON_WRONG_STATE
	}
	var group sync.WaitGroup
	for i, s := range replicas {
		group.Go(func() {
			for _, l := range said[i] {
				if _, err := s.BatchResolve(t.Context(), &identityv1.BatchResolveRequest{Leads: []*leadv1.Lead{l}}); err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			done := 0
			for range edits {
				c.advance(1000)
				roots := c.roots()
				id := roots[random.IntN(len(roots))]
				p, err := s.GetPerson(ctx, &identityv1.GetPersonRequest{PersonId: id})
				if err != nil {
					t.Error(err)
					return
				}
				merged := slices.IndexFunc(p.Changes, func(ch *identityv1.PersonChange) bool {
					return ch.Kind == identityv1.PersonChangeKind_PERSON_CHANGE_KIND_MERGED && !c.undone(p, ch)
				})
				switch {
				case merged >= 0:
					_, err = s.SplitPerson(ctx, &identityv1.SplitPersonRequest{PersonId: id, MergeId: p.Changes[merged].MergeId, Note: "x"})
				case random.IntN(3) == 0 && len(p.Records) > 1:
					_, err = s.SplitPerson(ctx, &identityv1.SplitPersonRequest{PersonId: id, RecordIds: []string{p.Records[0].RecordId}, Note: "x"})
				default:
					_, err = s.MergePersons(ctx, &identityv1.MergePersonsRequest{PersonId: id, OtherPersonId: roots[(slices.Index(roots, id)+1)%len(roots)], Note: "x"})
				}
				if err != nil && !busy(err) {
					t.Error(err)
				} else if err == nil {
					done++
				}
			}
			if done < edits/4 {
				t.Errorf("only %d of %d edits were done", done, edits)
			}
		})
	}
	group.Wait()
	c.checks(c.roots(), "afterwards")
}
