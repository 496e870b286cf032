package scoring_test

import (
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
)

func eur(whole int64) lead.Money { return lead.Money{Minor: whole * 100, Currency: "EUR"} }

// market is what a maker of an electric car, a petrol car and a van declares.
func market(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	k, problems := catalogue.Compile(catalogue.Definition{
		Market: "DE",
		Brands: []catalogue.Brand{{Code: "KH", Makes: []string{"Kaha"}}},
		WMI:    map[string]string{"KMH": "Kaha"},
		Models: []catalogue.Model{
			{Code: "I5", Make: "Kaha", Powertrain: lead.PowertrainElectric, ListPrice: eur(50_000)},
			{Code: "P1", Make: "Kaha", Powertrain: lead.PowertrainCombustion, ListPrice: eur(30_000), Next: "I5"},
		},
		Services: []catalogue.ServiceRule{{Service: catalogue.Service{Days: 365, Metres: 15_000_000}}},
		Residuals: []catalogue.Residual{{Name: "all", Years: 15_000_000, Distances: []int32{0, 100_000_000}, Rows: []catalogue.ResidualRow{
			{Days: 0, Shares: []int32{1_000_000, 600_000}}, {Days: 2000, Shares: []int32{400_000, 200_000}}}}},
		Offers: []catalogue.Offer{{Model: "I5", Monthly: eur(420)}, {Model: "I5", Market: "US", Monthly: lead.Money{Minor: 40_000, Currency: "USD"}}},
		Incentives: []catalogue.Incentive{
			{Country: "DE", Powertrains: []lead.Powertrain{lead.PowertrainElectric}, Buyers: catalogue.BuyersPrivate, PriceCap: eur(50_000)}},
		Chargers: []catalogue.Chargers{{Country: "DE", Prefix: "80", Count: 40}, {Country: "DE", Prefix: "81", Count: 0}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return k
}

func sold(days int, code string) signal.Signal {
	return signal.Signal{Kind: lead.SignalKindVehicleSold, At: ago(days), VIN: vin, ModelCode: code, Status: lead.VehicleStatusNew}
}

func visit(days int, pays signal.PayType, km int64) signal.Signal {
	return signal.Signal{Kind: lead.SignalKindServiceVisit, At: ago(days), VIN: vin, PayType: pays, Odometer: km, OdometerUnit: lead.OdometerUnitKM}
}

func leased(monthly lead.Money) signal.Signal {
	return signal.Signal{Kind: lead.SignalKindLeaseStarted, At: ago(1000), VIN: vin, Lease: signal.LeaseTerms{Maturity: ago(-74), Payment: monthly}}
}

func declined(days int, amount lead.Money) signal.Signal {
	return signal.Signal{Kind: lead.SignalKindServiceDeclined, At: ago(days), VIN: vin, Amount: amount}
}

func lives(postal string, vehicles ...lead.Vehicle) *lead.Lead {
	return &lead.Lead{Market: "DE", Vehicles: vehicles, Parties: []lead.Party{{Address: lead.Address{Country: "DE", Postal: postal}}}}
}

var absent = scoring.Missing

// TestKnownFromTheCatalogue: each of the features that a lead and its signals do not say by
// themselves, at its boundaries.
func TestKnownFromTheCatalogue(t *testing.T) {
	sought := func(v lead.Vehicle) lead.Vehicle { v.Role = lead.VehicleRoleSought; return v }
	owned := func(v lead.Vehicle) lead.Vehicle { v.Role = lead.VehicleRoleOwned; return v }
	unread := lead.Vehicle{VIN: vin, Odometer: -1}
	for _, tt := range []struct {
		name    string
		feature string
		lead    *lead.Lead
		signals []signal.Signal
		want    int32
	}{
		{"one service due by time, none done", "services_done", lives("80331"), []signal.Signal{sold(365, "I5")}, 0},
		{"the day before it is due", "services_done", lives("80331"), []signal.Signal{sold(364, "I5")}, absent},
		{"one of two due by time", "services_done", lives("80331"), []signal.Signal{sold(800, "I5"), visit(400, signal.PayTypeCustomer, 12_000)}, 500},
		{"four due by distance", "services_done", lives("80331"), []signal.Signal{sold(800, "I5"), visit(400, signal.PayTypeCustomer, 33_000)}, 250},
		{"more than due", "services_done", lives("80331"), []signal.Signal{sold(400, "I5"), visit(300, signal.PayTypeCustomer, 0), visit(100, signal.PayTypeWarranty, 0)}, 1000},
		{"done internally is not done", "services_done", lives("80331"), []signal.Signal{sold(400, "I5"), visit(300, signal.PayTypeInternal, 0)}, 0},
		{"a model nobody knows, of our brand", "services_done", lives("80331"), []signal.Signal{sold(400, "X9"), visit(300, signal.PayTypeCustomer, 0)}, 1000},
		{"leased, nobody reported the sale", "services_done", lives("80331"), []signal.Signal{leased(eur(400)), visit(300, signal.PayTypeCustomer, 0), visit(30, signal.PayTypeCustomer, 0)}, 1000},
		{"nobody knows since when they have it", "services_done", lives("80331"), []signal.Signal{visit(300, signal.PayTypeCustomer, 0)}, absent},
		{"another car is named", "services_done", lives("80331", owned(lead.Vehicle{Make: "Ford", Model: "Focus"})), []signal.Signal{sold(400, "I5")}, absent},

		{"what they would pay, in tenths of a per cent", "payment_change", lives("80331", sought(lead.Vehicle{ModelCode: "I5"})), []signal.Signal{leased(eur(400))}, 50},
		{"less", "payment_change", lives("80331", sought(lead.Vehicle{ModelCode: "I5"})), []signal.Signal{leased(eur(500))}, -160},
		{"what follows the car they drive", "payment_change", lives("80331"), []signal.Signal{sold(1000, "P1"), leased(eur(420))}, 0},
		{"a model without offer", "payment_change", lives("80331", sought(lead.Vehicle{ModelCode: "P1"})), []signal.Signal{leased(eur(400))}, absent},
		{"a used one", "payment_change", lives("80331", sought(lead.Vehicle{ModelCode: "I5", Status: lead.VehicleStatusUsed})), []signal.Signal{leased(eur(400))}, absent},
		{"they pay in another currency", "payment_change", lives("80331", sought(lead.Vehicle{ModelCode: "I5"})), []signal.Signal{leased(lead.Money{Minor: 40_000, Currency: "USD"})}, absent},
		{"nobody knows what they pay", "payment_change", lives("80331", sought(lead.Vehicle{ModelCode: "I5"})), nil, absent},

		{"by the table: half its age, half its distance", "equity", lives("80331", owned(lead.Vehicle{VIN: vin, Odometer: 50_000, OdometerUnit: lead.OdometerUnitKM, Payoff: eur(20_000)})),
			[]signal.Signal{sold(1000, "I5")}, 7_500},
		{"owes more than that", "equity", lives("80331", owned(lead.Vehicle{VIN: vin, Odometer: 50_000, OdometerUnit: lead.OdometerUnitKM, Payoff: eur(30_000)})),
			[]signal.Signal{sold(1000, "I5")}, -2_500},
		{"said on the lead counts before the table", "equity", lives("80331", owned(lead.Vehicle{VIN: vin, Price: eur(21_000), Payoff: eur(20_000)})), []signal.Signal{sold(1000, "I5")}, 1_000},
		{"owes in another currency", "equity", lives("80331", owned(lead.Vehicle{VIN: vin, Odometer: 1, OdometerUnit: lead.OdometerUnitKM, Payoff: lead.Money{Minor: 1, Currency: "USD"}})),
			[]signal.Signal{sold(1000, "I5")}, absent},
		{"older than the table", "equity", lives("80331", owned(lead.Vehicle{VIN: vin, Odometer: 1, OdometerUnit: lead.OdometerUnitKM, Payoff: eur(1)})), []signal.Signal{sold(2001, "I5")}, absent},
		{"only its model year is known, and what a car goes a year", "equity", lives("80331", owned(lead.Vehicle{ModelCode: "I5", Year: 2024, Odometer: -1, Payoff: eur(20_000)})), nil, 9_935},
		{"nobody knows what is owed", "equity", lives("80331", owned(unread)), []signal.Signal{sold(1000, "I5")}, absent},

		{"a repair against the table", "repair_value_share", lives("80331", owned(unread)), []signal.Signal{sold(2000, "I5"), visit(1000, signal.PayTypeCustomer, 50_000), declined(9, eur(3_000))}, 300},
		{"no lead names the car", "repair_value_share", lives("80331"), []signal.Signal{sold(2000, "I5"), visit(1000, signal.PayTypeCustomer, 50_000), declined(365, eur(3_000))}, 300},
		{"a year and a day ago", "repair_value_share", lives("80331"), []signal.Signal{sold(2000, "I5"), declined(366, eur(3_000))}, absent},
		{"for another car than the one named", "repair_value_share", lives("80331", owned(lead.Vehicle{Make: "Ford", Model: "Focus", Price: eur(5_000)})), []signal.Signal{sold(1000, "I5"), declined(9, eur(3_000))}, absent},
		{"quoted in another currency", "repair_value_share", lives("80331"), []signal.Signal{sold(1000, "I5"), declined(9, lead.Money{Minor: 300_000, Currency: "USD"})}, absent},

		{"many chargers", "chargers_nearby", lives("80331"), nil, 40},
		{"none is known to be there", "chargers_nearby", lives("81669"), nil, 0},
		{"nobody counted", "chargers_nearby", lives("10115"), nil, absent},
		{"nobody knows where", "chargers_nearby", &lead.Lead{Market: "DE"}, nil, absent},
		{"the market where no country is given", "chargers_nearby", &lead.Lead{Market: "DE", Parties: []lead.Party{{Address: lead.Address{Postal: "80331"}}}}, nil, 40},

		{"an incentive at the cap", "incentive_eligible", lives("80331", sought(lead.Vehicle{ModelCode: "I5"})), nil, 1},
		{"too dear", "incentive_eligible", lives("80331", sought(lead.Vehicle{ModelCode: "I5", Price: lead.Money{Minor: 5_000_001, Currency: "EUR"}})), nil, 0},
		{"no incentive for its powertrain", "incentive_eligible", lives("80331", sought(lead.Vehicle{ModelCode: "P1"})), nil, 0},
		{"for the car that follows", "incentive_eligible", lives("80331"), []signal.Signal{sold(1000, "P1")}, 1},
		{"a used one", "incentive_eligible", lives("80331", sought(lead.Vehicle{ModelCode: "I5", Status: lead.VehicleStatusCertified})), nil, absent},
		{"nobody knows what they want", "incentive_eligible", lives("80331"), nil, absent},
		{"an electric car of an unknown model, so of no known price", "incentive_eligible", lives("80331", sought(lead.Vehicle{Powertrain: lead.PowertrainElectric})), nil, absent},
		{"a fleet", "incentive_eligible", &lead.Lead{Market: "DE", Vehicles: []lead.Vehicle{sought(lead.Vehicle{ModelCode: "I5"})}, Parties: []lead.Party{{Role: lead.PartyRoleCompany}}}, nil, 0},
		{"nothing declared for the country", "incentive_eligible", &lead.Lead{Market: "FR", Vehicles: []lead.Vehicle{sought(lead.Vehicle{ModelCode: "I5"})}}, nil, absent},
	} {
		var p signal.Profile
		var half signal.HalfLives
		for _, s := range tt.signals {
			if err := signal.Apply(&p, s, &half); err != nil {
				t.Fatal(err)
			}
		}
		var in scoring.Inputs
		extract := func(k *catalogue.Catalogue) int32 {
			scoring.Extract(tt.lead, &p, decided, scoring.Facts{Catalogue: k, Currency: "EUR"}, &in)
			f, ok := scoring.ParseFeature(tt.feature)
			if !ok {
				t.Fatalf("there is no feature %s", tt.feature)
			}
			return in.Values[f]
		}
		if got := extract(market(t)); got != tt.want {
			t.Errorf("%s: %s = %d, want %d", tt.name, tt.feature, got, tt.want)
		}
		if got := extract(nil); got != absent && tt.name != "said on the lead counts before the table" {
			t.Errorf("%s: %s = %d with nothing declared", tt.name, tt.feature, got)
		}
	}
}

// TestMoneyOfAnotherCurrency: an amount that the playbook's points are not in is not known.
func TestMoneyOfAnotherCurrency(t *testing.T) {
	l := inquiry()
	var in scoring.Inputs
	for currency, want := range map[string]int32{"EUR": 45_990, "USD": absent, "": 45_990} {
		scoring.Extract(l, nil, decided, scoring.Facts{Currency: currency}, &in)
		if got := in.Values[scoring.FeatureVehiclePrice]; got != want {
			t.Errorf("%q: %d, want %d", currency, got, want)
		}
	}
}

// TestVINTellsTheYear: a car of which only a North American VIN is known has the age of its model year.
func TestVINTellsTheYear(t *testing.T) {
	const american = "5ZNLM5E26PK301188" // P: 2023
	k, problems := catalogue.Compile(catalogue.Definition{
		Brands: []catalogue.Brand{{Code: "N", Makes: []string{"N"}}}, Models: []catalogue.Model{{Code: "I5", Make: "N", ListPrice: eur(50_000)}},
		Residuals: []catalogue.Residual{{Name: "all", Years: 1, Distances: []int32{0, 100_000_000}, Rows: []catalogue.ResidualRow{
			{Days: 0, Shares: []int32{1_000_000, 0}}, {Days: 10_000, Shares: []int32{0, 0}}}}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	age := int32(decided.Sub(time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)).Hours() / 24)
	var in scoring.Inputs
	scoring.Extract(lives("", lead.Vehicle{Role: lead.VehicleRoleTraded, ModelCode: "I5", VIN: american, Odometer: -1, Payoff: lead.Money{Currency: "EUR"}}), nil, decided, scoring.Facts{Catalogue: k}, &in)
	if want := 50_000 - 5*age; in.Values[scoring.FeatureEquity] != want {
		t.Errorf("worth %d, want %d", in.Values[scoring.FeatureEquity], want)
	}
}
