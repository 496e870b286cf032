package train

import (
	"fmt"
	"math"
	"slices"
	"sort"
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
	best, err := l.try(l.m, set)
	if err != nil || !l.tick() {
		return nil, ErrCancelled
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
	won, lost := 0, 0
	for _, o := range l.outcomes {
		switch o {
		case Won:
			won++
		case Lost:
			lost++
		}
	}
	return l.prior == nil || won >= 2*fewest && lost >= 2*fewest && len(l.columns) > 0
}

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
	var found []pairing
	m, kept := l.m, l.m
	for len(found) < l.o.Pairs {
		grown := &matrix{rows: part.rows, columns: slices.Clone(part.columns)}
		for i := range found {
			grown.columns = append(grown.columns, found[i].code(part))
		}
		b := newBooster(grown, s, set)
		b.run(nil)
		b.look(false)
		next := detect(part, b.slope, b.curve, found, max(1, l.o.Pairs/4), l.o.Workers)
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

// turned is the area under the curve below which a column alone tells the newest rows the wrong
// way round.
const turned = 0.47

// drifting measures how far each column moved between early and late rows, and holds back those
// that moved much, or tell the newest rows the wrong way round, and without which newer rows are
// told better.
func (l *learner) drifting(best *trial) (*trial, error) {
	if !l.timed {
		return best, nil
	}
	var suspects []string
	for j := range l.columns {
		c := &l.report.Columns[l.index[j]]
		c.Drift = l.stability(j)
	}
	order := make([]int, len(l.columns))
	for j := range order {
		order[j] = j
	}
	sort.SliceStable(order, func(a, b int) bool {
		return l.report.Columns[l.index[order[a]]].Drift > l.report.Columns[l.index[order[b]]].Drift
	})
	most := 8
	if l.m.rows >= 50_000 {
		most = 3
	}
	for _, j := range order {
		r := &l.report.Columns[l.index[j]]
		if (r.Drift > 0.25 || r.Late < turned) && len(suspects) < most {
			suspects = append(suspects, r.Name)
		}
	}
	for _, name := range suspects {
		if len(l.columns) < 2 {
			break
		}
		j := l.at(name)
		t, err := l.try(l.m.without(j), best.set)
		if err != nil {
			return nil, err
		}
		if z := l.better(t, best); z > 1 {
			r := &l.report.Columns[l.index[j]]
			why := fmt.Sprintf("it drifts (stability index %.2f) and newer rows are told better without it", r.Drift)
			if r.Late < turned {
				why = fmt.Sprintf("what it tells turned with time (area under the curve %.2f on the newest rows) and newer rows are told better without it", r.Late)
			}
			l.hold(j, why)
			best = t
		}
	}
	if !l.tick() {
		return nil, ErrCancelled
	}
	return best, nil
}

// at returns the place of a column in the matrix, -1 where it is not there.
func (l *learner) at(name string) int {
	return slices.IndexFunc(l.columns, func(b *binning) bool { return b.name == name })
}

// stability is the population stability index of a column: the newest fifth of the rows against
// the older ones, by bins of at least a hundredth.
func (l *learner) stability(j int) float64 {
	c := &l.m.columns[j]
	cut := l.m.rows * 8 / 10
	var early, late [256]float64
	for i, code := range c.codes {
		if i < cut {
			early[code] += 1 / float64(cut)
		} else {
			late[code] += 1 / float64(l.m.rows-cut)
		}
	}
	psi, e, t := 0.0, 0.0, 0.0
	for code := range c.bins {
		e += early[code]
		t += late[code]
		if e+t < 0.02 && code < c.bins-1 {
			continue
		}
		e, t = max(e, 1e-4), max(t, 1e-4)
		psi += (e - t) * math.Log(e/t)
		e, t = 0, 0
	}
	return psi
}
