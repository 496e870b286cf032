package people_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/services/internal/people"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

var update = flag.Bool("update", false, "write the golden files")

// cleaning runs Clean with outputs in a folder of the test.
type cleaning struct {
	people.Options
	dir     string
	columns string // the printed table
	skipped []string
	outcome *people.Outcome
}

func clean(t *testing.T, o people.Options) (*cleaning, error) {
	t.Helper()
	c := &cleaning{Options: o, dir: t.TempDir()}
	if c.Out == "" {
		c.Out = filepath.Join(c.dir, "clusters.csv")
	}
	c.Pairs = filepath.Join(c.dir, "pairs.csv")
	c.Year = 2026
	c.Mapped = func(lists []*people.List) {
		var b strings.Builder
		people.PrintMapping(&b, lists)
		c.columns = b.String()
	}
	c.Skip = func(list string, e *table.RowError) { c.skipped = append(c.skipped, list+": "+e.Error()) }
	var err error
	c.outcome, err = people.Clean(t.Context(), c.Options)
	return c, err
}

func (c *cleaning) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: (-want +got)\n%s", path, d)
	}
}

// Lists of several dialects, languages and encodings: what the columns were taken for, which rows were
// found to be one person, and every byte of every row.
func TestClean(t *testing.T) {
	for name, skipped := range map[string][]string{
		"guests.csv": {
			"guests.csv: line 6: has 4 cells where the header has 10",
			"guests.csv: line 8: the quote in cell 3 is not closed",
			"guests.csv: line 10: has 11 cells where the header has 10",
		},
		"kunden.csv": nil,
		"owners.txt": nil,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := clean(t, people.Options{In: filepath.Join("testdata", name)})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".columns", c.columns)
			golden(t, name+".clusters", c.read(t, "clusters.csv"))
			if d := cmp.Diff(skipped, c.skipped); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLink(t *testing.T) {
	c, err := clean(t, people.Options{In: "testdata/guests.csv", Link: "testdata/visits.csv"})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "link.columns", c.columns)
	golden(t, "link.clusters", c.read(t, "clusters.csv"))
	var pairs []string
	for line := range strings.Lines(c.read(t, "pairs.csv")) {
		cells := strings.Split(strings.TrimSpace(line), ",")
		pairs = append(pairs, strings.Join(append(cells[:4], cells[5]), " "))
	}
	if d := cmp.Diff([]string{
		"left_file left_id right_file right_id verdict",
		"guests.csv g-1 guests.csv g-2 same",
		"guests.csv g-1 visits.csv 2 same",
		"guests.csv g-2 visits.csv 2 same",
		"guests.csv g-3 guests.csv g-5 same",
		"visits.csv 3 visits.csv 4 same",
	}, pairs); d != "" {
		t.Error(d)
	}

	c, err = clean(t, people.Options{In: "testdata/guests.csv", Link: "testdata/visits.csv", Across: true})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(c.read(t, "pairs.csv")) {
		if cells := strings.Split(line, ","); cells[0] == cells[2] {
			t.Errorf("a pair within one list though only those across were asked for: %s", line)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	in := filepath.Join(t.TempDir(), "people.csv")
	var b strings.Builder
	b.WriteString("given,family,email,zip\n")
	for i := range 800 {
		n := i % 650
		fmt.Fprintf(&b, "G%c%c%c,F%c%c,p%d@example.com,%05d\n", 'a'+n%7, 'a'+n%11, 'a'+n%5, 'a'+n%13, 'a'+n%17, n, n%90)
	}
	if err := os.WriteFile(in, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var first, firstPairs string
	for range 2 {
		c, err := clean(t, people.Options{In: in})
		if err != nil {
			t.Fatal(err)
		}
		out, pairs := c.read(t, "clusters.csv"), c.read(t, "pairs.csv")
		if first == "" {
			first, firstPairs = out, pairs
		}
		if out != first || pairs != firstPairs {
			t.Error("the second run wrote other bytes")
		}
	}
	if strings.Count(firstPairs, "\n") < 100 {
		t.Errorf("too few pairs to tell: %d", strings.Count(firstPairs, "\n"))
	}
}

func TestStandardStreams(t *testing.T) {
	text, err := os.ReadFile("testdata/kunden.csv")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := clean(t, people.Options{In: "-", Out: "-", Stdin: bytes.NewReader(text), Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	golden(t, "kunden.csv.clusters", out.String())
}

func clustersOf(csv string) []string {
	var out []string
	for i, line := range strings.Split(strings.TrimSpace(csv), "\n") {
		if i > 0 {
			out = append(out, line[strings.LastIndexByte(line, ',')+1:])
		}
	}
	return out
}

// Whoever stops it finds no half file.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	_, err := people.Clean(ctx, people.Options{
		In: "testdata/guests.csv", Out: filepath.Join(dir, "clusters.csv"), Pairs: filepath.Join(dir, "pairs.csv"),
		Mapped: func([]*people.List) { cancel() },
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// The page names what was read and shows sample rows; what stands in cells is text there, whatever it
// is. The learned parameters, given back, make the same clusters.
func TestPageAndParameters(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "people.csv")
	text := "first,last,email,phone\n<b>Ada</b>,Lindqvist,ada@example.com,303 555 0123\n<b>Ada</b>,Lindquist,ada@example.com,303 555 0123\nBo,Okafor,bo@example.org,\n"
	for i := range 400 {
		n := i % 350
		text += fmt.Sprintf("G%c%c%c,F%c%c%c,p%d@example.net,303 555 %04d\n", 'a'+n%23, 'a'+n%7, 'a'+n%5, 'a'+n%19, 'a'+n%11, 'a'+n%3, n, n)
	}
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := people.Options{In: in, Report: filepath.Join(dir, "page.html"), SaveParams: filepath.Join(dir, "params.yaml")}
	first, err := clean(t, o)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(o.Report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"people.csv", "403", "personal data", "&lt;b&gt;Ada&lt;/b&gt;", "ada@example.com", "same e-mail address", "<svg"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(string(page), "<b>Ada</b>") {
		t.Error("a cell became markup")
	}
	saved, err := os.ReadFile(o.SaveParams)
	if err != nil {
		t.Fatal(err)
	}
	params, err := identity.ParseParams(saved)
	if err != nil {
		t.Fatal(err)
	}
	second, err := clean(t, people.Options{In: in, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := first.read(t, "clusters.csv"), second.read(t, "clusters.csv"); a != b {
		t.Errorf("the saved parameters make other clusters: (-learned +given)\n%s", cmp.Diff(a, b))
	}
	if strict, err := clean(t, people.Options{In: in, Params: params, Threshold: 0.999999}); err != nil {
		t.Error(err)
	} else if strict.outcome.Match != 0.999999 || strict.outcome.Result.Persons < second.outcome.Result.Persons {
		t.Errorf("a threshold of .999999 gives %d persons, the usual one %d", strict.outcome.Result.Persons, second.outcome.Result.Persons)
	}
}

// Spouses are two persons of one household; whose list has such a column already keeps it.
func TestHouseholds(t *testing.T) {
	in := filepath.Join(t.TempDir(), "list.csv")
	text := "household_id,first,last,street,city,zip\nx,Ada,Lindqvist,12 Alder Street,Denver,80205\ny,Bo,Lindqvist,12 Alder Street,Denver,80205\nz,Cy,Marsh,9 Birch Ave,Boulder,80301\n"
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := clean(t, people.Options{In: in, Households: true})
	if err != nil {
		t.Fatal(err)
	}
	want := "household_id,first,last,street,city,zip,cluster_id,household_id_2\nx,Ada,Lindqvist,12 Alder Street,Denver,80205,2,2\ny,Bo,Lindqvist,12 Alder Street,Denver,80205,3,2\nz,Cy,Marsh,9 Birch Ave,Boulder,80301,4,4\n"
	if d := cmp.Diff(want, c.read(t, "clusters.csv")); d != "" {
		t.Error(d)
	}
}
