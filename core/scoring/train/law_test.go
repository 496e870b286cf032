package train_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// bound compiles a card and binds it to rows.
func bound(t *testing.T, c *card.Card, f *frame.Frame) *card.Bound {
	t.Helper()
	scorer, problems := card.Compile(c)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b, err := scorer.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func report(t *testing.T, c *card.Card, w world) *assess.Report {
	t.Helper()
	b := bound(t, c, w.f)
	results := make([]card.Result, w.f.Rows)
	b.ScoreAll(results, 0, w.f.Rows)
	won := make([]bool, w.f.Rows)
	for i, o := range w.outcomes {
		won[i] = o == train.Won
	}
	r, err := assess.Assess(assess.Of(results, won, nil), assess.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestShapesAreRecovered(t *testing.T) {
	w, fresh := additive(8000, -0.5, 11), additive(8000, -0.5, 12)
	c, rep := learn(t, w, train.Options{Monotone: map[string]card.Monotone{"slope": card.Rising}})
	if problems := c.Check(); len(problems) > 0 {
		t.Fatal(problems)
	}
	perLogit := scaleOf(c)
	for _, row := range c.Rows {
		if len(row.Bins) > 18 {
			t.Errorf("%s has %d bins, too many to read", row.Feature, len(row.Bins))
		}
		switch row.Feature {
		case "slope":
			last := int32(math.MinInt32)
			for _, bin := range row.Bins {
				if bin.Missing {
					continue
				}
				if bin.Points < last {
					t.Errorf("slope falls from %d to %d though it shall rise", last, bin.Points)
				}
				last = bin.Points
			}
			if span := float64(last-row.Bins[0].Points) / perLogit; math.Abs(span-2.8) > 0.5 {
				t.Errorf("slope spans %.2f in log-odds, the truth is about 2.8", span)
			}
		case "cut":
			var low, high []float64
			for _, bin := range row.Bins {
				switch {
				case bin.Missing:
				case bin.Below != nil && *bin.Below <= 3:
					low = append(low, float64(bin.Points)/perLogit)
				default:
					high = append(high, float64(bin.Points)/perLogit)
				}
			}
			if gap := slices.Min(high) - slices.Max(low); len(low) == 0 || math.Abs(gap-2) > 0.4 {
				t.Errorf("the cut at 3 is %.2f high in log-odds, the truth is 2: %v %v", gap, low, high)
			}
		case "source":
			for a, x := range sources {
				for b, y := range sources {
					gap := float64(points(t, c, "source", a).Points-points(t, c, "source", b).Points) / perLogit
					if math.Abs(gap-(x-y)) > 0.35 {
						t.Errorf("%s over %s is %.2f in log-odds, the truth is %.2f", a, b, gap, x-y)
					}
				}
			}
		case "luck":
			if float64(rep.Columns[3].Importance)/perLogit > 0.1 {
				t.Errorf("noise moves rows by %.0f points", rep.Columns[3].Importance)
			}
		}
	}
	chance := make([]card.Result, fresh.f.Rows)
	bound(t, c, fresh.f).ScoreAll(chance, 0, fresh.f.Rows)
	off := 0.0
	for i, r := range chance {
		off += math.Abs(float64(r.PPM)/card.Certain-sigmoid(fresh.logodds[i])) / float64(len(chance))
		if r.Points <= 0 || r.Points >= card.MaxPoints {
			t.Fatalf("row %d is clamped at %d points", i, r.Points)
		}
	}
	// Where the slope is missing, in a tenth of the rows, nobody could be nearer than about .13.
	if off > 0.045 {
		t.Errorf("chances are off the truth by %.3f in the mean", off)
	}
	if rep.Merging > 0.001 {
		t.Errorf("merging costs %.4f in log loss", rep.Merging)
	}
}

// scaleOf finds how many points a step of one in log-odds is, from the calibration.
func scaleOf(c *card.Card) float64 {
	n, x, y, xx, xy := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, k := range c.Calibration {
		p := float64(k.PPM) / card.Certain
		at, odds := float64(k.Points), math.Log(p/(1-p))
		n, x, y, xx, xy = n+1, x+at, y+odds, xx+at*at, xy+at*odds
	}
	return (n*xx - x*x) / (n*xy - x*y)
}

func TestRareWinsNeedNoResampling(t *testing.T) {
	w, fresh := additive(12_000, -5.6, 21), additive(20_000, -5.6, 22)
	c, rep := learn(t, w, train.Options{Bags: 6, Pairs: -1})
	if rep.BaseRate > 0.02 {
		t.Fatalf("the world has %.3f wins", rep.BaseRate)
	}
	r := report(t, c, fresh)
	if r.AUC.Value < 0.80 {
		t.Errorf("area %.3f; the truth gives about .86", r.AUC.Value)
	}
	if r.Calibration.Error.Value > 0.004 {
		t.Errorf("chances are off by %.4f with %.4f won", r.Calibration.Error.Value, r.Share)
	}
}

func TestAPairThatOnlyTogetherTellsIsFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 1))
	const rows = 4000
	a, b, luck := make([]float64, rows), make([]float64, rows), make([]float64, rows)
	w := world{outcomes: make([]train.Outcome, rows)}
	for i := range rows {
		a[i], b[i], luck[i] = rng.Float64(), rng.Float64(), rng.Float64()
		z := -1.2
		if (a[i] < 0.5) == (b[i] < 0.5) {
			z = 1.2
		}
		if rng.Float64() < sigmoid(z+0.6*(a[i]-0.5)) {
			w.outcomes[i] = train.Won
		}
	}
	w.f = &frame.Frame{Rows: rows, Columns: []frame.Column{frame.Numeric("a", a), frame.Numeric("b", b), frame.Numeric("luck", luck)}}
	c, rep := learn(t, w, train.Options{Bags: 6})
	if len(c.Pairs) == 0 || c.Pairs[0].First.Feature != "a" || c.Pairs[0].Second.Feature != "b" {
		t.Fatalf("pairs: %+v", c.Pairs)
	}
	if rep.Unseen.AUC < 0.72 {
		t.Errorf("area %.3f; the truth gives about .77", rep.Unseen.AUC)
	}
	if problems := c.Check(); len(problems) > 0 {
		t.Error(problems)
	}
	none, _ := learn(t, w, train.Options{Bags: 6, Pairs: -1})
	if len(none.Pairs) > 0 {
		t.Error("pairs were learned though none may be")
	}
}

