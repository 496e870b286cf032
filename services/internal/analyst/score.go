package analyst

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/output"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// ScoreOptions say what to score and where to write it.
type ScoreOptions struct {
	Source
	Model   string
	Out     string
	Reasons int  // how many reasons a row is given
	Parts   bool // write what each signal gave, too
	Lacking bool // take columns that the data lacks as missing
}

// Scored is what scoring did.
type Scored struct {
	Model    *Model
	Expected float64 // wins, by the probabilities
	Took     time.Duration
}

// Score writes every row again with its probability, its interval, its points and its strongest reasons.
// Nothing is written unless all is.
func Score(ctx context.Context, o ScoreOptions) (_ *Scored, err error) {
	start := time.Now()
	outputs := output.Set{Stdout: o.Stdout}
	outputs.Read(o.Data, o.Model)
	defer outputs.Discard()
	out, err := open(&outputs, o.Out)
	if err != nil {
		return nil, err
	}
	m, err := apply(ctx, o.Model, &o.Source, o.Lacking)
	if err != nil {
		return nil, err
	}
	defer m.Set.File.Close()
	results, err := m.scoreAll(ctx, &o.Source)
	if err != nil {
		return nil, err
	}
	if err := m.write(ctx, out, results, &o); err != nil {
		return nil, err
	}
	done := &Scored{Model: m}
	for _, r := range results {
		done.Expected += float64(r.PPM) / card.Certain
	}
	done.Took = time.Since(start)
	return done, outputs.Commit()
}

// write writes the rows in batches whose words are found by several hands.
func (m *Model) write(ctx context.Context, out io.Writer, results []card.Result, o *ScoreOptions) error {
	const batch = 2048
	w := table.NewWriter(out, m.Set.File.Dialect)
	w.Raw(m.Set.File.Header.Raw, m.header(o.Parts)...)
	var words [][]string
	err := m.Set.File.Each(ctx, func(row int, r *table.Row) error {
		if row == len(results) {
			return m.Set.File.ErrChanged()
		}
		at := row % batch
		if at == 0 {
			var err error
			if words, err = m.batch(ctx, results, row, min(row+batch, len(results)), o); err != nil {
				return err
			}
			o.tell("writing", row, len(results))
		}
		w.Raw(r.Raw, words[at]...)
		return nil
	}, nil)
	if err != nil {
		return err
	}
	return w.Flush()
}

// header names the columns that are added. A name that the table has already gets "model_" before it.
func (m *Model) header(parts bool) []string {
	names := []string{"probability", "low", "high", "points", "reasons"}
	if parts {
		for _, c := range m.parts() {
			names = append(names, "points: "+c)
		}
	}
	for i := range names {
		for slices.Contains(m.Set.File.Header.Cells, names[i]) {
			names[i] = "model_" + names[i]
		}
	}
	return names
}

// parts names all that may give points.
func (m *Model) parts() []string {
	names := []string{"base"}
	for i := range m.Card.Rows {
		names = append(names, m.Card.Rows[i].Feature)
	}
	for i := range m.Card.Pairs {
		names = append(names, m.Card.Pairs[i].First.Feature+" with "+m.Card.Pairs[i].Second.Feature)
	}
	return append(names, "limits")
}

func (m *Model) batch(ctx context.Context, results []card.Result, from, to int, o *ScoreOptions) ([][]string, error) {
	words := make([][]string, to-from)
	g, _ := errgroup.WithContext(ctx)
	hands := runtime.GOMAXPROCS(0)
	for h := range hands {
		g.Go(func() error {
			var parts []card.Contribution
			for i := from + h; i < to; i += hands {
				r := results[i]
				cells := append(make([]string, 0, 5), chance(r.PPM), chance(r.LowPPM), chance(r.HighPPM), points(r.Points), m.reasons(i, o.Reasons))
				if o.Parts {
					parts = m.Bound.AppendContributions(parts[:0], i)
					cells = m.appendParts(cells, parts)
				}
				words[i-from] = cells
			}
			return nil
		})
	}
	return words, g.Wait()
}

// reasons are the strongest, parted by semicolons.
func (m *Model) reasons(row, n int) string {
	var out []string
	for _, r := range m.Bound.Reasons(row, n) {
		out = append(out, r.Text)
	}
	return strings.Join(out, "; ")
}

// appendParts writes the points of base, rows, pairs and limits, which add up to the points of the row.
func (m *Model) appendParts(cells []string, parts []card.Contribution) []string {
	var limits int32
	for _, c := range parts {
		switch c.Kind {
		case card.ContributionBase, card.ContributionRow, card.ContributionPair:
			cells = append(cells, points(c.Points))
		default:
			limits += c.Points
		}
	}
	return append(cells, points(limits))
}

// chance writes parts per million as a probability.
func chance(ppm int32) string {
	return strconv.FormatFloat(float64(ppm)/card.Certain, 'f', -1, 64)
}

// Print writes what was done.
func (s *Scored) Print(out io.Writer) {
	set := s.Model.Set
	rows := [][]string{{"rows scored", console.Count(set.Rows), ""}}
	if set.Skipped > 0 {
		rows = append(rows, []string{"rows skipped", console.Count(set.Skipped), "cannot be read; not in the output"})
	}
	for _, name := range s.Model.Absent {
		rows = append(rows, []string{"lacking", name, "taken as missing in every row"})
	}
	share := 0.0
	if set.Rows > 0 {
		share = s.Expected / float64(set.Rows)
	}
	rows = append(rows,
		[]string{"wins expected", strconv.FormatFloat(s.Expected, 'f', 0, 64), console.PercentOf(share) + " of the rows"},
		[]string{"points table", s.Model.Card.Revision()[:12], fmt.Sprintf("%s, %s", console.Plural(len(s.Model.Card.Rows), "signal"), console.Plural(len(s.Model.Card.Pairs), "pair"))},
		[]string{"time", console.Took(s.Took), ""},
		[]string{"peak memory", console.Memory(), ""},
	)
	console.Table(out, rows, 1)
}
