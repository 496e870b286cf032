package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// Row is one line of the table.
type Row struct {
	Name    string `json:"name"`
	What    string `json:"what,omitempty"`
	Figure  string `json:"figure,omitempty"`
	Limit   string `json:"limit,omitempty"` // or the peer's figure
	Ratio   *Range `json:"ratio,omitempty"` // of each pair
	Goal    string `json:"goal,omitempty"`
	Held    *bool  `json:"held,omitempty"` // nil: nothing to hold
	Note    string `json:"note,omitempty"`
	Skipped string `json:"skipped,omitempty"`
}

// Range sums up what pairs gave.
type Range struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// rangeOf sums up values; nil without any.
func rangeOf(values []float64) *Range {
	if len(values) == 0 {
		return nil
	}
	return &Range{Median: median(values), Min: slices.Min(values), Max: slices.Max(values)}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// held says whether a goal is.
func held(ok bool) *bool { return &ok }

func (r Row) verdict() string {
	switch {
	case r.Skipped != "":
		return "skipped"
	case r.Held == nil:
		return ""
	case *r.Held:
		return "held"
	default:
		return "NOT HELD"
	}
}

func (r *Range) String() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s to %s)", short(r.Median), short(r.Min), short(r.Max))
}

// short writes a ratio with three digits.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func perSecond(v float64) string { return fmt.Sprintf("%.0f leads/s", v) }

func took(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Nanosecond).String()
}

func printTable(out io.Writer, rows []Row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\twhat\tfigure\tlimit or peer\tratio\tgoal\t")
	for _, r := range rows {
		if r.Skipped == "" {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.What, r.Figure, r.Limit, r.Ratio, r.Goal, r.verdict())
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, r := range rows {
		if r.Skipped != "" {
			fmt.Fprintf(out, "%s %s skipped: %s\n", r.Name, r.What, r.Skipped)
		} else if r.Note != "" {
			fmt.Fprintf(out, "%s %s: %s\n", r.Name, r.What, r.Note)
		}
	}
	return nil
}
