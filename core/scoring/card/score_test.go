package card_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

func below(v float64) *float64 { return &v }
func points(v int32) *int32    { return &v }

// course is a small card with everything a card can have.
func course() *card.Card {
	return &card.Card{
		Target:    card.Target{Column: "Converted", Positive: "1", Segments: "City"},
		Missing:   []string{"Select"},
		Base:      2000,
		BaseError: 30,
		Rows: []card.Row{
			{Feature: "Total Time", Kind: frame.Number, Group: "behaviour", Monotone: card.Rising, Label: "spent {value} seconds", Bins: []card.Bin{
				{Below: below(60), Points: -500, Error: 40, Count: 900},
				{Missing: true, Points: -100, Error: 60, Count: 12},
				{Below: below(600.5), Points: 0, Error: 20, Count: 400},
				{Other: true, Points: 1425, Error: 50, Count: 300, Label: "long on the site"},
			}},
			{Feature: "Source", Kind: frame.Category, Group: "behaviour", Bins: []card.Bin{
				{Values: []string{"Google", "Bing"}, Points: 310, Error: 25, Count: 700},
				{Values: []string{"Referral"}, Points: 4000, Error: 200, Count: 40},
				{Other: true, Missing: true, Points: -45, Error: 33, Count: 61},
			}},
			{Feature: "Visits", Kind: frame.Number, Bins: []card.Bin{{Below: below(2), Points: -10}, {Other: true, Points: 35}}},
		},
		Pairs: []card.Pair{{
			First:  card.Side{Feature: "Total Time", Kind: frame.Number, Parts: []card.Part{{Below: below(300)}, {Other: true}}},
			Second: card.Side{Feature: "Source", Kind: frame.Category, Parts: []card.Part{{Values: []string{"Google"}}, {Other: true}, {Missing: true}}},
			Group:  "together",
			Cells: [][]card.Cell{
				{{Points: 10, Error: 5, Count: 100}, {Points: -20, Error: 6, Count: 50}, {Points: 0}},
				{{Points: 55, Error: 7, Count: 80}, {Points: 1, Error: 8, Count: 20}, {Points: -7, Error: 9, Count: 3}},
			},
		}},
		Groups: map[string]card.Cap{"behaviour": {Min: points(-600), Max: points(4500)}},
		Cap:    card.Cap{Max: points(9500)},
		Calibration: []card.Knot{
			{Points: 0, PPM: 10_000, Low: 5_000, High: 20_000}, {Points: 2000, PPM: 152_500, Low: 140_000, High: 165_000},
			{Points: 9000, PPM: 910_000, Low: 880_000, High: 930_000},
		},
		Thresholds: []card.Threshold{
			{Name: "ready", Points: 5500, Precision: 600_000}, {Name: "ready", Segment: "Mumbai", Points: 5250, Precision: 600_000},
			{Name: "call today", Points: 4000, Capacity: &card.Capacity{Take: 40, Of: 500}},
		},
		Learned: &card.Learned{Rows: 1612, Positives: 611, From: "2024-01-01", To: "2024-06-30",
			Split:   card.Split{Column: "Created", At: "2024-05-25", Learn: 1200, Tune: 212, Unseen: 200},
			Unseen:  card.Figures{Rows: 200, Positives: 70, AUC: 0.88, AUCLow: 0.85, AUCHigh: 0.91, LogLoss: 0.4211, Brier: 0.13, CalibrationError: 0.012},
			Without: card.Figures{Rows: 200, Positives: 70, AUC: 0.87, AUCLow: 0.82, AUCHigh: 0.9, LogLoss: 0.45, Brier: 0.14, CalibrationError: 0.015},
			Groups: []card.Group{
				{By: "City", Value: "Mumbai", Rows: 120, Positives: 40, AUC: 0.86, AUCLow: 0.79, AUCHigh: 0.91, CalibrationError: 0.03, CalibrationLow: 0.01},
				{By: "City", Rows: 30, Positives: 12, AUC: 0.9, AUCLow: 0.7, AUCHigh: 0.97},
				{By: "City", Others: 11, Rows: 50, AUC: 0.5, AUCHigh: 1},
			},
			Held:      []card.Held{{Column: "Tags", Why: "predicts too well alone: written after the contact?"}},
			Overrides: []card.Override{{Column: "Age", Reason: "insurance is priced by age"}},
			Prior:     "0123456789abcdef", PriorRows: 200, Seed: 7},
	}
}

func compile(t testing.TB, c *card.Card) *card.Scorer {
	t.Helper()
	s, problems := card.Compile(c)
	for _, p := range problems {
		t.Error(p)
	}
	if s == nil {
		t.FailNow()
	}
	return s
}

