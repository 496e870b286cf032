package outcomes_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/leadmesh/leadmesh/deploy/sample/outcomes"
)

// Shipped are the options of leads.csv. `go test ./outcomes -run TestShipped -args write` makes it anew.
var shipped = outcomes.Options{Seed: 1, Count: 3000}

func TestShipped(t *testing.T) {
	var b bytes.Buffer
	if err := outcomes.Write(&b, shipped); err != nil {
		t.Fatal(err)
	}
	if len(os.Args) > 1 && os.Args[len(os.Args)-1] == "write" {
		if err := os.WriteFile("leads.csv", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile("leads.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, b.Bytes()) {
		t.Error("leads.csv is not what the program makes; write it anew and look at the difference")
	}
}

// The list is a fair trial: some are won, not most, and some are open.
func TestShares(t *testing.T) {
	won, open, sum := 0, 0, 0.0
	for l := range outcomes.Leads(shipped) {
		sum += l.Probability
		if l.Won {
			won++
		}
		if l.Open {
			open++
		}
	}
	n := float64(shipped.Count)
	if share := float64(won) / n; share < 0.15 || share > 0.4 || share-sum/n > 0.02 || sum/n-share > 0.02 {
		t.Errorf("%.3f won, %.3f expected", share, sum/n)
	}
	if open < 30 || open > 300 {
		t.Errorf("%d open", open)
	}
}
