package house_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
)

// TestBudget: by default each service has its usual number; another number is divided by weight,
// whole and with nobody below what it needs.
func TestBudget(t *testing.T) {
	for _, c := range []struct {
		connections int
		services    []string
		want        map[string]int
	}{
		{0, house.All(), map[string]int{"scoring": 4, "feedback": 12, "identity": 10, "routing": 20, "capture": 20}},
		{66, house.All(), map[string]int{"scoring": 4, "feedback": 12, "identity": 10, "routing": 20, "capture": 20}},
		{33, house.All(), map[string]int{"scoring": 2, "feedback": 6, "identity": 5, "routing": 10, "capture": 10}},
		{0, []string{"capture", "gateway"}, map[string]int{"capture": 20}},
		{7, []string{"routing"}, map[string]int{"routing": 7}},
		{0, []string{"gateway"}, map[string]int{}},
	} {
		got, err := house.Budget(c.connections, c.services)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%d over %v: %v (-want +got):\n%s", c.connections, c.services, err, diff)
		}
	}
	least, err := house.Budget(18, house.All())
	if err != nil {
		t.Fatal(err)
	}
	for n := 18; n < 500; n++ {
		got, err := house.Budget(n, house.All())
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for service, share := range got {
			if sum += share; share < least[service] {
				t.Errorf("%d: %s has %d, it needs %d", n, service, share, least[service])
			}
		}
		if sum != n {
			t.Errorf("%d: %v adds up to %d", n, got, sum)
		}
	}
	if _, err := house.Budget(17, house.All()); err == nil || !strings.Contains(err.Error(), "--db-connections 17 is too few") || !strings.Contains(err.Error(), "at least 18") {
		t.Errorf("too few: %v", err)
	}
}

// TestBudgetThatNeverFits: the error names the setting on both sides.
func TestBudgetThatNeverFits(t *testing.T) {
	_, err := house.Open(t.Context(), house.Config{DatabaseURL: pgtest.New(t).URL(), Data: t.TempDir(), DBConnections: 100_000, LogWriter: io.Discard})
	if err == nil {
		t.Fatal("a hundred thousand connections are promised")
	}
	for _, want := range []string{"100000 connections (capture ", "--db-connections", "max_connections of the database (now "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
