// Package outbox carries the events of a service to Feedback's log: a row in the transaction that
// made the change, and a relay that hands the rows over and deletes them. Handing over twice is
// harmless, since the log is unique on event_id.
//
// Every service that has an outbox makes this table in its own schema:
//
//	CREATE TABLE outbox (
//	    bucket      smallint    NOT NULL,
//	    event_id    uuid        NOT NULL,
//	    recorded_at timestamptz NOT NULL,
//	    event       bytea       NOT NULL, -- leadmesh.lead.v1.Event
//	    PRIMARY KEY (bucket, event_id)
//	) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
package outbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Rows are events ready to be inserted with one statement: the columns of the table.
type Rows struct {
	Buckets    []int16
	EventIDs   []pgtype.UUID
	RecordedAt []time.Time
	Events     [][]byte
}

// Add appends an event, gives it an identifier if it has none, and stamps when it was recorded.
func (r *Rows) Add(id lead.ID, e *leadv1.Event, recordedAt time.Time) error {
	var eventID lead.ID
	if e.GetEventId() == "" {
		eventID = NewEventID()
		e.EventId = eventID.String()
	} else {
		parsed, err := lead.ParseID(e.GetEventId())
		if err != nil {
			return fmt.Errorf("event id: %w", err)
		}
		eventID = parsed
	}
	raw, err := proto.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode the event: %w", err)
	}
	r.Buckets = append(r.Buckets, id.Bucket())
	r.EventIDs = append(r.EventIDs, pgtype.UUID{Bytes: eventID, Valid: true})
	r.RecordedAt = append(r.RecordedAt, recordedAt)
	r.Events = append(r.Events, raw)
	return nil
}

// NewEventID makes a random identifier of UUID version 4.
func NewEventID() lead.ID {
	var id lead.ID
	rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

const insertSQL = `INSERT INTO outbox (bucket, event_id, recorded_at, event)
SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::timestamptz[], $4::bytea[])`

// execer is the part of a transaction, or of a pipe into one, that writes.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Insert writes the rows in the caller's transaction.
func (r *Rows) Insert(ctx context.Context, tx execer) error {
	if len(r.Events) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, insertSQL, r.Buckets, r.EventIDs, r.RecordedAt, r.Events)
	return wrote(err)
}

// Pipe writes the rows into a pipe: many by COPY, few when it sends what waits.
func (r *Rows) Pipe(ctx context.Context, p *postgres.Pipe) error {
	if len(r.Events) < postgres.Bulk {
		return r.Insert(ctx, p.Later())
	}
	return wrote(p.Copy(ctx, table, len(r.Events), r.columns()...))
}

// Copy writes the rows by COPY, in the transaction that the connection has begun.
func (r *Rows) Copy(ctx context.Context, conn *pgx.Conn) error {
	return wrote(postgres.Copy(ctx, conn, table, len(r.Events), r.columns()...))
}

const table = "outbox"

func (r *Rows) columns() []postgres.Column {
	return []postgres.Column{
		postgres.Col("bucket", func(i int) int16 { return r.Buckets[i] }),
		postgres.Col("event_id", func(i int) pgtype.UUID { return r.EventIDs[i] }),
		postgres.Col("recorded_at", func(i int) pgtype.Timestamptz { return pgtype.Timestamptz{Time: r.RecordedAt[i], Valid: true} }),
		postgres.Col("event", func(i int) []byte { return r.Events[i] }),
	}
}

func wrote(err error) error {
	if err != nil {
		return fmt.Errorf("write the outbox: %w", err)
	}
	return nil
}

// log is the part of Feedback that the relay needs.
type log interface {
	BatchAppendEvents(ctx context.Context, in *feedbackv1.BatchAppendEventsRequest, opts ...grpc.CallOption) (*feedbackv1.BatchAppendEventsResponse, error)
}

// Relay hands the outbox of one service to Feedback. Several replicas may run at once.
type Relay struct {
	pool *pgxpool.Pool
	log  log
	slog *slog.Logger
	wake chan struct{}
	lag  atomic.Int64 // nanoseconds
	now  func() time.Time
}

// NewRelay makes a relay; Run runs it.
func NewRelay(pool *pgxpool.Pool, feedback log, logger *slog.Logger, now func() time.Time) *Relay {
	return &Relay{pool: pool, log: feedback, slog: logger, wake: make(chan struct{}, 1), now: now}
}

// Wake tells the relay that rows were committed. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Lag is the age of the oldest event that was waiting when the relay last looked.
func (r *Relay) Lag() time.Duration { return time.Duration(r.lag.Load()) }

const (
	relayBatch = 1_000
	gather     = 25 * time.Millisecond  // from a wake: what is committed meanwhile goes along
	idlePoll   = 500 * time.Millisecond // another replica's rows, or a wake that was lost
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// beginRelay begins a transaction whose commit waits for no disk: what a crash brings back is handed
// over again.
const beginRelay = "BEGIN; SET LOCAL synchronous_commit = off"

// Run relays until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	backoff := minBackoff
	wake := r.wake
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			timer.Reset(gather)
			wake = nil
			continue
		case <-timer.C:
		}
		wait := idlePoll
		wake = r.wake
		for {
			n, err := r.once(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				r.slog.LogAttrs(ctx, slog.LevelWarn, "events not handed over, trying again",
					slog.Duration("in", backoff), slog.String("cause", err.Error()))
				wait, backoff = backoff, min(backoff*2, maxBackoff)
				wake = nil // new events do not bring Feedback back
				break
			}
			backoff = minBackoff
			if n < relayBatch {
				break
			}
		}
		timer.Reset(wait)
	}
}

// once hands over one batch and returns how many rows it held.
func (r *Relay) once(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tx, err := r.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginRelay})
	if err != nil {
		return 0, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit it has nothing to do
	rows, err := tx.Query(ctx, `DELETE FROM outbox WHERE ctid = ANY (ARRAY (
		SELECT ctid FROM outbox LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING recorded_at, event`, relayBatch)
	if err != nil {
		return 0, err
	}
	req := &feedbackv1.BatchAppendEventsRequest{}
	var oldest time.Time
	for rows.Next() {
		var at time.Time
		var raw []byte
		if err := rows.Scan(&at, &raw); err != nil {
			return 0, err
		}
		e := &leadv1.Event{}
		if err := proto.Unmarshal(raw, e); err != nil {
			return 0, fmt.Errorf("decode an event: %w", err)
		}
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
		req.Events = append(req.Events, e)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if len(req.Events) == 0 {
		r.lag.Store(0)
		return 0, nil
	}
	r.lag.Store(int64(max(0, r.now().Sub(oldest))))
	if _, err := r.log.BatchAppendEvents(ctx, req); err != nil {
		return 0, err
	}
	return len(req.Events), tx.Commit(ctx)
}
