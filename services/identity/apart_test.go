package identity_test

import (
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// born makes somebody of one town, with a date of birth.
func born(given, mail, phone, date string) *leadv1.Party {
	p := party(given, "Roadtest", mail, phone)
	p.Address = &leadv1.Address{PostalCode: "80205", Country: "US"}
	p.Born = date
	return p
}

// Whoever gives another date of birth is somebody else, however alike names and contact points are, and
// whatever else became known of the first.
func TestOtherBirthdayIsAnotherPerson(t *testing.T) {
	for _, c := range []struct {
		name  string
		other *leadv1.Party
		same  bool
	}{
		{"no date", born("Runeab", "runeab@example.com", "", ""), true},
		{"day and month swapped", born("Runeac", "runeac@example.com", "+13035550102", "1984-12-03"), true},
		{"one digit", born("Runeac", "runeac@example.com", "+13035550102", "1984-03-13"), true},
		{"another day", born("Runeac", "runeac@example.com", "+13035550102", "1984-03-29"), false},
		{"another day of the year", born("Runeac", "runeac@example.com", "+13035550102", "1984-10-05"), false},
		{"weeks apart", born("Runeac", "runeac@example.com", "+13035550102", "1984-04-13"), false},
		{"ten years apart", born("Runeac", "runeac@example.com", "+13035550102", "1994-04-05"), false},
		{"altogether", born("Runeac", "runeac@example.com", "+13035550102", "1961-11-30"), false},
		{"the same name, e-mail address and phone", born("Runeab", "runeab@example.com", "+13035550101", "1984-10-05"), false},
		{"a twin", born("Erin", "runeab@example.com", "+13035550101", "1984-03-12"), false},
		{"a spouse", born("Astrid", "runeab@example.com", "+13035550101", "1986-07-01"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.resolve(w.newLead(born("Runeab", "runeab@example.com", "+13035550101", "1984-03-12")))[0]
			w.advance(time.Hour)
			w.resolve(w.newLead(born("Runeab", "runeab@example.com", "", "")))
			w.advance(time.Hour)
			if got := w.resolve(w.newLead(c.other))[0]; (got.PersonId == first.PersonId) != c.same {
				t.Errorf("one person is %v by %q", !c.same, got.Reasons)
			}
		})
	}
}

// A dealer system writes dates as its country does.
func TestBirthdayOfASignalIsRead(t *testing.T) {
	w := newWorld(t)
	first := w.resolve(w.newLead(born("Rune", "rune@example.com", "", "1984-03-12")))[0]
	w.advance(time.Hour)
	w.signals(&identityv1.Signal{
		SignalId: "1", Kind: leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, OccurredAt: timestamppb.New(start),
		Party: born("Rune", "rune@example.com", "", "10/05/1961"),
	})
	if n := w.rows("person"); n != 2 {
		t.Errorf("%d persons, want 2: the dates of birth differ", n)
	}
	if p := w.person(first.PersonId); len(p.Records) != 1 {
		t.Errorf("%d records, want the first's own", len(p.Records))
	}
}

// Parameters learned from a list in which nobody shares a home make no one person of spouses here.
func TestAMarketHasHomes(t *testing.T) {
	w := newWorld(t)
	p := identity.Default()
	p.Home = identity.NoHomes
	up, err := w.UploadParameters(t.Context(), &identityv1.UploadParametersRequest{Text: string(p.Marshal()), Note: "of a list"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ActivateParameters(t.Context(), &identityv1.ActivateParametersRequest{Revision: up.Parameters.Revision}); err != nil {
		t.Fatal(err)
	}
	people := w.resolve(
		w.newLead(born("Carmen", "home@example.com", "+15125550163", "1984-03-12")),
		w.newLead(born("Rafael", "home@example.com", "+15125550163", "1984-10-05")),
		w.newLead(born("Carmen", "home@example.com", "+15125550163", "1994-04-05")),
	)
	if people[0].PersonId == people[1].PersonId || people[0].PersonId == people[2].PersonId {
		t.Error("people of one home became one person")
	}
}

// A couple with names alike who write from one address are two people of one household.
func TestACoupleWithNamesAlike(t *testing.T) {
	for _, c := range [][2]string{{"John", "Joan"}, {"Anna", "Hanna"}, {"Christian", "Christine"}, {"Andreas", "Andrea"}, {"Daniel", "Danielle"}, {"Eric", "Erica"}, {"Julian", "Julia"}} {
		t.Run(c[0]+" and "+c[1], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			of := func(given string) *leadv1.Party {
				p := party(given, "Smith", "smith@example.com", "+15125550163")
				p.Address = &leadv1.Address{Streets: []string{"12 Main St"}, City: "Austin", PostalCode: "78745", Country: "US"}
				return p
			}
			var answers []*identityv1.Resolution
			for _, given := range []string{c[0], c[1], c[0][:1] + c[0][2:], c[1], c[0]} { // the third is a slip
				answers = append(answers, w.resolve(w.newLead(of(given)))...)
				w.advance(time.Hour)
			}
			he, she := answers[0], answers[1]
			if he.PersonId == she.PersonId || he.HouseholdId != she.HouseholdId {
				t.Fatalf("persons %s and %s of the homes %s and %s", he.PersonId, she.PersonId, he.HouseholdId, she.HouseholdId)
			}
			if answers[3].PersonId != she.PersonId || answers[4].PersonId != he.PersonId {
				t.Error("who writes again is taken for the other")
			}
		})
	}
}
