package train

import (
	"math"
	"math/rand/v2"
)

const (
	// bagged is up to how many rows each bag draws from all of them.
	bagged = 100_000
	// sketched is how many rows a bag draws where there are more.
	sketched = 50_000
)

// final is the function learned from all rows, as the mean over bags, with its spread.
type final struct {
	base   float64
	spread float64 // of the mean log-odds of all rows
	shapes []shape
}

// fit learns the final function with the settings and the rounds that a trial found.
func (l *learner) fit(best *trial) (*final, error) {
	set := best.set
	set.rounds = best.rounds[best.best]
	rows := view{l.m, l.s}
	if l.all != nil {
		rows = *l.all
		for i := range l.pairs {
			rows.m.columns = append(rows.m.columns, l.pairs[i].code(rows.m))
		}
	}
	bags := l.o.Bags
	large := rows.m.rows > bagged
	if large {
		bags = min(bags, 8)
	}
	fits := make([]*additive, bags)
	set.workers, set.stop = 1, l.stopped
	each(l.o.Workers, bags, func(k int) {
		if l.stopped() {
			return
		}
		m, s := rows.m, rows.s
		if large {
			m, s, _ = sketch(m, s, sketched, l.o.Seed, 1+uint64(k))
		}
		s.weight = s.drawn(l.o.Seed, 1000+uint64(k))
		b := set.booster(m, s)
		b.run(func(int, *additive) bool { return !l.stopped() })
		fits[k] = set.plainly(&b.fit, b)
	})
	if l.stopped() {
		return nil, ErrCancelled
	}
	var whole *additive
	if !l.tick() {
		return nil, ErrCancelled
	}
	if large {
		set.workers = l.o.Workers
		b := set.booster(rows.m, rows.s)
		b.run(func(int, *additive) bool { return !l.stopped() })
		if l.stopped() {
			return nil, ErrCancelled
		}
		whole = set.plainly(&b.fit, b)
	}
	f := &final{shapes: make([]shape, len(l.m.columns))}
	if err := l.each(len(rows.m.columns), func(j int) { f.shapes[j] = rows.summarize(j, fits, whole) }); err != nil {
		return nil, err
	}
	levels := make([]float64, bags)
	for k, fit := range fits {
		f.base += fit.base / float64(bags)
		levels[k] = fit.base
		for j := range fit.shapes {
			levels[k] += f.shapes[j].mean(fit.shapes[j])
		}
	}
	f.spread = deviation(levels)
	if whole != nil {
		f.base = whole.base
		f.spread *= math.Sqrt(float64(sketched) / float64(rows.m.rows))
	}
	return f, nil
}

// additive is a copy of the function as it was learned.
func (f *final) additive() *additive {
	a := &additive{base: f.base}
	for j := range f.shapes {
		a.shapes = append(a.shapes, append([]float64(nil), f.shapes[j].value...))
	}
	return a
}

// mean is the mean over the rows of values by code.
func (s *shape) mean(values []float64) float64 {
	sum, all := 0.0, 0.0
	for code, v := range values {
		sum += s.weight[code] * v
		all += s.weight[code]
	}
	return sum / max(all, 1e-9)
}

// deviation is the standard deviation of a draw of values.
func deviation(values []float64) float64 {
	mean, square := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	return math.Sqrt(square / float64(max(len(values)-1, 1)))
}

// sketch draws about most of many rows, in their order, and says which.
func sketch(m *matrix, s sample, most int, seed, stream uint64) (*matrix, sample, []int32) {
	rng := rand.New(rand.NewPCG(seed, 5000+stream))
	rows := make([]int32, 0, most+most/4)
	share := float64(most) / float64(m.rows)
	for i := range m.rows {
		if rng.Float64() < share {
			rows = append(rows, int32(i))
		}
	}
	part := &matrix{rows: len(rows)}
	for _, c := range m.columns {
		codes := make([]uint8, len(rows))
		for i, row := range rows {
			codes[i] = c.codes[row]
		}
		c.codes = codes
		part.columns = append(part.columns, c)
	}
	take := func(values []float64) []float64 {
		if values == nil {
			return nil
		}
		out := make([]float64, len(rows))
		for i, row := range rows {
			out[i] = values[row]
		}
		return out
	}
	out := sample{y: take(s.y), weight: take(s.weight), offset: take(s.offset), odds: take(s.odds)}
	if s.group != nil {
		for _, row := range rows {
			out.group = append(out.group, s.group[row])
		}
	}
	return part, out, rows
}

// summarize makes the mean and the spread of a column's shapes over the bags.
func (rows *view) summarize(j int, fits []*additive, whole *additive) shape {
	c := &rows.m.columns[j]
	s := shape{
		value: make([]float64, c.bins), spread: make([]float64, c.bins),
		weight: make([]float64, c.bins), count: make([]int64, c.bins),
	}
	for i, code := range c.codes {
		s.weight[code] += rows.s.weight[i]
		s.count[code]++
	}
	for _, fit := range fits {
		middle := s.mean(fit.shapes[j])
		for code, v := range fit.shapes[j] {
			s.value[code] += v / float64(len(fits))
			s.spread[code] += (v - middle) * (v - middle) / float64(len(fits))
		}
	}
	middle := s.mean(s.value)
	for code, v := range s.value {
		d := v - middle
		s.spread[code] = math.Sqrt(max(s.spread[code]-d*d, 0) * float64(len(fits)) / float64(max(len(fits)-1, 1)))
		if whole != nil {
			s.spread[code] *= math.Sqrt(float64(sketched) / float64(rows.m.rows))
		}
	}
	if whole != nil {
		copy(s.value, whole.shapes[j])
	}
	return s
}
