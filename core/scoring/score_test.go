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

// randomInputs fills every feature with something in its range, or leaves it missing.
func randomInputs(r *rand.Rand) scoring.Inputs {
	var in scoring.Inputs
	in.Reset()
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		switch {
		case r.IntN(5) == 0:
		case f.Unit() == scoring.UnitCategory:
			in.Values[f] = f.FirstValue() + r.Int32N(int32(len(f.Values())))
		case f.Unit() == scoring.UnitSeconds:
			in.Values[f] = r.Int32N(100 * 86400)
		case f.Unit() == scoring.UnitNumber:
			in.Values[f] = r.Int32N(8)
		case r.IntN(20) == 0:
			in.Values[f] = math.MaxInt32
		default:
			in.Values[f] = r.Int32N(6000) - 500
		}
	}
	if r.IntN(4) == 0 {
		in.DropTracked()
	}
	return in
}

// randomDefinition makes a valid definition with random rows, caps and thresholds.
func randomDefinition(r *rand.Rand) scoring.Definition {
	d := scoring.Definition{Lines: map[string]scoring.Line{}}
	for code := lead.LineSales; code <= lead.LineCare; code++ {
		l := scoring.Line{Base: r.Int32N(4000) - 1000, Calibration: calibration(0, r.Int32N(500_000), 500_000+r.Int32N(500_000)), Stages: stages()}
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			if r.IntN(2) == 0 {
				continue
			}
			row := scoring.Row{Feature: f.String()}
			if f.Unit() == scoring.UnitCategory {
				for _, v := range f.Values() {
					if r.IntN(2) == 0 {
						row.Bins = append(row.Bins, is(r.Int32N(2000)-1000, v))
					}
				}
			} else {
				limit := int64(-300)
				for range r.IntN(6) {
					limit += 1 + r.Int64N(2000)
					row.Bins = append(row.Bins, below(limit, r.Int32N(2000)-1000))
				}
			}
			if r.IntN(2) == 0 {
				row.Bins = append(row.Bins, missing(r.Int32N(600)-300))
			}
			l.Rows = append(l.Rows, scoring.Row{Feature: row.Feature, Bins: append(row.Bins, rest(r.Int32N(2000)-1000))})
		}
		if r.IntN(2) == 0 {
			l.Groups = map[string]scoring.Cap{"ENGAGEMENT": {Max: p32(r.Int32N(3000))}, "LIFE_CYCLE": {Min: p32(-r.Int32N(3000))}}
			l.Cap = scoring.Cap{Max: p32(5000 + r.Int32N(5000))}
		}
		l.Pairs = randomPairs(r)
		d.Lines[code.String()] = l
	}
	return d
}

// naive scores one line straight from the definition: slow, and obviously right.
func naive(l scoring.Line, in *scoring.Inputs) int32 {
	var sums [scoring.NumGroups]int32
	for _, r := range l.Rows {
		f, _ := scoring.ParseFeature(r.Feature)
		if j := naiveBin(f, r.In, r.Bins, in.Values[f]); j >= 0 {
			sums[f.Group()] += r.Bins[j].Points
		}
	}
	for _, p := range l.Pairs {
		g, _ := scoring.ParseGroup(p.Group)
		if i, j := naivePart(p.First, in), naivePart(p.Second, in); i >= 0 && j >= 0 {
			sums[g] += p.Points[i][j]
		}
	}
	bound := func(v int32, c scoring.Cap) int32 {
		if c.Min != nil {
			v = max(v, *c.Min)
		}
		if c.Max != nil {
			v = min(v, *c.Max)
		}
		return v
	}
	total := l.Base + sums[scoring.GroupNone]
	for g := scoring.GroupNone + 1; g < scoring.NumGroups; g++ {
		total += bound(sums[g], l.Groups[g.String()])
	}
	return min(max(bound(total, l.Cap), 0), scoring.MaxPoints)
}

