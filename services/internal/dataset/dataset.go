// Package dataset reads a table of rows with outcomes, as people export it, into the columns that points
// tables are learned from: it tells numbers from categories, dates and ids, and says what it took a column
// for and why.
//
// The table is read twice, so that memory holds the columns and not the cells: once to learn what only
// whole columns tell, once to fill them.
package dataset

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// DefaultMissing are spellings of "not known" that people and their programs write. Case is no matter.
func DefaultMissing() []string {
	return []string{"NA", "N/A", "#N/A", "NaN", "NULL", "?", "-", "--", "unknown", "Select"}
}

// Kind is what a column holds.
type Kind uint8

// The values of Kind.
const (
	Number Kind = iota + 1
	YesNo
	Category
	Clock    // times of day
	Moment   // dates, with or without times of day
	Text     // that no two rows share
	ID       // names of rows, or of people
	Constant // one value
	Empty
)

// String is the word for people.
func (k Kind) String() string {
	return [...]string{"", "number", "yes or no", "category", "time of day", "date", "text", "id", "constant", "empty"}[k]
}

// Column is a column of the table.
type Column struct {
	Name     string // one of its own: of two columns of one name the second gets a number behind it
	Kind     Kind
	Filled   int    // rows that hold something
	Distinct int    // values
	More     bool   // there are more values than were told apart
	Held     string // why it is of no use as a signal, behind the column's name; "" for nothing
	Note     string // what else the person should know

	rows    int
	place   int // in the table's rows
	twin    int // place, from 1, of the column before it whose name it bears in the table; 0 for none
	marks   marks
	layout  layout
	dates   int  // cells that are dates in the layout that fits best
	unsure  bool // another layout fits as well
	running bool // of ids: numbers
	wanted  frame.Kind
	every   bool // each value counts, however many there are

	dict    map[string]int32
	values  []string
	numbers []float64
	codes   []int32
}

// Options say what to read and how.
type Options struct {
	Path    string    // "-" is Stdin
	Stdin   io.Reader // read if Path is "-"
	Missing []string  // spellings of "not known"
	Dates   string    // "day" or "month" if the first number of a date is known to be that, else ""
	// Kinds are the columns that are wanted as something, by their names, as by a card; others are what
	// they seem to be.
	Kinds map[string]frame.Kind
	// Every are columns of which each value counts, such as that of the outcome or of the customer.
	Every []string
	// Skip, if not nil, is told each row that cannot be read.
	Skip func(list string, e *table.RowError)
	// Progress, if not nil, is told how far a step is; total 0 is unknown.
	Progress func(step string, done, total int)
}

// Set is a table by columns.
type Set struct {
	File    *table.File
	Rows    int // read
	Skipped int // that could not be
	Lines   []int32
	Columns []Column
}

// Read reads the table. Its errors are for the person who gave it. The caller closes the set's File.
func Read(ctx context.Context, o Options) (_ *Set, err error) {
	f, err := table.OpenFile(ctx, o.Path, o.Stdin)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	s := &Set{File: f, Columns: columns(f.Header.Cells)}
	r := &reader{Options: o, missing: map[string]bool{"": true}}
	for _, m := range o.Missing {
		r.missing[strings.ToLower(strings.TrimSpace(m))] = true
	}
	for name := range o.Kinds {
		if c, err := s.Column(name); err == nil {
			c.Name = name
		}
	}
	for i := range s.Columns {
		c := &s.Columns[i]
		c.wanted = o.Kinds[c.Name]
		c.every = slices.ContainsFunc(o.Every, func(name string) bool { return lead.Fold(name) == lead.Fold(c.Name) })
	}
	if err := r.profile(ctx, s); err != nil {
		return nil, err
	}
	return s, r.fill(ctx, s)
}

// columns names the columns.
func columns(header []string) []Column {
	out := make([]Column, len(header))
	seen := map[string]int{} // place by name
	for i, name := range header {
		c := &out[i]
		c.place = i
		if name == "" {
			c.Name = fmt.Sprintf("column %d", i+1)
			c.Note = "has no name"
		} else {
			c.Name = name
		}
		if first, ok := seen[c.Name]; ok {
			c.twin, c.Note = first+1, "has the name of another column"
		}
		for n := 2; c.twin > 0; n++ {
			c.Name = fmt.Sprintf("%s (%d)", name, n)
			if _, ok := seen[c.Name]; !ok {
				break
			}
		}
		seen[c.Name] = i
	}
	return out
}

// reader is one reading of a table.
type reader struct {
	Options
	missing map[string]bool
	lower   []byte
}

func (r *reader) tell(step string, done, total int) {
	if r.Progress != nil {
		r.Progress(step, done, total)
	}
}

