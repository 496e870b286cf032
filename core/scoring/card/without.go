package card

import (
	"math"
	"slices"
)

// Without returns a copy of the card that tells nothing by some signals: each gives every row of data
// the mean of the points that it gave the rows it was learned from (the plain mean where the card does
// not say how many they were), and a pair gives by its other signal what it gave on average. The
// calibration stays, so the probabilities are those the card can state without asking for these
// signals; a card learned without them would have put some of their points elsewhere.
func (c *Card) Without(signals ...string) *Card {
	out := c.Clone()
	for i := range out.Rows {
		r := &out.Rows[i]
		if !slices.Contains(signals, r.Feature) {
			continue
		}
		var m mean
		for j := range r.Bins {
			m.add(r.Bins[j].Points, r.Bins[j].Count)
		}
		r.Monotone = 0
		r.Bins = []Bin{{Missing: true, Other: true, Points: m.points(), Count: m.rows}}
	}
	for i := range out.Pairs {
		p := &out.Pairs[i]
		if slices.Contains(signals, p.First.Feature) {
			p.First.Parts = []Part{{Missing: true, Other: true}}
			line := make([]Cell, len(p.Second.Parts))
			for j := range line {
				var m mean
				for k := range p.Cells {
					m.add(p.Cells[k][j].Points, p.Cells[k][j].Count)
				}
				line[j] = Cell{Points: m.points(), Count: m.rows}
			}
			p.Cells = [][]Cell{line}
		}
		if slices.Contains(signals, p.Second.Feature) {
			p.Second.Parts = []Part{{Missing: true, Other: true}}
			for k, line := range p.Cells {
				var m mean
				for _, cell := range line {
					m.add(cell.Points, cell.Count)
				}
				p.Cells[k] = []Cell{{Points: m.points(), Count: m.rows}}
			}
		}
	}
	return out
}

// mean is of points, by the rows they were learned from.
type mean struct {
	sum, plain float64
	rows       int64
	n          int
}

func (m *mean) add(points int32, rows int64) {
	m.sum += float64(points) * float64(rows)
	m.plain += float64(points)
	m.rows += rows
	m.n++
}

func (m *mean) points() int32 {
	switch {
	case m.rows > 0:
		return int32(math.Round(m.sum / float64(m.rows)))
	case m.n > 0:
		return int32(math.Round(m.plain / float64(m.n)))
	}
	return 0
}

// Overridden returns the signals of the card that rules deny and that were allowed all the same where
// it was learned, in the order in which it looks at them; none for a card that an expert wrote.
func (c *Card) Overridden() []string {
	if c.Learned == nil {
		return nil
	}
	var out []string
	add := func(feature string) {
		if slices.ContainsFunc(c.Learned.Overrides, func(o Override) bool { return o.Column == feature }) && !slices.Contains(out, feature) {
			out = append(out, feature)
		}
	}
	for i := range c.Rows {
		add(c.Rows[i].Feature)
	}
	for i := range c.Pairs {
		add(c.Pairs[i].First.Feature)
		add(c.Pairs[i].Second.Feature)
	}
	return out
}
