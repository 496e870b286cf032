package train

import (
	"math"
	"math/rand/v2"
	"testing"
)

// streamOf draws outcomes of rows whose scores are right but for a level that moves.
func streamOf(rows int, seed uint64, moved func(i int) float64) (scores, y, w []float64) {
	rng := rand.New(rand.NewPCG(seed, 4))
	for i := range rows {
		s := rng.NormFloat64() - 1
		won := 0.0
		if rng.Float64() < sigmoid(s+moved(i)) {
			won = 1
		}
		scores, y, w = append(scores, s), append(y, won), append(w, 1)
	}
	return scores, y, w
}

func TestLevelsAreForetold(t *testing.T) {
	const rows = 4000
	for name, c := range map[string]struct {
		moved           func(i int) float64
		low, high       float64 // of the level found
		moving, trended [2]float64
	}{
		"still":          {func(int) float64 { return 0.3 }, 0.2, 0.4, [2]float64{0, 0.6}, [2]float64{0, 0.6}},
		"jumped":         {func(i int) float64 { return []float64{0, 2}[i/3000] }, 1.7, 2.3, [2]float64{0.99, 1}, [2]float64{0, 1}},
		"rising":         {func(i int) float64 { return 2.4 * float64(i) / rows }, 2.2, 2.8, [2]float64{0.99, 1}, [2]float64{0.7, 1}},
		"up and down":    {func(i int) float64 { return []float64{-0.6, 0.6}[i/300%2] }, -0.4, 0.4, [2]float64{0.99, 1}, [2]float64{0, 0.6}},
		"all won lately": {func(i int) float64 { return []float64{0, 20}[i/3900] }, 0.5, 8, [2]float64{0.99, 1}, [2]float64{0, 1}},
	} {
		f := foretell(streamOf(rows, 9, c.moved))
		t.Logf("%s: %+v", name, f)
		if f.at < c.low || f.at > c.high || f.moving < c.moving[0] || f.moving > c.moving[1] || f.trend < c.trended[0] || f.trend > c.trended[1] {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if few := foretell(streamOf(150, 9, func(int) float64 { return 0 })); few.moving != 0 || few.err < 0.1 {
		t.Errorf("of few rows: %+v", few)
	}
	if none := foretell(nil, nil, nil); math.IsNaN(none.at) || math.IsNaN(none.err) {
		t.Errorf("of no rows: %+v", none)
	}
}

// The levels of following months fall within the interval about as often as it says, although none of them is
// known from what was.
func TestTheErrorOfAForetoldLevelHolds(t *testing.T) {
	const tries, rows = 200, 3000
	within, alone := 0, 0
	for k := range uint64(tries) {
		rng := rand.New(rand.NewPCG(k, 5))
		var months [12]float64
		for i := range months {
			months[i] = 0.5 * rng.NormFloat64()
		}
		scores, y, w := streamOf(rows, 100+k, func(i int) float64 { return months[i/300] })
		f := foretell(scores, y, w)
		next := (months[10] + months[11]) / 2 // the rows that follow
		if math.Abs(f.at-next) < 1.96*f.err {
			within++
		}
		if math.Abs(level(scores, y, w)-next) < 1.96*0.05 {
			alone++
		}
	}
	if within < tries*85/100 {
		t.Errorf("%d of %d levels fall within the interval", within, tries)
	}
	if alone > tries/2 {
		t.Errorf("%d of %d levels fall within what the rows alone would give, so the months hardly matter", alone, tries)
	}
}
