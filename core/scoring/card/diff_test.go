package card_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

func diff(t testing.TB, a, b *card.Card, f *frame.Frame) *card.Change {
	t.Helper()
	c, err := card.Diff(a, b, f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDiffOfTheSameIsEmpty(t *testing.T) {
	f := people()
	f.Columns = append(f.Columns, frame.Categorical("City", []string{"Mumbai", "", "Pune", "Mumbai", "", ""}))
	for _, f := range []*frame.Frame{nil, f} {
		if lines := diff(t, course(), course(), f).Lines(); len(lines) > 0 {
			t.Error(lines)
		}
	}
}

func TestDiffByHand(t *testing.T) {
	a, b := course(), course()
	b.Base = 2100
	b.Groups["behaviour"] = card.Cap{Max: points(4500)}
	b.Rows[0].Bins[2].Below = below(600) // 600 up to 600.5 moves to the last bin
	b.Rows[0].Bins[0].Points = -600
	b.Rows[1].Bins[0].Values = []string{"Google"} // Bing belongs to the rest now
	b.Rows = append(b.Rows[:2:2], card.Row{Feature: "Pages", Kind: frame.Number, Bins: []card.Bin{{Below: below(1), Points: -30}, {Other: true, Points: 0}}})
	b.Pairs[0].Cells[1][0].Points = 75
	b.Thresholds[0].Points = 3800
	b.Thresholds = append(b.Thresholds, card.Threshold{Name: "maybe", Points: 2100})
	f := people()
	f.Columns = append(f.Columns, frame.Numeric("Pages", []float64{0, 1, 2, 0, 1, 0}), frame.Categorical("City", []string{"Mumbai", "", "Pune", "Mumbai", "", ""}))
	got := diff(t, a, b, f)
	// Points by hand, before and after:
	// 0: 2000-190-10+10 = 1810; 2100-290+10-30 = 1790      3: 2000-145 = 1855; 2100-145-30 = 1925
	// 1: 2000+310+35-20 = 2325; 2100-45-20 = 2035           4: 2000+1735+35+55 = 3825; 2100+1735+75 = 3910
	// 2: 2000+4500-10+1 = 6491; 2100+4500+1 = 6601          5: 2000-545+35-20 = 1470; 2100-645-20-30 = 1405
	want := []string{
		"base: 20 -> 21",
		"limit of behaviour: at least -6, at most 45 -> at most 45",
		"threshold ready: 55 -> 38",
		"threshold maybe: 21 (new)",
		"Total Time below 60: -5 -> -6 (2 rows)",
		"Total Time 600 up to 600.5: 0 -> +14.25 (0 rows)",
		"Source Bing: +3.1 -> -0.45 (1 row)",
		"Pages below 1: 0 -> -0.3 (new, 3 rows)",
		"Visits below 2: -0.1 -> 0 (gone, 2 rows)",
		"Visits 2 and more: +0.35 -> 0 (gone, 3 rows)",
		"Total Time 300 and more with Source Google: +0.55 -> +0.75 (1 row)",
		"6 rows, of which 6 change: -0.18 points on average, 1.07 without sign; chance -0.19 percentage points on average",
		"ready, from 55 points -> 38 points: 1 of 4 rows before, 2 after; 1 come in, 0 go out",
		"maybe, from none -> 21 points: 0 of 6 rows before, 2 after; 2 come in, 0 go out",
		"row 2: 23.25 -> 20.35 points, chance 18.77 % -> 15.63 %; most by Source Bing: -0.45, was +3.1",
		"row 3: 64.91 -> 66.01 points, chance 63.85 % -> 65.04 %; most by base: +21, was +20",
		"row 5: 38.25 -> 39.1 points, chance 35 % -> 35.92 %; most by base: +21, was +20",
		"row 4: 18.55 -> 19.25 points, chance 14.22 % -> 14.72 %; most by base: +21, was +20",
		"row 6: 14.7 -> 14.05 points, chance 11.47 % -> 11.01 %; most by base: +21, was +20",
		"row 1: 18.1 -> 17.9 points, chance 13.9 % -> 13.75 %; most by base: +21, was +20",
	}
	if d := cmp.Diff(want, got.Lines()); d != "" {
		t.Error(d)
	}
	// The segments' column is needed.
	if _, err := card.Diff(a, b, f.Without("City")); err == nil || !strings.Contains(err.Error(), `"City"`) {
		t.Error(err)
	}
	if _, err := card.Diff(a, b, people()); err == nil || !strings.Contains(err.Error(), `"Pages"`) {
		t.Error(err)
	}
	b.Base = math.MaxInt32
	if _, err := card.Diff(a, b, nil); err == nil || !strings.HasPrefix(err.Error(), "the card after: base:") {
		t.Error(err)
	}
}

func TestDiffTellsLongCalibrationsByAFewChances(t *testing.T) {
	long := func(first int32) *card.Card {
		c := course()
		c.Calibration = nil
		for i := int32(0); i <= 10; i++ {
			c.Calibration = append(c.Calibration, card.Knot{Points: i * 1000, PPM: first + i*90_000, High: card.Certain})
		}
		return c
	}
	want := []string{"calibration: 10 is 9 %, 30 is 27 %, 50 is 45 %, 70 is 63 %, 90 is 81 % -> 10 is 10 %, 30 is 28 %, 50 is 46 %, 70 is 64 %, 90 is 82 %"}
	if d := cmp.Diff(want, diff(t, long(0), long(10_000), nil).Lines()); d != "" {
		t.Error(d)
	}
	// What differs elsewhere alone is told in full.
	other := long(0)
	other.Calibration[10].PPM++
	if lines := diff(t, long(0), other, nil).Lines(); len(lines) != 1 || !strings.Contains(lines[0], "100 is 90.0001 %") {
		t.Error(lines)
	}
}

// TestDiffExplainsEveryRow: where there are no caps, the changes of the values a row has add up to
// the change of its points.
func TestDiffExplainsEveryRow(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 60 {
		a, f := random(r, 1)
		b, g := random(r, 1)
		for _, c := range []*card.Card{a, b} {
			c.Base, c.Groups, c.Cap = 5000, nil, card.Cap{}
			for i := range c.Rows {
				for j := range c.Rows[i].Bins {
					c.Rows[i].Bins[j].Points /= 16 // so that nothing is clamped
				}
			}
			for i := range c.Pairs {
				for j := range c.Pairs[i].Cells {
					for k := range c.Pairs[i].Cells[j] {
						c.Pairs[i].Cells[j][k].Points /= 16
					}
				}
			}
		}
		// Both cards look at the same columns; what the one has more is a further column.
		if len(g.Columns) > len(f.Columns) {
			f = g
		}
		for _, c := range []*card.Card{a, b} {
			for i := range c.Rows {
				if k := f.Column(c.Rows[i].Feature).Kind; k == frame.Category && c.Rows[i].Kind == frame.Number {
					f.Column(c.Rows[i].Feature).Values = numbers(len(f.Column(c.Rows[i].Feature).Values))
				}
			}
		}
		got := diff(t, a, b, f)
		var sum int32
		for _, p := range got.Points {
			sum += int32(p.Rows) * (p.After - p.Before)
		}
		if float64(sum) != got.Moves.Mean {
			t.Fatalf("the parts change by %d, the row by %v\n%s", sum, got.Moves.Mean, strings.Join(got.Lines(), "\n"))
		}
	}
}

// numbers are names that read as numbers.
func numbers(n int) []string { return []string{"1", "-2", "3.5", "40", "5"}[:n] }
