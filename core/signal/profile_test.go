package signal_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

// at is the second a number of days after base.
func at(days float64) time.Time { return time.Unix(base+int64(days*day), 0) }

func apply(t *testing.T, signals ...signal.Signal) signal.Profile {
	t.Helper()
	var p signal.Profile
	var half signal.HalfLives
	for _, s := range signals {
		if err := signal.Apply(&p, s, &half); err != nil {
			t.Fatalf("Apply(%v): %v", s.Kind, err)
		}
	}
	return p
}

// randomSignals makes signals over 400 days about a few vehicles.
func randomSignals(r *rand.Rand, n int) []signal.Signal {
	out := make([]signal.Signal, n)
	vins := []string{"", "KMHC0000000000001", "KMHC0000000000002", "KMHC0000000000003"}
	dealers := []string{"", "d1", "d2"}
	for i := range out {
		s := signal.Signal{
			Kind: lead.SignalKind(1 + r.IntN(int(lead.SignalKindCall))), At: at(r.Float64() * 400),
			VIN: vins[r.IntN(4)], DealerID: dealers[r.IntN(3)], SalespersonID: dealers[r.IntN(3)],
			Make: []string{"", "HYUNDAI"}[r.IntN(2)], ModelCode: []string{"", "I5", "K2"}[r.IntN(3)],
			Powertrain: lead.Powertrain(r.IntN(6)), PayType: signal.PayType(r.IntN(5)),
			Status: lead.VehicleStatus(r.IntN(4)), Fleet: r.IntN(50) == 0,
			Odometer: int64(r.IntN(90000)), OdometerUnit: lead.OdometerUnit(r.IntN(3)),
			Amount:   lead.Money{Minor: int64(r.IntN(90000)), Currency: "EUR"},
			Lease:    signal.LeaseTerms{TermMonths: r.IntN(48), ContractedKM: int64(r.IntN(60000))},
			Warranty: signal.WarrantyTerms{Coverage: []string{"BASIC", "BATTERY", "", "BODY", "BRAKES", "POWERTRAIN", "ROADSIDE", "RUST", "TYRES"}[r.IntN(9)], KMLimit: int64(r.IntN(160000))},
		}
		if r.IntN(2) == 0 {
			s.Lease.Maturity, s.Warranty.Until, s.Until = at(r.Float64()*900), at(r.Float64()*900), at(r.Float64()*900)
		}
		if r.IntN(4) == 0 {
			money := func() lead.Money {
				return lead.Money{Minor: int64(r.IntN(5_000_000)), Currency: []string{"", "EUR", "USD"}[r.IntN(3)]}
			}
			s.Value, s.Owed, s.Balloon, s.Ends = money(), money(), money(), at(r.Float64()*900)
		}
		out[i] = s
	}
	return out
}

func TestApplyIgnoresOrderAndMergeJoins(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		signals := randomSignals(r, 1+r.IntN(60))
		a := apply(t, signals...)
		r.Shuffle(len(signals), func(i, j int) { signals[i], signals[j] = signals[j], signals[i] })
		if diff := cmp.Diff(a, apply(t, signals...)); diff != "" {
			t.Fatalf("order changed the profile:\n%s", diff)
		}
		cut := r.IntN(len(signals) + 1)
		x, y := apply(t, signals[:cut]...), apply(t, signals[cut:]...)
		beforeX, beforeY := string(x.Marshal()), string(y.Marshal())
		xy, yx := signal.Merge(x, y), signal.Merge(y, x)
		if diff := cmp.Diff(a, xy); diff != "" {
			t.Fatalf("Merge of two halves is not the whole:\n%s", diff)
		}
		if diff := cmp.Diff(xy, yx); diff != "" {
			t.Fatalf("Merge depends on the order:\n%s", diff)
		}
		if string(x.Marshal()) != beforeX || string(y.Marshal()) != beforeY {
			t.Fatal("Merge changed an argument")
		}
	}
}

func TestApplyTwiceChangesNoFact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	signals := randomSignals(r, 50)
	once, twice := apply(t, signals...), apply(t, append(signals, signals...)...)
	once.Counters, twice.Counters, once.EV, twice.EV = nil, nil, signal.Counter{}, signal.Counter{}
	if diff := cmp.Diff(once, twice); diff != "" {
		t.Errorf("a repeated signal changed a fact:\n%s", diff)
	}
}

