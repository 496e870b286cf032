package card

import (
	"cmp"
	"fmt"
	"math"
	"slices"

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
		s := spansOf(x, y)
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
		sides[k] = spansOf(x, y)
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
		return before.Text(best.was, row) + " is gone"
	}
	return after.Text(best.is, row) + ", was " + signed(best.was.Points)
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

// spans are parts of the values of one signal over which neither version changes its bin.
type spans struct {
	finder
	parts []span
}

type span struct {
	before, after int32 // bins; -1 for none
	text          string
	values        []string
}

func (s *span) words() string {
	if s.text != "" {
		return s.text
	}
	const few = 5
	var text []byte
	for i, v := range s.values[:min(few, len(s.values))] {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = append(text, v...)
	}
	if more := len(s.values) - few; more > 0 {
		text = fmt.Appendf(text, " and %d more", more)
	}
	return string(text)
}

// spansOf parts the values of a signal by the bins of both versions, either of which may be nil.
func spansOf(a, b *finder) *spans {
	of := a
	if b != nil {
		of = b
	}
	s := &spans{finder: finder{feature: of.feature, kind: of.kind, values: map[string]int32{}, rest: -1}}
	add := func(text string, bin func(f *finder) int32) int32 {
		p := span{before: -1, after: -1, text: text}
		if a != nil {
			p.before = bin(a)
		}
		if b != nil {
			p.after = bin(b)
		}
		s.parts = append(s.parts, p)
		return int32(len(s.parts) - 1)
	}
	if of.kind == frame.Number {
		for _, f := range []*finder{a, b} {
			if f != nil {
				s.cuts = append(s.cuts, f.cuts...)
			}
		}
		slices.Sort(s.cuts)
		s.cuts = slices.Compact(s.cuts)
		for i := range len(s.cuts) + 1 {
			text, at := "any number", 0.0
			switch {
			case len(s.cuts) == 0:
			case i == 0:
				text, at = "below "+number(s.cuts[0]), math.Nextafter(s.cuts[0], math.Inf(-1))
			case i == len(s.cuts):
				text, at = number(s.cuts[i-1])+" and more", s.cuts[i-1]
			default:
				text, at = number(s.cuts[i-1])+" up to "+number(s.cuts[i]), s.cuts[i-1]
			}
			s.slots = append(s.slots, add(text, func(f *finder) int32 { return f.number(at) }))
		}
	} else {
		var values []string
		for _, f := range []*finder{a, b} {
			if f != nil {
				for v := range f.values {
					values = append(values, v)
				}
			}
		}
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			bin := add("", func(f *finder) int32 { return f.text(v) })
			// Values of the same bins are told in one go.
			for i := range s.parts[:bin] {
				if p := &s.parts[i]; p.before == s.parts[bin].before && p.after == s.parts[bin].after {
					s.parts, bin = s.parts[:bin], int32(i)
					break
				}
			}
			s.parts[bin].values = append(s.parts[bin].values, v)
			s.values[v] = bin
		}
		s.rest = add("all others", func(f *finder) int32 { return f.rest })
	}
	s.missing = add("not known", func(f *finder) int32 { return f.missing })
	return s
}
