package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// stages is a table over the made-up leads, with a threshold that nobody derived.
const stages = `target: {column: outcome, positive: won}
base: 30
calibration: [{points: 0, chance: 0 %}, {points: 100, chance: 100 %}]
thresholds: [{name: mine, points: 12}]
rows:
  - feature: source
    bins: [{values: [walk-in], points: 30}, {values: [phone], points: 20}, {else: yes, points: 0}]
  - feature: visits
    bins: [{below: 2, points: 0}, {below: 5, points: 10}, {else: yes, points: 20}]
`

func TestModelThreshold(t *testing.T) {
	table, leads := written(t, "stages.yaml", stages), leadsOf(t, 3, 2000)
	dir := t.TempDir()
	read := func(name string) *card.Card {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		c, problems := card.Parse(text)
		if c == nil {
			t.Fatal(problems)
		}
		return c
	}
	// Points are chances here: those from 60 on are 60, 70 and 80.
	out, _ := model(t, 0, "threshold", "--model", table, "--data", leads, "--name", "ready", "--precision", "65%", "--segment", "source", "--out", filepath.Join(dir, "a.yaml"))
	holds(t, out, "ready      walk-in", "ready website: not even the best rows reach 65 %", "mine       all others")
	c := read("a.yaml")
	if c.Target.Segments != "source" || c.Thresholds[0].Name != "mine" {
		t.Errorf("%+v", c.Target)
	}
	found := map[string]int32{}
	for _, x := range c.Thresholds[1:] {
		if x.Precision != 650_000 {
			t.Errorf("%+v", x)
		}
		found[x.Segment] = x.Points
	}
	if p := found["walk-in"]; p < 6000 || p > 7000 {
		t.Errorf("walk-in from %d", p)
	}
	if found["phone"] != 7000 || found["website"] != card.MaxPoints || len(found) != 8 {
		t.Errorf("%v", found)
	}
	// A desk that takes 1 of 10 gets no more, and a second threshold goes by all.
	model(t, 0, "threshold", "--model", filepath.Join(dir, "a.yaml"), "--data", leads, "--name", "call today", "--capacity", "1/10", "--out", filepath.Join(dir, "b.yaml"))
	c = read("b.yaml")
	last := c.Thresholds[len(c.Thresholds)-1]
	if last.Name != "call today" || last.Segment != "" || last.Points < 5000 || len(c.Thresholds) != 10 {
		t.Errorf("%+v", last)
	}
	// Without a name, all that say what they come from are found again; a changed one comes back.
	moved := strings.Replace(string(c.Marshal()), "{name: call today, points: "+string(card.AppendPoints(nil, last.Points)), "{name: call today, points: 1", 1)
	out, _ = model(t, 0, "threshold", "--model", written(t, "moved.yaml", moved), "--data", leads, "--out", filepath.Join(dir, "c.yaml"))
	holds(t, out, "call today")
	if read("c.yaml").Revision() != c.Revision() {
		t.Error("the thresholds derived again are others")
	}
}

func TestModelThresholdErrors(t *testing.T) {
	table, leads := written(t, "stages.yaml", stages), leadsOf(t, 3, 300)
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"no threshold of", nil},
		{"--name: which threshold", []string{"--precision", "60%"}},
		{"--name: give the precision or the capacity", []string{"--name", "ready"}},
		{"--precision: must be a percentage", []string{"--name", "ready", "--precision", "0.6"}},
		{"--capacity: must be rows of rows", []string{"--name", "ready", "--capacity", "500/40"}},
		{"--segment", []string{"--name", "ready", "--capacity", "40/500", "--segment", "town"}},
		{"--segment lead_id", []string{"--name", "ready", "--capacity", "40/500", "--segment", "lead_id"}},
	} {
		out := filepath.Join(t.TempDir(), "out.yaml")
		_, stderr := model(t, exitUsage, append([]string{"threshold", "--model", table, "--data", leads, "--out", out}, tt.args...)...)
		holds(t, stderr, tt.want)
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: a table was written", tt.want)
		}
	}
}
