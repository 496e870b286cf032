package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/core/identity/names"
	"github.com/leadmesh/leadmesh/core/lead"
)

// said makes a record; empty texts were not given.
type said struct {
	given, family, suffix, email, phone, street, postal, born, id string
}

func (s said) record() identity.Record {
	p := lead.Party{Name: lead.Name{Given: s.given, Family: s.family, Suffix: s.suffix}, Born: s.born}
	if s.email != "" {
		p.Emails = []lead.Email{lead.ParseEmail(s.email)}
	}
	if s.phone != "" {
		p.Phones = []lead.Phone{lead.ParsePhone(s.phone, "US")}
	}
	if s.street != "" {
		p.Address.Streets = []string{s.street}
	}
	p.Address.Postal = s.postal
	var ids []lead.Identifier
	if s.id != "" {
		ids = []lead.Identifier{{Kind: lead.IDKindDMSCustomer, Source: "store", Value: s.id}}
	}
	return identity.NewRecord(&p, ids, "", nil, 0)
}

// together partitions by the shipped parameters and says which records are one person.
func together(t *testing.T, list []said) (*cluster.Result, []identity.Record) {
	t.Helper()
	m, err := identity.NewMatcher(identity.Default(), names.Load())
	if err != nil {
		t.Fatal(err)
	}
	records := make([]identity.Record, len(list))
	for i := range list {
		records[i] = list[i].record()
	}
	r, err := cluster.Run(records, cluster.Options{Matcher: m, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return r, records
}

func TestWhoIsOnePerson(t *testing.T) {
	anna := said{given: "Anna", family: "Kofron", email: "anna.kofron@example.com", phone: "313 662 0199", street: "12 Mill Road", postal: "48201", born: "1980-03-14"}
	with := func(change func(*said)) said { s := anna; change(&s); return s }
	tests := []struct {
		name string
		list []said
		want []int32
		home bool // all in one household
	}{
		{"the same", []said{anna, anna, anna}, []int32{0, 0, 0}, true},
		{"a new mailbox, a typing error, a nickname", []said{
			anna, with(func(s *said) { s.email = "ak80@example.org" }), with(func(s *said) { s.family = "Kofrn" }), with(func(s *said) { s.given = "Annie" }),
		}, []int32{0, 0, 0, 0}, true},
		{"spouses share everything but a given name", []said{anna, with(func(s *said) { s.given, s.born = "Robert", "" }), with(func(s *said) { s.born = "" })}, []int32{0, 1, 0}, true},
		{"twins", []said{anna, with(func(s *said) { s.given = "Clara" }), with(func(s *said) { s.given, s.email = "Clara", "" })}, []int32{0, 1, 1}, true},
		{"twins whose names look alike", []said{
			with(func(s *said) { s.given, s.email = "Erin", "erin.k@example.com" }), with(func(s *said) { s.given, s.email = "Eric", "eric.k@example.com" }),
		}, []int32{0, 1}, true},
		{"father and son", []said{
			with(func(s *said) { s.given, s.suffix, s.born = "John", "Sr", "" }), with(func(s *said) { s.given, s.suffix, s.born = "John", "Jr", "" }),
		}, []int32{0, 1}, true},
		{"father and son of whom some say nothing", []said{
			with(func(s *said) { s.given, s.suffix, s.born = "John", "Sr", "" }), with(func(s *said) { s.given, s.suffix, s.born = "John", "Jr", "" }),
			with(func(s *said) { s.given, s.born, s.suffix = "John", "", "Jr" }), with(func(s *said) { s.given, s.born, s.suffix, s.phone = "John", "", "Sr", "" }),
		}, []int32{0, 1, 1, 0}, true},
		{"two complete dates of birth", []said{anna, with(func(s *said) { s.born = "1957-11-28" })}, []int32{0, 1}, true},
		{"one date of birth against two that are the same", []said{anna, anna, with(func(s *said) { s.born, s.phone = "1957-11-28", "" })}, []int32{0, 0, 1}, true},
		{"two numbers of one store", []said{with(func(s *said) { s.id = "1001" }), with(func(s *said) { s.id = "2002" })}, []int32{0, 1}, true},
		{"strangers of one name", []said{
			{given: "Anna", family: "Smith", email: "as@example.com", postal: "48201"}, {given: "Anna", family: "Smith", email: "anna7@example.org", postal: "97388"},
		}, []int32{0, 1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, records := together(t, tt.list)
			if !slices.Equal(r.Clusters, tt.want) {
				t.Errorf("persons %v, want %v", r.Clusters, tt.want)
				for i := range records {
					for j := range records[:i] {
						t.Logf("%d %d: %+v", j, i, r.Matcher.Match(&records[j], &records[i]))
					}
				}
			}
			if tt.home != (r.Homes == 1) {
				t.Errorf("%d homes", r.Homes)
			}
			for _, p := range r.Links {
				if r.Clusters[p.A] != r.Clusters[p.B] || p.A >= p.B {
					t.Errorf("%+v is no link of a person", p)
				}
			}
			for _, p := range r.Possible {
				if r.Clusters[p.A] == r.Clusters[p.B] {
					t.Errorf("%+v of one person is still to be looked at", p)
				}
			}
		})
	}
}

// A chain of near-duplicates, each of which could be the next, must not pull its ends together: they
// are strangers to each other.
func TestChain(t *testing.T) {
	families := []string{"Hartman", "Hartmann", "Hardmann", "Hardemann", "Haldemann", "Haldeman", "Haldemar", "Waldemar", "Waldemer", "Waldeber", "Waldebert", "Waldebart"}
	var chain []said
	for i, f := range families {
		// Each shares a telephone with the one before and a mailbox with the one after.
		chain = append(chain, said{
			given: "Chris", family: f, email: fmt.Sprintf("person%d@example.com", i/2), phone: fmt.Sprintf("313 662 %04d", 1000+17*((i+1)/2)),
		})
	}
	r, records := together(t, chain)
	links := 0
	for i := 1; i < len(records); i++ {
		if e := r.Matcher.Match(&records[i-1], &records[i]); r.Matcher.Verdict(&e) == identity.VerdictMatch {
			links++
		}
	}
	if links < len(records)/2 {
		t.Fatalf("the chain is none: only %d neighbours match", links)
	}
	size := map[int32]int{}
	for i, c := range r.Clusters {
		size[c]++
		for j, d := range r.Clusters[:i] {
			if e := r.Matcher.Match(&records[j], &records[i]); c == d && e.Weight < -6_000 {
				t.Errorf("%s and %s are one person by a chain only: %d", families[j], families[i], e.Weight)
			}
		}
	}
	if r.Clusters[0] == r.Clusters[len(families)-1] {
		t.Error("both ends of the chain are one person")
	}
	refused := 0
	for _, p := range r.Possible {
		if p.Refusal != cluster.RefusalNone {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nobody is asked to look at the links that were refused")
	}
}

// Dozens of records of one person, each with mistakes of its own, come together, and the neighbours of
// the same home stay out.
func TestDozens(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	var list []said
	for i := range 60 {
		s := said{given: "Margarethe", family: "Szymborska", email: "m.szymborska@example.com", phone: "313 662 0142", street: "77 Quarry Lane", postal: "48226"}
		for range 1 + rng.IntN(2) {
			switch rng.IntN(7) {
			case 0:
				s.given = mistake(rng, s.given)
			case 1:
				s.family = mistake(rng, s.family)
			case 2:
				s.email = ""
			case 3:
				s.phone = ""
			case 4:
				s.street = ""
			case 5:
				s.email = fmt.Sprintf("margarethe%d@example.org", i)
			default:
				s.given = s.given[:1]
			}
		}
		list = append(list, s)
	}
	for range 6 { // the sister
		list = append(list, said{given: "Jadwiga", family: "Szymborska", phone: "313 662 0142", street: "77 Quarry Lane", postal: "48226"})
	}
	r, _ := together(t, list)
	truth := make([]bool, len(list))
	for i := range truth {
		truth[i] = i < 60
	}
	s := cluster.ScoreOf(r.Clusters, truth)
	if s.Wrong > 0 || s.Recall() < 0.9 {
		t.Errorf("%d pairs with the sister, recall %.3f", s.Wrong, s.Recall())
	}
	if reached, all := cluster.Reached(r, truth); reached < all*99/100 {
		t.Errorf("of %d pairs %d were compared", all, reached)
	}
	if r.Homes != 1 {
		t.Errorf("%d homes", r.Homes)
	}
}

// One telephone that hundreds share is a common key: it is counted, and people who also share a name
// are still found.
func TestCommonKeys(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const dealer = "313 662 0001"
	var list []said
	word := func(letters int) string {
		b := make([]byte, letters)
		for i := range b {
			b[i] = byte('a' + rng.IntN(26))
		}
		return strings.ToUpper(string(b[:1])) + string(b[1:])
	}
	for i := range 3000 {
		s := said{given: word(5), family: word(8), phone: dealer, street: fmt.Sprintf("%d %s Road", 1+rng.IntN(300), word(7)), postal: fmt.Sprintf("48%03d", rng.IntN(300))}
		list = append(list, s, s)
		list[len(list)-1].email = fmt.Sprintf("k%d@example.com", i)
	}
	r, _ := together(t, list)
	truth := make([]int, len(list))
	for i := range truth {
		truth[i] = i / 2
	}
	reached, all := cluster.Reached(r, truth)
	if reached < all {
		t.Errorf("of %d pairs only %d were compared", all, reached)
	}
	if r.Blocking.Compared > 6000*1000 {
		t.Errorf("%d pairs were compared", r.Blocking.Compared)
	}
	large := 0
	for _, p := range r.Blocking.Passes {
		large += p.Large
	}
	if large == 0 {
		t.Error("no block is too large")
	}
	if len(r.Common) != 1 || r.Common[0].Kind != identity.KeyKindPhone {
		t.Errorf("%d values are too common, not the telephone alone", len(r.Common))
	}
	if s := cluster.ScoreOf(r.Clusters, truth); s.Precision() < 0.99 {
		t.Errorf("people who share a dealer's telephone become one: %+v", s)
	} else if s.Recall() < 0.99 {
		t.Errorf("people are not found for their dealer's telephone: %+v", s)
	}
	if r.Homes < 2900 {
		t.Errorf("the dealer's telephone makes homes of strangers: %d", r.Homes)
	}
}

// What blocking loses is estimated without the truth. The estimate must see much of a great loss and
// nothing where there is none.
func TestLostIsSeen(t *testing.T) {
	records, truth := crowd(21, 1500)
	r := run(t, records, cluster.Options{})
	reached, all := cluster.Reached(r, truth)
	lost := 1 - float64(reached)/float64(all)
	if got := float64(r.Blocking.Lost) / 1e6; got > lost+0.02 {
		t.Errorf("estimated loss %.4f, true loss %.4f", got, lost)
	}
}

// Of two lists only pairs across them are compared.
func TestAcross(t *testing.T) {
	all, who := crowd(13, 300)
	var records []identity.Record
	var truth []int
	left := 0
	for side := range 2 { // the first record of each person in one list, the second in the other
		seen := map[int]int{}
		for i, r := range all {
			if seen[who[i]] == side {
				records, truth = append(records, r), append(truth, who[i])
			}
			seen[who[i]]++
		}
		if side == 0 {
			left = len(records)
		}
	}
	r := run(t, records, cluster.Options{Left: left})
	if len(r.Links) < 50 {
		t.Fatalf("only %d links", len(r.Links))
	}
	for _, p := range append(slices.Clone(r.Links), r.Possible...) {
		if int(p.A) >= left || int(p.B) < left {
			t.Fatalf("rows %d and %d of one list were compared", p.A, p.B)
		}
	}
	if s := cluster.ScoreOf(r.Clusters, truth); s.Precision() < 0.95 {
		t.Errorf("%+v", s)
	}
}
