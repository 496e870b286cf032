package train_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// world makes rows whose chance is known: log-odds are a sum over two numbers, a category and
// noise columns that mean nothing.
type world struct {
	f        *frame.Frame
	outcomes []train.Outcome
	logodds  []float64
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func step(x float64) float64 {
	if x < 3 {
		return -1
	}
	return 1
}

var sources = map[string]float64{"web": 0, "friend": 1.2, "fair": 0.4, "bought": -1.5}

func additive(rows int, base float64, seed uint64) world {
	rng := rand.New(rand.NewPCG(seed, 9))
	slope, cut, luck := make([]float64, rows), make([]float64, rows), make([]float64, rows)
	source := make([]string, rows)
	w := world{outcomes: make([]train.Outcome, rows), logodds: make([]float64, rows)}
	names := []string{"web", "friend", "fair", "bought"}
	for i := range rows {
		slope[i], cut[i], luck[i] = rng.Float64()*10, float64(rng.IntN(8)), rng.NormFloat64()
		source[i] = names[rng.IntN(4)]
		w.logodds[i] = base + 0.3*(slope[i]-5) + step(cut[i]) + sources[source[i]]
		if rng.Float64() < sigmoid(w.logodds[i]) {
			w.outcomes[i] = train.Won
		}
		if rng.Float64() < 0.1 {
			slope[i] = math.NaN()
		}
	}
	w.f = &frame.Frame{Rows: rows, Columns: []frame.Column{
		frame.Numeric("slope", slope), frame.Numeric("cut", cut),
		frame.Categorical("source", source), frame.Numeric("luck", luck),
	}}
	return w
}

var target = card.Target{Column: "won", Positive: "yes"}

func learn(t *testing.T, w world, o train.Options) (*card.Card, *train.Report) {
	t.Helper()
	o.Target = target
	c, report, err := train.Learn(w.f, w.outcomes, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, report
}

func TestTheSameRowsGiveTheSameCardOnAnyNumberOfWorkers(t *testing.T) {
	w := additive(1500, 0, 1)
	one, report := learn(t, w, train.Options{Seed: 7, Workers: 1})
	four, again := learn(t, w, train.Options{Seed: 7, Workers: 4})
	if diff := cmp.Diff(one, four); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(report, again); diff != "" {
		t.Error(diff)
	}
	other, _ := learn(t, w, train.Options{Seed: 8, Workers: 1})
	if cmp.Equal(one, other) {
		t.Error("the seed changes nothing")
	}
}

func TestWhatHasNothingToTellGivesAFlatCard(t *testing.T) {
	w := additive(2000, 0, 3)
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range w.outcomes {
		w.outcomes[i] = train.Outcome(rng.IntN(2))
	}
	c, report := learn(t, w, train.Options{})
	if !report.Nothing || len(c.Rows) != 0 || len(c.Pairs) != 0 {
		t.Errorf("learned %d rows of noise", len(c.Rows))
	}
	if k := c.Calibration[0]; math.Abs(float64(k.PPM)/card.Certain-report.BaseRate) > 1e-6 || k.Low >= k.PPM || k.High <= k.PPM {
		t.Errorf("the base rate %v became %+v", report.BaseRate, k)
	}
}

func TestCancelling(t *testing.T) {
	w := additive(5000, 0, 4)
	for _, stop := range []int{1, 10, 100, 400} {
		calls := 0
		_, _, err := train.Learn(w.f, w.outcomes, train.Options{Target: target, Workers: 2}, func(done, of int) bool {
			calls++
			return calls < stop
		})
		if !errors.Is(err, train.ErrCancelled) || calls != stop {
			t.Errorf("stopped at call %d: got %v after %d", stop, err, calls)
		}
	}
}

func TestStepsAreCancelledWithin(t *testing.T) {
	w := additive(5000, 0, 4)
	within := make(map[int]int)
	_, _, err := train.Learn(w.f, w.outcomes, train.Options{Target: target}, func(done, of int) bool {
		within[done]++
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	// Coding the columns, the first trial and the last fit.
	for _, done := range []int{1, 2, 4} {
		if calls := within[done]; calls < len(w.f.Columns) {
			t.Errorf("within step %d somebody asked %d times", done, calls)
		}
	}
}
