package dataset

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// Column returns a column: that which is spelled so, else the only one that differs in case, spaces and
// dashes. Its error names those that there are and the one that may be meant.
func (s *Set) Column(name string) (*Column, error) {
	var alike []*Column
	for i := range s.Columns {
		c := &s.Columns[i]
		if c.Name == name {
			return c, nil
		}
		if lead.Fold(c.Name) == lead.Fold(name) {
			alike = append(alike, c)
		}
	}
	if len(alike) == 1 {
		return alike[0], nil
	}
	return nil, NoColumn(s.File, name)
}

// NoColumn is the error for a name that no column has.
func NoColumn(f *table.File, name string) error {
	meant := ""
	if near, ok := lead.Nearest(name, f.Header.Cells); ok {
		meant = fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Errorf("%s has no column %q%s\nits columns are %s", f.Label, name, meant, strings.Join(f.Header.Cells, ", "))
}

// Change writes another value into a row, as if the table held it. The column must be a signal.
func (c *Column) Change(row int, value string, missing []string) error {
	absent := value == "" || slices.ContainsFunc(missing, func(m string) bool { return strings.EqualFold(m, value) })
	switch {
	case c.numbers != nil && absent:
		c.numbers[row] = math.NaN()
	case c.numbers != nil:
		v := c.number(value)
		if math.IsNaN(v) {
			return fmt.Errorf("%s is a number, which %q is not", c.Name, value)
		}
		c.numbers[row] = v
	case c.codes != nil && absent:
		c.codes[row] = -1
	case c.codes != nil:
		c.codes[row] = c.code(whole(value))
	}
	return nil
}

// Signal returns the column as a signal of a frame; ok is false for one that holds no values to learn
// from.
func (c *Column) Signal() (col frame.Column, ok bool) {
	switch {
	case c.numbers != nil:
		return frame.Numeric(c.Name, c.numbers), true
	case c.codes != nil:
		return frame.Column{Name: c.Name, Kind: frame.Category, Codes: c.codes, Values: c.values}, true
	}
	return frame.Column{}, false
}

// Order returns the column as moments or running numbers, NaN where there is none, to put rows in the
// order of time.
func (c *Column) Order() ([]float64, error) {
	switch {
	case c.Kind == Moment && c.unsure:
		return nil, fmt.Errorf("%s: its dates may be meant day first or month first; --dates day or --dates month says which", c.Name)
	case c.numbers != nil && c.Kind != Clock:
		return c.numbers, nil
	}
	return nil, fmt.Errorf("%s: rows are put in the order of a number or of a date, such as 2026-03-31, 31.03.2026 or 03/31/2026; this column is taken for %s%s", c.Name, article(c.Kind), c.mixed())
}

// mixed says of a column with many dates that they are not written alike.
func (c *Column) mixed() string {
	if c.dates*4 < c.Filled {
		return ""
	}
	return fmt.Sprintf(", since of its %s only %s read as dates with the %s; write all in one way", console.Plural(c.Filled, "cell"), console.Count(c.dates), c.layout)
}

func article(k Kind) string {
	switch k {
	case YesNo:
		return "yes or no"
	case Constant, Empty:
		return k.String()
	case ID:
		return "an id"
	case Text:
		return "text"
	}
	return "a " + k.String()
}
