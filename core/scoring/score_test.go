package scoring_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

func compile(t testing.TB, d scoring.Definition) *scoring.Model {
	t.Helper()
	m, problems := scoring.Compile(d)
	for _, p := range problems {
		t.Error(p)
	}
	if m == nil {
		t.Fatal("no model")
	}
	return m
}

func TestContributionsAddUpAndMatchTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var res scoring.Result
	for n := range 60 {
		d := example()
		if n > 0 {
			d = randomDefinition(r)
		}
		m := compile(t, d)
		for range 40 {
			in := randomInputs(r)
			m.Score(&in, &res)
			for code := lead.LineSales; code <= lead.LineCare; code++ {
				if want := naive(d.Lines[code.String()], &in); res.Points[code] != want {
					t.Fatalf("%v: %d points, the definition says %d", code, res.Points[code], want)
				}
				sum, groups := int32(0), int32(0)
				for _, c := range m.AppendContributions(nil, &in, &res, code) {
					sum += c.Points
					if c.Group == scoring.GroupNone {
						groups += c.Points
					}
				}
				if sum != res.Points[code] {
					t.Fatalf("%v: contributions add up to %d, points are %d", code, sum, res.Points[code])
				}
				for _, g := range m.AppendGroups(nil, &res, code) {
					groups += g.Points
				}
				if groups != res.Points[code] {
					t.Fatalf("%v: groups add up to %d, points are %d", code, groups, res.Points[code])
				}
			}
		}
	}
}

func TestScoreOverwritesTheResult(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	m := compile(t, example())
	var reused scoring.Result
	for range 200 {
		in := randomInputs(r)
		var fresh scoring.Result
		m.Score(&in, &fresh)
		m.Score(&in, &reused)
		if diff := cmp.Diff(fresh, reused, cmp.AllowUnexported(scoring.Result{})); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestScoreIsMonotoneWhereBinsAre(t *testing.T) {
	m := compile(t, example())
	r := rand.New(rand.NewPCG(3, 3))
	var low, high scoring.Result
	for range 500 {
		in := randomInputs(r)
		f := []scoring.Feature{scoring.FeatureConfiguratorSavedCount, scoring.FeatureTestDriveCount, scoring.FeatureVisits24M, scoring.FeatureServicesDone}[r.IntN(4)]
		a := r.Int32N(4000)
		in.Values[f] = a
		m.Score(&in, &low)
		in.Values[f] = a + r.Int32N(4000)
		m.Score(&in, &high)
		for code := lead.LineSales; code <= lead.LineCare; code++ {
			if high.Points[code] < low.Points[code] || high.Probability[code] < low.Probability[code] || high.Stage[code] < low.Stage[code] && high.Segments == low.Segments {
				t.Fatalf("%v: %v rose from %d to %d and points fell from %d to %d", code, f, a, in.Values[f], low.Points[code], high.Points[code])
			}
		}
	}
}

func TestMissingTakesTheMissingBin(t *testing.T) {
	l := scoring.Line{Base: 1000, Calibration: calibration(0, 1, 2), Stages: stages(), Rows: []scoring.Row{
		row("lease_days_to_end", "", below(90, 900), missing(-70), rest(10)),
		row("time_frame_days", "", below(90, 900), rest(10)),
		row("page_view.count", "times", scoring.Bin{Below: p64(2), Missing: true, Points: 5}, rest(300)),
	}}
	m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{"SALES": l}})
	var in scoring.Inputs
	var res scoring.Result
	tests := []struct {
		name string
		set  func()
		want int32
	}{
		{"all missing", in.Reset, 1000 - 70 + 5},
		{"tracked behaviour absent", in.DropTracked, 1000 - 70},
		{"the rest", func() { in.Reset(); in.Values[scoring.FeatureLeaseDaysToEnd] = 90 }, 1000 + 10 + 5},
		{"in units of the row", func() { in.Reset(); in.Values[scoring.FeaturePageViewCount] = 2000 }, 1000 - 70 + 300},
		{"just below", func() { in.Reset(); in.Values[scoring.FeaturePageViewCount] = 1999 }, 1000 - 70 + 5},
		{"the greatest number", func() { in.Reset(); in.Values[scoring.FeatureLeaseDaysToEnd] = math.MaxInt32 }, 1000 + 10 + 5},
		{"the least number", func() { in.Reset(); in.Values[scoring.FeatureLeaseDaysToEnd] = scoring.Missing + 1 }, 1000 + 900 + 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.set()
			m.Score(&in, &res)
			if res.Points[lead.LineSales] != tt.want {
				t.Errorf("points = %d, want %d", res.Points[lead.LineSales], tt.want)
			}
			if res.Points[lead.LineService] != 0 || res.Stage[lead.LineService] != lead.StageUnspecified {
				t.Errorf("a line without a scorecard was scored: %d, %v", res.Points[lead.LineService], res.Stage[lead.LineService])
			}
		})
	}
}

