package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/console"
)

// printBeside writes what a score says beside its line: the other line most worth talking about, and
// the indices.
func printBeside(out io.Writer, s *leadv1.Score) {
	if n := s.GetNextLine(); n != nil {
		fmt.Fprintf(out, "next line: %s, %s points, %s, worth %s: %s\n", lineWord(n.GetLine()), points(n.GetPoints()), share(n.GetProbabilityPpm()),
			amount(n.GetExpectedValue()), strings.Join(n.GetReasons()[:min(2, len(n.GetReasons()))], ", "))
	}
	if len(s.GetIndices()) == 0 {
		return
	}
	fmt.Fprintln(out, "beside the line")
	var rows [][]string
	for _, x := range s.GetIndices() {
		rows = append(rows, []string{x.GetLabel(), points(x.GetPoints()), x.GetBand(), meant(x)})
		for _, reason := range x.GetReasons()[:min(3, len(x.GetReasons()))] {
			rows = append(rows, []string{"", "", "", "  " + reason})
		}
	}
	console.Table(out, rows, 1)
}

// meant is what the points of an index mean.
func meant(x *leadv1.IndexScore) string {
	if r := x.GetExpectedRevenue(); r != nil {
		text := fmt.Sprintf("%s within %d months", amount(r), x.GetMonths())
		if i := x.GetRevenueInterval(); i != nil {
			text += fmt.Sprintf(", %s to %s", amount(i.GetLow()), amount(i.GetHigh()))
		}
		return text
	}
	text := share(x.GetProbabilityPpm())
	if i := x.GetProbabilityInterval(); i != nil {
		text += fmt.Sprintf(", %s to %s", share(i.GetLowPpm()), share(i.GetHighPpm()))
	}
	return text
}

// amount writes money in whole units: 27,500 USD.
func amount(m *leadv1.Money) string {
	unit := int64(1)
	decimals, _ := lead.CurrencyExponent(m.GetCurrency())
	for range decimals {
		unit *= 10
	}
	return console.Count(int((m.GetMinor()+unit/2)/unit)) + " " + m.GetCurrency()
}
