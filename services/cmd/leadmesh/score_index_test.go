package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

func TestPrintBeside(t *testing.T) {
	usd := func(minor int64) *leadv1.Money { return &leadv1.Money{Minor: minor, Currency: "USD"} }
	var out bytes.Buffer
	printBeside(&out, &leadv1.Score{
		NextLine: &leadv1.NextLine{Line: leadv1.Line_LINE_RENEWAL, Points: 6250, ProbabilityPpm: 410_000, ExpectedValue: usd(106_650), Reasons: []string{"lease ends in 74 days", "asked for a quote", "left a phone number"}},
		Indices: []*leadv1.IndexScore{
			{Label: "EV readiness", Points: 4550, Band: "curious", ProbabilityPpm: 250_000, ProbabilityInterval: &leadv1.ProbabilityInterval{LowPpm: 150_000, HighPpm: 370_000}, Reasons: []string{"charges a car at home"}},
			{Label: "Customer value", Points: 6200, Band: "high", Months: 36, ExpectedRevenue: usd(2_750_050), RevenueInterval: &leadv1.RevenueInterval{Low: usd(420_000), High: usd(7_700_000)}},
			{Label: "Customer value", Points: 10, Months: 36, ExpectedRevenue: &leadv1.Money{Minor: 90_000, Currency: "JPY"}},
		},
	})
	const want = `next line: RENEWAL, 62.5 points, 41 %, worth 1,067 USD: lease ends in 74 days, asked for a quote
beside the line
  EV readiness    45.5  curious  25 %, 15 % to 37 %
                                   charges a car at home
  Customer value    62  high     27,501 USD within 36 months, 4,200 USD to 77,000 USD
  Customer value   0.1           90,000 JPY within 36 months
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	printBeside(&out, &leadv1.Score{})
	if out.Len() > 0 {
		t.Errorf("of nothing it says %q", out.String())
	}
}
