// Package analyst learns points tables from a table of rows with outcomes and puts them to use, without a
// server: it reads and writes files, and says what it did in words.
package analyst

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
	"github.com/leadmesh/leadmesh/services/internal/output"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// UsageError is an error that a better command mends.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return &UsageError{err}
}

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// Source is the table that a command works on.
type Source struct {
	Data    string    // file; "-" is Stdin
	Stdin   io.Reader // read if Data is "-"
	Stdout  io.Writer // written if an output is "-"
	Missing []string  // spellings of "not known"; nil for those of the points table, else the usual ones
	Dates   string    // "day" or "month" if the first number of a date is known to be that, else ""

	// Skip, if not nil, is told each row that cannot be read.
	Skip func(list string, e *table.RowError)
	// Progress, if not nil, is told how far a step is; total 0 is unknown.
	Progress func(step string, done, total int)
}

func (s *Source) tell(step string, done, total int) {
	if s.Progress != nil {
		s.Progress(step, done, total)
	}
}

func (s *Source) read(ctx context.Context, kinds map[string]frame.Kind, every ...string) (*dataset.Set, error) {
	missing := s.Missing
	if missing == nil {
		missing = dataset.DefaultMissing()
	}
	return dataset.Read(ctx, dataset.Options{
		Path: s.Data, Stdin: s.Stdin, Missing: missing, Dates: s.Dates, Kinds: kinds, Every: every, Skip: s.Skip, Progress: s.Progress,
	})
}

// open opens an output; what it may not be is the caller's mistake.
func open(set *output.Set, path string) (io.Writer, error) {
	w, err := set.Open(path)
	if taken := (*output.TakenError)(nil); errors.As(err, &taken) {
		return nil, usage(err)
	}
	return w, err
}

// mostProblems is how many mistakes of a file are told at a time.
const mostProblems = 20

// Load reads a points table. Its errors name file, line and column.
func Load(path string) (*card.Card, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, problems := card.Parse(text)
	return c, told(path, problems)
}

func told(path string, problems []card.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	var lines []string
	for _, p := range problems[:min(mostProblems, len(problems))] {
		lines = append(lines, path+":"+p.Error())
	}
	if more := len(problems) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return usage(errors.New(strings.Join(lines, "\n")))
}

// Model is a points table put to a table of data.
type Model struct {
	Path   string
	Card   *card.Card
	Set    *dataset.Set
	Bound  *card.Bound
	Absent []string // columns that the points table looks at and the data lacks, taken as missing

	frame *frame.Frame
}

// apply reads the data for a points table. Lacking takes columns that are not there as missing.
func apply(ctx context.Context, path string, s *Source, lacking bool, every ...string) (_ *Model, err error) {
	c, err := Load(path)
	if err != nil {
		return nil, err
	}
	scorer, problems := card.Compile(c)
	if err := told(path, problems); err != nil {
		return nil, err
	}
	if s.Missing == nil {
		s.Missing = c.Missing
	}
	if s.Missing == nil {
		s.Missing = dataset.DefaultMissing()
	}
	m := &Model{Path: path, Card: c}
	kinds := signals(c)
	if m.Set, err = s.read(ctx, kinds, every...); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			m.Set.File.Close()
		}
	}()
	m.frame = &frame.Frame{Rows: m.Set.Rows}
	for i := range m.Set.Columns {
		if column := &m.Set.Columns[i]; kinds[column.Name] != 0 {
			if signal, ok := column.Signal(); ok {
				m.frame.Columns = append(m.frame.Columns, signal)
			}
		}
	}
	if m.Bound, m.Absent, err = scorer.BindKnown(m.frame); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Set.File.Label, err)
	}
	if len(m.Absent) > 0 && !lacking {
		return nil, usagef("%w\n%s looks at it; give a table that has it, or take what is lacking as missing in every row with --lacking",
			dataset.NoColumn(m.Set.File, m.Absent[0]), path)
	}
	for _, name := range m.Absent {
		m.frame.Columns = append(m.frame.Columns, missing(name, kinds[name], m.frame.Rows))
	}
	return m, nil
}

// signals are the columns that a points table looks at.
func signals(c *card.Card) map[string]frame.Kind {
	kinds := map[string]frame.Kind{}
	for i := range c.Rows {
		kinds[c.Rows[i].Feature] = c.Rows[i].Kind
	}
	for i := range c.Pairs {
		for _, side := range []*card.Side{&c.Pairs[i].First, &c.Pairs[i].Second} {
			if kinds[side.Feature] == 0 {
				kinds[side.Feature] = side.Kind
			}
		}
	}
	return kinds
}

// scoreAll scores all rows, a stretch at a time so that a stop is heard.
func (m *Model) scoreAll(ctx context.Context, s *Source) ([]card.Result, error) {
	results := make([]card.Result, m.Set.Rows)
	const stretch = 1 << 15
	for from := 0; from < len(results); from += stretch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+stretch, len(results))
		m.Bound.ScoreAll(results[from:to], from, to)
		s.tell("scoring", to, len(results))
	}
	return results, nil
}

// points writes points as people read them: 1/100 as two digits.
func points(p int32) string { return string(card.AppendPoints(nil, p)) }
