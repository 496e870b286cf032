package identity_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/names"
	"github.com/leadmesh/leadmesh/core/lead"
)

// matcher returns the one that is shipped.
func matcher(t testing.TB) *identity.Matcher {
	t.Helper()
	m, err := identity.NewMatcher(identity.Default(), names.Load())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// someone makes a record: given name, family name, and further facts by their looks.
func someone(given, family string, facts ...string) identity.Record {
	p := lead.Party{Name: lead.Name{Given: given, Family: family}}
	var ids []lead.Identifier
	var vins []string
	for _, f := range facts {
		switch {
		case f[0] == '+':
			p.Phones = append(p.Phones, lead.ParsePhone(f, "US"))
		case f[0] == '#':
			ids = append(ids, lead.Identifier{Kind: lead.IDKindLoyalty, Source: "club", Value: f[1:]})
		case f[0] == '?':
			ids = append(ids, lead.Identifier{Kind: lead.IDKindAnonymous, Source: "site", Value: f[1:]})
		case len(f) == 10 && f[4] == '-':
			p.Born = f
		case len(f) == 17:
			vins = append(vins, f)
		case f == "Jr" || f == "Sr":
			p.Name.Suffix = f
		case lead.ParseEmail(f).Valid:
			p.Emails = append(p.Emails, lead.ParseEmail(f))
		default:
			p.Address = lead.Address{Streets: []string{f}, City: "Austin", Postal: "78745"}
		}
	}
	return identity.NewRecord(&p, ids, "", vins, 1_700_000_000)
}

const (
	mail  = "ada@example.com"
	phone = "+15125550163"
	home  = "12 Main St"
	vin   = "5ZNLM5E26PK301188"
)

func TestMatch(t *testing.T) {
	cases := []struct {
		name      string
		a, b      identity.Record
		same      bool
		household bool
	}{
		{"same e-mail and name", someone("Ada", "Byron", mail), someone("ada", "BYRON", "ADA+tag@example.com"), true, true},
		{"same e-mail, one name unknown", someone("Ada", "Byron", mail), someone("", "", mail), true, true},
		{"same e-mail, new family name", someone("Ada", "Byron", mail), someone("Ada", "King", mail), true, true},
		{"same phone and name", someone("Ada", "Byron", phone), someone("Ada", "Byron", phone), true, true},
		{"spouses share phone, e-mail and address", someone("Ada", "Byron", mail, phone, home), someone("George", "Byron", mail, phone, home), false, true},
		{"spouses share everything but the name", someone("Ada", "Byron", mail, phone, home, vin, "#1"), someone("George", "Byron", mail, phone, home, vin, "#1"), false, true},
		{"names alike and a phone only", someone("Mario", "Rossi", phone), someone("Maria", "Rossi", phone), false, true},
		{"typing error beside e-mail and phone", someone("Katherine", "Rossi", phone, mail), someone("Kathrine", "Rossi", phone, mail), true, true},
		{"an initial", someone("A", "Byron", phone), someone("Ada", "Byron", phone), true, true},
		{"given and family name swapped", someone("Byron", "Ada", phone), someone("Ada", "Byron", phone), true, true},
		{"same phone, family names alone differ", someone("", "Byron", phone), someone("", "King", phone), false, true},
		{"loyalty number", someone("", "", "#1"), someone("Ada", "Byron", "#1"), true, false},
		{"anonymous id", someone("", "", "?v"), someone("Ada", "Byron", "?v"), true, false},
		{"name alone", someone("Ada", "Byron"), someone("Ada", "Byron"), false, false},
		{"name and address", someone("Ada", "Byron", home), someone("Ada", "Byron", home), true, true},
		{"name and address, other birthday", someone("Ada", "Byron", home, "1990-01-02"), someone("Ada", "Byron", home, "1960-03-04"), false, true},
		{"senior and junior", someone("Ada", "Byron", home, phone, "Sr"), someone("Ada", "Byron", home, phone, "Jr"), false, true},
		{"name and vehicle", someone("Ada", "Byron", vin), someone("Ada", "Byron", vin), true, true},
		{"vehicle alone: it was sold on", someone("Ada", "Byron", vin), someone("Jo", "King", vin), false, false},
		{"address alone: a house of flats", someone("Ada", "Byron", home), someone("Jo", "King", home), false, false},
		{"family and address", someone("Ada", "Byron", home), someone("Jo", "Byron", home), false, true},
		{"nothing in common", someone("Ada", "Byron", mail), someone("Jo", "King", phone), false, false},
	}
	m := matcher(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := m.Match(&c.a, &c.b)
			if (m.Verdict(&e) == identity.VerdictMatch) != c.same {
				t.Errorf("same is %v by %v", !c.same, e)
			}
			sum := int32(0)
			for _, r := range e.Reasons {
				sum += r.Weight
				if r.Code.String() == "" {
					t.Errorf("reason %d has no words", r.Code)
				}
			}
			if sum != e.Weight {
				t.Errorf("reasons add up to %d, weight is %d", sum, e.Weight)
			}
			if !slices.IsSortedFunc(e.Reasons, func(x, y identity.Reason) int { return int(y.Weight - x.Weight) }) {
				t.Errorf("the strongest reason does not come first: %v", e.Reasons)
			}
			if got := m.Household(&c.a, &c.b); got != c.household {
				t.Errorf("household is %v", got)
			}
			if diff := cmp.Diff(e, m.Match(&c.b, &c.a)); diff != "" {
				t.Errorf("not symmetric (-a,b +b,a):\n%s", diff)
			}
		})
	}
}

