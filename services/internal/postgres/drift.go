package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// Drift is how a service's schema differs from what its migrations make.
type Drift struct {
	Behind []string // migrations that are not applied
	Ahead  []int64  // applied migrations that this program does not know
	Lacks  []string // what the migrations make and is not there, or is there otherwise
	More   []string // what is there and no migration makes
}

// CompareSchema finds the drift of a module. It applies the migrations to an
// empty schema inside a transaction that is rolled back, so nothing of it
// remains; that takes a login that may create schemas. A schema that is ahead
// is not compared: what a newer program made of it is not known here.
func CompareSchema(ctx context.Context, conn *pgx.Conn, m Module) (Drift, error) {
	var d Drift
	known, err := m.versions()
	if err != nil {
		return d, err
	}
	// The rows repeat the error of Query; a schema without the table has seen no migration.
	rows, _ := conn.Query(ctx, "SELECT version_id FROM "+m.Service+".goose_db_version WHERE is_applied AND version_id > 0")
	applied, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil && !hasCode(err, codeUndefinedTable) {
		return d, fmt.Errorf("read the version of schema %s: %w", m.Service, err)
	}
	var files []string
	for version, name := range known {
		if slices.Contains(applied, version) {
			files = append(files, name)
		} else {
			d.Behind = append(d.Behind, name)
		}
	}
	for _, version := range applied {
		if known[version] == "" {
			d.Ahead = append(d.Ahead, version)
		}
	}
	slices.Sort(files)
	slices.Sort(d.Behind)
	if len(d.Ahead) > 0 || len(d.Behind) > 0 { // what later files make may need what is missing
		return d, nil
	}
	have, err := catalogue(ctx, conn, m.Service)
	if err != nil {
		return d, err
	}
	want, err := m.rehearse(ctx, conn, files)
	if err != nil {
		return d, err
	}
	for _, line := range want {
		if !slices.Contains(have, line) {
			d.Lacks = append(d.Lacks, line)
		}
	}
	for _, line := range have {
		if !slices.Contains(want, line) {
			d.More = append(d.More, line)
		}
	}
	return d, nil
}

// rehearse applies files to a schema of no name that anybody uses and returns
// what they make of it.
func (m Module) rehearse(ctx context.Context, conn *pgx.Conn, files []string) (made []string, err error) {
	scratch := fmt.Sprintf("leadmesh_rehearsal_%d", conn.PgConn().PID())
	dir, err := m.files()
	if err != nil {
		return nil, err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx))) }()
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+scratch); err != nil {
		return nil, fmt.Errorf("rehearse the migrations: %w", err)
	}
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = "+scratch+", pg_temp"); err != nil {
		return nil, err
	}
	for _, name := range files {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		up = regexp.MustCompile(`(?i)\bINDEX\s+CONCURRENTLY\b`).ReplaceAllString(up, "INDEX")
		if _, err := tx.Conn().PgConn().Exec(ctx, up).ReadAll(); err != nil {
			return nil, fmt.Errorf("rehearse %s: %w", path.Base(name), err)
		}
	}
	return catalogue(ctx, tx.Conn(), scratch)
}

// catalogue lists what a schema holds, a line each, without the schema's name.
func catalogue(ctx context.Context, conn *pgx.Conn, schema string) ([]string, error) {
	const query = `
		SELECT 'table ' || c.relname || ' column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
			|| CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'goose_db_version'
		UNION ALL
		SELECT CASE WHEN i.indisvalid THEN '' ELSE 'invalid ' END || pg_get_indexdef(i.indexrelid)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = $1::regnamespace AND c.relname <> 'goose_db_version'
		UNION ALL
		SELECT 'table ' || c.relname || ' constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
		FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
		WHERE c.relnamespace = $1::regnamespace AND c.relname <> 'goose_db_version' AND k.contype IN ('p', 'u', 'f', 'c', 'x')
		UNION ALL
		SELECT 'table ' || c.relname || ' trigger ' || g.tgname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
		WHERE c.relnamespace = $1::regnamespace AND NOT g.tgisinternal
		UNION ALL
		SELECT 'function ' || p.proname || ' ' || md5(p.prosrc) FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
		ORDER BY 1`
	rows, err := conn.Query(ctx, query, schema)
	if err != nil {
		return nil, err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look at schema %s: %w", schema, err)
	}
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], schema+".", "")
	}
	return lines, nil
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
