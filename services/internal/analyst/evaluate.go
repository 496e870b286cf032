package analyst

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
	"github.com/leadmesh/leadmesh/services/internal/output"
)

// EvaluateOptions say what to judge by which rows.
type EvaluateOptions struct {
	Source
	Model       string
	Label       string // "" is the column that the points table was learned from
	Answers     dataset.Answers
	Segment     string // column whose values are judged apart; "" for none
	Recalibrate string // where to write the points table with probabilities that hold for these rows; "" for none
	Lacking     bool   // take columns that the data lacks as missing
}

// Evaluated is how good a points table is on a table of rows with outcomes.
type Evaluated struct {
	Model   *Model
	Outcome *dataset.Outcome
	Report  *assess.Report
	// Override is the same without the columns that are denied and were allowed when it was learned; nil
	// if it looks at none.
	Override *Override
	Segment  string
	Segments []assess.Segment
	Shifts   []Shift // of signals, the greatest first
	// Recalibrated is the report with the probabilities that were written; nil if none were.
	Recalibrated *assess.Report
	Took         time.Duration
}

// Shift is how far the values of a signal are from those that the points table was learned from.
type Shift struct {
	Column string
	assess.Shift
}

// Evaluate judges a points table by rows whose outcome is known. Nothing is written unless all is.
func Evaluate(ctx context.Context, o EvaluateOptions) (_ *Evaluated, err error) {
	start := time.Now()
	outputs := output.Set{Stdout: o.Stdout}
	outputs.Read(o.Data, o.Model)
	defer outputs.Discard()
	out, err := open(&outputs, o.Recalibrate)
	if err != nil {
		return nil, err
	}
	if o.Label == "" {
		c, err := Load(o.Model)
		if err != nil {
			return nil, err
		}
		if o.Label = c.Target.Column; o.Label == "" {
			return nil, usagef("--label: %s does not say which column is the outcome", o.Model)
		}
	}
	m, err := apply(ctx, o.Model, &o.Source, o.Lacking, o.Label, o.Segment)
	if err != nil {
		return nil, err
	}
	defer m.Set.File.Close()
	e := &Evaluated{Model: m, Segment: o.Segment}
	if e.Outcome, err = m.outcome(o.Label, o.Answers); err != nil {
		return nil, usage(err)
	}
	results, err := m.scoreAll(ctx, &o.Source)
	if err != nil {
		return nil, err
	}
	var known []int32
	for row, open := range e.Outcome.Open {
		if !open {
			known = append(known, int32(row))
		}
	}
	sample := assess.Of(pick(results, known), pick(e.Outcome.Won, known), nil)
	if e.Report, err = assess.Assess(sample, assess.Options{}); err != nil {
		return nil, usage(err)
	}
	if e.Override, err = m.override(e.Outcome, known); err != nil {
		return nil, err
	}
	if o.Segment != "" {
		if err := e.segments(sample, known); err != nil {
			return nil, err
		}
	}
	e.Shifts = m.shifts()
	if out != nil {
		c, err := e.recalibrate(known)
		if err != nil {
			return nil, err
		}
		if _, err := out.Write(c.Marshal()); err != nil {
			return nil, err
		}
	}
	e.Took = time.Since(start)
	return e, outputs.Commit()
}

// outcome reads the outcomes; what is won is what was won for the points table, unless it is said.
func (m *Model) outcome(label string, a dataset.Answers) (*dataset.Outcome, error) {
	if len(a.Positive) > 0 || m.Card.Target.Positive == "" {
		return m.Set.Outcome(label, a)
	}
	a.Positive = []string{m.Card.Target.Positive}
	o, err := m.Set.Outcome(label, a)
	if err != nil {
		a.Positive = strings.Split(m.Card.Target.Positive, ", ")
		if more, again := m.Set.Outcome(label, a); again == nil {
			return more, nil
		}
	}
	return o, err
}

