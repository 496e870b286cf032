package identity_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	match "github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// careful makes every match a possible one until it is called off, and returns what calls it off.
func (w *world) careful(change ...func(*identity.Config, *identity.Deps)) (done func()) {
	w.t.Helper()
	p := match.Default()
	p.Match = 1_000_000
	if _, err := w.pool.Exec(w.t.Context(), `INSERT INTO parameters (revision, body, why, uploaded_by, uploaded_at, active)
		VALUES ($1, $2, 'test', 'test', $3, true)`, p.Revision(), string(p.Marshal()), start); err != nil {
		w.t.Fatal(err)
	}
	shipped := w.Service
	w.Service = w.replica(w.pool, change...)
	return func() {
		w.t.Helper()
		if _, err := w.pool.Exec(w.t.Context(), "UPDATE parameters SET active = false"); err != nil {
			w.t.Fatal(err)
		}
		w.Service = shipped
	}
}

// decide says of two persons whether they are one.
func (w *world) decide(a, b *identityv1.Resolution, same bool) {
	w.t.Helper()
	ids := make([]lead.ID, 2)
	for i, r := range []*identityv1.Resolution{a, b} {
		id, err := lead.ParseID(r.PersonId)
		if err != nil {
			w.t.Fatal(err)
		}
		ids[i] = id
	}
	err := postgres.NewStore(w.pool).Write(w.t.Context(), func(tx *postgres.Tx) error {
		if _, err := tx.LockPersons(w.t.Context(), ids); err != nil {
			return err
		}
		return tx.Decide(w.t.Context(), postgres.PairOf(ids[0], ids[1]), same, "ann", "looked at both", time.Unix(0, w.now.Load()))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// open returns how many pairs wait for somebody.
func (w *world) open() int {
	w.t.Helper()
	var n int
	if err := w.pool.QueryRow(w.t.Context(), "SELECT count(*) FROM review WHERE state = 1").Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestPossibleMatchesWaitForSomebody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := w.careful()
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0]
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0]
	if !b.Created || b.PersonId == a.PersonId {
		t.Fatal("a possible match was linked")
	}
	var first, second, record, reasons, revision string
	var weight, probability int32
	if err := w.pool.QueryRow(t.Context(), `SELECT first_id, second_id, record_id, weight, probability, reasons, parameters FROM review WHERE state = 1`).
		Scan(&first, &second, &record, &weight, &probability, &reasons, &revision); err != nil {
		t.Fatal(err)
	}
	if pair := map[string]bool{first: true, second: true}; !pair[a.PersonId] || !pair[b.PersonId] || first > second {
		t.Errorf("the pair is %s and %s", first, second)
	}
	sum := int32(0)
	for r := range w.reasons(reasons) {
		sum += r
	}
	if sum != weight || probability != match.Probability(weight) || probability < 500_000 {
		t.Errorf("weight %d, probability %d, reasons %s", weight, probability, reasons)
	}
	if p := match.Default(); revision == p.Revision() || revision == "" {
		t.Errorf("weighed by revision %q", revision)
	}
	if got := w.person(b.PersonId); len(got.Records) != 1 || record != got.Records[0].RecordId {
		t.Errorf("record %s showed it, the person has %v", record, got.Records)
	}
	if done(); w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0].PersonId != a.PersonId {
		t.Error("the older person does not survive")
	}
	if w.person(b.PersonId).PersonId != a.PersonId || w.open() != 0 {
		t.Errorf("evidence joined them, and %d pairs wait", w.open())
	}
}

// reasons yields the weights of stored reasons.
func (w *world) reasons(text string) func(func(int32) bool) {
	return func(yield func(int32) bool) {
		for len(text) > 0 {
			var code, weight int32
			n, err := fmt.Sscanf(text, "%d:%d", &code, &weight)
			if err != nil || n != 2 {
				w.t.Fatalf("reasons %q: %v", text, err)
			}
			if !yield(weight) {
				return
			}
			for len(text) > 0 && text[0] != ' ' {
				text = text[1:]
			}
			for len(text) > 0 && text[0] == ' ' {
				text = text[1:]
			}
		}
	}
}

func TestRejectedPairsStayApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := w.careful()
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0]
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared)))[0]
	w.decide(a, b, false)
	if _, err := w.pool.Exec(t.Context(), "UPDATE review SET state = 3, closed_at = $1", start); err != nil {
		t.Fatal(err)
	}
	done()
	both := party("Carmen", "Delgadillo", "carmen@example.com", shared)
	apart := func(when string) {
		t.Helper()
		w.advance(time.Hour)
		w.resolve(w.newLead(both))
		if x, y := w.person(a.PersonId).PersonId, w.person(b.PersonId).PersonId; x == y {
			t.Fatalf("%s: a rejected pair was joined", when)
		}
		if n := w.open(); n != 0 {
			t.Fatalf("%s: %d pairs wait", when, n)
		}
	}
	apart("all evidence there is")
	apart("again")

	// Later words overrule earlier ones.
	w.advance(time.Hour)
	w.decide(a, b, true)
	w.advance(time.Hour)
	w.resolve(w.newLead(both))
	if x, y := w.person(a.PersonId).PersonId, w.person(b.PersonId).PersonId; x != y {
		t.Error("a pair confirmed is not joined")
	}
}