// Of several names known, the one that fits best counts, wherever it stands.
func TestMatchTakesTheBestName(t *testing.T) {
	m := matcher(t)
	one := someone("Ada", "Byron", mail)
	want := m.Match(&one, &one)
	for _, names := range [][]identity.Name{
		{{Given: "ada", Family: "byron"}, {Given: "ada", Family: "king"}},
		{{Given: "ada", Family: "king"}, {Given: "ada", Family: "byron"}},
	} {
		many := identity.Record{Names: names, Emails: one.Emails}
		if diff := cmp.Diff(want, m.Match(&one, &many)); diff != "" {
			t.Errorf("%v (-alone +among others):\n%s", names, diff)
		}
	}
}

func TestContradicts(t *testing.T) {
	cases := []struct {
		name string
		a, b identity.Record
		want bool
	}{
		{"other given name beside the same phone", someone("Ada", "Byron", phone), someone("Jo", "Byron", phone), true},
		{"other e-mail and other name", someone("Ada", "Byron", mail), someone("Jo", "King", "jo@example.com"), true},
		{"other e-mail, no name", someone("", "", mail), someone("", "", "jo@example.com"), true},
		{"other e-mail, same name", someone("Ada", "Byron", mail), someone("Ada", "Byron", "ada@example.org"), false},
		{"another kind of contact point", someone("", "", mail), someone("", "", phone), false},
		{"same e-mail, other phone", someone("", "", mail, phone), someone("", "", mail, "+15125550199"), false},
		{"nothing said", someone("", ""), someone("Ada", "Byron", mail), false},
	}
	m := matcher(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := m.Contradicts(&c.a, &c.b); got != c.want {
				t.Errorf("got %v", got)
			}
			if got := m.Contradicts(&c.b, &c.a); got != c.want {
				t.Errorf("the other way round: got %v", got)
			}
		})
	}
}

