package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

func TestPipeKeepsOrder(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	var seen, held []int
	err := postgres.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		p := postgres.NewPipe(tx)
		later := p.Later()
		add := func(ids ...int) {
			for _, id := range ids {
				if _, err := later.Exec(ctx, "INSERT INTO item (id, n) VALUES ($1, $1)", id); err != nil {
					t.Errorf("add %d: %v", id, err)
				}
			}
		}
		read := func(into *[]int, q interface {
			Query(context.Context, string, ...any) (pgx.Rows, error)
		}) error {
			rows, err := q.Query(ctx, "SELECT id FROM item ORDER BY id")
			if err != nil {
				return err
			}
			*into, err = pgx.CollectRows(rows, pgx.RowTo[int])
			return err
		}
		add(1, 2)
		if err := read(&held, tx); err != nil { // what waits is not with the server
			return err
		}
		if err := read(&seen, p); err != nil {
			return err
		}
		add(3)
		tag, err := p.Exec(ctx, "UPDATE item SET n = 9")
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 3 {
			t.Errorf("%d rows updated, want 3", tag.RowsAffected())
		}
		add(4)
		var n int
		if err := p.QueryRow(ctx, "SELECT n FROM item WHERE id = $1", 4).Scan(&n); err != nil || n != 4 {
			t.Errorf("row 4 is %d, %v", n, err)
		}
		add(5)
		copied, err := p.CopyFrom(ctx, pgx.Identifier{"item"}, []string{"id", "n"}, pgx.CopyFromRows([][]any{{6, 5}}))
		if err != nil || copied != 1 {
			t.Errorf("copied %d, %v", copied, err)
		}
		add(7)
		return p.Flush(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{1, 2}, seen); d != "" || len(held) != 0 {
		t.Errorf("before: %v; after:\n%s", held, d)
	}
	var stored int
	if err := pool.QueryRow(ctx, "SELECT count(*) FROM item").Scan(&stored); err != nil || stored != 7 {
		t.Errorf("%d rows are stored, %v; want 7", stored, err)
	}
}

func TestPipeTellsWhichStatementFailed(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	for name, send := range map[string]func(p *postgres.Pipe) error{
		"flush": func(p *postgres.Pipe) error { return p.Flush(ctx) },
		"exec": func(p *postgres.Pipe) error {
			_, err := p.Exec(ctx, "UPDATE item SET n = 1")
			return err
		},
		"query": func(p *postgres.Pipe) error {
			rows, err := p.Query(ctx, "SELECT id FROM item")
			if err == nil {
				rows.Close()
				err = rows.Err()
			}
			return err
		},
		"row": func(p *postgres.Pipe) error {
			var n int
			return p.QueryRow(ctx, "SELECT 1").Scan(&n)
		},
		"copy": func(p *postgres.Pipe) error {
			_, err := p.CopyFrom(ctx, pgx.Identifier{"item"}, []string{"id"}, pgx.CopyFromRows([][]any{{9}}))
			return err
		},
	} {
		err := postgres.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
			p := postgres.NewPipe(tx)
			for range 2 {
				if _, err := p.Later().Exec(ctx, "INSERT INTO item VALUES (1)"); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			return send(p)
		})
		var broken *pgconn.PgError
		if !errors.As(err, &broken) || broken.Code != "23505" {
			t.Errorf("%s: got %v, want the violated key", name, err)
		}
	}
	var stored int
	if err := pool.QueryRow(ctx, "SELECT count(*) FROM item").Scan(&stored); err != nil || stored != 0 {
		t.Errorf("%d rows are stored, %v; want none", stored, err)
	}
}