func TestApplyRefuses(t *testing.T) {
	var p signal.Profile
	var half signal.HalfLives
	for _, s := range []signal.Signal{{At: at(0)}, {Kind: 200, At: at(0)}, {Kind: lead.SignalKindPageView}} {
		if err := signal.Apply(&p, s, &half); err == nil {
			t.Errorf("%+v was applied", s)
		}
	}
	if diff := cmp.Diff(signal.Profile{}, p); diff != "" {
		t.Errorf("a refused signal left traces:\n%s", diff)
	}
}

func TestApplyFacts(t *testing.T) {
	const vin = "KMHC0000000000001"
	p := apply(t,
		signal.Signal{Kind: lead.SignalKindVehicleSold, At: at(0), VIN: vin, DealerID: "sold", SalespersonID: "kim", Status: lead.VehicleStatusNew, Powertrain: lead.PowertrainElectric},
		signal.Signal{Kind: lead.SignalKindLeaseStarted, At: at(0), VIN: vin, Lease: signal.LeaseTerms{TermMonths: 36, ContractedKM: 45000}},
		signal.Signal{Kind: lead.SignalKindServiceVisit, At: at(300), VIN: vin, DealerID: "serviced", PayType: signal.PayTypeCustomer, Odometer: 10000, OdometerUnit: lead.OdometerUnitMI},
		signal.Signal{Kind: lead.SignalKindLeaseMilestone, At: at(900), VIN: vin, Lease: signal.LeaseTerms{Maturity: at(1200)}},
		signal.Signal{Kind: lead.SignalKindTestDrive, At: at(950), VIN: "another", DealerID: "sold", SalespersonID: "lee"},
	)
	v := p.Vehicle(vin)
	if v == nil || len(p.Vehicles) != 1 {
		t.Fatalf("vehicles = %+v", p.Vehicles)
	}
	want := signal.VehicleFacts{
		VIN: vin, Powertrain: lead.PowertrainElectric,
		Sold:   signal.Sale{At: base, DealerID: "sold", Status: lead.VehicleStatusNew},
		Visits: []signal.Visit{{At: base + 300*day, DealerID: "serviced", PayType: signal.PayTypeCustomer}},
		First:  signal.Reading{At: base + 300*day, KM: 16093}, Latest: signal.Reading{At: base + 300*day, KM: 16093},
		Lease: signal.Lease{Started: base, ContractedKM: 45000, Maturity: base + 1200*day, MaturitySeen: base + 900*day},
	}
	if diff := cmp.Diff(want, *v); diff != "" {
		t.Error(diff)
	}
	if p.Selling.ID != "sold" || p.Servicing.ID != "serviced" || p.Salesperson.ID != "lee" || p.CustomerSince != base {
		t.Errorf("contacts: %+v %+v %+v since %d", p.Selling, p.Servicing, p.Salesperson, p.CustomerSince)
	}
	if got := p.Recency(lead.SignalKindServiceVisit, base+301*day); got != day {
		t.Errorf("Recency = %d", got)
	}
	if got := p.Recency(lead.SignalKindCall, base); got != signal.Unknown {
		t.Errorf("Recency of a kind never seen = %d", got)
	}
}

func TestInquiries(t *testing.T) {
	var p signal.Profile
	for _, at := range []int64{base, base - 10*day, base, base - 100*day} {
		p.Inquired(at)
	}
	if got := p.InquiriesWithin(base, 90*day); got != 1 {
		t.Errorf("inquiries in 90 days before the one at hand = %d, want 1", got)
	}
	if len(p.Inquiries) != 3 {
		t.Errorf("a repeated inquiry was kept: %v", p.Inquiries)
	}
}

func TestActivity(t *testing.T) {
	var a signal.Activity
	for _, days := range []int64{0, 3, 210, 217} {
		a.Add(base + days*day)
	}
	now := base + 218*day
	if got := a.Active(now, 12); got != 2 {
		t.Errorf("Active = %d, want 2", got)
	}
	if got := a.Comeback(now, 4); got < 190 || got > 210 {
		t.Errorf("Comeback = %d, want about 200 days", got)
	}
	if got := a.Comeback(now+60*day, 4); got != signal.Unknown {
		t.Errorf("Comeback two months later = %d, want unknown", got)
	}
	if got := (signal.Activity{}).Comeback(now, 4); got != signal.Unknown {
		t.Errorf("Comeback of nobody = %d", got)
	}
}
