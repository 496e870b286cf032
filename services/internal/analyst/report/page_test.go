package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/analyst/report"
	"github.com/leadmesh/leadmesh/services/internal/chart/charttest"
)

var keep = flag.String("keep", "", "write the page to this file, to look at it")

// evil is a value that would end every kind of place it may stand in.
const evil = `</td></svg><script>alert("x")</script>'"&` + "`" + `${1}{{.}}]]>-->`

func page() *report.Page {
	below := func(v float64) *float64 { return &v }
	p := &report.Page{
		Title: "What decides " + evil, Lead: "Learned.", Source: "leads.csv: 6,468 rows", Revision: "0123456789ab",
		Figures:  []report.Figure{{"6,468", "rows", "2,390 won, 37 %"}, {"0.882", "AUC", evil}, {"0.012", "calibration error", ""}, {"17", "signals used", "of 37 columns"}},
		Warnings: []report.Warning{{Title: "Suspected leaks", Words: "Leave it out:", Items: []string{"Tags: alone 0.97", evil}, Command: "--exclude " + evil, Grave: true}, {Title: "Drift", Words: evil}},
		Columns:  []report.Column{{"Lead Source", "category", "21", "0.4 %", "signal", "", true}, {evil, "text", "500", "0 %", "held back", evil, false}},
		Held:     []report.Held{{"Age", "is denied: age", ""}, {evil, evil, "0.97"}}, Drift: []report.Drift{{"Country", "PSI 0.41", "runs away", "held back"}},
		Split:  report.Split{Words: "The newest 20 % were kept back.", Ordered: true},
		Notes:  []string{"No --time was given."},
		Tables: []report.Table{{Title: "By brand " + evil, Words: evil, Head: []string{"brand", "rows"}, Rows: [][]string{{evil, "12"}, {"NORRVIND", "3"}}}},
	}
	s := report.Signal{Name: "Total Time Spent on Website", Number: true, Importance: 14.2, Words: "More is better."}
	for i := range 24 {
		b := report.Bin{Points: 22 * math.Tanh(float64(i-9)/7), Error: 0.5 + math.Abs(float64(i-12))/5, Rows: 100 + 17*i%60}
		if i < 23 {
			b.Below = below(float64(i) * 87.5)
		}
		s.Bins = append(s.Bins, b)
	}
	s.Bins = append(s.Bins, report.Bin{Missing: true, Points: -6, Error: 2, Rows: 40})
	c := report.Signal{Name: "Lead Source " + evil, Importance: 5}
	for i := range 20 {
		c.Bins = append(c.Bins, report.Bin{Words: fmt.Sprintf("Source number %d with a long name, Other source", i), Points: float64(i%9) - 4, Error: 1, Rows: 50 * (20 - i)})
	}
	flat := report.Signal{Name: "Flat", Number: true, Importance: 0.1, Bins: []report.Bin{{Below: below(0.5), Rows: 5}, {Points: 0.1, Error: 0.1, Rows: 9}}}
	p.Signals = []report.Signal{s, c, flat, {Name: "Nothing"}}
	p.Pairs = []report.Pair{{First: "Total Time Spent on Website", Second: "Lead Origin", Rows: []string{"below 100", "100 to 500", "500 up"}, Columns: []string{"API", "Form", "Landing Page Submission"},
		Points: [][]float64{{1, -2, 0}, {3.2, -0.4, 0.1}, {-4, 2, 1}}, Counts: [][]int{{100, 2000, 0}, {30, 20, 10}, {1, 2, 3}}}}
	q := report.Quality{Words: "On the newest rows.", Base: 0.37, Compared: []report.Compared{{"points table", "0.882", "0.41", "0.13", "0.012"}, {"logistic regression", "0.872", "0.43", "0.14", "0.02"}}}
	for i := range 10 {
		v := float64(i) + 0.5
		q.Reliability = append(q.Reliability, report.Reliability{Predicted: v / 10, Won: v/10 + 0.02*float64(i%3-1), Low: v/10 - 0.05, High: v/10 + 0.05, Rows: 100})
		q.Lift = append(q.Lift, report.Lift{Words: fmt.Sprintf("tenth %d", i+1), Rows: 129, Won: 110 - 11*i, Share: 0.9 - 0.09*float64(i), Lift: 2.4 - 0.24*float64(i), All: min(1, 0.24*float64(i+1))})
		q.Gain = append(q.Gain, report.Point{X: float64(i+1) / 10, Y: math.Sqrt(float64(i+1) / 10)})
		p.Split.Periods = append(p.Split.Periods, report.Period{Rows: 600, Share: 0.3 + 0.02*float64(i), Part: report.Part(i / 8), Until: fmt.Sprintf("2026-%02d-01", i+1)})
	}
	p.Quality = q
	return p
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	if err := report.Write(&b, page()); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	if *keep != "" {
		if err := os.WriteFile(*keep, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"6,468", "Tags: alone 0.97", "Total Time Spent on Website", "logistic regression", "is denied: age", "PSI 0.41", "No --time was given.", "2.4×"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(html, "<svg"); n != 2+3+2+4+1 {
		t.Errorf("%d pictures, want importance (for wide and narrow), three curves, the timeline (for both), four signals and a pair", n)
	}
	charttest.WellFormed(t, html)
}

func TestColoursFollowTheTheme(t *testing.T) {
	var b bytes.Buffer
	if err := report.Write(&b, page()); err != nil {
		t.Fatal(err)
	}
	charttest.Themed(t, b.String())
}

// The page holds other people's data: none of it may become markup, and nothing is fetched.
func TestNothingGetsOut(t *testing.T) {
	var b bytes.Buffer
	if err := report.Write(&b, page()); err != nil {
		t.Fatal(err)
	}
	charttest.Sealed(t, b.String())
}

func TestEmpty(t *testing.T) {
	if err := report.Write(io.Discard, &report.Page{Title: "Nothing"}); err != nil {
		t.Fatal(err)
	}
}
