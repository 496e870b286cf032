// Package limit finds out how fast the machine's Postgres could at best store what the product
// stores: it takes the very rows that a run of the product left and inserts them again, into empty
// tables with the same columns, indexes and settings on the same server, in groups of the same
// size, durably, with nothing else to do.
package limit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// schema is where the empty tables are made.
const schema = "leadmesh_limit"

// Source is one table whose rows are taken.
type Source struct {
	Schema, Table string
	Query         string // what to take instead of all rows
	// Transient rows are deleted again, by their first two columns, with the group that follows.
	Transient bool
}

// Rows are the rows of a run, in the order in which they were written.
type Rows struct {
	Leads  int // that made them
	tables []*table
}

type table struct {
	name        string // of the empty table
	schema      string // of the source: its rows are committed together
	columns     []column
	tuples      [][]byte // as COPY writes them
	transient   bool
	insert, cut string // SQL
}

type column struct {
	name, kind string
	array      bool // is an array itself
	oid        uint32
}

// Read takes the rows of the sources and makes an empty table for each that has any.
func Read(ctx context.Context, url string, leads int, sources []Source) (r *Rows, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.PgConn().Exec(ctx, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS "+schema+" CASCADE; CREATE SCHEMA "+schema).ReadAll(); err != nil {
		return nil, err
	}
	r = &Rows{Leads: leads}
	for _, s := range sources {
		t, err := s.read(ctx, conn)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", s.Schema, s.Table, err)
		}
		if len(t.tuples) == 0 {
			continue
		}
		if err := s.clone(ctx, conn, t); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", s.Schema, s.Table, err)
		}
		r.tables = append(r.tables, t)
	}
	if len(r.tables) == 0 {
		return nil, errors.New("the run left no rows")
	}
	return r, nil
}

// Drop removes the empty tables.
func Drop(ctx context.Context, url string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	_, err = conn.PgConn().Exec(ctx, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS "+schema+" CASCADE").ReadAll()
	return err
}

// String says how many rows of each table there are.
func (r *Rows) String() string {
	var parts []string
	for _, t := range r.tables {
		parts = append(parts, fmt.Sprintf("%s.%s %d", t.schema, strings.TrimPrefix(t.name, schema+"."+t.schema+"_"), len(t.tuples)))
	}
	return strings.Join(parts, ", ")
}

func (s Source) read(ctx context.Context, conn *pgx.Conn) (*table, error) {
	t := &table{name: fmt.Sprintf("%s.%s_%s", schema, s.Schema, s.Table), schema: s.Schema, transient: s.Transient}
	query := s.Query
	if query == "" {
		query = fmt.Sprintf("SELECT * FROM %s.%s ORDER BY ctid", s.Schema, s.Table)
	}
	var raw bytes.Buffer
	if _, err := conn.PgConn().CopyTo(ctx, &raw, "COPY ("+query+") TO STDOUT (FORMAT binary)"); err != nil {
		return nil, err
	}
	var err error
	t.tuples, err = tuples(raw.Bytes())
	return t, err
}

// copyHeader is the signature of COPY's binary format, without flags and extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// copyEnd ends it.
const copyEnd = "\xff\xff"

// tuples cuts what COPY wrote into rows.
func tuples(raw []byte) ([][]byte, error) {
	raw, ok := bytes.CutPrefix(raw, []byte(copyHeader))
	if !ok {
		return nil, errors.New("COPY wrote another format")
	}
	var out [][]byte
	for len(raw) >= 2 {
		if string(raw[:2]) == copyEnd {
			return out, nil
		}
		n := 2
		for range binary.BigEndian.Uint16(raw) {
			if len(raw) < n+4 {
				return nil, errors.New("COPY wrote half a row")
			}
			n += 4 + int(max(int32(binary.BigEndian.Uint32(raw[n:])), 0))
		}
		if len(raw) < n {
			return nil, errors.New("COPY wrote half a row")
		}
		out, raw = append(out, raw[:n:n]), raw[n:]
	}
	return nil, errors.New("COPY wrote no end")
}

// clone makes the empty table, with the settings that LIKE leaves out, and its statements.
func (s Source) clone(ctx context.Context, conn *pgx.Conn, t *table) error {
	var settings string
	err := conn.QueryRow(ctx, "SELECT coalesce(array_to_string(reloptions, ', '), '') FROM pg_class WHERE oid = $1::regclass",
		s.Schema+"."+s.Table).Scan(&settings)
	if err != nil {
		return err
	}
	if settings != "" {
		settings = " WITH (" + settings + ")"
	}
	_, err = conn.Exec(ctx, fmt.Sprintf("CREATE TABLE %s (LIKE %s.%s INCLUDING ALL)%s", t.name, s.Schema, s.Table, settings))
	if err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `SELECT attname::text, format_type(atttypid, atttypmod), atttypid::oid, typcategory = 'A'
		FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
		WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, t.name)
	if err != nil {
		return err
	}
	t.columns, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (column, error) {
		var c column
		err := row.Scan(&c.name, &c.kind, &c.oid, &c.array)
		return c, err
	})
	if err != nil {
		return err
	}
	var names, args []string
	for i, c := range t.columns {
		names = append(names, c.name)
		args = append(args, fmt.Sprintf("$%d::%s[]", i+1, c.kind))
	}
	t.insert = fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM unnest(%s)", t.name, strings.Join(names, ", "), strings.Join(args, ", "))
	if t.transient {
		t.cut = fmt.Sprintf("DELETE FROM %s WHERE (%s, %s) IN (SELECT * FROM unnest($1::%s[], $2::%s[]))",
			t.name, names[0], names[1], t.columns[0].kind, t.columns[1].kind)
	}
	return nil
}

// of are the rows of the leads from a to b, if every lead had as many.
func (t *table) of(r *Rows, a, b int) [][]byte {
	return t.tuples[a*len(t.tuples)/r.Leads : b*len(t.tuples)/r.Leads]
}

// copied writes rows as COPY reads them.
func copied(rows [][]byte) []byte {
	size := len(copyHeader) + len(copyEnd)
	for _, row := range rows {
		size += len(row)
	}
	out := append(make([]byte, 0, size), copyHeader...)
	for _, row := range rows {
		out = append(out, row...)
	}
	return append(out, copyEnd...)
}

// arrays writes the first n columns of rows as binary arrays, one per column.
func (t *table) arrays(rows [][]byte, n int) [][]byte {
	const head = 20
	out := make([][]byte, n)
	for i := range out {
		a := make([]byte, head, head+len(rows)*24)
		binary.BigEndian.PutUint32(a[0:], 1) // dimension
		binary.BigEndian.PutUint32(a[8:], t.columns[i].oid)
		binary.BigEndian.PutUint32(a[12:], uint32(len(rows)))
		binary.BigEndian.PutUint32(a[16:], 1) // the first element's number
		out[i] = a
	}
	for _, row := range rows {
		at := 2
		for i := range n {
			size := 4
			if length := int32(binary.BigEndian.Uint32(row[at:])); length >= 0 {
				size += int(length)
			} else {
				binary.BigEndian.PutUint32(out[i][4:], 1) // there are nulls
			}
			out[i] = append(out[i], row[at:at+size]...)
			at += size
		}
	}
	return out
}