// naiveBin finds the bin of a value, -1 for none.
func naiveBin(f scoring.Feature, in string, bins []scoring.Bin, v int32) int {
	if v == scoring.Absent {
		return -1
	}
	scale := map[string]int64{"": 1, "times": 1000, "days": 86400, "hours": 3600, "km": 1000, "percent": 10}[in]
	for i, b := range bins {
		hit := false
		switch {
		case v == scoring.Missing:
			hit = b.Missing
		case b.Below != nil:
			hit = int64(v) < *b.Below*scale
		case b.Values != nil:
			for _, name := range b.Values {
				for i, known := range f.Values() {
					hit = hit || known == name && v == f.FirstValue()+int32(i)
				}
			}
		}
		if hit {
			return i
		}
	}
	for i, b := range bins {
		if v != scoring.Missing && b.Below == nil && b.Values == nil && !b.Missing {
			return i
		}
	}
	return -1
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

func TestSegmentsAndPlay(t *testing.T) {
	m := compile(t, example())
	type set map[scoring.Feature]int32
	tests := []struct {
		name  string
		set   set
		want  scoring.SegmentSet
		level string // of RENEWAL_INTENDER
		play  lead.Segment
	}{
		{"nothing known", set{}, 0, "", lead.SegmentUnspecified},
		{"lease ends in 90 days", set{scoring.FeatureLeaseDaysToEnd: 90}, 1, "hot", lead.SegmentRenewalIntender},
		{"in 91", set{scoring.FeatureLeaseDaysToEnd: 91}, 1, "active", lead.SegmentRenewalIntender},
		{"in 270", set{scoring.FeatureLeaseDaysToEnd: 270}, 1, "warm", lead.SegmentRenewalIntender},
		{"in 271", set{scoring.FeatureLeaseDaysToEnd: 271}, 0, "", lead.SegmentUnspecified},
		{"over pace", set{scoring.FeatureLeaseDaysToEnd: 400, scoring.FeatureLeaseMileagePace: 1001}, 1, "over_pace", lead.SegmentRenewalIntender},
		{"equity and a payment within 5 %", set{scoring.FeatureEquity: 1, scoring.FeaturePaymentChange: 50}, 1, "equity", lead.SegmentRenewalIntender},
		{"equity and a payment beyond", set{scoring.FeatureEquity: 1, scoring.FeaturePaymentChange: 51}, 0, "", lead.SegmentUnspecified},
		{"three visits", set{scoring.FeatureVisits24M: 3}, 2, "", lead.SegmentServiceLoyalist},
		{"80 % of the services", set{scoring.FeatureServicesDone: 800}, 2, "", lead.SegmentServiceLoyalist},
		{"warranty over", set{scoring.FeatureWarrantyDaysLeft: -1}, 0, "", lead.SegmentUnspecified},
		{"cart of seven days ago", set{scoring.FeatureCartAbandonedRecency: 7 * 86400}, 8, "", lead.SegmentAccessoryProspect},
		{"two visits to parts pages", set{scoring.FeaturePartsPageViewCount: 2000}, 8, "", lead.SegmentAccessoryProspect},
		{"all four, the most valuable plays", set{scoring.FeatureLeaseDaysToEnd: 30, scoring.FeatureVisits24M: 3, scoring.FeatureWarrantyDaysLeft: 20, scoring.FeaturePartsPageViewCount: 2000}, 15, "hot", lead.SegmentRenewalIntender},
		{"loyalist near the end of the warranty", set{scoring.FeatureVisits24M: 3, scoring.FeatureWarrantyDaysLeft: 20}, 6, "", lead.SegmentWarrantyExpiring},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var in scoring.Inputs
			var res scoring.Result
			in.Reset()
			for f, v := range tt.set {
				in.Values[f] = v
			}
			m.Score(&in, &res)
			if res.Segments != tt.want || res.Active != tt.play || m.Level(&res, lead.SegmentRenewalIntender) != tt.level {
				t.Errorf("segments %b, play %v, level %q; want %b, %v, %q", res.Segments, res.Active, m.Level(&res, lead.SegmentRenewalIntender), tt.want, tt.play, tt.level)
			}
		})
	}
}

