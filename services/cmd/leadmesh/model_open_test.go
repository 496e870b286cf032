package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/analyst"
)

// A sale takes weeks, and a campaign brought many rows just now: all of the newest are open. How good the
// points table is shows on the newest of those whose outcome is known.
func TestModelIsJudgedByDecidedRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("created,decided,visits,won\n")
	day := func(at float64) string {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(at * 24 * float64(time.Hour))).Format(time.DateTime)
	}
	const rows, known = 3000, 2000
	for i := range rows {
		at, visits := 200*float64(i)/known, r.IntN(10)
		won, decided := "0", day(at+30)
		if r.Float64() < 0.05+0.08*float64(visits) {
			won = "1"
		}
		if i >= known {
			at, decided, won = 235+float64(i-known)/1000, "", ""
		}
		fmt.Fprintf(&b, "%s,%s,%d,%s\n", day(at), decided, visits, won)
	}
	table := filepath.Join(t.TempDir(), "model.yaml")
	out, _ := model(t, 0, "train", "--data", written(t, "leads.csv", b.String()), "--label", "won", "--time", "created", "--decided", "decided", "--out", table)
	holds(t, out, "rows still open", "on 400 rows not learned from")
	c, err := analyst.Load(table)
	if err != nil {
		t.Fatal(err)
	}
	if u := c.Learned.Unseen; u.Rows != 400 || u.AUC < 0.65 {
		t.Errorf("the figures are %+v", u)
	}
}