func (e *Evaluated) segments(sample assess.Sample, known []int32) error {
	c, err := e.Model.Set.Column(e.Segment)
	if err != nil {
		return usagef("--segment: %w", err)
	}
	signal, ok := c.Signal()
	if !ok || signal.Codes == nil {
		return usagef("--segment %s: rows can be parted by a column of few values", c.Name)
	}
	signal.Codes = pick(signal.Codes, known)
	used := map[int32]bool{}
	for _, code := range signal.Codes {
		used[code] = true
	}
	if len(used) > mostSegments {
		return usagef("--segment %s: the column has %s values; segments are at most %d", c.Name, console.Count(len(used)), mostSegments)
	}
	e.Segments, err = assess.Segments(sample, &signal, assess.Options{})
	return err
}

const mostSegments = 200

// looked is how many rows are looked at to see whether signals have other values than before.
const looked = 50_000

// shifts compares in which bins the rows fall with how many rows each bin was learned from.
func (m *Model) shifts() []Shift {
	now := make([][]float64, len(m.Card.Rows))
	then := make([][]float64, len(m.Card.Rows))
	for i := range m.Card.Rows {
		bins := m.Card.Rows[i].Bins
		now[i], then[i] = make([]float64, len(bins)), make([]float64, len(bins))
		for b := range bins {
			then[i][b] = float64(bins[b].Count)
		}
	}
	step := max(1, m.Set.Rows/looked)
	var parts []card.Contribution
	for row := 0; row < m.Set.Rows; row += step {
		parts = m.Bound.AppendContributions(parts[:0], row)
		for _, p := range parts {
			if p.Kind == card.ContributionRow && p.Bin >= 0 {
				now[p.Index][p.Bin]++
			}
		}
	}
	var out []Shift
	for i := range now {
		if s := assess.StabilityOf(then[i], now[i]); s.Index > mildDrift && s.Index > 2*s.Chance {
			out = append(out, Shift{m.Card.Rows[i].Feature, s})
		}
	}
	slices.SortStableFunc(out, func(a, b Shift) int {
		if a.Index > b.Index {
			return -1
		}
		return 1
	})
	return out
}

// recalibrate finds new probabilities for the same points and judges them by the rows they were found on.
func (e *Evaluated) recalibrate(known []int32) (*card.Card, error) {
	rows := e.Model.frame.Take(known)
	outcomes := make([]train.Outcome, len(known))
	for i, row := range known {
		if e.Outcome.Won[row] {
			outcomes[i] = train.Won
		}
	}
	// Files stand in any order, so all rows count alike.
	c, err := train.Recalibrate(e.Model.Card, rows, outcomes, nil, -1)
	if err != nil {
		return nil, usagef("--recalibrate: %w", err)
	}
	said, err := predicted(c, rows, outcomes)
	if err != nil {
		return nil, err
	}
	e.Recalibrated, err = assess.Assess(said, assess.Options{})
	return c, err
}

