package limit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Counts are the rows of every table of the product, by schema.table.
type Counts map[string]int64

// Count counts the rows of the schemas whose name begins with one of the services'.
func Count(ctx context.Context, conn *pgx.Conn, services []string) (Counts, error) {
	rows, err := conn.Query(ctx, `SELECT schemaname || '.' || tablename FROM pg_tables
		WHERE EXISTS (SELECT FROM unnest($1::text[]) s WHERE starts_with(schemaname, s)) AND tablename NOT IN ('goose_db_version', 'river_leader', 'river_queue', 'river_migration')
		ORDER BY 1`, services)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	counts := Counts{}
	for _, name := range names {
		var n int64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&n); err != nil {
			return nil, err
		}
		counts[name] = n
	}
	return counts, nil
}

// Since are the rows that came since before.
func (c Counts) Since(before Counts) int64 {
	var n int64
	for name := range c {
		n += max(c[name]-before[name], 0)
	}
	return n
}

// Sources are the tables that grew from nothing or from almost nothing, as sources: those that leads
// write to. The rows of the outboxes are gone; they are made again from the events, whose columns
// hold what an outbox row holds.
func (c Counts) Sources(before Counts) []Source {
	var out []Source
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if c[name] > before[name] {
			schema, table, _ := strings.Cut(name, ".")
			out = append(out, Source{Schema: schema, Table: table})
		}
	}
	return out
}

// Outbox are the rows that passed a service's outbox.
func Outbox(service string) Source {
	return Source{Schema: service, Table: "outbox", Transient: true, Query: fmt.Sprintf(`SELECT bucket, event_id, recorded_at,
		facts || convert_to(lead_id::text || event_id::text || type || source || traceparent, 'UTF8') || '\x0000000000000000'::bytea
		FROM feedback.event WHERE source = '%s' ORDER BY ctid`, service)}
}

// Pending are the rows that passed Capture's pending table.
func Pending() Source {
	return Source{Schema: "capture", Table: "pending", Transient: true, Query: `SELECT bucket, lead_id, received_at, 0::smallint,
		received_at FROM capture.lead ORDER BY ctid`}
}

// Groups counts the rows of a table whose rows never change, and the transactions that wrote them.
type Groups struct{ Rows, Transactions int }

// CountGroups counts.
func CountGroups(ctx context.Context, conn *pgx.Conn, table string) (g Groups, err error) {
	err = conn.QueryRow(ctx, "SELECT count(*), count(DISTINCT xmin::text) FROM "+table).Scan(&g.Rows, &g.Transactions)
	return g, err
}

// Size is how many rows a transaction wrote on average since before, at least 1.
func (g Groups) Size(before Groups) int {
	n := max(g.Transactions-before.Transactions, 1)
	return max((g.Rows-before.Rows+n/2)/n, 1)
}

// Settle waits until nothing is under way any more: no lead pending, no event to hand over.
func Settle(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var left int64
		err := conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM capture.outbox) + (SELECT count(*) FROM routing.outbox)
			+ (SELECT count(*) FROM capture.pending)`).Scan(&left)
		if err != nil {
			return err
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d rows are still under way", left), ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// WAL is how many bytes the server has written to its log so far.
func WAL(ctx context.Context, conn *pgx.Conn) (int64, error) {
	var n int64
	err := conn.QueryRow(ctx, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").Scan(&n)
	return n, err
}
