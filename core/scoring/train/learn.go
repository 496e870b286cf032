package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// fewest is how many rows of each outcome there must be to learn without a card to start from.
const fewest = 20

// learner is one run of Learn. Its rows stand in the order of time, or in a drawn order.
type learner struct {
	f        *frame.Frame
	o        Options
	order    []int32 // row of the caller's frame for each row
	outcomes []Outcome
	s        sample
	timed    bool
	report   *Report
	progress func(done, of int) bool
	asking   sync.Mutex // around progress, done and stop
	done, of int
	stop     bool

	columns []*binning // of the matrix's columns
	index   []int      // in the frame
	m       *matrix
	pairs   []pairing
	// Of very many rows the search sees some: all holds the whole then, and m and s those.
	all  *view
	seen []int32 // which rows of all those are
	// decided are the rows of m that are not open; nil where none is.
	decided []int32
	prior   *prior
}

// Learn makes a points table of rows and their outcomes. The frame and the outcomes are only
// read. The progress callback, which may be nil, is told many times a second how much of the work is
// done, by one goroutine at a time; once it returns false it is not called again, and Learn gives
// up with ErrCancelled within about a second even on a million rows.
//
// With Options.Prior and no row that is won or lost, the card is the prior's table. Without one there must be at
// least 20 rows won and 20 lost. The report is never nil when the error is.
func Learn(f *frame.Frame, outcomes []Outcome, o Options, progress func(done, of int) bool) (*card.Card, *Report, error) {
	l := &learner{o: o.filled(), progress: progress, of: 20, report: &Report{}}
	if err := l.take(f, outcomes); err != nil {
		return nil, nil, err
	}
	if !l.tick() {
		return nil, nil, ErrCancelled
	}
	if err := l.expert(); err != nil {
		return nil, nil, err
	}
	if err := l.screen(); err != nil {
		return nil, nil, err
	}
	best, err := l.search()
	if err != nil {
		return nil, nil, err
	}
	c, err := l.finish(best)
	if err != nil {
		return nil, nil, err
	}
	if l.done = l.of - 1; !l.tick() {
		return nil, nil, ErrCancelled
	}
	return c, l.report, nil
}

// view is coded rows and what they teach.
type view struct {
	m *matrix
	s sample
}

// tick tells the caller that a step is done and reports whether to go on.
func (l *learner) tick() bool {
	l.asking.Lock()
	l.done = min(l.done+1, l.of)
	l.asking.Unlock()
	return !l.stopped()
}

// stopped asks the caller whether to go on, from any goroutine, within steps too.
func (l *learner) stopped() bool {
	l.asking.Lock()
	defer l.asking.Unlock()
	if l.progress != nil && !l.stop && !l.progress(l.done, l.of) {
		l.stop = true
	}
	return l.stop
}

// each does a step's parts as each does, and leaves out those that are left once the caller asked to
// stop: what came of the step is to be thrown away then.
func (l *learner) each(n int, do func(i int)) error {
	each(l.o.Workers, n, func(i int) {
		if !l.stopped() {
			do(i)
		}
	})
	if l.stopped() {
		return ErrCancelled
	}
	return nil
}

