package identity_test

import (
	"slices"
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// contact makes a party that acts for an organisation.
func contact(given, family, email, phone, company, postal string) *leadv1.Party {
	p := party(given, family, email, phone)
	p.Name.Company = company
	p.Address = &leadv1.Address{PostalCode: postal, Country: "US"}
	return p
}

// People of one company are contacts of one account: neither one person nor one home, however much
// of the office's they share.
func TestPeopleOfOneCompanyAreContactsOfAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.resolve(w.newLead(contact("Ada", "Byron", "fleet@northwind.example", shared, "Northwind Freight Inc.", "78745")))[0]
	w.advance(time.Hour)
	jo := w.resolve(w.newLead(contact("Jo", "King", "fleet@northwind.example", shared, "Northwind Freight", "10001")))[0]
	if ada.PersonId == jo.PersonId || ada.HouseholdId == jo.HouseholdId {
		t.Error("colleagues became one person or one home")
	}
	first, second := w.person(ada.PersonId).FleetAccount, w.person(jo.PersonId).FleetAccount
	if first == nil || second == nil || first.AccountId != second.AccountId {
		t.Fatalf("accounts %v and %v", first, second)
	}
	if want := []string{ada.PersonId, jo.PersonId}; !slices.Equal(want, second.ContactPersonIds) || second.Name != "Northwind Freight Inc." {
		t.Errorf("account %v, want the contacts %v", second, want)
	}
	// By its other key, through a signal too.
	w.advance(time.Hour)
	w.signals(&identityv1.Signal{SignalId: "1", Kind: leadv1.SignalKind_SIGNAL_KIND_CALL, OccurredAt: ago(0),
		Party: contact("Max", "Adler", "max@gmail.com", "", "NORTHWIND FREIGHT LLC", "10001")})
	if got := w.person(ada.PersonId).FleetAccount; len(got.ContactPersonIds) != 3 {
		t.Errorf("contacts %v, want three", got.ContactPersonIds)
	}
	other := w.resolve(w.newLead(contact("Eva", "Stone", "eva@gmail.com", "", "Northwind Freight", "60601")))[0]
	if got := w.person(other.PersonId).FleetAccount; got == nil || got.AccountId == first.AccountId {
		t.Errorf("a company of the same name elsewhere is account %v", got)
	}
	if n := w.rows("account"); n != 2 {
		t.Errorf("%d accounts, want 2", n)
	}
}

// A company that was known by its place here and by its mail domain there is one as soon as somebody
// gives both, for everybody who acts for it.
func TestAccountsOfOneCompanyAreJoined(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]int{"the place first": {0, 1, 2, 3}, "the domain first": {1, 0, 2, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			parties := []*leadv1.Party{
				contact("Ada", "Byron", "ada@gmail.com", "", "Northwind Freight", "10001"),
				contact("Jo", "King", "jo@northwind.example", "", "Northwind Freight Inc.", "78745"),
				contact("Max", "Adler", "max@northwind.example", "", "Northwind Freight", "10001"),
				contact("Eva", "Stone", "eva@gmail.com", "", "Northwind Freight", "10001"),
			}
			var people []string
			for _, i := range order {
				people = append(people, w.resolve(w.newLead(parties[i]))[0].PersonId)
				w.advance(time.Hour)
			}
			account := ""
			for _, id := range people {
				a := w.person(id).FleetAccount
				if account == "" {
					account = a.GetAccountId()
				}
				if a.GetAccountId() != account || !slices.Equal(a.GetContactPersonIds(), people) {
					t.Errorf("account %v, want all four in %s", a, account)
				}
			}
		})
	}
}

// Who changes employers acts for the latest one; an older lead that comes late changes nothing.
func TestTheLatestAccountCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(company string, days int) string {
		l := w.newLead(contact("Ada", "Byron", "ada@example.com", shared, company, "78745"))
		l.RequestedAt = ago(days)
		r := w.resolve(l)[0]
		return w.person(r.PersonId).FleetAccount.GetName()
	}
	for _, c := range []struct {
		company string
		days    int
		want    string
	}{{"First Ltd", 30, "First Ltd"}, {"Second Ltd", 10, "Second Ltd"}, {"Before Ltd", 50, "Second Ltd"}} {
		if got := at(c.company, c.days); got != c.want {
			t.Errorf("after %s the account is %s, want %s", c.company, got, c.want)
		}
	}
}
