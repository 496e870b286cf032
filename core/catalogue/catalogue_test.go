package catalogue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/lead"
)

const vin = "5ZA00000000000001"

func usd(whole int64) lead.Money { return lead.Money{Minor: whole * 100, Currency: "USD"} }

func day(s string) int64 {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

// definition is of a maker with two brands.
func definition() catalogue.Definition {
	return catalogue.Definition{
		Market: "US",
		Brands: []catalogue.Brand{{Code: "ACME", Makes: []string{"Acme"}}, {Code: "BRIO", Makes: []string{"Brio", "Brio Cars"}}},
		WMI:    map[string]string{"5ZA": "Acme"},
		Models: []catalogue.Model{
			{Code: "A1", Make: "Acme", Powertrain: lead.PowertrainCombustion, ListPrice: usd(30_000), Next: "A2"},
			{Code: "A2", Make: "Acme", Powertrain: lead.PowertrainElectric, ListPrice: usd(50_000)},
			{Code: "A3", Make: "Acme", Service: catalogue.Service{Metres: 8_000_000}, Residual: "vans", ListPrice: usd(40_000)},
			{Code: "B1", Make: "Brio", Powertrain: lead.PowertrainHybrid},
		},
		Services: []catalogue.ServiceRule{
			{Scope: catalogue.Scope{Powertrain: lead.PowertrainElectric}, Service: catalogue.Service{Days: 730}},
			{Scope: catalogue.Scope{Brand: "ACME"}, Service: catalogue.Service{Days: 365, Metres: 15_000_000}},
		},
		Residuals: []catalogue.Residual{
			{Name: "cars", Years: 20_000_000, Distances: []int32{0, 40_000_000, 100_000_000}, Rows: []catalogue.ResidualRow{
				{Days: 365, Shares: []int32{800_000, 700_000, 550_000}}, {Days: 1095, Shares: []int32{600_000, 500_000, 400_000}}}},
			{Name: "vans", Distances: []int32{10_000_000}, Rows: []catalogue.ResidualRow{{Days: 0, Shares: []int32{900_000}}, {Days: 1000, Shares: []int32{400_000}}}},
		},
		Offers: []catalogue.Offer{
			{Model: "A2", Monthly: usd(500)},
			{Model: "A2", Monthly: usd(450), Days: catalogue.Days{From: day("2026-03-01"), Until: day("2026-04-01")}},
			{Model: "A2", Monthly: lead.Money{Minor: 60_000, Currency: "CAD"}, Market: "CA"},
		},
		Incentives: []catalogue.Incentive{
			{Country: "US", Regions: []string{"CO", "WA"}, Powertrains: []lead.Powertrain{lead.PowertrainElectric}, Buyers: catalogue.BuyersPrivate, PriceCap: usd(50_000)},
			{Country: "US", Models: []string{"A3"}, Buyers: catalogue.BuyersFleet},
			{Country: "CA", Days: catalogue.Days{Until: day("2026-01-01")}},
		},
		Chargers: []catalogue.Chargers{{Country: "US", Prefix: "8", Count: 3}, {Country: "US", Prefix: "802", Count: 120}, {Country: "US", Prefix: "80205", Count: 0}, {Country: "GB", Prefix: "SW1A", Count: 9}},
	}
}

func compiled(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	c, problems := catalogue.Compile(definition())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func TestService(t *testing.T) {
	c := compiled(t)
	acme := catalogue.Service{Days: 365, Metres: 15_000_000}
	for _, tt := range []struct {
		name string
		d    catalogue.Description
		want catalogue.Service
		ok   bool
	}{
		{"its own", catalogue.Description{Code: "A3"}, catalogue.Service{Metres: 8_000_000}, true},
		{"of its powertrain, which comes first", catalogue.Description{Code: "A2"}, catalogue.Service{Days: 730}, true},
		{"of its brand", catalogue.Description{Code: "A1"}, acme, true},
		{"an unknown model of the brand", catalogue.Description{Code: "A9", Make: "Acme"}, acme, true},
		{"the make in capitals", catalogue.Description{Make: "ACME"}, acme, true},
		{"known by its VIN alone", catalogue.Description{VIN: vin}, acme, true},
		{"an electric one known by its VIN", catalogue.Description{VIN: vin, Powertrain: lead.PowertrainElectric}, catalogue.Service{Days: 730}, true},
		{"a brand without rule", catalogue.Description{Code: "B1"}, catalogue.Service{}, false},
		{"another maker's electric car", catalogue.Description{Make: "Ford", VIN: vin, Powertrain: lead.PowertrainElectric}, catalogue.Service{}, false},
		{"nothing known", catalogue.Description{}, catalogue.Service{}, false},
	} {
		got, ok := c.Service(c.Car(tt.d))
		if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
			t.Errorf("%s: %v\n%s", tt.name, ok, diff)
		}
	}
}

func TestWorth(t *testing.T) {
	c := compiled(t)
	for _, tt := range []struct {
		name     string
		code     string
		days, km int32
		want     int64 // minor units; -1: unknown
	}{
		{"at a corner", "A1", 365, 0, 2_400_000},
		{"between two distances", "A1", 365, 20_000, 2_250_000},
		{"between two ages", "A1", 730, 40_000, 1_800_000},
		{"between both", "A1", 730, 70_000, 1_612_500},
		{"at the far corner", "A1", 1095, 100_000, 1_200_000},
		{"a day younger than the table", "A1", 364, 0, -1},
		{"a day older than the table", "A1", 1096, 0, -1},
		{"a kilometre beyond the table", "A1", 365, 100_001, -1},
		{"nobody read the odometer: 20,000 km a year", "A1", 730, catalogue.Unread, 1_800_204},
		{"nobody read the odometer and no word of what it goes", "A3", 500, catalogue.Unread, -1},
		{"its own table", "A3", 500, 10_000, 2_600_000},
		{"a kilometre below its only column", "A3", 500, 9_999, -1},
		{"no list price", "B1", 500, 10_000, -1},
		{"no age", "A1", -1, 10_000, -1},
		{"no model", "A9", 500, 10_000, -1},
	} {
		want := lead.Money{}
		if tt.want >= 0 {
			want = lead.Money{Minor: tt.want, Currency: "USD"}
		}
		got, ok := c.Worth(c.Car(catalogue.Description{Code: tt.code}), tt.days, tt.km)
		if diff := cmp.Diff(want, got); diff != "" || ok != (tt.want >= 0) {
			t.Errorf("%s: %v\n%s", tt.name, ok, diff)
		}
	}
}

// TestWorthFalls: nowhere does a car gain by getting older or by being driven.
func TestWorthFalls(t *testing.T) {
	c := compiled(t)
	car := c.Car(catalogue.Description{Code: "A1"})
	for days := int32(365); days < 1095; days += 7 {
		for km := int32(0); km < 100_000; km += 1_777 {
			now, _ := c.Worth(car, days, km)
			older, _ := c.Worth(car, days+1, km)
			further, _ := c.Worth(car, days, km+1)
			if older.Minor > now.Minor || further.Minor > now.Minor {
				t.Fatalf("at %d days and %d km: %d, then %d and %d", days, km, now.Minor, older.Minor, further.Minor)
			}
		}
	}
}

func TestOffered(t *testing.T) {
	c := compiled(t)
	for _, tt := range []struct {
		name, code, market, currency string
		at                           int64
		want                         int64 // -1: none
	}{
		{"the cheaper of two", "A2", "US", "USD", day("2026-03-01"), 45_000},
		{"to its last second", "A2", "US", "USD", day("2026-04-01") - 1, 45_000},
		{"a second before its first", "A2", "US", "USD", day("2026-03-01") - 1, 50_000},
		{"over", "A2", "US", "USD", day("2026-04-01"), 50_000},
		{"no market said: the catalogue's", "A2", "", "USD", day("2026-04-01"), 50_000},
		{"another market's", "A2", "CA", "CAD", day("2026-04-01"), 60_000},
		{"another currency", "A2", "CA", "USD", day("2026-04-01"), -1},
		{"they pay nothing we know of", "A2", "US", "", day("2026-04-01"), -1},
		{"a model without offer", "A1", "US", "USD", day("2026-04-01"), -1},
		{"no model", "A9", "US", "USD", day("2026-04-01"), -1},
	} {
		got, ok := c.Offered(c.Car(catalogue.Description{Code: tt.code}), tt.market, tt.currency, tt.at)
		if ok != (tt.want >= 0) || ok && got.Minor != tt.want {
			t.Errorf("%s: %+v %v", tt.name, got, ok)
		}
	}
	next := c.Next(c.Car(catalogue.Description{Code: "A1"}))
	if got, ok := c.Offered(next, "US", "USD", day("2026-05-01")); !ok || got != usd(500) {
		t.Errorf("what follows an A1: %+v %v", got, ok)
	}
	if same := c.Car(catalogue.Description{Code: "A2"}); c.Next(same) != same {
		t.Error("without a successor it is the same again")
	}
}

func TestEligible(t *testing.T) {
	c := compiled(t)
	electric, van := c.Car(catalogue.Description{Code: "A2"}), c.Car(catalogue.Description{Code: "A3"})
	unknown := catalogue.Car{Powertrain: lead.PowertrainElectric}
	for _, tt := range []struct {
		name         string
		p            catalogue.Purchase
		eligible, ok bool
	}{
		{"at the cap", catalogue.Purchase{Car: electric, Country: "US", Region: "CO"}, true, true},
		{"a cent above the cap", catalogue.Purchase{Car: electric, Country: "US", Region: "CO", Price: lead.Money{Minor: 5_000_001, Currency: "USD"}}, false, true},
		{"priced in another currency", catalogue.Purchase{Car: electric, Country: "US", Region: "CO", Price: lead.Money{Minor: 1, Currency: "CAD"}}, false, false},
		{"an electric car of no known price", catalogue.Purchase{Car: unknown, Country: "US", Region: "CO"}, false, false},
		{"its price is on the lead", catalogue.Purchase{Car: unknown, Country: "US", Region: "CO", Price: usd(40_000)}, true, true},
		{"a fleet", catalogue.Purchase{Car: electric, Country: "US", Region: "CO", Fleet: true}, false, true},
		{"another region", catalogue.Purchase{Car: electric, Country: "US", Region: "TX"}, false, true},
		{"no region known", catalogue.Purchase{Car: electric, Country: "US"}, false, false},
		{"no powertrain known", catalogue.Purchase{Car: catalogue.Car{}, Country: "US", Region: "CO"}, false, false},
		{"another powertrain", catalogue.Purchase{Car: c.Car(catalogue.Description{Code: "A1"}), Country: "US", Region: "CO"}, false, true},
		{"a fleet's van", catalogue.Purchase{Car: van, Country: "US", Fleet: true}, true, true},
		{"to its last second", catalogue.Purchase{Car: van, Country: "CA", At: day("2026-01-01") - 1}, true, true},
		{"over", catalogue.Purchase{Car: van, Country: "CA", At: day("2026-01-01")}, false, true},
		{"a country nobody speaks of", catalogue.Purchase{Car: electric, Country: "DE", Region: "CO"}, false, false},
	} {
		p := tt.p
		if eligible, ok := c.Eligible(&p); eligible != tt.eligible || ok != tt.ok {
			t.Errorf("%s: %v %v", tt.name, eligible, ok)
		}
	}
}

func TestChargersNear(t *testing.T) {
	c := compiled(t)
	for _, tt := range []struct {
		country, postal string
		want            int32 // -1: unknown
	}{
		{"US", "80205", 0}, {"US", "80206", 120}, {"US", "81001", 3}, {"US", "802", 120}, {"US", "8", 3},
		{"US", "90001", -1}, {"US", "", -1}, {"DE", "80205", -1}, {"", "80205", -1}, {"GB", "SW1A 1AA", 9}, {"GB", "SW1", -1},
	} {
		if got, ok := c.ChargersNear(tt.country, tt.postal); ok != (tt.want >= 0) || ok && got != tt.want {
			t.Errorf("%s %s: %d %v", tt.country, tt.postal, got, ok)
		}
	}
}

// TestNothingDeclared: a maker who declares nothing, and none at all, know nothing.
func TestNothingDeclared(t *testing.T) {
	empty, problems := catalogue.Compile(catalogue.Definition{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for name, c := range map[string]*catalogue.Catalogue{"empty": empty, "nil": nil} {
		car := c.Car(catalogue.Description{Code: "A1", Make: "Acme", VIN: vin, Powertrain: lead.PowertrainElectric})
		_, service := c.Service(car)
		_, worth := c.Worth(car, 400, 100)
		_, offered := c.Offered(c.Next(car), "US", "USD", 0)
		_, incentive := c.Eligible(&catalogue.Purchase{Car: car, Country: "US"})
		_, chargers := c.ChargersNear("US", "80205")
		if service || worth || offered || incentive || chargers || car.Known() || car.Powertrain != lead.PowertrainElectric {
			t.Errorf("%s: %v %v %v %v %v %+v", name, service, worth, offered, incentive, chargers, car)
		}
	}
}

func TestCompileNamesEveryProblem(t *testing.T) {
	d := definition()
	d.Models[0].Next, d.Models[1].Residual = "A9", "boats"
	d.Services[1].Brand = "CORD"
	d.Services = append(d.Services, catalogue.ServiceRule{})
	d.Residuals[0].Rows[1].Shares = []int32{900_000, 500_000}
	d.Residuals[1].Name = "cars"
	d.Offers[0].Monthly.Minor = 0
	d.Offers[1].Until = d.Offers[1].From
	d.Incentives[1].Models = []string{"A3", "A8"}
	d.Chargers = append(d.Chargers, d.Chargers[1])
	c, problems := catalogue.Compile(d)
	var got []string
	for _, p := range problems {
		got = append(got, p.Path)
		if strings.TrimSpace(p.Message) == "" {
			t.Errorf("%s has no remedy", p.Path)
		}
	}
	want := []string{
		"catalogue.residuals[0].rows[1].shares", "catalogue.residuals[1].name", "catalogue.models[0].next", "catalogue.models[1].residual",
		"catalogue.models[2].residual", "catalogue.services[1].brand", "catalogue.services[2]", "offers.offers[0].monthly",
		"offers.offers[1].until", "incentives.incentives[1].models", "chargers[4]",
	}
	if diff := cmp.Diff(want, got); diff != "" || c != nil {
		t.Error(diff)
	}
}

func TestAskingAllocatesNothing(t *testing.T) {
	c := compiled(t)
	if n := testing.AllocsPerRun(100, func() {
		car := c.Car(catalogue.Description{Code: "A1", VIN: vin})
		c.Service(car)
		c.Worth(car, 700, 50_000)
		c.Offered(c.Next(car), "US", "USD", day("2026-03-01"))
		c.Eligible(&catalogue.Purchase{Car: car, Country: "US", Region: "CO"})
		c.ChargersNear("US", "80299")
	}); n != 0 {
		t.Errorf("asking allocates %g times", n)
	}
}
