package scoring_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// indexOf makes an index of the table of a line.
func indexOf(l scoring.Line) scoring.Index {
	return scoring.Index{
		Base: l.Base, Rows: l.Rows, Groups: l.Groups, Cap: l.Cap,
		Calibration: []scoring.Mark{{Points: 0, Expected: 10, Low: p64(0), High: p64(40)}, {Points: 10000, Expected: 1_000_000, Low: p64(500), High: p64(1_000_000)}},
	}
}

// Whatever the tables and facts, what contributed to an index adds up to its points, its groups
// with the base and the outer caps do too, and the points are those of the definition.
func TestReadingsAddUpAndMatchTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	capped := 0
	for range 40 {
		d := randomDefinition(r)
		line := d.Lines["SALES"]
		line.Pairs = nil // an index has none
		d.Lines["SALES"] = line
		d.Indices = map[string]scoring.Index{"EV_READINESS": indexOf(line), "CUSTOMER_VALUE": indexOf(d.Lines["CARE"])}
		m := compile(t, d)
		for range 40 {
			in := randomInputs(r)
			got, ok := m.Read(lead.IndexEVReadiness, &in)
			if want := naive(line, &in); !ok || got.Points != want {
				t.Fatalf("%d points, the definition gives %d", got.Points, want)
			}
			sum, grouped := int32(0), int32(0)
			for _, c := range got.Contributions {
				sum += c.Points
				if c.Kind == scoring.ContributionFeature && in.Values[c.Feature] == scoring.Absent {
					t.Fatalf("%s took part without consent", c.Feature)
				}
				switch c.Kind {
				case scoring.ContributionGroupCap:
					capped++
				case scoring.ContributionBase, scoring.ContributionTotalCap, scoring.ContributionClamp:
					grouped += c.Points
				}
			}
			for _, g := range got.Groups {
				grouped += g.Points
			}
			if sum != got.Points || grouped != got.Points {
				t.Fatalf("%d contributed, %d by groups, %d points", sum, grouped, got.Points)
			}
			if got.Expected < got.Low || got.Expected > got.High {
				t.Fatalf("%d is not within %d and %d", got.Expected, got.Low, got.High)
			}
			// An index and the line of the same table say the same.
			var res scoring.Result
			m.Score(&in, &res)
			if res.Points[lead.LineSales] != got.Points {
				t.Fatalf("the line has %d points, the index %d", res.Points[lead.LineSales], got.Points)
			}
			if diff := cmp.Diff(m.AppendGroups(nil, &res, lead.LineSales), got.Groups); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(m.Explain(&in, &res, lead.LineSales, 6), got.Reasons(6), cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
		}
	}
	if capped == 0 {
		t.Error("no cap ever held")
	}
}

func TestReadingMeans(t *testing.T) {
	d := scoring.Definition{
		Lines: map[string]scoring.Line{"SALES": {Calibration: calibration(0, 1, 2), Stages: stages()}},
		Indices: map[string]scoring.Index{"CUSTOMER_VALUE": {
			Rows: []scoring.Row{row("visits_24m", "", below(1, 0), below(2, 1000), below(3, 1500), below(4, 3000), rest(9000))},
			Calibration: []scoring.Mark{
				{Points: 1000, Expected: 100, Low: p64(0), High: p64(150)},
				{Points: 2000, Expected: 201, Low: p64(50), High: p64(1000)},
				{Points: 4000, Expected: 5000, Low: p64(60), High: p64(9000)},
			},
			Bands: []scoring.Band{{Name: "some", From: 101}, {Name: "much", From: 5000}},
		}},
	}
	m := compile(t, d)
	for visits, want := range map[int32]scoring.Reading{
		0: {Points: 0, Expected: 100, High: 150}, // constant below the first mark, and below the first band
		1: {Points: 1000, Expected: 100, High: 150},
		2: {Points: 1500, Expected: 151, Low: 25, High: 575, Band: "some"}, // 150.5, half up
		3: {Points: 3000, Expected: 2601, Low: 55, High: 5000, Band: "some"},
		9: {Points: 9000, Expected: 5000, Low: 60, High: 9000, Band: "much"},
	} {
		var in scoring.Inputs
		in.Reset()
		in.Values[scoring.FeatureVisits24M] = visits
		got, ok := m.Read(lead.IndexCustomerValue, &in)
		want.Code, want.Bounded = lead.IndexCustomerValue, true
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(scoring.Reading{}, "Groups", "Contributions"), cmpopts.IgnoreUnexported(scoring.Reading{})); diff != "" || !ok {
			t.Errorf("%d visits: %s", visits, diff)
		}
	}
	var in scoring.Inputs
	for _, code := range []lead.Index{lead.IndexUnspecified, lead.IndexEVReadiness, 200} {
		if r, ok := m.Read(code, &in); ok || r.Points != 0 {
			t.Errorf("index %d is not defined and reads %+v", code, r)
		}
	}
}

