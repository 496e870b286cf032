package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Event is an event to be added: what is stored, and what it tells.
type Event struct {
	ID, LeadID             lead.ID
	LeadVersion            int64
	Type, Source           string
	OccurredAt, RecordedAt time.Time
	Traceparent            string
	Facts                  []byte
	Fact                   projection.Fact
}

// AppendEvents adds events to the log and folds the new ones into their leads' facts, all or
// nothing, and returns how many were new. It reorders events. now is when they arrived.
func (s *Store) AppendEvents(ctx context.Context, events []Event, now time.Time) (added int, err error) {
	if len(events) == 0 {
		return 0, nil
	}
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(compareLead(a.LeadID, b.LeadID), bytes.Compare(a.ID[:], b.ID[:]))
	})
	err = s.tx(ctx, func(q *db.Queries) error {
		fresh, err := insertEvents(ctx, q, events)
		if err != nil {
			return err
		}
		added = len(fresh)
		if err := foldFacts(ctx, q, factsOf(fresh)); err != nil {
			return err
		}
		return noteArrivals(ctx, q, fresh, now)
	})
	return added, err
}

// compareLead orders leads as every statement that locks them does.
func compareLead(a, b lead.ID) int {
	return cmp.Or(cmp.Compare(a.Bucket(), b.Bucket()), bytes.Compare(a[:], b[:]))
}

// insertEvents returns the events that were not held yet, in the order given.
func insertEvents(ctx context.Context, q *db.Queries, events []Event) ([]*Event, error) {
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
	ids, err := q.InsertEvents(ctx, p)
	if err != nil {
		return nil, err
	}
	added := make(map[lead.ID]bool, len(ids))
	for _, id := range ids {
		added[id.Bytes] = true
	}
	fresh := make([]*Event, 0, len(ids))
	for i := range events {
		if added[events[i].ID] {
			delete(added, events[i].ID) // a repeat within the batch is folded once
			fresh = append(fresh, &events[i])
		}
	}
	return fresh, nil
}

// leadFact is what is new of one lead.
type leadFact struct {
	id   lead.ID
	fact projection.Fact
}

// factsOf folds events sorted by lead into one fact for each.
func factsOf(events []*Event) []leadFact {
	facts := make([]leadFact, 0, len(events))
	for _, e := range events {
		if n := len(facts); n == 0 || facts[n-1].id != e.LeadID {
			facts = append(facts, leadFact{id: e.LeadID})
		}
		facts[len(facts)-1].fact.Merge(&e.Fact)
	}
	return facts
}

// foldFacts joins facts, sorted by lead, with those held. News of leads that are probably held is
// merged first; the leads that were just captured, and those that turned out not to be held, are
// inserted, which waits for other transactions that insert the same ones. What is left then exists
// for certain. Each step goes through the leads in the same order everywhere; two transactions can
// still meet crosswise where a capture arrives later than its lead's other news, and the one that
// Postgres ends is run again.
func foldFacts(ctx context.Context, q *db.Queries, facts []leadFact) error {
	missing := make([]leadFact, 0, len(facts))
	later := make([]leadFact, 0, len(facts))
	for i := range facts {
		if facts[i].fact.ReceivedAt.IsZero() {
			later = append(later, facts[i])
		} else {
			missing = append(missing, facts[i])
		}
	}
	unheld, err := mergeFacts(ctx, q, later)
	if err != nil {
		return err
	}
	if len(unheld) > 0 {
		missing = append(missing, unheld...)
		slices.SortFunc(missing, func(a, b leadFact) int { return compareLead(a.id, b.id) })
	}
	rest, err := insertFacts(ctx, q, missing)
	if err != nil {
		return err
	}
	_, err = mergeFacts(ctx, q, rest)
	return err
}

// insertFacts inserts facts, sorted by lead, and returns those of leads that are held already.
func insertFacts(ctx context.Context, q *db.Queries, facts []leadFact) (held []leadFact, err error) {
	if len(facts) == 0 {
		return nil, nil
	}
	params, err := writeFacts(facts)
	if err != nil {
		return nil, err
	}
	inserted, err := q.InsertLeadFacts(ctx, params)
	if err != nil || len(inserted) == len(facts) {
		return nil, err
	}
	added := make(map[lead.ID]bool, len(inserted))
	for _, id := range inserted {
		added[id.Bytes] = true
	}
	for i := range facts {
		if !added[facts[i].id] {
			held = append(held, facts[i])
		}
	}
	return held, nil
}

// mergeFacts locks the facts held, sorted by lead, writes them back merged, and returns those of
// leads that are not held.
func mergeFacts(ctx context.Context, q *db.Queries, facts []leadFact) (unheld []leadFact, err error) {
	if len(facts) == 0 {
		return nil, nil
	}
	buckets, ids := keys(facts)
	held, err := q.LockLeadFacts(ctx, buckets, ids)
	if err != nil {
		return nil, err
	}
	byLead := make(map[lead.ID]*db.LeadFact, len(held))
	for i := range held {
		byLead[held[i].LeadID.Bytes] = &held[i]
	}
	merged := make([]leadFact, 0, len(held))
	for i := range facts {
		row, ok := byLead[facts[i].id]
		if !ok {
			unheld = append(unheld, facts[i])
			continue
		}
		fact, err := readFact(row)
		if err != nil {
			return nil, err
		}
		fact.Merge(&facts[i].fact)
		merged = append(merged, leadFact{id: facts[i].id, fact: fact})
	}
	if len(merged) == 0 {
		return unheld, nil
	}
	params, err := writeFacts(merged)
	if err != nil {
		return nil, err
	}
	return unheld, q.UpdateLeadFacts(ctx, db.UpdateLeadFactsParams(params))
}

func keys(facts []leadFact) ([]int16, []pgtype.UUID) {
	buckets, ids := make([]int16, len(facts)), make([]pgtype.UUID, len(facts))
	for i := range facts {
		buckets[i], ids[i] = facts[i].id.Bucket(), uuid(facts[i].id)
	}
	return buckets, ids
}

// MarkBadContact notes leads whose contact point a report proved useless.
func (s *Store) MarkBadContact(ctx context.Context, leads []lead.ID) error {
	if len(leads) == 0 {
		return nil
	}
	sorted := slices.Clone(leads)
	slices.SortFunc(sorted, compareLead)
	facts := make([]leadFact, 0, len(sorted))
	for _, id := range slices.Compact(sorted) {
		facts = append(facts, leadFact{id: id, fact: projection.Fact{BadContact: true}})
	}
	return s.tx(ctx, func(q *db.Queries) error { return foldFacts(ctx, q, facts) })
}

// noteArrivals keeps the largest lag by source: how long ago what came now was recorded.
func noteArrivals(ctx context.Context, q *db.Queries, events []*Event, now time.Time) error {
	type seen struct {
		source string
		events int64
		lag    time.Duration
	}
	var sources []seen // a batch comes from one service; more are possible
	for _, e := range events {
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

// LargestLag returns how late the latest of the events came that arrived since a moment.
func (s *Store) LargestLag(ctx context.Context, since time.Time) (time.Duration, error) {
	ms, err := s.q.LargestLag(ctx, stamp(since.Truncate(time.Minute)))
	return time.Duration(ms) * time.Millisecond, edge(err)
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
