package people_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/deploy/sample/people"
)

func all(t *testing.T, o people.Options) []people.Record {
	t.Helper()
	p, err := people.New(o)
	if err != nil {
		t.Fatal(err)
	}
	records := slices.Collect(p.Records())
	if len(records) != o.Count || p.Count() != o.Count {
		t.Fatalf("%d records and a count of %d instead of %d", len(records), p.Count(), o.Count)
	}
	persons := map[int]bool{}
	for _, r := range records {
		persons[r.Person] = true
	}
	if len(persons) != p.Persons() {
		t.Fatalf("%d persons announced, %d made", p.Persons(), len(persons))
	}
	return records
}

func TestSameSeedSamePeople(t *testing.T) {
	for _, country := range []string{"US", "DE"} {
		a := all(t, people.Options{Seed: 1, Count: 500, Country: country})
		if !slices.Equal(a, all(t, people.Options{Seed: 1, Count: 500, Country: country})) {
			t.Errorf("%s: the same seed makes other people", country)
		}
		if slices.Equal(a, all(t, people.Options{Seed: 2, Count: 500, Country: country})) {
			t.Errorf("%s: another seed makes the same people", country)
		}
	}
}

// The difficult cases are what the people are for.
func TestPeopleAreDifficult(t *testing.T) {
	until := time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC)
	records := all(t, people.Options{Seed: 5, Count: 60_000, Until: until})
	type known struct {
		emails, streets, given map[string]bool
		count                  int
		suffix                 string
	}
	persons := map[int]*known{}
	phones := map[string]map[int]bool{} // whose
	families := map[string]int{}
	last := time.Time{}
	for i, r := range records {
		if r.ID != i+1 || r.At.Before(last) || r.At.After(until) {
			t.Fatalf("record %d has id %d and comes at %v after %v", i, r.ID, r.At, last)
		}
		last = r.At
		if r.Email == "" && r.Phone == "" {
			t.Fatal("a record without a contact point")
		}
		if len(r.Row()) != len(people.Header()) {
			t.Fatal("a row that does not fit the header")
		}
		p := persons[r.Person]
		if p == nil {
			p = &known{emails: map[string]bool{}, streets: map[string]bool{}, given: map[string]bool{}}
			persons[r.Person] = p
		}
		p.count++
		p.emails[r.Email], p.streets[r.Street], p.given[strings.ToLower(r.Given)] = true, true, true
		if r.Suffix != "" {
			p.suffix = r.Suffix
		}
		if phones[r.Phone] == nil {
			phones[r.Phone] = map[int]bool{}
		}
		phones[r.Phone][r.Person] = true
		families[strings.ToLower(r.Family)]++
	}
	var moved, renamed, changed, juniors, shared, many int
	for _, p := range persons {
		moved += bit(len(p.streets) > 3)
		changed += bit(len(p.emails) > 2)
		renamed += bit(len(p.given) > 1)
		juniors += bit(p.suffix == "Jr")
		many += bit(p.count >= 12)
	}
	for _, who := range phones {
		shared += bit(len(who) > 1)
	}
	for name, n := range map[string]int{
		"moved": moved, "new mailbox": changed, "called differently": renamed, "sons of one name": juniors, "telephone of several": shared, "with a dozen records": many,
	} {
		if n < 20 {
			t.Errorf("%s: %d", name, n)
		}
	}
	if share := float64(families["smith"]) / float64(len(records)); share < 0.004 || share > 0.013 {
		t.Errorf("%.4f are called Smith, not 0.0083", share)
	}
	if len(families) < 8000 {
		t.Errorf("only %d family names", len(families))
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestRefusesWhatCannotBe(t *testing.T) {
	for _, o := range []people.Options{{Count: -1}, {Count: 1, Country: "XX"}, {Count: 1, Repeat: 0.5}} {
		if _, err := people.New(o); err == nil {
			t.Errorf("%+v makes people", o)
		}
	}
}
