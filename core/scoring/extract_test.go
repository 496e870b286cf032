package scoring_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
)

var decided = time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return decided.Add(-time.Duration(days) * 24 * time.Hour) }

const vin = "KMHC0000000000001"

// lessee leases an electric car that goes back in 74 days, and has been looking around.
func lessee(t testing.TB) signal.Profile {
	t.Helper()
	var p signal.Profile
	var half signal.HalfLives
	for _, s := range []signal.Signal{
		{Kind: lead.SignalKindVehicleSold, At: ago(1000), VIN: vin, DealerID: "d1", Status: lead.VehicleStatusNew, Powertrain: lead.PowertrainElectric},
		{Kind: lead.SignalKindLeaseStarted, At: ago(1000), VIN: vin, Lease: signal.LeaseTerms{Maturity: ago(-74), ContractedKM: 30000, Payment: lead.Money{Minor: 40000, Currency: "EUR"}}},
		{Kind: lead.SignalKindServiceVisit, At: ago(600), VIN: vin, PayType: signal.PayTypeWarranty, Odometer: 16000, OdometerUnit: lead.OdometerUnitKM},
		{Kind: lead.SignalKindServiceVisit, At: ago(250), VIN: vin, PayType: signal.PayTypeCustomer, Odometer: 30000, OdometerUnit: lead.OdometerUnitKM, Amount: lead.Money{Minor: 25050, Currency: "EUR"}},
		{Kind: lead.SignalKindServiceDeclined, At: ago(250), VIN: vin, Amount: lead.Money{Minor: 60000, Currency: "EUR"}},
		{Kind: lead.SignalKindConfiguratorSaved, At: ago(3), Powertrain: lead.PowertrainElectric},
		{Kind: lead.SignalKindPageView, At: ago(3)},
		{Kind: lead.SignalKindPageView, At: ago(30)},
	} {
		if err := signal.Apply(&p, s, &half); err != nil {
			t.Fatal(err)
		}
	}
	p.Inquired(ago(40).Unix())
	p.Inquired(decided.Add(-time.Minute).Unix()) // the one at hand
	return p
}

func inquiry() *lead.Lead {
	return &lead.Lead{
		Line: lead.LineRenewal, RequestType: lead.RequestTypeQuote, Origin: lead.OriginOEM, Choice: lead.DealerChoiceCustomerChose,
		Source: lead.Source{Channel: " Website"}, RequestedAt: decided.Add(-time.Minute), Comments: "größer, bitte",
		TimeFrame: lead.TimeFrame{Latest: decided.AddDate(0, 0, 14)},
		Parties: []lead.Party{{Role: lead.PartyRolePrimary, Phones: []lead.Phone{{E164: "+4915112345678"}},
			Emails: []lead.Email{{Raw: "broken"}}, Address: lead.Address{Postal: "80331", Country: "DE"}}},
		Vehicles: []lead.Vehicle{
			{Role: lead.VehicleRoleSought, Status: lead.VehicleStatusNew, ModelCode: "I5", Price: lead.Money{Minor: 4_599_000, Currency: "EUR"}},
			{Role: lead.VehicleRoleOwned, VIN: vin, Odometer: 25000, OdometerUnit: lead.OdometerUnitMI,
				Price: lead.Money{Minor: 2_000_000, Currency: "EUR"}, Payoff: lead.Money{Minor: 2_100_050, Currency: "EUR"}},
		},
		Finance: lead.Finance{Method: "lease", DownPayment: lead.Money{Minor: 300_000, Currency: "EUR"}},
	}
}

