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
		if !violated(err) {
			t.Errorf("%s: got %v, want the violated key", name, err)
		}
	}
	var stored int
	if err := pool.QueryRow(ctx, "SELECT count(*) FROM item").Scan(&stored); err != nil || stored != 0 {
		t.Errorf("%d rows are stored, %v; want none", stored, err)
	}
}

func TestInPipeCommitsAndRollsBack(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	later := func(p *postgres.Pipe, id int) {
		if _, err := p.Later().Exec(ctx, "INSERT INTO item (id) VALUES ($1)", id); err != nil {
			t.Errorf("add %d: %v", id, err)
		}
	}
	refused := errors.New("refused")
	for _, c := range []struct {
		name string
		fn   func(*postgres.Pipe) error
		want func(error) bool
	}{
		{"nothing", func(*postgres.Pipe) error { return nil }, func(err error) bool { return err == nil }},
		{"waiting only", func(p *postgres.Pipe) error { later(p, 1); return nil }, func(err error) bool { return err == nil }},
		{"sent", func(p *postgres.Pipe) error {
			if _, err := p.Exec(ctx, "INSERT INTO item (id) VALUES (2)"); err != nil {
				return err
			}
			later(p, 3)
			return nil
		}, func(err error) bool { return err == nil }},
		{"refused before anything is sent", func(p *postgres.Pipe) error { later(p, 11); return refused }, func(err error) bool { return errors.Is(err, refused) }},
		{"refused after something was sent", func(p *postgres.Pipe) error {
			later(p, 12)
			if err := p.Flush(ctx); err != nil {
				return err
			}
			return refused
		}, func(err error) bool { return errors.Is(err, refused) }},
		{"broken before the commit", func(p *postgres.Pipe) error { later(p, 13); later(p, 13); return nil }, violated},
		{"broken and gone on", func(p *postgres.Pipe) error {
			later(p, 14)
			later(p, 14)
			if err := p.Flush(ctx); !violated(err) {
				t.Errorf("got %v, want the violated key", err)
			}
			return nil
		}, func(err error) bool { return errors.Is(err, pgx.ErrTxCommitRollback) }},
	} {
		if err := postgres.InPipe(ctx, pool, c.fn); !c.want(err) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = postgres.InPipe(ctx, pool, func(p *postgres.Pipe) error {
			later(p, 15)
			if err := p.Flush(ctx); err != nil {
				t.Error(err)
			}
			panic("midway")
		})
	}()
	got := scalar[[]int32](t, pool, "SELECT array_agg(id ORDER BY id) FROM item")
	if d := cmp.Diff([]int32{1, 2, 3}, got); d != "" {
		t.Errorf("rows: %s", d)
	}
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were not given back", n)
	}
	if n := pool.Stat().NewConnsCount(); n != 1 {
		t.Errorf("%d connections were made, want the first one rolled back and used again", n)
	}
}

func violated(err error) bool {
	var broken *pgconn.PgError
	return errors.As(err, &broken) && broken.Code == "23505"
}

func TestInPipeRunsAgainWhenItLost(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	tries := 0
	err := postgres.InPipe(ctx, pool, func(p *postgres.Pipe) error {
		tries++
		if tries < 3 {
			_, err := p.Exec(ctx, "DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$")
			return err
		}
		_, err := p.Later().Exec(ctx, "INSERT INTO item (id) VALUES (1)")
		return err
	})
	if err != nil || tries != 3 {
		t.Errorf("%d tries and error %v, want three tries", tries, err)
	}
	if n := scalar[int](t, pool, "SELECT count(*) FROM item"); n != 1 {
		t.Errorf("%d rows, want one", n)
	}
}
