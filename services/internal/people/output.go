package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// output is a file that is there whole or not at all.
type output struct {
	io.Writer
	path string
	temp *os.File // nil for what is no regular file
}

// openOutputs makes the outputs beside where they are to be, so that what cannot be written is known
// before the work.
func (w *work) openOutputs() error {
	mode := os.FileMode(0o600)
	if info, err := os.Stat(w.In); w.In != "-" && err == nil {
		mode |= info.Mode().Perm() // who may read the list may read what comes of it
	}
	seen := map[string]bool{}
	for _, in := range []string{w.In, w.Link} {
		if in != "-" && in != "" {
			seen[absolute(in)] = true
		}
	}
	for _, path := range []string{w.SaveParams, w.Pairs, w.Report, w.Out} {
		o := &output{path: path}
		w.outputs = append(w.outputs, o)
		if path == "" {
			continue
		}
		if seen[absolute(path)] {
			return fmt.Errorf("%w%s is read or written already: give another name", ErrMapping, path)
		}
		seen[absolute(path)] = true
		if path == "-" {
			o.Writer = w.Stdout
			continue
		}
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			w.undo = append(w.undo, func() { _ = f.Close() })
			o.Writer = f
			continue
		}
		f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
		if err != nil {
			return err
		}
		w.undo = append(w.undo, func() { _, _ = f.Close(), os.Remove(f.Name()) })
		if err := f.Chmod(mode); err != nil {
			return err
		}
		o.Writer, o.temp = f, f
	}
	return nil
}

func absolute(path string) string {
	if path == "-" {
		return path
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

func (w *work) out(i int) *output { return w.outputs[i] }

func (w *work) paramsOutput() *output   { return w.out(0) }
func (w *work) pairsOutput() *output    { return w.out(1) }
func (w *work) reportOutput() *output   { return w.out(2) }
func (w *work) clustersOutput() *output { return w.out(3) }

// commit puts the outputs where they are to be, the clusters last.
func (w *work) commit() error {
	for _, o := range w.outputs {
		if o.temp == nil {
			continue
		}
		if err := errors.Join(o.temp.Sync(), o.temp.Close()); err != nil {
			return err
		}
	}
	for _, o := range w.outputs {
		if o.temp == nil {
			continue
		}
		if err := os.Rename(o.temp.Name(), o.path); err != nil {
			return err
		}
	}
	return nil
}

// write writes everything but the report.
func (w *work) write(ctx context.Context, o *Outcome) error {
	if p := w.paramsOutput(); p.Writer != nil {
		if _, err := p.Write(o.Result.Matcher.Params().Marshal()); err != nil {
			return err
		}
	}
	if p := w.pairsOutput(); p.Writer != nil {
		if err := w.writePairs(ctx, p, o); err != nil {
			return err
		}
	}
	if len(w.lists) == 1 {
		return w.writeClusters(ctx, o)
	}
	return w.writeUnion(ctx, o)
}

// writeClusters writes the rows of one list as they are, with their clusters.
func (w *work) writeClusters(ctx context.Context, o *Outcome) error {
	l := w.lists[0]
	t := table.NewWriter(w.clustersOutput(), l.Dialect)
	columns := w.groupColumns(o, l.headers())
	t.Raw(l.head.Raw, namesOf(columns)...)
	cells := make([]string, len(columns))
	err := l.each(ctx, func(row int, r *table.Row) error {
		if row == l.Rows {
			return changed(l)
		}
		groupsOf(columns, row, cells)
		t.Raw(r.Raw, cells...)
		if row%4096 == 0 {
			w.tell("writing", row, l.Rows)
		}
		return nil
	}, nil)
	return errors.Join(err, t.Flush())
}

// writeUnion writes the rows of both lists in one table: the columns of the first, those of the second
// that the first does not have, the file, and the cluster.
func (w *work) writeUnion(ctx context.Context, o *Outcome) error {
	var headers []string
	place := make([][]int, len(w.lists)) // of each list's columns in the table
	for li, l := range w.lists {
		taken := make([]bool, len(headers))
		for _, h := range l.headers() {
			i := slices.IndexFunc(headers[:len(taken)], func(o string) bool { return lead.Fold(o) == lead.Fold(h) })
			if i < 0 || taken[i] {
				i = len(headers)
				headers = append(headers, h)
			} else {
				taken[i] = true
			}
			place[li] = append(place[li], i)
		}
	}
	d := w.lists[0].Dialect
	d.Encoding = table.UTF8
	t := table.NewWriter(w.clustersOutput(), d)
	columns := w.groupColumns(o, headers)
	t.Row(append(append(slices.Clone(headers), freeName("file", headers)), namesOf(columns)...)...)
	var problems error
	for li, l := range w.lists {
		cells := make([]string, len(headers)+1+len(columns))
		problems = errors.Join(problems, l.each(ctx, func(row int, r *table.Row) error {
			if row == l.Rows {
				return changed(l)
			}
			clear(cells)
			for i, c := range r.Cells {
				cells[place[li][i]] = c
			}
			cells[len(headers)] = l.Label
			groupsOf(columns, l.first+row, cells[len(headers)+1:])
			t.Row(cells...)
			if row%4096 == 0 {
				w.tell("writing", l.first+row, len(o.records))
			}
			return nil
		}, nil))
	}
	return errors.Join(problems, t.Flush())
}

// freeName is a name that no column has.
func freeName(name string, headers []string) string {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try += "_" + strconv.Itoa(n)
		}
		if !slices.ContainsFunc(headers, func(h string) bool { return lead.Fold(h) == lead.Fold(try) }) {
			return try
		}
	}
}

