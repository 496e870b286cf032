package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

func TestUnavailableByCode(t *testing.T) {
	for code, want := range map[string]bool{
		"57P01": true, "57P02": true, "57P03": true, "57P05": true,
		"53000": true, "53100": true, "53200": true, "53300": true,
		"08006": true, "57014": true, "55P03": true, "40001": true, "40P01": true,
		"25006": true, "58030": true,
		"23505": false, "23514": false, "42P01": false, "28P01": false, "3D000": false, "22P02": false, "": false,
	} {
		err := fmt.Errorf("store lead: %w", &pgconn.PgError{Code: code})
		if got := postgres.Unavailable(err); got != want {
			t.Errorf("Unavailable(%q) = %v, want %v", code, got, want)
		}
	}
}

func TestUnavailableByCause(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"own error", errors.New("no such dealer"), false},
		{"no rows", pgx.ErrNoRows, false},
		{"cancelled", context.Canceled, false},
		{"deadline", context.DeadlineExceeded, true},
		{"broken pipe", fmt.Errorf("write: %w", syscall.EPIPE), true},
		{"closed", pgconn.ErrConnClosed, true},
	} {
		if got := postgres.Unavailable(c.err); got != c.want {
			t.Errorf("%s: Unavailable(%v) = %v, want %v", c.name, c.err, got, c.want)
		}
	}
}

// TestProblemOfAnError: what a caller who went away cut short, before or in the midst of a statement,
// is never an error of the system itself.
func TestProblemOfAnError(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	gone, leave := context.WithCancel(t.Context())
	leave()
	before := postgres.InTx(gone, pool, pgx.TxOptions{}, func(pgx.Tx) error { return nil })
	midway, leave := context.WithCancel(t.Context())
	during := postgres.InTx(midway, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(midway, "INSERT INTO item VALUES (1)"); err != nil {
			return err
		}
		time.AfterFunc(50*time.Millisecond, leave)
		_, err := tx.Exec(midway, "SELECT pg_sleep(60)")
		return err
	})
	last, leave := context.WithCancel(t.Context())
	atCommit := postgres.InTx(last, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		defer leave()
		_, err := tx.Exec(last, "INSERT INTO item VALUES (2)")
		return err
	})
	for _, c := range []struct {
		name string
		err  error
		want problemv1.Reason
	}{
		{"cancelled before", before, problemv1.Reason_REASON_UNAVAILABLE},
		{"cancelled during a statement", during, problemv1.Reason_REASON_UNAVAILABLE},
		{"cancelled before the commit", atCommit, problemv1.Reason_REASON_UNAVAILABLE},
		{"cancelled, told where", fmt.Errorf("store lead: %w", context.Canceled), problemv1.Reason_REASON_UNAVAILABLE},
		{"deadlock", &pgconn.PgError{Code: "40P01"}, problemv1.Reason_REASON_UNAVAILABLE},
		{"a row too many", &pgconn.PgError{Code: "23505"}, problemv1.Reason_REASON_INTERNAL},
		{"a problem", problem.NotFound("lead").Because(context.Canceled), problemv1.Reason_REASON_NOT_FOUND},
		{"a problem, told where", fmt.Errorf("read: %w", problem.NotFound("lead")), problemv1.Reason_REASON_NOT_FOUND},
	} {
		var p *problem.Error
		if err := postgres.Problem(c.err); !errors.As(err, &p) || p.Reason != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %v became %v, want %s", c.name, c.err, err, c.want)
		}
	}
	if err := postgres.Problem(nil); err != nil {
		t.Errorf("nothing became %v", err)
	}
}

// The errors as the driver and the server really make them.
func TestErrorsOfALiveServer(t *testing.T) {
	db := pgtest.New(t, poolModule())
	pool := db.Open(postgres.PoolConfig{
		Role: "leadmesh_poolcase", Schema: "poolcase", StatementTimeout: time.Second, MaxConns: 2,
	})
	ctx := t.Context()
	exec := func(ctx context.Context, sql string) error {
		_, err := pool.Exec(ctx, sql)
		return err
	}
	if err := exec(ctx, "INSERT INTO item VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	owner := db.Open(postgres.PoolConfig{MaxConns: 1})
	terminate := func() error {
		_, err := owner.Exec(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
		return err
	}
	type kind struct{ unavailable, unique bool }
	expired, cancel := context.WithDeadline(ctx, time.Now())
	defer cancel()
	cancelled, cancelNow := context.WithCancel(ctx)
	cancelNow()
	absent, err := url.Parse(db.URL())
	if err != nil {
		t.Fatal(err)
	}
	absent.Path = "/no_such_database"
	connect := func(u string) error {
		conn, err := pgx.Connect(ctx, u)
		if err == nil {
			return conn.Close(ctx)
		}
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want kind
	}{
		{"unique", exec(ctx, "INSERT INTO item VALUES (1)"), kind{unique: true}},
		{"check", exec(ctx, "INSERT INTO item VALUES (2, -1)"), kind{}},
		{"syntax", exec(ctx, "INSERT OUTOF item"), kind{}},
		{"statement timeout", exec(ctx, "SELECT pg_sleep(60)"), kind{unavailable: true}},
		{"deadline", exec(expired, "SELECT 1"), kind{unavailable: true}},
		{"cancelled", exec(cancelled, "SELECT 1"), kind{}},
		{"session ended", terminate(), kind{unavailable: true}},
		{"refused", connect("postgres://127.0.0.1:1/none?sslmode=disable"), kind{unavailable: true}},
		{"no socket", connect("postgres:///none?host=/nowhere"), kind{unavailable: true}},
		{"no database", connect(absent.String()), kind{}},
	} {
		if c.err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		got := kind{
			postgres.Unavailable(c.err),
			postgres.UniqueViolation(c.err, "item_pkey"),
		}
		if got != c.want {
			t.Errorf("%s: %v is %+v, want %+v", c.name, c.err, got, c.want)
		}
		if postgres.UniqueViolation(c.err, "other") {
			t.Errorf("%s: %v passes for another constraint's", c.name, c.err)
		}
		if postgres.UniqueViolation(c.err, "") != c.want.unique {
			t.Errorf("%s: %v with any constraint", c.name, c.err)
		}
	}
	pool.Close()
	if err := exec(ctx, "SELECT 1"); !postgres.Unavailable(err) {
		t.Errorf("closed pool: %v, want it unavailable", err)
	}
}
