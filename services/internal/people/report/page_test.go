package report_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/chart/charttest"
	"github.com/leadmesh/leadmesh/services/internal/people/report"
)

var keep = flag.String("keep", "", "write the page to this file, to look at it")

// evil is a value that would end every kind of place it may stand in.
const evil = `</td></svg><script>alert("x")</script>'"&` + "`" + `${1}{{.}}]]>-->`

func page() *report.Page {
	reasons := []report.Level{
		{Words: "how likely any two records are one person", Bits: -13.2}, {Words: "same e-mail address", Bits: 14.1},
		{Words: "same date of birth", Bits: 9.3}, {Words: "given name is a short form", Bits: 4.2}, {Words: "other family name " + evil, Bits: -6.4},
	}
	p := &report.Page{
		Title: "People in " + evil, Threshold: "90 %", Review: "10 %", MatchBits: 3.17, ViewBits: -3.17, Learned: "Learned.", Revision: "0123456789ab", More: 17,
		Figures: []report.Figure{{"1,000", "rows read", ""}, {"741", "persons", "clusters; the largest has 5 rows"}, {"259", "duplicates", evil}},
		Lists: []report.List{{Name: evil, How: "1,000 rows", Columns: []report.Column{
			{"first_name", "given name", "83 %", ""}, {evil, "", "100 %", evil}}}},
		Fields: []report.Field{
			{Name: "E-mail", Levels: []report.Level{{"same e-mail address", 14.1}, {"e-mail address is a typing error apart", 11}, {"other e-mail address", -2.3}}},
			{Name: "Date of birth", Levels: []report.Level{{"same date of birth", 9.3}, {"same date of birth with day and month swapped", 7}, {"other date of birth", -6.1}}},
		},
		Pairs: []report.Pair{
			{Kind: "Just sure enough", Verdict: "same", Probability: "99 %", Bits: 8, Left: evil, Right: "2", Reasons: reasons,
				Facts: []report.Fact{{"given name", "Robert", "Bob", false}, {"family name", "Allen", evil, false}, {"date of birth", "1971-06-24", "1971-06-24", true}}},
			{Kind: "Not quite sure", Verdict: "review", Probability: "40 %", Bits: 8, Left: "17", Right: "23", Reasons: reasons, Conflicts: []string{"Contradiction: " + evil}},
		},
		Clusters: []report.Cluster{{ID: evil, Size: 9, Header: []string{"row", evil}, Rows: [][]string{{"1", evil}, {"2", "Allen"}}}},
		Blocking: report.Blocking{Compared: "9,293", Possible: "499,500", Common: "3", Lost: "0.2 %", Passes: []report.Pass{{"e-mail", "300", "0", "412", "250"}, {evil, "1", "2", "3", "4"}}},
	}
	for i := -40; i < 40; i++ {
		p.Weights = append(p.Weights, report.Bin{From: i, Pairs: max(0, 40000/(1+(i+20)*(i+20))-60) + max(0, 200-(i-18)*(i-18)*4)})
	}
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
	for _, want := range []string{"personal data", "741", "Just sure enough", "Allen", "same e-mail address", "499,500", "−13.2", "+14.1", "17 more clusters", "and 7 more"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(html, "<svg"); n != 2+2+2 {
		t.Errorf("%d pictures, want a histogram broad and slim, two fields and two waterfalls", n)
	}
	charttest.WellFormed(t, html)
	charttest.Themed(t, html)
}

// The page holds other people's data: none of it may become markup, and nothing is fetched.
func TestNothingGetsOut(t *testing.T) {
	var b bytes.Buffer
	if err := report.Write(&b, page()); err != nil {
		t.Fatal(err)
	}
	charttest.Sealed(t, b.String())
	if !strings.Contains(b.String(), "default-src 'none'") {
		t.Error("the page does not forbid to fetch anything")
	}
}

func TestEmpty(t *testing.T) {
	if err := report.Write(io.Discard, &report.Page{Title: "People in nothing"}); err != nil {
		t.Fatal(err)
	}
}
