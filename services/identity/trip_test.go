package identity_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// Every round trip is made while others wait for the buckets: begin, the locks and what is known go
// together, and so do everything written and the commit.
func TestResolvingTakesFewRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var sent atomic.Int64
	cfg := w.pool.Config()
	cfg.MinConns, cfg.MaxConns = 0, 1
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // as it does after a second
	dial := cfg.ConnConfig.DialFunc
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &counted{conn, &sent}, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := w.replica(pool)
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

// counted counts what is sent.
type counted struct {
	net.Conn
	sent *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.sent.Add(1)
	return c.Conn.Write(b)
}
