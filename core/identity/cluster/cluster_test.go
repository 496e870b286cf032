package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/core/lead"
)

// crowd makes records of persons who repeat themselves with mistakes, spouses and shared phones.
func crowd(seed uint64, persons int) (records []identity.Record, truth []int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	given := []string{"Anna", "Robert", "Maria", "Karl", "Jose", "Ulrike", "Wei", "Fatima", "Peter", "Ingrid", "Tom", "Zoe"}
	family := []string{"Smith", "Szymborska", "Lee", "Okafor", "Lindqvist", "Garcia", "Brandt", "Novak", "Tanaka", "Whitaker"}
	streets := []string{"Mill Road", "Harbor Street", "Canal Street", "Quarry Lane"}
	for p := range persons {
		g, f := given[rng.IntN(len(given))], family[rng.IntN(len(family))]
		email := fmt.Sprintf("%s.%s%d@example.com", strings.ToLower(g), strings.ToLower(f), rng.IntN(1000))
		phone := fmt.Sprintf("+1313555%04d", rng.IntN(10000))
		street := fmt.Sprintf("%d %s", 1+rng.IntN(300), streets[rng.IntN(len(streets))])
		postal := fmt.Sprintf("48%03d", rng.IntN(50))
		born := fmt.Sprintf("19%02d-%02d-%02d", 40+rng.IntN(60), 1+rng.IntN(12), 1+rng.IntN(28))
		for range 1 + rng.IntN(4) {
			party := lead.Party{Name: lead.Name{Given: mistake(rng, g), Family: mistake(rng, f)}}
			if rng.IntN(3) > 0 {
				party.Emails = []lead.Email{lead.ParseEmail(email)}
			}
			if rng.IntN(3) > 0 {
				party.Phones = []lead.Phone{{E164: phone}}
			}
			if rng.IntN(2) > 0 {
				party.Address = lead.Address{Streets: []string{street}, City: "Detroit", Region: "MI", Postal: postal, Country: "US"}
			}
			if rng.IntN(3) == 0 {
				party.Born = born
			}
			records = append(records, identity.NewRecord(&party, nil, "", nil, int64(len(records))))
			truth = append(truth, p)
		}
	}
	return records, truth
}

func mistake(rng *rand.Rand, s string) string {
	if rng.IntN(8) > 0 {
		return s
	}
	i := 1 + rng.IntN(len(s)-1)
	return s[:i] + string(rune('a'+rng.IntN(26))) + s[i+1:]
}

// groupsOf returns the partition of records as sets of row numbers in the order of rows of the
// original list.
func groupsOf(groups []int32, at []int) [][]int {
	byGroup := map[int32][]int{}
	for i, g := range groups {
		byGroup[g] = append(byGroup[g], at[i])
	}
	var out [][]int
	for _, rows := range byGroup {
		slices.Sort(rows)
		out = append(out, rows)
	}
	slices.SortFunc(out, slices.Compare[[]int])
	return out
}

func inOrder(n int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	return at
}

func TestOrderDoesNotMatter(t *testing.T) {
	records, _ := crowd(7, 400)
	// Equal rows may stand for one another; leave them out, so that row numbers tell.
	seen := map[string]bool{}
	records = slices.DeleteFunc(records, func(r identity.Record) bool {
		r.At = 0
		key := string(r.Marshal())
		again := seen[key]
		seen[key] = true
		return again
	})
	want := run(t, records, cluster.Options{})
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		at := rng.Perm(len(records))
		mixed := make([]identity.Record, len(records))
		for i, k := range at {
			mixed[i] = records[k]
		}
		got := run(t, mixed, cluster.Options{})
		if diff := cmp.Diff(groupsOf(want.Clusters, inOrder(len(records))), groupsOf(got.Clusters, at)); diff != "" {
			t.Fatalf("another order gives another partition: %s", diff)
		}
		if diff := cmp.Diff(groupsOf(want.Households, inOrder(len(records))), groupsOf(got.Households, at)); diff != "" {
			t.Fatalf("another order gives other households: %s", diff)
		}
	}
}

