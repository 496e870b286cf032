package train_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

func below(v float64) *float64 { return &v }

// expert thinks that friends are bad and the fair good, and knows nothing of the slope.
func expert() *card.Card {
	return &card.Card{
		Target: target, Base: 4000,
		Rows: []card.Row{
			{Feature: "source", Kind: frame.Category, Group: "fit", Bins: []card.Bin{
				{Values: []string{"friend"}, Points: -1500}, {Values: []string{"fair"}, Points: 2000}, {Other: true}, {Missing: true},
			}},
			{Feature: "cut", Kind: frame.Number, Monotone: card.Rising, Bins: []card.Bin{
				{Below: below(2), Points: 0}, {Below: below(5), Points: 500}, {Other: true, Points: 900}, {Missing: true},
			}},
		},
		Calibration: []card.Knot{{Points: 0, PPM: 20_000, High: card.Certain}, {Points: 5000, PPM: 500_000, High: card.Certain}, {Points: 10_000, PPM: 980_000, High: card.Certain}},
	}
}

// points reads the points a card gives to one value of a category.
func points(t *testing.T, c *card.Card, feature, value string) card.Bin {
	t.Helper()
	for _, row := range c.Rows {
		if row.Feature != feature {
			continue
		}
		for _, bin := range row.Bins {
			for _, v := range bin.Values {
				if v == value {
					return bin
				}
			}
		}
		for _, bin := range row.Bins {
			if bin.Other {
				return bin
			}
		}
	}
	t.Fatalf("no points for %s of %s", value, feature)
	return card.Bin{}
}

// No outcome is known, be it that there are no rows or that all are open yet.
func TestFromNoOutcomesComesTheExpertsTable(t *testing.T) {
	for _, n := range []int{0, 43, 500} {
		prior, rows := expert(), additive(500, 0, 1)
		w := world{f: rows.f.Slice(0, n), outcomes: make([]train.Outcome, n)}
		ages := make([]float64, n)
		for i := range ages {
			w.outcomes[i], ages[i] = train.Open, float64(n-i)
		}
		c, r := learn(t, w, train.Options{Prior: prior, Ordered: true, Age: ages})
		if diff := cmp.Diff(prior, c, cmpopts.IgnoreFields(card.Bin{}, "Error"), cmpopts.IgnoreFields(card.Card{}, "Learned")); diff != "" {
			t.Errorf("%d rows: %s", n, diff)
		}
		if r.Nothing || points(t, c, "source", "friend").Error == 0 {
			t.Errorf("%d rows: nothing was seen and the points are certain", n)
		}
	}
}

func TestPointsMoveFromTheExpertsToTheDatas(t *testing.T) {
	all := additive(20_000, 0, 2)
	last := math.Inf(1)
	for _, rows := range []int{0, 10, 200, 4000, 20_000} {
		w := world{f: all.f.Slice(0, rows), outcomes: all.outcomes[:rows]}
		c, _ := learn(t, w, train.Options{Prior: expert(), Bags: 6, Pairs: -1})
		friend, fair := points(t, c, "source", "friend"), points(t, c, "source", "fair")
		gap := float64(friend.Points - fair.Points)
		perLogit := 10_000 / (2 * math.Log(0.98/0.02))
		t.Logf("%d rows: %.0f points, error %d", rows, gap, friend.Error)
		switch {
		case rows <= 10 && math.Abs(gap+3500) > 400:
			t.Errorf("%d rows moved the expert's gap of -3500 to %.0f", rows, gap)
		case rows == 20_000 && math.Abs(gap-0.8*perLogit) > 0.25*perLogit:
			t.Errorf("after %d rows the gap is %.0f, the truth %.0f", rows, gap, 0.8*perLogit)
		}
		if e := float64(friend.Error); e > last*1.2 {
			t.Errorf("with %d rows the error grew from %.0f to %.0f", rows, last, e)
		} else {
			last = e
		}
		if problems := c.Check(); len(problems) > 0 {
			t.Error(problems)
		}
	}
}

func TestPointsThatLeaveTheirRangeAreRescaled(t *testing.T) {
	prior := expert()
	prior.Base = 8500
	prior.Rows[0].Bins[1].Points = 1400
	prior.Cap = card.Cap{Max: new(int32)}
	*prior.Cap.Max = card.MaxPoints
	prior.Groups = map[string]card.Cap{"fit": {Max: &prior.Rows[0].Bins[1].Points}}
	// The rows know far more than the expert, and lead beyond the range from a base so high.
	w := additive(8000, 3, 81)
	for i := range w.outcomes {
		if w.logodds[i] > 3.5 {
			w.outcomes[i] = train.Won
		} else if w.logodds[i] < 1 {
			w.outcomes[i] = train.Lost
		}
	}
	c, rep := learn(t, w, train.Options{Prior: prior, Bags: 4, Pairs: -1})
	if problems := c.Check(); len(problems) > 0 {
		t.Fatal(problems)
	}
	if !strings.Contains(strings.Join(rep.Words, "\n"), "multiplied by 0.") {
		t.Fatalf("nothing was rescaled: %v", rep.Words)
	}
	if most := *c.Groups["fit"].Max; most >= 1400 || most <= 0 {
		t.Errorf("the cap of the group is %d, was 1400", most)
	}
	clamped := 0
	for i, b := 0, bound(t, c, w.f); i < w.f.Rows; i++ {
		if p := b.Score(i).Points; p <= 0 || p >= card.MaxPoints {
			clamped++
		}
	}
	if clamped > w.f.Rows/50 {
		t.Errorf("%d of %d rows are clamped", clamped, w.f.Rows)
	}
}

// An expert who takes wins for far rarer than they are is set right in level, and keeps no row from
// saying what its columns tell.
func TestAnExpertsLevelMayBeFarOff(t *testing.T) {
	w := additive(6000, 0, 4)
	prior := expert()
	prior.Calibration = []card.Knot{{Points: 0, PPM: 1000, High: card.Certain}, {Points: 5000, PPM: 8000, High: card.Certain}, {Points: 10_000, PPM: 60_000, High: card.Certain}}
	near, _ := learn(t, w, train.Options{Prior: expert(), Bags: 4, Pairs: -1})
	far, report := learn(t, w, train.Options{Prior: prior, Bags: 4, Pairs: -1})
	perLogit := func(c *card.Card) float64 {
		a, b := c.Calibration[0], c.Calibration[len(c.Calibration)-1]
		odds := func(k card.Knot) float64 { p := float64(k.PPM) / card.Certain; return math.Log(p / (1 - p)) }
		return float64(b.Points-a.Points) / (odds(b) - odds(a))
	}
	want := float64(points(t, near, "source", "friend").Points-points(t, near, "source", "fair").Points) / perLogit(near)
	got := float64(points(t, far, "source", "friend").Points-points(t, far, "source", "fair").Points) / perLogit(far)
	if math.Abs(got-want) > 0.25 {
		t.Errorf("friends are %.2f in log-odds better than the fair, by an expert whose level is right %.2f", got, want)
	}
	if report.Unseen.CalibrationError > 0.03 {
		t.Errorf("chances are off by %.3f", report.Unseen.CalibrationError)
	}
}
