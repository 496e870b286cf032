package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

func migrate(t *testing.T, u string, modules ...postgres.Module) {
	t.Helper()
	if err := postgres.Migrate(t.Context(), u, modules); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateMakesWhatTheServiceOwns(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);", "INSERT INTO item VALUES (1);")
	db := pgtest.New(t)
	migrate(t, db.URL(), m)
	migrate(t, db.URL(), m) // nothing left to do
	conn := newConn(t, db.URL())
	rows := scalar[[]string](t, conn, `SELECT array_agg(c.relname || ' of ' || c.relowner::regrole ORDER BY 1)
		FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'`, m.Service)
	role := postgres.ServiceRole(m.Service)
	if diff := cmp.Diff([]string{"goose_db_version of " + role, "item of " + role}, rows); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if scalar[bool](t, conn, "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", role) {
		t.Error("the role may log in")
	}
	if d := drift(t, conn, m); !cmp.Equal(d, postgres.Drift{}) {
		t.Errorf("drift %+v", d)
	}
	audit := db.Open(postgres.PoolConfig{Role: postgres.AuditRole})
	if got := scalar[int](t, audit, "SELECT count(*) FROM "+m.Service+".item"); got != 1 {
		t.Errorf("the audit role sees %d rows, want 1", got)
	}
	if _, err := audit.Exec(t.Context(), "DELETE FROM "+m.Service+".item"); err == nil {
		t.Error("the audit role may delete")
	}
}

func TestMigrateAtOnce(t *testing.T) {
	// Without IF NOT EXISTS each step fails when it is run twice.
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);", "SELECT pg_sleep(0.1); INSERT INTO item VALUES (1);")
	first, second := pgtest.New(t), pgtest.New(t)
	// Two databases share the roles but no advisory lock.
	urls := []string{first.URL(), first.URL(), first.URL(), second.URL(), second.URL()}
	results := make(chan error, len(urls))
	for _, u := range urls {
		go func() { results <- postgres.Migrate(t.Context(), u, []postgres.Module{m}) }()
	}
	for range urls {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	for _, db := range []*pgtest.DB{first, second} {
		if got := scalar[int](t, db.Pool(m.Service), "SELECT count(*) FROM item"); got != 1 {
			t.Errorf("%d rows, want 1", got)
		}
	}
}

