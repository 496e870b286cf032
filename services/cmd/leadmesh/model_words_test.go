package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The visitors of some doors buy more often than those of others, until last month all do alike.
func fading(t *testing.T) string {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	var b strings.Builder
	b.WriteString("nr,door,hour,won\n")
	for i := range 2000 {
		door := r.IntN(4)
		chance := 0.35 + 0.1*float64(door)
		if i >= 1600 {
			chance = 0.5
		}
		fmt.Fprintf(&b, "%d,door %d,%d,%t\n", i+1, door, 8+r.IntN(10), r.Float64() < chance)
	}
	return written(t, "visits.csv", b.String())
}

// Where rows that were not learned from are told no better than by chance, that is said where the figures
// stand: by learning, on its page, and by judging.
func TestModelSaysThatNothingIsReliable(t *testing.T) {
	dir := t.TempDir()
	table, page := filepath.Join(dir, "model.yaml"), filepath.Join(dir, "report.html")
	leads := fading(t)
	out, _ := model(t, 0, "train", "--data", leads, "--label", "won", "--time", "nr", "--out", table, "--report", page)
	const words = "On 400 rows not learned from, the points tell won from lost no better than chance: the AUC is 0."
	holds(t, out, "The columns tell nothing reliable", words, "and 0.5 is chance.")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, string(text), "The columns tell nothing reliable", words)

	all, err := os.ReadFile(leads)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(all), "\n")
	upside := strings.NewReplacer("door 0", "door 3", "door 1", "door 2", "door 2", "door 1", "door 3", "door 0").Replace(strings.Join(lines[1:1601], ""))
	for name, told := range map[string]bool{leads: false, written(t, "upside.csv", lines[0]+upside): true} {
		out, _ := model(t, 0, "evaluate", "--data", name, "--model", table)
		if got := strings.Contains(out, "on these rows the points tell won from lost no better than chance"); got != told {
			t.Errorf("%s: %v\n%s", name, got, out)
		}
	}

	// What tells something is not called so.
	good, _ := model(t, 0, "train", "--data", leadsOf(t, 1, 2000), "--label", "outcome", "--time", "created", "--out", table)
	if strings.Contains(good, "nothing reliable") {
		t.Error(good)
	}
}

// The page names first what changed most, as numbers go.
func TestModelPageNamesTheGreatestChangeFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var b strings.Builder
	b.WriteString("nr,lamp,wave,door,won\n")
	for i := range 2000 {
		lamp, door := "off", r.IntN(4)
		if chance := 0.1 + 0.8*float64(i/1600); r.Float64() < chance {
			lamp = "on"
		}
		fmt.Fprintf(&b, "%d,%s,wave %d,door %d,%t\n", i+1, lamp, i/300, door, r.Float64() < 0.2+0.2*float64(door))
	}
	page := filepath.Join(t.TempDir(), "report.html")
	model(t, 0, "train", "--data", written(t, "visits.csv", b.String()), "--label", "won", "--time", "nr", "--out", filepath.Join(t.TempDir(), "model.yaml"), "--report", page)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "<h2>Columns that change over time</h2>")
	lamp, wave := strings.Index(section, "<td>lamp</td>"), strings.Index(section, "<td>wave</td>")
	if lamp < 0 || wave < 0 || lamp < wave {
		t.Errorf("lamp at %d, wave at %d of\n%.1500s", lamp, wave, section)
	}
}

// Rows that are still open do not hide that a table is judged by what it was learned from.
func TestModelJudgedByWhatItWasLearnedFrom(t *testing.T) {
	table := filepath.Join(t.TempDir(), "model.yaml")
	leads := leadsOf(t, 1, 2000)
	model(t, 0, "train", "--data", leads, "--label", "outcome", "--time", "created", "--decided", "decided", "--out", table)
	const words = "the figures flatter it"
	out, _ := model(t, 0, "evaluate", "--data", leads, "--model", table)
	holds(t, out, "rows still open", words)
	if out, _ = model(t, 0, "evaluate", "--data", leadsOf(t, 2, 2000), "--model", table); strings.Contains(out, words) {
		t.Error(out)
	}
}

func TestModelExplainSaysWhatHasNoPointsOfItsOwn(t *testing.T) {
	table := written(t, "model.yaml", "target: {column: won, positive: \"1\"}\nbase: 20\ncalibration:\n  - {points: 0, chance: 1 %}\n  - {points: 100, chance: 90 %}\nrows:\n"+
		"  - feature: source\n    kind: category\n    bins: [{values: [web], points: 5}, {missing: yes, points: 2}, {else: yes, points: -1}]\n")
	leads := written(t, "leads.csv", "source\nfair\nweb\n")
	const words = `source: "wbe" has no points of its own and counts as all other values`
	out, _ := model(t, 0, "explain", "--model", table, "--data", leads, "--row", "2", "--set", "source=wbe")
	holds(t, out, words)
	// The table says nothing of missing words, so the usual ones are meant.
	for _, known := range []string{"source=web", "source=", "source=NA"} {
		if out, _ := model(t, 0, "explain", "--model", table, "--data", leads, "--row", "1", "--set", known); strings.Contains(out, "of its own") {
			t.Errorf("%s\n%s", known, out)
		}
	}
}
