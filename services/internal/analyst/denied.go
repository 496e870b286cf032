package analyst

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
)

// Override is how good a points table is that looks at columns which rules deny, as somebody allowed it:
// what counts are the figures without these columns, beside which those with them are shown.
type Override struct {
	Columns []string
	// Without is how good it is without the columns; nil where nobody knows.
	Without *assess.Report
}

// names are the columns in a sentence.
func (o *Override) names() string { return strings.Join(o.Columns, " and ") }

// print writes the figures with the columns beside those without them.
func (o *Override) print(out io.Writer, with *assess.Report) {
	fmt.Fprintf(out, "\nbeside them, with %s, which an override allows\n", o.names())
	w := o.Without
	console.Table(out, [][]string{
		{"", "without", "with " + o.names()},
		{"AUC", cell(w.AUC), cell(with.AUC)},
		{"log loss", figure(w.LogLoss.Value), figure(with.LogLoss.Value)},
		{"Brier", figure(w.Brier.Value), figure(with.Brier.Value)},
		{"calibration error", cell(w.Calibration.Error), cell(with.Calibration.Error)},
		{"best tenth", best(w), best(with)},
	})
}

func cell(i assess.Interval) string { return figure(i.Value) + " (" + between(i) + ")" }

// best is how much more often the best tenth is won than all are.
func best(r *assess.Report) string { return strconv.FormatFloat(r.Lift[0].Times, 'f', 1, 64) + "×" }

// override judges the points table on the rows of known outcome with the signals that rules deny taken
// out; nil where it looks at none. A table of points alone cannot say what would be learned without them,
// so each gives every row its average points.
func (m *Model) override(o *dataset.Outcome, known []int32) (*Override, error) {
	denied := m.Card.Overridden()
	if len(denied) == 0 {
		return nil, nil
	}
	scorer, problems := card.Compile(m.Card.Without(denied...))
	if err := told(m.Path, problems); err != nil {
		return nil, err
	}
	bound, err := scorer.Bind(m.frame)
	if err != nil {
		return nil, err
	}
	results := make([]card.Result, m.Set.Rows)
	bound.ScoreAll(results, 0, len(results))
	report, err := assess.Assess(assess.Of(pick(results, known), pick(o.Won, known), nil), assess.Options{})
	return &Override{Columns: denied, Without: report}, usage(err)
}

// learnedBoth reports whether a points table tells what learning found without the columns and with them.
func learnedBoth(l *card.Learned) bool {
	return l.Without.Rows > 0 && l.Without.Rows == l.Unseen.Rows
}

// learned says what learning found without the columns and with them, as the points table tells it.
func (o *Override) learned(l *card.Learned) string {
	auc := func(f *card.Figures) string {
		return cell(assess.Interval{Value: f.AUC, Low: f.AUCLow, High: f.AUCHigh})
	}
	return fmt.Sprintf("learned anew without %s, its AUC was %s where it was learned, on %s kept unseen; with %s %s",
		o.names(), auc(&l.Without), console.Plural(int(l.Without.Rows), "row"), o.names(), auc(&l.Unseen))
}
