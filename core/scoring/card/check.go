package card

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

const (
	maxRowPoint = 100_000 // of one bin, cell or base: ten times MaxPoints
	maxRows     = 10_000  // rows and pairs together, so that no sum overflows
	maxBins     = 10_000  // of one row
	maxCells    = 10_000  // of one pair
	maxText     = 100_000 // bytes of a name, value or label
)

// checker collects every mistake of a card.
type checker struct {
	problems []Problem
}

func (k *checker) add(path, format string, args ...any) {
	k.problems = append(k.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// Check returns everything that is wrong with a card, in a stable order; nothing for a card that
// Compile takes.
func (c *Card) Check() []Problem {
	var k checker
	k.target(c)
	for i, word := range c.Missing {
		at := fmt.Sprintf("missing[%d]", i)
		k.text(at, word)
		if word == "" || slices.Contains(c.Missing[:i], word) {
			k.add(at, "stands there already; an empty text is missing anyway")
		}
	}
	k.points("base", c.Base)
	k.error("base_error", c.BaseError)
	if n := len(c.Rows) + len(c.Pairs); n > maxRows {
		k.add("rows", "there are %d rows and pairs, at most %d are read", n, maxRows)
	}
	seen := map[string]bool{}
	for i := range c.Rows {
		at := fmt.Sprintf("rows[%d]", i)
		if name := c.Rows[i].Feature; seen[name] {
			k.add(at+".feature", "%s has a row already; put its bins into that one", name)
		}
		seen[c.Rows[i].Feature] = true
		k.row(at, &c.Rows[i], c.Target.Line != "")
	}
	for i := range c.Pairs {
		k.pair(fmt.Sprintf("pairs[%d]", i), &c.Pairs[i], c.Pairs[:i], c.Target.Line != "")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Groups)) {
		k.text("groups."+name, name)
		if name == "" {
			k.add("groups", "a group needs a name")
		}
		k.cap("groups."+name, c.Groups[name])
	}
	k.cap("cap", c.Cap)
	k.calibration(c.Calibration)
	k.thresholds(c)
	k.learned(c.Learned)
	return k.problems
}

func (k *checker) target(c *Card) {
	t := &c.Target
	if t.Line == "" && t.Column == "" {
		k.add("target", "what does the card predict? give line or column")
	}
	if _, ok := lead.ParseLine(t.Line); t.Line != "" && !ok {
		k.add("target.line", "no line of this name%s", lead.Suggest(t.Line, lead.Codes("line")))
	}
	if t.Column == "" && t.Positive != "" {
		k.add("target.positive", "belongs to a column; give column too")
	}
	k.text("target.column", t.Column)
	k.text("target.positive", t.Positive)
	k.text("target.segments", t.Segments)
}

func (k *checker) calibration(knots []Knot) {
	if len(knots) == 0 {
		k.add("calibration", "there are no knots; give at least one with points and chance")
	}
	for i, x := range knots {
		at := fmt.Sprintf("calibration[%d]", i)
		if x.Points < 0 || x.Points > MaxPoints {
			k.add(at+".points", "must be 0 to 100 points, is %s", AppendPoints(nil, x.Points))
		}
		if x.PPM < 0 || x.PPM > Certain {
			k.add(at+".chance", "must be 0 %% to 100 %%, is %s", AppendShare(nil, x.PPM))
		}
		if x.Low < 0 || x.Low > x.PPM {
			k.add(at+".low", "must be 0 %% to the chance, is %s", AppendShare(nil, x.Low))
		}
		if x.High < x.PPM || x.High > Certain {
			k.add(at+".high", "must be the chance to 100 %%, is %s", AppendShare(nil, x.High))
		}
		if i > 0 && x.Points <= knots[i-1].Points {
			k.add(at+".points", "is not above the knot before it; put the knots in ascending order")
		}
		if i > 0 && x.PPM < knots[i-1].PPM {
			k.add(at+".chance", "is below the knot before it: more points must not mean less chance")
		}
	}
}

func (k *checker) thresholds(c *Card) {
	type key struct{ name, segment string }
	seen := map[key]bool{}
	for i := range c.Thresholds {
		t := &c.Thresholds[i]
		at := fmt.Sprintf("thresholds[%d]", i)
		k.text(at+".name", t.Name)
		k.text(at+".segment", t.Segment)
		if t.Name == "" {
			k.add(at+".name", "a threshold needs a name, e.g. ready")
		}
		if seen[key{t.Name, t.Segment}] {
			k.add(at+".name", "%s stands there already", strings.TrimSpace(t.Name+" "+t.Segment))
		}
		seen[key{t.Name, t.Segment}] = true
		if t.Points < 0 || t.Points > MaxPoints {
			k.add(at+".points", "must be 0 to 100 points, is %s", AppendPoints(nil, t.Points))
		}
		if t.Precision < 0 || t.Precision > Certain {
			k.add(at+".precision", "must be 0 %% to 100 %%, is %s", AppendShare(nil, t.Precision))
		}
		if t.Capacity != nil && (t.Capacity.Take < 0 || t.Capacity.Take > t.Capacity.Of || t.Capacity.Of == 0) {
			k.add(at+".take", "take must be 0 to of, and of at least 1, are %d and %d", t.Capacity.Take, t.Capacity.Of)
		}
		if t.Capacity != nil && t.Precision != 0 {
			k.add(at, "comes from a precision or from a capacity; give one")
		}
		if t.Segment == "" {
			continue
		}
		if c.Target.Line == "" && c.Target.Segments == "" {
			k.add(at+".segment", "of which column? give target.segments")
		} else if _, ok := lead.ParseSegment(t.Segment); !ok && c.Target.Line != "" && c.Target.Segments == "" {
			k.add(at+".segment", "no segment of this name%s", lead.Suggest(t.Segment, lead.Codes("segment")))
		}
	}
}

func (k *checker) cap(at string, b Cap) {
	if b.Min != nil {
		k.points(at+".min", *b.Min)
	}
	if b.Max != nil {
		k.points(at+".max", *b.Max)
	}
	if b.Min != nil && b.Max != nil && *b.Min > *b.Max {
		k.add(at, "min is above max")
	}
}

func (k *checker) points(at string, p int32) {
	if p < -maxRowPoint || p > maxRowPoint {
		k.add(at, "must be -1000 to 1000 points, is %s", AppendPoints(nil, p))
	}
}

func (k *checker) error(at string, p int32) {
	if p < 0 || p > maxRowPoint {
		k.add(at, "must be 0 to 1000 points, is %s", AppendPoints(nil, p))
	}
}

// text refuses what a file can not give back as it was.
func (k *checker) text(at, s string) {
	switch {
	case len(s) > maxText:
		k.add(at, "has %d bytes, at most %d are read", len(s), maxText)
	case !utf8.ValidString(s):
		k.add(at, "is no UTF-8 text")
	}
}

func (k *checker) learned(l *Learned) {
	if l == nil {
		return
	}
	if l.Rows < 0 || l.Positives < 0 || l.Positives > l.Rows {
		k.add("learned", "wins must be 0 to the rows, are %d of %d", l.Positives, l.Rows)
	}
	k.text("learned.from", l.From)
	k.text("learned.to", l.To)
	k.text("learned.prior", l.Prior)
	k.text("learned.split.column", l.Split.Column)
	k.text("learned.split.at", l.Split.At)
	if l.PriorRows < 0 {
		k.add("learned.prior_rows", "must not be negative, is %d", l.PriorRows)
	}
	if l.Split.Learn < 0 || l.Split.Tune < 0 || l.Split.Unseen < 0 {
		k.add("learned.split", "rows must not be negative")
	}
	k.figures("learned.unseen", &l.Unseen)
	k.figures("learned.without_denied", &l.Without)
	k.groups(l.Groups)
	for i, h := range l.Held {
		k.text(fmt.Sprintf("learned.held[%d].column", i), h.Column)
		k.text(fmt.Sprintf("learned.held[%d].why", i), h.Why)
	}
	for i, o := range l.Overrides {
		k.text(fmt.Sprintf("learned.overrides[%d].column", i), o.Column)
		k.text(fmt.Sprintf("learned.overrides[%d].reason", i), o.Reason)
		if o.Reason == "" {
			k.add(fmt.Sprintf("learned.overrides[%d].reason", i), "why is the column allowed?")
		}
	}
}

func (k *checker) figures(at string, f *Figures) {
	if f.Rows < 0 || f.Positives < 0 || f.Positives > f.Rows {
		k.add(at, "wins must be 0 to the rows, are %d of %d", f.Positives, f.Rows)
	}
	for _, x := range figures(f) {
		if !(*x.value >= 0 && *x.value <= x.most) {
			k.add(at+"."+x.name, "must be 0 to %s, is %s", number(x.most), number(*x.value))
		}
	}
}

func (k *checker) groups(groups []Group) {
	if len(groups) > MaxGroups {
		k.add("learned.groups", "there are %d groups, at most %d are read", len(groups), MaxGroups)
	}
	type key struct {
		by, value string
		others    bool
	}
	seen := map[key]bool{}
	for i := range groups {
		g, at := &groups[i], fmt.Sprintf("learned.groups[%d]", i)
		k.text(at+".by", g.By)
		k.text(at+".value", g.Value)
		if g.By == "" {
			k.add(at+".by", "what parts the rows? give e.g. brand")
		}
		if g.Others < 0 || g.Others > 0 && g.Value != "" {
			k.add(at+".others", "is how many values are together; give it or value, not both")
		}
		of := key{g.By, g.Value, g.Others > 0}
		if seen[of] {
			k.add(at+".by", "this group of %s stands there already", g.By)
		}
		seen[of] = true
		if g.Rows < 0 || g.Positives < 0 || g.Positives > g.Rows {
			k.add(at+".wins", "wins must be 0 to the rows, are %d of %d", g.Positives, g.Rows)
		}
		for _, f := range g.figures() {
			if !(*f.value >= 0 && *f.value <= f.most) {
				k.add(at+"."+f.name, "must be 0 to %s, is %s", number(f.most), number(*f.value))
			}
		}
	}
}
