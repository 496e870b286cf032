package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func poolModule() postgres.Module {
	m := postgres.Module{Service: "poolcase"}
	m.FS = itemFiles()
	m.Dir = "migrations"
	return m
}

func TestOpenSessions(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	got := map[string]string{}
	want := map[string]string{
		"search_path": "poolcase, pg_temp", "statement_timeout": "10s", "lock_timeout": "5s",
		"idle_in_transaction_session_timeout": "30s", "application_name": "leadmesh-poolcase",
		"role": "leadmesh_poolcase", "default_transaction_read_only": "off",
	}
	for name := range want {
		got[name] = scalar[string](t, pool, "SELECT current_setting($1)", name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	if got := scalar[string](t, pool, "SELECT current_user::text"); got != "leadmesh_poolcase" {
		t.Errorf("the session acts as %s", got)
	}
}

func TestOpenKeepsServicesApart(t *testing.T) {
	other := newService(t, "CREATE TABLE secret (n int);")
	db := pgtest.New(t)
	if err := postgres.Migrate(t.Context(), db.URL(), []postgres.Module{poolModule(), other}); err != nil {
		t.Fatal(err)
	}
	_, err := db.Pool("poolcase").Exec(t.Context(), "SELECT FROM "+other.Service+".secret")
	if err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("reading another service's table: %v, want it denied", err)
	}
}

func TestOpenReadOnlyAudit(t *testing.T) {
	db := pgtest.New(t, poolModule())
	pool := db.Open(postgres.PoolConfig{Role: postgres.AuditRole, ReadOnly: true})
	if got := scalar[int](t, pool, "SELECT count(*) FROM poolcase.item"); got != 0 {
		t.Errorf("%d rows, want none", got)
	}
	if _, err := pool.Exec(t.Context(), "INSERT INTO poolcase.item VALUES (1)"); err == nil {
		t.Error("the audit role wrote")
	}
	if _, err := pool.Exec(t.Context(), "SELECT FROM item"); err == nil {
		t.Error("a name without its schema was resolved")
	}
}

func TestOpenReportsWhatIsWrong(t *testing.T) {
	db := pgtest.New(t)
	for _, c := range []struct {
		name string
		cfg  postgres.PoolConfig
		want string
	}{
		{"role", postgres.PoolConfig{URL: db.URL(), Role: "leadmesh_nobody"}, "leadmesh_nobody"},
		{"name", postgres.PoolConfig{URL: db.URL(), Role: "x; DROP"}, "no name of a role"},
		{"url", postgres.PoolConfig{URL: "postgres://user:hidden@%%"}, "read database url"},
		{"server", postgres.PoolConfig{URL: "postgres://127.0.0.1:1/none"}, "reach database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), c.cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("got %v, want an error with %q and without the password", err, c.want)
			}
		})
	}
}

func TestOpenTracesStatementsWithoutParameters(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	pool := pgtest.New(t, poolModule()).Open(postgres.PoolConfig{
		Role: "leadmesh_poolcase", Schema: "poolcase", TracerProvider: provider,
	})
	ctx, root := provider.Tracer("test").Start(t.Context(), "root")
	const personal = "+49 170 0000001"
	var got string
	if err := pool.QueryRow(ctx, "SELECT $1::text || note FROM (VALUES ('x')) v (note)", personal).Scan(&got); err != nil {
		t.Fatal(err)
	}
	root.End()
	statements := 0
	for _, span := range spans.Ended() {
		for _, attribute := range span.Attributes() {
			value := attribute.Value.String()
			if strings.Contains(value, personal) {
				t.Errorf("span %q carries the parameter in %s", span.Name(), attribute.Key)
			}
			if strings.Contains(value, "FROM (VALUES") {
				statements++
			}
		}
	}
	if statements == 0 {
		t.Error("no span carries the statement")
	}
}
