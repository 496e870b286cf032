package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

func TestAccountKeys(t *testing.T) {
	party := func(company, email, postal string) *lead.Party {
		p := &lead.Party{Name: lead.Name{Company: company}, Address: lead.Address{Postal: postal, Country: "us"}}
		if email != "" {
			p.Emails = []lead.Email{lead.ParseEmail(email), lead.ParseEmail(email), lead.ParseEmail("broken")}
		}
		return p
	}
	cases := []struct {
		name  string
		party *lead.Party
		want  []string
	}{
		{"own domain and place", party("Northwind Freight, Inc.", "fleet@northwind.example", "78745"), []string{"northwindfreight\x00@northwind.example", "northwindfreight\x00US\x0078745"}},
		{"a mailbox that anybody can have", party("Northwind Freight", "northwind@gmail.com", "78745"), []string{"northwindfreight\x00US\x0078745"}},
		{"two legal forms", party("Muster GmbH & Co. KG", "", "10115"), []string{"muster\x00US\x0010115"}},
		{"the name alone", party("Northwind Freight", "", ""), nil},
		{"only a legal form", party("Co.", "", "78745"), []string{"co\x00US\x0078745"}},
		{"nobody's", party("", "ada@northwind.example", "78745"), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, identity.AccountKeys(c.party)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestColleagues(t *testing.T) {
	at := func(given, family, company string) identity.Record {
		return identity.NewRecord(&lead.Party{Name: lead.Name{Given: given, Family: family, Company: company}}, nil, "", nil, 1)
	}
	a, b := at("Ada", "Byron", "Engine Ltd"), at("Jo", "King", "Engine Ltd")
	if !identity.Colleagues(&a, &b) || !identity.Colleagues(&b, &a) {
		t.Error("two people of one company are no colleagues")
	}
	if c := at("Max", "Adler", "ENGINE Limited"); !identity.Colleagues(&a, &c) {
		t.Error("another legal form hides a colleague")
	}
	for _, other := range []identity.Record{at("George", "Byron", "Engine Ltd"), at("Jo", "King", "Other Ltd"), at("Jo", "King", "")} {
		if identity.Colleagues(&a, &other) {
			t.Errorf("colleague of %v", other.Names)
		}
	}
}
