package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A number that stands for "never" is called a code before and after learning, and has a bin of its own.
func TestModelShowsCodes(t *testing.T) {
	var b strings.Builder
	b.WriteString("days_since_visit,visits,won\n")
	for i := range 1500 {
		days, luck := -1, i*7907%101
		won := luck < 10
		if i%5 == 0 {
			days = 1 + i*7919%351
			won = luck < 80-days/5
		}
		fmt.Fprintf(&b, "%d,%d,%t\n", days, i*11%13, won)
	}
	dir := t.TempDir()
	table, page := filepath.Join(dir, "model.yaml"), filepath.Join(dir, "report.html")
	out, _ := model(t, 0, "train", "--data", written(t, "leads.csv", b.String()), "--label", "won", "--out", table, "--report", page)
	holds(t, out, "-1 stands apart: 80 % of rows; read as a code")
	for path, wanted := range map[string][]string{
		table: {"below: 0"},
		page:  {"-1 stands apart: 80 % of rows; read as a code"},
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, string(text), wanted...)
	}
}
