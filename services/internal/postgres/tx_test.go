package postgres_test

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

func itemFiles() fstest.MapFS {
	return fstest.MapFS{"migrations/00001_item.sql": {Data: []byte(`-- +goose Up
CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL DEFAULT 0 CONSTRAINT item_n_positive CHECK (n >= 0));
`)}}
}

func TestInTxCommitsAndRollsBack(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	insert := func(id int, then error) error {
		return postgres.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO item VALUES ($1)", id); err != nil {
				return err
			}
			return then
		})
	}
	if err := insert(1, nil); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	if err := insert(2, refused); !errors.Is(err, refused) {
		t.Errorf("got %v, want the function's own error", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = postgres.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO item VALUES (3)"); err != nil {
				return err
			}
			panic("midway")
		})
	}()
	if got := scalar[[]int32](t, pool, "SELECT array_agg(id) FROM item"); len(got) != 1 || got[0] != 1 {
		t.Errorf("rows %v, want only 1", got)
	}
	if got := pool.Stat().AcquiredConns(); got != 0 {
		t.Errorf("%d connections were not given back", got)
	}
}

// Another transaction changes the row each time between our reading and our
// writing it, a number of times.
func TestInTxRunsAgainAfterASerializationFailure(t *testing.T) {
	for _, c := range []struct {
		name      string
		conflicts int
		wantTries int
		wantErr   bool
	}{
		{"none", 0, 1, false},
		{"one", 1, 2, false},
		{"four", 4, 5, false},
		{"always", 99, 5, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := pgtest.New(t, poolModule()).Pool("poolcase")
			ctx := t.Context()
			if _, err := pool.Exec(ctx, "INSERT INTO item VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			tries := 0
			err := postgres.InTx(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
				tries++
				var n int
				if err := tx.QueryRow(ctx, "SELECT n FROM item").Scan(&n); err != nil {
					return err
				}
				if tries <= c.conflicts {
					if _, err := pool.Exec(ctx, "UPDATE item SET n = n + 1"); err != nil {
						return err
					}
				}
				_, err := tx.Exec(ctx, "UPDATE item SET n = $1", n+100)
				return err
			})
			if (err != nil) != c.wantErr || tries != c.wantTries {
				t.Errorf("%d tries and error %v, want %d tries", tries, err, c.wantTries)
			}
			if c.wantErr && !postgres.Unavailable(err) {
				t.Errorf("%v is not unavailable", err)
			}
			want := min(c.conflicts, c.wantTries)
			if !c.wantErr {
				want += 100
			}
			if got := scalar[int](t, pool, "SELECT n FROM item"); got != want {
				t.Errorf("n = %d, want %d", got, want)
			}
		})
	}
}

func TestInTxRunsAgainAfterADeadlock(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx := t.Context()
	if _, err := pool.Exec(ctx, "INSERT INTO item VALUES (1), (2)"); err != nil {
		t.Fatal(err)
	}
	// Both hold one row before either asks for the other's.
	holding := make(chan struct{}, 2)
	both := make(chan struct{})
	go func() {
		<-holding
		<-holding
		close(both)
	}()
	results := make(chan error, 2)
	tries := make(chan int, 2)
	for _, ids := range [][2]int{{1, 2}, {2, 1}} {
		go func() {
			count := 0
			results <- postgres.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
				count++
				if _, err := tx.Exec(ctx, "UPDATE item SET n = n + 1 WHERE id = $1", ids[0]); err != nil {
					return err
				}
				if count == 1 {
					holding <- struct{}{}
					<-both
				}
				_, err := tx.Exec(ctx, "UPDATE item SET n = n + 1 WHERE id = $1", ids[1])
				return err
			})
			tries <- count
		}()
	}
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	// The loser may lose again, where it takes its row back before the winner wakes up.
	if total := <-tries + <-tries; total < 3 {
		t.Errorf("%d tries in all, want 3 or more: one transaction loses", total)
	}
	if got := scalar[int](t, pool, "SELECT sum(n) FROM item"); got != 4 {
		t.Errorf("sum = %d, want 4", got)
	}
}

func TestInTxGivesUpWhenItsContextEnds(t *testing.T) {
	pool := pgtest.New(t, poolModule()).Pool("poolcase")
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	err := postgres.InTx(ctx, pool, pgx.TxOptions{}, func(pgx.Tx) error {
		tries++
		cancel()
		return &pgconn.PgError{Code: "40001"}
	})
	if err == nil || tries != 1 {
		t.Errorf("%d tries and error %v, want one try and an error", tries, err)
	}
}