// The word on a pair holds when one of both was joined into somebody older since.
func TestRejectedPairsStayApartThroughMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	oldest := w.resolve(w.newLead(party("Carmen", "Delgadillo", "", ""), identifier(account, "norrvind_id", "acc-1")))[0]
	w.advance(time.Hour)
	done := w.careful()
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0]
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared)))[0]
	w.decide(b, a, false)
	done()
	w.advance(time.Hour)
	// The account and the second number: bridges the oldest person and b, and no e-mail address.
	joined := w.resolve(w.newLead(party("Carmen", "Delgadillo", "", shared), identifier(account, "norrvind_id", "acc-1")))[0]
	if joined.PersonId != oldest.PersonId || w.person(b.PersonId).PersonId != oldest.PersonId {
		t.Fatal("the bridge joined nobody")
	}
	w.advance(time.Hour)
	w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared), identifier(account, "norrvind_id", "acc-1")))
	if got := w.person(a.PersonId).PersonId; got != a.PersonId {
		t.Error("a rejected pair was joined by way of a third person")
	}
}

// Persons who contradict each other are never joined, whatever record fits both.
func TestBridgesDoNotJoinContradictions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sr, jr := party("Howard", "Pettibone", "howard@example.com", shared), party("Howard", "Pettibone", "howard@example.com", shared)
	sr.Name.Suffix, jr.Name.Suffix = "Sr", "Jr"
	answers := w.resolve(w.newLead(sr), w.newLead(jr))
	if answers[0].PersonId == answers[1].PersonId {
		t.Fatal("father and son became one")
	}
	w.advance(time.Hour)
	w.resolve(w.newLead(party("Howard", "Pettibone", "howard@example.com", shared)))
	if w.person(answers[1].PersonId).PersonId != answers[1].PersonId || w.open() != 0 {
		t.Errorf("a record without a generation joined father and son, or %d pairs wait", w.open())
	}
}

// Records that are nearly alike one by one, in any order, make no person of those at the ends.
func TestChainsOfNearDuplicatesJoinNoStrangers(t *testing.T) {
	t.Parallel()
	names := []string{"Maria", "Mario", "Marco", "Marcy", "Darcy", "Daisy"}
	for seed := range uint64(6) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 1))
		persons := map[string]string{}
		for range 3 { // each says it again, with more
			for _, i := range r.Perm(len(names)) {
				w.advance(time.Hour)
				p := party(names[i], "Rossi", "", shared)
				if r.IntN(2) == 0 {
					p.Address = &leadv1.Address{Streets: []string{"12 Main St"}, PostalCode: "78745", Country: "US"}
				}
				persons[names[i]] = w.resolve(w.newLead(p))[0].PersonId
			}
		}
		today := func(name string) string { return w.person(persons[name]).PersonId }
		for _, ends := range [][2]string{{"Maria", "Daisy"}, {"Maria", "Darcy"}, {"Mario", "Daisy"}, {"Marco", "Daisy"}} {
			if today(ends[0]) == today(ends[1]) {
				t.Errorf("seed %d: %s and %s are one person", seed, ends[0], ends[1])
			}
		}
	}
}

// Nor do records that share a phone number with the one before and a mailbox with the next, under a
// family name that changes by a letter each time: somebody is to look.
func TestChainsOfContactsAndNamesJoinNoStrangers(t *testing.T) {
	t.Parallel()
	families := []string{"Hartman", "Hartmann", "Hardmann", "Hardemann", "Haldemann", "Haldeman", "Haldemar", "Waldemar", "Waldemer", "Waldeber", "Waldebert", "Waldebart"}
	for seed := range uint64(4) {
		w := newWorld(t)
		order := rand.New(rand.NewPCG(seed, 1)).Perm(len(families))
		if seed == 0 {
			slices.Sort(order)
		}
		persons := make([]string, len(families))
		for _, i := range order {
			w.advance(time.Hour)
			p := party("Chris", families[i], fmt.Sprintf("person%d@example.com", i/2), fmt.Sprintf("+1313662%04d", 1000+17*((i+1)/2)))
			persons[i] = w.resolve(w.newLead(p))[0].PersonId
		}
		if w.person(persons[0]).PersonId == w.person(persons[len(persons)-1]).PersonId || w.open() == 0 {
			t.Errorf("seed %d: both ends of the chain are one person, or nobody is to look: %d pairs wait", seed, w.open())
		}
		w.advance(time.Hour)
		again := w.resolve(w.newLead(party("Chris", families[0], "person0@example.com", "+13136621000")))[0]
		if w.person(again.PersonId).PersonId != w.person(persons[0]).PersonId {
			t.Errorf("seed %d: who comes again under a name known of them is somebody new", seed)
		}
	}
}

// A record that fits two persons of whom something speaks against being one makes somebody look.
func TestABridgeAgainstTheEvidenceWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.resolve(w.newLead(party("Ada", "Byron", "ada@example.com", "")))[0]
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("A", "King", "", shared)))[0]
	w.advance(time.Hour)
	w.resolve(w.newLead(party("", "", "ada@example.com", shared)))
	if w.person(b.PersonId).PersonId == a.PersonId {
		t.Error("a record without a name joined people of different names")
	}
	if n := w.open(); n != 1 {
		t.Errorf("%d pairs wait, want this one", n)
	}
}