// declared is what the manufacturer of the cars declares.
func declared(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	k, problems := catalogue.Compile(catalogue.Definition{
		Market:   "DE",
		Brands:   []catalogue.Brand{{Code: "KH", Makes: []string{"Kaha"}}},
		WMI:      map[string]string{"KMH": "Kaha"},
		Models:   []catalogue.Model{{Code: "I5", Make: "Kaha", Powertrain: lead.PowertrainElectric}},
		Services: []catalogue.ServiceRule{{Scope: catalogue.Scope{Brand: "KH"}, Service: catalogue.Service{Days: 365}}},
		Offers:   []catalogue.Offer{{Model: "I5", Monthly: lead.Money{Minor: 42000, Currency: "EUR"}}},
		Chargers: []catalogue.Chargers{{Country: "DE", Prefix: "8", Count: 7}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return k
}

func values(in *scoring.Inputs) map[string]int32 {
	out := map[string]int32{}
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		if v := in.Values[f]; v > scoring.Missing {
			out[f.String()] = v
		}
	}
	return out
}

// facts are the values of the inquiry and the contracts, which need no consent.
func facts() map[string]int32 {
	return map[string]int32{
		"request_type": int32(lead.RequestTypeQuote), "origin": int32(lead.OriginOEM), "source_channel": 1,
		"dealer_choice": int32(lead.DealerChoiceCustomerChose), "trigger": 0, "has_phone": 1, "has_email": 0,
		"comment_length": 13, "time_frame_days": 14, "repeat_inquiry": 1, "silence_days": 40, "comeback_gap_days": 40,
		"dealer_visit.count": 0, "test_drive.count": 0,
		"vehicle_sought_known": 1, "vehicle_sought_status": 1, "vehicle_in_stock": 0, "powertrain_sought": int32(lead.PowertrainElectric),
		"ev_sought": 1, "program_required": 1, "trade_offered": 0, "chargers_nearby": 7,
		"ev_owned": 1, "powertrain_owned": int32(lead.PowertrainElectric), "daily_distance_m": 40000,
		"vehicle_age_days": 1000, "owned_days": 1000, "odometer_km": 40234, "lease_days_to_end": 74, "lease_mileage_pace": 1432,
		"equity": -1001, "payment_change": 50, "visits_24m": 2, "visits_customer_24m": 1, "visits_warranty_24m": 1,
		"visits_maintenance_24m": 0, "visit_days": 250, "services_done": 1000,
		"service_declined.count": 3, "service_declined.recency": 250 * 86400, "declined_amount": 600, "repair_value_share": 30,
		"fleet": 0, "customer_since_days": 1000, "vehicles_owned": 1, "vehicle_price": 45990, "down_payment": 3000,
		"spend_24m": 250, "finance_method": 3,
	}
}

func TestExtract(t *testing.T) {
	p := lessee(t)
	f := scoring.Facts{SoughtKnown: true, SoughtPowertrain: lead.PowertrainElectric, ProgramRequired: true, Catalogue: declared(t), Currency: "EUR"}
	var in scoring.Inputs
	for _, state := range []lead.ConsentState{lead.ConsentStateUnspecified, lead.ConsentStateDenied, lead.ConsentStateNone, lead.ConsentStateRevoked, lead.ConsentStateExpired} {
		f.Profiling = state
		scoring.Extract(inquiry(), &p, decided, f, &in)
		if diff := cmp.Diff(facts(), values(&in)); diff != "" || !in.NoConsent {
			t.Errorf("consent %q, marked %v:\n%s", state, in.NoConsent, diff)
		}
	}

	f.Profiling = lead.ConsentStateGranted
	scoring.Extract(inquiry(), &p, decided, f, &in)
	want := facts()
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		if f.Tracked() && f.Unit() == scoring.UnitMilli {
			want[f.String()] = 0
		}
	}
	want["silence_days"] = 3
	want["comeback_gap_days"] = 21 // in weeks: from the page view 30 days ago to that 3 days ago
	want["active_weeks_12"] = 2
	want["page_view.count"], want["page_view.recency"] = 933+500, 3*86400
	want["configurator_saved.count"], want["configurator_saved.recency"] = 933, 3*86400
	want["ev_interest.count"], want["ev_interest.recency"] = 933, 3*86400
	if diff := cmp.Diff(want, values(&in)); diff != "" || in.NoConsent {
		t.Errorf("with consent, marked %v:\n%s", in.NoConsent, diff)
	}
}

func TestExtractOfAStranger(t *testing.T) {
	var in scoring.Inputs
	scoring.Extract(&lead.Lead{Vehicles: []lead.Vehicle{{Role: lead.VehicleRoleTraded, Year: 2020, Odometer: -1}}}, nil, decided, scoring.Facts{Profiling: lead.ConsentStateGranted}, &in)
	got := values(&in)
	want := map[string]int32{"trade_offered": 1, "vehicle_age_days": 2404, "vehicles_owned": 0, "visits_24m": 0, "repeat_inquiry": 0}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s = %d, want %d", name, got[name], v)
		}
	}
	for _, name := range []string{"silence_days", "comeback_gap_days", "odometer_km", "lease_days_to_end", "request_type", "time_frame_days", "customer_since_days", "incentive_eligible"} {
		if v, ok := got[name]; ok {
			t.Errorf("%s = %d of a stranger", name, v)
		}
	}
}

