package train

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

const (
	// turned is the area under the curve below which a column alone tells the newest rows the wrong way
	// round.
	turned = 0.47
	// moved is the stability index from which a column counts as drifting.
	moved = 0.25
	// dating is the stability index from which early rows and late ones are nearly all told apart by a
	// column, so that what it seems to tell may be what the times told.
	dating = 1.0
	// stretch is the mean number of rows in a row with the same value from which a column goes by the
	// calendar and not by the row.
	stretch = 40
)

// drifting measures how far each column moved between early and late rows. Columns that say when a
// row came, or that tell the newest rows the wrong way round, stay only where newer rows are told better
// with them beyond chance; others that moved much go where newer rows are told better without them.
// Numbers that stay are capped to their late range.
func (l *learner) drifting(best *trial) (*trial, error) {
	if !l.timed {
		return best, nil
	}
	for j := range l.columns {
		c := &l.report.Columns[l.index[j]]
		c.Drift = l.stability(j)
		c.Shared = shared(&l.m.columns[j])
	}
	best, err := l.undate(best)
	if err != nil {
		return nil, err
	}
	if best, err = l.mislead(best); err != nil {
		return nil, err
	}
	if !l.tick() {
		return nil, ErrCancelled
	}
	return best, nil
}

// byDrift lists the columns that a test holds for, those that moved most first.
func (l *learner) byDrift(test func(c *Column) bool) []string {
	var names []string
	for j := range l.columns {
		if c := &l.report.Columns[l.index[j]]; test(c) {
			names = append(names, c.Name)
		}
	}
	sort.SliceStable(names, func(a, b int) bool {
		return l.report.Columns[l.index[l.at(names[a])]].Drift > l.report.Columns[l.index[l.at(names[b])]].Drift
	})
	return names
}

// undate takes out all columns at once that say when a row came, since one stands in for another,
// and puts those back, capped, with which newer rows are told better for longer than what was goes on.
func (l *learner) undate(best *trial) (*trial, error) {
	if l.prior != nil {
		return best, nil
	}
	names := l.byDrift((*Column).dates)
	if len(names) == 0 || len(names) == len(l.columns) {
		return best, nil
	}
	all := l.m
	bare := &matrix{rows: all.rows}
	kept := make([]bool, len(l.columns))
	for j := range l.columns {
		if kept[j] = !slices.Contains(names, l.columns[j].name); kept[j] {
			bare.columns = append(bare.columns, all.columns[j])
		}
	}
	t, err := l.try(bare, best.set)
	if err != nil {
		return nil, err
	}
	with := bare
	chosen := t
	most := 12
	if l.m.rows >= 50_000 {
		most = 3
	}
	// What tells most alone among the newest rows has the first chance.
	sort.SliceStable(names, func(a, b int) bool {
		return l.report.Columns[l.index[l.at(names[a])]].Late > l.report.Columns[l.index[l.at(names[b])]].Late
	})
	var back []string
	for _, name := range names[:min(len(names), most)] {
		j := l.at(name)
		grown := &matrix{rows: all.rows, columns: append(slices.Clone(with.columns), all.columns[j])}
		t, err := l.try(grown, best.set)
		if err != nil {
			return nil, err
		}
		if l.lastingly(t, chosen) > 1 {
			chosen, with, back = t, grown, append(back, name)
		}
	}
	if l.lastingly(chosen, best) < -1 {
		return best, nil
	}
	for _, name := range names {
		if slices.Contains(back, name) {
			continue
		}
		j := l.at(name)
		r := &l.report.Columns[l.index[j]]
		why := fmt.Sprintf("it says when a row came (stability index %.2f), and newer rows are not told better with it", r.Drift)
		if r.Shared {
			why = "it is the same for all rows of a stretch of time, as dates and rates are, and newer rows are not told better with it"
		}
		l.hold(j, why)
	}
	if len(back) == 0 {
		return chosen, nil
	}
	// The columns stand in another order than they were tried in, which moves nothing but roundings.
	return l.try(l.m, best.set)
}

