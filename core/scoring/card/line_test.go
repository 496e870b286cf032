package card_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

const leads = `target:
  line: SALES
base: 20
rows:
  - feature: visit_days
    kind: number
    group: LIFE_CYCLE
    bins:
      - {below: 30.5, points: 12}
      - {below: 30.7, points: 99}
      - {below: 365, points: 4, label: "was here within a year"}
      - {else: yes, missing: yes, points: -3}
  - feature: request_type
    kind: category
    bins:
      - {values: [QUOTE, TEST_DRIVE], points: 25}
      - {values: [BROCHURE], missing: yes, points: -5}
      - {else: yes, points: 1}
  - feature: page_view.count
    kind: number
    bins:
      - {below: 500, points: 0}
      - {else: yes, points: 20}
groups:
  LIFE_CYCLE: {max: 10}
cap: {max: 60}
calibration:
  - {points: 0, chance: 1 %}
  - {points: 50, chance: 20 %}
  - {points: 100, chance: 60 %}
pairs:
  - first:
      feature: "visit_days"
      kind: number
      parts: [{below: 30.2}, {below: 30.7, missing: yes}, {below: 364.5}, {else: yes}]
    second:
      feature: "request_type"
      kind: category
      parts: [{values: [QUOTE]}, {values: [BROCHURE, CONTACT]}, {else: yes, missing: yes}]
    group: "LIFE_CYCLE"
    points: [[1, 2, 3], [-9, 8, 7], [4, -5, 6], [-7, 8, 0.5]]
    error: [[1, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 3]]
  - first:
      feature: "page_view.count"
      kind: number
      parts: [{below: 500}, {else: yes}]
    second:
      feature: "request_type"
      kind: category
      parts: [{values: [TEST_DRIVE]}, {else: yes}]
    points: [[11, -1], [5, 2]]
`

// A card over features of leads gives a lead the same points and chance whether it is applied to a
// table or scores a line.
func TestLineScoresAsTheCard(t *testing.T) {
	t.Run("written", func(t *testing.T) { scoresAlike(t, leads, false) })
	t.Run("without the group", func(t *testing.T) { scoresAlike(t, strings.Replace(leads, "    group: LIFE_CYCLE\n", "", 1), false) })
	learned := strings.NewReplacer("base: 20\n", "base: 20\nbase_error: 0.5\n", "points: 12}", "points: 12, error: 2}", "points: 25}", "points: 25, error: 4.5}",
		"points: 20}", "points: 20, error: 1}", "chance: 1 %", "chance: 1 %, low: 0.5 %, high: 2 %", "chance: 20 %", "chance: 20 %, low: 18 %, high: 25 %",
		"chance: 60 %", "chance: 60 %, low: 30 %, high: 61 %").Replace(leads)
	t.Run("learned", func(t *testing.T) { scoresAlike(t, learned, true) })
}

