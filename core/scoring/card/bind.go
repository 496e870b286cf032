package card

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Bound is a scorer applied to a frame. It reads the frame whenever it scores, so nobody may write
// to it meanwhile; it is otherwise immutable and safe for concurrent use.
type Bound struct {
	s     *Scorer
	rows  []input
	pairs [][2]input
	size  int
}

// input is one signal of the frame together with the bins of one row or side.
type input struct {
	column *frame.Column // nil: not there, so missing everywhere
	find   *finder
	// bins holds the bin of every code, shifted by one so that that of missing comes first, where
	// the column is a category; nil for a number whose bins are found by search.
	bins []int32
	// texts says that a number of the frame is looked up among names.
	texts bool
}

// Bind finds the card's signals among the columns of a frame by name. Values of a category that
// the card does not name belong to the bin for the rest. Where the card knows a column as numbers
// and the frame holds it as names, or the other way round, the values are read as the card knows
// them. The error names every column that is not there or can not be read so.
func (s *Scorer) Bind(f *frame.Frame) (*Bound, error) {
	b, absent, err := s.BindKnown(f)
	if err != nil {
		return nil, err
	}
	if len(absent) > 0 {
		for i := range absent {
			absent[i] = strconv.Quote(absent[i])
		}
		return nil, fmt.Errorf("the table has no column %s, which the card looks at", strings.Join(absent, ", "))
	}
	return b, nil
}

// BindKnown is Bind for a frame that need not hold every column: those it does not hold count as
// missing in all rows and are returned, each once.
func (s *Scorer) BindKnown(f *frame.Frame) (b *Bound, absent []string, err error) {
	if err := f.Check(); err != nil {
		return nil, nil, err
	}
	columns := make(map[string]*frame.Column, len(f.Columns))
	for i := range f.Columns {
		columns[f.Columns[i].Name] = &f.Columns[i]
	}
	named := map[string]bool{}
	bind := func(find *finder) (input, error) {
		c := columns[find.feature]
		if c == nil && !named[find.feature] {
			named[find.feature] = true
			absent = append(absent, find.feature)
		}
		return find.bind(c)
	}
	b = &Bound{s: s, size: f.Rows}
	for i := range s.rows {
		in, err := bind(&s.rows[i])
		if err != nil {
			return nil, nil, err
		}
		b.rows = append(b.rows, in)
	}
	for i := range s.pairs {
		var sides [2]input
		for k := range sides {
			if sides[k], err = bind(&s.pairs[i][k]); err != nil {
				return nil, nil, err
			}
		}
		b.pairs = append(b.pairs, sides)
	}
	return b, absent, nil
}

// Rows is the number of rows of the frame.
func (b *Bound) Rows() int { return b.size }

func (f *finder) bind(c *frame.Column) (input, error) {
	in := input{column: c, find: f}
	if c == nil || c.Kind == frame.Number {
		in.texts = c != nil && f.kind == frame.Category
		return in, nil
	}
	in.bins = make([]int32, len(c.Values)+1)
	in.bins[0] = f.missing
	for i, v := range c.Values {
		if f.kind == frame.Category {
			in.bins[i+1] = f.text(v)
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return in, fmt.Errorf("column %q holds texts that are no numbers; the card knows it as a number", c.Name)
		}
		in.bins[i+1] = f.number(n)
	}
	return in, nil
}

// bin returns the bin of one row of data, -1 for none.
func (in *input) bin(row int) int32 {
	switch {
	case in.column == nil:
		return in.find.missing
	case in.bins != nil:
		return in.bins[in.column.Codes[row]+1]
	case in.texts:
		v := in.column.Numbers[row]
		if v != v {
			return in.find.missing
		}
		var short [32]byte
		if bin, ok := in.find.values[string(strconv.AppendFloat(short[:0], v, 'f', -1, 64))]; ok {
			return bin
		}
		return in.find.rest
	}
	return in.find.number(in.column.Numbers[row])
}

// appendValue appends what the row of data holds, as people write it; ok is false where it is
// missing.
func (in *input) appendValue(dst []byte, row int) (_ []byte, ok bool) {
	if in.column == nil || in.column.Missing(row) {
		return dst, false
	}
	if in.column.Kind == frame.Category {
		return append(dst, in.column.Text(row)...), true
	}
	return strconv.AppendFloat(dst, in.column.Numbers[row], 'f', -1, 64), true
}
