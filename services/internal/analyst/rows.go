package analyst

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
)

// rows makes frame and outcomes of the rows to learn from.
func (w *training) rows(t *Trained) error {
	set := t.Set
	full := &frame.Frame{Rows: set.Rows}
	for i := range set.Columns {
		u := &t.Uses[i]
		switch signal, ok := set.Columns[i].Signal(); {
		case u.Role != Signal:
		case !ok:
			*u = Use{Role: HeldBack, Why: "it holds nothing to learn from"}
		default:
			full.Columns = append(full.Columns, signal)
			for _, code := range train.Codes(signal.Numbers) {
				u.Codes = append(u.Codes, code.String())
			}
		}
	}
	if len(full.Columns) == 0 {
		return usagef("%s: no column is left to learn from; %s", set.File.Label, strings.Join(t.leftOut(), "; "))
	}
	keep := make([]int32, 0, set.Rows)
	if w.Time != "" {
		c, err := set.Column(w.Time)
		if err != nil {
			return usage(err)
		}
		if t.times, err = newMoments(c); err != nil {
			return usagef("--time %w", err)
		}
	}
	ages, err := w.ages(t)
	if err != nil {
		return err
	}
	for row := range set.Rows {
		switch {
		case t.times != nil && t.times.rank[row] < 0:
			t.Late++
		case t.Outcome.Open[row] && ages == nil, ages != nil && math.IsNaN(ages[row]):
			t.Open++
		default:
			keep = append(keep, int32(row))
		}
	}
	if len(keep) == 0 {
		return usagef("%s: no row has both an outcome and a time", set.File.Label)
	}
	w.frame = full
	if len(keep) < set.Rows {
		w.frame = full.Take(keep)
	}
	if w.Group != "" {
		c, err := set.Column(w.Group)
		if err != nil {
			return usage(err)
		}
		signal, _ := c.Signal()
		w.groups = pick(signal.Codes, keep)
		w.options.Cluster = w.groups
	}
	if err := w.segment(set, keep); err != nil {
		return err
	}
	for _, row := range keep {
		outcome := train.Lost
		switch {
		case t.Outcome.Open[row]:
			outcome = train.Open
		case t.Outcome.Won[row]:
			outcome = train.Won
		}
		w.outcomes = append(w.outcomes, outcome)
		if t.times != nil {
			w.options.Time = append(w.options.Time, t.times.rank[row])
		}
		if ages != nil {
			w.options.Age = append(w.options.Age, ages[row])
		}
	}
	t.Rows = len(keep)
	return nil
}

// segment takes the columns by whose values the figures are told apart.
func (w *training) segment(set *dataset.Set, keep []int32) error {
	for i, name := range w.Segments {
		c, err := set.Column(name)
		if err != nil {
			return usagef("--segment: %w", err)
		}
		signal, ok := c.Signal()
		if !ok || signal.Kind != frame.Category || c.Kind == dataset.Text || c.Kind == dataset.ID {
			return usagef("--segment %s: rows can be parted by a column of few values", c.Name)
		}
		if slices.ContainsFunc(w.segments[:i], func(other frame.Column) bool { return other.Name == c.Name }) {
			return usagef("--segment %s: stands there twice", c.Name)
		}
		signal.Name, signal.Codes = c.Name, pick(signal.Codes, keep)
		w.segments = append(w.segments, signal)
	}
	if n := len(w.Segments); n > mostPartings {
		return usagef("--segment: figures are told apart by at most %d columns, %d are given", mostPartings, n)
	}
	return nil
}

// mostPartings is how many columns figures are told apart by, at most.
const mostPartings = 10

// leftOut says of columns why nothing is learned from them, of a few if they are many.
func (t *Trained) leftOut() []string {
	var out []string
	for i, u := range t.Uses {
		if u.Role != HeldBack {
			continue
		}
		if len(out) == mostProblems {
			return append(out, "…")
		}
		out = append(out, t.Set.Columns[i].Name+": "+u.Why)
	}
	return out
}

// ages says how long each row took to be decided, or has been open until the newest moment in the
// table. Without a column that says when a row was decided there are none, and rows that are open are
// left out.
func (w *training) ages(t *Trained) ([]float64, error) {
	if w.Decided == "" {
		return nil, nil
	}
	if t.times == nil {
		return nil, usagef("--decided %s: how long a row took is counted from --time, which is not given", w.Decided)
	}
	c, err := t.Set.Column(w.Decided)
	if err != nil {
		return nil, usage(err)
	}
	decided, err := c.Order()
	if err != nil {
		return nil, usagef("--decided %w", err)
	}
	came := t.times.at
	now := math.Inf(-1)
	for row := range came {
		for _, v := range []float64{came[row], decided[row]} {
			if !math.IsNaN(v) {
				now = max(now, v)
			}
		}
	}
	ages := make([]float64, len(came))
	for row := range ages {
		until := decided[row]
		if t.Outcome.Open[row] {
			until = now
		}
		ages[row] = max(0, until-came[row]) // NaN where nobody knows when it was decided
	}
	return ages, nil
}

// moments are the order of rows.
type moments struct {
	at       []float64
	distinct []float64
	rank     []int64 // of each row's moment among all, -1 without one
	column   *dataset.Column
}

func newMoments(c *dataset.Column) (*moments, error) {
	at, err := c.Order()
	if err != nil {
		return nil, err
	}
	m := &moments{at: at, column: c, rank: make([]int64, len(at))}
	for _, v := range at {
		if !math.IsNaN(v) {
			m.distinct = append(m.distinct, v)
		}
	}
	slices.Sort(m.distinct)
	m.distinct = slices.Compact(m.distinct)
	for row, v := range at {
		m.rank[row] = -1
		if i, ok := slices.BinarySearch(m.distinct, v); ok {
			m.rank[row] = int64(i)
		}
	}
	return m, nil
}

// text writes the moment of a rank.
func (m *moments) text(rank int64) string {
	if rank < 0 || int(rank) >= len(m.distinct) {
		return ""
	}
	v := m.distinct[rank]
	if m.column.Kind != dataset.Moment {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	moment := time.Unix(int64(v), 0).UTC()
	if moment.Hour() == 0 && moment.Minute() == 0 {
		return moment.Format(time.DateOnly)
	}
	return moment.Format("2006-01-02 15:04")
}
