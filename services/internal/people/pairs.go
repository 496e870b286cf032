package people

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

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
