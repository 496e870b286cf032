package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maxTxAttempts bounds how often a transaction that lost against another is
// tried. Five in a row means contention that waiting does not cure.
const maxTxAttempts = 5

// InTx runs fn inside one transaction: committed when fn returns nil, rolled
// back when it returns an error or panics. A transaction the server ended with
// a serialization failure or a deadlock is run again, up to five times in all
// with a growing, jittered pause, so fn must be safe to repeat: it may change
// nothing but the database, and whatever it collects must be reset at its
// beginning. The error of the last attempt is returned as it came.
//
// A connection lost during COMMIT leaves it unknown whether the transaction
// counts; such an error is [Unavailable] and never retried here.
func InTx(ctx context.Context, pool *pgxpool.Pool, opts pgx.TxOptions, fn func(pgx.Tx) error) error {
	return again(ctx, func() error { return pgx.BeginTxFunc(ctx, pool, opts, fn) })
}

// again tries a transaction until it does not lose against another.
func again(ctx context.Context, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || !conflict(err) || attempt == maxTxAttempts {
			return err
		}
		if !pause(ctx, attempt) {
			return err
		}
	}
}

// pause waits a random time below 4, 8, 16, 32 ms for attempts 1 to 4 and
// reports whether ctx is still live after it. The whole range is drawn from,
// or two transactions that met once would meet again.
func pause(ctx context.Context, attempt int) bool {
	limit := 2 * time.Millisecond << attempt
	timer := time.NewTimer(rand.N(limit))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
