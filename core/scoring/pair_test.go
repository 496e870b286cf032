package scoring_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// randomPairs makes up to three pairs of different features, often tracked or with parts for missing.
func randomPairs(r *rand.Rand) []scoring.Pair {
	var out []scoring.Pair
	from := scoring.FeatureNone + 1 + scoring.Feature(r.IntN(20))
	for range r.IntN(4) {
		p := scoring.Pair{First: randomSide(r, from), Second: randomSide(r, from+scoring.Feature(1+r.IntN(30)))}
		from += 20
		if r.IntN(2) == 0 {
			p.Group = scoring.Group(1 + r.IntN(4)).String()
		}
		for range p.First.Parts {
			var cells []int32
			for range p.Second.Parts {
				cells = append(cells, r.Int32N(3000)-1500)
			}
			p.Points = append(p.Points, cells)
		}
		out = append(out, p)
	}
	return out
}

func randomSide(r *rand.Rand, f scoring.Feature) scoring.Side {
	s := scoring.Side{Feature: f.String()}
	if f.Unit() == scoring.UnitCategory {
		for _, v := range f.Values() {
			if r.IntN(2) == 0 {
				s.Parts = append(s.Parts, scoring.Part{Values: []string{v}})
			}
		}
	} else {
		limit := int64(-300)
		for range r.IntN(4) {
			limit += 1 + r.Int64N(3000)
			s.Parts = append(s.Parts, scoring.Part{Below: p64(limit)})
		}
	}
	if r.IntN(2) == 0 {
		s.Parts = append(s.Parts, scoring.Part{Missing: true})
	}
	if r.IntN(3) > 0 || len(s.Parts) == 0 {
		s.Parts = append(s.Parts, scoring.Part{})
	}
	return s
}

// naivePart finds the part of a side, -1 for none.
func naivePart(s scoring.Side, in *scoring.Inputs) int {
	f, _ := scoring.ParseFeature(s.Feature)
	var bins []scoring.Bin
	for _, p := range s.Parts {
		bins = append(bins, scoring.Bin{Below: p.Below, Values: p.Values, Missing: p.Missing})
	}
	return naiveBin(f, s.In, bins, in.Values[f])
}

// paired is a line with two pairs: one with a feature that has no row, one in a group with a cap.
func paired() scoring.Line {
	return scoring.Line{
		Base: 1000, Calibration: calibration(0, 100_000, 500_000), Stages: stages(), Trigger: p32(3000),
		Rows:   []scoring.Row{row("visits_24m", "", below(1, 0), rest(500)), row("vehicle_age_days", "", below(1000, 0), rest(300))},
		Groups: map[string]scoring.Cap{"LIFE_CYCLE": {Max: p32(1200)}},
		Pairs: []scoring.Pair{
			{
				First:  scoring.Side{Feature: "visits_24m", Parts: []scoring.Part{{Below: p64(2)}, {}}},
				Second: scoring.Side{Feature: "lease_days_to_end", Parts: []scoring.Part{{Below: p64(91)}, {}, {Missing: true}}},
				Group:  "LIFE_CYCLE", Points: [][]int32{{100, 0, -50}, {900, 200, 10}}, Errors: [][]int32{{10, 20, 30}, {40, 50, 60}},
			},
			{
				First:  scoring.Side{Feature: "app_use.recency", In: "days", Parts: []scoring.Part{{Below: p64(8)}, {}}},
				Second: scoring.Side{Feature: "fleet", Parts: []scoring.Part{{Values: []string{"yes"}}}},
				Label:  "a fleet that lives in the app", Points: [][]int32{{-700}, {40}},
			},
		},
	}
}

