// Package table reads and writes tables of text as people's programs export them: separated by commas,
// semicolons, tabs or bars, with or without quotes, in UTF-8, Windows-1252 or UTF-16. A row that cannot
// be read is reported with its line and takes no other row with it.
package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/charset"
)

const (
	// maxRow bounds a row in bytes. A quote that is never closed is given up there.
	maxRow = 1 << 18
	// headBytes are looked at to tell the dialect.
	headBytes = 1 << 16
)

// Reader reads a table row by row in memory bounded by the longest row. It is for one goroutine.
type Reader struct {
	src     io.Reader
	buf     []byte // buf[pos:] is read and not yet used
	pos     int
	eof     bool
	err     error // of src, told when buf is used up
	line    int   // of buf[pos]
	dialect Dialect
	header  Row
	row     Row
	scratch []byte
	ends    []int // in scratch, where each cell ends
	rawEnds []int // in the row's bytes, where each cell ends
}

// Row is a row of a table, valid until the next call of Next; the text of its cells stays valid.
type Row struct {
	Line  int      // the line of the file in which it begins, from 1
	Raw   []byte   // its bytes as they stand in the file, without the line end; of UTF-16, as UTF-8
	Cells []string // one per column of the header: UTF-8, without quotes and outer spaces
}

// RowError says why a row could not be read. Reading goes on with the line behind it.
type RowError struct {
	Line    int
	Problem string // names no value of the row
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// NewReader tells the dialect of a table and reads its header. The errors are for the person who gave
// the file.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{src: src, line: 1}
	if err := r.open(); err != nil {
		return nil, err
	}
	for {
		row, err := r.next(0)
		switch {
		case errors.Is(err, io.EOF):
			return nil, errors.New("the file is empty: there is no line with the names of the columns")
		case err != nil:
			return nil, fmt.Errorf("the names of the columns: %w", err)
		}
		if comma, ok := separatorHint(row.Raw); ok {
			r.dialect.Comma = comma
			continue
		}
		r.header = Row{Line: row.Line, Raw: bytes.Clone(row.Raw), Cells: slices.Clone(row.Cells)}
		return r, nil
	}
}

// Dialect is how the table is written.
func (r *Reader) Dialect() Dialect { return r.dialect }

// Header returns the row with the names of the columns. It stays valid.
func (r *Reader) Header() Row { return r.header }

// Next returns the next row, io.EOF after the last one, a *RowError for a row that cannot be read and
// any other error when the file cannot be. Empty lines are passed over. A row has as many cells as the
// header: cells beyond are dropped when they are empty, else the row is in error, as it is when cells
// are missing, since nobody knows which.
func (r *Reader) Next() (*Row, error) { return r.next(len(r.header.Cells)) }

func (r *Reader) next(width int) (*Row, error) {
	if err := r.passBlank(); err != nil {
		return nil, err
	}
	used, problem := r.scan()
	if problem == "" {
		problem = r.fit(used, width)
	}
	line := r.line
	if problem != "" {
		if err := r.passLine(); err != nil {
			return nil, err
		}
		return nil, &RowError{Line: line, Problem: problem}
	}
	r.row.Line = line
	r.advance(used)
	return &r.row, nil
}

// fit makes the row from what was scanned. It returns what is wrong with it.
func (r *Reader) fit(used, width int) string {
	raw := bytes.TrimRight(r.buf[r.pos:r.pos+used], "\r\n")
	lines := bytes.Count(raw, []byte{r.dialect.eol()}) + 1
	if bytes.IndexByte(raw, 0) >= 0 {
		return "holds zero bytes, which no text does"
	}
	text := r.text()
	n := len(r.ends)
	cells := r.row.Cells[:0]
	start := 0
	for i, end := range r.ends {
		cell := strings.TrimSpace(text[start:end])
		start = end
		if width > 0 && i >= width {
			if cell != "" {
				return countProblem(n, width, lines)
			}
			continue
		}
		cells = append(cells, cell)
	}
	if len(cells) < width {
		return countProblem(n, width, lines)
	}
	if width > 0 && n > width {
		raw = raw[:r.rawEnds[width-1]]
	}
	r.row = Row{Raw: raw, Cells: cells}
	return ""
}

// text is the scanned cells as UTF-8. What is not UTF-8 is Windows-1252, cell by cell.
func (r *Reader) text() string {
	if mended := charset.Mend(r.scratch); len(mended) != len(r.scratch) {
		out := make([]byte, 0, len(mended))
		start := 0
		for i, end := range r.ends {
			out = append(out, charset.Mend(r.scratch[start:end])...)
			start, r.ends[i] = end, len(out)
		}
		r.dialect.Encoding = Windows1252
		return string(out)
	}
	return string(r.scratch)
}

