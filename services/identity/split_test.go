package identity_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/testing/protocmp"
)

// as is a context of a caller.
func (w *world) as(name string, roles ...rpc.Role) context.Context {
	return rpc.WithCaller(w.t.Context(), rpc.Caller{Name: name, Roles: roles})
}

func (w *world) merge(a, b string) *identityv1.MergePersonsResponse {
	w.t.Helper()
	w.advance(time.Minute)
	resp, err := w.MergePersons(w.as("carla", rpc.RoleOps), &identityv1.MergePersonsRequest{PersonId: a, OtherPersonId: b, Note: "same passport"})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func (w *world) split(req *identityv1.SplitPersonRequest) *identityv1.SplitPersonResponse {
	w.t.Helper()
	w.advance(time.Minute)
	req.Note = "they are cousins"
	resp, err := w.SplitPerson(w.as("carla", rpc.RoleOps), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

// page compares persons but for what their history adds.
func page(want, got *identityv1.GetPersonResponse) string {
	return cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&identityv1.GetPersonResponse{}, "changes"),
		protocmp.SortRepeated(func(a, b *leadv1.Consent) bool { return a.String() < b.String() }), cmpopts.EquateEmpty())
}

// keyHolders is who is found by which key today.
func (w *world) keyHolders() map[string]string {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `SELECT m.kind || ' ' || m.key_hash, string_agg(DISTINCT coalesce(p.merged_into, p.person_id)::text, ' ' ORDER BY coalesce(p.merged_into, p.person_id)::text)
		FROM match_key m JOIN person p USING (person_id) GROUP BY 1`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			w.t.Fatal(err)
		}
		out[k] = v
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestSplitUndoesAMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared), says(granted, "")))[0].PersonId
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Karla", "Delgado", "karla@example.com", "+15125550199"), says(denied, "+15125550199")))[0].PersonId
	w.signals(&identityv1.Signal{SignalId: "1", Kind: leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT, OccurredAt: ago(3), Vin: vin, Party: party("Karla", "Delgado", "karla@example.com", "")})
	before := [2]*identityv1.GetPersonResponse{w.person(a), w.person(b)}
	keys := w.keyHolders()
	merged := w.merge(b, a)
	if merged.PersonId != a || merged.MergeId == "" {
		t.Fatalf("merged into %s by %q, want the older %s", merged.PersonId, merged.MergeId, a)
	}
	if p := w.person(b); p.PersonId != a || len(p.Records) != 3 || len(p.Vehicles) != 1 {
		t.Fatalf("the other identifier answers %s with %d records", p.PersonId, len(p.Records))
	}
	if again := w.merge(a, b); again.MergeId != merged.MergeId || again.PersonId != a {
		t.Errorf("merging again answers %v", again)
	}
	got := w.split(&identityv1.SplitPersonRequest{PersonId: b, MergeId: merged.MergeId})
	if got.PersonId != a || got.NewPersonId != b {
		t.Errorf("split into %s and %s", got.PersonId, got.NewPersonId)
	}
	for i, id := range []string{a, b} {
		now := w.person(id)
		for j, c := range now.Counters {
			c.CountMilli = before[i].Counters[j].CountMilli // decays
		}
		if diff := page(before[i], now); diff != "" {
			t.Errorf("person %d (-want +got):\n%s", i, diff)
		}
	}
	if diff := cmp.Diff(keys, w.keyHolders()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	// Nobody joins them again but a person.
	w.advance(time.Hour)
	w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), func(l *leadv1.Lead) {
		l.Parties[0].Emails = append(l.Parties[0].Emails, &leadv1.Email{Address: "karla@example.com", Valid: true})
	}))
	if w.person(b).PersonId != b {
		t.Error("evidence joined whom somebody split apart")
	}
	if w.merge(a, b); w.person(b).PersonId != a {
		t.Error("a person can not join them again")
	}
}

// A lead that left a person and comes back brings its consent along as of then: it is not told as given
// before a merge of that moment.
func TestConsentComesBackWithItsLead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tells := func(given, family, mail string, change ...func(*leadv1.Lead)) (person, record string) {
		w.advance(time.Hour)
		l := w.newLead(party(given, family, mail, ""), change...)
		person = w.resolve(l)[0].PersonId
		for _, r := range w.person(person).Records {
			if r.LeadId == l.LeadId {
				record = r.RecordId
			}
		}
		return person, record
	}
	oldest, _ := tells("Ada", "Byron", "ada@example.com")
	karla, first := tells("Karla", "Delgado", "karla@example.com")
	_, second := tells("Karla", "Delgado", "karla@example.com", says(granted, ""))
	_, third := tells("Karla", "Delgado", "karla@example.com")
	other, fourth := tells("Uwe", "Ernst", "uwe@example.com", says(denied, "uwe@example.com"))
	part := w.split(&identityv1.SplitPersonRequest{PersonId: karla, RecordIds: []string{second, third}}).NewPersonId
	for _, id := range []string{karla, part, other} {
		w.merge(oldest, id)
	}
	got := w.split(&identityv1.SplitPersonRequest{PersonId: oldest, RecordIds: []string{first, second, fourth}})
	if got.NewPersonId != karla {
		t.Fatalf("%s left, want the oldest of those whose records all leave", got.NewPersonId)
	}
	for _, id := range []string{oldest, karla} {
		if diff, err := w.Retell(t.Context(), id); err != nil || diff != "" {
			t.Errorf("the stored person is not what was said (-stored +told): %v\n%s", err, diff)
		}
	}
}
