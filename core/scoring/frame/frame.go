// Package frame holds rows of outcomes by columns, the shape in which points tables are learned,
// assessed and applied in bulk.
//
// A frame is plain data: whoever fills it owns it. Reading it from several goroutines at once is
// safe as long as nobody writes.
package frame

import (
	"fmt"
	"math"
)

// Kind says how the values of a column are stored and compared.
type Kind uint8

const (
	// Number is a column of measured quantities, compared by size.
	Number Kind = iota + 1
	// Category is a column of names, compared for equality only.
	Category
)

// String returns "number" or "category".
func (k Kind) String() string {
	switch k {
	case Number:
		return "number"
	case Category:
		return "category"
	default:
		return "unknown"
	}
}

// Frame is a table of Rows rows. Every column holds exactly that many values.
type Frame struct {
	Rows    int
	Columns []Column
}

// Column is one signal of every row. A Number uses Numbers, a Category uses Codes and Values; the
// other fields stay nil.
type Column struct {
	Name string
	Kind Kind
	// Numbers holds one value a row; NaN means missing. Infinite values are refused by Check.
	Numbers []float64
	// Codes holds one index into Values a row; -1 means missing.
	Codes []int32
	// Values are the names of a Category, each once, in any order.
	Values []string
}

// Numeric makes a Number column that takes ownership of numbers.
func Numeric(name string, numbers []float64) Column {
	return Column{Name: name, Kind: Number, Numbers: numbers}
}

// Categorical makes a Category column from one text a row. Texts equal to "" are missing; the
// values stand in the order of their first row.
func Categorical(name string, texts []string) Column {
	c := Column{Name: name, Kind: Category, Codes: make([]int32, len(texts))}
	known := make(map[string]int32)
	for i, text := range texts {
		if text == "" {
			c.Codes[i] = -1
			continue
		}
		code, ok := known[text]
		if !ok {
			code = int32(len(c.Values))
			known[text] = code
			c.Values = append(c.Values, text)
		}
		c.Codes[i] = code
	}
	return c
}

// Len returns the number of values in the column.
func (c *Column) Len() int {
	if c.Kind == Number {
		return len(c.Numbers)
	}
	return len(c.Codes)
}

// Missing reports whether the column holds no value in row.
func (c *Column) Missing(row int) bool {
	if c.Kind == Number {
		return math.IsNaN(c.Numbers[row])
	}
	return c.Codes[row] < 0
}

// Text returns the name a Category holds in row, or "" where it is missing or the column is a
// Number.
func (c *Column) Text(row int) string {
	if c.Kind != Category || c.Codes[row] < 0 {
		return ""
	}
	return c.Values[c.Codes[row]]
}

// Column returns the column of that name, or nil. The first one wins where a name stands twice,
// which Check refuses.
func (f *Frame) Column(name string) *Column {
	for i := range f.Columns {
		if f.Columns[i].Name == name {
			return &f.Columns[i]
		}
	}
	return nil
}

// Names returns the names of the columns in their order.
func (f *Frame) Names() []string {
	names := make([]string, len(f.Columns))
	for i := range f.Columns {
		names[i] = f.Columns[i].Name
	}
	return names
}

// Slice returns the rows from from up to but not including to. The result shares its values with
// f.
func (f *Frame) Slice(from, to int) *Frame {
	part := &Frame{Rows: to - from, Columns: make([]Column, len(f.Columns))}
	for i, c := range f.Columns {
		if c.Kind == Number {
			c.Numbers = c.Numbers[from:to:to]
		} else {
			c.Codes = c.Codes[from:to:to]
		}
		part.Columns[i] = c
	}
	return part
}

// Take returns a copy of the rows that order names, in that order. A row may be named more than
// once. The names of categories are shared with f.
func (f *Frame) Take(order []int32) *Frame {
	part := &Frame{Rows: len(order), Columns: make([]Column, len(f.Columns))}
	for i, c := range f.Columns {
		if c.Kind == Number {
			numbers := make([]float64, len(order))
			for j, row := range order {
				numbers[j] = c.Numbers[row]
			}
			c.Numbers = numbers
		} else {
			codes := make([]int32, len(order))
			for j, row := range order {
				codes[j] = c.Codes[row]
			}
			c.Codes = codes
		}
		part.Columns[i] = c
	}
	return part
}

// Without returns a frame that shares all columns but the named ones with f.
func (f *Frame) Without(names ...string) *Frame {
	left := make(map[string]bool, len(names))
	for _, name := range names {
		left[name] = true
	}
	part := &Frame{Rows: f.Rows}
	for _, c := range f.Columns {
		if !left[c.Name] {
			part.Columns = append(part.Columns, c)
		}
	}
	return part
}

// Check returns what makes the frame unusable: a column without a name or with the name of
// another, of the wrong length or kind, a code that names no value, a value that stands twice, or
// an infinite number. The error names the column, never a value.
func (f *Frame) Check() error {
	seen := make(map[string]bool, len(f.Columns))
	for i := range f.Columns {
		c := &f.Columns[i]
		if c.Name == "" {
			return fmt.Errorf("column %d has no name", i+1)
		}
		if seen[c.Name] {
			return fmt.Errorf("column %q stands twice", c.Name)
		}
		seen[c.Name] = true
		if c.Kind != Number && c.Kind != Category {
			return fmt.Errorf("column %q is neither number nor category", c.Name)
		}
		if c.Len() != f.Rows {
			return fmt.Errorf("column %q has %d values for %d rows", c.Name, c.Len(), f.Rows)
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Column) check() error {
	if c.Kind == Number {
		for row, n := range c.Numbers {
			if math.IsInf(n, 0) {
				return fmt.Errorf("column %q: row %d is infinite; use a missing value instead", c.Name, row+1)
			}
		}
		return nil
	}
	known := make(map[string]bool, len(c.Values))
	for _, v := range c.Values {
		if known[v] {
			return fmt.Errorf("column %q names a value twice", c.Name)
		}
		known[v] = true
	}
	for row, code := range c.Codes {
		if code < -1 || int(code) >= len(c.Values) {
			return fmt.Errorf("column %q: row %d has code %d of %d values", c.Name, row+1, code, len(c.Values))
		}
	}
	return nil
}