// An owner who is no superuser, as a hosted database gives one.
func TestMigrateAsAnOrdinaryOwner(t *testing.T) {
	owner := "owner_" + strings.ToLower(rand.Text()[:10])
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);")
	keeper := newConn(t, pgtest.New(t).URL())
	t.Cleanup(func() {
		if _, err := keeper.Exec(context.WithoutCancel(t.Context()), "DROP ROLE "+owner); err != nil {
			t.Error(err)
		}
	})
	db := pgtest.New(t)
	admin := newConn(t, db.URL())
	if _, err := admin.Exec(t.Context(), "CREATE ROLE "+owner+" LOGIN CREATEROLE PASSWORD 'test'"); err != nil {
		t.Fatal(err)
	}
	database := scalar[string](t, admin, "SELECT current_database()")
	if _, err := admin.Exec(t.Context(), "ALTER DATABASE "+database+" OWNER TO "+owner); err != nil {
		t.Fatal(err)
	}
	// The audit role may be another owner's; an administrator then grants it.
	if _, err := admin.Exec(t.Context(), "GRANT "+postgres.AuditRole+" TO "+owner); err != nil {
		migrate(t, db.URL())
		if _, err := admin.Exec(t.Context(), "GRANT "+postgres.AuditRole+" TO "+owner); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(db.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(owner, "test")
	migrate(t, u.String(), m)
	migrate(t, u.String(), m)
	pool, err := postgres.Open(t.Context(), postgres.PoolConfig{
		URL: u.String(), Role: postgres.ServiceRole(m.Service), Schema: m.Service,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if n := scalar[int](t, pool, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"); n != 1 {
		t.Errorf("the service sees %d migrations, want 1", n)
	}
	if d := drift(t, newConn(t, u.String()), m); !cmp.Equal(d, postgres.Drift{}) {
		t.Errorf("drift %+v", d)
	}
}

func TestMigrateKeepsWhatSucceeded(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);", "CREATE TABLE half (n int); SELECT 1/0;")
	db := pgtest.New(t)
	err := postgres.Migrate(t.Context(), db.URL(), []postgres.Module{m})
	if err == nil || !strings.Contains(err.Error(), m.Service) || !strings.Contains(err.Error(), "00002_step.sql") {
		t.Fatalf("got %v, want an error naming the service and its second step", err)
	}
	pool := db.Pool(m.Service)
	if scalar[bool](t, pool, "SELECT to_regclass('half') IS NOT NULL") {
		t.Error("the failed step left a table")
	}
	if diff := cmp.Diff(postgres.Drift{Behind: []string{"00002_step.sql"}}, drift(t, newConn(t, db.URL()), m)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

func TestMigrateCompanion(t *testing.T) {
	m := newService(t)
	m.FS = nil
	m.Companion = &postgres.Companion{
		Schema: m.Service + "_jobs", Version: "1",
		Migrate: func(ctx context.Context, pool *pgxpool.Pool) error {
			_, err := pool.Exec(ctx, "CREATE TABLE IF NOT EXISTS job (id int)")
			return err
		},
	}
	db := pgtest.New(t)
	migrate(t, db.URL(), m)
	migrate(t, db.URL(), m)
	owner := scalar[string](t, newConn(t, db.URL()), "SELECT tableowner::text FROM pg_tables WHERE schemaname = $1", m.Companion.Schema)
	if owner != postgres.ServiceRole(m.Service) {
		t.Errorf("the job table belongs to %s", owner)
	}
	audit := db.Open(postgres.PoolConfig{Role: postgres.AuditRole})
	if got := scalar[int](t, audit, "SELECT count(*) FROM "+m.Companion.Schema+".job"); got != 0 {
		t.Errorf("the audit role sees %d jobs, want 0", got)
	}
}

// A table that somebody else made in a service's schema, such as a copy before a repair, is no reason
// not to start. Tables of the service that were closed are opened for reading again.
func TestMigrateBesideTablesOfOthers(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);")
	db := pgtest.New(t)
	migrate(t, db.URL(), m)
	conn := newConn(t, db.URL())
	for _, sql := range []string{
		"CREATE ROLE " + m.Service + "_admin",
		"CREATE TABLE " + m.Service + ".copy AS TABLE " + m.Service + ".item",
		"ALTER TABLE " + m.Service + ".copy OWNER TO " + m.Service + "_admin",
		"REVOKE ALL ON " + m.Service + ".copy, " + m.Service + ".item FROM " + postgres.AuditRole,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { // roles are the whole server's
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.Connect(ctx, db.URL())
		if err == nil {
			_, err = conn.Exec(ctx, "DROP OWNED BY "+m.Service+"_admin; DROP ROLE "+m.Service+"_admin")
			err = errors.Join(err, conn.Close(ctx))
		}
		if err != nil {
			t.Error(err)
		}
	})
	migrate(t, db.URL(), m)
	if n := scalar[int](t, db.Open(postgres.PoolConfig{Role: postgres.AuditRole}), "SELECT count(*) FROM "+m.Service+".item"); n != 0 {
		t.Errorf("the audit role sees %d rows, want 0", n)
	}
}

func TestMigrateRefusesBadNames(t *testing.T) {
	for _, m := range []postgres.Module{
		{Service: ""}, {Service: "Capture"}, {Service: "a; DROP"},
		{Service: "capture", Companion: &postgres.Companion{Schema: "x y"}},
	} {
		if err := postgres.Migrate(t.Context(), "postgres://127.0.0.1:1/none", []postgres.Module{m}); err == nil ||
			!strings.Contains(err.Error(), "is no name") {
			t.Errorf("%+v: got %v, want the name refused", m, err)
		}
	}
}

func TestDriftOfNothing(t *testing.T) {
	m := newService(t, "CREATE TABLE item (id int PRIMARY KEY);", "INSERT INTO item VALUES (1);")
	conn := newConn(t, pgtest.New(t).URL())
	if diff := cmp.Diff(postgres.Drift{Behind: []string{"00001_step.sql", "00002_step.sql"}}, drift(t, conn, m)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}
