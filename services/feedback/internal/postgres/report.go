package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
)

// ReportType tells activities from outcomes.
type ReportType int16

// The values of ReportType.
const (
	Activity ReportType = 1
	Outcome  ReportType = 2
)

// ReportKey names a report; identifiers of senders are unique within a lead.
type ReportKey struct {
	LeadID lead.ID
	Type   ReportType
	ID     string
}

// Report is an activity or outcome as it was reported.
type Report struct {
	ReportKey
	DealerID   string
	OccurredAt time.Time
	Payload    []byte
}

// Status is where a report stands.
type Status int16

// The values of Status.
const (
	Waiting Status = iota // for Routing to take it
	Applied
	Refused
)

// Held is a report as stored.
type Held struct {
	ReportKey
	Reporter   string // who sent it
	Status     Status
	Reason     string
	Payload    []byte
	RecordedAt time.Time
}

// Settlement says what came of a report.
type Settlement struct {
	ReportKey
	Status Status
	// Reason is why it was refused, or still waits.
	Reason string
	// NextAttemptAt is when a waiting one is tried again.
	NextAttemptAt time.Time
}

// AddReports stores reports, all or nothing, and returns the keys of those not held before. The
// new ones wait in the queue of unapplied reports; the queue's own worker leaves them alone until
// tryAfter, so that the caller can apply them first.
func (s *Store) AddReports(ctx context.Context, reporter string, reports []Report, now, tryAfter time.Time) (added map[ReportKey]bool, err error) {
	sorted := slices.Clone(reports)
	slices.SortStableFunc(sorted, func(a, b Report) int { return compareReports(a.ReportKey, b.ReportKey) })
	p := db.InsertReportsParams{Reporter: reporter, RecordedAt: stamp(now)}
	for _, r := range sorted {
		p.Buckets = append(p.Buckets, r.LeadID.Bucket())
		p.LeadIds = append(p.LeadIds, uuid(r.LeadID))
		p.ReportTypes = append(p.ReportTypes, int16(r.Type))
		p.ReportIds = append(p.ReportIds, r.ID)
		p.DealerIds = append(p.DealerIds, r.DealerID)
		p.OccurredAt = append(p.OccurredAt, stamp(r.OccurredAt))
		p.Payloads = append(p.Payloads, r.Payload)
	}
	err = s.tx(ctx, func(q *db.Queries) error {
		rows, err := q.InsertReports(ctx, p)
		if err != nil {
			return err
		}
		added = make(map[ReportKey]bool, len(rows))
		fresh := make([]ReportKey, 0, len(rows))
		for _, r := range rows {
			key := ReportKey{LeadID: r.LeadID.Bytes, Type: ReportType(r.ReportType), ID: r.ReportID}
			added[key] = true
			fresh = append(fresh, key)
		}
		buckets, leads, types, ids := reportKeys(fresh)
		return q.InsertUnapplied(ctx, stamp(tryAfter), buckets, leads, types, ids)
	})
	return added, err
}

func compareReports(a, b ReportKey) int {
	return cmp.Or(compareLead(a.LeadID, b.LeadID), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

func reportKeys(keys []ReportKey) (buckets []int16, leads []pgtype.UUID, types []int16, ids []string) {
	for _, k := range keys {
		buckets = append(buckets, k.LeadID.Bucket())
		leads = append(leads, uuid(k.LeadID))
		types = append(types, int16(k.Type))
		ids = append(ids, k.ID)
	}
	return buckets, leads, types, ids
}

// Reports returns the stored reports of the keys, in no order.
func (s *Store) Reports(ctx context.Context, keys []ReportKey) ([]Held, error) {
	buckets, leads, types, ids := reportKeys(keys)
	rows, err := s.q.ListReports(ctx, buckets, leads, types, ids)
	if err != nil {
		return nil, edge(err)
	}
	held := make([]Held, len(rows))
	for i, r := range rows {
		held[i] = Held{
			ReportKey: ReportKey{LeadID: r.LeadID.Bytes, Type: ReportType(r.ReportType), ID: r.ReportID},
			Reporter:  r.Reporter, Status: Status(r.Status), Reason: r.Reason, Payload: r.Payload, RecordedAt: fromStamp(r.RecordedAt),
		}
	}
	return held, nil
}

// Settle writes what came of reports: applied and refused ones leave the queue, waiting ones are
// tried again at their time. A report that was settled before stays as it is.
func (s *Store) Settle(ctx context.Context, settlements []Settlement) error {
	if len(settlements) == 0 {
		return nil
	}
	sorted := slices.Clone(settlements)
	slices.SortFunc(sorted, func(a, b Settlement) int { return compareReports(a.ReportKey, b.ReportKey) })
	var all, done, waiting []ReportKey
	var statuses []int16
	var reasons []string
	var next []pgtype.Timestamptz
	for _, r := range sorted {
		all = append(all, r.ReportKey)
		statuses = append(statuses, int16(r.Status))
		reasons = append(reasons, r.Reason)
		if r.Status == Waiting {
			waiting = append(waiting, r.ReportKey)
			next = append(next, stamp(r.NextAttemptAt))
		} else {
			done = append(done, r.ReportKey)
		}
	}
	return s.tx(ctx, func(q *db.Queries) error {
		buckets, leads, types, ids := reportKeys(all)
		if err := q.SettleReports(ctx, buckets, leads, types, ids, statuses, reasons); err != nil {
			return err
		}
		if len(done) > 0 {
			buckets, leads, types, ids = reportKeys(done)
			if err := q.DeleteUnapplied(ctx, buckets, leads, types, ids); err != nil {
				return err
			}
		}
		if len(waiting) == 0 {
			return nil
		}
		buckets, leads, types, ids = reportKeys(waiting)
		return q.PostponeUnapplied(ctx, buckets, leads, types, ids, next)
	})
}

// Unapplied is a report taken from the queue.
type Unapplied struct {
	ReportKey
	Attempts   int
	Payload    []byte
	RecordedAt time.Time
}

// DueBuckets returns the buckets in which reports are due.
func (s *Store) DueBuckets(ctx context.Context, now time.Time) ([]int16, error) {
	buckets, err := s.q.DueBuckets(ctx, stamp(now))
	return buckets, edge(err)
}

// ClaimUnapplied takes at most limit due reports of a bucket until leasedUntil, in the order in
// which they happened. Several callers at once get different ones.
func (s *Store) ClaimUnapplied(ctx context.Context, bucket int16, now, leasedUntil time.Time, limit int32) ([]Unapplied, error) {
	rows, err := s.q.ClaimUnapplied(ctx, bucket, stamp(now), limit, stamp(leasedUntil))
	if err != nil {
		return nil, edge(err)
	}
	claimed := make([]Unapplied, len(rows))
	for i, r := range rows {
		claimed[i] = Unapplied{
			ReportKey: ReportKey{LeadID: r.LeadID.Bytes, Type: ReportType(r.ReportType), ID: r.ReportID},
			Attempts:  int(r.Attempts), Payload: r.Payload, RecordedAt: fromStamp(r.RecordedAt),
		}
	}
	return claimed, nil
}

// CountUnapplied returns how many reports wait for Routing.
func (s *Store) CountUnapplied(ctx context.Context) (int64, error) {
	n, err := s.q.CountUnapplied(ctx)
	return n, edge(err)
}
