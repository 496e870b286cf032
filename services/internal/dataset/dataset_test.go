package dataset_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
)

func read(t testing.TB, text string, change func(*dataset.Options)) (*dataset.Set, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "leads.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := dataset.Options{Path: path, Missing: dataset.DefaultMissing()}
	if change != nil {
		change(&o)
	}
	return dataset.Read(t.Context(), o)
}

// column is a table of one column and a second one that keeps rows apart.
func column(name string, n int, cell func(i int) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s,other\n", name)
	for i := range n {
		fmt.Fprintf(&b, "\"%s\",%d\n", cell(i), i%3)
	}
	return b.String()
}

func TestKinds(t *testing.T) {
	pick := func(values ...string) func(int) string { return func(i int) string { return values[i%len(values)] } }
	for name, tt := range map[string]struct {
		header string
		cell   func(int) string
		kind   dataset.Kind
		held   string // part of it
		note   string
	}{
		"decimals":         {"price", pick("1.5", "2", "3.25"), dataset.Number, "", ""},
		"thousands":        {"price", pick("1,234.50", "12", "7,000,000"), dataset.Number, "", ""},
		"money":            {"price", pick("$1,234", "-$5", "(7)", "€ 12", "1'000 CHF"), dataset.Number, "", ""},
		"decimal comma":    {"preis", pick("1,5", "2,25", "3"), dataset.Number, "", "decimal comma"},
		"german":           {"preis", pick("1.234,50 €", "7", "2.000.000"), dataset.Number, "", "decimal comma"},
		"a few are none":   {"visits", func(i int) string { return map[bool]string{true: "many", false: fmt.Sprint(i % 9)}[i == 7] }, dataset.Number, "", "1 cell taken as missing, being no number"},
		"placeholders":     {"visits", pick("1", "Select", "N/A", "?", "-", "UNKNOWN", "2"), dataset.Number, "", ""},
		"postal codes":     {"postcode", pick("01234", "99999", "10115"), dataset.Category, "", ""},
		"codes by name":    {"dealer_id", pick("1", "2", "17", "20"), dataset.Category, "", "codes"},
		"yes and no":       {"mail", pick("Yes", "No"), dataset.YesNo, "", ""},
		"zero and one":     {"loan", pick("0", "1", "NA"), dataset.YesNo, "", ""},
		"gaps as decimals": {"loan", pick("0.0", "1.0", ""), dataset.YesNo, "", ""},
		"words":            {"source", pick("web", "phone", "fair"), dataset.Category, "", ""},
		"constant":         {"source", pick("web"), dataset.Constant, "the same in every row", ""},
		"known or not":     {"source", pick("web", ""), dataset.Category, "", ""},
		"empty":            {"source", pick("", "NA"), dataset.Empty, "holds nothing", ""},
		"running number":   {"Lead Number", func(i int) string { return fmt.Sprint(579533 + 7*i) }, dataset.ID, "names the rows", ""},
		"rows counted":     {"index", func(i int) string { return fmt.Sprint(i) }, dataset.ID, "names the rows", ""},
		"distinct amounts": {"balance", func(i int) string { return fmt.Sprint(i * 7919 % 100003) }, dataset.Number, "", ""},
		"uuid":             {"prospect", func(i int) string { return fmt.Sprintf("%08x-b%d", i*2654435761, i) }, dataset.ID, "value of its own", ""},
		"mail":             {"contact", func(i int) string { return fmt.Sprintf("a%d@example.com", i%5) }, dataset.Text, "e-mail", ""},
		"prose":            {"remarks", func(i int) string { return fmt.Sprintf("would like to hear more about %d", i) }, dataset.Text, "free text", ""},
		"times of day":     {"CallStart", pick("13:45:20", "9:05", "11:30 PM"), dataset.Clock, "", "hour of the day"},
		"iso dates":        {"created", pick("2026-01-31", "2026-02-01T12:00:00Z"), dataset.Moment, "is a date", ""},
		"days first":       {"created", pick("31.01.2026", "01.02.2026"), dataset.Moment, "is a date", ""},
		"short years":      {"engage_date", pick("20-10-16", "01-03-17"), dataset.Moment, "is a date", ""},
		"named months":     {"created", pick("20 Oct 2016", "1 März 2017"), dataset.Moment, "is a date", ""},
		"eight digits":     {"day", pick("20260131", "20260201", "20251224"), dataset.Moment, "is a date", ""},
		"months alone":     {"month", pick("jan", "feb", "may"), dataset.Category, "", ""},
		"versions":         {"version", pick("1.2.3", "1.2.4"), dataset.Category, "", ""},
		"infinite":         {"ratio", pick("inf", "1", "2", "0x10"), dataset.Category, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := read(t, column(tt.header, 120, tt.cell), nil)
			if err != nil {
				t.Fatal(err)
			}
			c := s.Columns[0]
			if c.Kind != tt.kind || !strings.Contains(c.Held, tt.held) || (c.Held == "") != (tt.held == "") || !strings.Contains(c.Note, tt.note) {
				t.Errorf("%s, held %q, note %q; want %s, %q, %q", c.Kind, c.Held, c.Note, tt.kind, tt.held, tt.note)
			}
		})
	}
}