func TestOpenRowsAreNotLost(t *testing.T) {
	// Wins take long, losses are quick, and rows come in evenly: of the young rows mostly the lost ones
	// are decided.
	rng := rand.New(rand.NewPCG(41, 1))
	const rows = 6000
	truth := 0.0
	x, age, arrived := make([]float64, rows), make([]float64, rows), make([]int64, rows)
	open, lost, dropped := make([]train.Outcome, rows), make([]train.Outcome, rows), []int32{}
	for i := range rows {
		x[i] = rng.NormFloat64()
		arrived[i] = int64(i)
		p := sigmoid(-0.4 + x[i])
		truth += p / rows
		outcome, delay := train.Lost, rng.ExpFloat64()*30
		if rng.Float64() < p {
			outcome, delay = train.Won, 20+rng.ExpFloat64()*60
		}
		watched := 400 * (1 - float64(i)/rows)
		open[i], lost[i], age[i] = outcome, outcome, delay
		if delay > watched {
			open[i], lost[i], age[i] = train.Open, train.Lost, watched
		} else {
			dropped = append(dropped, int32(i))
		}
	}
	f := &frame.Frame{Rows: rows, Columns: []frame.Column{frame.Numeric("x", x)}}
	mean := func(c *card.Card) float64 {
		b, sum := bound(t, c, f), 0.0
		for i := range rows {
			sum += float64(b.Score(i).PPM) / card.Certain / rows
		}
		return sum
	}
	o := train.Options{Time: arrived, Age: age, Bags: 6}
	honest, rep := learn(t, world{f: f, outcomes: open}, o)
	naive, _ := learn(t, world{f: f, outcomes: lost}, o)
	kept := f.Take(dropped)
	closed := make([]train.Outcome, len(dropped))
	for i, row := range dropped {
		closed[i] = open[row]
	}
	without, _ := learn(t, world{f: kept, outcomes: closed}, train.Options{Ordered: true, Bags: 6})
	t.Logf("truth %.3f, open rows weighted %.3f, taken for lost %.3f, left out %.3f", truth, mean(honest), mean(naive), mean(without))
	if math.Abs(mean(honest)-truth) > 0.02 {
		t.Errorf("with open rows weighted the mean chance is %.3f, the truth %.3f", mean(honest), truth)
	}
	if math.Abs(rep.BaseRate-truth) > 0.02 {
		t.Errorf("the share won is taken for %.3f, the truth %.3f", rep.BaseRate, truth)
	}
	if truth-mean(naive) < 0.03 || truth-mean(without) < 0.03 {
		t.Error("the world is too kind: the naive ways are not biased")
	}
	_, _, err := train.Learn(f, open, train.Options{Target: target}, nil)
	if err == nil || !strings.Contains(err.Error(), "age") {
		t.Errorf("open rows without ages: %v", err)
	}
}

