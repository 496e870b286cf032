package train

import (
	"slices"
)

// plain are the settings that trials start from: small steps, bins damped a little and neighbours
// held together.
func plain(rows int) settings {
	s := settings{rounds: 600, every: 20, rate: 0.1, ridge: 10, smooth: 2, keep: 0.5}
	if rows >= 50_000 {
		s.ridge, s.smooth = 5, 0.5
	}
	return s
}

// search finds out on unseen rows how to learn: which columns that drift to hold back, which
// pairs to add, how strongly to smooth and when to stop.
func (l *learner) search() (*trial, error) {
	set := plain(l.m.rows)
	if l.prior != nil {
		set.keep = l.prior.keep(l.o.PriorRows, l.report.BaseRate)
	}
	if !l.enough() {
		// Too few rows to try anything: a fixed number of steps, held to the expert's table.
		set.rounds = 200
		return &trial{set: set, from: l.m.rows, rounds: []int{set.rounds}, scores: [][]float64{nil}, loss: []float64{0}}, nil
	}
	if len(l.columns) == 0 {
		return l.chance(), nil
	}
	if err := l.alone(); err != nil {
		return nil, err
	}
	l.copies()
	l.narrow()
	if len(l.columns) == 0 {
		return l.chance(), nil
	}
	set.level = l.timed && l.prior == nil
	best, err := l.try(l.m, set)
	if err != nil || !l.tick() {
		return nil, ErrCancelled
	}
	if best, err = l.dated(best); err != nil {
		return nil, err
	}
	if best, err = l.drifting(best); err != nil {
		return nil, err
	}
	if err := l.leaks(best); err != nil {
		return nil, err
	}
	if l.m.rows < 50_000 {
		firm := best.set
		firm.ridge, firm.smooth = 30, 10
		t, err := l.try(l.m, firm)
		if err != nil {
			return nil, err
		}
		if l.better(t, best) > 0.5 {
			best = t
		}
	}
	if !l.tick() {
		return nil, ErrCancelled
	}
	if best, err = l.pairUp(best); err != nil {
		return nil, err
	}
	l.report.Nothing = best.z < 2.5 && l.prior == nil
	if l.report.Nothing {
		return best, nil
	}
	return best, l.proxies()
}

// enough tells whether there are rows to learn from and to try that on.
func (l *learner) enough() bool {
	return l.prior == nil || Enough(Tally(l.outcomes)) && len(l.columns) > 0
}

// Tally counts the outcomes that are won and those that are lost.
func Tally(outcomes []Outcome) (won, lost int64) {
	for _, o := range outcomes {
		switch o {
		case Won:
			won++
		case Lost:
			lost++
		}
	}
	return won, lost
}

// Enough tells whether so many rows won and lost are enough to try on unseen rows what an expert's table
// learned. With fewer it moves a little, and nothing says how good it is.
func Enough(won, lost int64) bool { return won >= 2*fewest && lost >= 2*fewest }

// chance is the trial of nothing: no column is left.
func (l *learner) chance() *trial {
	l.report.Nothing = true
	return &trial{auc: 0.5}
}

// pairUp adds pairs one after the other, each found in what those before left over, and keeps as
// many as help on unseen rows.
func (l *learner) pairUp(best *trial) (*trial, error) {
	if l.o.Pairs == 0 || len(l.columns) < 2 {
		return best, nil
	}
	rows := min(l.m.rows, 100_000)
	part, s := l.m.slice(l.m.rows-rows, l.m.rows), l.s.slice(l.m.rows-rows, l.m.rows)
	set := best.set
	set.workers, set.stop = l.o.Workers, l.stopped
	set.rounds = best.rounds[best.best]
	// A pair with a column that says when a row came is another relation for each time, none for the next.
	alone := make([]bool, len(l.columns))
	for j := range alone {
		alone[j] = slices.Contains(l.o.Unpaired, l.columns[j].name) || l.timed && l.prior == nil && l.report.Columns[l.index[j]].dates()
	}
	var found []pairing
	m, kept := l.m, l.m
	for len(found) < l.o.Pairs {
		grown := &matrix{rows: part.rows, columns: slices.Clone(part.columns)}
		for i := range found {
			grown.columns = append(grown.columns, found[i].code(part))
		}
		b := set.booster(grown, s)
		b.run(nil)
		b.look(false)
		next := detect(part, b.slope, b.curve, found, alone, max(1, l.o.Pairs/4), l.o.Workers)
		if len(next) == 0 {
			break
		}
		for i := range next {
			p := next[i]
			found = append(found, p)
			m = &matrix{rows: m.rows, columns: append(slices.Clone(m.columns), p.code(l.m))}
		}
		t, err := l.try(m, best.set)
		if err != nil {
			return nil, err
		}
		if l.better(t, best) > 1 {
			best, kept, l.pairs = t, m, slices.Clone(found)
		}
		if !l.tick() {
			return nil, ErrCancelled
		}
		if l.m.rows >= 50_000 {
			break
		}
	}
	l.m = kept
	return best, nil
}
