package pgtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// throwaway is a cluster of the test's own, with a short patience.
func throwaway(t *testing.T, idle time.Duration) cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "leadmesh-pgtest-case-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return cluster{dir: dir, idle: idle}
}

func (c cluster) awaitDown(ctx context.Context, t *testing.T) {
	t.Helper()
	for {
		_, err := os.Stat(filepath.Join(c.dir, "data", "postgres", "postmaster.pid"))
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if err := pause(ctx); err != nil {
			t.Fatal("the cluster did not stop by itself")
		}
	}
}

// removeSocket removes the folder of a stopped cluster's socket.
func removeSocket(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	if err := os.RemoveAll(conn.Config().Host); err != nil {
		t.Error(err)
	}
}

func TestClusterStopsAfterItsLastUser(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := throwaway(t, time.Second)
	first, err := c.connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(ctx); err != nil {
		t.Fatal(err)
	}
	// The second user outlasts the idle time by far.
	if _, err := second.Exec(ctx, "SELECT pg_sleep(3)"); err != nil {
		t.Fatalf("the cluster stopped under its user: %v", err)
	}
	if err := second.Close(ctx); err != nil {
		t.Fatal(err)
	}
	c.awaitDown(ctx, t)
	third, err := c.connect(ctx)
	if err != nil {
		t.Fatalf("start again: %v", err)
	}
	if err := third.Close(ctx); err != nil {
		t.Fatal(err)
	}
	c.awaitDown(ctx, t)
	removeSocket(t, third)
}

func TestSweepDropsWhatKilledTestsLeft(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := throwaway(t, time.Second)
	conn, err := c.connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"CREATE DATABASE " + databasePrefix + "left",
		"CREATE DATABASE " + templatePrefix + "left IS_TEMPLATE true",
		"CREATE DATABASE bystander",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweep(ctx, conn); err != nil {
		t.Fatal(err)
	}
	var names []string
	err = conn.QueryRow(ctx, `SELECT array_agg(datname ORDER BY datname) FROM pg_database
		WHERE datname LIKE '%left' OR datname = 'bystander'`).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 1 || names[0] != "bystander" {
		t.Errorf("databases after the sweep: %v, want only bystander", names)
	}
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
	c.awaitDown(ctx, t)
	removeSocket(t, conn)
}
