package people_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/people"
)

func TestMistakes(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	someone := write("first,last\nAda,Lindqvist\n")
	for name, tt := range map[string]struct {
		o       people.Options
		renames []string
		want    []string
		mapping bool
	}{
		"unknown field":   {people.Options{In: someone}, []string{"shoe_size=first"}, []string{"there is no field shoe_size", "given_name", "date_of_birth"}, true},
		"no equals sign":  {people.Options{In: someone}, []string{"first"}, []string{"field=column"}, true},
		"unknown column":  {people.Options{In: someone}, []string{"given_name=vorname"}, []string{"no column vorname", "first, last"}, true},
		"nothing usable":  {people.Options{In: write("a,b\n1,2\n")}, nil, []string{"no column tells people apart", "a, b", "--map", "family_name"}, true},
		"all left out":    {people.Options{In: someone}, []string{"ignore=first", "ignore=last"}, []string{"no column tells people apart"}, true},
		"no such file":    {people.Options{In: "testdata/none.csv"}, nil, []string{"none.csv"}, false},
		"empty":           {people.Options{In: write("")}, nil, []string{"list.csv: the file is empty"}, false},
		"workbook":        {people.Options{In: write("PK\x03\x04...")}, nil, []string{"Excel"}, false},
		"output is input": {people.Options{In: someone, Out: someone}, nil, []string{"another name"}, true},
		"no such folder":  {people.Options{In: someone, Out: filepath.Join(t.TempDir(), "none", "out.csv")}, nil, []string{"none"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			renames, err := people.ParseRenames(tt.renames)
			if err == nil {
				tt.o.Renames = renames
				_, err = clean(t, tt.o)
			}
			if err == nil {
				t.Fatal("no error")
			}
			if errors.Is(err, people.ErrMapping) != tt.mapping {
				t.Errorf("a better --map mends it: %t, want %t", !tt.mapping, tt.mapping)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

// --map wins over names, several columns may feed one field, and a column that was left out is none.
func TestMap(t *testing.T) {
	in := filepath.Join(t.TempDir(), "list.csv")
	text := "K1,K2,Tel A,Tel B,email,mobile\nAda,Lindqvist,303-555-0123,303-555-0177,x@example.com,303-555-0100\nAda,Lindqvist,,303 555 0177,y@example.com,\nBo,Okafor,303-555-0199,,x@example.com,303-555-0100\n"
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	renames, err := people.ParseRenames([]string{"given_name=K1", "surname=k2", "phone=TEL-A", "phone=Tel B", "ignore=email"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := clean(t, people.Options{In: in, Renames: renames})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "map.columns", c.columns)
	if got := clustersOf(c.read(t, "clusters.csv")); !slices.Equal(got, []string{"2", "2", "4"}) {
		t.Errorf("clusters %q", got)
	}
}

// A number that each row has for itself is no evidence that rows differ; a number of a household, a
// cluster or a row is none at all; one that rows share is evidence that they are one.
func TestIDsAsEvidence(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	list := func(column string, ids ...string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "first,last,email,%s\n", column)
		for i, id := range ids {
			fmt.Fprintf(&b, "Ada,Lindqvist,ada%d@example.com,%s\n", i/2, id)
		}
		return write(b.String())
	}
	for name, tt := range map[string]struct{ in, want string }{
		"customer number of each row": {list("customer_no", "C100", "C101", "C102", "C103"), "no evidence: no two rows share one"},
		"loyalty number":              {list("Loyalty No", "L100", "L100", "L100", "L103", "L104", "L105", "L103", "L106"), "loyalty_id"},
		"loyalty tier":                {list("loyalty number", "gold", "gold", "silver", "gold"), "do not look like ids"},
		"cluster":                     {list("cluster", "1001", "1001", "1002", "1003"), "cluster  not compared"},
		"household":                   {list("household_id", "1001", "1001", "1002", "1003"), "household_id  not compared"},
		"simulant":                    {list("simulant_id", "1001", "1001", "1002", "1003"), "simulant_id  not compared"},
		"account of a firm":           {write("first,last,email,account_id\nAda,Lindqvist,a@example.com,A100\nAda,Lindqvist,a@example.com,A100\nBo,Okafor,b@example.com,A100\nCy,Marsh,c@example.com,A101\nDi,Novak,d@example.com,A101\nEd,Quill,e@example.com,A102\n"), "people of different names share one"},
		"row":                         {list("rec_id", "1001", "1002", "1003", "1004"), "names the rows"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := clean(t, people.Options{In: tt.in})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(c.columns, tt.want) {
				t.Errorf("no %q in\n%s", tt.want, c.columns)
			}
			if got := clustersOf(c.read(t, "clusters.csv")); got[0] != got[1] {
				t.Errorf("two rows of one name and e-mail address are two persons: %q", got)
			}
		})
	}
}

// Where hardly any two rows share a customer number, two of one person are what the list is cleaned for.
func TestTwoNumbersOfOneCustomer(t *testing.T) {
	var b strings.Builder
	b.WriteString("first,last,email,phone,customer_no\n")
	for i := range 60 {
		fmt.Fprintf(&b, "Given%c,Family%c%c,p%d@example.com,303555%04d,C%04d\n", 'a'+i%26, 'a'+i/3, 'a'+i%11, i, i, 1000+i)
	}
	b.WriteString("Givena,Familyaa,p0@example.com,3035550000,C2000\n") // the first again, with a new number
	b.WriteString("G,Familyla,p33@example.org,3035559999,C1033\n")     // one more row of a number
	in := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(in, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := clean(t, people.Options{In: in})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.columns, "evidence where rows share one") {
		t.Errorf("the number is not evidence where it is shared:\n%s", c.columns)
	}
	if ids := clustersOf(c.read(t, "clusters.csv")); ids[60] != ids[0] {
		t.Errorf("one person with two numbers is two: %q", ids)
	}
}
