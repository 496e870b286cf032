package assess_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

func close(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(b)) }

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestAUCByHand(t *testing.T) {
	const y, n = true, false
	for _, tt := range []struct {
		name string
		s    assess.Sample
		want float64
	}{
		{"in order", assess.Sample{Probability: []float64{.1, .2, .8, .9}, Won: []bool{n, n, y, y}}, 1},
		{"upside down", assess.Sample{Probability: []float64{.9, .1}, Won: []bool{n, y}}, 0},
		// Pairs: .8>.1, .8>.35, .4>.1, .4>.35 ... of 2x2 three are right.
		{"one pair wrong", assess.Sample{Probability: []float64{.1, .4, .35, .8}, Won: []bool{n, n, y, y}}, 0.75},
		{"all equal", assess.Sample{Probability: []float64{.5, .5, .5}, Won: []bool{n, y, y}}, 0.5},
		// .7 against .7 counts half, against .2 one: (0.5+1)/2.
		{"a tie", assess.Sample{Probability: []float64{.7, .7, .2}, Won: []bool{y, n, n}}, 0.75},
		// The same with the tied loss counted three times: (3*0.5+1)/4.
		{"weights", assess.Sample{Probability: []float64{.7, .7, .2}, Won: []bool{y, n, n}, Weight: []float64{2, 3, 1}}, 0.625},
		{"score before probability", assess.Sample{Probability: []float64{.5, .5}, Score: []float64{10, 20}, Won: []bool{n, y}}, 1},
		{"no wins", assess.Sample{Probability: []float64{.7, .2}, Won: []bool{n, n}}, 0.5},
	} {
		got := assess.AUC(tt.s)
		if !close(got.Value, tt.want) || got.Low > got.Value || got.High < got.Value {
			t.Errorf("%s: %+v, want %v", tt.name, got, tt.want)
		}
	}
	// DeLong by hand: wins stand right of 1 and 1/2 of the losses, losses below 1 and 1/2 of the
	// wins. Each variance: ((.25)^2+(.25)^2)/(2-1)/2 = 1/16; together 1/8.
	got := assess.AUC(assess.Sample{Probability: []float64{.1, .4, .35, .8}, Won: []bool{n, n, y, y}})
	l, d := math.Log(3), 1.959963984540054*math.Sqrt(1.0/8)/(0.75*0.25)
	near(t, "low", got.Low, 1/(1+math.Exp(d-l)), 1e-12)
	near(t, "high", got.High, 1/(1+math.Exp(-l-d)), 1e-12)
	// Two disjoint pairs in order: 0.025^(1/2).
	got = assess.AUC(assess.Sample{Probability: []float64{.1, .2, .8, .9}, Won: []bool{n, n, y, y}})
	near(t, "low of a perfect order", got.Low, math.Sqrt(0.025), 1e-12)
}

func TestLossesByHand(t *testing.T) {
	s := assess.Sample{Probability: []float64{.9, .2, .5, 0}, Won: []bool{true, false, true, false}, Weight: []float64{1, 1, 2, 0}}
	near(t, "log loss", assess.LogLoss(s).Value, (-math.Log(.9)-math.Log(.8)-2*math.Log(.5))/4, 1e-12)
	near(t, "brier", assess.Brier(s).Value, (.01+.04+2*.25)/4, 1e-12)
	// Two rows with losses 0 and 1: the mean's variance is (0.25+0.25)/1/2 = 1/4.
	two := assess.Sample{Probability: []float64{1, 1}, Won: []bool{true, false}}
	near(t, "upper end", assess.Brier(two).High, 1, 0) // 0.5 + 1.96*0.5 is kept within 0..1
	four := assess.Sample{Probability: []float64{1, 1, 1, 1, 1, 1, 1, 1}, Won: []bool{true, true, true, true, true, true, true, false}}
	// Mean 1/8, squared deviations 7/64+49/64 = 7/8; /7 /8 = 1/64.
	near(t, "upper end of eight", assess.Brier(four).High, 0.125+1.959963984540054/8, 1e-12)
	certain := assess.Sample{Probability: []float64{1, 0}, Won: []bool{false, true}}
	near(t, "the worst", assess.LogLoss(certain).Value, -math.Log(5e-7), 1e-9)
}

