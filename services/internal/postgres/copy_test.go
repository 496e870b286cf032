package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// What is copied reads as it was: every type, NULLs, defaults, and rows longer than what is sent at
// once, beside what waited in the pipe.
func TestCopyWritesWhatItIsGiven(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	_, err := pool.Exec(ctx, `CREATE TABLE thing (id int PRIMARY KEY, flag bool, small smallint, big bigint, name text, raw bytea,
		list bigint[], smalls smallint[], tag uuid, at timestamptz, left_out text DEFAULT 'as ever')`)
	if err != nil {
		t.Fatal(err)
	}
	type thing struct {
		ID      int32
		Flag    bool
		Small   int16
		Big     int64
		Name    string
		Raw     []byte
		List    []int64
		Smalls  []int16
		Tag     pgtype.UUID
		At      pgtype.Timestamptz
		LeftOut string
	}
	at := time.Date(2024, 2, 29, 23, 59, 59, 123_456_000, time.UTC)
	want := []thing{{ID: 1, LeftOut: "as ever"}} // waits
	for i := range int32(300) {
		want = append(want, thing{ID: i + 2, Flag: i%2 == 0, Small: int16(-i), Big: int64(i) << 40, Name: "übel", Raw: []byte(strings.Repeat("x", int(i)*10)),
			List: []int64{int64(i), -1}, Smalls: []int16{int16(i), -1, 0}, Tag: pgtype.UUID{Bytes: [16]byte{1, 15: byte(i)}, Valid: true},
			At: pgtype.Timestamptz{Time: at.Add(time.Duration(i) * time.Hour), Valid: true}, LeftOut: "as ever"})
	}
	want[7].Raw = make([]byte, 200_000)
	want[8].Raw, want[8].List, want[8].Smalls, want[8].Tag, want[8].At = nil, nil, nil, pgtype.UUID{}, pgtype.Timestamptz{}
	rows := want[1:]
	err = postgres.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		p := postgres.NewPipe(tx)
		if _, err := p.Later().Exec(ctx, "INSERT INTO thing VALUES (1, false, 0, 0, '')"); err != nil {
			return err
		}
		if err := p.Copy(ctx, "thing", 0, postgres.Col("id", func(int) int32 { return 0 })); err != nil {
			t.Errorf("no rows: %v", err)
		}
		return p.Copy(ctx, "thing", len(rows),
			postgres.Col("id", func(i int) int32 { return rows[i].ID }),
			postgres.Col("flag", func(i int) bool { return rows[i].Flag }),
			postgres.Col("small", func(i int) int16 { return rows[i].Small }),
			postgres.Col("big", func(i int) int64 { return rows[i].Big }),
			postgres.Col("name", func(i int) string { return rows[i].Name }),
			postgres.Col("raw", func(i int) []byte { return rows[i].Raw }),
			postgres.Col("list", func(i int) []int64 { return rows[i].List }),
			postgres.Col("smalls", func(i int) []int16 { return rows[i].Smalls }),
			postgres.Col("tag", func(i int) pgtype.UUID { return rows[i].Tag }),
			postgres.Col("at", func(i int) pgtype.Timestamptz { return rows[i].At }),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := pool.Query(ctx, "SELECT id, flag, small, big, name, raw, list, smalls, tag, at, left_out FROM thing ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(stored, pgx.RowToStructByPos[thing])
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].At.Time = got[i].At.Time.UTC()
	}
	want[2].Raw, want[1].Raw = []byte(strings.Repeat("x", 10)), []byte{} // no bytes are not NULL
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b pgtype.Timestamptz) bool { return a.Valid == b.Valid && a.Time.Equal(b.Time) })); d != "" {
		t.Errorf("what is stored (-want +got):\n%s", d)
	}
}

// A row that is there already fails the copy, which says so, and the connection goes on.
func TestCopyFailsByARowThatIsThere(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	add := func() error {
		return postgres.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
			return postgres.Copy(ctx, tx.Conn(), "item", 10_000,
				postgres.Col("id", func(i int) int32 { return int32(i) }), postgres.Col("n", func(int) int32 { return 0 }))
		})
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	if err := add(); !postgres.UniqueViolation(err, "") {
		t.Errorf("copied twice: %v", err)
	}
	var n int
	if err := pool.QueryRow(ctx, "SELECT count(*) FROM item").Scan(&n); err != nil || n != 10_000 {
		t.Errorf("%d rows are stored, %v", n, err)
	}
}
