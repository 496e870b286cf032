package analyst

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/services/internal/console"
)

// ExplainOptions say which row to explain.
type ExplainOptions struct {
	Source
	Model   string
	Row     int // from 1, behind the header
	Change  []Change
	Lacking bool // take columns that the data lacks as missing
}

// Change is another value for a column: what if?
type Change struct{ Column, Value string }

// ParseChanges reads COLUMN=VALUE.
func ParseChanges(pairs []string) ([]Change, error) {
	var out []Change
	for _, p := range pairs {
		column, value, ok := strings.Cut(p, "=")
		if !ok || strings.TrimSpace(column) == "" {
			return nil, usagef("--set %s: write it as column=value; nothing behind the sign means missing", p)
		}
		out = append(out, Change{strings.TrimSpace(column), strings.TrimSpace(value)})
	}
	return out, nil
}

// Explained is how a row came to its points.
type Explained struct {
	Model   *Model
	Row     int
	Result  card.Result
	Parts   []Part
	Changed *Explained // with the changes; nil without any
	Notes   []string   // on the values that were set
}

// Part is what one thing gave.
type Part struct {
	Words  string
	Points int32 // 1/100
	Error  int32 // standard error
	key    string
	rest   string // the feature of which the value has no points of its own; else empty
}

// Explain finds out how a row came to its points, and to which it would come with other values.
func Explain(ctx context.Context, o ExplainOptions) (*Explained, error) {
	m, err := apply(ctx, o.Model, &o.Source, o.Lacking)
	if err != nil {
		return nil, err
	}
	defer m.Set.File.Close()
	if m.Set.Rows == 0 {
		return nil, usagef("%s holds no rows behind the names of its columns", m.Set.File.Label)
	}
	if o.Row < 1 || o.Row > m.Set.Rows {
		return nil, usagef("--row %d: %s has the rows 1 to %d; the first stands under the names of the columns", o.Row, m.Set.File.Label, m.Set.Rows)
	}
	row := o.Row - 1
	e := m.explain(row)
	if len(o.Change) == 0 {
		return e, nil
	}
	kinds := signals(m.Card)
	missing := o.Missing
	for _, change := range o.Change {
		c, err := m.Set.Column(change.Column)
		if err != nil {
			return nil, usagef("--set: %w", err)
		}
		if kinds[c.Name] == 0 {
			return nil, usagef("--set %s: %s does not look at this column; it looks at %s", c.Name, o.Model, strings.Join(features(m.Card), ", "))
		}
		if err := c.Change(row, change.Value, missing); err != nil {
			return nil, usagef("--set: %w", err)
		}
		for i := range m.frame.Columns {
			if m.frame.Columns[i].Name == c.Name {
				m.frame.Columns[i], _ = c.Signal()
			}
		}
	}
	scorer, problems := card.Compile(m.Card)
	if err := told(o.Model, problems); err != nil {
		return nil, err
	}
	if m.Bound, _, err = scorer.BindKnown(m.frame); err != nil {
		return nil, err
	}
	e.Changed = m.explain(row)
	for _, change := range o.Change {
		if c, err := m.Set.Column(change.Column); err == nil && change.Value != "" && e.Changed.atRest(c.Name) {
			e.Notes = append(e.Notes, fmt.Sprintf("%s: %q has no points of its own and counts as all other values", c.Name, change.Value))
		}
	}
	return e, nil
}

// atRest reports that the value of a feature has no points of its own.
func (e *Explained) atRest(feature string) bool {
	return slices.ContainsFunc(e.Parts, func(p Part) bool { return p.rest == feature })
}

func features(c *card.Card) []string {
	var out []string
	for i := range c.Rows {
		out = append(out, c.Rows[i].Feature)
	}
	return out
}

func (m *Model) explain(row int) *Explained {
	e := &Explained{Model: m, Row: row, Result: m.Bound.Score(row)}
	for _, c := range m.Bound.AppendContributions(nil, row) {
		words := m.Bound.Text(c, row)
		if i := strings.LastIndex(words, ": "); i >= 0 {
			words = words[:i]
		}
		part := Part{Words: words, Points: c.Points, Error: c.Error, key: fmt.Sprint(c.Kind, c.Index, c.Group)}
		if c.Kind == card.ContributionRow && c.Bin >= 0 {
			if r := &m.Card.Rows[c.Index]; r.Kind == frame.Category && r.Bins[c.Bin].Other {
				part.rest = r.Feature
			}
		}
		e.Parts = append(e.Parts, part)
	}
	return e
}

// Print writes the parts, the strongest first, and that they add up.
func (e *Explained) Print(out io.Writer) {
	m := e.Model
	fmt.Fprintf(out, "row %d of %s, line %d\n\n", e.Row+1, m.Set.File.Label, m.Set.Lines[e.Row])
	e.print(out)
	if e.Changed == nil {
		return
	}
	fmt.Fprintln(out, "\nwith the values set:")
	fmt.Fprintln(out)
	before := map[string]Part{}
	for _, p := range e.Parts {
		before[p.key] = p
	}
	var rows [][]string
	for _, p := range e.Changed.Parts {
		old := before[p.key]
		delete(before, p.key)
		if old.Words != p.Words || old.Points != p.Points {
			rows = append(rows, []string{p.Words, signed(p.Points), "was " + signed(old.Points) + " for " + old.Words})
		}
	}
	for _, p := range e.Parts { // limits that no longer hold
		if _, gone := before[p.key]; gone {
			rows = append(rows, []string{p.Words, "0", "was " + signed(p.Points)})
		}
	}
	if len(rows) == 0 {
		rows = append(rows, []string{"nothing changes", "", ""})
	}
	console.Table(out, append(rows, []string{"points", even(e.Changed.Result.Points), "were " + even(e.Result.Points)},
		[]string{"probability", chanceOf(e.Changed.Result.PPM), "was " + chanceOf(e.Result.PPM)}), 1)
	for _, n := range e.Notes {
		fmt.Fprintln(out, "  "+n)
	}
}

func (e *Explained) print(out io.Writer) {
	parts := slices.Clone(e.Parts)
	slices.SortStableFunc(parts[1:], func(a, b Part) int { return cmp.Compare(max(b.Points, -b.Points), max(a.Points, -a.Points)) })
	var rows [][]string
	silent := 0
	for i, p := range parts {
		if p.Points == 0 && i > 0 {
			silent++
			continue
		}
		rows = append(rows, []string{p.Words, signed(p.Points), plusMinus(p.Error)})
	}
	r := e.Result
	chance := []string{"probability", chanceOf(r.PPM), ""}
	if r.LowPPM > 0 || r.HighPPM < card.Certain {
		chance[2] = chanceOf(r.LowPPM) + " to " + chanceOf(r.HighPPM)
	}
	rows = append(rows, []string{"points, of 100", even(r.Points), ""}, chance)
	console.Table(out, rows, 1)
	if silent > 0 {
		fmt.Fprintf(out, "  nothing from %s\n", console.Plural(silent, "more signal"))
	}
}

func plusMinus(err int32) string {
	if err == 0 {
		return ""
	}
	return "± " + even(int32(1.96*float64(err)))
}

func chanceOf(ppm int32) string { return console.PercentOf(float64(ppm) / card.Certain) }

// even writes points with two digits, to stand under each other.
func even(p int32) string { return strconv.FormatFloat(float64(p)/100, 'f', 2, 64) }

// signed writes what is added.
func signed(p int32) string {
	if p > 0 {
		return "+" + even(p)
	}
	return even(p)
}
