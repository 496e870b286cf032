package train

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// repeated is a learner of rows of which some are copies and some of one customer.
func repeated(t *testing.T, o Options, change func(f *frame.Frame)) *learner {
	t.Helper()
	const rows = 800
	rng := rand.New(rand.NewPCG(1, 1))
	x, few := make([]float64, rows), make([]float64, rows)
	outcomes := make([]Outcome, rows)
	for i := range rows {
		x[i], few[i] = rng.NormFloat64(), float64(rng.IntN(3))
		outcomes[i] = Outcome(rng.IntN(2))
	}
	f := &frame.Frame{Rows: rows, Columns: []frame.Column{frame.Numeric("x", x), frame.Numeric("few", few)}}
	if change != nil {
		change(f)
	}
	o.Ordered = true
	l := &learner{o: o.filled(), of: 20, report: &Report{}}
	if err := l.take(f, outcomes); err != nil {
		t.Fatal(err)
	}
	if err := l.screen(); err != nil {
		t.Fatal(err)
	}
	return l
}

// straddling counts the rows that a fold would learn from although another of their group is told.
func straddling(l *learner, group func(i int) int) int {
	n := 0
	for _, p := range l.folds() {
		told := map[int]bool{}
		for i := p.from; i < p.to; i++ {
			told[group(i)] = true
		}
		known, _ := l.known(p)
		for i, w := range known {
			if w > 0 && told[group(i)] {
				n++
			}
		}
	}
	return n
}

func TestRowsOfOneClusterDoNotStraddleFolds(t *testing.T) {
	of := func(i int) int { return i * 7919 % 400 } // two rows each, far apart
	cluster := make([]int32, 800)
	for i := range cluster {
		cluster[i] = int32(of(i))
	}
	if n := straddling(repeated(t, Options{}, nil), of); n == 0 {
		t.Fatal("no group straddles a fold anyway")
	}
	l := repeated(t, Options{Cluster: cluster}, nil)
	if n := straddling(l, of); n > 0 {
		t.Errorf("%d rows are learned from although another of their customer is told", n)
	}
	times := l.s.drawn(1, 2)
	for i := range 400 {
		if times[i] != times[i+400] {
			t.Fatalf("of one customer a bag has row %d %g times and row %d %g times", i, times[i], i+400, times[i+400])
		}
	}
	if slices.Max(times) < 2 || slices.Min(times) > 0 {
		t.Errorf("a bag is no draw with replacement: %g to %g times", slices.Min(times), slices.Max(times))
	}
	// Without an order of time a cluster stands together, and hardly any is cut in two.
	drawnOrder := &learner{o: Options{Cluster: cluster}.filled(), of: 20, report: &Report{}}
	if err := drawnOrder.take(l.f, l.outcomes); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 800; i += 2 {
		if a, b := drawnOrder.order[i-1], drawnOrder.order[i]; cluster[a] != cluster[b] {
			t.Fatalf("rows %d and %d of two customers stand between others", a, b)
		}
	}
	regions := make([]int32, 800)
	for i := range regions {
		regions[i] = int32(i % 5)
	}
	mingled := repeated(t, Options{Cluster: regions}, nil)
	if known, apart := mingled.known(mingled.folds()[0]); slices.Max(known) == 0 || apart {
		t.Error("nothing is left to learn from where every fold has rows of every cluster")
	}
}

func TestCopiesDoNotStraddleFolds(t *testing.T) {
	l := repeated(t, Options{}, func(f *frame.Frame) {
		for j := range f.Columns {
			copy(f.Columns[j].Numbers[600:700], f.Columns[j].Numbers[:100])
		}
	})
	if l.report.Copies != 200 {
		t.Errorf("%d rows are copies or copied, want 200", l.report.Copies)
	}
	if n := straddling(l, func(i int) int {
		if i >= 600 && i < 700 {
			return i - 600
		}
		return i
	}); n > 0 {
		t.Errorf("%d rows are learned from although their copy is told", n)
	}
	// Rows of few values are alike without being copies.
	l = repeated(t, Options{}, func(f *frame.Frame) {
		for i := range f.Rows {
			f.Columns[0].Numbers[i] = float64(i % 4)
		}
	})
	if l.report.Copies > 0 || l.s.group != nil {
		t.Errorf("%d rows of few values are taken for copies", l.report.Copies)
	}
	l = repeated(t, Options{}, func(f *frame.Frame) {
		for i := range f.Rows {
			if i%4 == 0 { // those who left the form empty
				f.Columns[0].Numbers[i], f.Columns[1].Numbers[i] = 0, 0
			}
		}
	})
	if l.report.Copies > 0 || l.s.group != nil {
		t.Errorf("%d rows that have nothing of their own are taken for copies", l.report.Copies)
	}
}
