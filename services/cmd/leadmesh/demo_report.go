package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
)

// scorecard prints the closing figures, once the event log has caught up with what was sent.
func (d *demo) scorecard(ctx context.Context, sent int) error {
	resp, err := d.caughtUp(ctx, sent)
	if err != nil {
		return err
	}
	c := resp.GetConservation()
	holds := "which holds"
	if !c.GetHolds() {
		holds = "which does NOT hold; ask leadmesh audit"
	}
	fmt.Fprintf(d.out, "\nScorecard of everything held up to %s\n\n", resp.GetWatermark().AsTime().Local().Format("15:04:05 MST"))
	fmt.Fprintf(d.out, "  captured %d = pending %d + rejected %d + merged %d + parked %d + open %d + won %d + lost %d + expired %d, %s\n\n",
		c.GetCaptured(), c.GetPending(), c.GetRejected(), c.GetMerged(), c.GetParked(), c.GetOpen(), c.GetWon(), c.GetLost(), c.GetExpired(), holds)
	for _, g := range resp.GetGroups() {
		for _, f := range g.GetFigures() {
			text := fmt.Sprintf("  %-18s %-32s %s", figureName(f.GetName()), figure(f), f.GetNote())
			fmt.Fprintln(d.out, strings.TrimRight(text, " "))
		}
	}
	byLine := &feedbackv1.GetScorecardResponse{}
	if err := d.get(ctx, "/v1/reports/scorecard?group_by=line", byLine); err != nil {
		return err
	}
	var lines []string
	for _, g := range byLine.GetGroups() {
		for _, f := range g.GetFigures() {
			if f.GetName() == "lead_volume" {
				lines = append(lines, fmt.Sprintf("%s %s", strings.TrimPrefix(g.GetKey(), "LINE_"), figure(f)))
			}
		}
	}
	fmt.Fprintf(d.out, "\n  by line: %s\n", strings.Join(lines, ", "))
	return nil
}

// caughtUp asks for the scorecard until every lead sent is in it, for at most ten seconds.
func (d *demo) caughtUp(ctx context.Context, sent int) (*feedbackv1.GetScorecardResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var resp *feedbackv1.GetScorecardResponse
	for {
		now := &feedbackv1.GetScorecardResponse{}
		if err := d.get(ctx, "/v1/reports/scorecard", now); err != nil {
			if resp != nil {
				return resp, nil
			}
			return nil, err
		}
		resp = now
		if c := now.GetConservation(); c.GetPending() == 0 && c.GetCaptured() >= int64(sent) && c.GetHolds() {
			return resp, nil
		}
		select {
		case <-ctx.Done():
			return resp, nil
		case <-tick.C:
		}
	}
}

// figureName is a figure's name as people write it.
func figureName(name string) string {
	words := strings.Split(name, "_")
	if words[0] == "ro" { // repair order
		words[0] = "RO"
	}
	return strings.Join(words, " ")
}

// figure writes one figure for a person. A share of which nothing can be known yet is no 0 %.
func figure(f *feedbackv1.Figure) string {
	switch f.GetUnit() {
	case "share":
		if f.GetStillOpen() >= 1 {
			return fmt.Sprintf("not known yet (of %d)", f.GetDenominator())
		}
		text := fmt.Sprintf("%.1f %% (%d of %d)", 100*f.GetValue(), f.GetNumerator(), f.GetDenominator())
		if f.GetStillOpen() > 0 {
			text += fmt.Sprintf(", %.0f %% open", 100*f.GetStillOpen())
		}
		return text
	case "seconds":
		var parts []string
		for _, q := range []string{"p50", "p90", "p95", "p99"} {
			if v, ok := f.GetQuantiles()[q]; ok {
				parts = append(parts, q+" "+seconds(v))
			}
		}
		if len(parts) == 0 {
			parts = append(parts, seconds(f.GetValue()))
		}
		return strings.Join(parts, ", ")
	}
	if f.GetValue() != math.Trunc(f.GetValue()) {
		return fmt.Sprintf("%.1f", f.GetValue())
	}
	return fmt.Sprintf("%.0f", f.GetValue())
}

// seconds writes a time for a person: milliseconds below a second, else as 4m30s.
func seconds(v float64) string {
	d := time.Duration(v * float64(time.Second))
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return d.Round(time.Second).String()
}
