package identity_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

func TestKilledInTheMiddleLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, err := pgx.Connect(t.Context(), w.db.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := owner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	// The session dies when it writes its last kind of row.
	for _, statement := range []string{
		`CREATE FUNCTION identity.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
		 $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$`,
		`CREATE TRIGGER die BEFORE INSERT ON identity.consent FOR EACH ROW EXECUTE FUNCTION identity.die()`,
	} {
		if _, err := owner.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	l := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared), says(granted, ""))
	_, err = w.BatchResolve(t.Context(), &identityv1.BatchResolveRequest{Leads: []*leadv1.Lead{l}})
	if p := problem.From(err); p == nil || p.Reason != problemv1.Reason_REASON_UNAVAILABLE {
		t.Fatalf("answer %v, want unavailable", err)
	}
	for _, table := range []string{"person", "record", "match_key", "lead_person", "consent"} {
		if n := w.rows(table); n != 0 {
			t.Errorf("%s keeps %d rows", table, n)
		}
	}
	if _, err := owner.Exec(t.Context(), "DROP TRIGGER die ON identity.consent"); err != nil {
		t.Fatal(err)
	}
	if r := w.resolve(l)[0]; !r.Created {
		t.Error("the lead is not new afterwards")
	}
}

func TestCommonKeysTellNobodyApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *identity.Config, d *identity.Deps) { d.CommonKeyCap = 3 })
	const desk = "+15125550000"
	household := ""
	for i := range 6 {
		r := w.resolve(w.newLead(party(fmt.Sprintf("Person%c%c", 'a'+i, 'q'+i), "", fmt.Sprintf("p%d@example.com", i), desk)))[0]
		if i == 0 {
			household = r.HouseholdId
		}
		if i > 3 && r.HouseholdId == household {
			t.Errorf("lead %d: a number held by everybody makes a household", i)
		}
	}
	// Without a name of its own, only the number could link it.
	if r := w.resolve(w.newLead(party("", "", "new@example.com", desk)))[0]; !r.Created {
		t.Error("a number held by everybody made a match")
	}
	// Beside another key, too, it is no evidence.
	mario, maria := party("Mario", "Rossi", "", desk), party("Maria", "Rossi", "", desk)
	for _, p := range []*leadv1.Party{mario, maria} {
		p.Address = &leadv1.Address{Streets: []string{"12 Main St"}, PostalCode: "78745"}
	}
	if r := w.resolve(w.newLead(mario), w.newLead(maria)); r[0].PersonId == r[1].PersonId {
		t.Error("a number held by everybody made two people of one home one")
	}
	view := &identityv1.Signal{Kind: leadv1.SignalKind_SIGNAL_KIND_CALL, OccurredAt: ago(1), Party: party("", "", "", desk)}
	if resp := w.signals(view); len(resp.Problems) != 1 {
		t.Errorf("a signal of nobody in particular: %v", resp)
	}
	var holders int
	if err := w.pool.QueryRow(t.Context(), "SELECT max(n) FROM (SELECT count(*) n FROM match_key GROUP BY key_hash) k").Scan(&holders); err != nil {
		t.Fatal(err)
	}
	if holders != 4 {
		t.Errorf("a key has %d holders, want no more than one beyond the cap", holders)
	}
}

func TestReusedSourceID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := identifier(sourceLead, "meta", "4711")
	l := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), id)
	first := w.resolve(l)[0]
	cases := []struct {
		name        string
		lead        *leadv1.Lead
		contradicts bool
		same        bool
	}{
		{"the same person under another lead id", w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), id), false, true},
		{"the same lead with a new number", func() *leadv1.Lead {
			c := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared), id)
			c.LeadId = l.LeadId
			return c
		}(), false, true},
		{"somebody else under another lead id", w.newLead(party("Howard", "Pettibone", "howard@example.com", ""), id), true, false},
		{"somebody else under the same lead id", func() *leadv1.Lead {
			c := w.newLead(party("Irene", "Ostrander", "irene@example.com", ""), id)
			c.LeadId = l.LeadId
			return c
		}(), true, false},
		{"the same id of another source", w.newLead(party("Jo", "Adler", "jo@example.com", ""), identifier(sourceLead, "google", "4711")), false, false},
	}
	for _, c := range cases {
		r := w.resolve(c.lead)[0]
		if r.ContradictsSourceId != c.contradicts {
			t.Errorf("%s: contradicts is %v", c.name, r.ContradictsSourceId)
		}
		if (r.PersonId == first.PersonId) != c.same {
			t.Errorf("%s: same person is %v", c.name, r.PersonId == first.PersonId)
		}
	}
	if got := w.resolve(l)[0]; got.PersonId != first.PersonId {
		t.Error("the lead lost its person")
	}
}

func TestLeadsThatCanNotBeResolved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sound := w.newLead(party("A", "B", "", ""))
	unnamed := w.newLead(party("A", "B", "", ""))
	unnamed.LeadId = ""
	cases := []struct {
		field string
		leads []*leadv1.Lead
	}{
		{"leads", nil},
		{"leads", make([]*leadv1.Lead, 1001)},
		{"leads[1].lead_id", []*leadv1.Lead{sound, unnamed}},
	}
	for _, c := range cases {
		_, err := w.BatchResolve(t.Context(), &identityv1.BatchResolveRequest{Leads: c.leads})
		p := problem.From(err)
		if p == nil || p.Reason != problemv1.Reason_REASON_INVALID_ARGUMENT || p.Violations[0].Field != c.field {
			t.Errorf("%s: answer %v", c.field, err)
		}
	}
	if n := w.rows("person"); n != 0 {
		t.Errorf("%d persons stored", n)
	}
	for _, id := range []string{"x", sound.LeadId} {
		if _, err := w.GetPerson(t.Context(), &identityv1.GetPersonRequest{PersonId: id}); err == nil {
			t.Errorf("person %q is found", id)
		}
	}
}