func TestPairs(t *testing.T) {
	m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{"RENEWAL": paired()}})
	const none = -1
	for _, tt := range []struct {
		name                     string
		visits, lease, app, flee int32
		points                   int32
		cells                    [][2]int
		groupCap                 int32
		reasons                  []string
	}{
		{"nothing known", scoring.Missing, scoring.Missing, scoring.Missing, scoring.Missing, 1000, [][2]int{{none, 2}, {none, none}}, 0, nil},
		{"lease ends, seldom here", 1, 90, scoring.Missing, 0, 1600, [][2]int{{0, 0}, {none, none}}, 0,
			[]string{"1 workshop visit in 24 months", "1 workshop visit in 24 months, and lease ends in 90 days"}},
		{"lease ends, often here, above the cap", 3, 90, scoring.Missing, 0, 2200, [][2]int{{1, 0}, {none, none}}, -200,
			[]string{"3 workshop visits in 24 months, and lease ends in 90 days", "3 workshop visits in 24 months"}},
		{"lease far away", 3, 91, scoring.Missing, 0, 1700, [][2]int{{1, 1}, {none, none}}, 0, nil},
		{"no lease", 3, scoring.Missing, scoring.Missing, 0, 1510, [][2]int{{1, 2}, {none, none}}, 0, nil},
		{"a fleet in the app", scoring.Missing, scoring.Missing, 8*86400 - 1, 1, 300, [][2]int{{none, 2}, {0, 0}}, 0, []string{"a fleet that lives in the app"}},
		{"a fleet that left it", scoring.Missing, scoring.Missing, 8 * 86400, 1, 1040, [][2]int{{none, 2}, {1, 0}}, 0, nil},
		{"a fleet, no profiling", scoring.Missing, scoring.Missing, scoring.Absent, 1, 1000, [][2]int{{none, 2}}, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var in scoring.Inputs
			var res scoring.Result
			in.Reset()
			in.Values[scoring.FeatureVisits24M], in.Values[scoring.FeatureLeaseDaysToEnd] = tt.visits, tt.lease
			in.Values[scoring.FeatureAppUseRecency], in.Values[scoring.FeatureFleet] = tt.app, tt.flee
			m.Score(&in, &res)
			if res.Points[lead.LineRenewal] != tt.points || res.GroupCaps[scoring.GroupLifeCycle][lead.LineRenewal] != tt.groupCap {
				t.Errorf("%d points, the cap changed %d", res.Points[lead.LineRenewal], res.GroupCaps[scoring.GroupLifeCycle][lead.LineRenewal])
			}
			var cells [][2]int
			sum, grouped := int32(0), int32(0)
			for _, c := range m.AppendContributions(nil, &in, &res, lead.LineRenewal) {
				sum += c.Points
				if c.Group == scoring.GroupNone {
					grouped += c.Points
				}
				if c.Kind == scoring.ContributionPair {
					cells = append(cells, c.Cell)
					if c.Value != in.Values[c.Feature] || c.SecondValue != in.Values[c.Second] || m.Wording(lead.LineRenewal, c) == "" {
						t.Errorf("%+v", c)
					}
				}
			}
			for _, g := range m.AppendGroups(nil, &res, lead.LineRenewal) {
				grouped += g.Points
			}
			if diff := cmp.Diff(tt.cells, cells); diff != "" || sum != tt.points || grouped != tt.points {
				t.Errorf("%d contributed, %d by groups: %s", sum, grouped, diff)
			}
			var said []string
			for _, r := range m.Explain(&in, &res, lead.LineRenewal, len(tt.reasons)) {
				said = append(said, r.Label)
			}
			if diff := cmp.Diff(tt.reasons, said); diff != "" {
				t.Error(diff)
			}
		})
	}
	want := []scoring.Feature{scoring.FeatureAppUseRecency, scoring.FeatureVehicleAgeDays, scoring.FeatureLeaseDaysToEnd, scoring.FeatureVisits24M, scoring.FeatureFleet}
	if diff := cmp.Diff(want, m.Features(lead.LineRenewal)); diff != "" {
		t.Error(diff)
	}
	if n := len(m.Features(lead.LineSales)); n != 0 {
		t.Errorf("a line without scorecard looks at %d features", n)
	}
}

