package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// prior is an expert's card: what is learned is added to it.
type prior struct {
	card    *card.Card
	level   float64 // points = level + perUnit*logodds
	perUnit float64
	rows    map[string]*card.Row
}

// guessed is how many points a step of one in log-odds is where an expert gives no calibration.
const guessed = 1000

// expert makes the prior of a card. Points become log-odds by the straight line that fits the
// expert's calibration best.
func (l *learner) expert() error {
	if l.o.Prior == nil {
		return nil
	}
	if problems := l.o.Prior.Check(); len(problems) > 0 {
		return fmt.Errorf("the table to start from: %w", problems[0])
	}
	p := &prior{card: l.o.Prior.Clone(), level: card.MaxPoints / 2, perUnit: guessed, rows: make(map[string]*card.Row)}
	n, x, y, xx, xy := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, k := range p.card.Calibration {
		at, odds := float64(k.Points), logit(min(max(float64(k.PPM)/card.Certain, 1e-3), 1-1e-3))
		n, x, y, xx, xy = n+1, x+at, y+odds, xx+at*at, xy+at*odds
	}
	if d := n*xx - x*x; n > 1 && d > 0 {
		if slope := (n*xy - x*y) / d; slope > 1e-6 {
			p.perUnit = 1 / slope
			p.level = x/n - y/n*p.perUnit
		}
	}
	for i := range p.card.Rows {
		row := &p.card.Rows[i]
		if c := l.f.Column(row.Feature); c != nil && c.Kind != row.Kind {
			return fmt.Errorf("the table to start from knows %q as %v, the rows hold %vs", row.Feature, row.Kind, c.Kind)
		}
		p.rows[row.Feature] = row
	}
	l.prior = p
	return nil
}

// parts lists the cuts and names by which the expert's row of a column tells values apart.
func (p *prior) parts(name string) (cuts []float64, names []string) {
	if p == nil || p.rows[name] == nil {
		return nil, nil
	}
	for _, b := range p.rows[name].Bins {
		if b.Below != nil {
			cuts = append(cuts, *b.Below)
		}
		names = append(names, b.Values...)
	}
	return cuts, names
}

// offset is the log-odds the expert gives each row.
func (p *prior) offset(f *frame.Frame) ([]float64, error) {
	scorer, problems := card.Compile(p.card)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	bound, _, err := scorer.BindKnown(f)
	if err != nil {
		return nil, err
	}
	offset := make([]float64, f.Rows)
	for i := range offset {
		offset[i] = (float64(bound.Score(i).Points) - p.level) / p.perUnit
	}
	return offset, nil
}

// shape is the points that the expert's row gives each code of a column, in log-odds.
func (p *prior) shape(b *binning) []float64 {
	out := make([]float64, b.bins)
	row := p.rows[b.name]
	if row == nil {
		return out
	}
	for code := range out {
		out[code] = float64(expertPoints(row, b, code)) / p.perUnit
	}
	return out
}

func expertPoints(row *card.Row, b *binning, code int) int32 {
	other := int32(0)
	// A code lies wholly within one of the expert's bins, whose cuts are among those of the column.
	value := math.Inf(-1)
	if b.kind == frame.Number && code > 1 {
		value = b.cuts[code-2]
	}
	for _, bin := range row.Bins {
		switch {
		case code == 0:
			if bin.Missing {
				return bin.Points
			}
		case b.kind == frame.Number:
			if bin.Below != nil && value < *bin.Below {
				return bin.Points
			}
		case code < b.bins-1 && slices.Contains(bin.Values, b.kept[code-1]):
			return bin.Points
		}
		if bin.Other {
			other = bin.Points
		}
	}
	if code == 0 {
		return 0
	}
	return other
}

// keep is how strongly each bin is held to the expert's points: as so many rows would.
func (p *prior) keep(rows, rate float64) float64 {
	rate = min(max(rate, 0.05), 0.95)
	return rows * rate * (1 - rate)
}

// spread is the standard error, in log-odds, of a bin that the expert counts for keep in and the
// rows for curve, whose own error over the bags is seen.
func spread(keep, curve, seen float64) float64 {
	if keep <= 0 {
		return seen
	}
	left := keep / (keep + curve)
	return math.Sqrt(left*left/keep + seen*seen)
}

// untouched is the expert's card with the error that its points have by the rows they stand for.
func (l *learner) untouched() *card.Card {
	c := l.prior.card.Clone()
	keep := l.prior.keep(l.o.PriorRows, 0.2)
	err := int32(math.Round(spread(keep, 0, 0) * l.prior.perUnit))
	for i := range c.Rows {
		for k := range c.Rows[i].Bins {
			c.Rows[i].Bins[k].Error = err
			c.Rows[i].Bins[k].Count = 0
		}
	}
	return c
}