// groupColumn is a column of clusters.csv that says to which group a row belongs.
type groupColumn struct {
	name  string
	group []int32 // by row
	ids   []string
}

// groupColumns returns the columns that are added to lists of some columns.
func (w *work) groupColumns(o *Outcome, headers []string) []groupColumn {
	columns := []groupColumn{{freeName("cluster_id", headers), o.Result.Clusters, o.clusterIDs()}}
	if w.Households {
		columns = append(columns, groupColumn{freeName("household_id", headers), o.Result.Households, o.groupIDs(o.Result.Households, o.Result.Homes)})
	}
	return columns
}

func namesOf(columns []groupColumn) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// groupsOf fills cells with the ids of a row's groups.
func groupsOf(columns []groupColumn, row int, cells []string) {
	for i, c := range columns {
		cells[i] = c.ids[c.group[row]]
	}
}

// clusterIDs returns the id of each cluster.
func (o *Outcome) clusterIDs() []string { return o.groupIDs(o.Result.Clusters, o.Result.Persons) }

// groupIDs returns the id of each group of rows: the name of its first row, which it keeps whatever
// comes behind it.
func (o *Outcome) groupIDs(groups []int32, n int) []string {
	ids := make([]string, n)
	for row, g := range groups {
		if ids[g] == "" {
			ids[g] = o.rowName(row)
		}
	}
	return ids
}

// rowName is the name of a row, with its file where there are two.
func (o *Outcome) rowName(row int) string {
	l := o.list(row)
	if len(o.Lists) > 1 {
		return l.Label + ":" + l.name(row-l.first)
	}
	return l.name(row - l.first)
}

// list is where a row is from.
func (o *Outcome) list(row int) *List {
	if n := len(o.Lists); row >= o.Lists[n-1].first {
		return o.Lists[n-1]
	}
	return o.Lists[0]
}

// wholePairs bounds the clusters all of whose pairs are written; of larger ones only those that hold it
// together are.
const wholePairs = 200

// verdicts of pairs.csv.
const (
	verdictSame   = "same"
	verdictReview = "review"
)

// writePairs writes every pair of rows in one cluster and those that a person should look at.
func (w *work) writePairs(ctx context.Context, out io.Writer, o *Outcome) error {
	d := table.Dialect{Comma: w.lists[0].Dialect.Comma, Newline: w.lists[0].Dialect.Newline}
	t := table.NewWriter(out, d)
	header := []string{"left_id", "right_id", "probability", "verdict"}
	if len(w.lists) > 1 {
		header = []string{"left_file", "left_id", "right_file", "right_id", "probability", "verdict"}
	}
	t.Row(header...)
	cells := make([]string, 0, len(header))
	for i, p := range o.pairs(w.Across) {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		cells = cells[:0]
		for _, row := range [...]int32{p.A, p.B} {
			l := o.list(int(row))
			if len(w.lists) > 1 {
				cells = append(cells, l.Label)
			}
			cells = append(cells, l.name(int(row)-l.first))
		}
		verdict := verdictReview
		if o.Result.Clusters[p.A] == o.Result.Clusters[p.B] {
			verdict = verdictSame
		}
		t.Row(append(cells, probability(p.Probability()), verdict)...)
	}
	return t.Flush()
}

// pairs returns the pairs of pairs.csv, in the order of their rows: all, or those across two lists only.
func (o *Outcome) pairs(across bool) []cluster.Pair {
	m := o.Result.Matcher
	list := slices.Clone(o.Result.Possible)
	members := make([][]int32, o.Result.Persons)
	for row, c := range o.Result.Clusters {
		members[c] = append(members[c], int32(row))
	}
	for _, p := range o.Result.Links {
		if len(members[o.Result.Clusters[p.A]]) > wholePairs {
			list = append(list, p)
		}
	}
	var prepared []identity.Prepared
	for _, rows := range members {
		if len(rows) < 2 || len(rows) > wholePairs {
			continue
		}
		prepared = prepared[:0]
		for _, r := range rows {
			prepared = append(prepared, m.Prepare(&o.records[r]))
		}
		for j := range rows {
			for i := range rows[:j] {
				weight, conflict := m.Weigh(&prepared[i], &prepared[j])
				list = append(list, cluster.Pair{A: rows[i], B: rows[j], Weight: weight, Conflict: conflict})
			}
		}
	}
	slices.SortFunc(list, func(p, q cluster.Pair) int { return cmp.Or(cmp.Compare(p.A, q.A), cmp.Compare(p.B, q.B)) })
	list = slices.CompactFunc(list, func(p, q cluster.Pair) bool { return p.A == q.A && p.B == q.B })
	if across {
		list = slices.DeleteFunc(list, func(p cluster.Pair) bool { return o.list(int(p.A)) == o.list(int(p.B)) })
	}
	return list
}

// probability writes millionths.
func probability(millionths int32) string {
	return strconv.FormatFloat(float64(millionths)/1e6, 'f', 6, 64)
}
