package routing

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// crowd are the inquiries of many people. They are tests, which take no capacity: whether one gets a
// store does not hang on those before it.
func (w *world) crowd() []*inquiry {
	list := make([]*inquiry, 100)
	for i := range list {
		list[i] = w.inquiry(fmt.Sprint("person ", i), func(l *leadv1.Lead) {
			chooses([]string{"a", "b", "c"}[i%3])(l)
			l.Test = true
		})
	}
	return list
}

// image is what a world holds, row by row.
func (w *world) image() (out []string) {
	w.t.Helper()
	for _, table := range []string{"decision", "receipt", "assignment"} {
		rows, err := w.pool.Query(w.t.Context(), "SELECT '"+table+" ' || t::text FROM "+table+" t ORDER BY 1")
		if err != nil {
			w.t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, list...)
	}
	return append(out, fmt.Sprint(w.count("SELECT count(DISTINCT (bucket, event_id)) FROM outbox"), " events"))
}

// Many leads at once leave the very rows that they leave in small groups.
func TestManyLeadsAreStoredAsFew(t *testing.T) {
	few, many := newWorld(t), newWorld(t)
	for list := few.crowd(); len(list) > 0; list = list[10:] {
		few.commit(list[:10]...)
	}
	many.commit(many.crowd()...)
	want, got := few.image(), many.image()
	if len(want) != 301 {
		t.Errorf("%d rows were stored", len(want))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-few +many):\n%s", d)
	}
}

// TestALeadDecidedMeanwhileLeavesItsCompany has another replica decide one lead of a large group at the
// same moment: the others are stored with this group.
func TestALeadDecidedMeanwhileLeavesItsCompany(t *testing.T) {
	w := newWorld(t)
	held := w.inquire("ada", nil)
	list := w.crowd()
	group, hooks := w.proposals(list...)
	rival := list[40].lead.ID
	other := w.begin()
	w.in(other, `INSERT INTO decision SELECT (jsonb_populate_record(d, jsonb_build_object(
		'bucket', $1::int, 'lead_id', $2::text, 'state', 3, 'merged_into', $3::text))).* FROM decision d WHERE lead_id = $3::uuid`,
		rival.Bucket(), rival.String(), held.String())
	w.in(other, `INSERT INTO receipt SELECT $1, $2::uuid, attempt, canonical FROM receipt WHERE lead_id = $3::uuid`, rival.Bucket(), rival.String(), held.String())
	done := make(chan error, 1)
	go func() { done <- w.s.store.Commit(t.Context(), group, hooks) }()
	w.awaitBlocked(1)
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i, p := range group {
		want := postgres.OutcomeStored
		if i == 40 {
			want = postgres.OutcomeKnown
		}
		if p.Outcome != want {
			t.Errorf("lead %d came to %d, want %d", i, p.Outcome, want)
		}
	}
	for table, want := range map[string]int{"decision": 101, "receipt": 101, "assignment": 100} { // the other replica merged its lead
		if n := w.count("SELECT count(*) FROM " + table); n != want {
			t.Errorf("%d rows of %s, want %d", n, table, want)
		}
	}
}
