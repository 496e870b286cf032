package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

// ErrSchemaBehind says that the database lacks migrations this program needs.
// A schema that is ahead is no error: a newer version of leadmesh may have
// migrated it, and migrations keep the version before them working.
var ErrSchemaBehind = errors.New("database schema is behind")

// Version is the number of the last migration applied to a service's schema,
// 0 if there is none or no such schema.
func Version(ctx context.Context, pool *pgxpool.Pool, schema string) (int64, error) {
	if !validName(schema) {
		return 0, fmt.Errorf("%q is no name of a schema: lower-case letters, digits and _ only", schema)
	}
	var version int64
	err := pool.QueryRow(ctx,
		"SELECT coalesce(max(version_id), 0) FROM "+schema+"."+goose.DefaultTablename+" WHERE is_applied").Scan(&version)
	if hasCode(err, codeUndefinedTable) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read version of schema %s: %w", schema, err)
	}
	return version, nil
}

// CheckVersion returns an error that wraps [ErrSchemaBehind] when the schema of
// m has not seen all of m's migrations. Services call it before they say that
// they are ready.
func CheckVersion(ctx context.Context, pool *pgxpool.Pool, m Module) error {
	missing, err := Missing(ctx, pool, m)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: schema %s lacks %s, which this program needs: run leadmesh migrate",
			ErrSchemaBehind, m.Service, strings.Join(missing, ", "))
	}
	return nil
}

// Missing names the migrations of m that its schema has not seen, in order.
func Missing(ctx context.Context, pool *pgxpool.Pool, m Module) ([]string, error) {
	known, err := m.versions()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT version_id FROM "+m.Service+"."+goose.DefaultTablename+" WHERE is_applied")
	var applied []int64
	if err == nil {
		applied, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	if err != nil && !hasCode(err, codeUndefinedTable) {
		return nil, fmt.Errorf("read version of schema %s: %w", m.Service, err)
	}
	var missing []string
	for _, version := range slices.Sorted(maps.Keys(known)) {
		if !slices.Contains(applied, version) {
			missing = append(missing, known[version])
		}
	}
	return missing, nil
}

// Version is the number of the last migration in m, 0 if it has none.
func (m Module) Version() (int64, error) {
	known, err := m.versions()
	var last int64
	for version := range known {
		last = max(last, version)
	}
	return last, err
}

// versions are the migrations of m by number.
func (m Module) versions() (map[int64]string, error) {
	if m.FS == nil {
		return nil, nil
	}
	files, err := m.files()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	known := map[int64]string{}
	for _, name := range names {
		version, err := goose.NumericComponent(path.Base(name))
		if err != nil {
			return nil, fmt.Errorf("migration %s of %s: %w", name, m.Service, err)
		}
		known[version] = path.Base(name)
	}
	return known, nil
}
