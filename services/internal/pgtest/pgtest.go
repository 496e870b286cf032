package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

const (
	serverVariable = "LEADMESH_TEST_DATABASE_URL"
	poolConns      = 8
	// setupLimit is generous: a busy machine may have to make a cluster and
	// run all migrations first.
	setupLimit = 2 * time.Minute
)

// DB is a database that belongs to one test.
type DB struct {
	t   testing.TB
	url string
}

// New makes a database with the given modules migrated and drops it when the
// test ends. It ends the test if that cannot be done.
func New(t testing.TB, modules ...postgres.Module) *DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setupLimit)
	defer cancel()
	admin, err := connect(ctx)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	name := databasePrefix + strings.ToLower(rand.Text()[:16])
	t.Cleanup(func() {
		// The test's context has ended by now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), setupLimit)
		defer cancel()
		if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("pgtest: drop database: %v", err)
		}
		if err := admin.Close(ctx); err != nil {
			t.Errorf("pgtest: close: %v", err)
		}
	})
	if err := createDatabase(ctx, admin, name, modules); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	u, err := databaseURL(admin, name)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return &DB{t: t, url: u}
}

// URL is the connection string of the database for its owner, who may do
// everything.
func (db *DB) URL() string { return db.url }

// Pool is a new pool as the service sees the database: its role, its schema.
// It is closed when the test ends.
func (db *DB) Pool(service string) *pgxpool.Pool {
	db.t.Helper()
	return db.Open(postgres.PoolConfig{Role: postgres.ServiceRole(service), Schema: service, MaxConns: poolConns})
}

// Open is a new pool with cfg's settings; the URL is the database's own
// whatever cfg says. It is closed when the test ends.
func (db *DB) Open(cfg postgres.PoolConfig) *pgxpool.Pool {
	db.t.Helper()
	cfg.URL = db.url
	pool, err := postgres.Open(db.t.Context(), cfg)
	if err != nil {
		db.t.Fatalf("pgtest: %v", err)
	}
	db.t.Cleanup(pool.Close)
	return pool
}

// connect opens the session that stands for one test at the server: while it
// lives, the shared cluster stays up.
func connect(ctx context.Context) (*pgx.Conn, error) {
	if given := os.Getenv(serverVariable); given != "" {
		conn, err := pgx.Connect(ctx, given)
		if err != nil {
			return nil, fmt.Errorf("server of %s: %w", serverVariable, err)
		}
		return conn, nil
	}
	return sharedCluster().connect(ctx)
}

// databaseURL is the connection string the session was made with, for another
// database of the same server.
func databaseURL(conn *pgx.Conn, database string) (string, error) {
	u, err := url.Parse(conn.Config().ConnString())
	if err != nil {
		return "", fmt.Errorf("%s must be in the form of a URL: %w", serverVariable, err)
	}
	if u.Scheme == "" {
		return "", fmt.Errorf("%s must be in the form of a URL", serverVariable)
	}
	u.Path = "/" + database
	return u.String(), nil
}