// Print writes how good the points table is.
func (e *Evaluated) Print(out io.Writer) {
	set, r := e.Model.Set, e.Report
	main := r
	if e.Override != nil {
		main = e.Override.Without
	}
	rows := [][]string{{"rows", console.Count(r.Rows), fmt.Sprintf("%s won, %s", console.Count(int(r.Won)), console.PercentOf(r.Share))}}
	if e.Outcome.Opens > 0 {
		rows = append(rows, []string{"rows still open", console.Count(e.Outcome.Opens), "left out: nobody knows yet what becomes of them"})
	}
	if set.Skipped > 0 {
		rows = append(rows, []string{"rows skipped", console.Count(set.Skipped), "cannot be read"})
	}
	for _, name := range e.Model.Absent {
		rows = append(rows, []string{"lacking", name, "taken as missing in every row"})
	}
	if e.Override != nil {
		rows = append(rows, []string{"figures", "", "with " + e.Override.names() + " at average points in every row, as figures to compare by are; see beside them below"})
	}
	console.Table(out, append(rows,
		[]string{"AUC", figure(main.AUC.Value), between(main.AUC) + "; 0.5 is chance"},
		[]string{"log loss", figure(main.LogLoss.Value), between(main.LogLoss) + "; " + figure(main.LogLossShare) + " with the same probability for every row"},
		[]string{"Brier", figure(main.Brier.Value), between(main.Brier) + "; " + figure(main.BrierShare) + " with the same probability for every row"},
		[]string{"calibration error", figure(main.Calibration.Error.Value), fmt.Sprintf("%s; as seen %s, of which chance alone makes %s", between(main.Calibration.Error), figure(main.Calibration.Raw), figure(main.Calibration.Noise))},
		[]string{"slope", figure(main.Recalibration.Slope.Value), between(main.Recalibration.Slope) + "; below 1 the probabilities are too bold"},
	), 1)
	if e.Override != nil {
		e.Override.print(out, r)
		if l := e.Model.Card.Learned; learnedBoth(l) {
			fmt.Fprintln(out, "  "+e.Override.learned(l))
		}
		fmt.Fprintf(out, "  what follows is of the points table as it is, with %s\n", e.Override.names())
	}
	if l := e.Model.Card.Learned; l != nil && l.Positives == int64(math.Round(r.Won)) && (l.Rows == int64(r.Rows) || l.Rows == int64(r.Rows+e.Outcome.Opens)) {
		fmt.Fprintln(out, "  the points table was learned from as many rows: if they are these, the figures flatter it")
	}
	if main.AUC.Low <= 0.5 {
		fmt.Fprintln(out, "  on these rows the points tell won from lost no better than chance")
	}
	fmt.Fprintln(out, "\nrows by points, the best first")
	table := [][]string{{"rows up to", "points from", "rows", "won", "share", "lift", "of all wins"}}
	for _, l := range r.Lift {
		table = append(table, []string{console.PercentOf(l.Share), strconv.FormatFloat(l.From/100, 'f', 1, 64), console.Count(int(math.Round(l.Weight))),
			console.Count(int(math.Round(l.Won))), console.PercentOf(l.Rate), strconv.FormatFloat(l.Times, 'f', 2, 64), console.PercentOf(l.Gain)})
	}
	console.Table(out, table, 0, 1, 2, 3, 4, 5, 6)
	fmt.Fprintln(out, "\nwhat was predicted and what came")
	table = [][]string{{"rows", "predicted", "won", "between"}}
	for _, b := range r.Reliability {
		table = append(table, []string{console.Count(b.Rows), console.PercentOf(b.Stated), console.PercentOf(b.Won.Value), console.PercentOf(b.Won.Low) + " and " + console.PercentOf(b.Won.High)})
	}
	console.Table(out, table, 0, 1, 2)
	e.printSegments(out)
	for i, s := range e.Shifts {
		if i == 0 {
			fmt.Fprintln(out, "\nsignals with other values than those learned from (population stability index; from 0.25 on it counts as much)")
		}
		fmt.Fprintf(out, "  %s: %s\n", s.Column, figure(s.Index))
	}
	if n := e.Recalibrated; n != nil {
		fmt.Fprintf(out, "\nrecalibrated: on these rows log loss %s, was %s; calibration error %s, was %s\n",
			figure(n.LogLoss.Value), figure(r.LogLoss.Value), figure(n.Calibration.Error.Value), figure(r.Calibration.Error.Value))
	}
	fmt.Fprintln(out)
	console.Table(out, [][]string{{"points table", e.Model.Card.Revision()[:12], ""}, {"time", console.Took(e.Took), ""}, {"peak memory", console.Memory(), ""}}, 1)
}

func (e *Evaluated) printSegments(out io.Writer) {
	if len(e.Segments) == 0 {
		return
	}
	fmt.Fprintf(out, "\nby %s\n", e.Segment)
	table := [][]string{{"value", "rows", "won", "predicted", "AUC", "between", "calibration error"}}
	for _, s := range e.Segments {
		name, r := s.Name, s.Report
		if name == "" {
			name = "(missing)"
		}
		row := []string{name, console.Count(r.Rows), console.PercentOf(r.Share), console.PercentOf(stated(r)), "-", "too few", "-"}
		if r.Won >= fewestUnseen && r.Weight-r.Won >= fewestUnseen {
			row[4], row[5], row[6] = figure(r.AUC.Value), between(r.AUC), figure(r.Calibration.Error.Value)
		}
		table = append(table, row)
	}
	console.Table(out, table, 1, 2, 3, 4, 6)
}

// stated is the mean probability.
func stated(r *assess.Report) float64 {
	sum := 0.0
	for _, b := range r.Reliability {
		sum += b.Stated * b.Weight
	}
	return sum / r.Weight
}

func between(i assess.Interval) string { return figure(i.Low) + " to " + figure(i.High) }
