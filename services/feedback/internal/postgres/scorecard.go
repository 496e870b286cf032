package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/measure"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
)

// scanPage is how many leads one statement reads: few enough to stay far from its time limit.
const scanPage = 10_000

// Filter says which leads; empty fields match every lead.
type Filter struct {
	From, Until                       time.Time // of the receipt; Until is exclusive
	DealerID, Source, Campaign, Brand string
	Line                              lead.Line
}

// Place is where a reading stopped; the zero Place is before everything.
type Place struct {
	ReceivedAt time.Time
	LeadID     lead.ID
}

// Scan calls visit with the captured leads of a filter in order of receipt, beginning after a
// place, as they were at one moment, until visit says stop. passedBefore is the time by which an
// appointment has passed.
func (s *Store) Scan(ctx context.Context, f Filter, after Place, passedBefore time.Time, visit func(*measure.LeadFact) (more bool)) error {
	if after.ReceivedAt.Before(f.From) {
		// Strictly after the last moment before From, whatever the identifier.
		after = Place{ReceivedAt: f.From.Add(-time.Microsecond), LeadID: lastID}
	}
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return edge(pgx.BeginTxFunc(ctx, s.pool, opts, func(tx pgx.Tx) error {
		q, at := s.q.WithTx(tx), after
		for {
			rows, err := q.ListLeadFacts(ctx, db.ListLeadFactsParams{
				PassedBefore: stamp(passedBefore), AfterReceivedAt: stamp(at.ReceivedAt), AfterLeadID: uuid(at.LeadID),
				ReceivedBefore: stamp(f.Until), DealerID: f.DealerID, Source: f.Source, Campaign: f.Campaign,
				Line: int16(f.Line), Brand: f.Brand, PageSize: scanPage,
			})
			if err != nil {
				return err
			}
			for i := range rows {
				fact, err := readFact(&rows[i].LeadFact)
				if err != nil {
					return err
				}
				m := fact.Measure(rows[i].LeadFact.LeadID.Bytes, int(rows[i].Unreported))
				if !visit(&m) {
					return nil
				}
			}
			if len(rows) < scanPage {
				return nil
			}
			last := rows[len(rows)-1].LeadFact
			at = Place{ReceivedAt: fromStamp(last.ReceivedAt), LeadID: last.LeadID.Bytes}
		}
	}))
}

var lastID = lead.ID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}