func bind(t testing.TB, s *card.Scorer, f *frame.Frame) *card.Bound {
	t.Helper()
	b, err := s.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func people() *frame.Frame {
	nan := math.NaN()
	return &frame.Frame{Rows: 6, Columns: []frame.Column{
		frame.Numeric("Total Time", []float64{59.99, 60, 600.5, nan, 700, 0}),
		frame.Categorical("Source", []string{"Google", "Bing", "Referral", "", "Google", "unheard of"}),
		frame.Numeric("Visits", []float64{0, 2, 1.5, nan, 3, 5}),
	}}
}

func TestScoreByHand(t *testing.T) {
	b := bind(t, compile(t, course()), people())
	// base 2000; behaviour = time + source within -600..4500; visits; pair.
	want := []int32{
		2000 + (-500 + 310) - 10 + 10,
		2000 + (0 + 310) + 35 - 20,
		2000 + 4500 - 10 + 1,   // 1425 + 4000 is over the cap of the group
		2000 + (-100 - 45) + 0, // nothing known: no part of the pair for a missing time
		2000 + (1425 + 310) + 35 + 55,
		2000 + (-500 - 45) + 35 - 20,
	}
	var got []int32
	for row := range b.Rows() {
		got = append(got, b.Score(row).Points)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// 2000 points is a knot: 15.25 %, by itself 14 % to 16.5 %. Without errors of bins that is all.
	c := course()
	c.BaseError, c.Rows, c.Pairs = 0, c.Rows[2:], nil
	c.Rows[0].Bins[1].Points = 0
	if diff := cmp.Diff(card.Result{Points: 2000, PPM: 152_500, LowPPM: 140_000, HighPPM: 165_000}, bind(t, compile(t, c), people()).Score(1)); diff != "" {
		t.Error(diff)
	}
	// An error of 100 (1.00 points) moves 1.96 points either way: down by 1.96 * 142500/2000 ppm a
	// hundredth, up by 1.96 * 757500/7000; together with 12,500 by the calibration.
	c.BaseError = 100
	low, high := math.Hypot(12_500, 195*142_500/2000.0), math.Hypot(12_500, 195*757_500/7000.0)
	r := bind(t, compile(t, c), people()).Score(1)
	if math.Abs(float64(152_500-r.LowPPM)-low) > 2 || math.Abs(float64(r.HighPPM-152_500)-high) > 2 {
		t.Errorf("interval %d..%d, want %.0f and %.0f to the sides", r.LowPPM, r.HighPPM, low, high)
	}
}

func TestContributionsAndReasons(t *testing.T) {
	b := bind(t, compile(t, course()), people())
	var texts []string
	for _, c := range b.AppendContributions(nil, 2) {
		texts = append(texts, c.Kind.String()+" "+b.Text(c, 2))
	}
	want := []string{"BASE base: +20", "FEATURE long on the site: +14", "FEATURE Source Referral: +40", "FEATURE Visits 1.5: -0.1",
		"PAIR Total Time 600.5 with Source Referral: +0.01", "GROUP_CAP limit of behaviour: -9.3"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
	texts = nil
	for _, r := range b.Reasons(0, 3) {
		texts = append(texts, r.Text)
	}
	if diff := cmp.Diff([]string{"spent 59.99 seconds: -5", "Source Google: +3.1", "Visits 0: -0.1"}, texts); diff != "" {
		t.Error(diff)
	}
	if got := b.Reasons(3, 1)[0].Text; got != "Total Time not known: -1" {
		t.Error(got)
	}
	// Visits has no bin for missing, so what is missing is no reason.
	if got := len(b.Reasons(3, 10)); got != 2 {
		t.Errorf("%d reasons", got)
	}
}

func TestBindMatchesKindsAndNamesWhatIsMissing(t *testing.T) {
	s := compile(t, course())
	f := people()
	f.Columns[0] = frame.Categorical("Total Time", []string{"59.99", " 60", "600.5", "", "7e2", "0"})
	c := course()
	c.Rows[2].Kind, c.Rows[2].Bins = frame.Category, []card.Bin{{Values: []string{"2", "1.5"}, Points: 35}, {Other: true, Points: -10}, {Missing: true}}
	want, byName := bind(t, s, people()), bind(t, compile(t, c), f)
	for row := range 4 {
		extra := map[int]int32{2: 45}[row] // 1.5 visits are named now
		if a, b := want.Score(row).Points+extra, byName.Score(row).Points; a != b {
			t.Errorf("row %d: %d points as numbers, %d as texts", row, a, b)
		}
	}
	f.Columns[0] = frame.Categorical("Total Time", []string{"long", "1", "2", "3", "4", "5"})
	if _, err := s.Bind(f); err == nil || err.Error() != `column "Total Time" holds texts that are no numbers; the card knows it as a number` {
		t.Error(err)
	}
	f = people().Without("Source", "Visits")
	if _, err := s.Bind(f); err == nil || err.Error() != `the table has no column "Source", "Visits", which the card looks at` {
		t.Error(err)
	}
	known, absent, err := s.BindKnown(f)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Source", "Visits"}, absent); diff != "" {
		t.Error(diff)
	}
	// Missing source: -45, no visits, the pair's own part for a missing source.
	if got := known.Score(4).Points; got != 2000+1425-45-7 {
		t.Error(got)
	}
}

// random makes a card and a frame with every kind of bin, cap and pair.
func random(r *rand.Rand, rows int) (*card.Card, *frame.Frame) {
	c := &card.Card{Target: card.Target{Column: "y"}, Base: int32(r.IntN(6000)), BaseError: int32(r.IntN(100)), Groups: map[string]card.Cap{},
		Calibration: []card.Knot{{Points: 0, PPM: 1000, High: 5000}, {Points: 10000, PPM: 900_000, Low: 800_000, High: 1_000_000}}}
	f := &frame.Frame{Rows: rows}
	groups := []string{"", "a", "b"}
	for _, g := range groups[1:] {
		lo, hi := int32(-r.IntN(3000)), int32(r.IntN(3000))
		c.Groups[g] = card.Cap{Min: &lo, Max: &hi}
	}
	if r.IntN(2) == 0 {
		lo, hi := int32(r.IntN(100)), int32(3000+r.IntN(7000))
		c.Cap = card.Cap{Min: &lo, Max: &hi}
	}
	value := func() int32 { return int32(r.IntN(4001) - 2000) }
	for i := range 1 + r.IntN(8) {
		row := card.Row{Feature: "f" + strconv.Itoa(i), Kind: frame.Number, Group: groups[r.IntN(3)]}
		if r.IntN(2) == 0 {
			row.Kind = frame.Category
			texts := make([]string, rows)
			for k := range texts {
				texts[k] = []string{"", "u", "v", "w", "x"}[r.IntN(5)]
			}
			f.Columns = append(f.Columns, frame.Categorical(row.Feature, texts))
			row.Bins = []card.Bin{{Values: []string{"u", "v"}, Points: value(), Error: 10}, {Other: true, Points: value(), Error: 20}}
		} else {
			numbers := make([]float64, rows)
			for k := range numbers {
				numbers[k] = math.Round(r.NormFloat64()*40) / 4
				if r.IntN(6) == 0 {
					numbers[k] = math.NaN()
				}
			}
			f.Columns = append(f.Columns, frame.Numeric(row.Feature, numbers))
			at := -20.0
			for range r.IntN(9) {
				at += 0.25 + float64(r.IntN(40))/4
				row.Bins = append(row.Bins, card.Bin{Below: below(at), Points: value(), Error: 5})
			}
			row.Bins = append(row.Bins, card.Bin{Other: true, Points: value()})
		}
		if r.IntN(2) == 0 {
			row.Bins = append(row.Bins, card.Bin{Missing: true, Points: value(), Error: 50})
		}
		c.Rows = append(c.Rows, row)
	}
	if n := len(c.Rows); n > 1 {
		p := card.Pair{Group: groups[r.IntN(3)]}
		for k, side := range []*card.Side{&p.First, &p.Second} {
			row := c.Rows[(n-2)+k]
			side.Feature, side.Kind = row.Feature, row.Kind
			for j := range row.Bins {
				side.Parts = append(side.Parts, row.Bins[j].Part())
			}
		}
		for range p.First.Parts {
			line := make([]card.Cell, len(p.Second.Parts))
			for j := range line {
				line[j] = card.Cell{Points: value(), Error: 3}
			}
			p.Cells = append(p.Cells, line)
		}
		c.Pairs = append(c.Pairs, p)
	}
	return c, f
}

// slow finds the bin of a value by looking at one bin after the other.
func slow(parts []card.Part, c *frame.Column, row int) int {
	for i, p := range parts {
		switch {
		case c.Missing(row):
			if p.Missing {
				return i
			}
		case c.Kind == frame.Number:
			if p.Below != nil && c.Numbers[row] < *p.Below {
				return i
			}
		default:
			for _, v := range p.Values {
				if v == c.Text(row) {
					return i
				}
			}
		}
	}
	if !c.Missing(row) {
		for i, p := range parts {
			if p.Other {
				return i
			}
		}
	}
	return -1
}

func TestContributionsAddUpExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := map[card.ContributionKind]int{}
	for range 300 {
		c, f := random(r, 40)
		b := bind(t, compile(t, c), f)
		all := make([]card.Result, f.Rows)
		b.ScoreAll(all, 0, f.Rows)
		for row := range f.Rows {
			var sum int32
			variance := int64(c.BaseError) * int64(c.BaseError)
			for _, x := range b.AppendContributions(nil, row) {
				sum += x.Points
				kinds[x.Kind]++
				switch x.Kind {
				case card.ContributionRow:
					variance += int64(x.Error) * int64(x.Error)
					parts := make([]card.Part, 0, 10)
					for j := range c.Rows[x.Index].Bins {
						parts = append(parts, c.Rows[x.Index].Bins[j].Part())
					}
					if want := slow(parts, &f.Columns[x.Index], row); want != x.Bin {
						t.Fatalf("row %d of %s: bin %d, want %d", row, c.Rows[x.Index].Feature, x.Bin, want)
					}
				}
			}
			if sum != all[row].Points || all[row] != b.Score(row) {
				t.Fatalf("contributions %d, score %+v, alone %+v", sum, all[row], b.Score(row))
			}
			if x := all[row]; x.Points < 0 || x.Points > card.MaxPoints || x.LowPPM > x.PPM || x.HighPPM < x.PPM || x.LowPPM < 0 || x.HighPPM > card.Certain {
				t.Fatalf("out of range: %+v", x)
			}
		}
	}
	for k := card.ContributionBase; k <= card.ContributionClamp; k++ {
		if kinds[k] == 0 {
			t.Errorf("no %s was met", k)
		}
	}
}

func TestSeveralScoreAtOnce(t *testing.T) {
	c, f := random(rand.New(rand.NewPCG(13, 14)), 3000)
	b := bind(t, compile(t, c), f)
	want, got := make([]card.Result, f.Rows), make([]card.Result, f.Rows)
	b.ScoreAll(want, 0, f.Rows)
	var all sync.WaitGroup
	for from := 0; from < f.Rows; from += 700 {
		to := min(from+700, f.Rows)
		all.Go(func() { b.ScoreAll(got[from:to], from, to) })
		all.Go(func() { b.Reasons(from, 3) })
	}
	all.Wait()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestScoringAllocatesNothing(t *testing.T) {
	c, f := random(rand.New(rand.NewPCG(3, 4)), 2000)
	b := bind(t, compile(t, c), f)
	dst := make([]card.Result, f.Rows)
	if n := testing.AllocsPerRun(100, func() { b.ScoreAll(dst, 0, f.Rows); b.Score(7) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkScoreAll scores 1,000,000 rows of 30 columns on two processors.
func BenchmarkScoreAll(b *testing.B) {
	const rows, columns = 1_000_000, 30
	r := rand.New(rand.NewPCG(5, 6))
	c := &card.Card{Target: card.Target{Column: "y"}, Base: 3000, Calibration: []card.Knot{{Points: 0, High: 1}, {Points: 10000, PPM: 900_000, High: 1_000_000}}}
	f := &frame.Frame{Rows: rows}
	for i := range columns {
		row := card.Row{Feature: "f" + strconv.Itoa(i)}
		if i%3 == 2 {
			col := frame.Column{Name: row.Feature, Kind: frame.Category, Codes: make([]int32, rows)}
			for v := range 40 {
				col.Values = append(col.Values, "v"+strconv.Itoa(v))
				row.Bins = append(row.Bins, card.Bin{Values: col.Values[v:], Points: int32(r.IntN(400) - 200), Error: 7})
				row.Bins[v].Values = row.Bins[v].Values[:1]
			}
			for k := range col.Codes {
				col.Codes[k] = int32(r.IntN(41) - 1)
			}
			row.Kind = frame.Category
			f.Columns = append(f.Columns, col)
		} else {
			numbers := make([]float64, rows)
			for k := range numbers {
				numbers[k] = r.NormFloat64()
			}
			for v := range 60 {
				row.Bins = append(row.Bins, card.Bin{Below: below(float64(v)/10 - 3), Points: int32(r.IntN(400) - 200), Error: 7})
			}
			row.Kind = frame.Number
			f.Columns = append(f.Columns, frame.Numeric(row.Feature, numbers))
		}
		row.Bins = append(row.Bins, card.Bin{Missing: true, Other: true})
		c.Rows = append(c.Rows, row)
	}
	bound := bind(b, compile(b, c), f)
	dst := make([]card.Result, rows)
	cpus := min(2, runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		var all sync.WaitGroup
		for k := range cpus {
			from, to := k*rows/cpus, (k+1)*rows/cpus
			all.Go(func() { bound.ScoreAll(dst[from:to], from, to) })
		}
		all.Wait()
		b.ReportMetric(time.Since(start).Seconds()*float64(cpus)/rows*1e9, "ns/row/cpu")
	}
}
