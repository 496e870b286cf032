package e2e_test

import (
	"context"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// fieldMigrations is the last migration of each service in oldCommit. Whatever comes later meets
// tables with rows and writers.
var fieldMigrations = map[string]int{"capture": 2, "feedback": 1, "identity": 1, "routing": 3, "scoring": 1}

var (
	tableMade = regexp.MustCompile(`(?i)create\s+table\s+(?:if\s+not\s+exists\s+)?(\w+)`)
	indexMade = regexp.MustCompile(`(?i)create\s+(?:unique\s+)?index\s+(concurrently\s+)?(?:if\s+not\s+exists\s+)?(\w+)\s+on\s+(?:only\s+)?(\w+)`)
)

// laterMigrations calls each for the migrations of a module that the field does not have.
func laterMigrations(t *testing.T, m postgres.Module, each func(name, text string)) (field fstest.MapFS) {
	t.Helper()
	names, err := fs.Glob(m.FS, path.Join(m.Dir, "*.sql"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no migrations (%v)", m.Service, err)
	}
	field = fstest.MapFS{}
	for _, name := range names {
		text, err := fs.ReadFile(m.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		number, _, _ := strings.Cut(path.Base(name), "_")
		if n, err := strconv.Atoi(number); err != nil {
			t.Fatalf("%s: %v", name, err)
		} else if n <= fieldMigrations[m.Service] {
			field[name] = &fstest.MapFile{Data: text}
			continue
		}
		each(path.Base(name), string(text))
	}
	return field
}

// TestIndexesAreBuiltBesideWriters holds that no migration builds an index of a table that was
// there before while writers must stand still.
func TestIndexesAreBuiltBesideWriters(t *testing.T) {
	for _, m := range house.Modules() {
		laterMigrations(t, m, func(name, text string) {
			made := map[string]bool{}
			for _, x := range tableMade.FindAllStringSubmatch(text, -1) {
				made[x[1]] = true
			}
			for _, x := range indexMade.FindAllStringSubmatch(text, -1) {
				if x[1] == "" && !made[x[3]] {
					t.Errorf("%s/%s: index %s of %s keeps its writers waiting; build it CONCURRENTLY in a file marked NO TRANSACTION", m.Service, name, x[2], x[3])
				}
			}
		})
	}
}

// TestMigrationsRewriteNoTable applies to a database of the field what came later and has the
// database refuse to write a table anew.
func TestMigrationsRewriteNoTable(t *testing.T) {
	var before []postgres.Module
	for _, m := range house.Modules() {
		m.FS = laterMigrations(t, m, func(string, string) {})
		before = append(before, m)
	}
	url := pgtest.New(t, before...).URL()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	const watch = `CREATE FUNCTION public.no_rewrite() RETURNS event_trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'writes table % anew', pg_event_trigger_table_rewrite_oid()::regclass; END $$;
		CREATE EVENT TRIGGER no_rewrite ON table_rewrite EXECUTE FUNCTION public.no_rewrite()`
	if _, err := conn.PgConn().Exec(t.Context(), watch).ReadAll(); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrate(t.Context(), url, house.Modules()); err != nil {
		t.Error(err)
	}
}
