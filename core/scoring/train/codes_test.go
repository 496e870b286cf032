package train_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

func TestCodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	// draw is 2000 numbers of which a share are codes, in turn.
	draw := func(share float64, codes []float64, number func() float64) []float64 {
		out := make([]float64, 2000)
		for i := range out {
			if out[i] = number(); len(codes) > 0 && rng.Float64() < share {
				out[i] = codes[i%len(codes)]
			}
			if i%50 == 7 {
				out[i] = math.NaN()
			}
		}
		return out
	}
	days := func() float64 { return float64(1 + rng.IntN(400)) }
	for name, c := range map[string]struct {
		numbers []float64
		want    []float64
	}{
		"days since, -1 never":         {draw(0.8, []float64{-1}, days), []float64{-1}},
		"days since, -999 and -1":      {draw(0.5, []float64{-1, -999}, days), []float64{-999, -1}},
		"days, 999 never":              {draw(0.6, []float64{999}, func() float64 { return float64(rng.IntN(30)) }), []float64{999}},
		"codes at both ends":           {draw(0.6, []float64{-1, 9999}, days), []float64{-1, 9999}},
		"0 for never, others from 100": {draw(0.3, []float64{0}, func() float64 { return 100 + float64(rng.IntN(300)) }), []float64{0}},
		"999 within, but of most rows": {draw(0.8, []float64{999}, func() float64 { return float64(600 + rng.IntN(399)) }), []float64{999}},
		"amounts with a spike of 0":    {draw(0.7, []float64{0}, func() float64 { return float64(rng.IntN(40)) }), nil},
		"balances below nought":        {draw(0, nil, func() float64 { return math.Round(1000 * rng.NormFloat64()) }), nil},
		"capped amounts":               {draw(0, nil, func() float64 { return min(math.Round(rng.ExpFloat64()*500), 999) }), nil},
		"one great amount":             {append(draw(0, nil, days), 99_999), nil},
		"too few of -1":                {draw(0.004, []float64{-1}, days), nil},
		"grades from -1 to 2":          {draw(0, nil, func() float64 { return float64(rng.IntN(4) - 1) }), nil},
		"yes and no":                   {draw(0, nil, func() float64 { return float64(rng.IntN(2)) }), nil},
		"continuous":                   {draw(0, nil, rng.NormFloat64), nil},
		"nothing":                      {nil, nil},
	} {
		var got []float64
		for _, code := range train.Codes(c.numbers) {
			got = append(got, code.Value)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// coded is a world whose days since the last visit tell more the fewer they are, and where -1, for those
// who never came, is won as seldom as 300 days are, and 999, for those nobody asked, most often.
func coded(rows int, seed uint64) world {
	rng := rand.New(rand.NewPCG(seed, 77))
	days, other := make([]float64, rows), make([]float64, rows)
	w := world{outcomes: make([]train.Outcome, rows)}
	for i := range rows {
		other[i] = rng.NormFloat64()
		z := other[i]
		switch u := rng.Float64(); {
		case u < 0.8:
			days[i] = -1
			z -= 1.5
		case u < 0.85:
			days[i] = 999
			z += 3
		default:
			days[i] = float64(1 + rng.IntN(400))
			z += 1.5 - days[i]/133
		}
		if rng.Float64() < sigmoid(z) {
			w.outcomes[i] = train.Won
		}
	}
	w.f = &frame.Frame{Rows: rows, Columns: []frame.Column{frame.Numeric("days since", days), frame.Numeric("other", other)}}
	return w
}

func TestCodesHaveBinsOfTheirOwn(t *testing.T) {
	for _, way := range []card.Monotone{0, card.Falling} {
		w := coded(6000, 1)
		c, rep := learn(t, w, train.Options{Bags: 2, Pairs: -1, Monotone: map[string]card.Monotone{"days since": way}})
		row := c.Rows[0]
		if c.Rows[1].Feature == "days since" {
			row = c.Rows[1]
		}
		bins := row.Bins[:len(row.Bins)-1] // but for missing
		first, last := bins[0], bins[len(bins)-1]
		if first.Below == nil || *first.Below != 0 || math.Abs(float64(first.Count)/6000-0.8) > 0.03 {
			t.Fatalf("the bin of -1: %+v", first)
		}
		if before := bins[len(bins)-2]; !last.Other || before.Below == nil || *before.Below != 999 || last.Count > 400 {
			t.Fatalf("the bin of 999: %+v after %+v", last, before)
		}
		if len(bins) < 6 {
			t.Errorf("the days in between have %d bins", len(bins)-2)
		}
		if first.Points > bins[1].Points-500 || last.Points < bins[len(bins)-2].Points+500 {
			t.Errorf("codes are smoothed into their neighbours: %+v", bins)
		}
		for i := 2; i < len(bins)-1 && way != 0; i++ {
			if bins[i].Points > bins[i-1].Points {
				t.Errorf("falling turns at %+v", bins[i])
			}
		}
		if row.Monotone != 0 {
			t.Error("a card would not be read whose row is falling and rises at a code")
		}
		if problems := c.Check(); len(problems) > 0 {
			t.Error(problems[0])
		}
		text := strings.Join(rep.Words, "\n")
		if !strings.Contains(text, "days since: -1 stands apart: 80 % of rows; read as a code; 999 stands apart: 5 % of rows") {
			t.Errorf("words: %s", text)
		}
		if strings.Contains(text, "but for its codes") != (way != 0) {
			t.Errorf("words of the rule: %s", text)
		}
	}
}

func TestNoughtIsTheBeginningOfAScale(t *testing.T) {
	w := coded(3000, 2)
	days := w.f.Columns[0].Numbers
	for i, d := range days {
		if days[i] = 100 + d; d < 0 || d == 999 {
			days[i] = 0
		}
	}
	if codes := train.Codes(days); len(codes) != 1 || codes[0].Value != 0 {
		t.Fatalf("codes: %+v", codes)
	}
	c, rep := learn(t, w, train.Options{Bags: 2, Pairs: -1, Monotone: map[string]card.Monotone{"days since": card.Rising}})
	if len(rep.Columns[0].Codes) > 0 {
		t.Errorf("nought is read as a code of a scale: %+v", rep.Columns[0])
	}
	if problems := c.Check(); len(problems) > 0 {
		t.Error(problems[0])
	}
}
