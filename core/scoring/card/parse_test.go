package card_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

var update = flag.Bool("update", false, "write the expected files anew")

func parse(t testing.TB, text []byte) *card.Card {
	t.Helper()
	c, problems := card.Parse(text)
	for _, p := range problems {
		t.Error(p)
	}
	if c == nil {
		t.Fatalf("in\n%s", text)
	}
	return c
}

func TestMarshalIsReadable(t *testing.T) {
	file := filepath.Join("testdata", "course.yaml")
	got := course().Marshal()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(course(), parse(t, got)); diff != "" {
		t.Error(diff)
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	names := []string{"plain", "with: colon", "null", "yes", "12", " blank ", "Größe", "a\"b\\c", "tab\tnew\nline", "#", "-", "[x]", "\u2028", "\x7f", "日本", "a, b", "'"}
	for range 200 {
		c, _ := random(r, 1)
		c.Groups[names[r.IntN(len(names))]] = card.Cap{Max: points(7)}
		for i := range c.Rows {
			c.Rows[i].Feature = fmt.Sprint(i, names[r.IntN(len(names))])
			c.Rows[i].Label = names[r.IntN(len(names))]
			for j := range c.Rows[i].Bins {
				b := &c.Rows[i].Bins[j]
				if len(b.Values) > 0 {
					b.Values = append([]string{}, names[r.IntN(len(names)):]...)
					b.Label = names[r.IntN(len(names))]
				}
				b.Count = r.Int64N(1e6)
			}
		}
		if diff := cmp.Diff(c, parse(t, c.Marshal()), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestCommentsTellUnitsOfLeads(t *testing.T) {
	c := &card.Card{Target: card.Target{Line: "SALES"}, Calibration: []card.Knot{{High: card.Certain}}, Rows: []card.Row{
		{Feature: "page_view.recency", Kind: frame.Number, Bins: []card.Bin{{Below: below(90)}, {Below: below(5400)}, {Below: below(86400)}, {Below: below(200000)}, {Other: true}}},
		{Feature: "page_view.count", Kind: frame.Number, In: "times", Bins: []card.Bin{{Below: below(1500)}, {Other: true}}},
		{Feature: "visit_days", Kind: frame.Number, Bins: []card.Bin{{Below: below(30)}, {Other: true, Missing: true}}},
	}}
	var got []string
	for _, line := range strings.Split(string(c.Marshal()), "\n") {
		if strings.Contains(line, "- {below") || strings.Contains(line, "else") && strings.Contains(line, "- {") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		"- {below: 90, points: 0}  # below 1.5 minutes",
		"- {below: 5400, points: 0}  # 1.5 minutes up to 1.5 hours",
		"- {below: 86400, points: 0}  # 1.5 hours up to 1 day",
		"- {below: 200000, points: 0}  # 1 day up to 2.31 days",
		"- {else: yes, points: 0}  # 2.31 days and more",
		"- {below: 1.5, points: 0}  # below 1.5 times",
		"- {else: yes, points: 0}  # 1.5 times and more",
		"- {below: 30, points: 0}  # below 30 days",
		"- {missing: yes, else: yes, points: 0}  # 30 days and more, or not known",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(c, parse(t, c.Marshal())); diff != "" {
		t.Error(diff)
	}
}

func TestRevision(t *testing.T) {
	text := course().Marshal()
	shorn := bytes.ReplaceAll(text, []byte("# before any row"), []byte("# my own words"))
	if a, b := course().Revision(), parse(t, shorn).Revision(); a != b || len(a) != 64 {
		t.Errorf("%s and %s", a, b)
	}
	c := course()
	c.Rows[0].Bins[0].Points++
	if c.Revision() == course().Revision() {
		t.Error("a changed card has the old revision")
	}
}

func TestKindIsSeenFromTheBins(t *testing.T) {
	c := parse(t, []byte("target: {column: y}\nbase: 1\ncalibration: [{points: 0, chance: 5 %}]\n"+
		"rows:\n  - feature: a\n    bins: [{below: 3.5, points: 1}, {else: yes, points: 2}]\n  - feature: b\n    bins: [{values: [x], points: 1}, {else: yes, points: 2}]\n"))
	if got := c.Rows[0].Kind.String() + " " + c.Rows[1].Kind.String(); got != "number category" {
		t.Error(got)
	}
	// What an expert says of a chance is no measurement.
	if diff := cmp.Diff([]card.Knot{{PPM: 50_000, High: card.Certain}}, c.Calibration); diff != "" {
		t.Error(diff)
	}
}

func TestProblemsHaveLineColumnAndRemedy(t *testing.T) {
	good := string(course().Marshal())
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown key", "base: 20", "bse: 1\nbase: 20", "8:1: nothing is called bse here; there are target, missing, base,"},
		{"no number", "below: 60,", "below: sixty,", `38:17: below: must be a number such as 60 or 0.5, is "sixty"`},
		{"order", "below: 600.5,", "below: 60,", "40:10: rows[0].bins[2].below: 60 is not above the threshold before it; put the bins in ascending order"},
		{"value twice", "[Referral]", "[Google]", "47:19: rows[1].bins[1].values[0]: \"Google\" has points already"},
		{"no rest", "missing: yes, else: yes, points: -0.45", "missing: yes, points: -0.45", "45:5: rows[1].bins: there is no bin for the rest; add one with else: yes"},
		{"points", "points: 14.25", "points: 1425", `41:29: points: must be points such as 12 or -4.5, at most 1000, is "1425"`},
		{"monotone", "points: 14.25", "points: -14.25", "41:21: rows[0].bins[3].points: Total Time is said to be rising and turns here; change the points or leave monotone out"},
		{"calibration falls", "chance: 91 %", "chance: 9 %", "16:18: calibration[2].chance: is below the knot before it: more points must not mean less chance"},
		{"calibration bounds", "high: 16.5 %", "high: 15 %", "15:46: calibration[1].high: must be the chance to 100 %, is 15 %"},
		{"threshold", "points: 52.5", "points: 152.5", `21:44: points: must be 0 to 100 points, is "152.5"`},
		{"threshold twice", "segment: Mumbai, ", "", "21:6: thresholds[1].name: ready stands there already"},
		{"capacity", "take: 40", "take: 4000", "22:36: thresholds[2].take: take must be 0 to of, and of at least 1, are 4000 and 500"},
		{"feature twice", "feature: Visits", "feature: Source", "49:5: rows[2].feature: Source has a row already; put its bins into that one"},
		{"grid", "- [0.1, -0.2, 0]", "- [0.1, -0.2]", "pairs[0].points[0]: must have one number for every part of the second feature, 3, has 2"},
		{"unit", "kind: number\n    group", "kind: number\n    in: days\n    group", "rows[0].in: only numbers of leads have a unit; leave it out"},
		{"both", "- {below: 60,", "- {below: 60, values: [x],", "rows[0].bins[0]: has both below and values; give one"},
		{"target", "column: Converted", "label: Converted", "4:3: nothing is called label here; there are line, column, positive, segments"},
		{"group twice", "{by: City, rows: 30", "{by: City, value: Mumbai, rows: 30", "learned.groups[1].by: this group of City stands there already"},
		{"group without figures", ", calibration_low: 0.0100", "", "calibration_low"},
		{"group's figure", "auc: 0.8600", "auc: 1.8600", "learned.groups[0].auc: must be 0 to 1, is 1.86"},
		{"group of both", "{by: City, others: 11", "{by: City, value: Pune, others: 11", "give it or value, not both"},
		{"no YAML", "missing: [Select]", "missing: [Select", "6: is no YAML"},
	} {
		if !strings.Contains(good, tt.old) {
			t.Errorf("%s: the text holds no %q", tt.name, tt.old)
			continue
		}
		c, problems := card.Parse([]byte(strings.Replace(good, tt.old, tt.new, 1)))
		if c != nil || len(problems) == 0 {
			t.Errorf("%s: taken", tt.name)
			continue
		}
		var all []string
		for _, p := range problems {
			if p.Line == 0 || p.Message == "" {
				t.Errorf("%s: %+v", tt.name, p)
			}
			all = append(all, p.Error())
		}
		if !strings.Contains(strings.Join(all, "\n"), tt.want) {
			t.Errorf("%s: want %q in\n%s", tt.name, tt.want, strings.Join(all, "\n"))
		}
	}
}

// tableFor makes rows that meet every bin of a card: numbers at, below and above each threshold,
// every value, one unheard of, and nothing.
func tableFor(c *card.Card) *frame.Frame {
	parts := map[string][]card.Part{}
	kinds := map[string]frame.Kind{}
	var names []string
	note := func(name string, kind frame.Kind, p []card.Part) {
		if kinds[name] == 0 {
			names = append(names, name)
			kinds[name] = kind
		}
		if kinds[name] == kind { // else the values are read as the first row knows them
			parts[name] = append(parts[name], p...)
		}
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		p := make([]card.Part, len(r.Bins))
		for j := range r.Bins {
			p[j] = r.Bins[j].Part()
		}
		note(r.Feature, r.Kind, p)
	}
	for i := range c.Pairs {
		for _, s := range []*card.Side{&c.Pairs[i].First, &c.Pairs[i].Second} {
			note(s.Feature, s.Kind, s.Parts)
		}
	}
	const rows = 24
	f := &frame.Frame{Rows: rows}
	for k, name := range names {
		numbers, texts := []float64{math.NaN(), 0, -1e9, 1e9}, []string{"", "1"}
		for _, p := range parts[name] {
			if p.Below != nil {
				numbers = append(numbers, *p.Below, math.Nextafter(*p.Below, math.Inf(-1)))
			}
			texts = append(texts, p.Values...)
		}
		if kinds[name] == frame.Number {
			all := make([]float64, rows)
			for i := range all {
				if all[i] = numbers[(i*7+k)%len(numbers)]; math.IsInf(all[i], 0) {
					all[i] = 0
				}
			}
			f.Columns = append(f.Columns, frame.Numeric(name, all))
			continue
		}
		all := make([]string, rows)
		for i := range all {
			all[i] = texts[(i*7+k)%len(texts)]
		}
		f.Columns = append(f.Columns, frame.Categorical(name, all))
	}
	return f
}

// checkSums fails where contributions do not add up to the points.
func checkSums(t testing.TB, s *card.Scorer, f *frame.Frame) {
	t.Helper()
	b, err := s.Bind(f)
	if err != nil {
		if strings.Contains(err.Error(), "texts that are no numbers") {
			return // two rows know one column differently
		}
		t.Fatal(err)
	}
	all := make([]card.Result, f.Rows)
	b.ScoreAll(all, 0, f.Rows)
	for row, r := range all {
		var sum int32
		for _, x := range b.AppendContributions(nil, row) {
			sum += x.Points
		}
		if sum != r.Points || r.Points < 0 || r.Points > card.MaxPoints || r.LowPPM > r.PPM || r.PPM > r.HighPPM || r.LowPPM < 0 || r.HighPPM > card.Certain {
			t.Fatalf("contributions of %d, %+v", sum, r)
		}
		b.Reasons(row, 3)
	}
}

// FuzzParse reads anything without fault, and what it takes it gives back the same and scores with
// contributions that add up.
func FuzzParse(f *testing.F) {
	// Short ones: what a long seed leads to takes the fuzzer long to shorten.
	const head = "target: {column: y}\nbase: 1\ncalibration: [{points: 0, chance: 5 %}]\n"
	for _, rest := range []string{
		"rows:\n  - feature: a\n    bins: [{below: 3.5, points: 1, error: 0.2, rows: 9}, {missing: yes, points: 4}, {else: yes, points: 2}]\n",
		"rows: [{feature: b, label: \"is {value}\", group: g, bins: [{values: [x, \"y\\n\"], points: -1.25}, {else: yes, missing: yes, points: 2}]}]\ngroups: {g: {max: 1}}\ncap: {min: 0}\n",
		"pairs: [{first: {feature: a, kind: number, parts: [{below: 1}, {else: yes}]}, second: {feature: b, kind: category, parts: [{else: yes}]}, points: [[1], [2]], rows: [[3], [4]]}]\n",
		"thresholds: [{name: r, points: 50, precision: 60 %}, {name: c, points: 40, take: 1, of: 9}]\nmissing: [Select]\nbase_error: 1\n",
		"learned: {rows: 9, wins: 3, split: {column: t, learn: 5}, unseen: {auc: 0.5}, groups: [{by: b, value: x, rows: 3, wins: 1, auc: 0.5, auc_low: 0, auc_high: 1, calibration_error: 0, calibration_low: 0}, {by: b, others: 2, rows: 3, wins: 1, auc: 0.5, auc_low: 0, auc_high: 1, calibration_error: 0, calibration_low: 0}], held: [{column: h, why: leak}], overrides: [{column: o, reason: x}], seed: 7}\n",
	} {
		f.Add([]byte(head + rest))
	}
	f.Add([]byte("target: {line: SALES}\nbase: 1\ncalibration: [{points: 0, chance: 5 %, low: 1 %, high: 9 %}]\nrows:\n  - {feature: page_view.recency, in: hours, monotone: falling, bins: [{below: 36, points: 2}, {else: on, points: 1}]}\n"))
	f.Add([]byte("base: {a: [&x 1, *x]}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, problems := card.Parse(text)
		if (c == nil) != (len(problems) > 0) {
			t.Fatal("neither card nor problem, or both")
		}
		if c == nil {
			return
		}
		s, problems := card.Compile(c)
		if s == nil {
			t.Fatalf("parsed and does not compile: %v", problems)
		}
		checkSums(t, s, tableFor(c))
		written := c.Marshal()
		again, problems := card.Parse(written)
		if again == nil {
			t.Fatalf("%v in\n%s", problems, written)
		}
		if !bytes.Equal(written, again.Marshal()) {
			t.Fatal(cmp.Diff(string(written), string(again.Marshal())))
		}
		if again.Revision() != c.Revision() {
			t.Fatal("another revision")
		}
	})
}
