package lead_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
)

func TestParseMoney(t *testing.T) {
	tests := []struct {
		text, assumed string
		minor         int64
		currency      string
	}{
		{"$12,500.00", "USD", 1250000, "USD"},
		{"$12,500", "CAD", 1250000, "CAD"},
		{"$12,500", "EUR", 1250000, "USD"},
		{"12.500,00 €", "USD", 1250000, "EUR"},
		{"12.500 €", "EUR", 1250000, "EUR"},
		{"12 500,50 €", "EUR", 1250050, "EUR"},
		{"12\u00a0500,50\u00a0€", "EUR", 1250050, "EUR"},
		{"CHF 1'200.50", "EUR", 120050, "CHF"},
		{"CAD 30k", "USD", 3000000, "CAD"},
		{"30K", "USD", 3000000, "USD"},
		{"2.5k", "USD", 250000, "USD"},
		{"1460.99", "CAD", 146099, "CAD"},
		{"1460.999", "CAD", 146099900, "CAD"},
		{"1460.9999", "CAD", 146100, "CAD"},
		{"0.500", "USD", 50, "USD"},
		{"¥1,500,000", "USD", 1500000, "JPY"},
		{"1.234", "KWD", 1234, "KWD"},
		{"KWD 12.5", "USD", 12500, "KWD"},
		{"₹12,34,567.00", "USD", 123456700, "INR"},
		{"£9,995 ono", "GBP", 0, ""},
		{"9995 GBP", "USD", 999500, "GBP"},
		{"15.000,-", "EUR", 1500000, "EUR"},
		{"$300/month", "USD", 30000, "USD"},
		{"299 € monatlich", "EUR", 29900, "EUR"},
		{"(500)", "USD", -50000, "USD"},
		{"-500", "USD", -50000, "USD"},
		{"US$ 900", "CAD", 90000, "USD"},
		{"C$900", "USD", 90000, "CAD"},
		{"15 tsd. €", "EUR", 1500000, "EUR"},
		{"20,000-25,000", "USD", 0, ""},
		{"20,000 to 25,000", "USD", 0, ""},
		{"{price}", "USD", 0, ""},
		{"call us", "USD", 0, ""},
		{"999999999999999999999", "USD", 0, ""},
		{"1,2,3", "USD", 0, ""},
		{"", "USD", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.text+"/"+tt.assumed, func(t *testing.T) {
			got, ok := lead.ParseMoney(tt.text, tt.assumed)
			if got.Minor != tt.minor || got.Currency != tt.currency || ok != (tt.currency != "") {
				t.Errorf("ParseMoney(%q, %q) = %+v %v, want %d %q", tt.text, tt.assumed, got, ok, tt.minor, tt.currency)
			}
		})
	}
}

func TestParseOdometer(t *testing.T) {
	tests := []struct {
		text string
		want int64
		unit lead.OdometerUnit
	}{
		{"42,000 km", 42000, lead.OdometerUnitKM},
		{"65k miles", 65000, lead.OdometerUnitMI},
		{"65.5k", 65500, lead.OdometerUnitMI},
		{"120.000 km", 120000, lead.OdometerUnitKM},
		{"120 tkm", 120000, lead.OdometerUnitKM},
		{"42 000", 42000, lead.OdometerUnitMI},
		{"123", 123, lead.OdometerUnitMI},
		{"42000.5", 42001, lead.OdometerUnitMI},
		{"about 80,000mi", 80000, lead.OdometerUnitMI},
		{"0", 0, lead.OdometerUnitMI},
		{"50-60k", -1, lead.OdometerUnitMI},
		{"low", -1, lead.OdometerUnitMI},
		{"99999999999", -1, lead.OdometerUnitMI},
		{"", -1, lead.OdometerUnitMI},
	}
	for _, tt := range tests {
		got, unit, ok := lead.ParseOdometer(tt.text, lead.OdometerUnitMI)
		if got != tt.want || unit != tt.unit || ok != (tt.want >= 0) {
			t.Errorf("ParseOdometer(%q) = %d %v %v, want %d %v", tt.text, got, unit, ok, tt.want, tt.unit)
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"$12,500.00", "12.500,00 €", "CAD 30k", "1'200 CHF", "-5", "(5)", ".5", "1.2.3,4", "9e9", "¥", "k", "12’500", "1\u202f000"} {
		f.Add(s, "USD")
		f.Add(s, "KWD")
		f.Add(s, "JPY")
	}
	f.Fuzz(func(t *testing.T, text, currency string) {
		m, ok := lead.ParseMoney(text, currency)
		if !ok && m != (lead.Money{}) {
			t.Fatalf("%q: %+v", text, m)
		}
		if m.Minor > 1e15 || m.Minor < -1e15 {
			t.Fatalf("%q: %+v", text, m)
		}
	})
}

func FuzzParseOdometer(f *testing.F) {
	for _, s := range []string{"42,000 km", "65k miles", "120 tkm", "1..2", ",", "-5 km"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, _, ok := lead.ParseOdometer(text, lead.OdometerUnitKM)
		if ok != (n >= 0) || n > 9_999_999 {
			t.Fatalf("%q: %d %v", text, n, ok)
		}
	})
}
