package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/deploy/sample/outcomes"
	"github.com/leadmesh/leadmesh/services/internal/analyst"
)

// model runs a command and returns what it told.
func model(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := run(append([]string{"model"}, args...), &out, &err); got != code {
		t.Fatalf("exit %d, want %d\n%s%s", got, code, out.String(), err.String())
	}
	return out.String(), err.String()
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func leadsOf(t *testing.T, seed uint64, count int) string {
	t.Helper()
	var b bytes.Buffer
	if err := outcomes.Write(&b, outcomes.Options{Seed: seed, Count: count}); err != nil {
		t.Fatal(err)
	}
	return written(t, "leads.csv", b.String())
}

func holds(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// area is the share of pairs of a won and a lost row that a score puts in the right order.
func area(score []float64, won []bool) float64 {
	right, pairs := 0.0, 0.0
	for i := range won {
		for j := range won {
			if won[i] && !won[j] {
				pairs++
				switch {
				case score[i] > score[j]:
					right++
				case score[i] == score[j]:
					right += 0.5
				}
			}
		}
	}
	return right / pairs
}

// A table is learned from leads whose truth is known; leads that it has not seen are scored nearly as
// well as by the truth, every row's parts add up to its points, and a row is explained in words.
func TestModelFromLeadsToReasons(t *testing.T) {
	dir := t.TempDir()
	table, page, scored := filepath.Join(dir, "model.yaml"), filepath.Join(dir, "report.html"), filepath.Join(dir, "scored.csv")
	out, _ := model(t, 0, "train", "--data", leadsOf(t, 1, 3000), "--label", "outcome", "--time", "created", "--decided", "decided",
		"--exclude", "call_minutes", "--out", table, "--report", page)
	holds(t, out, "outcome", "order of time", "denied: it speaks of age", "left out by --exclude", "a row is won where outcome is won",
		"rows still open", "peak memory")
	for _, path := range []string{table, page} {
		if info, err := os.Stat(path); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", path, err)
		}
	}
	fresh := leadsOf(t, 2, 1500)
	out, _ = model(t, 0, "score", "--model", table, "--data", fresh, "--out", scored, "--parts")
	holds(t, out, "rows scored", "1,500", "wins expected")

	file, err := os.ReadFile(scored)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil || len(rows) != 1501 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	number := func(row []string, name string) float64 {
		v, err := strconv.ParseFloat(row[at[name]], 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return v
	}
	var truth, points []float64
	var won []bool
	expected, wins, i := 0.0, 0.0, 1
	for lead := range outcomes.Leads(outcomes.Options{Seed: 2, Count: 1500}) {
		row := rows[i]
		i++
		sum := 0.0
		for name := range at {
			if strings.HasPrefix(name, "points: ") {
				sum += number(row, name)
			}
		}
		if math.Abs(sum-number(row, "points")) > 1e-6 {
			t.Fatalf("line %d: the parts make %v, the points are %s", i, sum, row[at["points"]])
		}
		if p := number(row, "probability"); p < number(row, "low") || p > number(row, "high") {
			t.Fatalf("line %d: the probability is not in its interval", i)
		}
		truth, points, won = append(truth, lead.Probability), append(points, number(row, "points")), append(won, lead.Won)
		expected += number(row, "probability")
		wins += lead.Probability
	}
	best, got := area(truth, won), area(points, won)
	if got < best-0.03 || got < 0.7 {
		t.Errorf("AUC %.3f, that of the truth is %.3f", got, best)
	}
	if math.Abs(expected-wins) > 0.12*wins {
		t.Errorf("%.0f wins expected, by the truth %.0f", expected, wins)
	}
	holds(t, rows[1][at["reasons"]], ": ", "; ")

	judge(t, table, fresh, best)

	out, _ = model(t, 0, "explain", "--model", table, "--data", fresh, "--row", "3", "--set", "source=walk-in", "--set", "distance_km=")
	holds(t, out, "row 3 of leads.csv, line 4", "base", "points, of 100", "probability", "with the values set", "source walk-in", "distance_km not known", "was ")
}

// judge tries evaluate and diff on leads that the table has not seen.
func judge(t *testing.T, table, leads string, best float64) {
	t.Helper()
	again := filepath.Join(t.TempDir(), "again.yaml")
	out, _ := model(t, 0, "evaluate", "--model", table, "--data", leads, "--segment", "source", "--recalibrate", again)
	holds(t, out, "AUC", "calibration error", "rows by points", "what was predicted", "by source", "social media", "recalibrated", "rows still open")
	var figures struct {
		AUC, LogLoss struct{ Value, Low, High float64 }
		Rows, Won    int
		Lift         []struct{ Gain float64 }
		Segments     []struct{ Value string }
	}
	out, _ = model(t, 0, "evaluate", "--model", table, "--data", leads, "--segment", "source", "--json")
	if err := json.Unmarshal([]byte(out), &figures); err != nil {
		t.Fatal(err)
	}
	if a := figures.AUC; a.Low > a.Value || a.High < a.Value || a.Value < best-0.03 || figures.Rows < 1400 || len(figures.Lift) != 10 || len(figures.Segments) != 7 {
		t.Errorf("%+v", figures)
	}
	out, _ = model(t, 0, "diff", table, again, "--data", leads)
	holds(t, out, "calibration", "rows")
	if out, _ = model(t, 0, "diff", table, table); out != "nothing changes\n" {
		t.Errorf("a table differs from itself: %s", out)
	}
}

// Rows that are won half as often as the expert thought: the points hold, the probabilities do not, and
// recalibrating mends that.
func TestModelRecalibrate(t *testing.T) {
	var card, leads strings.Builder
	card.WriteString("target: {column: won, positive: \"1\"}\nbase: 0\ncalibration:\n  - {points: 0, chance: 10 %}\n  - {points: 100, chance: 90 %}\nrows:\n  - feature: x\n    kind: number\n    bins:\n")
	for i := range 20 {
		fmt.Fprintf(&card, "      - {below: %d, points: %d}\n", i+1, 5*i)
	}
	card.WriteString("      - {else: yes, points: 100}\n")
	leads.WriteString("x,won\n")
	for i := range 6000 {
		x := i % 20
		won := i*7919%6000 < 6000*(10+4*x)/200
		fmt.Fprintf(&leads, "%d,%d\n", x, map[bool]int{true: 1, false: 0}[won])
	}
	table, data, again := written(t, "model.yaml", card.String()), written(t, "leads.csv", leads.String()), filepath.Join(t.TempDir(), "again.yaml")
	off := func(table string, more ...string) float64 {
		out, _ := model(t, 0, append([]string{"evaluate", "--model", table, "--data", data, "--json"}, more...)...)
		var figures struct {
			Raw float64 `json:"calibration_error_as_seen"`
		}
		if err := json.Unmarshal([]byte(out), &figures); err != nil {
			t.Fatal(err)
		}
		return figures.Raw
	}
	if before, after := off(table, "--recalibrate", again), off(again); before < 0.15 || after > 0.03 {
		t.Errorf("off by %.3f, then by %.3f", before, after)
	}
}

// Rows of one customer are learned from or kept unseen together: a table that knows customers by heart
// shows nothing of it.
func TestModelGroup(t *testing.T) {
	var b strings.Builder
	b.WriteString("customer,street,won\n")
	for i := range 2400 { // each customer lives in a street of its own, and all its rows end alike
		c := i % 60
		fmt.Fprintf(&b, "c%d,s%d,%d\n", c, c, (c*7919%101)%2)
	}
	leads := written(t, "leads.csv", b.String())
	auc := func(args ...string) float64 {
		out, _ := model(t, 0, append([]string{"train", "--data", leads, "--label", "won", "--out", filepath.Join(t.TempDir(), "model.yaml")}, args...)...)
		for line := range strings.Lines(out) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "AUC" {
				v, err := strconv.ParseFloat(f[1], 64)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
		}
		t.Fatalf("no AUC in\n%s", out)
		return 0
	}
	with, without := auc("--group", "customer"), auc("--exclude", "customer")
	if without < 0.7 || with > without-0.1 {
		t.Errorf("AUC %.3f with customers kept together, %.3f with them on both sides", with, without)
	}
}

// What is written after the call is called out, what is denied comes in only for a reason that is kept,
// and both are on the page.
func TestModelWarns(t *testing.T) {
	dir := t.TempDir()
	table, page := filepath.Join(dir, "model.yaml"), filepath.Join(dir, "report.html")
	out, _ := model(t, 0, "train", "--data", leadsOf(t, 1, 2000), "--label", "outcome", "--time", "created", "--allow-denied", "age", "--because", "a rule of the insurer",
		"--missing", "+Brattli", "--out", table, "--report", page)
	holds(t, out, "Suspected leaks", "call_minutes: ", `--exclude "call_minutes"`, "denied (age), allowed because a rule of the insurer", "beside them, with age",
		"campaign: ", "unknown, Select, Brattli", "rows still open", "left out: nobody knows yet")
	for path, wanted := range map[string][]string{
		table: {"a rule of the insurer", "Brattli"},
		page:  {"Suspected leaks", "call_minutes", "points table without age", "it is free text"},
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, string(text), wanted...)
	}
	if text, _ := os.ReadFile(table); strings.Contains(string(text), "values: [Brattli") {
		t.Error("what means missing has points as a value")
	}
}

func TestModelCommandErrors(t *testing.T) {
	leads := written(t, "leads.csv", "id,source,visits,age,stage,outcome,when\n1,web,3,20,Won,1,02/03/2026\n2,fair,4,30,Lost,0,03/03/2026\n3,web,5,40,Open,1,04/03/2026\n4,web,,50,Won,,05/03/2026\n")
	one := written(t, "one.csv", "a,won\n1,1\n2,1\n")
	flat := written(t, "flat.csv", "a,b,won\nx,NA,1\nx,,0\n")
	empty := written(t, "empty.csv", "")
	header := written(t, "header.csv", "a,won\n")
	table := written(t, "model.yaml", "target: {column: won, positive: \"1\"}\nbase: 20\ncalibration:\n  - {points: 0, chance: 1 %}\n  - {points: 100, chance: 90 %}\nrows:\n"+
		"  - feature: visits\n    kind: number\n    bins: [{below: 3, points: 0}, {else: yes, points: 12}]\n  - feature: source\n    kind: category\n    bins: [{values: [web], points: 5}, {else: yes, points: -1}]\n")
	broken := written(t, "broken.yaml", "target: {column: won, positive: \"1\"}\nbase: many\nrows: []\n")
	lacking := written(t, "lacking.csv", "source,visit\nweb,3\n")
	for name, tt := range map[string]struct {
		args []string
		code int
		err  []string
	}{
		"no such file":      {[]string{"train", "--data", "none.csv", "--label", "won"}, 1, []string{"none.csv"}},
		"empty file":        {[]string{"train", "--data", empty, "--label", "won"}, 1, []string{"empty.csv: the file is empty"}},
		"no rows":           {[]string{"train", "--data", header, "--label", "won"}, 2, []string{"header.csv holds no rows"}},
		"no such label":     {[]string{"train", "--data", leads, "--label", "outcom"}, 2, []string{"--label", `no column "outcom"`, `did you mean "outcome"?`}},
		"three values":      {[]string{"train", "--data", leads, "--label", "stage"}, 2, []string{"won or lost", "3 values", "Won (2 rows)", "--positive", "--open"}},
		"no such value":     {[]string{"train", "--data", leads, "--label", "outcome", "--positive", "yes"}, 2, []string{"--positive yes", "its values are 1 (2 rows), 0 (1 row)"}},
		"one class":         {[]string{"train", "--data", one, "--label", "won"}, 2, []string{"every row with an outcome is won"}},
		"nothing left":      {[]string{"train", "--data", flat, "--label", "won"}, 2, []string{"no column is left to learn from", "a: it is the same in every row", "b: it holds nothing"}},
		"too few":           {[]string{"train", "--data", leads, "--label", "outcome"}, 2, []string{"at least 20"}},
		"no such exclude":   {[]string{"train", "--data", leads, "--label", "outcome", "--exclude", "visist"}, 2, []string{"--exclude", `did you mean "visits"?`}},
		"which comes first": {[]string{"train", "--data", leads, "--label", "outcome", "--time", "when"}, 2, []string{"--time when", "--dates day or --dates month"}},
		"no order":          {[]string{"train", "--data", leads, "--label", "outcome", "--time", "source"}, 2, []string{"--time source", "a number or of a date"}},
		"denied, no reason": {[]string{"train", "--data", leads, "--label", "outcome", "--allow-denied", "age"}, 2, []string{"--allow-denied age", "--because"}},
		"not denied":        {[]string{"train", "--data", leads, "--label", "outcome", "--allow-denied", "visits", "--because", "x"}, 2, []string{"visits", "not denied"}},
		"used twice":        {[]string{"train", "--data", leads, "--label", "outcome", "--time", "outcome"}, 2, []string{"--time outcome", "the outcome already"}},
		"when, not since":   {[]string{"train", "--data", leads, "--label", "outcome", "--decided", "when"}, 2, []string{"--decided when", "--time"}},
		"over the data":     {[]string{"train", "--data", leads, "--label", "outcome", "--report", leads}, 2, []string{"give another name"}},
		"no label":          {[]string{"train", "--data", leads}, 2, []string{"--label"}},
		"broken table":      {[]string{"score", "--data", leads, "--model", broken}, 2, []string{"broken.yaml:2:"}},
		"column lacking":    {[]string{"score", "--data", lacking, "--model", table}, 2, []string{`lacking.csv has no column "visits"`, `did you mean "visit"?`, "--lacking"}},
		"judged by nothing": {[]string{"evaluate", "--data", leads, "--model", table}, 2, []string{"--label", `no column "won"`}},
		"judged, no column": {[]string{"evaluate", "--data", leads, "--model", table, "--label", "outcome", "--segment", "sauce"}, 2, []string{"--segment", `did you mean "source"?`}},
		"compared, lacking": {[]string{"diff", table, table, "--data", lacking}, 2, []string{`no column "visits"`, "--lacking"}},
		"row beyond":        {[]string{"explain", "--data", leads, "--model", table, "--row", "5"}, 2, []string{"--row 5", "the rows 1 to 4"}},
		"row zero":          {[]string{"explain", "--data", leads, "--model", table, "--row", "0"}, 2, []string{"--row 0"}},
		"what if, badly":    {[]string{"explain", "--data", leads, "--model", table, "--row", "1", "--set", "visits"}, 2, []string{"--set visits", "column=value"}},
		"what if, no word":  {[]string{"explain", "--data", leads, "--model", table, "--row", "1", "--set", "visits=many"}, 2, []string{"visits is a number"}},
		"what if, unused":   {[]string{"explain", "--data", leads, "--model", table, "--row", "1", "--set", "age=3"}, 2, []string{"does not look at this column", "visits, source"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			args := tt.args
			switch args[0] {
			case "train", "score":
				args = append(args, "--out", filepath.Join(dir, "out"))
			case "evaluate":
				args = append(args, "--recalibrate", filepath.Join(dir, "out"))
			}
			_, stderr := model(t, tt.code, args...)
			holds(t, stderr, tt.err...)
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	out, _ := model(t, 0, "score", "--data", lacking, "--model", table, "--lacking", "--out", "-")
	if want := "source,visit,probability,low,high,points,reasons\nweb,3,"; !strings.HasPrefix(out, want) {
		t.Errorf("%q, want %q", out, want)
	}
}

// An expert's table needs nothing learned.
func TestModelExplainsWhatAnExpertWrote(t *testing.T) {
	table := written(t, "model.yaml", "target: {column: won, positive: \"1\"}\nbase: 20\ncalibration:\n  - {points: 0, chance: 1 %}\n  - {points: 100, chance: 90 %}\nrows:\n"+
		"  - feature: Visits\n    kind: number\n    bins: [{below: 3, points: 0}, {else: yes, points: 12.5}]\n")
	leads := written(t, "leads.csv", "visits;preis\n4,5;1.000,50\n1;2\n")
	out, _ := model(t, 0, "explain", "--model", table, "--data", leads, "--row", "1", "--set", "Visits=2")
	holds(t, out, "Visits 4.5", "+12.50", "32.50", "with the values set", "Visits 2", "20.00", "were 32.50")
}

// Who stops it finds nothing half written.
func TestModelStopped(t *testing.T) {
	dir := t.TempDir()
	leads := leadsOf(t, 1, 3000)
	for _, at := range []string{"reading", "learning"} {
		ctx, stop := context.WithCancel(t.Context())
		o := analyst.TrainOptions{Label: "outcome", Out: filepath.Join(dir, "model.yaml"), Report: filepath.Join(dir, "report.html")}
		o.Data = leads
		seen := ""
		o.Progress = func(step string, _, _ int) {
			if seen = step; step == at {
				stop()
			}
		}
		if at == "reading" {
			o.Planned = func(*analyst.Plan) { stop() }
		}
		if _, err := analyst.Train(ctx, o); err == nil {
			t.Errorf("stopped while %s, but nobody heard; last seen %s", at, seen)
		}
		stop()
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Where the model goes to standard output nothing else does.
func TestModelToStandardOutput(t *testing.T) {
	out, told := model(t, 0, "train", "--data", leadsOf(t, 1, 400), "--label", "outcome", "--out", "-")
	if !strings.HasPrefix(out, "#") && !strings.HasPrefix(out, "target:") {
		t.Errorf("standard output begins with %q", fmt.Sprintf("%.60s", out))
	}
	holds(t, told, "rows learned from")
}

// What --segment names parts the figures on unseen rows, in the summary and in the points table, whether the
// column is learned from or not.
func TestModelTellsFiguresApart(t *testing.T) {
	table := filepath.Join(t.TempDir(), "model.yaml")
	leads := leadsOf(t, 1, 3000)
	out, _ := model(t, 0, "train", "--data", leads, "--label", "outcome", "--time", "created", "--exclude", "call_minutes,source", "--segment", "source", "--out", table)
	holds(t, out, "by source, on rows not learned from")
	c, err := analyst.Load(table)
	if err != nil {
		t.Fatal(err)
	}
	rows, wins := int64(0), int64(0)
	for _, g := range c.Learned.Groups {
		if rows, wins = rows+g.Rows, wins+g.Positives; g.By != "source" || g.AUCLow > g.AUC || g.AUC > g.AUCHigh {
			t.Errorf("%+v", g)
		}
	}
	if u := c.Learned.Unseen; len(c.Learned.Groups) < 2 || rows != u.Rows || wins != u.Positives {
		t.Errorf("%d groups of %d rows and %d wins; unseen are %d and %d", len(c.Learned.Groups), rows, wins, u.Rows, u.Positives)
	}
	for _, wrong := range [][2]string{{"source,source", "twice"}, {"nothing", "--segment"}, {"comment", "few values"}} {
		_, told := model(t, exitUsage, "train", "--data", leads, "--label", "outcome", "--segment", wrong[0], "--out", table)
		holds(t, told, wrong[1])
	}
}
