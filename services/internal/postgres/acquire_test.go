package postgres_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// TestAcquireIsBounded: who wants a connection while all are at work is told to come back, with
// and without tracing; the log says what to turn.
func TestAcquireIsBounded(t *testing.T) {
	db := pgtest.New(t)
	for _, traced := range []bool{false, true} {
		var log bytes.Buffer
		cfg := postgres.PoolConfig{MaxConns: 1, AcquireTimeout: 500 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		if traced {
			cfg.TracerProvider = tracenoop.NewTracerProvider()
		}
		pool := db.Open(cfg)
		held, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // the test's own deadline is the alternative
			if _, err := pool.Exec(t.Context(), "SELECT 1"); !postgres.Unavailable(err) {
				t.Errorf("traced %v: a starved statement ended with %v", traced, err)
			}
			if _, err := pool.Begin(t.Context()); !postgres.Unavailable(err) {
				t.Errorf("traced %v: a starved transaction ended with %v", traced, err)
			}
		}
		held.Release()
		// What bounds the wait must not bound the work.
		if _, err := pool.Exec(t.Context(), "SELECT pg_sleep(1)"); err != nil {
			t.Errorf("traced %v: work after the wait: %v", traced, err)
		}
		if n := strings.Count(log.String(), "--db-connections"); n != 1 {
			t.Errorf("traced %v: said %d times, want once a minute: %s", traced, n, log.String())
		}
	}
}

func TestLookForRoom(t *testing.T) {
	db := pgtest.New(t)
	conn := newConn(t, db.URL())
	before, err := postgres.LookForRoom(t.Context(), db.URL())
	if err != nil {
		t.Fatal(err)
	}
	if want := scalar[int](t, conn, "SELECT current_setting('max_connections')::int"); before.Max != want || before.Limit != -1 || before.Used < 1 || before.Most() != want-before.Reserved {
		t.Errorf("room %+v, max_connections %d", before, want)
	}
	if _, err := conn.Exec(t.Context(), "ALTER DATABASE "+scalar[string](t, conn, "SELECT current_database()")+" CONNECTION LIMIT 7"); err != nil {
		t.Fatal(err)
	}
	after, err := postgres.LookForRoom(t.Context(), db.URL())
	if err != nil || after.Limit != 7 || after.Most() != 7 {
		t.Errorf("with a limit of the database: %+v %v", after, err)
	}
}
