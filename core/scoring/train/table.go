package train

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// table is a learned function on its way into a card: parts in points, not yet rounded.
type table struct {
	base    float64
	parts   [][]part // of each column of the matrix; the cells of a pair one by one
	level   float64  // points = level + perLogit*logodds
	perUnit float64
	// What an expert's points are multiplied by, and sums of them moved by, to leave room.
	scale, shift float64
	spread       float64   // standard error of the base, in log-odds
	cost         float64   // log loss of the rows that merging bins cost
	moved        *additive // what was learned on top of an expert's card; nil without one
}

// tabulate merges the bins of a function, centres its columns so that the base is the average
// row, and finds the scale that puts all rows between 0 and 10000 points with some room to spare.
func (l *learner) tabulate(f *final) *table {
	t := &table{base: f.base, spread: f.spread}
	before := l.loss(f.additive(), l.m)
	keep := 0.0
	if l.prior != nil {
		t.level, t.perUnit = l.prior.level, l.prior.perUnit
		t.moved = f.additive()
		keep = l.prior.keep(l.o.PriorRows, l.report.BaseRate)
	}
	for j := range f.shapes {
		c, s := &l.m.columns[j], &f.shapes[j]
		var parts []part
		if l.prior != nil && c.inner == 0 {
			l.add(j, s, keep)
		}
		if c.inner > 0 {
			for code := range c.bins {
				parts = append(parts, s.part([]int{code}))
			}
		} else {
			parts = merge(c, s)
		}
		if l.prior != nil {
			t.parts = append(t.parts, parts)
			continue
		}
		sum, rows := 0.0, 0.0
		for _, p := range parts {
			for _, code := range p.codes {
				sum += s.weight[code] * p.value
				rows += s.weight[code]
			}
		}
		middle := sum / max(rows, 1e-9)
		for i := range parts {
			if parts[i].count == 0 {
				parts[i].value = middle // nobody knows, so like the average row
			}
			parts[i].value -= middle
		}
		t.base += middle
		t.parts = append(t.parts, parts)
	}
	if l.prior != nil {
		t.fit(l.m, l.s.offset)
		return t
	}
	t.cost = l.loss(t.additive(l.m), l.m) - before
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range t.scores(l.m, nil) {
		low, high = min(low, s), max(high, s)
	}
	room := 0.08*(high-low) + 0.1
	low, high = low-room, high+room
	t.perUnit = card.MaxPoints / (high - low)
	t.level = -low * t.perUnit
	return t
}

// loss is the mean log loss of a function on the rows.
func (l *learner) loss(a *additive, m *matrix) float64 {
	scores := make([]float64, m.rows)
	a.score(m, scores)
	sum, all := 0.0, 0.0
	for i, s := range scores {
		sum += l.s.weight[i] * logLoss(s, l.s.y[i])
		all += l.s.weight[i]
	}
	return sum / max(all, 1e-9)
}

// add puts what was learned of a column on top of the expert's points.
func (l *learner) add(j int, s *shape, keep float64) {
	rate := min(max(l.report.BaseRate, 0.05), 0.95)
	for code, v := range l.prior.shape(l.columns[j]) {
		s.value[code] += v
		s.spread[code] = spread(keep, s.weight[code]*rate*(1-rate), s.spread[code])
	}
}

// additive is the function of the table with merged bins.
func (t *table) additive(m *matrix) *additive {
	a := &additive{base: t.base}
	for j, parts := range t.parts {
		shape := make([]float64, m.columns[j].bins)
		for _, p := range parts {
			for _, code := range p.codes {
				shape[code] = p.value
			}
		}
		a.shapes = append(a.shapes, shape)
	}
	return a
}

// scores is the log-odds of the rows by the table, on top of the offset of an expert's card.
func (t *table) scores(m *matrix, offset []float64) []float64 {
	scores := make([]float64, m.rows)
	if t.moved == nil {
		t.additive(m).score(m, scores)
		return scores
	}
	t.moved.score(m, scores)
	for i := range scores {
		scores[i] += offset[i]
	}
	return scores
}

// points writes one number of log-odds as points.
func (t *table) points(logodds float64) int32 { return int32(math.Round(logodds * t.perUnit)) }

// importance is how many points a column moves a row of data from the average, in the mean.
func (t *table) importance(j int) float64 {
	sum, rows := 0.0, 0.0
	for _, p := range t.parts[j] {
		sum += float64(p.count) * math.Abs(p.value)
		rows += float64(p.count)
	}
	return sum / max(rows, 1) * t.perUnit
}

