package identity_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
)

// Every round trip is made while others wait for the buckets: begin, the locks and what is known go
// together, and so do everything written and the commit.
func TestResolvingTakesFewRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _, sent := w.overOne()
	resolve := func(l *leadv1.Lead) {
		t.Helper()
		if _, err := s.BatchResolve(t.Context(), &identityv1.BatchResolveRequest{Leads: []*leadv1.Lead{l}}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 6 { // statements are prepared when first used
		resolve(w.typical(n))
	}
	for _, c := range []struct {
		who  string
		lead *leadv1.Lead
		want int64
	}{
		{"somebody new", w.newLead(party("Ada", "Quist", "ada@example.com", "+15125550177"), says(granted, "")), 2},
		{"somebody known", w.newLead(party("Ada", "Quist", "ada@example.com", "+15125550177"), says(granted, "")), 4},
	} {
		before := sent.Load()
		resolve(c.lead)
		if n := sent.Load() - before; n != c.want {
			t.Errorf("%s: %d round trips, want %d", c.who, n, c.want)
		}
	}
}

// Statements of one lead are not planned anew for each: that takes longer than they do.
func TestResolvingIsPlannedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, pool, _ := w.overOne()
	for range 8 { // after five the server may keep a plan, or not
		for _, who := range []string{"Ada", "Bo"} {
			l := w.newLead(party(who, "Quist", who+"@example.com", "+15125550177"), says(granted, ""))
			if _, err := s.BatchResolve(t.Context(), &identityv1.BatchResolveRequest{Leads: []*leadv1.Lead{l}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	rows, err := pool.Query(t.Context(), `SELECT substring(statement FROM 'name: (\w+)'), custom_plans FROM pg_prepared_statements
		WHERE statement ~ 'name: (Known|LockPersons|Bearing|InsertRecords) ' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	type planned struct {
		Name  string
		Times int64
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[planned])
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]planned{{"Bearing", 0}, {"InsertRecords", 0}, {"Known", 0}, {"LockPersons", 0}}, got); d != "" {
		t.Errorf("planned for the values of one execution (-want +got):\n%s", d)
	}
}

// overOne is a replica with a single connection, its pool, and how often it has sent something.
func (w *world) overOne() (*identity.Service, *pgxpool.Pool, *atomic.Int64) {
	w.t.Helper()
	var sent atomic.Int64
	cfg := w.pool.Config()
	cfg.MinConns, cfg.MaxConns = 0, 1
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // as it does after a second
	dial := cfg.ConnConfig.DialFunc
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &counted{conn, &sent}, err
	}
	pool, err := pgxpool.NewWithConfig(w.t.Context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(pool.Close)
	return w.replica(pool), pool, &sent
}

// counted counts what is sent.
type counted struct {
	net.Conn
	sent *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.sent.Add(1)
	return c.Conn.Write(b)
}