func TestReliabilityByHand(t *testing.T) {
	s := assess.Sample{
		Probability: []float64{.1, .1, .1, .2, .3, .3, .8, .9},
		Won:         []bool{false, false, true, false, true, false, true, true},
	}
	bins := assess.Reliability(s, 2)
	if len(bins) != 2 {
		t.Fatalf("%d bins", len(bins))
	}
	got := []float64{bins[0].From, bins[0].To, float64(bins[0].Rows), bins[0].Stated, bins[0].Won.Value, bins[1].From, bins[1].To, bins[1].Weight, bins[1].Stated, bins[1].Won.Value}
	for i, want := range []float64{.1, .2, 4, .125, .25, .3, .9, 4, .575, .75} {
		near(t, "figure", got[i], want, 1e-12)
	}
	// Wilson for 1 of 4: (0.25+z2/8)/(1+z2/4) -+ z/(1+z2/4)*sqrt(0.1875/4+z2/64).
	near(t, "wilson low", bins[0].Won.Low, 0.0455872608, 1e-9)
	near(t, "wilson high", bins[0].Won.High, 0.6993581574, 1e-9)
	c := assess.CalibrationError(s, 2, 1)
	near(t, "raw", c.Raw, (.125+.175)/2, 1e-12)
	v0, v1 := (3*.09+.16)/16, (2*.21+.16+.09)/16
	near(t, "noise", c.Noise, (math.Sqrt(2/math.Pi*v0)+math.Sqrt(2/math.Pi*v1))/2, 1e-12)
	// The same distance in both bins, folded with their noise, is seen as raw.
	folded := func(x, v float64) float64 {
		return math.Sqrt(2*v/math.Pi)*math.Exp(-x*x/(2*v)) + x*math.Erf(x/math.Sqrt(2*v))
	}
	near(t, "folded", (folded(c.Error.Value, v0)+folded(c.Error.Value, v1))/2, c.Raw, 1e-6)
	if c.Error.Low != 0 || c.Error.High < .15 { // eight rows tell next to nothing
		t.Errorf("%+v", c.Error)
	}
	// Rows of equal chance are not parted.
	if bins := assess.Reliability(assess.Sample{Probability: []float64{.1, .1, .1, .1, .1, .9}, Won: make([]bool, 6)}, 3); len(bins) != 2 || bins[0].Rows != 5 {
		t.Errorf("%+v", bins)
	}
}

// drawn makes rows whose true chance is that of a wave, and a table that says bend of it.
func drawn(r *rand.Rand, n int, bend func(p float64) float64) assess.Sample {
	s := assess.Sample{Probability: make([]float64, n), Won: make([]bool, n)}
	for i := range n {
		p := 1 / (1 + math.Exp(1-1.2*r.NormFloat64()))
		s.Probability[i], s.Won[i] = bend(p), r.Float64() < p
	}
	return s
}

func same(p float64) float64 { return p }

