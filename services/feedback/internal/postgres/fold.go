package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	foldBatches  = 8 // how many appends one transaction folds
	foldAttempts = 5
	factKey      = "lead_fact_pkey"
	// foldLock is the advisory lock of who folds.
	foldLock = 0x6665_6564_666f_6c64
)

// leadFact is what the events of one lead tell, and how many they are.
type leadFact struct {
	id     lead.ID
	events int32
	fact   projection.Fact
}

// Fold brings the facts of leads up to the log, as far as appended when it was called, and returns
// how many leads it looked at. Callers may fold at once, also from several processes; they take
// turns.
//
// A lead is folded from all of its events, never from those of a batch alone, so folding it twice,
// or again after a crash, changes nothing. A batch leaves the queue in the transaction that writes
// its facts. Events are only added: of two facts of a lead the one of more events is the newer, and
// no other is written over a held one.
//
// A lead of which the log knows the capture alone is mostly about to be decided. Young ones stay in
// the queue, where they hold the watermark, so that their facts are written once and not twice.
func (s *Store) Fold(ctx context.Context, young Young) (leads int, err error) {
	for {
		n, more, err := s.foldOnce(ctx, young)
		leads += n
		if err != nil || !more {
			return leads, err
		}
	}
}

func (s *Store) foldOnce(ctx context.Context, young Young) (leads int, more bool, err error) {
	for attempt := 1; ; attempt++ {
		err = s.inTx(ctx, func(q *db.Queries) error {
			if err := q.LockFolding(ctx, foldLock); err != nil {
				return err
			}
			batches, err := q.TakeUnfolded(ctx, foldBatches)
			if err != nil || len(batches) == 0 {
				leads, more = 0, false
				return err
			}
			ids := distinct(batches)
			facts, err := readLog(ctx, q, ids)
			if err != nil {
				return err
			}
			facts, left, since := young.leave(facts, batches)
			leads, more = len(ids)-len(left), len(batches) == foldBatches
			if len(left) > 0 {
				if err := q.InsertUnfolded(ctx, since, left); err != nil {
					return err
				}
			}
			return fold(ctx, q, facts)
		})
		// A report was first to write about a lead: now it is held.
		if !pg.UniqueViolation(err, factKey) || attempt == foldAttempts {
			return leads, more, edge(err)
		}
	}
}

func distinct(batches []db.TakeUnfoldedRow) []lead.ID {
	var ids []lead.ID
	for _, batch := range batches {
		for _, id := range batch.LeadIds {
			ids = append(ids, id.Bytes)
		}
	}
	slices.SortFunc(ids, compareLead)
	return slices.Compact(ids)
}

// Young are the leads that were recorded less than Wait before Now; what another clock dates later
// than Now is not among them. The zero value is none.
type Young struct {
	Now  time.Time
	Wait time.Duration
}

func (y Young) was(recorded time.Time) bool {
	age := y.Now.Sub(recorded)
	return 0 <= age && age < y.Wait
}

// leave takes the leads out of facts of which nothing but the capture is known and which only young
// appends name, and returns since when the oldest of these waits.
func (y Young) leave(facts []leadFact, batches []db.TakeUnfoldedRow) (kept []leadFact, left []pgtype.UUID, since pgtype.Timestamptz) {
	if y.Wait == 0 {
		return facts, nil, since
	}
	old := map[lead.ID]bool{}
	for _, batch := range batches {
		switch {
		case !y.was(batch.RecordedAt.Time):
			for _, id := range batch.LeadIds {
				old[id.Bytes] = true
			}
		case !since.Valid || batch.RecordedAt.Time.Before(since.Time):
			since = batch.RecordedAt
		}
	}
	kept = slices.DeleteFunc(facts, func(f leadFact) bool {
		if f.events > 1 || f.fact.ReceivedAt.IsZero() || old[f.id] {
			return false
		}
		left = append(left, uuid(f.id))
		return true
	})
	return kept, left, since
}

