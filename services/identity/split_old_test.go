package identity_test

import (
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
)

// Rows of before it was kept which lead a fact came with: nothing that restricts is lost by a split,
// nothing that was allowed to one is allowed to the other.
func TestSplitOfRowsOfBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const own = "+15125550177"
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared), says(granted, shared)))[0].PersonId
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Karla", "Delgado", "karla@example.com", ""), says(granted, "")))[0].PersonId
	merged := w.merge(a, b)
	w.advance(time.Hour)
	// While they are one: the other's number with a grant, and a denial of everything.
	w.resolve(w.newLead(party("Karla", "Delgado", "karla@example.com", own), says(granted, own)))
	w.advance(time.Hour)
	w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared), says(denied, "")))
	if _, err := w.pool.Exec(t.Context(), "UPDATE consent SET origin = NULL"); err != nil {
		t.Fatal(err)
	}
	w.split(&identityv1.SplitPersonRequest{PersonId: a, MergeId: merged.MergeId})
	w.advance(time.Hour)
	points, at := []string{"", shared, own}, w.clock()
	if may := mayDo(t, w.person(a), points, at); may[""] || may[shared] || may[own] {
		t.Errorf("the one who stays allows %v after a denial", may)
	}
	if may := mayDo(t, w.person(b), points, at); may[""] || may[shared] || may[own] {
		t.Errorf("the one who left allows %v, though nobody knows whose the denial was", may)
	}
	// What was said before the merge is the person's own.
	w.advance(time.Hour)
	for person, lead := range map[string]struct{ name, family, mail, number string }{
		a: {"Carmen", "Delgadillo", "carmen@example.com", shared}, b: {"Karla", "Delgado", "karla@example.com", own},
	} {
		r := w.resolve(w.newLead(party(lead.name, lead.family, lead.mail, lead.number), says(granted, lead.number)))[0]
		if r.PersonId != person || !mayDo(t, w.person(person), []string{lead.number}, w.clock())[lead.number] {
			t.Errorf("a newer grant does not hold")
		}
	}
}
