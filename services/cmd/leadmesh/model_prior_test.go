package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/analyst"
)

// An expert's limit of a group does not hide from those who learn what rows go beyond it: it is put
// back on what was learned, as wide as rows went, which the report says; so the points table tells the
// rows apart, and its chances are true, where the limit as it stood would make them all alike.
func TestModelLearnsBeyondALimit(t *testing.T) {
	prior := written(t, "prior.yaml", `target: {column: won, positive: "1"}
base: 30
calibration: [{points: 0, chance: 5 %}, {points: 100, chance: 95 %}]
rows:
  - {feature: visits, kind: number, group: interest, bins: [{below: 3, points: 0}, {else: yes, points: 4}]}
  - {feature: calls, kind: number, group: interest, bins: [{below: 3, points: 0}, {else: yes, points: 4}]}
groups: {interest: {max: 5}}
`)
	r := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("visits,calls,won\n")
	for range 4000 {
		visits, calls := r.IntN(6), r.IntN(6)
		chance, won := 0.1, 0
		if visits >= 3 {
			chance += 0.3
		}
		if calls >= 3 {
			chance += 0.45
		}
		if r.Float64() < chance {
			won = 1
		}
		fmt.Fprintf(&b, "%d,%d,%d\n", visits, calls, won)
	}
	leads, table := written(t, "leads.csv", b.String()), filepath.Join(t.TempDir(), "model.yaml")
	out, _ := model(t, 0, "train", "--data", leads, "--label", "won", "--prior", prior, "--out", table)
	holds(t, out, "The limit of interest was moved from 5 to ")
	c, err := analyst.Load(table)
	if err != nil {
		t.Fatal(err)
	}
	if limit := c.Groups["interest"].Max; limit == nil || *limit < 1000 {
		t.Fatalf("the limit is %v", limit)
	}
	if u := c.Learned.Unseen; u.AUC < 0.75 || u.CalibrationError > 0.08 {
		t.Errorf("on rows that were not learned from: %+v", u)
	}
}
