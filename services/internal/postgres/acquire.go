package postgres

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// defaultAcquireTimeout is below what a caller waits for an answer, so
	// that he is told to come back rather than kept.
	defaultAcquireTimeout = 3 * time.Second
	// starvedInterval bounds how often a starved pool is written about.
	starvedInterval = time.Minute
)

// patience bounds how long who wants a connection of a pool waits for one; the
// pool itself waits for as long as its caller. It is a tracer because that is
// the one place where a pool lets others have a word before it waits.
type patience struct {
	limit   time.Duration
	role    string
	log     *slog.Logger
	starved *atomic.Int64 // when it was written about last, unix nanoseconds
}

type (
	acquireCancel struct{}
	unhurried     struct{} // marks a context whose own deadline is the only one
)

// TraceAcquireStart gives the wait its limit.
func (p patience) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	if deadline, ok := ctx.Deadline(); ok && (time.Until(deadline) <= p.limit || ctx.Value(unhurried{}) != nil) {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	return context.WithValue(ctx, acquireCancel{}, cancel)
}

// TraceAcquireEnd ends the limit with the wait, and says so when the wait was
// in vain because every connection was at work.
func (p patience) TraceAcquireEnd(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	cancel, ok := ctx.Value(acquireCancel{}).(context.CancelFunc)
	if !ok {
		return
	}
	expired := ctx.Err() == context.DeadlineExceeded
	cancel()
	if data.Err == nil || !expired {
		return
	}
	stat := pool.Stat()
	if stat.AcquiredConns() < stat.MaxConns() { // it was the database that did not let it in
		return
	}
	now, last := time.Now().UnixNano(), p.starved.Load()
	if now-last < int64(starvedInterval) || !p.starved.CompareAndSwap(last, now) {
		return
	}
	p.log.WarnContext(ctx, "no database connection was free in time: all are at work; look for slow statements in pg_stat_activity, or give the process more with --db-connections",
		"role", p.role, "connections", stat.MaxConns(), "waited_ms", p.limit.Milliseconds())
}

// tracer is what a pool of cfg is traced by.
func (p patience) tracer(cfg PoolConfig) pgx.QueryTracer {
	if cfg.TracerProvider == nil {
		return untraced{p}
	}
	return traced{newTracer(cfg), p}
}

// traced records spans and bounds the wait for a connection.
type traced struct {
	*otelpgx.Tracer
	patience
}

// TraceAcquireStart is patience's: spans of waiting are not recorded.
func (t traced) TraceAcquireStart(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireStartData) context.Context {
	return t.patience.TraceAcquireStart(ctx, pool, data)
}

// TraceAcquireEnd is patience's.
func (t traced) TraceAcquireEnd(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	t.patience.TraceAcquireEnd(ctx, pool, data)
}

// untraced bounds the wait for a connection and records nothing.
type untraced struct{ patience }

// TraceQueryStart does nothing: a pool's tracer must have it.
func (untraced) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd does nothing.
func (untraced) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
