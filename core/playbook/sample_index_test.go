package playbook_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// read reads an index of facts by name.
func read(t *testing.T, p *playbook.Playbook, code lead.Index, facts map[string]int32) scoring.Reading {
	t.Helper()
	var in scoring.Inputs
	in.Reset()
	for name, v := range facts {
		in.Values[feature(t, name)] = v
	}
	r, ok := p.Scoring.Read(code, &in)
	if !ok {
		t.Fatalf("the sample has no %s", code)
	}
	sum := int32(0)
	for _, c := range r.Contributions {
		sum += c.Points
	}
	if sum != r.Points || r.Expected < r.Low || r.Expected > r.High || !r.Bounded || r.Band == "" {
		t.Errorf("%s of %v: %d contributed, %+v", code, facts, sum, r)
	}
	return r
}

// Each sign gives the index more than the same fact the other way round.
func TestSampleIndexSigns(t *testing.T) {
	p := sample(t)
	for _, tt := range []struct {
		code         lead.Index
		name, fact   string
		better, than int32
	}{
		{lead.IndexEVReadiness, "home charger", "home_charger.count", 1000, 0},
		{lead.IndexEVReadiness, "drives an electric car", "ev_owned", 1, 0},
		{lead.IndexEVReadiness, "charger quote", "charger_quote.recency", 10 * day, scoring.Missing},
		{lead.IndexEVReadiness, "charger quote long ago", "charger_quote.recency", 10 * day, 200 * day},
		{lead.IndexEVReadiness, "range tool", "range_tool.recency", 3 * day, scoring.Missing},
		{lead.IndexEVReadiness, "short way a day", "daily_distance_m", 40_000, 400_000},
		{lead.IndexEVReadiness, "charger density", "chargers_nearby", 300, 150},
		{lead.IndexEVReadiness, "incentive", "incentive_eligible", 1, 0},
		{lead.IndexEVReadiness, "asks for one", "powertrain_sought", int32(lead.PowertrainElectric), int32(lead.PowertrainCombustion)},
		{lead.IndexCustomerValue, "fleet", "fleet", 1, 0},
		{lead.IndexCustomerValue, "several cars", "vehicles_owned", 3, 1},
		{lead.IndexCustomerValue, "years", "customer_since_days", 2000, 100},
		{lead.IndexCustomerValue, "workshop", "spend_24m", 4000, 100},
		{lead.IndexCustomerValue, "a dear car", "vehicle_price", 80_000, 20_000},
		{lead.IndexCustomerValue, "contract within 36 months", "lease_days_to_end", 500, 1200},
		{lead.IndexCustomerValue, "comes to the workshop", "visits_24m", 4, 0},
	} {
		more := read(t, p, tt.code, map[string]int32{tt.fact: tt.better})
		less := read(t, p, tt.code, map[string]int32{tt.fact: tt.than})
		if more.Points <= less.Points || more.Expected <= less.Expected {
			t.Errorf("%s, %s: %d points and %d, else %d and %d", tt.code, tt.name, more.Points, more.Expected, less.Points, less.Expected)
		}
	}
}

// People as a salesperson would call them.
func TestSampleIndexBands(t *testing.T) {
	p := sample(t)
	for _, tt := range []struct {
		code    lead.Index
		name    string
		facts   map[string]int32
		band    string
		reasons []string
	}{
		{lead.IndexEVReadiness, "nobody we know", nil, "not yet", nil},
		{lead.IndexEVReadiness, "drives far and wants a combustion car", map[string]int32{"daily_distance_m": 350_000, "powertrain_sought": int32(lead.PowertrainCombustion)}, "not yet",
			[]string{"drives 350 km a day, further than a charge lasts", "wants a combustion car"}},
		{lead.IndexEVReadiness, "looks around", map[string]int32{"ev_interest.count": 4000, "range_tool.recency": 5 * day, "daily_distance_m": 45_000}, "curious",
			[]string{"used the range tool 5 days ago", "looked at electric models 4 times lately"}},
		{lead.IndexEVReadiness, "wants one and may charge at home", map[string]int32{"powertrain_sought": int32(lead.PowertrainElectric), "charger_quote.recency": 4 * day}, "open",
			[]string{"wants an electric car", "asked for a charger quote 4 days ago"}},
		{lead.IndexEVReadiness, "drives one", map[string]int32{"powertrain_sought": int32(lead.PowertrainElectric), "home_charger.count": 2000, "ev_owned": 1}, "ready",
			[]string{"charges a car at home", "wants an electric car"}},
		{lead.IndexCustomerValue, "nobody we know", nil, "low", nil},
		{lead.IndexCustomerValue, "comes to the workshop", map[string]int32{"vehicles_owned": 1, "spend_24m": 1200, "visits_24m": 3, "customer_since_days": 1500}, "middle",
			[]string{"3 workshop visits in 24 months", "owns 1 car of ours"}},
		{lead.IndexCustomerValue, "lease ends, next car in mind", map[string]int32{"vehicles_owned": 1, "lease_days_to_end": 80, "vehicle_price": 46_000, "finance_method": 3}, "high",
			[]string{"wants a car for 46000 USD", "lease ends in 80 days, within 36 months"}},
		{lead.IndexCustomerValue, "a fleet", map[string]int32{"fleet": 1, "vehicles_owned": 12, "spend_24m": 30_000, "visits_24m": 30, "customer_since_days": 3000}, "top",
			[]string{"acts for an organisation", "owns 12 cars of ours"}},
	} {
		got := read(t, p, tt.code, tt.facts)
		var said []string
		for _, r := range got.Reasons(2) {
			said = append(said, r.Label)
		}
		if got.Band != tt.band {
			t.Errorf("%s, %s: %d points, %d, is %s", tt.code, tt.name, got.Points, got.Expected, got.Band)
		}
		if diff := cmp.Diff(tt.reasons, said); diff != "" {
			t.Errorf("%s, %s: %s", tt.code, tt.name, diff)
		}
	}
}
