package cluster_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/core/identity/names"
	"github.com/leadmesh/leadmesh/core/lead"
)

// table is a list of people with the truth of who they are. Its truth columns are no evidence.
type table struct {
	records []identity.Record
	truth   []string
}

// readTable reads a list; without names columns that are left out.
func readTable(t testing.TB, name string, without ...string) table {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "data", "identity", name)
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("the sets with truth are not here: %v", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.TrimLeadingSpace = true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out table
	for _, row := range rows[1:] {
		var p lead.Party
		var traits []identity.Trait
		var street, truth string
		for i, column := range rows[0] {
			v := strings.TrimSpace(row[i])
			if v == "" || contains(without, column) {
				continue
			}
			switch column {
			case "first_name", "given_name":
				p.Name.Given = v
			case "middle_initial":
				p.Name.Middle = v
			case "surname", "last_name":
				p.Name.Family = v
			case "dob", "date_of_birth":
				if len(v) == 8 {
					v = v[:4] + "-" + v[4:6] + "-" + v[6:]
				}
				p.Born = v
			case "email":
				p.Emails = append(p.Emails, identity.ParseListEmail(v))
			case "sex":
				traits = append(traits, identity.Trait{Kind: identity.TraitSex, Value: lead.Fold(v)})
			case "city", "suburb":
				p.Address.City = v
			case "state":
				p.Address.Region = v
			case "postcode":
				p.Address.Postal = v
			case "street_number":
				street = v
			case "street_name", "address_1":
				p.Address.Streets = append(p.Address.Streets, strings.TrimSpace(street+" "+v))
			case "address_2":
				p.Address.Streets = append(p.Address.Streets, v)
			case "unit_number":
				p.Address.Unit = v
			case "soc_sec_id":
				traits = append(traits, identity.Trait{Kind: identity.TraitNumber, Value: v})
			case "cluster", "simulant_id":
				truth = v
			case "rec_id":
				truth = strings.Join(strings.SplitN(v, "-", 3)[:2], "-")
			}
		}
		r := identity.NewRecord(&p, nil, "", nil, 0)
		r.Traits = traits
		out.records = append(out.records, r)
		out.truth = append(out.truth, truth)
	}
	return out
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func run(t testing.TB, records []identity.Record, o cluster.Options) *cluster.Result {
	t.Helper()
	o.Names, o.Workers = names.Load(), runtime.GOMAXPROCS(0)
	r, err := cluster.Run(records, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func describe(r *cluster.Result, s cluster.Score, truth []string) string {
	reached, all := cluster.Reached(r, truth)
	return fmt.Sprintf("precision %.4f recall %.4f F1 %.4f (wrong %d missed %d), blocking %.4f (estimated %.4f), %d pairs compared, %d clusters, %d homes, %d possible",
		s.Precision(), s.Recall(), s.F1(), s.Wrong, s.Missed, float64(reached)/float64(max(all, 1)), 1-float64(r.Blocking.Lost)/1e6,
		r.Blocking.Compared, r.Persons, r.Homes, len(r.Possible))
}

func TestAccuracy(t *testing.T) {
	for _, c := range []struct {
		name, file string
		without    []string
		least      float64
	}{
		{"fake_1000", "fake_1000.csv", nil, 0.95},
		{"febrl1", "febrl1.csv", nil, 0.999},
		{"febrl2", "febrl2.csv", nil, 0.999},
		{"febrl1 as leads come", "febrl1.csv", []string{"soc_sec_id", "date_of_birth"}, 0.93},
		{"febrl2 as leads come", "febrl2.csv", []string{"soc_sec_id", "date_of_birth"}, 0.93},
		{"households", "households.csv", nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := readTable(t, c.file, c.without...)
			r := run(t, table.records, cluster.Options{})
			s := cluster.ScoreOf(r.Clusters, table.truth)
			t.Log(describe(r, s, table.truth))
			if f1 := s.F1(); f1 < c.least {
				t.Errorf("F1 is %.4f, below %.4f", f1, c.least)
			}
		})
	}
}
