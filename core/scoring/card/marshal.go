package card

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Marshal writes a card as YAML for people: rows and bins in their order, points in whole points,
// with short comments on what the numbers mean. Parse reads it back to an equal card, but for the
// figures of Learned, of which four digits behind the point are written.
func (c *Card) Marshal() []byte { return c.write(true) }

// Revision is the hash of what a card says, 64 hexadecimal digits. Comments and layout of a file
// do not count.
func (c *Card) Revision() string {
	sum := sha256.Sum256(c.write(false))
	return hex.EncodeToString(sum[:])
}

func (c *Card) write(comments bool) []byte {
	w := &writer{comments: comments, leads: c.Target.Line != ""}
	w.note(0, "A points table. The base, the points of one bin of every row and of one cell of every pair add")
	w.note(0, "up to the score, which is kept within 0 to 100; the calibration says which chance that means.")
	w.line(0, "target:")
	w.field(1, "line", c.Target.Line)
	w.field(1, "column", c.Target.Column)
	w.field(1, "positive", c.Target.Positive)
	w.field(1, "segments", c.Target.Segments)
	if len(c.Missing) > 0 {
		w.listed(0, "missing", c.Missing, "not known, as an empty cell")
	}
	w.noted(0, "base: "+points(c.Base), "before any row")
	if c.BaseError != 0 {
		w.noted(0, "base_error: "+points(c.BaseError), "standard error that all have in common")
	}
	w.calibration(c.Calibration)
	w.thresholds(c.Thresholds)
	if c.Cap != (Cap{}) {
		w.line(0, "cap: "+capped(c.Cap))
	}
	if len(c.Groups) > 0 {
		w.gap()
		w.note(0, "Limits of what the rows and pairs of a group give together.")
		w.line(0, "groups:")
		for _, name := range slices.Sorted(maps.Keys(c.Groups)) {
			w.line(1, quote(name)+": "+capped(c.Groups[name]))
		}
	}
	if len(c.Rows) > 0 {
		w.gap()
		w.note(0, "error is the standard error of a bin's points, rows how many it was learned from. A number")
		w.note(0, "belongs to the first bin whose below is above it; else takes the rest.")
		w.line(0, "rows:")
		for i := range c.Rows {
			w.row(&c.Rows[i])
		}
	}
	if len(c.Pairs) > 0 {
		w.gap()
		w.note(0, "Points for two signals together, beyond their own rows: a line for every part of the first, in")
		w.note(0, "it a number for every part of the second.")
		w.line(0, "pairs:")
		for i := range c.Pairs {
			w.pair(&c.Pairs[i])
		}
	}
	if c.Learned != nil {
		w.learned(c.Learned)
	}
	return w.text
}

// writer writes YAML line by line; depth is in steps of two blanks.
type writer struct {
	text     []byte
	comments bool
	leads    bool // signals are features of leads
}

func (w *writer) line(depth int, s string) {
	for range depth {
		w.text = append(w.text, "  "...)
	}
	w.text = append(append(w.text, s...), '\n')
}

// noted is line with a comment behind it.
func (w *writer) noted(depth int, s, comment string) {
	if w.comments && comment != "" {
		s += "  # " + comment
	}
	w.line(depth, s)
}

// note is a comment of its own.
func (w *writer) note(depth int, comment string) {
	if w.comments {
		w.line(depth, "# "+comment)
	}
}

func (w *writer) gap() {
	if w.comments {
		w.text = append(w.text, '\n')
	}
}

// field writes a key with a text unless that is empty.
func (w *writer) field(depth int, key, text string) {
	if text != "" {
		w.line(depth, key+": "+quote(text))
	}
}

// wide is how long a line may be before a list in it is written one element a line.
const wide = 140

func (w *writer) listed(depth int, key string, words []string, comment string) {
	if s := flow(words); len(s) <= wide {
		w.noted(depth, key+": "+s, comment)
		return
	}
	w.noted(depth, key+":", comment)
	for _, word := range words {
		w.line(depth+1, "- "+quote(word))
	}
}

func (w *writer) calibration(knots []Knot) {
	w.gap()
	w.note(0, "Which chance a score means; straight lines between. low and high: the chance is between them in")
	w.note(0, "19 of 20 cases as far as the calibration itself goes.")
	w.line(0, "calibration:")
	for _, k := range knots {
		s := "- {points: " + points(k.Points) + ", chance: " + share(k.PPM)
		if k.Low != 0 || k.High != Certain {
			s += ", low: " + share(k.Low) + ", high: " + share(k.High)
		}
		w.line(1, s+"}")
	}
}

func (w *writer) thresholds(all []Threshold) {
	if len(all) == 0 {
		return
	}
	w.gap()
	w.note(0, "From these points on. One with a segment counts for that segment instead of the one without.")
	w.line(0, "thresholds:")
	for i := range all {
		t := &all[i]
		s := "- {name: " + quote(t.Name)
		if t.Segment != "" {
			s += ", segment: " + quote(t.Segment)
		}
		s += ", points: " + points(t.Points)
		comment := ""
		if t.Precision != 0 {
			s += ", precision: " + share(t.Precision)
			comment = "so that " + share(t.Precision) + " of those above it win"
		}
		if t.Capacity != nil {
			s += fmt.Sprintf(", take: %d, of: %d", t.Capacity.Take, t.Capacity.Of)
			comment = "as many as can be worked on"
		}
		w.noted(1, s+"}", comment)
	}
}

