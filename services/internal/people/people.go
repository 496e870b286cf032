// Package people cleans lists of people: it reads one or two tables, finds out which rows are the same
// person, and writes every row again with its cluster. It needs no server and keeps nothing.
//
// Rows are read three times, so that memory holds what is compared and not the files: once to learn
// what only whole columns tell, once to make records, once to write.
package people

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/core/identity/names"
	"github.com/leadmesh/leadmesh/services/internal/output"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// Options say what to clean and where to write it.
type Options struct {
	In, Link   string    // files; "-" is Stdin, "" for Link none
	Stdin      io.Reader // read if a file is "-"
	Stdout     io.Writer // written if an output is "-"
	Out        string    // clusters
	Pairs      string    // "" for none, as below
	Report     string
	SaveParams string
	Households bool // write household_id beside cluster_id

	Renames   []Rename
	Country   string           // ISO 3166-1 alpha-2: where rows that do not say are; "" takes it from the header's language
	Dates     string           // "day" or "month" if the first number of a date is known to be that, else ""
	Threshold float64          // probability from which on two rows are one person; 0 is that of the parameters
	Across    bool             // compare only rows of different lists
	Params    *identity.Params // nil learns them
	Truth     string           // column that says who each row truly is: it judges the result and is no evidence; "" for none
	Year      int              // the present one: two digits of a year of birth lie in the hundred years before its end

	// Mapped, if not nil, is told what the columns were taken for, before the work begins.
	Mapped func([]*List)
	// Skip, if not nil, is told each row that cannot be read.
	Skip func(list string, e *table.RowError)
	// Progress, if not nil, is told how far a step is; total 0 is unknown.
	Progress func(step string, done, total int)
}

// Outcome is what cleaning found.
type Outcome struct {
	Lists  []*List
	Result *cluster.Result
	Match  float64 // probability from which on two rows are one person
	Took   time.Duration
	Truth  *Truth // nil without Options.Truth

	given   bool // the parameters were
	records []identity.Record
}

// Rows returns how many rows were read, and how many could not be.
func (o *Outcome) Rows() (read, skipped int) {
	for _, l := range o.Lists {
		read, skipped = read+l.Rows, skipped+l.Skipped
	}
	return read, skipped
}

// Clean does all of it. Nothing is written unless everything is; ErrMapping and the errors of files
// are for the person who asked.
func Clean(ctx context.Context, o Options) (_ *Outcome, err error) {
	start := time.Now()
	if o.Truth != "" {
		o.Renames = append(slices.Clone(o.Renames), Rename{Field: ignore, Column: o.Truth})
	}
	w := &work{Options: o, seed: maphash.MakeSeed()}
	defer w.cleanUp()
	if err := w.openOutputs(); err != nil {
		return nil, err
	}
	if err := w.openLists(ctx); err != nil {
		return nil, err
	}
	if err := w.recognise(ctx); err != nil {
		return nil, err
	}
	out := &Outcome{Lists: w.lists, given: o.Params != nil}
	if out.records, err = w.records(ctx); err != nil {
		return nil, err
	}
	if out.Result, err = w.partition(ctx, out.records); err != nil {
		return nil, err
	}
	if o.Truth != "" {
		if out.Truth, err = w.judge(ctx, o.Truth, out.Result); err != nil {
			return nil, err
		}
	}
	if out.Match = o.Threshold; out.Match == 0 {
		out.Match = float64(identity.Probability(out.Result.Matcher.Params().Match)) / 1e6
	}
	if err := w.write(ctx, out); err != nil {
		return nil, err
	}
	out.Took = time.Since(start)
	if err := w.explain(ctx, out); err != nil {
		return nil, err
	}
	return out, w.outputs.Commit()
}

// work is one call of Clean.
type work struct {
	Options
	lists    []*List
	profiles [][]columnProfile // by list
	seed     maphash.Seed
	undo     []func()

	outputs                       output.Set
	params, pairs, page, clusters io.Writer // nil for what is not wanted
}

func (w *work) tell(step string, done, total int) {
	if w.Progress != nil {
		w.Progress(step, done, total)
	}
}

