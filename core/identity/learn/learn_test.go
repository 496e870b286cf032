package learn_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/learn"
	"github.com/leadmesh/leadmesh/core/identity/names"
	"github.com/leadmesh/leadmesh/core/lead"
)

var (
	givenNames  = []string{"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "John", "Mary", "Robert", "Linda", "Karen", "Peter", "Paul", "Anna", "Susan", "Carl"}
	familyNames = []string{"Byron", "Hopper", "Turing", "Liskov", "Knuth", "Smith", "Johnson", "Miller", "Brown", "Davis", "Wilson", "Moore", "Taylor", "Thomas", "Jackson", "White"}
)

// town makes people of homes of up to four; each is listed once, and again with a chance.
type town struct {
	r       *rand.Rand
	records []identity.Record
	person  []int
}

func newTown(homes int, again float64) *town {
	t := &town{r: rand.New(rand.NewPCG(7, uint64(homes)))}
	for h := range homes {
		family := familyNames[t.r.IntN(len(familyNames))] + fmt.Sprint(string(rune('a'+h%26)), string(rune('a'+h/26%26)))
		street := fmt.Sprintf("%d %s St", 1+t.r.IntN(900), familyNames[t.r.IntN(len(familyNames))]+string(rune('a'+h%26)))
		for m := range 1 + t.r.IntN(4) {
			p := lead.Party{
				Name:    lead.Name{Given: givenNames[(h+5*m)%len(givenNames)], Family: family},
				Born:    fmt.Sprintf("%d-%02d-%02d", 1940+t.r.IntN(60), 1+t.r.IntN(12), 1+t.r.IntN(28)),
				Address: lead.Address{Streets: []string{street}, City: "Austin", Postal: fmt.Sprint(78700 + t.r.IntN(60)), Region: "TX"},
			}
			who := 4*h + m
			t.list(p, who)
			for t.r.Float64() < again {
				q := p
				if t.r.IntN(4) == 0 {
					q.Born = ""
				}
				if t.r.IntN(4) == 0 {
					q.Name.Given = q.Name.Given[:1] + "h" + q.Name.Given[1:]
				}
				if t.r.IntN(5) == 0 {
					q.Address = lead.Address{City: "Waco", Region: "TX"}
				}
				t.list(q, who)
			}
		}
	}
	return t
}

func (t *town) list(p lead.Party, who int) {
	t.records = append(t.records, identity.NewRecord(&p, nil, "", nil, 0))
	t.person = append(t.person, who)
}

// links weighs every pair of records and counts those that match, rightly and wrongly, and those missed.
func (t *town) links(tb testing.TB, p *identity.Params) (right, wrong, missed int) {
	tb.Helper()
	m, err := identity.NewMatcher(p, names.Load())
	if err != nil {
		tb.Fatal(err)
	}
	prepared := make([]identity.Prepared, len(t.records))
	for i := range prepared {
		prepared[i] = m.Prepare(&t.records[i])
	}
	for i := range prepared {
		for j := range i {
			match := m.Decide(m.Weigh(&prepared[i], &prepared[j])) == identity.VerdictMatch
			switch same := t.person[i] == t.person[j]; {
			case match && same:
				right++
			case match:
				wrong++
			case same:
				missed++
			}
		}
	}
	return right, wrong, missed
}

func TestDuplicatesAmongHomesAreLearned(t *testing.T) {
	town := newTown(400, 0.4)
	p, report := learn.Params(learn.Input{Records: town.records, Names: names.Load()})
	right, wrong, missed := town.links(t, p)
	if wrong*200 > right || missed*20 > right {
		t.Errorf("%d right, %d wrong, %d missed; %+v", right, wrong, missed, report)
	}
	if truth := float64(right + missed); report.Matches < truth/2 || report.Matches > truth*2 {
		t.Errorf("%.0f pairs of one person were estimated, there are %.0f", report.Matches, truth)
	}
	if p.Home <= identity.NoHomes || report.Homes < 300 {
		t.Errorf("people of one home were overlooked: %+v", report)
	}
}

// Where everybody is listed once, people of one home must not be taken for the same.
func TestNoDuplicatesAreFoundWhereThereAreNone(t *testing.T) {
	town := newTown(500, 0)
	p, report := learn.Params(learn.Input{Records: town.records, Names: names.Load()})
	if _, wrong, _ := town.links(t, p); wrong > 0 {
		t.Errorf("%d pairs were linked; %+v\n%s", wrong, report, p.Marshal())
	}
}

func TestLearningIsDeterministic(t *testing.T) {
	town := newTown(150, 0.3)
	in := learn.Input{Records: town.records, Names: names.Load()}
	p, report := learn.Params(in)
	for range 3 {
		again, second := learn.Params(in)
		if diff := cmp.Diff(string(p.Marshal()), string(again.Marshal())); diff != "" {
			t.Fatalf("parameters (-first +then):\n%s", diff)
		}
		if diff := cmp.Diff(report, second); diff != "" {
			t.Fatalf("report (-first +then):\n%s", diff)
		}
	}
}

// Columns that say the same of everybody, or nothing, change nothing about who is found.
func TestConstantColumnsAreHarmless(t *testing.T) {
	plain, constant := newTown(200, 0.4), newTown(200, 0.4)
	for i := range constant.records {
		r := &constant.records[i]
		r.Companies = []string{"engineltd"}
		r.Traits = append(r.Traits, identity.Trait{Kind: identity.TraitOccupation, Value: "clerk"}, identity.Trait{Kind: identity.TraitSex, Value: "f"})
	}
	p, _ := learn.Params(learn.Input{Records: plain.records, Names: names.Load()})
	q, _ := learn.Params(learn.Input{Records: constant.records, Names: names.Load()})
	right, wrong, _ := plain.links(t, p)
	again, false_, _ := constant.links(t, q)
	if again < right*98/100 || false_ > wrong+2 {
		t.Errorf("%d right and %d wrong without, %d and %d with", right, wrong, again, false_)
	}
}

// In a list of e-mail addresses alone, or of loyalty numbers, those that stand twice are found.
func TestOneTellingField(t *testing.T) {
	for _, c := range []struct {
		name   string
		record func(i int) identity.Record
	}{
		{"e-mail", func(i int) identity.Record {
			p := lead.Party{Emails: []lead.Email{lead.ParseEmail(fmt.Sprintf("somebody%d@example.com", i))}, Address: lead.Address{Country: "US"}}
			return identity.NewRecord(&p, nil, "", nil, 0)
		}},
		{"phone", func(i int) identity.Record {
			p := lead.Party{Phones: []lead.Phone{{E164: fmt.Sprintf("+1512%07d", 2_000_000+i*7919), Valid: true}}}
			return identity.NewRecord(&p, nil, "", nil, 0)
		}},
		{"loyalty number and city", func(i int) identity.Record {
			p := lead.Party{Address: lead.Address{City: "Austin"}}
			return identity.NewRecord(&p, []lead.Identifier{{Kind: lead.IDKindLoyalty, Source: "club", Value: fmt.Sprint(10_000 + i)}}, "", nil, 0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var list town
			for i := range 600 {
				list.records, list.person = append(list.records, c.record(i)), append(list.person, i)
				if i%3 == 0 {
					list.records, list.person = append(list.records, c.record(i)), append(list.person, i)
				}
			}
			p, report := learn.Params(learn.Input{Records: list.records, Names: names.Load()})
			if right, wrong, missed := list.links(t, p); right != 200 || wrong > 0 || missed > 0 {
				t.Errorf("%d right, %d wrong, %d missed; %+v", right, wrong, missed, report)
			}
		})
	}
}

func TestFewRecords(t *testing.T) {
	town := newTown(3, 0.5)
	for n := range len(town.records) {
		p, _ := learn.Params(learn.Input{Records: town.records[:n], Names: names.Load()})
		if _, err := identity.NewMatcher(p, nil); err != nil {
			t.Errorf("%d records: %v", n, err)
		}
		if _, err := identity.ParseParams(p.Marshal()); err != nil {
			t.Errorf("%d records: %v", n, err)
		}
		if p.Prior > -5_000 {
			t.Errorf("%d records: the prior is %d", n, p.Prior)
		}
	}
}

// Learning stops where it is told to, at whatever it is.
func TestStop(t *testing.T) {
	town := newTown(300, 0.4)
	asked := 0
	learn.Params(learn.Input{Records: town.records, Names: names.Load(), Stop: func() bool { asked++; return false }})
	if asked < 50 {
		t.Errorf("of %d records it asked only %d times whether to stop", len(town.records), asked)
	}
	for at := 1; at <= asked; at += 1 + asked/8 {
		n := 0
		_, report := learn.Params(learn.Input{Records: town.records, Names: names.Load(), Stop: func() bool { n++; return n == at }})
		if !report.Stopped || n != at {
			t.Errorf("told to stop at the first %d times it asked, stopped is %v after %d", at, report.Stopped, n)
		}
	}
}
