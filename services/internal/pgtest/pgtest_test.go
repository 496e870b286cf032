package pgtest_test

import (
	"context"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

func module() postgres.Module {
	return postgres.Module{Service: "pgtestcase", Dir: "migrations", FS: fstest.MapFS{
		"migrations/00001_item.sql": {Data: []byte("-- +goose Up\nCREATE TABLE item (id int PRIMARY KEY);\n")},
	}}
}

func TestEachDatabaseIsFreshAndMigrated(t *testing.T) {
	for range 2 {
		db := pgtest.New(t, module())
		pool := db.Pool("pgtestcase")
		if _, err := pool.Exec(t.Context(), "INSERT INTO item VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM item").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(1, rows); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	}
}

func TestDatabaseIsDroppedWhenItsTestEnds(t *testing.T) {
	var gone string
	t.Run("user", func(t *testing.T) {
		db := pgtest.New(t)
		gone = db.URL()
		// A session left open must not keep the database alive.
		if _, err := pgx.Connect(t.Context(), db.URL()); err != nil {
			t.Fatal(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pgtest.New(t) // keeps the server up, so that refusal means absence
	conn, err := pgx.Connect(ctx, gone)
	if err == nil {
		t.Fatal(conn.Close(ctx), "the database is still there")
	}
	if postgres.Unavailable(err) {
		t.Fatalf("want a refusal by the server, got %v", err)
	}
}

func TestTemplateFollowsTheMigrations(t *testing.T) {
	first := pgtest.New(t, module()).Pool("pgtestcase")
	changed := module()
	changed.FS.(fstest.MapFS)["migrations/00002_more.sql"] = &fstest.MapFile{
		Data: []byte("-- +goose Up\nALTER TABLE item ADD COLUMN note text;\n"),
	}
	second := pgtest.New(t, changed).Pool("pgtestcase")
	for _, c := range []struct {
		name string
		pool *pgxpool.Pool
		want int64
	}{
		{"first", first, 1},
		{"second", second, 2},
	} {
		var got int64
		if err := c.pool.QueryRow(t.Context(), "SELECT max(version_id) FROM goose_db_version").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s version (-want +got):\n%s", c.name, diff)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		pgtest.New(b, module())
	}
}