// A record that fits two people equally well who are not one goes to the same of them in any order. Of
// many such records some would go by the order of rows if that decided.
func TestOrderDoesNotDecideTies(t *testing.T) {
	m, err := identity.NewMatcher(identity.Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var records []identity.Record
	rng := rand.New(rand.NewPCG(5, 6))
	word := func() string {
		b := make([]byte, 9)
		for i := range b {
			b[i] = byte('a' + rng.IntN(26))
		}
		return string(b)
	}
	for range 40 {
		family, mail := word(), word()+"@"+word()+".example"
		for _, suffix := range []string{"Jr", "", "Sr"} { // who is neither may be either
			p := lead.Party{
				Name: lead.Name{Given: "Ada", Family: family, Suffix: suffix}, Emails: []lead.Email{lead.ParseEmail(mail)},
			}
			records = append(records, identity.NewRecord(&p, nil, "", nil, 0))
		}
	}
	want, err := cluster.Run(records, cluster.Options{Matcher: m})
	if err != nil {
		t.Fatal(err)
	}
	if want.Persons != 80 {
		t.Fatalf("%d persons, want two of each name", want.Persons)
	}
	slices.Reverse(records)
	at := inOrder(len(records))
	slices.Reverse(at)
	got, err := cluster.Run(records, cluster.Options{Matcher: m})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(groupsOf(want.Clusters, inOrder(len(records))), groupsOf(got.Clusters, at)); diff != "" {
		t.Errorf("the reverse order gives another partition: %s", diff)
	}
}

func TestWorkersDoNotMatter(t *testing.T) {
	records, _ := crowd(11, 2000)
	var want *cluster.Result
	for _, workers := range []int{1, 2, 7} {
		got, err := cluster.Run(records, cluster.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
			continue
		}
		for _, d := range []string{
			cmp.Diff(want.Clusters, got.Clusters), cmp.Diff(want.Households, got.Households), cmp.Diff(want.Links, got.Links),
			cmp.Diff(want.Possible, got.Possible), cmp.Diff(want.Blocking, got.Blocking), cmp.Diff(want.Weights, got.Weights),
		} {
			if d != "" {
				t.Fatalf("%d goroutines give another result: %s", workers, d)
			}
		}
	}
}

func TestStop(t *testing.T) {
	records, _ := crowd(1, 200)
	for stop := cluster.StepLearn; stop <= cluster.StepJoin; stop++ {
		var steps []cluster.Step
		_, err := cluster.Run(records, cluster.Options{Workers: 2, Progress: func(s cluster.Step, done, total int) bool {
			if done > total {
				t.Errorf("%v: %d of %d done", s, done, total)
			}
			if len(steps) == 0 || steps[len(steps)-1] != s {
				steps = append(steps, s)
			}
			return s < stop
		}})
		if !errors.Is(err, cluster.ErrStopped) {
			t.Errorf("told to stop at %v: %v", stop, err)
		}
		if !slices.IsSorted(steps) || len(steps) != int(stop)+1 {
			t.Errorf("told to stop at %v, steps %v", stop, steps)
		}
	}
}

// A stop while parameters are learned is not put off until they are.
func TestStopWhileLearning(t *testing.T) {
	records, _ := crowd(1, 2000)
	told := 0
	_, err := cluster.Run(records, cluster.Options{Progress: func(s cluster.Step, _, _ int) bool {
		if told++; s != cluster.StepLearn {
			t.Errorf("went on to %v", s)
		}
		return told < 5
	}})
	if !errors.Is(err, cluster.ErrStopped) || told != 5 {
		t.Errorf("told to stop: %v, asked %d times, want 5", err, told)
	}
}

func TestNothing(t *testing.T) {
	for _, records := range [][]identity.Record{nil, {{}}, {{}, {}}} {
		r, err := cluster.Run(records, cluster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Persons != len(records) || r.Homes != len(records) || len(r.Clusters) != len(records) {
			t.Errorf("%d empty records give %d persons in %d homes", len(records), r.Persons, r.Homes)
		}
	}
}

// Nobody is listed as one person with somebody born another day, however much else agrees and however
// many records without a date lie between them.
func TestOtherBirthdaysStayApart(t *testing.T) {
	m, err := identity.NewMatcher(identity.Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	row := func(given, born string) identity.Record {
		p := lead.Party{
			Name: lead.Name{Given: given, Family: "Hill"}, Born: born, Emails: []lead.Email{lead.ParseEmail("hill@example.com")},
			Address: lead.Address{Streets: []string{"12 Main St"}, City: "Austin", Postal: "78745"},
		}
		return identity.NewRecord(&p, nil, "", nil, 0)
	}
	for _, other := range []string{"1984-03-29", "1984-10-05", "1985-04-13", "1994-04-05", "1961-11-30"} {
		records := []identity.Record{
			row("Ada", "1984-03-12"), row("Ada", "1984-03-12"), row("Ada", "1984-03-13"), row("Ada", ""), row("Adda", ""), row("A", ""), row("Ada", other),
		}
		r, err := cluster.Run(records, cluster.Options{Matcher: m})
		if err != nil {
			t.Fatal(err)
		}
		if r.Clusters[6] == r.Clusters[0] || r.Clusters[6] == r.Clusters[2] {
			t.Errorf("born %s: clusters %v", other, r.Clusters)
		}
		if r.Clusters[0] != r.Clusters[1] || r.Clusters[0] != r.Clusters[2] {
			t.Errorf("slips of one date: clusters %v", r.Clusters)
		}
	}
}
