package identity_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
)

// numbered is a world whose persons are numbered.
func numbered(t *testing.T) *world {
	n := uint64(0)
	return newWorld(t, func(_ *identity.Config, deps *identity.Deps) {
		deps.NewID = func() lead.ID {
			n++
			var id lead.ID
			binary.BigEndian.PutUint64(id[:], n)
			return id
		}
	})
}

// crowd are the leads of many people.
func (w *world) crowd() []*leadv1.Lead {
	leads := make([]*leadv1.Lead, 100)
	for i := range leads {
		leads[i] = w.newLead(party("Ada", fmt.Sprintf("Byron%c%c", 'a'+i%26, 'a'+i/26), fmt.Sprintf("p%d@example.com", i), fmt.Sprintf("+1512555%04d", i)), func(l *leadv1.Lead) {
			l.Consents = []*leadv1.Consent{{
				Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_ANSWER_INQUIRY,
				State: leadv1.ConsentState_CONSENT_STATE_GRANTED, Place: fmt.Sprint("form ", i),
			}}
		})
	}
	return leads
}

// image is what a world holds, row by row.
func (w *world) image() (out []string) {
	w.t.Helper()
	for _, table := range []string{"person", "record", "match_key", "lead_person", "consent"} {
		rows, err := w.pool.Query(w.t.Context(), "SELECT '"+table+" ' || t::text FROM "+table+" t ORDER BY 1")
		if err != nil {
			w.t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			w.t.Fatal(err)
		}
		if len(list) < 100 {
			w.t.Errorf("%d rows of %s", len(list), table)
		}
		out = append(out, list...)
	}
	return out
}

// Many leads at once leave the very rows that they leave in small groups.
func TestManyLeadsAreStoredAsFew(t *testing.T) {
	t.Parallel()
	few, many := numbered(t), numbered(t)
	for list := few.crowd(); len(list) > 0; list = list[10:] {
		few.resolve(list[:10]...)
	}
	many.resolve(many.crowd()...)
	if d := cmp.Diff(few.image(), many.image()); d != "" {
		t.Errorf("(-few +many):\n%s", d)
	}
}

// A row that is there already does not keep the others of its group out.
func TestManyLeadsPassOverARowThatIsThere(t *testing.T) {
	t.Parallel()
	w := numbered(t)
	known := w.resolve(w.crowd()...)
	leads := w.crowd() // of the same people
	person, err := lead.ParseID(known[60].PersonId)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.pool.Exec(t.Context(), `INSERT INTO record
		SELECT bucket, person_id, encode(substring(sha256(uuid_send($1::text::uuid) || body) for 16), 'hex')::uuid, lead_id, body, weight, 'there before', linked_at
		FROM record WHERE person_id = $2::text::uuid`, leads[60].LeadId, person.String())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range w.resolve(leads...) {
		if r.PersonId != known[i].PersonId {
			t.Errorf("lead %d is another person's", i)
		}
	}
	if n := w.rows("lead_person"); n != 2*len(leads) {
		t.Errorf("%d of %d leads are resolved", n, 2*len(leads))
	}
	if n := w.rows("record"); n != 2*len(leads) {
		t.Errorf("%d records are held, want %d: the one that was there is none of those written", n, 2*len(leads))
	}
}