// What a file's other columns say of decimal marks holds for the column that leaves it open.
func TestNumbersAreReadAsTheFileWritesThem(t *testing.T) {
	for in, want := range map[string][]float64{
		"a;b\n1.234;x\n2.500;y\n":       {1234, 2500}, // semicolons: a country of decimal commas
		"a,b\n1.234,x\n2.500,y\n":       {1.234, 2.5},
		"a;b\n1.234;0.5\n2.500;1.5\n":   {1.234, 2.5}, // the other column shows the point
		"a\tb\n1.234\t0,5\n1,5\t2,25\n": {1234, 1.5},
		"a,b\n\"1,234\",x\nNA,y\n":      {1234, math.NaN()},
		"a,b\n1e3,x\n-2.5E-1,y\n":       {1000, -0.25},
		"a,b\n12%,x\n3 %,y\n":           {12, 3},
	} {
		s, err := read(t, in, func(o *dataset.Options) { o.Kinds = map[string]frame.Kind{"a": frame.Number} })
		if err != nil {
			t.Fatal(err)
		}
		f, _ := s.Columns[0].Signal()
		for i, w := range want {
			if got := f.Numbers[i]; got != w && !(math.IsNaN(got) && math.IsNaN(w)) {
				t.Errorf("%q: row %d is %v, want %v", in, i, got, w)
			}
		}
	}
}

func TestNamesOfColumns(t *testing.T) {
	s, err := read(t, "a,a,,a (2)\n1,2,3,4\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	if d := cmp.Diff([]string{"a", "a (2)", "column 3", "a (2) (2)"}, names); d != "" {
		t.Error(d)
	}
}

func TestALabelIsOneColumn(t *testing.T) {
	s, err := read(t, "age,won,won\n1,1,0\n2,0,1\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Outcome("won", dataset.Answers{}); err == nil || !strings.Contains(err.Error(), "column 2 and column 3") {
		t.Errorf("two columns of one name: %v", err)
	}
	if o, err := s.Outcome("won (2)", dataset.Answers{}); err != nil || o.Wins != 1 {
		t.Errorf("the second, named as it is shown: %v, %v", o, err)
	}
}

