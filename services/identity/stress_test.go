package identity_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
)

// Two replicas learn of the same people bit by bit, in batches and one by one, leads and signals
// mixed. Whatever the order, every person ends as one, and nothing that was said is lost.
func TestReplicasAgreeOnPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	replicas := []*identity.Service{w.Service, w.replica(w.db.Pool("identity"))}
	const people, workers, rounds = 12, 4, 12
	known := func(who int, which []int) *leadv1.Lead {
		l := &leadv1.Lead{Parties: []*leadv1.Party{party("Ada", fmt.Sprintf("Byron%c", 'a'+who), "", "")}}
		for _, k := range which {
			switch k {
			case 0:
				l.Parties[0].Emails = []*leadv1.Email{{Address: fmt.Sprintf("p%d@example.com", who), Valid: true}}
			case 1:
				l.Parties[0].Phones = []*leadv1.Phone{{Number: fmt.Sprintf("+1512555%04d", who), E164: fmt.Sprintf("+1512555%04d", who), Valid: true}}
			case 2:
				identifier(account, "x", fmt.Sprint(who))(l)
			case 3:
				identifier(anonymous, "x", fmt.Sprint(who))(l)
			}
		}
		return l
	}
	var next sync.Mutex
	number := func(l *leadv1.Lead) *leadv1.Lead {
		next.Lock()
		defer next.Unlock()
		l.LeadId = w.newLead(nil).LeadId
		return l
	}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			s := replicas[worker%2]
			for range rounds {
				leads := make([]*leadv1.Lead, 1+random.IntN(2)*50)
				var signals []*identityv1.Signal
				for i := range leads {
					leads[i] = number(known(random.IntN(people), random.Perm(4)[:1+random.IntN(2)]))
					told := known(random.IntN(people), random.Perm(4)[:2])
					signals = append(signals, &identityv1.Signal{
						SignalId: leads[i].LeadId, Kind: leadv1.SignalKind_SIGNAL_KIND_CALL, OccurredAt: ago(1),
						Party: told.Parties[0], Identifiers: told.Identifiers,
					})
				}
				if _, err := s.BatchResolve(t.Context(), &identityv1.BatchResolveRequest{Leads: leads}); err != nil {
					t.Error(err)
				}
				resp, err := s.BatchCreateSignals(t.Context(), &identityv1.BatchCreateSignalsRequest{Signals: signals})
				if err != nil {
					t.Error(err)
				} else if int(resp.Accepted) != len(signals) {
					t.Errorf("%d of %d signals taken", resp.Accepted, len(signals))
				}
			}
		})
	}
	group.Wait()
	persons := map[string]bool{}
	for who := range people {
		w.advance(1)
		r := w.resolve(number(known(who, []int{0, 1, 2, 3})))[0]
		persons[r.PersonId] = true
		for k := range 4 {
			if got := w.resolve(number(known(who, []int{k})))[0]; got.PersonId != r.PersonId {
				t.Errorf("person %d is somebody else by key %d", who, k)
			}
		}
	}
	var roots, calls, signals, leads, linked int
	if err := w.pool.QueryRow(t.Context(), `SELECT
		(SELECT count(*) FROM person WHERE merged_into IS NULL),
		(SELECT count(*) FROM signal), (SELECT count(*) FROM signal_seen),
		(SELECT count(*) FROM lead_person), (SELECT count(DISTINCT lead_id) FROM record)`).Scan(&roots, &calls, &signals, &leads, &linked); err != nil {
		t.Fatal(err)
	}
	if len(persons) != people || roots != people {
		t.Errorf("%d persons answered, %d left, want %d", len(persons), roots, people)
	}
	if calls != signals || leads != linked {
		t.Errorf("%d signals of %d seen, %d leads of %d recorded", calls, signals, leads, linked)
	}
	counted := int64(0)
	for id := range persons {
		for _, c := range w.person(id).Counters {
			counted += int64(c.CountMilli)
		}
	}
	// A call a day ago still counts nearly whole: no update of a profile was lost.
	if full := int64(calls) * 1000; counted < full*96/100 || counted > full {
		t.Errorf("calls count %d thousandths, want about %d", counted, full)
	}
}

// Two replicas that know one person by different keys do not overwrite what the other noted.
func TestNoUpdateOfAPersonIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	replicas := []*identity.Service{w.Service, w.replica(w.db.Pool("identity"))}
	told := []*leadv1.Party{party("Ada", "Byron", "ada@example.com", ""), party("Ada", "Byron", "", shared)}
	who := w.resolve(w.newLead(party("Ada", "Byron", "ada@example.com", shared)))[0].PersonId
	const each = 40
	var group sync.WaitGroup
	for i, s := range replicas {
		group.Go(func() {
			for n := range each {
				_, err := s.BatchCreateSignals(t.Context(), &identityv1.BatchCreateSignalsRequest{Signals: []*identityv1.Signal{{
					SignalId: fmt.Sprint(i, "/", n), Kind: leadv1.SignalKind_SIGNAL_KIND_CALL, OccurredAt: ago(0), Party: told[i],
				}}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	got := w.person(who)
	if len(got.Counters) != 1 || got.Counters[0].CountMilli != 2*each*1000 {
		t.Errorf("counters %v, want %d calls", got.Counters, 2*each)
	}
}