func TestCalibrationErrorTellsNoiseFromFault(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var raw, noise, corrected, zero float64
	const times = 100
	for range times {
		c := assess.CalibrationError(drawn(r, 1000, same), 10, 3)
		raw += c.Raw / times
		noise += c.Noise / times
		corrected += c.Error.Value / times
		if c.Error.Low == 0 {
			zero += 1.0 / times
		}
	}
	if raw < .02 || raw > .045 || math.Abs(raw-noise) > .003 {
		t.Errorf("a true table of 1,000 rows: raw %.4f, noise %.4f", raw, noise)
	}
	if corrected > raw/2 || zero < .95 {
		t.Errorf("a true table: corrected %.4f of raw %.4f, 0 in the interval in %.3f of the cases", corrected, raw, zero)
	}
	// A table that says 0.06 too much everywhere.
	inside := 0
	corrected, raw = 0, 0
	for range times {
		c := assess.CalibrationError(drawn(r, 2000, func(p float64) float64 { return min(p+.06, 1) }), 10, 3)
		corrected += c.Error.Value / times
		raw += c.Raw / times
		if c.Error.Low <= .06 && .06 <= c.Error.High {
			inside++
		}
	}
	if math.Abs(corrected-.06) > .006 || float64(inside)/times < .94 {
		t.Errorf("0.06 too much: corrected %.4f (raw %.4f), in the interval %d of %d times", corrected, raw, inside, times)
	}
}

func TestIntervalsHoldTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	truth := assess.AUC(drawn(r, 400_000, same)).Value
	bold := func(p float64) float64 { return 1 / (1 + math.Exp(-2*math.Log(p/(1-p)))) }
	auc, slope, shift := 0, 0, 0
	const times = 200
	for range times {
		s := drawn(r, 600, bold)
		if i := assess.AUC(s); i.Low <= truth && truth <= i.High {
			auc++
		}
		c := assess.Recalibrate(s)
		if c.Slope.Low <= .5 && .5 <= c.Slope.High {
			slope++
		}
		if c.Intercept.Low <= 0 && 0 <= c.Intercept.High {
			shift++
		}
	}
	for name, n := range map[string]int{"AUC": auc, "slope": slope, "intercept": shift} {
		if n < 184 || n == 200 {
			t.Errorf("the interval of %s holds the truth %d of %d times", name, n, times)
		}
	}
}

func TestRecalibrateByHand(t *testing.T) {
	// 0.2 said of 10 rows of which 4 won, 0.6 of 10 of which 9 won: the line goes through both.
	s := assess.Sample{}
	for i := range 20 {
		p, won := .2, i < 4
		if i >= 10 {
			p, won = .6, i < 19
		}
		s.Probability, s.Won = append(s.Probability, p), append(s.Won, won)
	}
	logit := func(p float64) float64 { return math.Log(p / (1 - p)) }
	slope := (logit(.9) - logit(.4)) / (logit(.6) - logit(.2))
	c := assess.Recalibrate(s)
	near(t, "slope", c.Slope.Value, slope, 1e-6)
	near(t, "intercept", c.Intercept.Value, logit(.4)-slope*logit(.2), 1e-6)
	// Its variance: 1/(10*.24) + 1/(10*.09) over the square of the distance.
	near(t, "slope's error", (c.Slope.High-c.Slope.Low)/2, 1.959963984540054*math.Sqrt(1/2.4+1/.9)/(logit(.6)-logit(.2)), 1e-6)
	if c.Shift.Low <= 0 {
		t.Errorf("more wins than stated: %+v", c.Shift)
	}
	// Halved weights and every row twice say the same.
	twice := assess.Sample{Probability: append(append([]float64{}, s.Probability...), s.Probability...), Won: append(append([]bool{}, s.Won...), s.Won...)}
	if d := assess.Recalibrate(twice); d.Slope.High >= c.Slope.High || !close(d.Slope.Value, c.Slope.Value) {
		t.Errorf("%+v", d)
	}
	// Nothing to learn from wins alone.
	all := assess.Recalibrate(assess.Sample{Probability: []float64{.2, .3}, Won: []bool{true, true}})
	if diff := cmp.Diff(assess.Interval{Value: 1, Low: -1000, High: 1000}, all.Slope); diff != "" {
		t.Error(diff)
	}
}

