package limit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
)

// Committer commits rows one by one, as a program must that has nothing to do but to keep what each
// call gives it. Close it.
type Committer struct {
	conns chan *pgx.Conn
	body  []byte
}

// NewCommitter makes an empty table and so many connections; a row holds size bytes.
func NewCommitter(ctx context.Context, url string, conns, size int) (*Committer, error) {
	c := &Committer{conns: make(chan *pgx.Conn, conns), body: make([]byte, size)}
	for i := range conns {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.conns <- conn
		sql := "SET synchronous_commit = on"
		if i == 0 {
			sql += "; CREATE SCHEMA IF NOT EXISTS " + schema + "; DROP TABLE IF EXISTS " + schema + ".single" +
				"; CREATE TABLE " + schema + ".single (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, body bytea NOT NULL)"
		}
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Close ends the connections. Nothing may be under way.
func (c *Committer) Close() error {
	close(c.conns)
	var errs []error
	for conn := range c.conns {
		errs = append(errs, conn.Close(context.Background()))
	}
	return errors.Join(errs...)
}

// Paced commits n rows, each in a transaction of its own when it is due, whatever the others do, and
// returns how long after being due each was durable. One that finds all connections busy waits.
func (c *Committer) Paced(ctx context.Context, n int, rate float64) ([]time.Duration, error) {
	times := make([]time.Duration, n)
	var mu sync.Mutex
	var failed error
	err := load.Pace(ctx, n, rate, func(i int, due time.Time) {
		conn := <-c.conns
		_, err := conn.Exec(ctx, "INSERT INTO "+schema+".single (body) VALUES ($1)", c.body)
		times[i] = time.Since(due)
		c.conns <- conn
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		}
	})
	return times, errors.Join(err, failed)
}
