package card

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Change is what another version of a card changes.
type Change struct {
	Fields []FieldChange // base, limits, calibration, thresholds
	Points []PointsChange
	Moves  *Moves // on the rows of a frame; nil without one
}

// FieldChange is one value beside the points of rows and pairs, as people read it; empty where the
// version has none.
type FieldChange struct {
	Name, Before, After string
}

// PointsChange is other points for some values of a signal, or of two together.
type PointsChange struct {
	Name          string // feature and values, e.g. "Visits 2 up to 5"
	Before, After int32  // 1/100 points; 0 where the version has no points for them
	New, Gone     bool   // the feature, or the pair, has points in only one of the versions
	Rows          int    // of the frame that have these values; 0 without one
}

// Moves is what a change does to the rows of a frame.
type Moves struct {
	Rows, Changed int
	Mean          float64 // of After less Before, 1/100 points
	Either        float64 // mean without its sign, 1/100 points
	MeanPPM       float64 // of the probability, parts per million
	Crossings     []Crossing
	Largest       []Move // the ten largest changes of points, of equals the first rows
}

// Crossing is who moves across a threshold, where one of the versions has it.
type Crossing struct {
	Name, Segment string
	Before, After int32 // points of the threshold; -1 where the version has none
	Rows          int   // the threshold counts for
	AboveBefore   int   // rows at or above it
	AboveAfter    int
	In, Out       int // rows that come above it, and that fall below it
}

// Move is the change of one row.
type Move struct {
	Row           int // from 0
	Before, After Result
	Why           string // the strongest difference in words; the value of the row stands in it
}

// Diff returns what b changes against a: for every value, and on the rows of a frame, which may be
// nil. Both cards must compile. The error names the first problem of a card, or columns that the
// frame does not have. Thresholds of segments need the column that Target.Segments of their card
// names; without it the loyalty segments of a line, which no frame holds, are left out.
func Diff(a, b *Card, f *frame.Frame) (*Change, error) {
	before, problems := Compile(a)
	if before == nil {
		return nil, fmt.Errorf("the card before: %w", problems[0])
	}
	after, problems := Compile(b)
	if after == nil {
		return nil, fmt.Errorf("the card after: %w", problems[0])
	}
	c := &Change{Fields: fieldChanges(a, b)}
	d := differ{before: before, after: after, frame: f}
	d.calibration(c)
	if err := d.rows(c); err != nil {
		return nil, err
	}
	if err := d.pairs(c); err != nil {
		return nil, err
	}
	if f == nil {
		return c, nil
	}
	var err error
	c.Moves, err = moves(before, after, f)
	return c, err
}

type differ struct {
	before, after *Scorer
	frame         *frame.Frame
}

// rows compares the rows feature by feature, in the order of the version after.
func (d *differ) rows(c *Change) error {
	was := map[string]int{}
	for i := range d.before.rows {
		was[d.before.rows[i].feature] = i
	}
	one := func(before, after int) error {
		var x, y *finder
		points := func(s *Scorer, row int, bin int32) int32 {
			if row < 0 || bin < 0 {
				return 0
			}
			return s.card.Rows[row].Bins[bin].Points
		}
		if before >= 0 {
			x = &d.before.rows[before]
		}
		if after >= 0 {
			y = &d.after.rows[after]
		}
		s := spansOf(x, y, d.after.card.Target.Line != "")
		counts, err := d.count(s)
		if err != nil {
			return err
		}
		var out []PointsChange
		for i := range s.parts {
			p := &s.parts[i]
			change := PointsChange{Name: s.feature + " " + p.words(), New: before < 0, Gone: after < 0,
				Before: points(d.before, before, p.before), After: points(d.after, after, p.after), Rows: counts[i]}
			if change.Before != change.After {
				out = append(out, change)
			}
		}
		c.Points = append(c.Points, out...)
		return nil
	}
	for i := range d.after.rows {
		j, ok := was[d.after.rows[i].feature]
		if !ok {
			j = -1
		}
		delete(was, d.after.rows[i].feature)
		if j >= 0 && d.before.rows[j].kind != d.after.rows[i].kind {
			if err := one(j, -1); err != nil {
				return err
			}
			j = -1
		}
		if err := one(j, i); err != nil {
			return err
		}
	}
	for i := range d.before.rows {
		if _, left := was[d.before.rows[i].feature]; left {
			if err := one(i, -1); err != nil {
				return err
			}
		}
	}
	return nil
}

// count returns how many rows of the frame belong to each part.
func (d *differ) count(s *spans) ([]int, error) {
	out := make([]int, len(s.parts))
	in, err := d.bind(s)
	if in == nil || err != nil {
		return out, err
	}
	for row := range d.frame.Rows {
		if bin := in.bin(row); bin >= 0 {
			out[bin]++
		}
	}
	return out, nil
}

// bind returns nil where there is no frame; a column that it does not have is noted when scoring.
func (d *differ) bind(s *spans) (*input, error) {
	if d.frame == nil {
		return nil, nil
	}
	in, err := s.finder.bind(d.frame.Column(s.feature))
	return &in, err
}

func (d *differ) pairs(c *Change) error {
	type key [2]string
	keyOf := func(p *[2]finder) key { return key{p[0].feature, p[1].feature} }
	was := map[key]int{}
	for i := range d.before.pairs {
		was[keyOf(&d.before.pairs[i])] = i
	}
	for i := range d.after.pairs {
		k := keyOf(&d.after.pairs[i])
		j, ok := was[k]
		if !ok {
			j = -1
		} else if b, a := &d.before.pairs[j], &d.after.pairs[i]; b[0].kind != a[0].kind || b[1].kind != a[1].kind {
			j = -1
		} else {
			delete(was, k)
		}
		if err := d.pair(c, j, i); err != nil {
			return err
		}
	}
	for i := range d.before.pairs {
		if _, left := was[keyOf(&d.before.pairs[i])]; left {
			if err := d.pair(c, i, -1); err != nil {
				return err
			}
		}
	}
	return nil
}

// pair compares one pair cell by cell; -1 is none.
func (d *differ) pair(c *Change, before, after int) error {
	var sides [2]*spans
	for k := range sides {
		var x, y *finder
		if before >= 0 {
			x = &d.before.pairs[before][k]
		}
		if after >= 0 {
			y = &d.after.pairs[after][k]
		}
		sides[k] = spansOf(x, y, d.after.card.Target.Line != "")
	}
	first, second := sides[0], sides[1]
	counts := make([]int, len(first.parts)*len(second.parts))
	one, err := d.bind(first)
	if err != nil {
		return err
	}
	two, err := d.bind(second)
	if err != nil {
		return err
	}
	if one != nil && two != nil {
		for row := range d.frame.Rows {
			if i, j := one.bin(row), two.bin(row); i >= 0 && j >= 0 {
				counts[int(i)*len(second.parts)+int(j)]++
			}
		}
	}
	points := func(s *Scorer, pair int, i, j int32) int32 {
		if pair < 0 || i < 0 || j < 0 {
			return 0
		}
		return s.card.Pairs[pair].Cells[i][j].Points
	}
	for i := range first.parts {
		for j := range second.parts {
			p, q := &first.parts[i], &second.parts[j]
			change := PointsChange{Name: first.feature + " " + p.words() + " with " + second.feature + " " + q.words(), New: before < 0, Gone: after < 0,
				Before: points(d.before, before, p.before, q.before), After: points(d.after, after, p.after, q.after), Rows: counts[i*len(second.parts)+j]}
			if change.Before != change.After {
				c.Points = append(c.Points, change)
			}
		}
	}
	return nil
}