func scoresAlike(t *testing.T, text string, learned bool) {
	t.Helper()
	c, l, problems := card.ParseLine([]byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	model, wrong := scoring.Compile(scoring.Definition{Lines: map[string]scoring.Line{"SALES": l}})
	if model == nil {
		t.Fatal(wrong)
	}
	scorer, problems := card.Compile(c)
	if scorer == nil {
		t.Fatal(problems)
	}
	types := scoring.FeatureRequestType.Values()
	cases := 0
	for _, days := range []int32{scoring.Missing, -1, 0, 30, 31, 364, 365, 9000} {
		for code := -1; code < len(types); code++ {
			for _, views := range []int32{0, 499, 500, 10000} {
				var in scoring.Inputs
				in.Reset()
				in.Values[scoring.FeatureVisitDays], in.Values[scoring.FeaturePageViewCount] = days, views
				in.Values[scoring.FeatureRequestType] = scoring.Missing
				kind, visit := "", ""
				if code >= 0 {
					in.Values[scoring.FeatureRequestType], kind = int32(code)+1, types[code]
				}
				if days != scoring.Missing {
					visit = fmt.Sprint(days)
				}
				var res scoring.Result
				model.Score(&in, &res)
				b, err := scorer.Bind(leadFrame(visit, kind, fmt.Sprint(views)))
				if err != nil {
					t.Fatal(err)
				}
				got := b.Score(0)
				if got.Points != res.Points[lead.LineSales] || got.PPM != res.Probability[lead.LineSales] {
					t.Errorf("%q %q %d: the card gives %d points and %d ppm, the line %d and %d", visit, kind, views, got.Points, got.PPM,
						res.Points[lead.LineSales], res.Probability[lead.LineSales])
				}
				if i := model.Interval(&res, lead.LineSales); (got.LowPPM != i.Low || got.HighPPM != i.High) == learned || (i.PriorLeads == 0) != learned {
					t.Errorf("%q %q %d: the card says %d to %d, the line %+v", visit, kind, views, got.LowPPM, got.HighPPM, i)
				}
				said := map[string]int32{}
				for _, reason := range model.Explain(&in, &res, lead.LineSales, 9) {
					said[reason.Label] = reason.Points
				}
				for _, reason := range b.Reasons(0, 9) {
					label := reason.Text[:strings.LastIndex(reason.Text, ": ")]
					if p, ok := said[label]; !ok || p != reason.Points {
						t.Errorf("%q %q %d: the card says %s of %d points, the line %v", visit, kind, views, label, reason.Points, said)
					}
				}
				cases++
			}
		}
	}
	if cases < 100 {
		t.Errorf("%d cases", cases)
	}
}

func TestLineRefusesWhatLeadsDoNotHave(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"a denied column", "feature: visit_days", "feature: Sex", `5:5: rows[0].feature: leads have no feature "Sex"; take one that a scorecard of the playbook uses`},
		{"an age", "feature: visit_days", "feature: age", `5:5: rows[0].feature: leads have no feature "age"`},
		{"another kind", "feature: request_type\n    kind: category", "feature: odometer_km\n    kind: category", "14:5: rows[1].kind: of leads odometer_km is a number"},
		{"another group", "group: LIFE_CYCLE", "group: VALUE", "7:5: rows[0].group: of leads visit_days belongs to LIFE_CYCLE"},
		{"an unknown group", "  LIFE_CYCLE: {max: 10}", "  MINE: {max: 10}", "25:9: groups.MINE: leads have no such group"},
		{"an unknown value", "QUOTE, TEST_DRIVE", "QUOTE, TEST_DRIFE", `16:10: rows[1].bins[0].values: request_type has no value "TEST_DRIFE"`},
		{"out of range", "below: 365,", "below: 3650000000000,", "rows[0].bins[2].below: is out of the range"},
		{"a mistake of any card", "base: 20", "base: 20\nbaze: 3", "4:1: "},
	} {
		if n := strings.Count(leads, c.from); n != 1 {
			t.Fatalf("%s: %d times in the card", c.name, n)
		}
		_, _, problems := card.ParseLine([]byte(strings.Replace(leads, c.from, c.to, 1)))
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, problems, c.want)
		}
	}
	c := course()
	if len(c.Pairs) == 0 {
		t.Fatal("the course's card has no pairs")
	}
	c.Rows, c.Groups = nil, nil
	_, problems := c.Line()
	for i, want := range []string{"pairs[0].group: leads have no such group", "pairs[0].first.feature: leads have no feature", "pairs[0].second.feature: leads have no feature"} {
		if len(problems) != 3 || !strings.HasPrefix(problems[i].Error(), want) {
			t.Errorf("pairs: %v, want %s", problems, want)
		}
	}
}

func p64(v int64) *int64 { return &v }

// leadFrame is a table of one lead.
func leadFrame(visit, kind, views string) *frame.Frame {
	number := func(name, v string) frame.Column {
		c := frame.Column{Name: name, Kind: frame.Number, Numbers: []float64{0}}
		if _, err := fmt.Sscan(v, &c.Numbers[0]); err != nil {
			c.Numbers[0] = math.NaN()
		}
		return c
	}
	category := frame.Column{Name: "request_type", Kind: frame.Category, Codes: []int32{0}, Values: []string{kind}}
	if kind == "" {
		category.Codes, category.Values = []int32{-1}, nil
	}
	return &frame.Frame{Rows: 1, Columns: []frame.Column{number("visit_days", visit), category, number("page_view.count", views)}}
}

func TestLineKeepsTheRest(t *testing.T) {
	_, l, problems := card.ParseLine([]byte(leads))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	ten, sixty := int32(1000), int32(6000)
	want := scoring.Line{
		Base: 2000, Groups: map[string]scoring.Cap{"LIFE_CYCLE": {Max: &ten}}, Cap: scoring.Cap{Max: &sixty},
		Calibration: []scoring.Knot{{Points: 0, PPM: 10_000}, {Points: 5000, PPM: 200_000}, {Points: 10000, PPM: 600_000}},
	}
	// Below 30.2 and below 30.7 are both below 31: of the second only what is missing is left.
	visits := scoring.Side{Feature: "visit_days", Parts: []scoring.Part{{Below: p64(31)}, {Missing: true}, {Below: p64(365)}, {}}}
	if diff := cmp.Diff(visits, l.Pairs[0].First); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]int32{{100, 200, 300, 300}, {-900, 800, 700, 700}, {400, -500, 600, 600}, {-700, 800, 50, 50}}, l.Pairs[0].Points); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]int32{{100, 0, 0, 0}, {0, 200, 0, 0}, {0, 0, 0, 0}, {0, 0, 300, 300}}, l.Pairs[0].Errors); diff != "" || l.Pairs[1].Errors != nil {
		t.Errorf("%v, %s", l.Pairs[1].Errors, diff)
	}
	l.Rows, l.Pairs = nil, nil
	if diff := cmp.Diff(want, l); diff != "" {
		t.Error(diff)
	}
}
