package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Event is an event to be added.
type Event struct {
	ID, LeadID             lead.ID
	LeadVersion            int64
	Type, Source           string
	OccurredAt, RecordedAt time.Time
	Traceparent            string
	Facts                  []byte
}

// AppendEvents adds events to the log, all or nothing, and returns how many were new. Their leads
// are folded later, by Fold. It reorders events. now is when they arrived.
func (s *Store) AppendEvents(ctx context.Context, events []Event, now time.Time) (added int, err error) {
	if len(events) == 0 {
		return 0, nil
	}
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(compareLead(a.LeadID, b.LeadID), bytes.Compare(a.ID[:], b.ID[:]))
	})
	fresh, insert := events, copyEvents
	add := func(tx pgx.Tx) error {
		pipe := pg.NewPipe(tx)
		var err error
		if fresh, err = insert(ctx, pipe, events); err != nil || len(fresh) == 0 {
			return err
		}
		later := db.New(pipe.Later())
		if err := later.InsertUnfolded(ctx, stamp(oldest(fresh)), leadsOf(fresh)); err != nil {
			return err
		}
		if err := noteArrivals(ctx, later, fresh, now); err != nil {
			return err
		}
		return pipe.Flush(ctx)
	}
	// Events come twice only after a relay or its connection broke: they are copied in, and looked
	// at one by one if one of them is held.
	err = pg.InTx(ctx, s.pool, pgx.TxOptions{}, add)
	if pg.UniqueViolation(err, eventKey) {
		insert = insertEvents
		err = pg.InTx(ctx, s.pool, pgx.TxOptions{}, add)
	}
	if err != nil {
		return 0, edge(err)
	}
	return len(fresh), nil
}

// eventKey is the constraint by which an event is held once.
const eventKey = "event_pkey"

// copyEvents adds events of which none is held.
func copyEvents(ctx context.Context, pipe *pg.Pipe, events []Event) ([]Event, error) {
	return events, pipe.Copy(ctx, "event", len(events),
		pg.Col("bucket", func(i int) int16 { return events[i].LeadID.Bucket() }),
		pg.Col("lead_id", func(i int) pgtype.UUID { return uuid(events[i].LeadID) }),
		pg.Col("event_id", func(i int) pgtype.UUID { return uuid(events[i].ID) }),
		pg.Col("lead_version", func(i int) int64 { return events[i].LeadVersion }),
		pg.Col("type", func(i int) string { return events[i].Type }),
		pg.Col("source", func(i int) string { return events[i].Source }),
		pg.Col("occurred_at", func(i int) pgtype.Timestamptz { return stamp(events[i].OccurredAt) }),
		pg.Col("recorded_at", func(i int) pgtype.Timestamptz { return stamp(events[i].RecordedAt) }),
		pg.Col("traceparent", func(i int) string { return events[i].Traceparent }),
		pg.Col("facts", func(i int) []byte { return events[i].Facts }),
	)
}

func oldest(events []Event) time.Time {
	at := events[0].RecordedAt
	for i := range events {
		if events[i].RecordedAt.Before(at) {
			at = events[i].RecordedAt
		}
	}
	return at
}

// leadsOf returns the leads of events sorted by lead, each once.
func leadsOf(events []Event) []pgtype.UUID {
	leads := make([]pgtype.UUID, 0, len(events))
	for i := range events {
		if i == 0 || events[i].LeadID != events[i-1].LeadID {
			leads = append(leads, uuid(events[i].LeadID))
		}
	}
	return leads
}

// compareLead orders leads as every statement that locks them does.
func compareLead(a, b lead.ID) int {
	return cmp.Or(cmp.Compare(a.Bucket(), b.Bucket()), bytes.Compare(a[:], b[:]))
}

