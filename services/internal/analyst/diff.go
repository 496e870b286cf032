package analyst

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
)

// DiffOptions say which points tables to compare, and on which rows if any.
type DiffOptions struct {
	Source        // Data may be ""
	Before, After string
	Lacking       bool // take columns that the data lacks as missing
}

// Difference is what another version of a points table changes.
type Difference struct {
	Change *card.Change
	Set    *dataset.Set // nil without rows
}

// Diff compares two points tables, bin by bin and, with data, on its rows.
func Diff(ctx context.Context, o DiffOptions) (*Difference, error) {
	a, err := Load(o.Before)
	if err != nil {
		return nil, err
	}
	b, err := Load(o.After)
	if err != nil {
		return nil, err
	}
	d := &Difference{}
	var f *frame.Frame
	if o.Data != "" {
		if f, err = d.read(ctx, &o, a, b); err != nil {
			return nil, err
		}
		defer d.Set.File.Close()
	}
	if d.Change, err = card.Diff(a, b, f); err != nil {
		return nil, usage(err)
	}
	return d, nil
}

// read reads the rows with all columns that either version looks at.
func (d *Difference) read(ctx context.Context, o *DiffOptions, a, b *card.Card) (*frame.Frame, error) {
	kinds := signals(b)
	maps.Copy(kinds, signals(a))
	for _, c := range []*card.Card{a, b} {
		if c.Target.Segments != "" && kinds[c.Target.Segments] == 0 {
			kinds[c.Target.Segments] = frame.Category
		}
	}
	if o.Missing == nil {
		o.Missing = b.Missing
	}
	var err error
	if d.Set, err = o.read(ctx, kinds); err != nil {
		return nil, err
	}
	f := &frame.Frame{Rows: d.Set.Rows}
	for i := range d.Set.Columns {
		if c := &d.Set.Columns[i]; kinds[c.Name] != 0 {
			signal, _ := c.Signal()
			f.Columns = append(f.Columns, signal)
			delete(kinds, c.Name)
		}
	}
	for name, kind := range kinds {
		if !o.Lacking {
			d.Set.File.Close()
			return nil, usagef("%w\none of the points tables looks at it; give a table that has it, or take what is lacking as missing in every row with --lacking", dataset.NoColumn(d.Set.File, name))
		}
		f.Columns = append(f.Columns, missing(name, kind, f.Rows))
	}
	return f, nil
}

// missing is a column that holds nothing.
func missing(name string, kind frame.Kind, rows int) frame.Column {
	if kind == frame.Category {
		return frame.Categorical(name, make([]string, rows))
	}
	none := make([]float64, rows)
	for i := range none {
		none[i] = math.NaN()
	}
	return frame.Numeric(name, none)
}

// Print writes what changes, a line for each part of it.
func (d *Difference) Print(out io.Writer) {
	lines := d.Change.Lines()
	if len(lines) == 0 {
		lines = []string{"nothing changes"}
	}
	for _, l := range lines {
		fmt.Fprintln(out, l)
	}
}