func TestNoConsentRemovesAllTrackedFeatures(t *testing.T) {
	m := compile(t, example())
	r := rand.New(rand.NewPCG(4, 4))
	var a, b scoring.Result
	for range 100 {
		x, y := randomInputs(r), randomInputs(r)
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			if !f.Tracked() {
				y.Values[f] = x.Values[f]
			}
		}
		x.DropTracked()
		y.DropTracked()
		m.Score(&x, &a)
		m.Score(&y, &b)
		if diff := cmp.Diff(a, b, cmp.AllowUnexported(scoring.Result{})); diff != "" {
			t.Fatalf("tracked behaviour shows without consent:\n%s", diff)
		}
		for _, c := range m.AppendContributions(nil, &x, &a, lead.LineSales) {
			if c.Feature.Tracked() {
				t.Fatalf("%v contributes without consent", c.Feature)
			}
		}
	}
	want := []bool{true, false, true, false}
	for i, g := range m.AppendGroups(nil, &a, lead.LineSales) {
		if g.NoConsent != want[i] {
			t.Errorf("%v marked no consent: %v, want %v", g.Group, g.NoConsent, want[i])
		}
	}
}

func TestCalibrationAndStages(t *testing.T) {
	l := scoring.Line{Stages: stages(), Calibration: []scoring.Knot{{Points: 1000, PPM: 10}, {Points: 1003, PPM: 12}, {Points: 9000, PPM: 500_000}},
		Rows: []scoring.Row{row("comment_length", "", below(1, 0), below(2, 1001), below(3, 1002), below(4, 2500), below(5, 4500), below(6, 7000), rest(20000))}}
	m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{"SALES": l}})
	tests := []struct {
		value, points, ppm int32
		stage              lead.Stage
	}{
		{0, 0, 10, lead.StageAwareness},
		{1, 1001, 11, lead.StageAwareness}, // 10.67
		{2, 1002, 11, lead.StageAwareness}, // 11.33
		{3, 2500, 93607, lead.StageConsideration},
		{4, 4500, 218651, lead.StageIntent},
		{5, 7000, 374956, lead.StageReady},
		{6, 10000, 500_000, lead.StageReady},
	}
	for _, tt := range tests {
		var in scoring.Inputs
		var res scoring.Result
		in.Reset()
		in.Values[scoring.FeatureCommentLength] = tt.value
		m.Score(&in, &res)
		if res.Points[1] != tt.points || res.Probability[1] != tt.ppm || res.Stage[1] != tt.stage {
			t.Errorf("%d: %d points, %d ppm, %v; want %d, %d, %v", tt.value, res.Points[1], res.Probability[1], res.Stage[1], tt.points, tt.ppm, tt.stage)
		}
	}
}

func TestExplain(t *testing.T) {
	m := compile(t, example())
	var in scoring.Inputs
	var res scoring.Result
	in.Reset()
	for f, v := range map[scoring.Feature]int32{
		scoring.FeatureRequestType: int32(lead.RequestTypeQuote), scoring.FeatureLeaseDaysToEnd: 74, scoring.FeatureHasPhone: 0,
		scoring.FeatureConfiguratorSavedCount: 1700, scoring.FeatureConfiguratorSavedRecency: 3 * 86400, scoring.FeatureDailyDistance: 40400,
		scoring.FeatureServicesDone: 850, scoring.FeatureWarrantyDaysLeft: -1, scoring.FeatureEquity: 5000,
	} {
		in.Values[f] = v
	}
	m.Score(&in, &res)
	labels := func(line lead.Line, n int) []string {
		var out []string
		for _, r := range m.Explain(&in, &res, line, n) {
			out = append(out, r.Label)
		}
		return out
	}
	tests := []struct {
		line lead.Line
		n    int
		want []string
	}{
		{lead.LineRenewal, 2, []string{"contract is over in 74 days", "asked for a quote"}},
		{lead.LineSales, 7, []string{"asked for a quote", "did 85 % of the services due", "left no phone number",
			"saved a configuration 3 days ago", "saved 2 configurations lately", "drives 40 km a day"}},
		{lead.LineWarranty, 4, []string{"lease ends in 74 days", "car is worth 5000 more than is owed", "did 85 % of the services due", "left no phone number"}},
		{lead.LineSales, 0, nil},
		{lead.LineUnspecified, 3, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, labels(tt.line, tt.n), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%v: %s", tt.line, diff)
		}
	}
	all := labels(lead.LineWarranty, 99)
	if last := all[len(all)-1]; last != "warranty ended 1 day ago" {
		t.Errorf("last reason = %q", last)
	}
}

func TestScoreAllocatesNothing(t *testing.T) {
	m := compile(t, example())
	in := randomInputs(rand.New(rand.NewPCG(5, 5)))
	var res scoring.Result
	if n := testing.AllocsPerRun(100, func() { m.Score(&in, &res) }); n != 0 {
		t.Errorf("Score allocates %g times", n)
	}
	buf := make([]scoring.Contribution, 0, scoring.NumFeatures)
	if n := testing.AllocsPerRun(100, func() { buf = m.AppendContributions(buf[:0], &in, &res, lead.LineSales) }); n != 0 {
		t.Errorf("AppendContributions allocates %g times", n)
	}
}

func BenchmarkScoreNineLines(b *testing.B) {
	m := compile(b, example())
	r := rand.New(rand.NewPCG(6, 6))
	in := make([]scoring.Inputs, 64)
	for i := range in {
		in[i] = randomInputs(r)
		in[i].NoConsent = false
		for f := range in[i].Values {
			if in[i].Values[f] == scoring.Absent {
				in[i].Values[f] = scoring.Missing
			}
		}
	}
	var res scoring.Result
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Score(&in[i&63], &res)
	}
	b.ReportMetric(float64(len(m.Features(lead.LineUnspecified))), "features")
}
