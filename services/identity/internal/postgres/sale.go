package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
)

// Sale says that a person bought a vehicle.
type Sale struct {
	VIN      string
	SoldAt   time.Time
	BuyerID  lead.ID
	PersonID lead.ID // that the buyer is today
	DealerID string
}

// StoredSignal is a signal as it is kept, with the person that its own is today.
type StoredSignal struct {
	Signal
	Today lead.ID
}

// Move says that a signal is another person's.
type Move struct {
	Signal
	To lead.ID
}

// Sales returns who bought vehicles, the earliest first.
func (t *Tx) Sales(ctx context.Context, vins []string) ([]Sale, error) {
	buckets := make([]int16, len(vins))
	for i, v := range vins {
		buckets[i] = lead.BucketOf(v)
	}
	rows, err := t.q.Sales(ctx, buckets, vins)
	if err != nil {
		return nil, err
	}
	out := make([]Sale, len(rows))
	for i, r := range rows {
		out[i] = Sale{VIN: r.Vin, SoldAt: r.SoldAt.Time, BuyerID: r.BuyerID.Bytes, PersonID: r.PersonID.Bytes, DealerID: r.DealerID}
	}
	return out, nil
}

// Bought returns the vehicles that persons bought.
func (t *Tx) Bought(ctx context.Context, persons []lead.ID) ([]string, error) {
	return t.q.Bought(ctx, uuids(persons))
}

// SignalsOf returns the signals of persons and of those joined into them, the earliest first; only
// those of some kinds unless none is named.
func (t *Tx) SignalsOf(ctx context.Context, persons []lead.ID, kinds ...lead.SignalKind) ([]StoredSignal, error) {
	wanted := make([]int16, len(kinds))
	for i, k := range kinds {
		wanted[i] = int16(k)
	}
	rows, err := t.q.SignalsOf(ctx, wanted, bucketsOf(persons), uuids(persons))
	if err != nil {
		return nil, err
	}
	out := make([]StoredSignal, len(rows))
	for i, r := range rows {
		out[i] = StoredSignal{Today: r.Today.Bytes, Signal: Signal{
			PersonID: r.PersonID.Bytes, Key: r.SignalKey.Bytes, OccurredAt: r.OccurredAt.Time, Body: r.Body,
		}}
	}
	return out, nil
}

func (t *Tx) sales(ctx context.Context, c *Changes) error {
	if len(c.Unsold) > 0 {
		buckets, vins, at, persons, _ := saleColumns(c.Unsold)
		if err := t.later.DeleteSales(ctx, buckets, vins, at, uuids(persons)); err != nil {
			return err
		}
	}
	if len(c.Sales) == 0 {
		return nil
	}
	buckets, vins, at, persons, dealers := saleColumns(c.Sales)
	return t.later.InsertSales(ctx, buckets, vins, at, uuids(persons), bucketsOf(persons), dealers)
}

// saleColumns are the columns of sales, those of the buyers' own.
func saleColumns(sales []Sale) (buckets []int16, vins []string, at []pgtype.Timestamptz, buyers []lead.ID, dealers []string) {
	for _, s := range sales {
		buckets, vins, at = append(buckets, lead.BucketOf(s.VIN)), append(vins, s.VIN), append(at, timestamp(s.SoldAt))
		buyers, dealers = append(buyers, s.BuyerID), append(dealers, s.DealerID)
	}
	return buckets, vins, at, buyers, dealers
}

func (t *Tx) moves(ctx context.Context, c *Changes) error {
	for _, m := range c.Moves {
		err := t.later.MoveSignals(ctx, m.To.Bucket(), uuid(m.To), []int16{m.PersonID.Bucket()}, []pgtype.UUID{uuid(m.PersonID)},
			[]pgtype.Timestamptz{timestamp(m.OccurredAt)}, []pgtype.UUID{uuid(m.Key)})
		if err != nil {
			return err
		}
	}
	return nil
}
