package people

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// List is a file of people.
type List struct {
	Label   string // the file's name, without its folder unless another list has the same
	Dialect table.Dialect
	Mapping *Mapping
	Rows    int // read
	Skipped int // that could not be

	path  string
	spool string    // where standard input was kept, to be read again
	head  table.Row // the header
	first int       // position of the first row among all rows
	ids   []string  // of the rows, nil when lines name them
	lines []int32   // of the rows
}

func (l *List) headers() []string { return l.head.Cells }

// name is what a row is called in pairs.csv.
func (l *List) name(row int) string {
	if l.ids != nil {
		return l.ids[row]
	}
	return fmt.Sprint(l.lines[row])
}

// open begins to read the list.
func (l *List) open() (*table.Reader, io.Closer, error) {
	path := l.path
	if l.spool != "" {
		path = l.spool
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	r, err := table.NewReader(f)
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("%s: %w", l.Label, err)
	}
	return r, f, nil
}

// each calls fn for each row that can be read, with its place in the list, and bad for each other. It
// stops with the first error of fn.
func (l *List) each(ctx context.Context, fn func(row int, r *table.Row) error, bad func(*table.RowError)) error {
	r, file, err := l.open()
	if err != nil {
		return err
	}
	defer file.Close()
	for row := 0; ; {
		if row%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		read, err := r.Next()
		var broken *table.RowError
		switch {
		case errors.Is(err, io.EOF):
			l.Dialect = r.Dialect() // the encoding is known at the end
			return nil
		case errors.As(err, &broken):
			if bad != nil {
				bad(broken)
			}
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", l.Label, err)
		}
		if err := fn(row, read); err != nil {
			return err
		}
		row++
	}
}

// openLists finds the lists, keeps standard input in a file of its own, and reads the headers.
func (w *work) openLists(ctx context.Context) error {
	for i, path := range []string{w.In, w.Link} {
		if path == "" {
			continue
		}
		l := &List{path: path, Label: filepath.Base(path)}
		if path == "-" {
			l.Label = "standard input"
			if err := w.keepStdin(ctx, l); err != nil {
				return err
			}
		}
		if i == 1 && l.Label == w.lists[0].Label {
			w.lists[0].Label, l.Label = w.lists[0].path, path
		}
		w.lists = append(w.lists, l)
	}
	for _, l := range w.lists {
		r, file, err := l.open()
		if err != nil {
			return err
		}
		l.head, l.Dialect = r.Header(), r.Dialect()
		_ = file.Close()
	}
	return nil
}

// keepStdin copies standard input to a file that only this user may read and close removes.
func (w *work) keepStdin(ctx context.Context, l *List) error {
	f, err := os.CreateTemp("", "leadmesh-*.csv")
	if err != nil {
		return err
	}
	l.spool = f.Name()
	w.undo = append(w.undo, func() { _ = os.Remove(f.Name()) })
	_, err = io.Copy(f, untilDone{ctx, w.Stdin})
	return errors.Join(err, f.Close())
}

// untilDone ends a reader with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// profile reads a list once: it counts its rows, finds the column that names them and learns of each
// column what only the whole column tells.
func (w *work) profile(ctx context.Context, l *List) error {
	columns := make([]columnProfile, len(l.Mapping.Columns))
	for i := range columns {
		columns[i].watch(&l.Mapping.Columns[i], w.seed)
	}
	families := l.Mapping.of(FieldFamilyName)
	err := l.each(ctx, func(_ int, r *table.Row) error {
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