func TestLiftByHand(t *testing.T) {
	s := assess.Sample{Probability: []float64{.9, .8, .7, .7, .7, .7, .2, .1, .1, .1},
		Won: []bool{true, true, true, false, false, true, false, false, false, false}}
	got := assess.LiftTable(s, 5)
	want := []assess.Lift{
		{Share: .2, From: .8, Weight: 2, Won: 2, Rate: 1, Times: 2.5, Gain: .5},
		{Share: .4, From: .7, Weight: 2, Won: 1, Rate: .5, Times: 1.25, Gain: .75}, // two of four tied rows, two of them won
		{Share: .6, From: .7, Weight: 2, Won: 1, Rate: .5, Times: 1.25, Gain: 1},
		{Share: .8, From: .1, Weight: 2, Won: 0, Gain: 1},
		{Share: 1, From: .1, Weight: 2, Won: 0, Gain: 1},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(close)); diff != "" {
		t.Error(diff)
	}
	cut := assess.CutAt(s, .7)
	near(t, "share", cut.Share, .6, 1e-12)
	near(t, "precision", cut.Precision.Value, 4.0/6, 1e-12)
	near(t, "recall", cut.Recall, 1, 1e-12)
	if none := assess.CutAt(s, 2); none.Precision.High != 1 || none.Precision.Low != 0 || none.Share != 0 {
		t.Errorf("%+v", none)
	}
}

func TestCompareIsSharperThanTwoIntervals(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	a := drawn(r, 2000, same)
	b := assess.Sample{Probability: make([]float64, len(a.Probability)), Won: a.Won}
	for i, p := range a.Probability { // somewhat blurred
		b.Probability[i] = 1 / (1 + math.Exp(-math.Log(p/(1-p))-.5*r.NormFloat64()))
	}
	d := assess.Compare(b, a)
	near(t, "difference", d.AUC.Value, assess.AUC(a).Value-assess.AUC(b).Value, 1e-12)
	if d.AUC.Low <= 0 || d.LogLoss.High >= 0 || d.Brier.High >= 0 {
		t.Errorf("the better table is not told from the worse: %+v", d)
	}
	if x, y := assess.AUC(a), assess.AUC(b); x.Low > y.High {
		t.Error("the test is too easy: their intervals do not meet")
	}
	if self := assess.Compare(a, a); self.AUC != (assess.Interval{}) || self.Brier != (assess.Interval{}) {
		t.Errorf("%+v", self)
	}
}

