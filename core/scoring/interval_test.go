package scoring_test

import (
	"math"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// guess is a line that an expert wrote.
func guess(prior int32) scoring.Line {
	return scoring.Line{
		Base: 2000, Rows: []scoring.Row{row("repeat_inquiry", "", below(1, 0), rest(3000))},
		Calibration: calibration(0, 200_000, 1_000_000), PriorLeads: prior, Stages: stages(),
	}
}

func intervalOf(t *testing.T, l scoring.Line, repeat int32) (int32, scoring.Interval) {
	t.Helper()
	m, problems := scoring.Compile(scoring.Definition{Lines: map[string]scoring.Line{"SALES": l}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var in scoring.Inputs
	in.Reset()
	in.Values[scoring.FeatureRepeatInquiry] = repeat
	var res scoring.Result
	m.Score(&in, &res)
	return res.Probability[lead.LineSales], m.Interval(&res, lead.LineSales)
}

// An expert's chance is as sure as a share of that many leads, and the more leads it is taken for the
// surer it is.
func TestIntervalOfAGuess(t *testing.T) {
	width := int32(math.MaxInt32)
	for _, prior := range []int32{1, 10, 0, 200, 1_000_000} {
		ppm, i := intervalOf(t, guess(prior), 1)
		want := prior
		if prior == 0 {
			want = scoring.DefaultPriorLeads
		}
		if ppm != 200_000 || i.PriorLeads != want || i.Low > ppm || i.High < ppm || i.Low < 0 || i.High > 1_000_000 {
			t.Errorf("worth %d leads: %d within %+v", prior, ppm, i)
		}
		if i.High-i.Low >= width {
			t.Errorf("worth %d leads the interval is %d wide, of fewer it was %d", prior, i.High-i.Low, width)
		}
		width = i.High - i.Low
	}
	// 10 of 50: 11.2 % to 33.0 % (Wilson).
	if _, i := intervalOf(t, guess(50), 1); i.Low < 112_000 || i.Low > 113_000 || i.High < 330_000 || i.High > 331_000 {
		t.Errorf("10 of 50 are within %+v", i)
	}
	// A chance of 0 is not sure either.
	if ppm, i := intervalOf(t, scoring.Line{Calibration: calibration(0, 0, 0), Stages: stages()}, 1); ppm != 0 || i.Low != 0 || i.High < 50_000 {
		t.Errorf("0 within %+v", i)
	}
}

// Learned bounds are taken as they are, between knots as the chance is; errors of points widen them.
func TestIntervalOfALearnedLine(t *testing.T) {
	learned := func(bin, base int32) scoring.Line {
		l := guess(0)
		l.BaseError, l.Rows[0].Bins[1].Error = base, bin
		for i, b := range [][2]int32{{0, 10_000}, {180_000, 230_000}, {900_000, 1_000_000}} {
			l.Calibration[i].Low, l.Calibration[i].High = &b[0], &b[1]
		}
		return l
	}
	if ppm, i := intervalOf(t, learned(0, 0), 1); ppm != 200_000 || i != (scoring.Interval{Low: 180_000, High: 230_000}) {
		t.Errorf("at a knot: %d within %+v", ppm, i)
	}
	if ppm, i := intervalOf(t, learned(300, 0), 0); ppm != 80_000 || i != (scoring.Interval{Low: 72_000, High: 98_000}) {
		t.Errorf("between two, where the bin with an error takes no part: %d within %+v", ppm, i)
	}
	// 3 and 4 points of error are 5, at 95 % 9.79: down to 160,840 and up to 356,640 by points alone.
	if _, i := intervalOf(t, learned(300, 400), 1); i != (scoring.Interval{Low: 200_000 - 43_971, High: 200_000 + 159_486}) {
		t.Errorf("with errors: %+v, widths %d and %d", i, 200_000-i.Low, i.High-200_000)
	}
}

func TestIntervalOfNothing(t *testing.T) {
	m, _ := scoring.Compile(scoring.Definition{Lines: map[string]scoring.Line{"SALES": guess(0)}})
	for _, line := range []lead.Line{lead.LineUnspecified, lead.LineService, 200} {
		if i := m.Interval(&scoring.Result{}, line); i != (scoring.Interval{High: 1_000_000}) {
			t.Errorf("%v: %+v", line, i)
		}
	}
}

func TestBoundsAreChecked(t *testing.T) {
	for name, change := range map[string]func(l *scoring.Line){
		"one bound":            func(l *scoring.Line) { l.Calibration[0].Low = p32(0) },
		"some knots only":      func(l *scoring.Line) { l.Calibration[1].Low, l.Calibration[1].High = p32(1), p32(300_000) },
		"low above the chance": func(l *scoring.Line) { all(l, 300_000, 1_000_000) },
		"high below it":        func(l *scoring.Line) { all(l, 0, 100_000) },
		"prior leads":          func(l *scoring.Line) { l.PriorLeads = -1 },
		"too many prior leads": func(l *scoring.Line) { l.PriorLeads = scoring.MaxPriorLeads + 1 },
		"an error below 0":     func(l *scoring.Line) { l.Rows[0].Bins[0].Error = -1 },
		"a base error below 0": func(l *scoring.Line) { l.BaseError = -1 },
	} {
		l := guess(0)
		change(&l)
		if m, problems := scoring.Compile(scoring.Definition{Lines: map[string]scoring.Line{"SALES": l}}); m != nil || len(problems) == 0 {
			t.Errorf("%s compiles", name)
		}
	}
}

// all gives every knot the same bounds.
func all(l *scoring.Line, low, high int32) {
	for i := range l.Calibration {
		l.Calibration[i].Low, l.Calibration[i].High = &low, &high
	}
}
