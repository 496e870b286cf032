package e2e_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/services/house"
)

// TestFewConnections works a house under load with the fewest connections it takes: nothing hangs,
// nothing is lost, and the budget is kept.
func TestFewConnections(t *testing.T) {
	const budget = 18
	w := inProcess(t, func(c *house.Config) { c.DBConnections = budget })
	l := startLoad(t, w)
	db := w.database(t)
	most := 0
	for range 5 {
		l.flows(t, 15)
		most = max(most, db.count(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'leadmesh-%'`))
	}
	if most > budget {
		t.Errorf("%d connections are open, the budget is %d", most, budget)
	}
	l.verify(t)
}
