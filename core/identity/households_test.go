package identity_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

// shared finds a file of the measured sets beside the repository; it skips the test without them.
func shared(t *testing.T, name string) *os.File {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if f, err := os.Open(filepath.Join(dir, "shared", "data", "identity", name)); err == nil {
			t.Cleanup(func() {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			})
			return f
		}
	}
	t.Skipf("%s is not beside the repository", name)
	return nil
}

// A population in which every row is another person: whoever shares a home must not become one
// person. Exact copies of a name in one home can be told apart by the date of birth alone.
func TestPeopleOfOneHomeStayApart(t *testing.T) {
	rows, err := csv.NewReader(shared(t, "households.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	byHome := map[string][]identity.Record{}
	for _, row := range rows[1:] {
		p := lead.Party{
			Name: lead.Name{Given: row[2], Middle: row[3], Family: row[4]}, Born: row[5],
			Address: lead.Address{Streets: []string{row[7] + " " + row[8]}, Unit: row[9], City: row[10], Region: row[11]},
			Phones:  []lead.Phone{{E164: "+1206555" + row[1], Valid: true}}, // one line per household
		}
		if row[8] == "" {
			continue
		}
		r := identity.NewRecord(&p, nil, "", nil, 0)
		byHome[row[1]] = append(byHome[row[1]], r)
	}
	m := matcher(t)
	same := func(a, b *identity.Record) bool {
		e := m.Match(a, b)
		return m.Verdict(&e) == identity.VerdictMatch
	}
	pairs, wrong, households, wrongWithBirth := 0, 0, 0, 0
	for _, home := range byHome {
		for i := range home {
			for j := range home[:i] {
				pairs++
				if same(&home[i], &home[j]) {
					wrongWithBirth++
				}
				a, b := home[i], home[j]
				a.Born, b.Born = nil, nil // as leads come
				if same(&a, &b) {
					wrong++
				}
				if m.Household(&a, &b) {
					households++
				}
			}
		}
	}
	t.Logf("%d pairs of one home: %d linked without a date of birth, %d with one", pairs, wrong, wrongWithBirth)
	if pairs < 1000 {
		t.Fatalf("only %d pairs", pairs)
	}
	if wrong*500 > pairs || wrongWithBirth*2000 > pairs {
		t.Errorf("too many people of one home became one: %d of %d, %d with a date of birth", wrong, pairs, wrongWithBirth)
	}
	if households != pairs {
		t.Errorf("%d of %d pairs are seen as one household", households, pairs)
	}
}