// A win takes a month and rows come in faster and faster, so most of the newest are open: what is learned is
// tried on older rows too, whose outcome is known, and its figures speak of those.
func TestFiguresSpeakOfDecidedRows(t *testing.T) {
	for _, rows := range []int{4000, 60_000} { // tried by four looks ahead, and by one
		rng := rand.New(rand.NewPCG(42, uint64(rows)))
		x, age, arrived, outcomes := make([]float64, rows), make([]float64, rows), make([]int64, rows), make([]train.Outcome, rows)
		decided := 0
		for i := range rows {
			x[i] = rng.NormFloat64()
			day := 400 * math.Sqrt(float64(i)/float64(rows))
			if i >= rows*3/4 {
				day = 390 + 10*float64(i-rows*3/4)/float64(rows/4) // a campaign
			}
			arrived[i] = int64(day * 1000)
			age[i] = 20 + 20*rng.Float64()
			if rng.Float64() < sigmoid(-0.4+1.2*x[i]) {
				outcomes[i] = train.Won
			}
			if left := 400 - day; age[i] > left {
				outcomes[i], age[i] = train.Open, left
			} else {
				decided++
			}
		}
		w := world{f: &frame.Frame{Rows: rows, Columns: []frame.Column{frame.Numeric("x", x)}}, outcomes: outcomes}
		_, rep := learn(t, w, train.Options{Time: arrived, Age: age, Bags: 4, Pairs: -1, Workers: 2})
		if least := int64(decided / 11); rep.Unseen.Rows < least {
			t.Errorf("of %d rows, %d decided, the figures speak of %d", rows, decided, rep.Unseen.Rows)
		}
		if u := rep.Unseen; u.AUC < 0.74 || u.AUC > 0.84 || u.Positives < u.Rows/3 {
			t.Errorf("of %d rows: %+v", rows, u)
		}
		if rep.Nothing || rep.Columns[0].Alone < 0.7 {
			t.Errorf("of %d rows: nothing to learn %v, alone %.3f", rows, rep.Nothing, rep.Columns[0].Alone)
		}
	}
}

func TestRecalibrateFollowsTheShareWon(t *testing.T) {
	w := additive(4000, 0, 51)
	c, _ := learn(t, w, train.Options{Bags: 6, Pairs: -1})
	recent, fresh := additive(1500, -1.5, 52), additive(6000, -1.5, 53)
	if r := report(t, c, fresh); r.Calibration.Error.Value < 0.1 {
		t.Fatalf("the share won fell and the old chances are off by only %.3f", r.Calibration.Error.Value)
	}
	again, err := train.Recalibrate(c, recent.f, recent.outcomes, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, old := report(t, again, fresh), report(t, c, fresh)
	if r.Calibration.Error.Value > 0.02 {
		t.Errorf("chances are off by %.3f after recalibration", r.Calibration.Error.Value)
	}
	if r.AUC != old.AUC {
		t.Errorf("the order of rows changed: %v, was %v", r.AUC, old.AUC)
	}
	if problems := again.Check(); len(problems) > 0 {
		t.Error(problems)
	}
}

// Few rows of a share won that has not moved are off by chance, which a card of many rows outweighs; of a share
// that did move they are enough.
func TestRecalibrateTellsChanceFromMoves(t *testing.T) {
	c, _ := learn(t, additive(4000, 0, 61), train.Options{Bags: 6, Pairs: -1})
	const draws, few = 20, 300
	fresh := additive(6000, 0, 62)
	mean := func(c *card.Card) float64 {
		b, sum := bound(t, c, fresh.f), 0.0
		for i := range fresh.f.Rows {
			sum += float64(b.Score(i).PPM) / card.Certain / float64(fresh.f.Rows)
		}
		return sum
	}
	before := mean(c)
	for _, tt := range []struct{ by, least, most float64 }{{0, 0, 0.012}, {-1.2, 0.15, 0.25}} {
		change := 0.0
		for k := range draws {
			recent := additive(few, tt.by, 100+uint64(k))
			again, err := train.Recalibrate(c, recent.f, recent.outcomes, nil, -1)
			if err != nil {
				t.Fatal(err)
			}
			change += math.Abs(mean(again)-before) / draws
		}
		t.Logf("log-odds moved by %g: the mean chance is changed by %.4f", tt.by, change)
		if change < tt.least || change > tt.most {
			t.Errorf("log-odds moved by %g: the mean chance is changed by %.4f, want %g to %g", tt.by, change, tt.least, tt.most)
		}
	}
}
