package postgres

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Bulk is from how many rows on a COPY costs less than an INSERT, though it is a round trip of its
// own: the server logs the rows of a page together, not each by itself.
const Bulk = 64

// Column is one column of rows that are copied.
type Column struct {
	name string
	add  func(buf []byte, row int) []byte // appends a value; nil for NULL
}

// value is what a column may hold: what a table's column of that type takes, and nothing that is
// converted.
type value interface {
	bool | int16 | int32 | int64 | string | []byte | []int16 | []int64 | pgtype.UUID | pgtype.Timestamptz
}

// Col is the column of a name with the value that each row, counted from 0, has in it.
func Col[T value](name string, of func(row int) T) Column {
	add := adder[T]()
	return Column{name, func(buf []byte, row int) []byte { return add(buf, of(row)) }}
}

// adder is how values of a type are appended, as the server reads them.
func adder[T value]() func([]byte, T) []byte {
	var add any
	switch any(*new(T)).(type) {
	case bool:
		add = addBool
	case int16:
		add = addInt16
	case int32:
		add = addInt32
	case int64:
		add = addInt64
	case string:
		add = addString
	case []byte:
		add = addBytes
	case []int16:
		add = addInt16s
	case []int64:
		add = addInt64s
	case pgtype.UUID:
		add = addUUID
	case pgtype.Timestamptz:
		add = addTimestamptz
	}
	return add.(func([]byte, T) []byte) // every type of the constraint has one
}

// addInt16s and addInt64s append a list of its own, as array_recv reads it; NULL for none.
func addInt16s(buf []byte, list []int16) []byte {
	return addList(buf, list, pgtype.Int2OID, 2, addInt16)
}

func addInt64s(buf []byte, list []int64) []byte {
	return addList(buf, list, pgtype.Int8OID, 8, addInt64)
}

func addList[T any](buf []byte, list []T, element, size uint32, add func([]byte, T) []byte) []byte {
	if len(list) == 0 {
		return nil
	}
	for _, v := range [...]uint32{1, 0, element, uint32(len(list)), 1} { // dimension, no NULL, type, length, first index
		buf = addUint32(buf, v)
	}
	for _, v := range list {
		buf = add(addUint32(buf, size), v)
	}
	return buf
}

// Copy writes rows into a table of the session's schema. The columns must have the very types of
// the table's; columns left out get their defaults. A row that is there already fails it.
func Copy(ctx context.Context, conn *pgx.Conn, table string, rows int, columns ...Column) error {
	if rows == 0 {
		return nil
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	tracer, traced := conn.Config().Tracer.(pgx.CopyFromTracer)
	if traced {
		ctx = tracer.TraceCopyFromStart(ctx, conn, pgx.TraceCopyFromStartData{TableName: pgx.Identifier{table}, ColumnNames: names})
	}
	sql := "COPY " + table + " (" + strings.Join(names, ", ") + ") FROM STDIN (FORMAT binary)"
	tag, err := conn.PgConn().CopyFrom(ctx, &copyReader{columns: columns, rows: rows}, sql)
	if traced {
		tracer.TraceCopyFromEnd(ctx, conn, pgx.TraceCopyFromEndData{CommandTag: tag, Err: err})
	}
	return err
}

// Copy writes rows after the statements that wait; see [Copy].
func (p *Pipe) Copy(ctx context.Context, table string, rows int, columns ...Column) error {
	if err := p.Flush(ctx); err != nil {
		return err
	}
	return Copy(ctx, p.tx.Conn(), table, rows, columns...)
}

// copyReader encodes rows as they are read, in COPY's binary format.
type copyReader struct {
	columns   []Column
	rows      int
	next      int // row; rows + 1 after the end
	buf, rest []byte
}

// copyChunk is about how much is encoded at once: what the driver sends at once.
const copyChunk = 64 << 10

// Read encodes some more rows when those before are read.
func (r *copyReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.next > r.rows {
			return 0, io.EOF
		}
		r.encode()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *copyReader) encode() {
	const header, most = "PGCOPY\n\xff\r\n\x00", copyChunk * 7 / 8
	if r.buf == nil {
		r.buf = append([]byte(header), 0, 0, 0, 0, 0, 0, 0, 0) // no flags, nothing more
	} else {
		r.buf = r.buf[:0]
	}
	for ; r.next < r.rows && len(r.buf) < most; r.next++ {
		r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(len(r.columns)))
		for i := range r.columns {
			at := len(r.buf)
			r.buf = addUint32(r.buf, 1<<32-1) // -1: NULL
			if v := r.columns[i].add(r.buf, r.next); v != nil {
				r.buf = v
				binary.BigEndian.PutUint32(r.buf[at:], uint32(len(r.buf)-at-4))
			}
		}
		if r.next == 0 { // the others will be about as long
			r.buf = slices.Grow(r.buf, min(copyChunk, r.rows*len(r.buf)*9/8)-min(copyChunk, len(r.buf)))
		}
	}
	if r.next == r.rows && len(r.buf) < most {
		r.buf = binary.BigEndian.AppendUint16(r.buf, 1<<16-1) // -1: the end
		r.next++
	}
	r.rest = r.buf
}