// take checks what the caller gave and puts the rows in order.
func (l *learner) take(f *frame.Frame, outcomes []Outcome) error {
	if err := f.Check(); err != nil {
		return err
	}
	n := f.Rows
	if len(outcomes) != n {
		return fmt.Errorf("%d outcomes for %d rows", len(outcomes), n)
	}
	if l.o.Time != nil && len(l.o.Time) != n {
		return fmt.Errorf("%d times for %d rows", len(l.o.Time), n)
	}
	if l.o.Cluster != nil && len(l.o.Cluster) != n {
		return fmt.Errorf("%d numbers of clusters for %d rows", len(l.o.Cluster), n)
	}
	if l.o.Weights != nil && len(l.o.Weights) != n {
		return fmt.Errorf("%d weights for %d rows", len(l.o.Weights), n)
	}
	if l.o.Age != nil && len(l.o.Age) != n {
		return fmt.Errorf("%d ages for %d rows", len(l.o.Age), n)
	}
	for i, w := range l.o.Weights {
		if w < 0 || math.IsNaN(w) || math.IsInf(w, 0) {
			return fmt.Errorf("the weight of row %d is not a number of at least 0", i+1)
		}
	}
	for name, way := range l.o.Monotone {
		if c := f.Column(name); way != 0 && (c == nil || c.Kind != frame.Number) {
			return fmt.Errorf("%q shall be monotone but is no column of numbers", name)
		}
	}
	l.timed = l.o.Time != nil || l.o.Ordered
	l.order = make([]int32, n)
	for i := range l.order {
		l.order[i] = int32(i)
	}
	sorted := true
	switch {
	case l.o.Time != nil:
		sorted = slices.IsSorted(l.o.Time)
		if !sorted {
			sort.SliceStable(l.order, func(i, j int) bool { return l.o.Time[l.order[i]] < l.o.Time[l.order[j]] })
		}
	case !l.o.Ordered:
		sorted = false
		rng := rand.New(rand.NewPCG(l.o.Seed, 0))
		rng.Shuffle(n, func(i, j int) { l.order[i], l.order[j] = l.order[j], l.order[i] })
		l.gather()
	}
	l.f, l.outcomes = f, outcomes
	if !sorted {
		l.f = f.Take(l.order)
		l.outcomes = make([]Outcome, n)
		for i, row := range l.order {
			l.outcomes[i] = outcomes[row]
		}
	}
	return l.label()
}

// label makes labels and weights of the outcomes.
func (l *learner) label() error {
	n := len(l.outcomes)
	l.s = sample{y: make([]float64, n), weight: make([]float64, n)}
	won, lost := 0, 0
	for i, o := range l.outcomes {
		l.s.weight[i] = 1
		if l.o.Weights != nil {
			l.s.weight[i] = l.o.Weights[l.order[i]]
		}
		switch o {
		case Won:
			l.s.y[i] = 1
			won++
		case Lost:
			lost++
		case Open:
			l.report.Open++
		default:
			return fmt.Errorf("outcome %d of row %d is none of lost, won and open", o, l.order[i]+1)
		}
	}
	if l.report.Open > 0 {
		if l.o.Age == nil {
			return errors.New("some rows are open: give the age of all rows, so that open rows are not taken for lost")
		}
		ages := make([]float64, n)
		for i, row := range l.order {
			ages[i] = l.o.Age[row]
			if !(ages[i] >= 0) || math.IsInf(ages[i], 0) {
				return fmt.Errorf("the age of row %d is not a number of at least 0", row+1)
			}
		}
		l.s.odds = late(l.outcomes, ages, l.s.weight, l.s.y)
	}
	l.report.Rows, l.report.Won = int64(n), int64(won)
	sum, all := 0.0, 0.0
	for i, w := range l.s.weight {
		sum += w * l.s.y[i]
		all += w
	}
	if all > 0 {
		l.report.BaseRate = sum / all
	}
	l.describe()
	if l.o.Prior == nil && (won < fewest || lost < fewest) {
		return fmt.Errorf("%d rows won and %d lost are too few to learn from: at least %d of each, or an expert's table to start from", won, lost, fewest)
	}
	return nil
}

// finish learns from all rows as the search found best, and writes the card.
func (l *learner) finish(best *trial) (*card.Card, error) {
	switch {
	case l.report.Nothing:
		c := l.flat()
		l.tell(c, nil, best)
		return c, nil
	case l.prior != nil && l.report.Rows == l.report.Open: // an outcome that is guessed teaches nothing
		c := l.untouched()
		l.tell(c, nil, best)
		return c, nil
	}
	f, err := l.fit(best)
	if err != nil {
		return nil, err
	}
	t := l.tabulate(f)
	c := l.card(t)
	c.Calibration = l.calibration(t, best)
	l.tell(c, t, best)
	return c, nil
}

// flat is the card of rows whose columns tell nothing: the base rate for everybody.
func (l *learner) flat() *card.Card {
	all := 0.0
	for _, w := range l.s.weight {
		all += w
	}
	bounds := assess.Wilson(l.report.BaseRate, all)
	return &card.Card{Target: l.o.Target, Base: card.MaxPoints / 2, Calibration: []card.Knot{{
		Points: card.MaxPoints / 2, PPM: ppm(l.report.BaseRate), Low: ppm(bounds.Low), High: ppm(bounds.High),
	}}}
}