func TestReadyBySegmentAndNurture(t *testing.T) {
	m := compile(t, example())
	var in scoring.Inputs
	var res scoring.Result
	in.Reset()
	m.Score(&in, &res)
	if !m.Nurture(&res) || m.Triggered(&res) != lead.LineUnspecified {
		t.Errorf("nobody known is worth a trigger lead: %v", res.Points)
	}
	in.Values[scoring.FeatureLeaseDaysToEnd], in.Values[scoring.FeatureLeaseMileagePace] = 60, 1200
	in.Values[scoring.FeatureEquity], in.Values[scoring.FeatureHasPhone] = 5000, 1
	m.Score(&in, &res)
	if got := res.Points[lead.LineRenewal]; got != 5300 { // base 500, no request -500, lease 3000, pace 1000, equity 900, phone 400
		t.Errorf("renewal points = %d", got)
	}
	in.Values[scoring.FeatureVehicleAgeDays] = 2000
	m.Score(&in, &res)
	if !scoring.Ready(lead.LineRenewal, &res) {
		t.Errorf("a renewal intender with %d points is not upsell-ready at 5500", res.Points[lead.LineRenewal])
	}
	if m.Nurture(&res) || m.Triggered(&res) != lead.LineRenewal {
		t.Errorf("nurture %v, triggered %v", m.Nurture(&res), m.Triggered(&res))
	}
	in.Values[scoring.FeatureLeaseDaysToEnd] = 400
	in.Values[scoring.FeatureLeaseMileagePace] = 1000
	in.Values[scoring.FeatureRequestType], in.Values[scoring.FeatureEquity] = int32(lead.RequestTypeQuote), -1
	in.Values[scoring.FeatureTimeFrameDays] = 3
	m.Score(&in, &res)
	if scoring.Ready(lead.LineRenewal, &res) || res.Segments != 0 || res.Points[lead.LineRenewal] < 4500 {
		t.Errorf("without a segment %d points are ready, segments %b", res.Points[lead.LineRenewal], res.Segments)
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

// The next line is the worthiest of the others that are worth a person's work.
func TestNext(t *testing.T) {
	line := func(points int32, value int64, trigger *int32) scoring.Line {
		return scoring.Line{Base: points, Value: value, Trigger: trigger, Calibration: calibration(0, 500_000, 1_000_000), Stages: stages()}
	}
	m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{
		"SALES":       line(6000, 1000, p32(3000)),
		"RENEWAL":     line(5000, 2000, p32(3000)), // the greatest chance times value
		"SERVICE":     line(9000, 500, p32(3000)),
		"ACCESSORIES": line(2900, 1<<40, p32(3000)), // below its threshold
		"NURTURE":     line(9000, 1<<40, nil),       // makes no trigger leads
		"CARE":        line(9000, 0, nil),
	}})
	var in scoring.Inputs
	var res scoring.Result
	m.Score(&in, &res)
	for beside, want := range map[lead.Line]lead.Line{
		lead.LineUnspecified: lead.LineRenewal, lead.LineSales: lead.LineRenewal, lead.LineNurture: lead.LineRenewal,
		lead.LineRenewal: lead.LineSales, // 600 of it against 450 of SERVICE
		lead.LineCare:    lead.LineUnspecified,
	} {
		if got := m.Next(&res, beside); got != want {
			t.Errorf("beside %s: %s, want %s", beside, got, want)
		}
	}
	if p, ok := m.Trigger(lead.LineSales); p != 3000 || !ok {
		t.Errorf("trigger %d", p)
	}
	for _, none := range []lead.Line{lead.LineUnspecified, lead.LineNurture, lead.LineWarranty, 200} {
		if p, ok := m.Trigger(none); ok {
			t.Errorf("%d makes trigger leads from %d points", none, p)
		}
	}
}