// insertEvents returns the events that were not held yet, in the order given.
func insertEvents(ctx context.Context, pipe *pg.Pipe, events []Event) ([]Event, error) {
	n := len(events)
	p := db.InsertEventsParams{
		Buckets: make([]int16, n), LeadIds: make([]pgtype.UUID, n), EventIds: make([]pgtype.UUID, n),
		LeadVersions: make([]int64, n), Types: make([]string, n), Sources: make([]string, n),
		OccurredAt: make([]pgtype.Timestamptz, n), RecordedAt: make([]pgtype.Timestamptz, n),
		Traceparents: make([]string, n), Facts: make([][]byte, n),
	}
	for i := range events {
		e := &events[i]
		p.Buckets[i], p.LeadIds[i], p.EventIds[i] = e.LeadID.Bucket(), uuid(e.LeadID), uuid(e.ID)
		p.LeadVersions[i], p.Types[i], p.Sources[i] = e.LeadVersion, e.Type, e.Source
		p.OccurredAt[i], p.RecordedAt[i] = stamp(e.OccurredAt), stamp(e.RecordedAt)
		p.Traceparents[i], p.Facts[i] = e.Traceparent, e.Facts
	}
	ids, err := db.New(pipe).InsertEvents(ctx, p)
	if err != nil {
		return nil, err
	}
	added := make(map[lead.ID]bool, len(ids))
	for _, id := range ids {
		added[id.Bytes] = true
	}
	fresh := make([]Event, 0, len(ids))
	for i := range events {
		if added[events[i].ID] {
			delete(added, events[i].ID) // it may stand twice in the batch
			fresh = append(fresh, events[i])
		}
	}
	return fresh, nil
}

// noteArrivals keeps the largest lag by source: how long ago what came now was recorded.
func noteArrivals(ctx context.Context, q *db.Queries, events []Event, now time.Time) error {
	type seen struct {
		source string
		events int64
		lag    time.Duration
	}
	var sources []seen // a batch comes from one service; more are possible
	for k := range events {
		e := &events[k]
		i := slices.IndexFunc(sources, func(s seen) bool { return s.source == e.Source })
		if i < 0 {
			i, sources = len(sources), append(sources, seen{source: e.Source})
		}
		sources[i].events++
		sources[i].lag = max(sources[i].lag, now.Sub(e.RecordedAt))
	}
	for _, s := range sources {
		if err := q.NoteArrival(ctx, s.source, stamp(now.Truncate(time.Minute)), s.events, s.lag.Milliseconds()); err != nil {
			return err
		}
	}
	return nil
}

// Lateness says how far the figures may be behind.
type Lateness struct {
	// Lag is how late the latest of the events came that arrived lately.
	Lag time.Duration
	// UnfoldedSince is when the oldest event was recorded that is in the log and in no figure; zero if
	// there is none.
	UnfoldedSince time.Time
}

// Lateness looks at the arrivals since a moment.
func (s *Store) Lateness(ctx context.Context, since time.Time) (Lateness, error) {
	row, err := s.q.Lateness(ctx, stamp(since.Truncate(time.Minute)))
	return Lateness{Lag: time.Duration(row.MaxLagMs) * time.Millisecond, UnfoldedSince: fromStamp(row.UnfoldedSince)}, edge(err)
}

// ForgetArrivals deletes what is known of arrivals before a moment.
func (s *Store) ForgetArrivals(ctx context.Context, before time.Time) error {
	return edge(s.q.DeleteArrivals(ctx, stamp(before)))
}

// LeadEvents returns the events of a lead, the oldest first, at most 1,000.
func (s *Store) LeadEvents(ctx context.Context, id lead.ID) ([]*leadv1.Event, error) {
	rows, err := s.q.ListLeadEvents(ctx, id.Bucket(), uuid(id))
	if err != nil {
		return nil, edge(err)
	}
	events := make([]*leadv1.Event, len(rows))
	for i, r := range rows {
		facts := &leadv1.EventFacts{}
		if err := proto.Unmarshal(r.Facts, facts); err != nil {
			return nil, edge(err)
		}
		events[i] = &leadv1.Event{
			EventId: lead.ID(r.EventID.Bytes).String(), Type: r.Type, LeadId: id.String(), LeadVersion: r.LeadVersion,
			OccurredAt: timestamppb.New(r.OccurredAt.Time), RecordedAt: timestamppb.New(r.RecordedAt.Time),
			Traceparent: r.Traceparent, Source: r.Source, Facts: facts,
		}
	}
	return events, nil
}