// Without granted profiling tracked behaviour takes no part, and the group says so.
func TestReadingWithoutConsent(t *testing.T) {
	d := scoring.Definition{
		Lines: map[string]scoring.Line{"SALES": {Calibration: calibration(0, 1, 2), Stages: stages()}},
		Indices: map[string]scoring.Index{"EV_READINESS": {
			Rows:        []scoring.Row{counted("home_charger.count", 2000), row("ev_owned", "", is(1500, "yes")), row("fleet", "", is(100, "no"))},
			Calibration: []scoring.Mark{{Expected: 1}},
		}},
	}
	var in scoring.Inputs
	in.Reset()
	in.Values[scoring.FeatureHomeChargerCount], in.Values[scoring.FeatureEVOwned], in.Values[scoring.FeatureFleet] = 5000, 1, 0
	m := compile(t, d)
	with, _ := m.Read(lead.IndexEVReadiness, &in)
	in.DropTracked()
	without, _ := m.Read(lead.IndexEVReadiness, &in)
	if with.Points != 3600 || without.Points != 1600 {
		t.Errorf("%d points with consent, %d without", with.Points, without.Points)
	}
	if with.Bounded {
		t.Error("bounded by a table without bounds")
	}
	want := []scoring.GroupScore{{Group: scoring.GroupVehicleInterest, Points: 1500, NoConsent: true}, {Group: scoring.GroupValue, Points: 100}}
	if diff := cmp.Diff(want, without.Groups); diff != "" {
		t.Error(diff)
	}
	var said []string
	for _, r := range with.Reasons(2) {
		said = append(said, r.Label)
	}
	if diff := cmp.Diff([]string{"has 5 signs of charging at home", "owns an electric car"}, said); diff != "" {
		t.Error(diff)
	}
}

func TestCompileReportsMistakesOfIndices(t *testing.T) {
	lines := map[string]scoring.Line{"SALES": {Calibration: calibration(0, 1, 2), Stages: stages()}}
	for _, tt := range []struct {
		name  string
		index map[string]scoring.Index
		want  []string
	}{
		{"unknown", map[string]scoring.Index{"EV_READYNESS": {Calibration: []scoring.Mark{{}}}}, []string{"indices.EV_READYNESS: no index of this name; did you mean EV_READINESS?"}},
		{"the table", map[string]scoring.Index{"EV_READINESS": {
			Base: 200_000, Rows: []scoring.Row{row("age", "", rest(1))}, Groups: map[string]scoring.Cap{"X": {}}, Cap: scoring.Cap{Min: p32(2), Max: p32(1)},
		}}, []string{"indices.EV_READINESS.base: ", "indices.EV_READINESS.rows[0].feature: no feature", "indices.EV_READINESS.groups.X: no group",
			"indices.EV_READINESS.cap: min is above max", "indices.EV_READINESS.calibration: there are no knots"}},
		{"marks", map[string]scoring.Index{"EV_READINESS": {Calibration: []scoring.Mark{
			{Points: -1, Expected: 5, Low: p64(1), High: p64(9)},
			{Points: -1, Expected: 4, Low: p64(2)},
			{Points: 5, Expected: 2_000_000},
			{Points: 6, Expected: 2_000_000, Low: p64(3_000_000), High: p64(1)},
		}}}, []string{
			"calibration[0].points: must be", "calibration[1].points: must be", "calibration[1].points: is not above", "calibration[1].expected: is below",
			"calibration[1]: has only one", "calibration[2].expected: must be a chance up to 100 %", "calibration[2]: give low and high on every knot", "calibration[3].expected: must be",
			"calibration[3]: give low and high on every knot",
		}},
		{"bounds", map[string]scoring.Index{"CUSTOMER_VALUE": {Calibration: []scoring.Mark{
			{Points: 1, Expected: 5_000_000, Low: p64(4), High: p64(9_000_000)}, {Points: 2, Expected: 6_000_000, Low: p64(3), High: p64(1 << 50)}, {Points: 3, Expected: 7_000_000, Low: p64(8_000_000), High: p64(1 << 40)},
		}}}, []string{"calibration[1].high: must be an amount of money", "calibration[1]: low and high must not fall",
			"calibration[2]: low and high must enclose", "calibration[2]: low and high must not fall"}},
		{"bands", map[string]scoring.Index{"EV_READINESS": {Calibration: []scoring.Mark{{}}, Bands: []scoring.Band{
			{Name: "a", From: -1}, {Name: "a", From: 5}, {From: 5}}}},
			[]string{"bands[0].from: must be", "bands[1].name: there is a band", "bands[2].name: is missing", "bands[2].from: is not above"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, problems := scoring.Compile(scoring.Definition{Lines: lines, Indices: tt.index})
			if m != nil || len(problems) != len(tt.want) {
				t.Fatalf("%d problems %v, want %d", len(problems), problems, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.Contains(problems[i].Error(), want) {
					t.Errorf("%q, want %q", problems[i], want)
				}
			}
		})
	}
}
