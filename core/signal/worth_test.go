package signal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

func eur(minor int64) lead.Money { return lead.Money{Minor: minor, Currency: "EUR"} }

func mileage(days float64) signal.Signal {
	return signal.Signal{Kind: lead.SignalKindMileage, At: at(days), VIN: vin}
}

func TestWorth(t *testing.T) {
	first, second := mileage(0), mileage(100)
	first.Value, second.Value = eur(20_000_00), eur(18_000_00)
	p := apply(t, second, first)
	for _, tt := range []struct {
		at   int64
		want lead.Money
	}{
		{base - 1, lead.Money{}}, {base + 100*day - 1, lead.Money{}}, // the later one is known, and lies ahead
		{base + 100*day, eur(18_000_00)}, {base + 280*day - 1, eur(18_000_00)}, {base + 280*day, lead.Money{}},
	} {
		if got, ok := p.Vehicle(vin).Worth(tt.at); got != tt.want || ok != (tt.want != lead.Money{}) {
			t.Errorf("at day %d: %v %v", (tt.at-base)/day, got, ok)
		}
	}
}

func TestOwes(t *testing.T) {
	midnight := base - base%day
	on := func(day int64) time.Time { return time.Unix(midnight+day*86400, 0) }
	began := func(residual lead.Money) signal.Signal {
		return signal.Signal{Kind: lead.SignalKindLeaseStarted, At: on(0), VIN: vin, Owed: eur(30_000_00), Balloon: residual, Ends: on(1000)}
	}
	quote := signal.Signal{Kind: lead.SignalKindMileage, At: on(500), VIN: vin, Owed: eur(25_000_00)}
	none := int64(-1)
	for _, tt := range []struct {
		name    string
		signals []signal.Signal
		day     int64
		want    int64
	}{
		{"before it began", []signal.Signal{began(eur(10_000_00))}, -1, none},
		{"as it began", []signal.Signal{began(eur(10_000_00))}, 0, 30_000_00},
		{"half way", []signal.Signal{began(eur(10_000_00))}, 500, 20_000_00},
		{"at its end", []signal.Signal{began(eur(10_000_00))}, 1000, 10_000_00},
		{"to be paid for ninety days more", []signal.Signal{began(eur(10_000_00))}, 1090, 10_000_00},
		{"over", []signal.Signal{began(eur(10_000_00))}, 1091, none},
		{"a loan that is paid off", []signal.Signal{began(eur(0))}, 2000, 0},
		{"a quote takes the place of the line", []signal.Signal{began(eur(10_000_00)), quote}, 500, 25_000_00},
		{"and the line goes on from it", []signal.Signal{quote, began(eur(10_000_00))}, 750, 17_500_00},
		{"a quote alone", []signal.Signal{quote}, 544, 25_000_00},
		{"a quote alone, 45 days later", []signal.Signal{quote}, 545, none},
		{"no residual said", []signal.Signal{began(lead.Money{})}, 45, none},
		{"a residual in another currency", []signal.Signal{began(lead.Money{Minor: 1, Currency: "USD"})}, 45, none},
		{"nothing said", []signal.Signal{mileage(0)}, 1, none},
	} {
		p := apply(t, tt.signals...)
		if got, ok := p.Vehicle(vin).Owes(midnight + tt.day*day); ok != (tt.want >= 0) || ok && got != eur(tt.want) {
			t.Errorf("%s: %v %v", tt.name, got, ok)
		}
	}
}

// TestWorthSurvivesStorage: what is stored among the coverages comes back from there, whatever a
// sender names a coverage, and costs the oldest coverages their place.
func TestWorthSurvivesStorage(t *testing.T) {
	valued := mileage(3)
	valued.Value, valued.Owed, valued.Balloon, valued.Ends = eur(1<<43), eur(0), eur(7), at(900)
	signals := []signal.Signal{valued}
	for i, name := range []string{"\x1fworth EUR", "", "a", "b", "c", "d", "e", "f"} {
		signals = append(signals, signal.Signal{Kind: lead.SignalKindWarrantyStarted, At: at(float64(i)), VIN: vin, Warranty: signal.WarrantyTerms{Coverage: name, KMLimit: 5}})
	}
	p := apply(t, signals...)
	v := p.Vehicle(vin)
	var names []string
	for _, w := range v.Warranties {
		names = append(names, w.Coverage)
	}
	if diff := cmp.Diff([]string{"b", "c", "d", "e", "f"}, names); diff != "" {
		t.Error(diff)
	}
	if v.Valued.Amount != eur(1<<43) || v.Owed.Amount != eur(0) || v.Balloon.Amount != eur(7) {
		t.Errorf("%+v %+v %+v", v.Valued, v.Owed, v.Balloon)
	}
	got, err := signal.Unmarshal(p.Marshal())
	if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for name, s := range map[string]signal.Signal{
		"too dear": {Value: eur(1 << 44)}, "less than nothing": {Value: eur(-1)}, "no currency": {Value: lead.Money{Minor: 5}},
	} {
		s.Kind, s.At, s.VIN = lead.SignalKindMileage, at(1), vin
		p := apply(t, s)
		if v := p.Vehicle(vin); v.Valued.At != 0 {
			t.Errorf("%s: %+v", name, v.Valued)
		}
	}
}
