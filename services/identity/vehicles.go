package identity

import (
	"cmp"
	"context"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// vehicles answers the vehicles that are a person's, by VIN.
func vehicles(p *signal.Profile) []*identityv1.OwnedVehicle {
	var out []*identityv1.OwnedVehicle
	for i := range p.Vehicles {
		if v := &p.Vehicles[i]; v.VIN != "" {
			out = append(out, describeVehicle(v))
		}
	}
	return out
}

// pastVehicles answers the times for which a person had vehicles that somebody else bought later, the
// latest first. Members are the person and all joined into it.
func pastVehicles(ctx context.Context, tx *postgres.Tx, id lead.ID, members []lead.ID) ([]*identityv1.OwnedVehicle, error) {
	bought, err := tx.Bought(ctx, members)
	if err != nil || len(bought) == 0 {
		return nil, err
	}
	sales, err := tx.Sales(ctx, bought)
	if err != nil {
		return nil, err
	}
	var out []*identityv1.OwnedVehicle
	had := map[string]*identityv1.OwnedVehicle{}
	for _, s := range sales {
		at := timestamppb.New(s.SoldAt)
		if s.PersonID == id {
			if had[s.VIN] == nil {
				had[s.VIN] = &identityv1.OwnedVehicle{Vin: s.VIN, SoldAt: at, SoldByDealerId: s.DealerID, OdometerKm: -1}
			}
			continue
		}
		if v := had[s.VIN]; v != nil && !v.GetSoldAt().AsTime().Equal(s.SoldAt) {
			v.OwnedUntil = at
			out = append(out, v)
			delete(had, s.VIN)
		}
	}
	slices.SortStableFunc(out, func(a, b *identityv1.OwnedVehicle) int {
		return cmp.Or(b.OwnedUntil.AsTime().Compare(a.OwnedUntil.AsTime()), cmp.Compare(a.Vin, b.Vin))
	})
	return out, nil
}

func describeVehicle(v *signal.VehicleFacts) *identityv1.OwnedVehicle {
	o := &identityv1.OwnedVehicle{
		Vin: v.VIN, ModelCode: v.ModelCode, SoldAt: second(v.Sold.At), SoldByDealerId: v.Sold.DealerID,
		LeaseStartAt: second(v.Lease.Started), LeaseEndAt: second(v.Lease.Maturity), LeaseLimitKm: v.Lease.ContractedKM,
		WarrantyEndAt: second(basicWarranty(v)), PlanEndAt: second(v.Plan.Until), OdometerKm: -1,
	}
	o.Value, o.ValuedAt = moneyOf(v.Valued.Amount), second(v.Valued.At)
	o.Payoff, o.PayoffAt = moneyOf(v.Owed.Amount), second(v.Owed.At)
	o.Residual, o.ResidualDueAt = moneyOf(v.Balloon.Amount), second(v.Balloon.Due)
	for _, w := range v.Warranties {
		o.Coverages = append(o.Coverages, &identityv1.Coverage{Coverage: w.Coverage, EndAt: second(w.Until), LimitKm: w.KMLimit})
	}
	for _, s := range v.Visits {
		o.Visits = append(o.Visits, &identityv1.ServiceVisit{
			At: second(s.At), DealerId: s.DealerID, PayType: s.PayType.String(), Amount: moneyOf(s.Amount),
		})
	}
	if len(v.Visits) > 0 {
		o.LastServiceAt, o.LastServiceDealerId = second(v.Visits[0].At), v.Visits[0].DealerID
	}
	if v.Latest.At != 0 {
		o.OdometerKm, o.OdometerAt = v.Latest.KM, second(v.Latest.At)
	}
	return o
}

// moneyOf is an amount as answers carry it; nil when there is none.
func moneyOf(m lead.Money) *leadv1.Money {
	if m == (lead.Money{}) {
		return nil
	}
	return &leadv1.Money{Minor: m.Minor, Currency: m.Currency}
}

// basicWarranty is when the coverage named basic ends by date, else the first that does; 0 if none.
func basicWarranty(v *signal.VehicleFacts) int64 {
	var first int64
	for _, w := range v.Warranties {
		if lead.Fold(w.Coverage) == "basic" {
			return w.Until
		}
		if w.Until != 0 && (first == 0 || w.Until < first) {
			first = w.Until
		}
	}
	return first
}
