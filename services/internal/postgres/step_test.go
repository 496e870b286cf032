package postgres_test

import (
	"context"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// later is a module with one more migration.
func later(m postgres.Module, name, text string) postgres.Module {
	files := fstest.MapFS{}
	for file, content := range m.FS.(fstest.MapFS) {
		files[file] = content
	}
	files["migrations/"+name] = &fstest.MapFile{Data: []byte(text)}
	m.FS = files
	return m
}

// holdTable reads a table in a transaction that stays open, with its snapshot, until released.
func holdTable(t *testing.T, url, table string) (release func()) {
	t.Helper()
	tx, err := newConn(t, url).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT count(*) FROM "+table); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

// await polls until the query is true.
func await(t *testing.T, conn *pgx.Conn, query string, args ...any) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !scalar[bool](t, conn, query, args...) {
		if time.Now().After(deadline) {
			t.Fatalf("never true: %s", query)
		}
	}
}

// TestMigrationLetsWritersPass holds a table with a long reader while a
// migration wants to alter it: those who write meanwhile are not held up until
// the reader ends, and the migration is applied when it has.
func TestMigrationLetsWritersPass(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);")
	db := pgtest.New(t)
	migrate(t, db.URL(), m)
	release := holdTable(t, db.URL(), m.Service+".item")
	migrated := make(chan error, 1)
	go func() {
		migrated <- postgres.Migrate(t.Context(), db.URL(), []postgres.Module{later(m, "00002_more.sql", "-- +goose Up\nALTER TABLE item ADD COLUMN more int;\n")})
	}()
	await(t, newConn(t, db.URL()), `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = ($1 || '.item')::regclass)`, m.Service)

	// Each of these waits behind the migration at most once.
	writer := db.Pool(m.Service)
	var slowest time.Duration
	for i := range 50 {
		start := time.Now()
		if _, err := writer.Exec(t.Context(), "INSERT INTO item VALUES ($1)", i); err != nil {
			t.Fatalf("a writer behind the migration: %v", err)
		}
		slowest = max(slowest, time.Since(start))
	}
	t.Logf("the slowest of 50 writers took %s", slowest)
	select {
	case err := <-migrated:
		t.Fatalf("the migration ended while the table was held: %v", err)
	default:
	}
	release()
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec(t.Context(), "INSERT INTO item (id, more) VALUES (1000, 1)"); err != nil {
		t.Error(err)
	}
}

const concurrently = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY IF NOT EXISTS item_n ON item (n);\n"

// TestIndexBesideWriters builds an index CONCURRENTLY in two migrators at once,
// while rows are written and an older transaction keeps the build waiting.
func TestIndexBesideWriters(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY, n int);")
	db := pgtest.New(t)
	migrate(t, db.URL(), m)
	release := holdTable(t, db.URL(), m.Service+".item")
	want := later(m, "00002_index.sql", concurrently)
	migrated := make(chan error, 2)
	for range 2 {
		go func() { migrated <- postgres.Migrate(t.Context(), db.URL(), []postgres.Module{want}) }()
	}
	conn := newConn(t, db.URL())
	await(t, conn, `SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1 || '.item_n'))`, m.Service)
	writer := db.Pool(m.Service)
	// The build waits for the older transaction; nobody waits for the build.
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := writer.Exec(ctx, "INSERT INTO item VALUES ($1, $1)", i)
		cancel()
		if err != nil {
			t.Fatalf("a writer beside the build: %v", err)
		}
	}
	release()
	for range 2 {
		if err := <-migrated; err != nil {
			t.Error(err)
		}
	}
	if !scalar[bool](t, conn, `SELECT indisvalid FROM pg_index WHERE indexrelid = ($1 || '.item_n')::regclass`, m.Service) {
		t.Error("the index is not valid")
	}
	if n := scalar[int](t, writer, "SELECT count(*) FROM goose_db_version WHERE version_id = 2"); n != 1 {
		t.Errorf("the migration is noted %d times", n)
	}
}

// TestIndexAfterAnInterruption finds the wreck of a build that was cut off and
// builds anew: IF NOT EXISTS alone would keep the wreck for ever.
func TestIndexAfterAnInterruption(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY, n int);")
	db := pgtest.New(t)
	migrate(t, db.URL(), m)
	want := later(m, "00002_index.sql", concurrently)
	release := holdTable(t, db.URL(), m.Service+".item")
	migrated := make(chan error, 1)
	go func() { migrated <- postgres.Migrate(t.Context(), db.URL(), []postgres.Module{want}) }()
	conn := newConn(t, db.URL())
	await(t, conn, `SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1 || '.item_n'))`, m.Service)
	if !scalar[bool](t, conn, `SELECT bool_and(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE query LIKE '%CREATE INDEX CONCURRENTLY%' AND pid <> pg_backend_pid() AND datname = current_database()`) {
		t.Fatal("the build cannot be cut off")
	}
	if err := <-migrated; err == nil {
		t.Fatal("the migration was cut and says nothing")
	}
	release()
	if scalar[bool](t, conn, `SELECT indisvalid FROM pg_index WHERE indexrelid = ($1 || '.item_n')::regclass`, m.Service) {
		t.Fatal("the interrupted build left a valid index")
	}
	migrate(t, db.URL(), want)
	if !scalar[bool](t, conn, `SELECT indisvalid FROM pg_index WHERE indexrelid = ($1 || '.item_n')::regclass`, m.Service) {
		t.Error("the index is still the wreck")
	}
}

// TestLateNumber applies a migration whose number is below one that is applied.
func TestLateNumber(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);")
	db := pgtest.New(t)
	ahead := later(m, "00003_third.sql", "-- +goose Up\nALTER TABLE item ADD COLUMN third int;\n")
	migrate(t, db.URL(), ahead)
	both := later(ahead, "00002_second.sql", "-- +goose Up\nALTER TABLE item ADD COLUMN second int;\n")
	pool := db.Pool(m.Service)
	conn := newConn(t, db.URL())
	if diff := cmp.Diff(postgres.Drift{Behind: []string{"00002_second.sql"}}, drift(t, conn, both)); diff != "" {
		t.Errorf("drift without 00002 (-want +got):\n%s", diff)
	}
	migrate(t, db.URL(), both)
	if d := drift(t, conn, both); len(d.Behind) > 0 || len(d.Ahead) > 0 {
		t.Errorf("drift %+v", d)
	}
	migrate(t, db.URL(), m) // a program before both starts on it
	if _, err := pool.Exec(t.Context(), "INSERT INTO item (id, second, third) VALUES (1, 2, 3)"); err != nil {
		t.Error(err)
	}
}
