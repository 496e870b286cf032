package identity_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

// anyone draws a record from few values, so that two of them agree in many ways; several statements
// make a union.
func anyone(r *rand.Rand, statements int) identity.Record {
	pick := func(list ...string) string {
		if r.IntN(3) == 0 {
			return ""
		}
		return list[r.IntN(len(list))]
	}
	var u identity.Record
	for i := range statements {
		p := lead.Party{
			Name: lead.Name{Given: pick("Ada", "Adda", "George", "Bob", "Robert", "R"), Middle: pick("Ann", "A", "Maria"),
				Family: pick("Byron", "Bryon", "King", "King Byron", "Ada"), Suffix: pick("Jr", "Sr"), Company: pick("Engine Ltd", "Engines")},
			Address: lead.Address{Streets: []string{pick("12 Main St", "12 Main Street", "Main St", "9 Oak Ave"), pick("Rose Farm", "Oak Farm")},
				Unit: pick("4", "5"), City: pick("Austin", "Austni", "Waco"), Postal: pick("78745", "78754"), Region: pick("TX", "NY")},
			Born: pick("1984-03-12", "1984-12-03", "1961-11-30", "1984"),
		}
		for _, address := range []string{pick("ada@example.com", "adda@example.com", "ada.byron@gmail.com"), pick("king@gmail.com", "king@yahoo.com")} {
			if address != "" {
				p.Emails = append(p.Emails, lead.ParseEmail(address))
			}
		}
		if number := pick("+15125550163", "+15125550136", "+12145550163"); number != "" {
			p.Phones = append(p.Phones, lead.ParsePhone(number, "US"))
		}
		var ids []lead.Identifier
		if v := pick("1", "2"); v != "" {
			ids = append(ids, lead.Identifier{Kind: lead.IDKindLoyalty, Source: "club", Value: v})
		}
		if v := pick("a", "b"); v != "" {
			ids = append(ids, lead.Identifier{Kind: lead.IDKindAnonymous, Source: "site", Value: v})
		}
		one := identity.NewRecord(&p, ids, "", []string{pick(vin, "1HGCM82633A004352")}, int64(i))
		for kind, v := range map[identity.TraitKind]string{identity.TraitNumber: pick("7364009", "7364090", "1112223"),
			identity.TraitSex: pick("m", "f"), identity.TraitBirthplace: pick("austin", "austn", "waco"), identity.TraitOccupation: pick("clerk", "poet")} {
			if v != "" {
				one.Traits = append(one.Traits, identity.Trait{Kind: kind, Value: v})
			}
		}
		if i == 0 {
			u = one
		} else {
			u = identity.Union(&u, &one)
		}
	}
	return u
}

func TestEvidenceIsSymmetricAndAddsUp(t *testing.T) {
	m := matcher(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 4_000 {
		a, b := anyone(r, 1+r.IntN(3)), anyone(r, 1+r.IntN(3))
		e := m.Match(&a, &b)
		if diff := cmp.Diff(e, m.Match(&b, &a)); diff != "" {
			t.Fatalf("%v\n%v\nis not symmetric:\n%s", a, b, diff)
		}
		sum := int32(0)
		for _, reason := range e.Reasons {
			sum += reason.Weight
			if reason.Code.Name() == "" || reason.Code.Words() == "" || reason.Field().String() == "" {
				t.Fatalf("reason %d has no words", reason.Code)
			}
		}
		if sum != e.Weight || e.Probability != identity.Probability(e.Weight) {
			t.Fatalf("%v\n%v\nreasons add up to %d, weight %d, probability %d", a, b, sum, e.Weight, e.Probability)
		}
		x, y := m.Prepare(&a), m.Prepare(&b)
		weight, conflict := m.Weigh(&x, &y)
		if givenUp := weight < m.Params().Possible-5_000; weight != e.Weight && !(givenUp && weight >= e.Weight) || !givenUp && conflict != e.Conflict {
			t.Fatalf("%v\n%v\nweighed %d %v, matched %d %v", a, b, weight, conflict.Words(), e.Weight, e.Conflict.Words())
		}
	}
}

// What only one of two records says is no evidence, neither for nor against.
func TestWhatIsMissingIsNoEvidence(t *testing.T) {
	m := matcher(t)
	r := rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		a, b, more := anyone(r, 1), anyone(r, 1), anyone(r, 2)
		with := b
		if len(a.Companies) == 0 {
			with.Companies = more.Companies
		}
		if len(a.Emails) == 0 {
			with.Emails = more.Emails
		}
		if len(a.Phones) == 0 {
			with.Phones = more.Phones
		}
		if len(a.Addresses) == 0 {
			with.Addresses = more.Addresses
		}
		if len(a.Born) == 0 {
			with.Born = more.Born
		}
		if len(a.IDs) == 0 {
			with.IDs = more.IDs
		}
		if len(a.VINs) == 0 {
			with.VINs = more.VINs
		}
		if len(a.Names) == 0 {
			with.Names = more.Names
		}
		if len(a.Traits) == 0 {
			with.Traits = more.Traits
		}
		if diff := cmp.Diff(m.Match(&a, &b), m.Match(&a, &with)); diff != "" {
			t.Fatalf("%v\n%v\n%v\n(-before +with values that the first has none of):\n%s", a, b, with, diff)
		}
	}
}

func TestWeighDoesNotAllocate(t *testing.T) {
	m := matcher(t)
	r := rand.New(rand.NewPCG(5, 6))
	var list []identity.Prepared
	for range 64 {
		one := anyone(r, 1+r.IntN(2))
		list = append(list, m.Prepare(&one))
	}
	if n := testing.AllocsPerRun(100, func() {
		for i := range list {
			for j := range i {
				m.Weigh(&list[i], &list[j])
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWeigh(b *testing.B) {
	m := matcher(b)
	person := func(given, family, mail, phone, street, born string) identity.Prepared {
		p := lead.Party{
			Name: lead.Name{Given: given, Family: family}, Emails: []lead.Email{lead.ParseEmail(mail)},
			Phones:  []lead.Phone{lead.ParsePhone(phone, "US")},
			Address: lead.Address{Streets: []string{street}, City: "Austin", Postal: "78745", Region: "TX"}, Born: born,
		}
		r := identity.NewRecord(&p, nil, "", nil, 0)
		return m.Prepare(&r)
	}
	one := person("Katherine", "Szymborska", "kat.szym@gmail.com", "+15125550163", "12 Meadowlark Ave", "1984-03-12")
	for _, c := range []struct {
		name  string
		other identity.Prepared
	}{
		{"same", person("Katherine", "Szymborska", "kat.szym@gmail.com", "+15125550163", "12 Meadowlark Ave", "1984-03-12")},
		{"alike", person("Kathrine", "Szimborska", "kat.szym4@gmail.com", "+15125550136", "12 Medowlark Avenue", "1984-12-03")},
		{"stranger", person("George", "King", "gking77@yahoo.com", "+12145550199", "9 Oak Street", "1961-11-30")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Weigh(&one, &c.other)
			}
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	m := matcher(b)
	p := lead.Party{
		Name: lead.Name{Given: "Katherine", Family: "Szymborska"}, Emails: []lead.Email{lead.ParseEmail("kat.szym@gmail.com")},
		Phones:  []lead.Phone{lead.ParsePhone("+15125550163", "US")},
		Address: lead.Address{Streets: []string{"12 Meadowlark Ave"}, City: "Austin", Postal: "78745", Region: "TX"},
	}
	r := identity.NewRecord(&p, nil, "", nil, 0)
	b.ReportAllocs()
	for b.Loop() {
		m.Prepare(&r)
	}
}
