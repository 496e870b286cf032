package people

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// Truth is how well cleaning did, where a column says who the rows truly are.
type Truth struct {
	Pairs    int // pairs of rows of one person, by that column
	Compared int // of these, those that were compared: the others no threshold brings back
	Score    cluster.Score
}

// judge compares the clusters with a column, which was no evidence. Rows with an empty cell belong to
// nobody else.
func (w *work) judge(ctx context.Context, column string, r *cluster.Result) (*Truth, error) {
	truth := make([]string, 0, len(r.Clusters))
	for _, l := range w.lists {
		columns := l.Mapping.named(column)
		if len(columns) != 1 {
			return nil, fmt.Errorf("%w--truth %s: %s has %s of this name", ErrMapping, column, l.Label, console.Plural(len(columns), "column"))
		}
		err := l.Each(ctx, func(_ int, row *table.Row) error {
			v := row.Cells[columns[0]]
			if v == "" {
				v = "\x00" + strconv.Itoa(len(truth))
			}
			truth = append(truth, v)
			return nil
		}, nil)
		if err != nil {
			return nil, err
		}
	}
	if len(truth) != len(r.Clusters) {
		return nil, w.lists[0].ErrChanged()
	}
	t := &Truth{Score: cluster.ScoreOf(r.Clusters, truth)}
	t.Compared, t.Pairs = cluster.Reached(r, truth)
	return t, nil
}

// Print writes the figures with four decimals.
func (t *Truth) Print(out io.Writer) {
	exact := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
	console.Table(out, [][]string{
		{"true pairs", console.Count(t.Pairs), "pairs of rows that are one person, by the column of the truth"},
		{"precision", exact(t.Score.Precision()), fmt.Sprintf("%s put together wrongly", console.Plural(t.Score.Wrong, "pair"))},
		{"recall", exact(t.Score.Recall()), fmt.Sprintf("%s not put together", console.Plural(t.Score.Missed, "pair"))},
		{"F1", exact(t.Score.F1()), ""},
		{"compared", exact(share(t.Compared, t.Pairs)), "share of the true pairs that were compared at all"},
	}, 1)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
