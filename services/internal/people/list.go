package people

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// List is a file of people.
type List struct {
	*table.File // its label has the folder when another list has the same name
	Mapping     *Mapping
	Rows        int // read
	Skipped     int // that could not be

	first int      // position of the first row among all rows
	ids   []string // of the rows, nil when lines name them
	lines []int32  // of the rows
}

func (l *List) headers() []string { return l.Header.Cells }

// name is what a row is called in pairs.csv.
func (l *List) name(row int) string {
	if l.ids != nil {
		return l.ids[row]
	}
	return fmt.Sprint(l.lines[row])
}

// openLists finds the lists, keeps standard input in a file of its own, and reads the headers.
func (w *work) openLists(ctx context.Context) error {
	for i, path := range []string{w.In, w.Link} {
		if path == "" {
			continue
		}
		f, err := table.OpenFile(ctx, path, w.Stdin)
		if err != nil {
			return err
		}
		w.undo = append(w.undo, f.Close)
		if i == 1 && f.Label == w.lists[0].Label {
			w.lists[0].Label, f.Label = w.lists[0].Path, path
		}
		w.lists = append(w.lists, &List{File: f})
	}
	return nil
}

// profile reads a list once: it counts its rows, finds the column that names them and learns of each
// column what only the whole column tells.
func (w *work) profile(ctx context.Context, l *List) error {
	columns := make([]columnProfile, len(l.Mapping.Columns))
	for i := range columns {
		columns[i].watch(&l.Mapping.Columns[i], w.seed)
	}
	families := l.Mapping.of(FieldFamilyName)
	err := l.Each(ctx, func(_ int, r *table.Row) error {
		letter := rune(0)
		for _, i := range families {
			if v := lead.Fold(r.Cells[i]); v != "" {
				letter, _ = utf8.DecodeRuneInString(v)
			}
		}
		for i := range columns {
			columns[i].add(r.Cells[i], letter)
		}
		l.lines = append(l.lines, int32(min(r.Line, 1<<31-1)))
		if l.Rows++; l.Rows%4096 == 0 {
			w.tell("reading "+l.Label, l.Rows, 0)
		}
		return nil
	}, func(bad *table.RowError) {
		if l.Skipped++; w.Skip != nil {
			w.Skip(l.Label, bad)
		}
	})
	if err != nil {
		return err
	}
	l.lines = slices.Clip(l.lines)
	l.Mapping.ID = nameColumn(l, columns)
	for i := range columns {
		l.Mapping.Columns[i].Filled = columns[i].filled
	}
	w.profiles = append(w.profiles, columns)
	return nil
}

// nameColumn returns the column whose values name the rows: one that is there for it, whole and
// without two equal values; -1 if there is none.
func nameColumn(l *List, columns []columnProfile) int {
	best, bestRank := -1, 0
	for i := range columns {
		c := &l.Mapping.Columns[i]
		rank := 1 // ends like an id
		switch {
		case c.Field == FieldID && c.Told:
			rank = 4
		case c.Field == FieldID:
			rank = 3
		case c.Field.external():
			rank = 2
		}
		if rank > bestRank && columns[i].names(l.Rows) {
			best, bestRank = i, rank
		}
	}
	return best
}
