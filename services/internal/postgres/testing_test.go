package postgres_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// newService is a service no other test knows, whose role is dropped when the
// test ends, with one migration per given text.
func newService(t *testing.T, migrations ...string) postgres.Module {
	t.Helper()
	m := postgres.Module{Service: "case_" + strings.ToLower(rand.Text()[:10]), Dir: "migrations"}
	files := fstest.MapFS{}
	for i, sql := range migrations {
		name := "migrations/0000" + string(rune('1'+i)) + "_step.sql"
		files[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql + "\n")}
	}
	m.FS = files
	keeper := pgtest.New(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, keeper.URL())
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := conn.Exec(ctx, "DROP ROLE IF EXISTS "+postgres.ServiceRole(m.Service)); err != nil {
			t.Error(err)
		}
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return m
}

func newConn(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func scalar[T any](t *testing.T, conn interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, sql string, args ...any) T {
	t.Helper()
	var got T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

// openDir is a folder that other accounts can enter, unlike t.TempDir.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "leadmesh-private-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func drift(t *testing.T, conn *pgx.Conn, m postgres.Module) postgres.Drift {
	t.Helper()
	d, err := postgres.CompareSchema(t.Context(), conn, m)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