func (w *writer) row(r *Row) {
	w.line(1, "- feature: "+quote(r.Feature))
	w.line(2, "kind: "+r.Kind.String())
	w.field(2, "in", r.In)
	w.field(2, "group", r.Group)
	w.field(2, "label", r.Label)
	if r.Monotone != 0 {
		comment := "never less points for a greater number"
		if r.Monotone == Falling {
			comment = "never more points for a greater number"
		}
		w.noted(2, "monotone: "+monotoneName(r.Monotone), comment)
	}
	lo, hi := r.Range()
	w.noted(2, "bins:", "up to "+points(hi-lo)+" points apart")
	scale, show := scaleOf(r.Feature, r.In), wording(r.Feature, r.In, w.leads)
	before := ""
	for i := range r.Bins {
		b := &r.Bins[i]
		part := b.Part()
		comment := part.comment(r.Kind, show, &before)
		fields := []string{"points: " + points(b.Points)}
		if b.Error != 0 {
			fields = append(fields, "error: "+points(b.Error))
		}
		if b.Count != 0 {
			fields = append(fields, "rows: "+strconv.FormatInt(b.Count, 10))
		}
		if b.Label != "" {
			fields = append(fields, "label: "+quote(b.Label))
		}
		w.part(3, part, scale, comment, fields...)
	}
}

// part writes a bin or a part, with further fields, on one line or, with many values, on several.
func (w *writer) part(depth int, p Part, scale float64, comment string, fields ...string) {
	var s []string
	if p.Below != nil {
		s = append(s, "below: "+number(*p.Below/scale))
	}
	many := len(flow(p.Values)) > wide
	if len(p.Values) > 0 && !many {
		s = append(s, "values: "+flow(p.Values))
	}
	if p.Missing {
		s = append(s, "missing: yes")
	}
	if p.Other {
		s = append(s, "else: yes")
	}
	s = append(s, fields...)
	if !many {
		w.noted(depth, "- {"+strings.Join(s, ", ")+"}", comment)
		return
	}
	w.line(depth, "- values:")
	for _, v := range p.Values {
		w.line(depth+2, "- "+quote(v))
	}
	for _, field := range s {
		w.line(depth+1, field)
	}
}

// comment says which values a part holds; before is the threshold of the part before it.
func (p *Part) comment(kind frame.Kind, show func(float64) string, before *string) string {
	var s string
	switch {
	case p.Below != nil:
		to := show(*p.Below)
		if *before != "" {
			s = *before + " up to " + to
		} else if to != number(*p.Below) {
			s = "below " + to // in another unit than the number stands in
		}
		*before = to
	case p.Other && kind == frame.Number && *before != "":
		s = *before + " and more"
	case p.Other && kind == frame.Category:
		s = "all others"
	}
	if p.Missing {
		s = strings.TrimPrefix(s+", or not known", ", or ")
	}
	return s
}

func (w *writer) pair(p *Pair) {
	for i, side := range []*Side{&p.First, &p.Second} {
		w.line(1, []string{"- first:", "  second:"}[i])
		w.line(3, "feature: "+quote(side.Feature))
		w.line(3, "kind: "+side.Kind.String())
		w.field(3, "in", side.In)
		w.line(3, "parts:")
		scale, show := scaleOf(side.Feature, side.In), wording(side.Feature, side.In, w.leads)
		before := ""
		for j := range side.Parts {
			w.part(4, side.Parts[j], scale, side.Parts[j].comment(side.Kind, show, &before))
		}
	}
	w.field(2, "group", p.Group)
	w.field(2, "label", p.Label)
	w.grid("points", p, true, func(c *Cell) string { return points(c.Points) })
	w.grid("error", p, false, func(c *Cell) string { return points(c.Error) })
	w.grid("rows", p, false, func(c *Cell) string { return strconv.FormatInt(c.Count, 10) })
}

// grid writes one number of every cell; one that is not needed only where it is not 0 everywhere.
func (w *writer) grid(key string, p *Pair, needed bool, show func(*Cell) string) {
	lines := make([]string, len(p.Cells))
	for i := range p.Cells {
		cells := make([]string, len(p.Cells[i]))
		for j := range p.Cells[i] {
			cells[j] = show(&p.Cells[i][j])
			needed = needed || cells[j] != "0"
		}
		lines[i] = "- [" + strings.Join(cells, ", ") + "]"
	}
	if !needed {
		return
	}
	w.line(2, key+":")
	for _, s := range lines {
		w.line(3, s)
	}
}

// Range returns the fewest and the most points a bin of the row gives.
func (r *Row) Range() (least, most int32) {
	for i := range r.Bins {
		p := r.Bins[i].Points
		if i == 0 {
			least, most = p, p
		}
		least, most = min(least, p), max(most, p)
	}
	return least, most
}

func points(p int32) string  { return string(AppendPoints(nil, p)) }
func share(ppm int32) string { return string(AppendShare(nil, ppm)) }

func figured(v float64) string {
	return strconv.FormatFloat(v, 'f', 4, 64)
}

func capped(b Cap) string {
	var s []string
	if b.Min != nil {
		s = append(s, "min: "+points(*b.Min))
	}
	if b.Max != nil {
		s = append(s, "max: "+points(*b.Max))
	}
	return "{" + strings.Join(s, ", ") + "}"
}

func flow(words []string) string {
	quoted := make([]string, len(words))
	for i, s := range words {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
