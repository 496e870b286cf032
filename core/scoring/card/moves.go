package card

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// moves scores the rows with both versions.
func moves(before, after *Scorer, f *frame.Frame) (*Moves, error) {
	x, err := before.Bind(f)
	if err != nil {
		return nil, fmt.Errorf("the card before: %w", err)
	}
	y, err := after.Bind(f)
	if err != nil {
		return nil, fmt.Errorf("the card after: %w", err)
	}
	was, is := make([]Result, f.Rows), make([]Result, f.Rows)
	x.ScoreAll(was, 0, f.Rows)
	y.ScoreAll(is, 0, f.Rows)
	m := &Moves{Rows: f.Rows}
	var sum, either, ppm int64
	const most = 10
	for row := range was {
		d := int64(is[row].Points - was[row].Points)
		if d == 0 && is[row].PPM == was[row].PPM {
			continue
		}
		m.Changed++
		sum += d
		either += max(d, -d)
		ppm += int64(is[row].PPM - was[row].PPM)
		at := len(m.Largest)
		for at > 0 && max(d, -d) > size(&m.Largest[at-1]) {
			at--
		}
		if at < most && d != 0 {
			m.Largest = slices.Insert(m.Largest, at, Move{Row: row, Before: was[row], After: is[row]})
			m.Largest = m.Largest[:min(len(m.Largest), most)]
		}
	}
	if f.Rows > 0 {
		n := float64(f.Rows)
		m.Mean, m.Either, m.MeanPPM = float64(sum)/n, float64(either)/n, float64(ppm)/n
	}
	for i := range m.Largest {
		m.Largest[i].Why = why(x, y, m.Largest[i].Row)
	}
	m.Crossings, err = crossings(before.card, after.card, f, was, is)
	return m, err
}

func size(m *Move) int64 {
	d := int64(m.After.Points - m.Before.Points)
	return max(d, -d)
}

// why words the contribution that changes most.
func why(before, after *Bound, row int) string {
	type part struct {
		is, was           Contribution
		present, absented bool
		order             int
	}
	parts := map[string]*part{}
	note := func(b *Bound, set func(*part, Contribution)) {
		for _, c := range b.AppendContributions(nil, row) {
			name := c.Kind.String() + " " + c.Group
			switch c.Kind {
			case ContributionRow:
				name = "row " + b.s.card.Rows[c.Index].Feature
			case ContributionPair:
				p := &b.s.card.Pairs[c.Index]
				name = "pair " + p.First.Feature + "\x00" + p.Second.Feature
			}
			if parts[name] == nil {
				parts[name] = &part{order: len(parts)}
			}
			set(parts[name], c)
		}
	}
	note(before, func(p *part, c Contribution) { p.was, p.absented = c, true })
	note(after, func(p *part, c Contribution) { p.is, p.present = c, true })
	var best *part
	by := func(p *part) int32 { return max(p.is.Points-p.was.Points, p.was.Points-p.is.Points) }
	for _, p := range parts {
		if best == nil || cmp.Or(cmp.Compare(by(p), by(best)), cmp.Compare(best.order, p.order)) > 0 {
			best = p
		}
	}
	if best == nil || by(best) == 0 {
		return ""
	}
	if !best.present {
		return before.words(best.was, row) + ": " + signed(best.was.Points) + " is gone"
	}
	return after.words(best.is, row) + ": " + signed(best.is.Points) + ", was " + signed(best.was.Points)
}

// crossings counts who moves across the thresholds, by the order of the version after.
func crossings(a, b *Card, f *frame.Frame, was, is []Result) ([]Crossing, error) {
	segments, err := segmentsOf(a, b, f)
	if err != nil {
		return nil, err
	}
	find := func(c *Card, name, segment string) int32 {
		for i := range c.Thresholds {
			if c.Thresholds[i].Name == name && c.Thresholds[i].Segment == segment {
				return c.Thresholds[i].Points
			}
		}
		return -1
	}
	// A segment without a threshold of its own has the general one.
	own := func(c *Card, name, segment string) int32 {
		if p := find(c, name, segment); p >= 0 || segment == "" {
			return p
		}
		return find(c, name, "")
	}
	var out []Crossing
	seen := map[[2]string]int{}
	for _, c := range []*Card{b, a} {
		for i := range c.Thresholds {
			t := &c.Thresholds[i]
			if _, ok := seen[[2]string{t.Name, t.Segment}]; ok || t.Segment != "" && segments == nil {
				continue
			}
			seen[[2]string{t.Name, t.Segment}] = len(out)
			out = append(out, Crossing{Name: t.Name, Segment: t.Segment, Before: own(a, t.Name, t.Segment), After: own(b, t.Name, t.Segment)})
		}
	}
	names := map[string]bool{}
	for k := range seen {
		names[k[0]] = true
	}
	for row := range was {
		for name := range names {
			at, ok := -1, false
			if segments != nil && !segments.Missing(row) {
				at, ok = seen[[2]string{name, segments.Text(row)}]
			}
			if !ok {
				if at, ok = seen[[2]string{name, ""}]; !ok {
					continue
				}
			}
			c := &out[at]
			c.Rows++
			before := c.Before >= 0 && was[row].Points >= c.Before
			after := c.After >= 0 && is[row].Points >= c.After
			if before {
				c.AboveBefore++
			}
			if after {
				c.AboveAfter++
			}
			if after && !before {
				c.In++
			}
			if before && !after {
				c.Out++
			}
		}
	}
	return out, nil
}

// segmentsOf returns the column of the segments; nil where thresholds have none.
func segmentsOf(a, b *Card, f *frame.Frame) (*frame.Column, error) {
	name := cmp.Or(b.Target.Segments, a.Target.Segments)
	has := func(t Threshold) bool { return t.Segment != "" }
	if name == "" || !slices.ContainsFunc(a.Thresholds, has) && !slices.ContainsFunc(b.Thresholds, has) {
		return nil, nil
	}
	c := f.Column(name)
	if c == nil || c.Kind != frame.Category {
		return nil, fmt.Errorf("the table has no column %q of names, whose values the thresholds' segments are", name)
	}
	return c, nil
}
