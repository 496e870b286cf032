package train_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	"github.com/leadmesh/leadmesh/core/scoring/train/traintest"
)

// foretold learns from the oldest four fifths of a world and returns the area under the curve on the
// others.
func foretold(t *testing.T, w traintest.World) (*card.Card, *train.Report, float64) {
	t.Helper()
	cut := w.Frame.Rows * 8 / 10
	c, rep, err := train.Learn(w.Frame.Slice(0, cut), w.Outcomes[:cut], train.Options{Target: target, Ordered: true, Bags: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	newest := w.Frame.Slice(cut, w.Frame.Rows)
	results, won := make([]card.Result, newest.Rows), make([]bool, newest.Rows)
	bound(t, c, newest).ScoreAll(results, 0, newest.Rows)
	for i, o := range w.Outcomes[cut:] {
		won[i] = o == train.Won
	}
	return c, rep, assess.AUC(assess.Of(results, won, nil)).Value
}

func TestWhatGoesWithThePeriodIsNotTakenForASignal(t *testing.T) {
	honest := traintest.Rate
	for _, ways := range []traintest.Drift{traintest.Calendar, traintest.Macro, traintest.Counters} {
		w := traintest.Make(8000, honest|ways, 1, 5)
		c, rep, area := foretold(t, w)
		// The same rows without the columns of the period are what cannot mislead.
		bare := w
		bare.Frame = w.Frame.Slice(0, w.Frame.Rows)
		bare.Frame.Columns = bare.Frame.Columns[:6:6]
		_, _, clean := foretold(t, bare)
		t.Logf("%v: %.4f, without the columns that drift %.4f", ways, area, clean)
		if area < clean-0.005 {
			t.Errorf("%v: area under the curve %.4f, without the columns that drift %.4f", ways, area, clean)
		}
		for _, p := range c.Pairs {
			for _, name := range []string{p.First.Feature, p.Second.Feature} {
				if name == "month" || name == "employed" || name == "form" {
					t.Errorf("%v: a pair with %s", ways, name)
				}
			}
		}
		if ways == traintest.Macro && !strings.Contains(held(rep, "employed")+held(rep, "interest rate"), "row") {
			t.Errorf("what all rows of a week share is in use: %+v", rep.Columns)
		}
	}
}

// What goes with a campaign tells the rows of a fold that came while that campaign went on, and nothing of those
// after it.
func TestWhatTellsACampaignIsHeldBack(t *testing.T) {
	_, rep, area := foretold(t, traintest.Make(30_000, traintest.Campaigns, 1, 1012))
	t.Logf("area under the curve %.4f", area)
	if why := held(rep, "budget"); !strings.Contains(why, "newer rows are not told better") {
		t.Errorf("the budget of past campaigns is held back for %q", why)
	}
	if why := held(rep, "day of campaign"); why != "" {
		t.Errorf("what each campaign has again is held back: %s", why)
	}
}

func TestWhatRunsAwayIsCappedWhereItTells(t *testing.T) {
	w := additive(8000, 0, 71)
	n := w.f.Rows
	moving := w.f.Columns[0].Numbers
	for i := range moving {
		// The younger the row the higher what it has, and the chance moves with how far it is above its time.
		moving[i] += 6 * float64(i) / float64(n)
	}
	_, rep := learn(t, w, train.Options{Ordered: true, Bags: 2, Pairs: -1})
	c := rep.Columns[0]
	if !c.Used || c.Capped == "" || c.Drift < 0.25 {
		t.Errorf("%+v", c)
	}
	if text := strings.Join(rep.Words, "\n"); !strings.Contains(text, "slope drifts") || !strings.Contains(text, "capped to those of the newest rows") {
		t.Errorf("words: %s", text)
	}
}

func TestRecalibrationFollowsATrend(t *testing.T) {
	w := traintest.Make(30_000, traintest.Rate, 1, 6)
	half := w.Frame.Rows / 2
	c, _, err := train.Learn(w.Frame.Slice(0, half), w.Outcomes[:half], train.Options{Target: target, Ordered: true, Bags: 2, Pairs: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	off := func(halfLife float64) float64 {
		recent, came := w.Frame.Slice(half, half+10_000), w.Outcomes[half:half+10_000]
		again, err := train.Recalibrate(c, recent, came, nil, halfLife)
		if err != nil {
			t.Fatal(err)
		}
		next := w.Frame.Slice(half+10_000, half+11_000)
		r := report(t, again, world{f: next, outcomes: w.Outcomes[half+10_000 : half+11_000]})
		return r.Calibration.Error.Value
	}
	found, alike := off(0), off(-1)
	t.Logf("chances of the next rows are off by %.4f, where all outcomes count alike by %.4f", found, alike)
	if found > 0.03 || alike < found+0.05 {
		t.Errorf("chances of the next rows are off by %.4f, where all outcomes count alike by %.4f", found, alike)
	}
}

func TestWorldsAreTheSameEachTime(t *testing.T) {
	one, two := traintest.Make(500, traintest.All, 1, 1), traintest.Make(500, traintest.All, 1, 1)
	if diff := cmp.Diff(one, two, cmp.AllowUnexported()); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(one.Outcomes, traintest.Make(500, traintest.All, 1, 2).Outcomes) {
		t.Error("the seed changes nothing")
	}
}
