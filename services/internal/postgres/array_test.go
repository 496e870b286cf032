package postgres

import (
	"bytes"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Lists are encoded to the very bytes that pgx makes of them, NULLs, ends of time and all.
func TestArraysAreEncodedAsByPgx(t *testing.T) {
	ours, theirs := pgtype.NewMap(), pgtype.NewMap()
	registerArrays(ours)
	at := time.Date(2024, 2, 29, 23, 59, 59, 123_456_789, time.FixedZone("", 3600))
	for name, c := range map[string]struct {
		oid   uint32
		value any
	}{
		"booleans":  {pgtype.BoolArrayOID, []bool{true, false}},
		"smallints": {pgtype.Int2ArrayOID, []int16{0, -1, 1 << 14}},
		"integers":  {pgtype.Int4ArrayOID, []int32{0, -1, 1 << 30}},
		"texts":     {pgtype.TextArrayOID, []string{"", "a", "übel", "NULL", `"{,}`}},
		"bytes":     {pgtype.ByteaArrayOID, [][]byte{nil, {}, {0}, []byte("abc")}},
		"uuids":     {pgtype.UUIDArrayOID, []pgtype.UUID{{}, {Bytes: [16]byte{1, 15: 2}, Valid: true}}},
		"moments": {pgtype.TimestamptzArrayOID, []pgtype.Timestamptz{
			{}, {Time: at, Valid: true}, {Time: time.Unix(-1, 1), Valid: true}, {Time: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Valid: true},
			{InfinityModifier: pgtype.Infinity, Valid: true}, {InfinityModifier: pgtype.NegativeInfinity, Valid: true},
		}},
		"none":                {pgtype.TextArrayOID, []string{}},
		"NULL":                {pgtype.TextArrayOID, []string(nil)},
		"NULL of UUIDs":       {pgtype.UUIDArrayOID, []pgtype.UUID(nil)},
		"a list of its own":   {pgtype.UUIDArrayOID, [][16]byte{{1}, {2}}},
		"times":               {pgtype.TimestamptzArrayOID, []time.Time{at}},
		"a list of pointers":  {pgtype.TextArrayOID, []*string{nil, new(string)}},
		"two dimensions":      {pgtype.Int4ArrayOID, [][]int32{{1, 2}, {3, 4}}},
		"a list in an array":  {pgtype.TextArrayOID, pgtype.Array[string]{Elements: []string{"a"}, Dims: []pgtype.ArrayDimension{{Length: 1, LowerBound: 5}}, Valid: true}},
		"a list not ours":     {pgtype.Int8ArrayOID, []int64{1, 2}},
		"a value, not a list": {pgtype.TextOID, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			if a, b := ours.FormatCodeForOID(c.oid), theirs.FormatCodeForOID(c.oid); a != b {
				t.Fatalf("format %d, want %d", a, b)
			}
			for _, format := range []int16{pgtype.BinaryFormatCode, pgtype.TextFormatCode} {
				got, err := ours.Encode(c.oid, format, c.value, []byte("before"))
				want, errWant := theirs.Encode(c.oid, format, c.value, []byte("before"))
				if (err != nil) != (errWant != nil) || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
					t.Errorf("format %d: % x, %v; want % x, %v", format, got, err, want, errWant)
				}
			}
		})
	}
}

// A list is encoded without an allocation for each element.
func TestArraysAreEncodedWithoutBoxes(t *testing.T) {
	m := pgtype.NewMap()
	registerArrays(m)
	ids := make([]pgtype.UUID, 1_000)
	for i := range ids {
		ids[i].Valid = true
	}
	buf := make([]byte, 0, 64<<10)
	var value any = ids
	if n := testing.AllocsPerRun(10, func() {
		if _, err := m.Encode(pgtype.UUIDArrayOID, pgtype.BinaryFormatCode, value, buf); err != nil {
			t.Fatal(err)
		}
	}); n > 5 {
		t.Errorf("%d identifiers take %.0f allocations", len(ids), n)
	}
}

// The buffer of a statement with many lists is made a few times, not for each bit that it grows.
func TestStatementsMakeFewBuffers(t *testing.T) {
	m := pgtype.NewMap()
	registerArrays(m)
	statement := &pgconn.StatementDescription{}
	var lists []any
	for range 12 {
		statement.ParamOIDs = append(statement.ParamOIDs, pgtype.UUIDArrayOID, pgtype.ByteaArrayOID)
		bodies := make([][]byte, 1_000)
		for i := range bodies {
			bodies[i] = make([]byte, 100)
		}
		lists = append(lists, make([]pgtype.UUID, 1_000), bodies)
	}
	var query pgx.ExtendedQueryBuilder
	if n := testing.AllocsPerRun(10, func() {
		if err := query.Build(m, statement, lists); err != nil {
			t.Fatal(err)
		}
	}); n > 12 {
		t.Errorf("a statement with %d lists takes %.0f allocations", len(lists), n)
	}
}