func TestOrder(t *testing.T) {
	for name, tt := range map[string]struct {
		cells []string
		dates string
		want  []float64
		err   string
	}{
		"numbers":       {[]string{"7", "3", "", "12", "9"}, "", []float64{7, 3, math.NaN(), 12, 9}, ""},
		"iso":           {[]string{"1970-01-02", "1970-01-01T01:00:00+01:00", "1970-01-01 12:00 PM"}, "", []float64{86400, 0, 43200}, ""},
		"day first":     {[]string{"02/01/1970", "13/01/1970"}, "", []float64{86400, 12 * 86400}, ""},
		"month first":   {[]string{"01/02/1970", "01/13/1970"}, "", []float64{86400, 12 * 86400}, ""},
		"points":        {[]string{"02.01.1970", "03.01.1970"}, "", []float64{86400, 2 * 86400}, ""},
		"either":        {[]string{"02/01/1970", "03/01/1970"}, "", nil, "--dates day or --dates month"},
		"told day":      {[]string{"02/01/1970", "03/01/1970"}, "day", []float64{86400, 2 * 86400}, ""},
		"told month":    {[]string{"01/02/1970", "01/03/1970"}, "month", []float64{86400, 2 * 86400}, ""},
		"words":         {[]string{"early", "late", "late"}, "", nil, "taken for a category"},
		"times of day":  {[]string{"13:00", "14:00", "15:00"}, "", nil, "taken for a time of day"},
		"no such day":   {[]string{"2026-02-30", "x", "y"}, "", nil, "a category"},
		"mixed":         {[]string{"02.01.1970", "03.01.1970", "1970-01-04", "05.01.1970"}, "", nil, "taken for a category, since of its 4 cells only 3 read as dates with the day first; write all in one way"},
		"named in both": {[]string{"2 Jan 1970", "Jan 3, 1970"}, "", []float64{86400, 2 * 86400}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := "t,x\n"
			for i, c := range tt.cells {
				text += fmt.Sprintf("\"%s\",%d\n", c, i)
			}
			s, err := read(t, text, func(o *dataset.Options) { o.Dates = tt.dates })
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Column("t")
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Order()
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
				return
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) || err != nil {
				t.Errorf("%v %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestOutcomes(t *testing.T) {
	for name, tt := range map[string]struct {
		cells string
		a     dataset.Answers
		won   string // one letter a row: w(on), l(ost), o(pen)
		err   []string
	}{
		"one and zero":    {"1 0 0 1 _", dataset.Answers{}, "wllwo", nil},
		"yes and no":      {"No Yes no?", dataset.Answers{Positive: []string{"Yes"}}, "lwl", []string{"3 values", "No (1 row)", "--open"}},
		"german":          {"ja nein nein", dataset.Answers{}, "wll", nil},
		"told":            {"red blue red", dataset.Answers{Positive: []string{"blue"}}, "lwl", nil},
		"told otherwise":  {"1 0 0", dataset.Answers{Positive: []string{"0"}}, "lww", nil},
		"not known":       {"red blue red", dataset.Answers{}, "", []string{"which value is a win", "red (2 rows), blue (1 row)", "--positive"}},
		"pipeline":        {"Won Lost Engaging Won", dataset.Answers{}, "", []string{"3 values", "Won (2 rows), Lost (1 row)", "--open"}},
		"pipeline, open":  {"Won Lost Engaging Won", dataset.Answers{Open: []string{"engaging"}}, "wlow", nil},
		"several lost":    {"Won Lost Junk Won", dataset.Answers{Positive: []string{"Won"}, Negative: []string{"Lost", "Junk"}}, "wllw", nil},
		"some forgotten":  {"Won Lost Junk Won", dataset.Answers{Positive: []string{"Won"}, Negative: []string{"Lost"}}, "", []string{"--negative"}},
		"no such value":   {"Won Lost", dataset.Answers{Positive: []string{"Wn"}}, "", []string{"--positive Wn", "no such value", "Won (1 row)"}},
		"named twice":     {"Won Lost", dataset.Answers{Positive: []string{"Won"}, Open: []string{"Won"}}, "", []string{"named twice"}},
		"one class":       {"1 1 1", dataset.Answers{}, "", []string{"every row with an outcome is won", "1 (3 rows)"}},
		"other class":     {"0 0", dataset.Answers{}, "", []string{"--positive"}},
		"no outcome":      {"_ NA", dataset.Answers{}, "", []string{"no row has an outcome"}},
		"two words of it": {"won sold", dataset.Answers{}, "", []string{"which value is a win"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := "label,x\n"
			for i, c := range strings.Fields(tt.cells) {
				text += fmt.Sprintf("%s,%d\n", strings.Trim(c, "_"), i)
			}
			s, err := read(t, text, func(o *dataset.Options) { o.Every = []string{"label"} })
			if err != nil {
				t.Fatal(err)
			}
			o, err := s.Outcome("Label", tt.a)
			if tt.err != nil {
				for _, want := range tt.err {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%v, want %q", err, want)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for i := range o.Won {
				switch {
				case o.Open[i]:
					got += "o"
				case o.Won[i]:
					got += "w"
				default:
					got += "l"
				}
			}
			if got != tt.won {
				t.Errorf("%s, want %s", got, tt.won)
			}
		})
	}
}

// An outcome with names of people in it is not listed on a terminal.
func TestErrorsNameNoPeople(t *testing.T) {
	s, err := read(t, column("who", 300, func(i int) string { return fmt.Sprintf("Person %d", i%100) }), func(o *dataset.Options) { o.Every = []string{"who"} })
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Outcome("who", dataset.Answers{})
	if err == nil || strings.Contains(err.Error(), "Person") || !strings.Contains(err.Error(), "100 different values") {
		t.Error(err)
	}
}

func TestNoColumn(t *testing.T) {
	s, err := read(t, "Lead Source,Converted,Total Visits\na,1,2\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"convertd": `did you mean "Converted"?`, "Visits": `did you mean "Total Visits"?`, "zzz": "its columns are Lead Source, Converted, Total Visits"} {
		if _, err := s.Column(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c, err := s.Column("lead_source"); err != nil || c.Name != "Lead Source" {
		t.Error(c, err)
	}
}

// A column of ten thousand values is one, and one of more than are told apart is not kept whole.
func TestManyValues(t *testing.T) {
	s, err := read(t, column("store", 60_000, func(i int) string { return fmt.Sprintf("store %d", i*7919%10_000) }), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Columns[0]; c.Kind != dataset.Category || c.Distinct != 10_000 {
		t.Errorf("%s of %d values", c.Kind, c.Distinct)
	}
	s, err = read(t, column("name", 60_000, func(i int) string { return fmt.Sprintf("name %d", i) }), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Columns[0]; c.Kind != dataset.ID || !c.More {
		t.Errorf("%s, %+v", c.Kind, c.More)
	}
}

func TestStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leads.csv")
	if err := os.WriteFile(path, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := dataset.Read(ctx, dataset.Options{Path: path}); err == nil {
		t.Error("a stopped reading is whole")
	}
}

// Whatever the bytes are, every column has as many values as there are rows, and no number is infinite.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n1,5;\"x\"\n", "t\n2026-01-01\n1:00\n", "a,a,\n1e999,-,0x1p4\n", "d\n31/12/99 11:00 PM\n", "n\n1 234\n(5)\n$-3\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := read(t, text, nil)
		if err != nil {
			return
		}
		frm := &frame.Frame{Rows: s.Rows}
		for i := range s.Columns {
			if c, ok := s.Columns[i].Signal(); ok {
				frm.Columns = append(frm.Columns, c)
			}
		}
		if err := frm.Check(); err != nil {
			t.Fatal(err)
		}
	})
}