func TestExtractAllocatesNothing(t *testing.T) {
	p, l, k := lessee(t), inquiry(), declared(t)
	var in scoring.Inputs
	if n := testing.AllocsPerRun(100, func() {
		scoring.Extract(l, &p, decided, scoring.Facts{Profiling: lead.ConsentStateGranted, Catalogue: k}, &in)
	}); n != 0 {
		t.Errorf("Extract allocates %g times", n)
	}
}

func TestDigitalOnly(t *testing.T) {
	visited := lessee(t)
	var browsed signal.Profile
	var half signal.HalfLives
	if err := signal.Apply(&browsed, signal.Signal{Kind: lead.SignalKindPageView, At: ago(1)}, &half); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		lead lead.Lead
		p    *signal.Profile
		want bool
	}{
		{"a trigger of somebody unknown", lead.Lead{Trigger: true}, nil, true},
		{"a trigger of somebody who browsed", lead.Lead{Trigger: true}, &browsed, true},
		{"a trigger of somebody with service history", lead.Lead{Trigger: true}, &visited, false},
		{"a trigger with a request", lead.Lead{Trigger: true, RequestType: lead.RequestTypeContact}, nil, false},
		{"a request", lead.Lead{}, nil, false},
	}
	for _, tt := range tests {
		if got := scoring.DigitalOnly(&tt.lead, tt.p); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestGolden pins the way from facts to points: a change here is a change of every score.
func TestGolden(t *testing.T) {
	p := lessee(t)
	m := compile(t, example())
	var in scoring.Inputs
	var res scoring.Result
	f := scoring.Facts{Profiling: lead.ConsentStateGranted, SoughtKnown: true, SoughtPowertrain: lead.PowertrainElectric, Catalogue: declared(t)}
	scoring.Extract(inquiry(), &p, decided, f, &in)
	m.Score(&in, &res)
	type line struct {
		points, ppm int32
		stage       lead.Stage
		first       string
		second      string
	}
	got := map[string]line{}
	for code := lead.LineSales; code <= lead.LineCare; code++ {
		l := line{points: res.Points[code], ppm: res.Probability[code], stage: res.Stage[code]}
		if r := m.Explain(&in, &res, code, 2); len(r) == 2 {
			l.first, l.second = r[0].Label, r[1].Label
		}
		got[code.String()] = l
	}
	want := map[string]line{
		"ACCESSORIES":  {10000, 520000, lead.StageReady, "lease ends in 74 days", "asked for a quote"},
		"ACQUISITION":  {10000, 520000, lead.StageReady, "lease ends in 74 days", "asked for a quote"},
		"CARE":         {6200, 208400, lead.StageIntent, "asked 1 more time in 90 days", "left a phone number"},
		"NURTURE":      {7650, 327300, lead.StageReady, "asked for a quote", "wants to act within 14 days"},
		"REENGAGEMENT": {9550, 483100, lead.StageReady, "lease ends in 74 days", "drives 143 % of the contracted distance"},
		"RENEWAL":      {10000, 520000, lead.StageReady, "contract is over in 74 days", "asked for a quote"},
		"SALES":        {10000, 520000, lead.StageReady, "asked for a quote", "wants to act within 14 days"},
		"SERVICE":      {9700, 495400, lead.StageReady, "lease ends in 74 days", "drives 143 % of the contracted distance"},
		"WARRANTY":     {8700, 413400, lead.StageReady, "lease ends in 74 days", "drives 143 % of the contracted distance"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Error(diff)
	}
	if res.Segments != 3 || res.Active != lead.SegmentRenewalIntender || m.Level(&res, res.Active) != "hot" {
		t.Errorf("segments %b, play %v %q", res.Segments, res.Active, m.Level(&res, res.Active))
	}
}

func BenchmarkExtract(b *testing.B) {
	p, l := lessee(b), inquiry()
	var in scoring.Inputs
	f := scoring.Facts{Profiling: lead.ConsentStateGranted, Catalogue: declared(b)}
	b.ReportAllocs()
	for b.Loop() {
		scoring.Extract(l, &p, decided, f, &in)
	}
}
