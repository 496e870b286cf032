package identity_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

// with returns a record with one more id of a kind and source.
func with(r identity.Record, kind lead.IDKind, source, value string) identity.Record {
	r.IDs = append(r.IDs[:len(r.IDs):len(r.IDs)], lead.Identifier{Kind: kind, Source: source, Value: value})
	return r
}

func numbered(r identity.Record, number string) identity.Record {
	r.Traits = append(r.Traits[:len(r.Traits):len(r.Traits)], identity.Trait{Kind: identity.TraitNumber, Value: number})
	return r
}

func TestConflicts(t *testing.T) {
	m := matcher(t)
	const born, other = "1984-03-12", "1961-11-30"
	cases := []struct {
		name string
		a, b identity.Record
		want identity.Conflict
	}{
		{"nothing", someone("Ada", "Byron", mail, phone, home, born), someone("Ada", "Byron", mail, phone, home, born), 0},
		{"spouses share a phone", someone("Ada", "Byron", phone), someone("George", "Byron", phone), identity.ConflictGivenName},
		{"spouses share a home", someone("Ada", "Byron", home), someone("George", "Byron", home), identity.ConflictGivenName},
		{"strangers share nothing", someone("Ada", "Byron", phone), someone("George", "King", "+15125550199"), 0},
		{"a nickname", someone("Robert", "King", phone), someone("Bob", "King", phone), 0},
		{"a typing error", someone("Katherine", "King", phone), someone("Kahterine", "King", phone), 0},
		{"an initial", someone("K", "King", phone), someone("Katherine", "King", phone), 0},
		{"another initial", someone("R", "King", phone), someone("Katherine", "King", phone), 0},
		{"swapped", someone("King", "Ada", phone), someone("Ada", "King", phone), 0},
		{"the same personal number", numbered(someone("Ada", "Byron", phone), "123456789"), numbered(someone("Lovelace", "King", phone), "123456789"), 0},
		{"junior and senior", someone("Ada", "Byron", mail, "Jr"), someone("Ada", "Byron", mail, "Sr"), identity.ConflictGeneration},
		{"generation on one side", someone("Ada", "Byron", mail, "Jr"), someone("Ada", "Byron", mail), 0},
		{"other birth date", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, other), identity.ConflictBorn},
		{"birth day and month swapped", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1984-12-03"), 0},
		{"birth date one digit off", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1984-03-13"), 0},
		{"birth date a decade off", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1974-03-12"), 0},
		{"birth date a century off", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1884-03-12"), 0},
		{"birth day otherwise", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1984-03-29"), identity.ConflictBorn},
		{"birth month otherwise", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1984-10-12"), identity.ConflictBorn},
		{"birth year otherwise", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1951-03-12"), identity.ConflictBorn},
		{"of one year", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1984-10-05"), identity.ConflictBorn},
		{"weeks apart", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1984-04-13"), identity.ConflictBorn},
		{"about ten years apart", someone("Ada", "Byron", mail, born), someone("Ada", "Byron", mail, "1994-04-05"), identity.ConflictBorn},
		{"birth year alone", identity.Record{Born: []string{"1951"}, Emails: []string{mail}}, someone("Ada", "Byron", mail, born), 0},
		{"other birth date, same personal number", numbered(someone("Ada", "Byron", mail, born), "123456789"), numbered(someone("Ada", "Byron", mail, other), "123456789"), 0},
		{"other number of one source", someone("Ada", "Byron", mail, "#1"), someone("Ada", "Byron", mail, "#2"), identity.ConflictID},
		{"numbers of two sources", with(someone("Ada", "Byron", mail), lead.IDKindOEMAccount, "a", "1"), with(someone("Ada", "Byron", mail), lead.IDKindOEMAccount, "b", "2"), 0},
		{"one of two numbers of a source", with(someone("Ada", "Byron", mail, "#1"), lead.IDKindLoyalty, "club", "2"), someone("Ada", "Byron", mail, "#2"), 0},
		{"two browsers", someone("Ada", "Byron", mail, "?1"), someone("Ada", "Byron", mail, "?2"), 0},
		{"twins", someone("Ada", "Byron", home, born), someone("Grace", "Byron", home, born), identity.ConflictGivenName | identity.ConflictTwin},
		{"twins with names alike", someone("Eric", "Byron", home, born), someone("Erin", "Byron", home, born), identity.ConflictGivenName | identity.ConflictTwin},
		{"spouses with names alike", someone("Mark", "Hill", mail, phone, home), someone("Mary", "Hill", mail, phone, home), identity.ConflictGivenName},
		{"names that rhyme", someone("Terry", "Hill", mail), someone("Jerry", "Hill", mail), identity.ConflictGivenName},
		{"a woman's name of a man's", someone("Daniel", "Hill", mail, phone, home), someone("Daniela", "Hill", mail, phone, home), identity.ConflictGivenName},
		{"a rare one too", someone("Robert", "Hill", mail), someone("Roberta", "Hill", mail), identity.ConflictGivenName},
		{"a woman's name the dictionary had for a man's", someone("Andrew", "Hill", mail), someone("Andrea", "Hill", mail), identity.ConflictGivenName},
		{"a name alike of somebody elsewhere", someone("Mark", "Hill", born), someone("Mary", "Hill", born), 0},
		{"two spellings of one name", someone("Susan", "Hill", mail), someone("Susanna", "Hill", mail), 0},
		{"a name in full", someone("Max", "Hill", mail), someone("Maximilian", "Hill", mail), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := m.Match(&c.a, &c.b)
			if e.Conflict != c.want {
				t.Errorf("conflict %v, want %v", e.Conflict.Words(), c.want.Words())
			}
			if back := m.Match(&c.b, &c.a); back.Conflict != c.want {
				t.Errorf("the other way round %v", back.Conflict.Words())
			}
			if c.want != 0 && m.Verdict(&e) != identity.VerdictDifferent {
				t.Errorf("verdict %v at %d in spite of %v", m.Verdict(&e), e.Weight, c.want.Words())
			}
			x, y := m.Prepare(&c.a), m.Prepare(&c.b)
			if w, conflict := m.Weigh(&x, &y); conflict != c.want || w != e.Weight {
				t.Errorf("weighed %d and %v, matched %d", w, conflict.Words(), e.Weight)
			}
		})
	}
}

// What one record of a person says contradicts a newcomer, whatever the others say.
func TestContradictionsCountAgainstAllValues(t *testing.T) {
	m := matcher(t)
	a, b := someone("Ada", "Byron", phone, "Sr"), someone("Ada", "Byron", phone, mail)
	u := identity.Union(&a, &b)
	c := someone("Ada", "Byron", mail, "Jr")
	if e := m.Match(&b, &c); e.Conflict != 0 {
		t.Fatalf("conflict %v", e.Conflict.Words())
	}
	if e := m.Match(&u, &c); e.Conflict != identity.ConflictGeneration {
		t.Errorf("conflict %v", e.Conflict.Words())
	}
}

// Two names that are near in letters are two people of one home, whatever they share; one name spelled
// otherwise, and a name that nobody has, is a slip.
func TestNamesAlikeOfOneHome(t *testing.T) {
	m := matcher(t)
	person := func(given string) identity.Record {
		return someone(given, "Smith", "smith@example.com", phone, home, vin)
	}
	for _, c := range []struct {
		pairs [][2]string
		want  identity.Verdict
	}{
		{[][2]string{
			{"John", "Joan"}, {"Anna", "Hanna"}, {"Christian", "Christine"}, {"Andreas", "Andrea"}, {"Daniel", "Danielle"},
			{"Eric", "Erica"}, {"Julian", "Julia"}, {"Mario", "Maria"}, {"Gabriel", "Gabrielle"}, {"Jane", "June"}, {"Jean", "Joan"},
			{"Francis", "Frances"}, {"Louis", "Louise"}, {"Carl", "Carla"}, {"Denis", "Denise"}, {"Simon", "Simone"}, {"Felix", "Felicia"},
			{"Nicolas", "Nicole"}, {"Erin", "Aaron"}, {"Paul", "Paula"}, {"Victor", "Victoria"}, {"Jason", "Jacob"}, {"Justin", "Justina"},
		}, identity.VerdictDifferent},
		{[][2]string{
			{"John", "Jon"}, {"John", "Jhon"}, {"John", "Johm"}, {"Joan", "Joann"}, {"Anna", "Anne"}, {"Hanna", "Hannah"}, {"Eric", "Erik"},
			{"Sara", "Sarah"}, {"Brian", "Bryan"}, {"Steven", "Stephen"}, {"Catherine", "Katherine"}, {"Robin", "Robyn"}, {"Alan", "Allen"},
			{"Leslie", "Lesley"}, {"Mohammed", "Muhammad"}, {"Christina", "Kristina"}, {"Julia", "Julai"}, {"Christine", "Chrstine"},
			{"Daniel", "Dnaiel"}, {"Andrea", "Andra"}, {"Max", "Maximilian"}, {"Robert", "Bob"}, {"Alexandra", "Alex"}, {"Sidney", "Sydney"},
		}, identity.VerdictMatch},
	} {
		for _, p := range c.pairs {
			a, b := person(p[0]), person(p[1])
			e := m.Match(&a, &b)
			if m.Verdict(&e) != c.want {
				t.Errorf("%s and %s: %v, %v", p[0], p[1], m.Verdict(&e), e.Conflict.Words())
			}
			if !m.Household(&a, &b) {
				t.Errorf("%s and %s are of two homes", p[0], p[1])
			}
		}
	}
}

// People with names alike at one place, as made by counting, are two where their dates of birth say so.
func TestOtherBirthdaysKeepNamesalikeApart(t *testing.T) {
	m := matcher(t)
	person := func(given, born, phone string) identity.Record {
		p := lead.Party{
			Name: lead.Name{Given: given, Family: "Roadtest"}, Born: born,
			Emails: []lead.Email{lead.ParseEmail(given + "@example.com")}, Phones: []lead.Phone{{E164: phone, Valid: true}},
			Address: lead.Address{Postal: "80205", Country: "US"},
		}
		return identity.NewRecord(&p, nil, "", nil, 0)
	}
	a := person("Runeab", "1984-03-12", "+13035550101")
	for born, want := range map[string]identity.Verdict{
		"1984-03-12": identity.VerdictMatch, "1984-12-03": identity.VerdictMatch, "1984-03-13": identity.VerdictMatch,
		"1974-03-12": identity.VerdictMatch, "1884-03-12": identity.VerdictMatch,
		"1984-03-29": identity.VerdictDifferent, "1984-04-13": identity.VerdictDifferent, "1984-10-05": identity.VerdictDifferent,
		"1985-01-12": identity.VerdictDifferent, "1994-04-05": identity.VerdictDifferent, "1961-11-30": identity.VerdictDifferent,
	} {
		b := person("Runeac", born, "+13035550102")
		if e := m.Match(&a, &b); m.Verdict(&e) != want {
			t.Errorf("born %s: %v by %v", born, m.Verdict(&e), e)
		}
		// What else is known of the first changes nothing about it.
		more := person("Runeab", "", "+13035550101")
		u := identity.Union(&a, &more)
		if e := m.Match(&u, &b); m.Verdict(&e) != want {
			t.Errorf("born %s, beside all that is known: %v by %v", born, m.Verdict(&e), e)
		}
	}
}

// Where a list was learned to hold no two people of one home, a given name may be mistaken.
func TestNoHomesLiftsWhatOnlyHomesExplain(t *testing.T) {
	p := identity.Default()
	p.Home = identity.NoHomes
	m, err := identity.NewMatcher(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := someone("Ada", "Byron", home, phone, "1984-03-12"), someone("Grace", "Byron", home, phone, "1984-03-12")
	if e := m.Match(&a, &b); e.Conflict != 0 {
		t.Errorf("conflict %v", e.Conflict.Words())
	}
	near, far := someone("Ada", "Byron", mail, "1984-03-12"), someone("Ada", "Byron", mail, "1994-04-05")
	if e := m.Match(&near, &far); e.Conflict != 0 {
		t.Errorf("conflict %v", e.Conflict.Words())
	}
	c, d := someone("Ada", "Byron", mail, "1984-03-12"), someone("Ada", "Byron", mail, "1961-11-30")
	if e := m.Match(&c, &d); e.Conflict != identity.ConflictBorn {
		t.Errorf("conflict %v", e.Conflict.Words())
	}
}

func TestDrifts(t *testing.T) {
	m := matcher(t)
	person := func(families ...string) identity.Record {
		r := someone("Chris", families[0], phone)
		for _, f := range families[1:] {
			one := someone("Chris", f, phone)
			r = identity.Union(&r, &one)
		}
		return r
	}
	for _, c := range []struct {
		name string
		a, b identity.Record
		want bool
	}{
		{"the next of a chain", person("Hartman", "Hartmann", "Hardmann", "Haldemann"), person("Waldemar"), true},
		{"two halves of a chain", person("Hartman", "Hartmann", "Hardmann"), person("Waldemar", "Waldemer"), true},
		{"a name already known", person("Hartman", "Hartmann", "Hardmann", "Waldemar"), person("Waldemar"), false},
		{"one more typing error", person("Hartman", "Hartmann", "Hardmann"), person("Hartmn"), false},
		{"a new name after a wedding", person("Hartman", "Hartmann"), person("King"), false},
		{"no family name", person("Hartman", "Hartmann", "Hardmann"), person(""), false},
	} {
		if got := m.Drifts(&c.a, &c.b); got != c.want || m.Drifts(&c.b, &c.a) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
