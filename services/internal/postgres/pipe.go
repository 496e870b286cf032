package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pipe is a transaction whose statements go to the server several at once. Those given to Later
// wait for the next one whose answer somebody needs, or for Flush, and are run before it in the
// order given: a transaction holds its locks for fewer round trips. Whoever commits the transaction
// must call Flush before. Not safe for concurrent use.
type Pipe struct {
	tx      sender
	waiting pgx.Batch
}

// sender is a transaction, or the connection that one was begun on.
type sender interface {
	Conn() *pgx.Conn
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// NewPipe makes a pipe into a transaction. While something waits, the transaction itself must not
// be used.
func NewPipe(tx pgx.Tx) *Pipe { return &Pipe{tx: tx} }

// InPipe runs fn as InTx does, inside a transaction that begins with the first statements sent and is
// committed with the last: two round trips less, for which nobody else has to wait for its locks. fn
// does not flush what it leaves waiting.
func InPipe(ctx context.Context, pool *pgxpool.Pool, fn func(*Pipe) error) error {
	return again(ctx, func() error { return inPipe(ctx, pool, fn) })
}

func inPipe(ctx context.Context, pool *pgxpool.Pool, fn func(*Pipe) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // closes a connection with a transaction that could not be rolled back
	defer func() {
		if conn.Conn().PgConn().TxStatus() != idle {
			_, _ = conn.Exec(ctx, "rollback") // why it is rolled back is told already
		}
	}()
	p := &Pipe{tx: conn}
	p.waiting.Queue("begin")
	if err := fn(p); err != nil {
		return err
	}
	return p.commit(ctx)
}

// idle is the state of a connection without a transaction.
const idle = 'I'

// commit sends what waits and commits it.
func (p *Pipe) commit(ctx context.Context) error {
	answers, err := p.before(ctx, "commit", nil)
	if err != nil {
		return err
	}
	tag, err := answers.Exec()
	if end := answers.Close(); err == nil {
		err = end
	}
	if err == nil && tag.String() == "ROLLBACK" { // a statement failed and fn went on
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// Later is the pipe for statements that answer nothing.
func (p *Pipe) Later() Later { return Later{p} }

// Flush runs what waits.
func (p *Pipe) Flush(ctx context.Context) error {
	if p.waiting.Len() == 0 {
		return nil
	}
	return p.send(ctx).Close()
}

// send hands all that waits to the server.
func (p *Pipe) send(ctx context.Context) pgx.BatchResults {
	batch := p.waiting
	p.waiting = pgx.Batch{}
	return p.tx.SendBatch(ctx, &batch)
}

// before sends what waits with one statement more, and returns the answers from that one's on.
func (p *Pipe) before(ctx context.Context, sql string, args []any) (pgx.BatchResults, error) {
	waiting := p.waiting.Len()
	p.waiting.Queue(sql, args...)
	answers := p.send(ctx)
	for range waiting {
		if _, err := answers.Exec(); err != nil {
			_ = answers.Close() // tells the same
			return nil, err
		}
	}
	return answers, nil
}

// Exec runs a statement after those that wait.
func (p *Pipe) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if p.waiting.Len() == 0 {
		return p.tx.Exec(ctx, sql, args...)
	}
	answers, err := p.before(ctx, sql, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := answers.Exec()
	if end := answers.Close(); err == nil {
		err = end
	}
	return tag, err
}

// Query runs a query after the statements that wait. The rows must be closed before the pipe is used
// again.
func (p *Pipe) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if p.waiting.Len() == 0 {
		return p.tx.Query(ctx, sql, args...)
	}
	answers, err := p.before(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := answers.Query()
	if err != nil {
		_ = answers.Close() // tells the same
		return nil, err
	}
	return &pipedRows{Rows: rows, answers: answers}, nil
}

// QueryRow runs a query for one row after the statements that wait.
func (p *Pipe) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := p.Flush(ctx); err != nil {
		return failedRow{err}
	}
	return p.tx.QueryRow(ctx, sql, args...)
}

// CopyFrom copies rows after the statements that wait.
func (p *Pipe) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := p.Flush(ctx); err != nil {
		return 0, err
	}
	return p.tx.CopyFrom(ctx, table, columns, rows)
}

// Later lets statements wait. Queries are run at once, as by the pipe.
type Later struct{ *Pipe }

// Exec keeps a statement for later. The arguments belong to the pipe until they are sent; the tag
// is empty, and an error comes with whatever sends the statement.
func (l Later) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	l.waiting.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// pipedRows are the rows of the last statement sent.
type pipedRows struct {
	pgx.Rows
	answers pgx.BatchResults
	end     error
}

func (r *pipedRows) Close() {
	r.Rows.Close()
	if err := r.answers.Close(); err != nil && r.end == nil {
		r.end = err
	}
}

// Err is why there are no more rows.
func (r *pipedRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.end
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
