package scoring_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

func TestParseValue(t *testing.T) {
	for _, c := range []struct {
		f        scoring.Feature
		text, in string
		want     int32
		shown    string
	}{
		{scoring.FeatureConfiguratorSavedCount, "2", "times", 2000, "2 times"},
		{scoring.FeatureConfiguratorSavedCount, "1.5", "", 1500, "1.5 times"},
		{scoring.FeatureConfiguratorSavedCount, "1", "", 1000, "1 time"},
		{scoring.FeatureConfiguratorSavedCount, "250", "count_1_1000", 250, "0.25 times"},
		{scoring.FeatureConfiguratorSavedRecency, "2.5", "", 216_000, "2.5 days"},
		{scoring.FeatureConfiguratorSavedRecency, "3", "hours", 10_800, "3 hours"},
		{scoring.FeatureConfiguratorSavedRecency, "90", "seconds", 90, "1.5 minutes"},
		{scoring.FeatureDailyDistance, "42.5", "km", 42_500, "42.5 km"},
		{scoring.FeatureServicesDone, "80", "percent", 800, "80 percent"},
		{scoring.FeaturePaymentChange, "-5", "", -50, "-5 percent"},
		{scoring.FeatureLeaseDaysToEnd, "-30", "", -30, "-30 days"},
		{scoring.FeatureRequestType, "TEST_DRIVE", "", int32(lead.RequestTypeTestDrive), "TEST_DRIVE"},
		{scoring.FeatureHasPhone, "no", "", 0, "no"},
		{scoring.FeatureEquity, "-2500", "", -2500, "-2500"},
	} {
		factor, ok := c.f.Unit().Factor(c.in)
		got, err := c.f.Parse(c.text, factor)
		if !ok || err != nil || got != c.want || c.f.Text(got) != c.shown {
			t.Errorf("%v %q in %q: %d %v %v, shown %q", c.f, c.text, c.in, got, ok, err, c.f.Text(got))
		}
	}
	for _, c := range []struct {
		f          scoring.Feature
		text, want string
	}{
		{scoring.FeatureRequestType, "TEST_DRVE", "did you mean TEST_DRIVE"},
		{scoring.FeatureConfiguratorSavedCount, "-1", "at least 0"},
		{scoring.FeatureConfiguratorSavedCount, "many", "a number"},
		{scoring.FeatureConfiguratorSavedCount, "", "a number"},
		{scoring.FeatureConfiguratorSavedCount, "1e3", "a number"},
		{scoring.FeatureConfiguratorSavedCount, "1.", "a number"},
		{scoring.FeatureConfiguratorSavedCount, "2147484", "at most 2147483"},
		{scoring.FeatureConfiguratorSavedCount, strings.Repeat("9", 40), "at most 2147483"},
		{scoring.FeatureActiveWeeks, "13", "at most 12"},
		{scoring.FeaturePaymentChange, "-101", "at least -100"},
	} {
		factor, _ := c.f.Unit().Factor("")
		if got, err := c.f.Parse(c.text, factor); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %q: %d %v", c.f, c.text, got, err)
		}
	}
	for _, c := range []struct {
		f  scoring.Feature
		in string
	}{{scoring.FeatureConfiguratorSavedCount, "days"}, {scoring.FeatureRequestType, "days"}, {scoring.FeatureOwnedDays, "hours"}} {
		if _, ok := c.f.Unit().Factor(c.in); ok {
			t.Errorf("%v may be written in %s", c.f, c.in)
		}
	}
}

// Every unit that is listed is taken, and the first means what no unit means.
func TestUnits(t *testing.T) {
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		units := f.Unit().Units()
		if (len(units) == 0) != (f.Unit() == scoring.UnitCategory) {
			t.Errorf("%v has the units %v", f, units)
		}
		for i, u := range units {
			n, ok := f.Unit().Factor(u)
			first, _ := f.Unit().Factor("")
			if !ok || n < 1 || i == 0 && n != first || i == len(units)-1 && n != 1 {
				t.Errorf("%v in %s: %d, %v", f, u, n, ok)
			}
		}
		least, most := f.Range()
		if least > most || least <= scoring.Missing {
			t.Errorf("%v is %d to %d", f, least, most)
		}
		for _, v := range []int32{scoring.Missing, scoring.Absent} {
			if f.Text(v) != "" {
				t.Errorf("%v shows %d as %q", f, v, f.Text(v))
			}
		}
	}
}

