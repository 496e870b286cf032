package train

import "math"

// periods is into how many stretches of equally many rows the time of the rows is parted, where each
// stretch has a level of its own.
const periods = 24

// leveled adds a column to a matrix that says which stretch of time each row is of, and gives the
// function what each stretch starts with. Columns then get credit only for what they tell within a stretch:
// a month, a rate of interest or a campaign that merely goes with a time of many wins tells nothing of
// rows to come, whose level the calibration finds. The column is the last, so that a function learned
// with it scores rows without it.
func leveled(m *matrix, s sample) (*matrix, []float64) {
	c := coded{codes: make([]uint8, m.rows), bins: periods + 2}
	won, all := make([]float64, c.bins), make([]float64, c.bins)
	sum, total := 0.0, 0.0
	for i := range c.codes {
		code := uint8(1 + i*periods/m.rows)
		c.codes[i] = code
		won[code] += s.weight[i] * s.y[i]
		all[code] += s.weight[i]
		sum += s.weight[i] * s.y[i]
		total += s.weight[i]
	}
	start := make([]float64, c.bins)
	mean := min(max(sum/math.Max(total, 1e-9), 1e-6), 1-1e-6)
	for code := range start {
		const pull = 20
		start[code] = logit((won[code]+pull*mean)/(all[code]+pull)) - logit(mean)
	}
	out := &matrix{rows: m.rows, columns: append(append([]coded(nil), m.columns...), c)}
	return out, start
}

// booster is a booster on rows whose levels and ages count as the settings say.
func (set settings) booster(m *matrix, s sample) *booster {
	if set.half > 0 {
		s.weight = append([]float64(nil), s.weight...)
		recent(s.weight, set.half*float64(m.rows))
	}
	if !set.level {
		return newBooster(m, s, set)
	}
	m, start := leveled(m, s)
	b := newBooster(m, s, set)
	last := len(m.columns) - 1
	copy(b.fit.shapes[last], start)
	// What the booster has added to the scores of rows is the base; the first look adds the levels.
	return b
}

// plainly gives a function without the levels of stretches: their mean goes to the base.
func (set settings) plainly(fit *additive, b *booster) *additive {
	if !set.level {
		return fit
	}
	last := len(fit.shapes) - 1
	sum, all := 0.0, 0.0
	for i, code := range b.m.columns[last].codes {
		sum += b.s.weight[i] * fit.shapes[last][code]
		all += b.s.weight[i]
	}
	return &additive{base: fit.base + sum/math.Max(all, 1e-9), shapes: fit.shapes[:last:last]}
}

// dated finds out whether newer rows are told better where each stretch of the older ones has no level
// of its own, and where newer ones count more.
func (l *learner) dated(best *trial) (*trial, error) {
	if !best.set.level || l.m.rows >= 50_000 {
		return best, nil
	}
	set := best.set
	set.level = false
	t, err := l.try(l.m, set)
	if err != nil {
		return nil, err
	}
	// A level for each stretch is right where nothing says otherwise.
	if l.better(t, best) > 1 {
		best = t
	}
	if l.m.rows < 5000 {
		return best, nil
	}
	for _, half := range []float64{0.5, 0.25} {
		set := best.set
		set.half = half
		t, err := l.try(l.m, set)
		if err != nil {
			return nil, err
		}
		if l.better(t, best) < 1 {
			break
		}
		best = t
	}
	return best, nil
}