// A pair widens the interval by the error of its cell, and is one of the differences of two scores.
func TestPairsInIntervalAndComparison(t *testing.T) {
	sure, unsure := paired(), paired()
	sure.Pairs[0].Errors = nil
	var in, other scoring.Inputs
	in.Reset()
	in.Values[scoring.FeatureVisits24M], in.Values[scoring.FeatureLeaseDaysToEnd] = 1, 90
	other = in
	other.Values[scoring.FeatureVisits24M] = 2
	width := func(l scoring.Line) int32 {
		m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{"RENEWAL": l}})
		var res scoring.Result
		m.Score(&in, &res)
		i := m.Interval(&res, lead.LineRenewal)
		return i.High - i.Low
	}
	unsure.Pairs[0].Errors[0][0] = 400
	if a, b := width(sure), width(unsure); a >= b {
		t.Errorf("the interval is %d wide without errors, %d with them", a, b)
	}
	m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{"RENEWAL": sure}})
	var before, after scoring.Result
	m.Score(&in, &before)
	m.Score(&other, &after)
	sum, pairs := int32(0), 0
	for _, d := range m.Compare(scoring.Scored{Inputs: &in, Result: &before}, scoring.Scored{Inputs: &other, Result: &after}, lead.LineRenewal) {
		sum += d.Points()
		if d.Kind() == scoring.ContributionPair {
			pairs++
			if d.Before.Points != 100 || d.After.Points != 900 {
				t.Errorf("%+v", d)
			}
		}
	}
	if pairs != 1 || sum != after.Points[lead.LineRenewal]-before.Points[lead.LineRenewal] {
		t.Errorf("%d pairs differ, %d points in all", pairs, sum)
	}
}

func TestPairsAllocateNothing(t *testing.T) {
	m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{"RENEWAL": paired()}})
	in := randomInputs(rand.New(rand.NewPCG(5, 6)))
	var res scoring.Result
	if n := testing.AllocsPerRun(100, func() { m.Score(&in, &res) }); n != 0 {
		t.Errorf("Score allocates %g times", n)
	}
}

func TestCompileReportsMistakesOfPairs(t *testing.T) {
	one := []scoring.Part{{}}
	l := scoring.Line{Calibration: calibration(0, 1, 2), Stages: stages(), Pairs: []scoring.Pair{
		{First: scoring.Side{Feature: "fleet", Parts: one}, Second: scoring.Side{Feature: "fleet", Parts: one}, Points: [][]int32{{1}}},
		{First: scoring.Side{Feature: "fleet", Parts: one}, Second: scoring.Side{Feature: "visits_24m", Parts: one}, Points: [][]int32{{1}}, Errors: [][]int32{{-1}}},
		{First: scoring.Side{Feature: "visits_24m", Parts: one}, Second: scoring.Side{Feature: "fleet", Parts: one}, Points: [][]int32{{1, 2}}},
		{First: scoring.Side{Feature: "visit_24m", Parts: one}, Second: scoring.Side{Feature: "equity"}, Points: [][]int32{{1_000_000}, {1}}, Group: "VALUES"},
		{First: scoring.Side{Feature: "equity", In: "days", Parts: []scoring.Part{{Below: p64(3)}, {Below: p64(3)}, {Missing: true}, {}, {}}},
			Second: scoring.Side{Feature: "request_type", Parts: []scoring.Part{{Values: []string{"QUOT"}}}}, Points: [][]int32{{1}, {1}, {1}, {1}, {1_000_000}}},
	}}
	m, problems := scoring.Compile(scoring.Definition{Lines: map[string]scoring.Line{"SALES": l}})
	var got []string
	for _, p := range problems {
		got = append(got, strings.TrimPrefix(p.Error(), "lines.SALES.pairs"))
	}
	want := []string{
		"[0]: a pair needs two different features",
		"[1].errors[0][0]: must be 0..100000, is -1",
		"[2]: these two have a pair already; add its points to that one",
		"[2].points[0]: must have one number for every part of the second feature, 1, has 2",
		`[3].first.feature: no feature named "visit_24m"; did you mean visits_24m?`,
		"[3].second.parts: must be 1..250, are 0",
		"[3].group: no group of this name; did you mean VALUE?",
		"[3].points: must have one line for every part of the first feature, 1, has 2",
		`[4].first.in: equity is in money and has no unit "days"`,
		"[4].first.parts[1].below: 3 is not above the threshold before it",
		"[4].first.parts[4]: there is a bin for the rest already",
		`[4].second.parts[0].values[0]: request_type has no value "QUOT"; did you mean QUOTE?`,
		"[4].points[4][0]: must be -100000..100000, is 1000000",
	}
	if diff := cmp.Diff(want, got); diff != "" || m != nil {
		t.Error(diff)
	}
}