// fold writes facts, sorted by lead, as the log tells them now.
func fold(ctx context.Context, q *db.Queries, facts []leadFact) error {
	ids := make([]lead.ID, len(facts))
	for i := range facts {
		ids[i] = facts[i].id
	}
	buckets, leads := keys(ids)
	rows, err := q.ListFolded(ctx, buckets, leads)
	if err != nil {
		return err
	}
	held := make(map[lead.ID]int32, len(rows))
	for _, r := range rows {
		held[r.LeadID.Bytes] = r.Events
	}
	var first, newer []leadFact
	for i := range facts {
		switch n, ok := held[facts[i].id]; {
		case !ok:
			first = append(first, facts[i])
		case n < facts[i].events:
			newer = append(newer, facts[i])
		}
	}
	if err := insertFacts(ctx, q, first); err != nil {
		return err
	}
	return updateFacts(ctx, q, newer)
}

// readLog folds the events of leads, in the order given. A lead without any is left out.
func readLog(ctx context.Context, q *db.Queries, ids []lead.ID) ([]leadFact, error) {
	buckets, leads := keys(ids)
	rows, err := q.ListEventsOf(ctx, buckets, leads)
	if err != nil {
		return nil, err
	}
	facts := make([]leadFact, len(ids))
	place := make(map[lead.ID]int, len(ids))
	for i, id := range ids {
		facts[i].id, place[id] = id, i
	}
	event := &leadv1.Event{Facts: &leadv1.EventFacts{}, OccurredAt: &timestamppb.Timestamp{}}
	for i := range rows {
		r := &rows[i]
		if err := proto.Unmarshal(r.Facts, event.Facts); err != nil {
			return nil, err
		}
		event.LeadVersion, event.Type, event.Source = r.LeadVersion, r.Type, r.Source
		event.OccurredAt.Seconds, event.OccurredAt.Nanos = r.OccurredAt.Time.Unix(), int32(r.OccurredAt.Time.Nanosecond())
		fact := projection.Of(event)
		f := &facts[place[r.LeadID.Bytes]]
		f.fact.Merge(&fact)
		f.events++
	}
	return slices.DeleteFunc(facts, func(f leadFact) bool { return f.events == 0 }), nil
}

func keys(ids []lead.ID) ([]int16, []pgtype.UUID) {
	buckets, leads := make([]int16, len(ids)), make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		buckets[i], leads[i] = id.Bucket(), uuid(id)
	}
	return buckets, leads
}

// MarkBadContact notes leads whose contact point a report proved useless.
func (s *Store) MarkBadContact(ctx context.Context, leads []lead.ID) error {
	if len(leads) == 0 {
		return nil
	}
	sorted := slices.Clone(leads)
	slices.SortFunc(sorted, compareLead)
	buckets, ids := keys(slices.Compact(sorted))
	return s.tx(ctx, func(q *db.Queries) error { return q.MarkBadContact(ctx, buckets, ids) })
}

// Owner returns the dealer that owns a lead by the events so far; known is false for a lead whose
// capture the log has not seen.
func (s *Store) Owner(ctx context.Context, id lead.ID) (dealerID string, known bool, err error) {
	facts, err := readLog(ctx, s.q, []lead.ID{id})
	if err != nil || len(facts) == 0 {
		return "", false, edge(err)
	}
	fact := &facts[0].fact
	return fact.Owner.Value.DealerID, !fact.ReceivedAt.IsZero(), nil
}

// Captured returns which of the leads the log has seen captured.
func (s *Store) Captured(ctx context.Context, ids []lead.ID) (map[lead.ID]bool, error) {
	buckets, leads := keys(ids)
	rows, err := s.q.ListCaptured(ctx, buckets, leads)
	if err != nil {
		return nil, edge(err)
	}
	known := make(map[lead.ID]bool, len(rows))
	for _, id := range rows {
		known[id.Bytes] = true
	}
	return known, nil
}
