package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
)

// bucketLocks is the first key of the advisory locks that every release takes on the buckets of keys.
const bucketLocks = 0x1d30

// hold begins a transaction that does one thing, and ends with the test if not before.
func (w *world) hold(sql string, args ...any) pgx.Tx {
	w.t.Helper()
	tx, err := w.db.Pool("identity").Begin(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = tx.Rollback(w.t.Context()) }) // ended already, if all went well
	if _, err := tx.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
	return tx
}

// begin has a replica resolve a lead meanwhile and returns when so many in all wait for a lock of
// somebody else.
func (w *world) begin(s *identity.Service, leads []*leadv1.Lead, all int) (done chan error) {
	w.t.Helper()
	done = make(chan error, 1)
	go func() {
		_, err := s.BatchResolve(w.t.Context(), &identityv1.BatchResolveRequest{Leads: leads})
		done <- err
	}()
	for deadline := time.Now().Add(time.Minute); ; {
		var waiting int
		if err := w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE NOT l.granted AND a.datname = current_database()`).Scan(&waiting); err != nil {
			w.t.Fatal(err)
		}
		if waiting >= all {
			return done
		}
		select {
		case err := <-done:
			w.t.Fatalf("resolved (%v), though somebody has locked what it works on", err)
		default:
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d wait, want %d", waiting, all)
		}
	}
}

// end ends a transaction and awaits those that waited for it.
func (w *world) end(tx pgx.Tx, waiting ...chan error) {
	w.t.Helper()
	if err := tx.Commit(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for _, done := range waiting {
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

// Two replicas hear of somebody new, and each has looked who is known before the other has stored
// anything: unless the second one waits for the first, they make two persons.
func TestSomebodyNewIsMadeOnce(t *testing.T) {
	t.Parallel()
	ada := party("Ada", "Quist", "ada@example.com", "")
	for name, crowd := range map[string]int{"one lead a call": 1, "many leads a call": 100} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			other := w.replica(w.db.Pool("identity"))
			tx := w.hold("LOCK TABLE person IN SHARE MODE") // reading goes on, writing waits
			first := w.begin(w.Service, []*leadv1.Lead{w.newLead(ada)}, 1)
			var more []*leadv1.Lead
			for n := range crowd - 1 {
				more = append(more, w.newLead(party("Bo", fmt.Sprintf("Byron%c%c", 'a'+n%26, 'a'+n/26), fmt.Sprintf("bo%d@example.com", n), "")))
			}
			second := w.begin(other, append(more, w.newLead(ada)), 2)
			w.end(tx, first, second)
			if n := w.rows("person"); n != crowd {
				t.Errorf("%d persons, want %d", n, crowd)
			}
		})
	}
}

// Whoever waits for a person keeps nobody from others, whatever buckets their keys have in common.
func TestLeadsOfOthersDoNotWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := party("Ada", "Quist", "ada@example.com", "+15125550177")
	known := w.resolve(w.newLead(ada))[0].PersonId
	tx := w.hold("SELECT FROM person WHERE person_id = $1::text::uuid FOR UPDATE", known)
	done := w.begin(w.Service, []*leadv1.Lead{w.newLead(ada)}, 1)
	for n := range 30 { // their keys are in all buckets
		w.resolve(w.newLead(party("Bo", fmt.Sprintf("Byron%c%c", 'a'+n%26, 'a'+n/26), fmt.Sprintf("bo%d@example.com", n), fmt.Sprintf("+1512556%04d", n))))
	}
	w.end(tx, done)
}

// Releases before this one lock buckets only, each for itself: one lead of this one does not begin
// while such a process works on one of its buckets, nor the other way round.
func TestBucketsAreLockedAgainstEarlierReleases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := party("Ada", "Quist", "ada@example.com", "")
	first := w.newLead(ada)
	known := w.resolve(first)[0].PersonId
	again := w.newLead(ada)
	id, err := lead.ParseID(again.LeadId)
	if err != nil {
		t.Fatal(err)
	}
	earlier := w.hold("SELECT pg_advisory_xact_lock($1, $2)", bucketLocks, id.Bucket())
	w.end(earlier, w.begin(w.Service, []*leadv1.Lead{again}, 1))

	var used []int16
	if err := w.pool.QueryRow(t.Context(), "SELECT array_agg(DISTINCT bucket) FROM match_key").Scan(&used); err != nil {
		t.Fatal(err)
	}
	tx := w.hold("SELECT FROM person WHERE person_id = $1::text::uuid FOR UPDATE", known)
	done := w.begin(w.Service, []*leadv1.Lead{w.newLead(ada)}, 1)
	for _, b := range used {
		var free bool
		if err := w.pool.QueryRow(t.Context(), "SELECT pg_try_advisory_xact_lock($1, $2)", bucketLocks, b).Scan(&free); err != nil {
			t.Fatal(err)
		}
		if free {
			t.Errorf("bucket %d is free for an earlier release while a lead with a key in it is resolved", b)
		}
	}
	w.end(tx, done)
}
