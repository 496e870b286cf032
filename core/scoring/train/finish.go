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
	shapes []shape
}

// fit learns the final function with the settings and the rounds that a trial found.
func (l *learner) fit(best *trial) (*final, error) {
	set := best.set
	set.rounds = best.rounds[best.best]
	n := l.m.rows
	bags := l.o.Bags
	large := n > bagged
	if large {
		bags = min(bags, 8)
	}
	fits := make([]*additive, bags)
	set.workers = 1
	each(l.o.Workers, bags, func(k int) {
		if l.stopped() {
			return
		}
		m, s := l.m, l.s
		if large {
			m, s = l.sketch(uint64(k))
		}
		s.weight = drawn(s.weight, l.o.Seed, 1000+uint64(k))
		b := newBooster(m, s, set)
		b.run(func(int, *additive) bool { return !l.stopped() })
		fits[k] = &b.fit
	})
	if l.stopped() {
		return nil, ErrCancelled
	}
	var whole *additive
	if large {
		set.workers = l.o.Workers
		b := newBooster(l.m, l.s, set)
		b.run(func(int, *additive) bool { return !l.stopped() })
		if l.stopped() {
			return nil, ErrCancelled
		}
		whole = &b.fit
	}
	f := &final{shapes: make([]shape, len(l.m.columns))}
	each(l.o.Workers, len(l.m.columns), func(j int) {
		f.shapes[j] = l.summarize(j, fits, whole)
	})
	for _, fit := range fits {
		f.base += fit.base / float64(bags)
	}
	if whole != nil {
		f.base = whole.base
	}
	return f, nil
}

// sketch draws some of many rows, in their order.
func (l *learner) sketch(stream uint64) (*matrix, sample) {
	rng := rand.New(rand.NewPCG(l.o.Seed, 5000+stream))
	rows := make([]int32, 0, sketched+sketched/4)
	share := float64(sketched) / float64(l.m.rows)
	for i := range l.m.rows {
		if rng.Float64() < share {
			rows = append(rows, int32(i))
		}
	}
	m := &matrix{rows: len(rows)}
	for _, c := range l.m.columns {
		codes := make([]uint8, len(rows))
		for i, row := range rows {
			codes[i] = c.codes[row]
		}
		c.codes = codes
		m.columns = append(m.columns, c)
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
	return m, sample{y: take(l.s.y), weight: take(l.s.weight), offset: take(l.s.offset), odds: take(l.s.odds)}
}

// summarize makes the mean and the spread of a column's shapes over the bags.
func (l *learner) summarize(j int, fits []*additive, whole *additive) shape {
	c := &l.m.columns[j]
	s := shape{
		value: make([]float64, c.bins), spread: make([]float64, c.bins),
		weight: make([]float64, c.bins), count: make([]int64, c.bins),
	}
	all := 0.0
	for i, code := range c.codes {
		s.weight[code] += l.s.weight[i]
		s.count[code]++
		all += l.s.weight[i]
	}
	centre := func(values []float64) float64 {
		sum := 0.0
		for code, v := range values {
			sum += s.weight[code] * v
		}
		return sum / max(all, 1e-9)
	}
	for _, fit := range fits {
		middle := centre(fit.shapes[j])
		for code, v := range fit.shapes[j] {
			s.value[code] += v / float64(len(fits))
			s.spread[code] += (v - middle) * (v - middle) / float64(len(fits))
		}
	}
	middle := centre(s.value)
	for code, v := range s.value {
		d := v - middle
		s.spread[code] = math.Sqrt(max(s.spread[code]-d*d, 0) * float64(len(fits)) / float64(max(len(fits)-1, 1)))
		if whole != nil {
			s.spread[code] *= math.Sqrt(float64(sketched) / float64(l.m.rows))
		}
	}
	if whole != nil {
		copy(s.value, whole.shapes[j])
	}
	return s
}
