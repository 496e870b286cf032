package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/analyst"
)

// insured are rows of which age tells much and visits a little.
func insured(t *testing.T, seed uint64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("age,visits,won\n")
	for range 3000 {
		age, visits := 20+r.IntN(50), r.IntN(10)
		chance := 0.1 + 0.03*float64(visits)
		if age > 45 {
			chance += 0.4
		}
		won := 0
		if r.Float64() < chance {
			won = 1
		}
		fmt.Fprintf(&b, "%d,%d,%d\n", age, visits, won)
	}
	return written(t, "leads.csv", b.String())
}

// Where a denied column is allowed, the figures that count are those without it, in the summary, on the
// page and where the points table is judged anew; those with it stand beside them, and the points table
// keeps both.
func TestModelComparesWithoutDeniedColumns(t *testing.T) {
	dir := t.TempDir()
	table, page := filepath.Join(dir, "model.yaml"), filepath.Join(dir, "report.html")
	out, _ := model(t, 0, "train", "--data", insured(t, 1), "--label", "won", "--allow-denied", "age", "--because", "a rule of the insurer", "--out", table, "--report", page)
	c, err := analyst.Load(table)
	if err != nil {
		t.Fatal(err)
	}
	with, without := c.Learned.Unseen, c.Learned.Without
	if with.Rows != without.Rows || without.AUC < 0.55 || with.AUC < without.AUC+0.08 {
		t.Fatalf("with age AUC %.3f on %d rows, without %.3f on %d", with.AUC, with.Rows, without.AUC, without.Rows)
	}
	holds(t, field(t, out, "AUC"), fmt.Sprintf("%.3f", without.AUC))
	holds(t, out, "without age, as figures to compare by are", "beside them, with age, which an override allows", fmt.Sprintf("%.3f (", with.AUC))
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, string(text), fmt.Sprintf("<b>%.3f</b><span>AUC without age</span>", without.AUC), fmt.Sprintf("with it, by override, %.3f", with.AUC), "beside it, by override: the points table with age")

	fresh := insured(t, 2)
	out, _ = model(t, 0, "evaluate", "--model", table, "--data", fresh)
	holds(t, out, "with age at average points in every row", "beside them, with age",
		fmt.Sprintf("learned anew without age, its AUC was %.3f", without.AUC), fmt.Sprintf("with age %.3f", with.AUC))
	var doc struct {
		AUC      struct{ Value float64 }
		Override struct {
			Columns []string
			Without struct{ AUC struct{ Value float64 } }
			Learned struct {
				Without struct{ Value float64 } `json:"auc_without"`
				With    struct{ Value float64 } `json:"auc_with"`
			}
		}
	}
	told, _ := model(t, 0, "evaluate", "--model", table, "--data", fresh, "--json")
	if err := json.Unmarshal([]byte(told), &doc); err != nil {
		t.Fatal(err)
	}
	o := doc.Override
	if doc.AUC.Value < o.Without.AUC.Value+0.08 || o.Without.AUC.Value < 0.55 || o.Learned.Without.Value != without.AUC || o.Learned.With.Value != with.AUC || len(o.Columns) != 1 {
		t.Errorf("%+v", doc)
	}
	holds(t, field(t, out, "AUC"), fmt.Sprintf("%.3f", o.Without.AUC.Value))

	// Nothing is said of overrides where there is none.
	out, _ = model(t, 0, "train", "--data", insured(t, 1), "--label", "won", "--out", table)
	for _, word := range []string{"override", "beside"} {
		if strings.Contains(out, word) {
			t.Errorf("%q in\n%s", word, out)
		}
	}
}

// Where nothing but denied columns is left, the comparison is with what tells nothing.
func TestModelOfDeniedColumnsAlone(t *testing.T) {
	table := filepath.Join(t.TempDir(), "model.yaml")
	out, _ := model(t, 0, "train", "--data", insured(t, 1), "--label", "won", "--exclude", "visits", "--allow-denied", "age", "--because", "a rule of the insurer", "--out", table)
	if got := field(t, out, "AUC"); !strings.HasPrefix(got, "0.500") {
		t.Errorf("AUC without age is %s\n%s", got, out)
	}
}

// field is what stands first behind a word at the beginning of a line.
func field(t *testing.T, text, word string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), word+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("no %s in\n%s", word, text)
	return ""
}