// card writes the table down as a card without calibration, the most telling signals first.
// Signals that never give a point are left out.
func (l *learner) card(t *table) *card.Card {
	c := &card.Card{Target: l.o.Target, Base: int32(math.Round(t.level + t.base*t.perUnit)), BaseError: t.points(t.spread)}
	order := make([]int, len(l.m.columns))
	for j := range order {
		order[j] = j
	}
	sort.SliceStable(order, func(a, b int) bool { return t.importance(order[a]) > t.importance(order[b]) })
	if l.prior != nil {
		return l.grown(t)
	}
	for _, j := range order {
		if t.importance(j) < 1 {
			continue
		}
		if j >= len(l.columns) {
			c.Pairs = append(c.Pairs, l.pair(t, j))
			continue
		}
		c.Rows = append(c.Rows, l.row(t, j))
	}
	return c
}

// grown is the expert's card with what was learned. Signals that no row speaks of stay as they are.
func (l *learner) grown(t *table) *card.Card {
	c := t.rescaled(l.untouched())
	c.Base += int32(math.Round(t.base * t.perUnit))
	c.Learned = nil
	if l.o.Target.Column != "" || l.o.Target.Line != "" {
		c.Target = l.o.Target
	}
	for j := range l.m.columns {
		if j >= len(l.columns) {
			c.Pairs = append(c.Pairs, l.pair(t, j))
			continue
		}
		row := l.row(t, j)
		at := slices.IndexFunc(c.Rows, func(r card.Row) bool { return r.Feature == row.Feature })
		if at < 0 {
			if t.importance(j) >= 1 {
				c.Rows = append(c.Rows, row)
			}
			continue
		}
		old := c.Rows[at]
		row.In, row.Group, row.Label = old.In, old.Group, old.Label
		c.Rows[at] = row
	}
	return c
}

func (l *learner) row(t *table, j int) card.Row {
	b := l.columns[j]
	row := card.Row{
		Feature: b.name, Kind: b.kind, Group: l.o.Groups[b.name], Label: l.o.Labels[b.name],
		Monotone: l.monotone(b.name),
	}
	for i, p := range t.parts[j] {
		bin := card.Bin{Points: t.points(p.value), Error: t.points(p.spread), Count: p.count}
		side := b.part(p.codes)
		bin.Below, bin.Values, bin.Missing, bin.Other = side.Below, side.Values, side.Missing, side.Other
		if i > 0 && b.kind == frame.Category && !bin.Other && len(bin.Values) == 0 {
			continue
		}
		row.Bins = append(row.Bins, bin)
	}
	if row.Monotone != 0 && turns(row.Bins[1:], row.Monotone) {
		// The rule holds among the amounts; the card's row would extend it to the codes.
		row.Monotone = 0
		l.report.Words = append(l.report.Words, fmt.Sprintf("%s never turns, as asked, but for its codes (%s), so its row does not carry the rule.", b.name, codeWords(append(slices.Clone(b.low), b.high...))))
	}
	// Missing stands behind the others.
	row.Bins = append(row.Bins[1:], row.Bins[0])
	return row
}

// turns tells whether the points of bins of numbers go against a rule somewhere.
func turns(bins []card.Bin, way card.Monotone) bool {
	for i := 1; i < len(bins); i++ {
		if int64(way)*int64(bins[i].Points-bins[i-1].Points) < 0 {
			return true
		}
	}
	return false
}

// part says which values some codes stand for.
func (b *binning) part(codes []int) card.Part {
	var p card.Part
	for _, code := range codes {
		switch {
		case code == 0:
			p.Missing = true
		case code == b.bins-1:
			p.Other = true
		case b.kind == frame.Category:
			p.Values = append(p.Values, b.kept[code-1])
		default:
			below := b.cuts[code-1]
			p.Below = &below
		}
	}
	if p.Other {
		p.Below, p.Values = nil, nil // they are among all else
	}
	return p
}

// pair writes down the grid of a pair.
func (l *learner) pair(t *table, j int) card.Pair {
	p := &l.pairs[j-len(l.columns)]
	c := card.Pair{First: l.side(&p.outer), Second: l.side(&p.inner)}
	for x := range p.outer.parts {
		var cells []card.Cell
		for y := range p.inner.parts {
			cell := t.parts[j][x*p.inner.parts+y]
			cells = append(cells, card.Cell{Points: t.points(cell.value), Error: t.points(cell.spread), Count: cell.count})
		}
		c.Cells = append(c.Cells, cells)
	}
	return c
}

func (l *learner) side(s *side) card.Side {
	b := l.columns[s.column]
	out := card.Side{Feature: b.name, Kind: b.kind}
	for k := range s.parts {
		var codes []int
		for code := range b.bins {
			if int(s.part[code]) == k {
				codes = append(codes, code)
			}
		}
		out.Parts = append(out.Parts, b.part(codes))
	}
	return out
}
