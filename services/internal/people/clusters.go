package people

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// write writes everything but the report.
func (w *work) write(ctx context.Context, o *Outcome) error {
	if p := w.params; p != nil {
		if _, err := p.Write(o.Result.Matcher.Params().Marshal()); err != nil {
			return err
		}
	}
	if p := w.pairs; p != nil {
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
	t := table.NewWriter(w.clusters, l.Dialect)
	columns := w.groupColumns(o, l.headers())
	t.Raw(l.Header.Raw, namesOf(columns)...)
	cells := make([]string, len(columns))
	err := l.Each(ctx, func(row int, r *table.Row) error {
		if row == l.Rows {
			return l.ErrChanged()
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
	t := table.NewWriter(w.clusters, d)
	columns := w.groupColumns(o, headers)
	t.Row(append(append(slices.Clone(headers), freeName("file", headers)), namesOf(columns)...)...)
	var problems error
	for li, l := range w.lists {
		cells := make([]string, len(headers)+1+len(columns))
		problems = errors.Join(problems, l.Each(ctx, func(row int, r *table.Row) error {
			if row == l.Rows {
				return l.ErrChanged()
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