func TestRecordOf(t *testing.T) {
	l := lead.Lead{
		Dealer: lead.DealerReference{ID: "D1"},
		Parties: []lead.Party{
			{Role: lead.PartyRoleCoBuyer, Emails: []lead.Email{lead.ParseEmail("co@example.com")}},
			{Role: lead.PartyRolePrimary, Emails: []lead.Email{lead.ParseEmail("noreply@site.com"), lead.ParseEmail("Ada.B@gmail.com")}},
		},
		Vehicles: []lead.Vehicle{{Role: lead.VehicleRoleSought, VIN: "1HGCM82633A004352"}, {Role: lead.VehicleRoleTraded, VIN: vin}},
		Identifiers: []lead.Identifier{
			{Kind: lead.IDKindSourceLead, Source: "meta", Value: "4711"},
			{Kind: lead.IDKindDMSCustomer, Value: "C-1"},
			{Kind: lead.IDKindOEMAccount, Source: "Norrvind ID", Value: " acc-1 "},
			{Kind: lead.IDKindDeal, Source: "crm", Value: "9"},
		},
	}
	got := identity.RecordOf(&l, l.Primary())
	want := identity.Record{
		Emails: []string{"adab@gmail.com"}, VINs: []string{vin},
		IDs: []lead.Identifier{
			{Kind: lead.IDKindDMSCustomer, Source: "d1", Value: "C-1"},
			{Kind: lead.IDKindOEMAccount, Source: "norrvind id", Value: "acc-1"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("primary (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(identity.Record{Emails: []string{"co@example.com"}}, identity.RecordOf(&l, &l.Parties[0])); diff != "" {
		t.Errorf("co-buyer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]identity.Key{{Kind: identity.KeyKindSourceLead, Value: "meta\x004711"}}, identity.SourceKeys(&l)); diff != "" {
		t.Errorf("source keys (-want +got):\n%s", diff)
	}
}

func TestKeysAndWithout(t *testing.T) {
	r := someone("Ada", "Byron", mail, phone, home, vin, "#1")
	m := matcher(t)
	keys := m.Keys(&r)
	if len(keys) != 6 {
		t.Fatalf("keys %v", keys)
	}
	rest := r.Without(keys)
	if !rest.Empty() {
		t.Errorf("left over: %v", rest)
	}
	if r.Empty() || len(m.Keys(&r)) != 6 {
		t.Error("Without changed its record")
	}
	if got := r.Without(keys[:1]); len(got.Emails) != 0 || len(got.Phones) != 1 {
		t.Errorf("without the e-mail key: %v", got)
	}
}

// A web lead, as most come, has one key more than it has contact points.
func TestKeysAreFew(t *testing.T) {
	m := matcher(t)
	web := lead.Party{Name: lead.Name{Given: "Ada", Family: "Byron"}, Emails: []lead.Email{lead.ParseEmail(mail)},
		Phones: []lead.Phone{lead.ParsePhone(phone, "US")}, Address: lead.Address{Postal: "78745"}}
	a := identity.NewRecord(&web, nil, "", nil, 0)
	if keys := m.Keys(&a); len(keys) != 3 || keys[2].Kind != identity.KeyKindNamePlace {
		t.Fatalf("keys %v", keys)
	}
	web.Name, web.Emails, web.Phones = lead.Name{Given: "A", Family: "Byron"}, nil, nil
	web.Born = "1984-03-12"
	b := identity.NewRecord(&web, nil, "", nil, 0)
	keys := m.Keys(&b)
	if len(keys) != 2 || keys[0] != m.Keys(&a)[2] || keys[1].Kind != identity.KeyKindNameBorn {
		t.Errorf("keys %v", keys)
	}
}

func TestUnion(t *testing.T) {
	a, b := someone("Ada", "Byron", mail, phone), someone("Ada", "King", mail, home, "#1")
	b.At++
	u := identity.Union(&a, &b)
	if diff := cmp.Diff(u, identity.Union(&b, &a)); diff != "" {
		t.Errorf("depends on the order (-a,b +b,a):\n%s", diff)
	}
	if u.Adds(&a) || u.Adds(&b) || !a.Adds(&b) || !b.Adds(&a) {
		t.Error("Adds does not tell what a union holds")
	}
	if diff := cmp.Diff(u, identity.Union(&u, &a)); diff != "" {
		t.Errorf("repeating changes (-once +twice):\n%s", diff)
	}
	many := identity.Record{}
	for i := range 3 * identity.MaxValues {
		many = identity.Union(&many, &identity.Record{At: int64(i), Phones: []string{string(rune('a' + i))}})
	}
	if len(many.Phones) != identity.MaxValues || many.Phones[identity.MaxValues-1] != string(rune('a'+3*identity.MaxValues-1)) {
		t.Errorf("bounded to %v", many.Phones)
	}
}

func TestGolden(t *testing.T) {
	statements := []identity.Statement{
		{At: 1, Party: lead.Party{
			Role: lead.PartyRoleCoBuyer, Name: lead.Name{Full: "Ada Byron", Given: "Ada", Family: "Byron"},
			Emails:  []lead.Email{lead.ParseEmail("Ada@example.com"), {Raw: "broken"}},
			Address: lead.Address{Streets: []string{home}, City: "Austin", Postal: "78745"}, Born: "1990-01-02",
		}},
		{At: 2, Party: lead.Party{
			Name:   lead.Name{Full: "A", Given: "A", Company: "Engine Ltd"},
			Emails: []lead.Email{lead.ParseEmail("ada@work.example"), lead.ParseEmail("ada+x@example.com")},
			Phones: []lead.Phone{{E164: phone, Valid: true}}, Address: lead.Address{Postal: "10115"},
		}},
	}
	got, origins := identity.Golden(statements)
	want := lead.Party{
		Name: lead.Name{Full: "Ada Byron", Given: "Ada", Family: "Byron", Company: "Engine Ltd"},
		Emails: []lead.Email{
			{Raw: "ada@work.example", Address: "ada@work.example", Key: "ada@work.example", Valid: true},
			{Raw: "ada+x@example.com", Address: "ada+x@example.com", Key: "ada@example.com", Valid: true},
		},
		Phones:  []lead.Phone{{E164: phone, Valid: true}},
		Address: lead.Address{Streets: []string{home}, City: "Austin", Postal: "78745"}, Born: "1990-01-02",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("golden (-want +got):\n%s", diff)
	}
	wantOrigins := []identity.Origin{
		{Field: "name", Statement: 0, Rule: identity.SurvivalMostComplete}, {Field: "company", Statement: 1, Rule: identity.SurvivalLatest},
		{Field: "email", Index: 0, Statement: 1, Rule: identity.SurvivalEach}, {Field: "email", Index: 1, Statement: 1, Rule: identity.SurvivalEach},
		{Field: "phone", Index: 0, Statement: 1, Rule: identity.SurvivalEach},
		{Field: "address", Statement: 0, Rule: identity.SurvivalMostComplete}, {Field: "born", Statement: 0, Rule: identity.SurvivalMostComplete},
	}
	if diff := cmp.Diff(wantOrigins, origins); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
	slices.Reverse(statements)
	again, _ := identity.Golden(statements)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("depends on the order:\n%s", diff)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, r := range []identity.Record{{}, someone("Ada", "Byron", mail, phone, home, vin, "#1", "1990-01-02")} {
		f.Add(r.Marshal())
	}
	f.Add([]byte{1, 0, 200, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := identity.Unmarshal(b)
		if err != nil {
			return
		}
		again, err := identity.Unmarshal(r.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Fatalf("round trip (-first +second):\n%s", diff)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	m := matcher(b)
	x, y := someone("Ada", "Byron", mail, phone, home), someone("Ada", "Byron", mail, phone, home)
	b.ReportAllocs()
	for b.Loop() {
		m.Match(&x, &y)
	}
}