// mislead takes out columns one by one.
func (l *learner) mislead(best *trial) (*trial, error) {
	most := 8
	if l.m.rows >= 50_000 {
		most = 3
	}
	names := l.byDrift(func(c *Column) bool { return c.Drift > moved || c.Late < turned })
	for _, name := range names[:min(len(names), most)] {
		if len(l.columns) < 2 {
			break
		}
		j := l.at(name)
		t, err := l.try(l.m.without(j), best.set)
		if err != nil {
			return nil, err
		}
		r := &l.report.Columns[l.index[j]]
		if z := l.better(t, best); z > 1 || r.Late < turned && z > -1 {
			why := fmt.Sprintf("it drifts (stability index %.2f) and newer rows are told better without it", r.Drift)
			if r.Late < turned {
				why = fmt.Sprintf("what it tells turned with time (area under the curve %.2f on the newest rows), and newer rows are not told better with it", r.Late)
			}
			l.hold(j, why)
			best = t
			continue
		}
		b, low, high := l.capped(j)
		if b == nil {
			continue
		}
		m := &matrix{rows: l.m.rows, columns: slices.Clone(l.m.columns)}
		m.columns[j] = recode(&l.m.columns[j], l.columns[j], b)
		t, err = l.try(m, best.set)
		if err != nil {
			return nil, err
		}
		if l.better(t, best) < -1 {
			continue
		}
		best = t
		r.Capped = fmt.Sprintf("%g to %g", low, high)
		if l.all != nil {
			l.all.m = &matrix{rows: l.all.m.rows, columns: slices.Clone(l.all.m.columns)}
			l.all.m.columns[j] = recode(&l.all.m.columns[j], l.columns[j], b)
		}
		l.m, l.columns[j] = m, b
	}
	return best, nil
}

// capped gives the bins of a number without those that the newest fifth of the rows has hardly
// any of; nil where that is no change or leaves nothing, or where an expert set the bins.
func (l *learner) capped(j int) (b *binning, low, high float64) {
	old, c := l.columns[j], &l.m.columns[j]
	if old.kind != frame.Number || len(old.cuts) < 2 || l.prior != nil {
		return nil, 0, 0
	}
	count, rows := make([]float64, c.bins), 0.0
	for _, code := range c.codes[c.late():] {
		if code > 0 {
			count[code]++
			rows++
		}
	}
	// Cut k parts codes up to k+1 from those beyond.
	var cuts []float64
	below, apart := 0.0, 0
	for k, cut := range old.cuts {
		below += count[k+1]
		if k < c.low || k >= len(old.cuts)-c.high {
			cuts = append(cuts, cut)
			apart++
		} else if below >= 0.01*rows && rows-below >= 0.01*rows {
			cuts = append(cuts, cut)
		}
	}
	if rows < 100 || len(cuts) == apart || len(cuts) == len(old.cuts) {
		return nil, 0, 0
	}
	b = &binning{name: old.name, kind: old.kind, cuts: cuts, bins: len(cuts) + 2, low: old.low, high: old.high}
	return b, cuts[c.low], cuts[len(cuts)-1-c.high]
}

// late is the first row of the newest fifth.
func (c *coded) late() int { return len(c.codes) * 8 / 10 }

// recode writes the codes of a column of numbers for some of its cuts.
func recode(c *coded, old, b *binning) coded {
	var to [256]uint8
	for code := 1; code < old.bins; code++ {
		value := math.Inf(-1)
		if code > 1 {
			value = old.cuts[code-2]
		}
		to[code] = b.number(value)
	}
	out := *c
	out.codes, out.bins = make([]uint8, len(c.codes)), b.bins
	out.low, out.high = b.ends()
	for i, code := range c.codes {
		out.codes[i] = to[code]
	}
	return out
}

// shared tells whether all rows of a stretch of time have the same value, as rates, indices and dates
// do: there are more than two, and rows with the same one stand in long runs.
func shared(c *coded) bool {
	runs, values := 1, 0
	var seen [256]bool
	for i, code := range c.codes {
		if i > 0 && code != c.codes[i-1] {
			runs++
		}
		if !seen[code] {
			seen[code] = true
			values++
		}
	}
	return values > 2 && runs*stretch < len(c.codes)
}

// dates tells whether a column says when a row came.
func (c *Column) dates() bool { return c.Drift > dating || c.Shared }

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