func countProblem(n, width, lines int) string {
	s := fmt.Sprintf("has %d cells where the header has %d", n, width)
	if lines > 1 {
		s += fmt.Sprintf(", over %d lines: a quote may be missing", lines)
	}
	return s
}

// scan finds the cells of the row at pos. It returns how many bytes the row takes with its line end, or
// what is wrong.
func (r *Reader) scan() (used int, problem string) {
	for {
		used, problem = r.parse(r.buf[r.pos:])
		if used > 0 || problem != "" {
			return used, problem
		}
		if len(r.buf)-r.pos > maxRow {
			return 0, fmt.Sprintf("is longer than %d KiB: a quote may not be closed", maxRow>>10)
		}
		r.fill()
	}
}

// parse reads a row from data; 0 and "" ask for more data.
func (r *Reader) parse(data []byte) (used int, problem string) {
	r.scratch, r.ends, r.rawEnds = r.scratch[:0], r.ends[:0], r.rawEnds[:0]
	eol, comma := r.dialect.eol(), r.dialect.Comma
	for i := 0; ; {
		j := i
		for j < len(data) && data[j] == ' ' {
			j++
		}
		if j < len(data) && data[j] == '"' {
			if i, problem = r.quoted(data, j+1); problem != "" || i == 0 {
				return 0, problem
			}
		} else {
			for i < len(data) && data[i] != comma && data[i] != eol {
				i++
			}
			if i == len(data) && !r.eof {
				return 0, ""
			}
			r.scratch = append(r.scratch, data[j:max(i, j)]...)
		}
		r.ends, r.rawEnds = append(r.ends, len(r.scratch)), append(r.rawEnds, i)
		switch {
		case i == len(data):
			return i, ""
		case data[i] == eol:
			return i + 1, ""
		}
		i++
	}
}

// quoted reads a quoted cell that begins at i, behind its quote, and returns where the cell's end is; 0
// and "" ask for more data.
func (r *Reader) quoted(data []byte, i int) (end int, problem string) {
	unclosed := func() (int, string) {
		if r.eof {
			return 0, fmt.Sprintf("the quote in cell %d is not closed", len(r.ends)+1)
		}
		return 0, ""
	}
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return unclosed()
		}
		r.scratch = append(r.scratch, data[i:i+n]...)
		if i += n + 1; i < len(data) && data[i] == '"' {
			r.scratch = append(r.scratch, '"')
			i++
			continue
		}
		for i < len(data) && (data[i] == ' ' || data[i] == '\r' && r.dialect.eol() == '\n') {
			i++
		}
		switch {
		case i < len(data) && (data[i] == r.dialect.Comma || data[i] == r.dialect.eol()):
			return i, ""
		case i < len(data):
			return 0, fmt.Sprintf("the quote in cell %d is not closed, or a quote within it is not doubled", len(r.ends)+1)
		case r.eof:
			return i, ""
		default:
			return 0, ""
		}
	}
}

// passBlank goes to the next line that holds anything.
func (r *Reader) passBlank() error {
	for {
		for r.pos < len(r.buf) {
			switch r.buf[r.pos] {
			case r.dialect.eol():
				r.line++
			case '\r', '\n':
			default:
				return nil
			}
			r.pos++
		}
		if r.eof {
			if r.err != nil {
				return r.err
			}
			return io.EOF
		}
		r.fill()
	}
}

// passLine goes behind the end of the line at pos.
func (r *Reader) passLine() error {
	for {
		if n := bytes.IndexByte(r.buf[r.pos:], r.dialect.eol()); n >= 0 {
			r.advance(n + 1)
			return nil
		}
		r.pos = len(r.buf)
		if r.eof {
			return nil // the next call tells the end
		}
		r.fill()
	}
}

func (r *Reader) advance(n int) {
	r.line += bytes.Count(r.buf[r.pos:r.pos+n], []byte{r.dialect.eol()})
	r.pos += n
}

// fill reads more of the file, at least a byte unless it ends.
func (r *Reader) fill() {
	const chunk = 1 << 16
	if r.pos > 0 && cap(r.buf)-len(r.buf) < chunk {
		rest := r.buf[r.pos:]
		if cap(r.buf)-len(rest) >= chunk {
			r.buf = r.buf[:copy(r.buf[:cap(r.buf)], rest)]
		} else {
			r.buf = append(make([]byte, 0, 2*len(rest)+2*chunk), rest...)
		}
		r.pos = 0
	} else if cap(r.buf)-len(r.buf) < chunk {
		r.buf = append(make([]byte, 0, 2*len(r.buf)+2*chunk), r.buf...)
	}
	n, err := io.ReadAtLeast(r.src, r.buf[len(r.buf):cap(r.buf)], 1)
	r.buf = r.buf[:len(r.buf)+n]
	if err != nil {
		r.eof = true
		if !errors.Is(err, io.EOF) {
			r.err = err
		}
	}
}
