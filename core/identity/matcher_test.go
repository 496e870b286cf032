package identity_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

// A name and a place tell people apart as far as the name is rare; with one tie beside them they are
// one person's.
func TestNamesAndAPlaceAlone(t *testing.T) {
	at := func(given, family, postal string, more lead.Party) identity.Record {
		more.Name = lead.Name{Given: given, Family: family}
		more.Address.Postal, more.Address.Country = postal, "US"
		return identity.NewRecord(&more, nil, "", nil, 0)
	}
	born := lead.Party{Born: "1971-03-04"}
	first := lead.Party{Emails: []lead.Email{lead.ParseEmail("truck.fan@example.com")}}
	second := lead.Party{Emails: []lead.Email{lead.ParseEmail("granny7@example.org")}}
	m := matcher(t)
	for _, c := range []struct {
		name string
		a, b identity.Record
		want identity.Verdict
	}{
		{"a common name", at("John", "Smith", "78745", lead.Party{}), at("John", "Smith", "78745", lead.Party{}), identity.VerdictPossible},
		{"a common name, other mailboxes", at("John", "Smith", "78745", first), at("John", "Smith", "78745", second), identity.VerdictPossible},
		{"a rare name", at("Wislawa", "Szymborska", "78745", lead.Party{}), at("Wislawa", "Szymborska", "78745", lead.Party{}), identity.VerdictMatch},
		{"a common name and a date of birth", at("John", "Smith", "78745", born), at("John", "Smith", "78745", born), identity.VerdictMatch},
		{"a common name and a mailbox", at("John", "Smith", "78745", first), at("John", "Smith", "78745", first), identity.VerdictMatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := m.Match(&c.a, &c.b)
			if got := m.Verdict(&e); got != c.want {
				t.Errorf("%v, want %v: %v", got, c.want, e)
			}
			a, b := m.Prepare(&c.a), m.Prepare(&c.b)
			if weight, got := m.Judge(&a, &b); got != c.want || weight != e.Weight {
				t.Errorf("judged %v at %d, want %v at %d", got, weight, c.want, e.Weight)
			}
		})
	}
}
