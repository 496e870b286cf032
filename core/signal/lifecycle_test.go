package signal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

const vin = "KMHC0000000000001"

// leased is a vehicle sold new and leased for 1000 days with 40,000 km, driven 50 km a day.
func leased() []signal.Signal {
	return []signal.Signal{
		{Kind: lead.SignalKindVehicleSold, At: at(0), VIN: vin, Status: lead.VehicleStatusNew, Powertrain: lead.PowertrainElectric},
		{Kind: lead.SignalKindLeaseStarted, At: at(0), VIN: vin, Lease: signal.LeaseTerms{Maturity: at(1000), ContractedKM: 40000}},
		{Kind: lead.SignalKindWarrantyStarted, At: at(0), VIN: vin, Warranty: signal.WarrantyTerms{Coverage: "BASIC", Until: at(1826), KMLimit: 100000}},
		{Kind: lead.SignalKindWarrantyStarted, At: at(0), VIN: vin, Warranty: signal.WarrantyTerms{Coverage: "WEAR", Until: at(1096), KMLimit: 50000}},
		{Kind: lead.SignalKindServiceVisit, At: at(365), VIN: vin, PayType: signal.PayTypeMaintenance, Odometer: 18250, OdometerUnit: lead.OdometerUnitKM},
		{Kind: lead.SignalKindServiceVisit, At: at(730), VIN: vin, PayType: signal.PayTypeCustomer, Odometer: 36500, OdometerUnit: lead.OdometerUnitKM, Amount: lead.Money{Minor: 32000, Currency: "EUR"}},
		{Kind: lead.SignalKindServiceVisit, At: at(740), VIN: vin, PayType: signal.PayTypeInternal},
	}
}

func TestLifeCycle(t *testing.T) {
	p := apply(t, leased()...)
	got := p.LifeCycle(vin, base+800*day)
	want := signal.LifeCycle{
		Vehicle: p.Vehicle(vin), Powertrain: lead.PowertrainElectric, Vehicles: 1, EVs: 1,
		AgeDays: 800, OwnedDays: 800, OdometerKM: 40000, DailyDistance: 50000,
		LeaseDays: 200, LeasePace: 1250,
		WarrantyDays: 200, WarrantyCoverage: "WEAR", PlanDays: signal.Unknown,
		Visits: 2, VisitsCustomer: 1, VisitsMaintenance: 1, VisitDays: 60,
		Spent: lead.Money{Minor: 32000, Currency: "EUR"}, DeclinedDays: signal.Unknown,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLifeCycleEnds(t *testing.T) {
	p := apply(t, leased()...)
	tests := []struct {
		name            string
		day             int64
		lease, warranty int32
		coverage        string
	}{
		{"just ended", 1001, -1, -1, "WEAR"},
		{"a coverage over for long gives way to the next", 1040, -40, 786, "BASIC"},
		{"a lease over for long is forgotten", 1091, signal.Unknown, 735, "BASIC"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := p.LifeCycle("", base+tt.day*day)
			if c.LeaseDays != tt.lease || c.WarrantyDays != tt.warranty || c.WarrantyCoverage != tt.coverage {
				t.Errorf("lease %d, warranty %d %s; want %d, %d %s", c.LeaseDays, c.WarrantyDays, c.WarrantyCoverage, tt.lease, tt.warranty, tt.coverage)
			}
		})
	}
}

// TestLeaseDaysAreDates: at every second of a day a lease end is the same number of days away, and
// it is one less from midnight UTC on.
func TestLeaseDaysAreDates(t *testing.T) {
	midnight := base - base%day
	for _, end := range []int64{0, 1, day / 2, day - 1} { // the second of its day at which the lease ends
		p := apply(t, signal.Signal{Kind: lead.SignalKindLeaseStarted, At: at(0), VIN: vin, Lease: signal.LeaseTerms{Maturity: time.Unix(midnight+75*day+end, 0).UTC(), ContractedKM: 40000}})
		for _, tt := range []struct {
			at   int64
			want int32
		}{
			{midnight + day, 74}, {midnight + 2*day - 1, 74}, {midnight + 2*day, 73},
			{midnight + 75*day - 1, 1}, {midnight + 75*day, 0}, {midnight + 76*day - 1, 0}, {midnight + 76*day, -1},
			{midnight + 166*day - 1, -90}, {midnight + 166*day, signal.Unknown},
		} {
			if got := p.LifeCycle(vin, tt.at).LeaseDays; got != tt.want {
				t.Errorf("end at second %d of its day, %d s after midnight of day %d: %d days, want %d", end, tt.at%day, (tt.at-midnight)/day, got, tt.want)
			}
		}
	}
}

func TestLifeCycleOfNothing(t *testing.T) {
	var p signal.Profile
	c := p.LifeCycle("", base)
	for name, v := range map[string]int32{"age": c.AgeDays, "lease": c.LeaseDays, "warranty": c.WarrantyDays, "distance": c.DailyDistance, "visit": c.VisitDays} {
		if v != signal.Unknown {
			t.Errorf("%s = %d of an empty profile", name, v)
		}
	}
}

func TestCoverageDays(t *testing.T) {
	still := signal.VehicleFacts{Latest: signal.Reading{At: base, KM: 50000}, First: signal.Reading{At: base, KM: 50000}}
	driven := signal.VehicleFacts{Latest: signal.Reading{At: base, KM: 50000}, First: signal.Reading{At: base - 100*day, KM: 40000}}
	tests := []struct {
		name string
		v    signal.VehicleFacts
		w    signal.Warranty
		want int32
	}{
		{"by date", still, signal.Warranty{Until: base + 30*day}, 30},
		{"an hour over", still, signal.Warranty{Until: base - 3600}, -1},
		{"by distance", driven, signal.Warranty{Until: base + 300*day, KMLimit: 52000}, 20},
		{"distance not told", still, signal.Warranty{Until: base + 300*day, KMLimit: 52000}, 300},
		{"limit reached, pace unknown", still, signal.Warranty{Until: base + 300*day, KMLimit: 50000}, 0},
		{"neither", still, signal.Warranty{}, signal.Unknown},
		{"what programs before read where a value stands", driven, signal.Warranty{Coverage: "\x1fworth EUR", Seen: base, KMLimit: -2_000_001}, signal.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.v.CoverageDays(tt.w, base); got != tt.want {
				t.Errorf("CoverageDays = %d, want %d", got, tt.want)
			}
		})
	}
}
