package outbox_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"google.golang.org/grpc"
)

// The table as the package's comment has it, and a note of how its rows were deleted.
const schema = `-- +goose Up
CREATE TABLE outbox (
    bucket      smallint    NOT NULL,
    event_id    uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    event       bytea       NOT NULL,
    PRIMARY KEY (bucket, event_id)
);
CREATE TABLE deletion (synchronous_commit text NOT NULL);
-- +goose StatementBegin
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO deletion VALUES (current_setting('synchronous_commit'));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note AFTER DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION note();
`

// log takes events and tells how many came.
type log struct{ came chan int }

func (l log) BatchAppendEvents(_ context.Context, in *feedbackv1.BatchAppendEventsRequest, _ ...grpc.CallOption) (*feedbackv1.BatchAppendEventsResponse, error) {
	l.came <- len(in.GetEvents())
	return &feedbackv1.BatchAppendEventsResponse{}, nil
}

func TestRelayDeletesWithoutWaitingForTheDisk(t *testing.T) {
	module := postgres.Module{Service: "relaycase", FS: fstest.MapFS{"migrations/00001_outbox.sql": {Data: []byte(schema)}}, Dir: "migrations"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	config := pgtest.New(t, module).Pool("relaycase").Config()
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "on" // as in the field
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var rows outbox.Rows
	if err := rows.Add(lead.ID{1}, &leadv1.Event{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Insert(ctx, tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	l := log{make(chan int, 1)}
	relay := outbox.NewRelay(pool, l, slog.New(slog.DiscardHandler), time.Now)
	done := make(chan error, 1)
	run, stop := context.WithCancel(ctx)
	go func() { done <- relay.Run(run) }()
	if n := <-l.came; n != 1 {
		t.Errorf("%d events were handed over, want 1", n)
	}
	var how string
	for how == "" && ctx.Err() == nil {
		if err := pool.QueryRow(ctx, "SELECT COALESCE(max(synchronous_commit), '') FROM deletion").Scan(&how); err != nil {
			t.Fatal(err)
		}
	}
	if how != "off" {
		t.Errorf("rows are deleted with synchronous_commit %s", how)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	var left string
	if err := pool.QueryRow(ctx, "SHOW synchronous_commit").Scan(&left); err != nil || left != "on" {
		t.Errorf("afterwards the connection commits with %s, %v", left, err)
	}
}