func FuzzParseValue(f *testing.F) {
	f.Add(uint8(scoring.FeatureConfiguratorSavedCount), "1.5", "times")
	f.Add(uint8(scoring.FeatureLeaseDaysToEnd), "-2147483647", "")
	f.Add(uint8(scoring.FeatureServicesDone), "000000000000000000001.0000004999", "percent")
	f.Fuzz(func(t *testing.T, feature uint8, text, in string) {
		x := scoring.Feature(feature % uint8(scoring.NumFeatures))
		if factor, ok := x.Unit().Factor(in); ok && factor > 0 {
			v, err := x.Parse(text, factor)
			if least, most := x.Range(); err == nil && x != scoring.FeatureNone && (v < least || v > most) {
				t.Errorf("%v takes %q in %q as %d", x, text, in, v)
			}
		}
	})
}

// What is said of values and what they give are the same: the points of the range a value lies in are
// those it gives the line.
func TestRangesGiveWhatTheySay(t *testing.T) {
	m, problems := scoring.Compile(example())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	tried := 0
	for line := lead.LineSales; int(line) < scoring.NumLines; line++ {
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			ranges := m.Ranges(line, f)
			least, most, ok := m.Extent(line, f)
			if ok != (ranges != nil) {
				t.Fatalf("%v %v: %v", line, f, ranges)
			}
			for _, v := range []int32{scoring.Missing, -100_000, -1, 0, 1, 2, 3, 7, 14, 15, 249, 250, 999, 1000, 3000, 86_400, 200_000, 700_000, 100_000_000, math.MaxInt32} {
				if f.Unit() == scoring.UnitCategory && v != scoring.Missing && (v < f.FirstValue() || v >= f.FirstValue()+int32(len(f.Values()))) {
					continue
				}
				var in scoring.Inputs
				in.Reset()
				in.Values[f] = v
				var res scoring.Result
				m.Score(&in, &res)
				at := m.RangeOf(line, f, v)
				if (at < 0) != (ranges == nil) {
					t.Fatalf("%v %v: %d lies in %d of %v", line, f, v, at, ranges)
				}
				if at < 0 {
					continue
				}
				tried++
				for _, c := range m.AppendContributions(nil, &in, &res, line) {
					if c.Feature == f && c.Kind == scoring.ContributionFeature && (c.Points != ranges[at].Points || c.Points < least || c.Points > most) {
						t.Errorf("%v %v: %d gives %d, is said to lie in %v (%d to %d)", line, f, v, c.Points, ranges[at], least, most)
					}
				}
			}
			if at := m.RangeOf(line, f, scoring.Absent); at != -1 {
				t.Errorf("%v %v: absent lies in %d", line, f, at)
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d values tried", tried)
	}
}

func TestRangesInWords(t *testing.T) {
	d := scoring.Definition{Lines: map[string]scoring.Line{"SALES": {Calibration: calibration(0, 1, 2), Stages: stages(), Rows: []scoring.Row{
		fresh("configurator_saved.recency", 1200),
		row("request_type", "", is(900, "QUOTE", "TEST_DRIVE"), scoring.Bin{Values: []string{"ORDER"}, Missing: true, Points: 100}),
		row("has_phone", "", is(400, "yes"), is(-600, "no")),
	}}}}
	m, problems := scoring.Compile(d)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for f, want := range map[scoring.Feature][]scoring.Range{
		scoring.FeatureConfiguratorSavedRecency: {{"below 2 days", 1200, 0}, {"2 days up to 7 days", 900, 1}, {"7 days up to 30 days", 400, 2}, {"30 days and more", 0, 3}, {"not known", 0, -1}},
		scoring.FeatureRequestType:              {{"QUOTE, TEST_DRIVE", 900, 0}, {"ORDER, or not known", 100, 1}, {"all others", 0, -1}},
		scoring.FeatureHasPhone:                 {{"yes", 400, 0}, {"no", -600, 1}, {"not known", 0, -1}},
		scoring.FeatureHasEmail:                 nil,
	} {
		if diff := cmp.Diff(want, m.Ranges(lead.LineSales, f)); diff != "" {
			t.Errorf("%v: %s", f, diff)
		}
	}
}
