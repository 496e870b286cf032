package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

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
// m has not seen the last of m's migrations. Services call it before they say
// that they are ready.
func CheckVersion(ctx context.Context, pool *pgxpool.Pool, m Module) error {
	want, err := m.Version()
	if err != nil {
		return err
	}
	have, err := Version(ctx, pool, m.Service)
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("%w: schema %s is at version %d, this program needs %d: run leadmesh migrate",
			ErrSchemaBehind, m.Service, have, want)
	}
	return nil
}

// Version is the number of the last migration in m, 0 if it has none.
func (m Module) Version() (int64, error) {
	if m.FS == nil {
		return 0, nil
	}
	files, err := m.files()
	if err != nil {
		return 0, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	var last int64
	for _, name := range names {
		version, err := goose.NumericComponent(path.Base(name))
		if err != nil {
			return 0, fmt.Errorf("migration %s of %s: %w", name, m.Service, err)
		}
		last = max(last, version)
	}
	return last, nil
}