// absent reports a cell that says nothing.
func (r *reader) absent(cell string) bool {
	if len(cell) > 24 {
		return r.missing[strings.ToLower(cell)]
	}
	r.lower = r.lower[:0]
	for i := range len(cell) {
		c := cell[i]
		if c >= 0x80 {
			return r.missing[strings.ToLower(cell)]
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		r.lower = append(r.lower, c)
	}
	return r.missing[string(r.lower)]
}

// profile reads the table once and decides what its columns are.
func (r *reader) profile(ctx context.Context, s *Set) error {
	profiles := make([]profile, len(s.Columns))
	err := s.File.Each(ctx, func(_ int, row *table.Row) error {
		for i := range profiles {
			if cell := row.Cells[i]; !r.absent(cell) {
				profiles[i].add(whole(cell))
			}
		}
		s.Lines = append(s.Lines, int32(min(row.Line, math.MaxInt32)))
		if s.Rows++; s.Rows%4096 == 0 {
			r.tell("reading", s.Rows, 0)
		}
		return nil
	}, func(bad *table.RowError) {
		if s.Skipped++; r.Skip != nil {
			r.Skip(s.File.Label, bad)
		}
	})
	if err != nil {
		return err
	}
	all := make([]traits, len(profiles))
	votes := [2]int{}
	for i := range profiles {
		all[i] = profiles[i].traits()
		for m := range all[i].decided {
			if all[i].mostly(all[i].number[m]) {
				votes[m] += all[i].decided[m]
			}
		}
	}
	told := point
	if votes[comma] > votes[point] || votes[comma] == votes[point] && s.File.Dialect.Comma == ';' {
		told = comma
	}
	for i := range s.Columns {
		c := &s.Columns[i]
		c.rows, c.Filled = s.Rows, profiles[i].filled
		note := c.Note
		c.Note = ""
		c.settle(&profiles[i], &all[i], told)
		c.Note = strings.TrimPrefix(strings.TrimSuffix(note+"; "+c.Note, "; "), "; ")
		r.order(c)
		c.dict, c.values = profiles[i].dict, profiles[i].values
		if c.kind() != frame.Category {
			c.dict, c.values = nil, nil
		}
	}
	return nil
}

// order applies what was said of dates.
func (r *reader) order(c *Column) {
	if c.Kind != Moment || !c.unsure {
		return
	}
	switch r.Dates {
	case "day":
		c.layout, c.unsure = dayFirst, false
	case "month":
		c.layout, c.unsure = monthFirst, false
	}
}

// whole writes a whole number without the zero that programs put behind it where a column has gaps.
func whole(cell string) string {
	if n := len(cell); n > 2 && n < 20 && cell[n-2:] == ".0" {
		if _, err := strconv.Atoi(cell[:n-2]); err == nil {
			return cell[:n-2]
		}
	}
	return cell
}

// kind is how the column's values are kept; 0 for a column that is not.
func (c *Column) kind() frame.Kind {
	if c.every {
		return frame.Category
	}
	if c.wanted != 0 {
		return c.wanted
	}
	switch c.Kind {
	case Number, Clock, Moment:
		return frame.Number
	case YesNo, Category:
		return frame.Category
	case ID:
		if c.running {
			return frame.Number // it may be the order of time
		}
	}
	return 0
}

// fill reads the table again and keeps what its columns hold.
func (r *reader) fill(ctx context.Context, s *Set) error {
	for i := range s.Columns {
		c := &s.Columns[i]
		switch c.kind() {
		case frame.Number:
			c.numbers = make([]float64, s.Rows)
		case frame.Category:
			c.codes = make([]int32, s.Rows)
			if c.dict == nil {
				c.dict = map[string]int32{}
			}
		}
	}
	rows := 0
	err := s.File.Each(ctx, func(row int, cells *table.Row) error {
		if row == s.Rows {
			return s.File.ErrChanged()
		}
		for i := range s.Columns {
			c := &s.Columns[i]
			switch cell := cells.Cells[i]; {
			case c.numbers != nil:
				c.numbers[row] = math.NaN()
				if !r.absent(cell) {
					c.numbers[row] = c.number(cell)
				}
			case c.codes != nil:
				c.codes[row] = -1
				if !r.absent(cell) {
					c.codes[row] = c.code(whole(cell))
				}
			}
		}
		if rows = row + 1; rows%4096 == 0 {
			r.tell("reading", rows, s.Rows)
		}
		return nil
	}, nil)
	if err == nil && rows != s.Rows {
		err = s.File.ErrChanged()
	}
	return err
}

// number reads a cell as what the column holds; NaN for what is none.
func (c *Column) number(cell string) float64 {
	var v float64
	var ok bool
	switch c.Kind {
	case Moment:
		v, ok = parseMoment(cell, c.layout)
	case Clock:
		v, ok = timeOfDay(cell)
	default:
		if v, ok = parseNumber(cell, c.marks); !ok {
			if v, ok = timeOfDay(cell); !ok {
				switch strings.ToLower(cell) { // where the card wants a number of what is written otherwise here
				case "yes", "true", "ja":
					v, ok = 1, true
				case "no", "false", "nein":
					v, ok = 0, true
				}
			}
		}
	}
	if !ok {
		return math.NaN()
	}
	return v
}

func (c *Column) code(cell string) int32 {
	i, ok := c.dict[cell]
	if !ok {
		i = int32(len(c.values))
		cell = strings.Clone(cell)
		c.dict[cell] = i
		c.values = append(c.values, cell)
	}
	return i
}