// openOutputs opens what is written, in the order in which it is put in its place: whoever sees the
// clusters sees all.
func (w *work) openOutputs() error {
	w.outputs.Stdout = w.Stdout
	w.outputs.Read(w.In, w.Link)
	for _, o := range []struct {
		to   *io.Writer
		path string
	}{{&w.params, w.SaveParams}, {&w.pairs, w.Pairs}, {&w.page, w.Report}, {&w.clusters, w.Out}} {
		var err error
		var taken *output.TakenError
		if *o.to, err = w.outputs.Open(o.path); errors.As(err, &taken) {
			return fmt.Errorf("%w%w", ErrMapping, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (w *work) cleanUp() {
	w.outputs.Discard()
	for _, f := range slices.Backward(w.undo) {
		f()
	}
}

// recognise finds out what the columns mean.
func (w *work) recognise(ctx context.Context) error {
	r, used := newRecogniser(), map[Rename]bool{}
	for _, l := range w.lists {
		l.Mapping = newMapping(l.headers(), w.Renames, r, used)
	}
	if err := checkRenames(w.Renames, used, w.lists); err != nil {
		return err
	}
	for _, l := range w.lists {
		if !l.Mapping.usable() {
			return unusable(l)
		}
	}
	rows := 0
	for _, l := range w.lists {
		l.first = rows
		if err := w.profile(ctx, l); err != nil {
			return err
		}
		rows += l.Rows
	}
	w.settle()
	for _, l := range w.lists {
		if !l.Mapping.usable() {
			return unusable(l)
		}
	}
	if w.Mapped != nil {
		w.Mapped(w.lists)
	}
	return nil
}

// batch is how many rows are made records of at a time.
const batch = 512

// records makes the records of all rows.
func (w *work) records(ctx context.Context) ([]identity.Record, error) {
	rows := 0
	for _, l := range w.lists {
		rows += l.Rows
	}
	records := make([]identity.Record, rows)
	done := 0
	for _, l := range w.lists {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(runtime.GOMAXPROCS(0))
		c := w.recorder(l)
		var cells [][]string
		from := l.first
		send := func() {
			to, full := records[from:from+len(cells)], cells
			from, cells = from+len(cells), make([][]string, 0, batch)
			g.Go(func() error {
				for i := range to {
					to[i] = c.record(full[i])
				}
				return nil
			})
		}
		if l.Mapping.ID >= 0 {
			l.ids = make([]string, 0, l.Rows)
		}
		err := l.Each(ctx, func(row int, r *table.Row) error {
			if row == l.Rows {
				return l.ErrChanged()
			}
			if l.ids != nil {
				l.ids = append(l.ids, r.Cells[l.Mapping.ID])
			}
			if cells = append(cells, slices.Clone(r.Cells)); len(cells) == batch {
				send()
				w.tell("reading", done+row, rows)
			}
			return nil
		}, nil)
		send()
		if err := errors.Join(err, g.Wait()); err != nil {
			return nil, err
		}
		if from != l.first+l.Rows {
			return nil, l.ErrChanged()
		}
		done += l.Rows
	}
	return records, nil
}

// partition finds out who is who.
func (w *work) partition(ctx context.Context, records []identity.Record) (*cluster.Result, error) {
	dictionary := names.Load()
	o := cluster.Options{
		Names: dictionary, Workers: runtime.GOMAXPROCS(0), Match: int32(w.Threshold * 1e6),
		Progress: func(s cluster.Step, done, total int) bool {
			w.tell(s.String(), done, total)
			return ctx.Err() == nil
		},
	}
	if w.Across && len(w.lists) == 2 {
		o.Left = w.lists[0].Rows
	}
	if w.Params != nil {
		m, err := identity.NewMatcher(w.Params, dictionary)
		if err != nil {
			return nil, err
		}
		o.Matcher = m
	}
	r, err := cluster.Run(records, o)
	if errors.Is(err, cluster.ErrStopped) {
		return nil, context.Cause(ctx)
	}
	if err == nil && len(r.Common) > 0 { // what is explained is what was compared
		for i := range records {
			records[i] = *r.Record(records, i)
		}
	}
	return r, err
}