func TestNothingDependsOnTheOrderOfRowsAndWholeWeightsAreCopies(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	s := drawn(r, 500, func(p float64) float64 { return math.Round(p*20) / 20 })
	s.Weight = make([]float64, 500)
	var order, copies []int32
	for i := range s.Weight {
		s.Weight[i] = float64(r.IntN(4))
		order = append(order, int32(i))
		for range int(s.Weight[i]) {
			copies = append(copies, int32(i))
		}
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	assessed := func(s assess.Sample) *assess.Report {
		r, err := assess.Assess(s, assess.Options{Seed: 9})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a := assessed(s)
	if diff := cmp.Diff(a, assessed(s.Rows(order)), cmp.Comparer(close), cmp.AllowUnexported(assess.Bin{})); diff != "" {
		t.Error(diff)
	}
	plain := s
	plain.Weight = nil
	b := assessed(plain.Rows(copies))
	for _, x := range [][2]float64{{a.AUC.Value, b.AUC.Value}, {a.LogLoss.Value, b.LogLoss.Value}, {a.Brier.Value, b.Brier.Value}, {a.Weight, b.Weight},
		{a.Calibration.Raw, b.Calibration.Raw}, {a.Recalibration.Slope.Value, b.Recalibration.Slope.Value}, {a.Lift[2].Gain, b.Lift[2].Gain}, {a.BrierShare, b.BrierShare}} {
		near(t, "figure with weights", x[0], x[1], 1e-6)
	}
	if a.AUC.Low >= b.AUC.Low {
		t.Error("weights must not pass for rows: the interval with them is the narrower one")
	}
}

func TestSegments(t *testing.T) {
	s := assess.Sample{Probability: []float64{.1, .9, .5, .6, .7}, Won: []bool{false, true, true, false, true}}
	c := frame.Categorical("city", []string{"b", "b", "a", "a", ""})
	got, err := assess.Segments(s, &c, assess.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var auc []float64
	for _, x := range got {
		names, auc = append(names, x.Name), append(auc, x.Report.AUC.Value)
	}
	if diff := cmp.Diff([]string{"a", "b", ""}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{0, 1, .5}, auc); diff != "" {
		t.Error(diff)
	}
	n := frame.Numeric("n", make([]float64, 5))
	if _, err := assess.Segments(s, &n, assess.Options{}); err == nil {
		t.Error("a number was taken for a segment")
	}
}

func TestStability(t *testing.T) {
	// Shares .5/.5 against .8/.2 with half a row added: 5.5/11, 8.5/11 ...
	got := assess.StabilityOf([]float64{5, 5, 0}, []float64{8, 2, 0})
	p, q, u, v := 5.5/11, 5.5/11, 8.5/11, 2.5/11
	near(t, "index", got.Index, (p-u)*math.Log(p/u)+(q-v)*math.Log(q/v), 1e-12)
	near(t, "chance", got.Chance, .2, 1e-12)
	r := rand.New(rand.NewPCG(6, 6))
	normal := func(n int, mean float64) frame.Column {
		x := make([]float64, n)
		for i := range x {
			x[i] = mean + r.NormFloat64()
		}
		return frame.Numeric("x", x)
	}
	a := normal(5000, 0)
	var index, chance float64
	for range 20 {
		b := normal(1000, 0)
		s, err := assess.Stability(&a, &b)
		if err != nil {
			t.Fatal(err)
		}
		index, chance = index+s.Index/20, chance+s.Chance/20
	}
	if math.Abs(index-chance) > chance/2 {
		t.Errorf("the same population: index %.4f, chance %.4f", index, chance)
	}
	b := normal(1000, 1)
	if s, _ := assess.Stability(&a, &b); s.Index < .25 {
		t.Errorf("moved by one standard deviation: %+v", s)
	}
	x, y := frame.Categorical("c", []string{"a", "b", "", "a"}), frame.Categorical("c", []string{"b", "a", "a", ""})
	if s, err := assess.Stability(&x, &y); err != nil || s.Index != 0 {
		t.Errorf("the same in another order: %+v, %v", s, err)
	}
	if _, err := assess.Stability(&a, &x); err == nil {
		t.Error("a number was compared with a category")
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	for name, s := range map[string]assess.Sample{
		"no rows":     {},
		"lengths":     {Probability: []float64{.1}, Won: []bool{true, false}},
		"probability": {Probability: []float64{1.1}, Won: []bool{true}},
		"no number":   {Probability: []float64{math.NaN()}, Won: []bool{true}},
		"score":       {Probability: []float64{.1}, Score: []float64{math.NaN()}, Won: []bool{true}},
		"weight":      {Probability: []float64{.1}, Won: []bool{true}, Weight: []float64{-1}},
		"no weight":   {Probability: []float64{.1}, Won: []bool{true}, Weight: []float64{0}},
	} {
		if _, err := assess.Assess(s, assess.Options{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	s := assess.Of([]card.Result{{Points: 1234, PPM: 250_000}}, []bool{true}, nil)
	if s.Probability[0] != .25 || s.Score[0] != 1234 {
		t.Errorf("%+v", s)
	}
}

// BenchmarkAssess assesses 1,000,000 rows.
func BenchmarkAssess(b *testing.B) {
	s := drawn(rand.New(rand.NewPCG(7, 7)), 1_000_000, func(p float64) float64 { return math.Round(p*1e6) / 1e6 })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := assess.Assess(s, assess.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
