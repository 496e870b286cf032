package main

import (
	"context"
	"fmt"
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
	fmt.Fprintf(d.out, "\nscorecard up to %s\n", resp.GetWatermark().AsTime().Local().Format("15:04:05"))
	fmt.Fprintf(d.out, "  captured %d = pending %d + rejected %d + merged %d + parked %d + open %d + won %d + lost %d + expired %d\n",
		c.GetCaptured(), c.GetPending(), c.GetRejected(), c.GetMerged(), c.GetParked(), c.GetOpen(), c.GetWon(), c.GetLost(), c.GetExpired())
	for _, g := range resp.GetGroups() {
		for _, f := range g.GetFigures() {
			fmt.Fprintf(d.out, "  %-28s %s\n", strings.ReplaceAll(f.GetName(), "_", " "), figure(f))
		}
	}
	byLine := &feedbackv1.GetScorecardResponse{}
	if err := d.get(ctx, "/v1/reports/scorecard?group_by=line", byLine); err != nil {
		return err
	}
	fmt.Fprintln(d.out, "  by line:")
	for _, g := range byLine.GetGroups() {
		for _, f := range g.GetFigures() {
			if f.GetName() == "lead_volume" {
				fmt.Fprintf(d.out, "    %-26s %s\n", strings.ToLower(strings.TrimPrefix(g.GetKey(), "LINE_")), figure(f))
			}
		}
	}
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

// figure writes one figure for a person.
func figure(f *feedbackv1.Figure) string {
	switch f.GetUnit() {
	case "share":
		return fmt.Sprintf("%.1f %%  (%d of %d)", 100*f.GetValue(), f.GetNumerator(), f.GetDenominator())
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
	return fmt.Sprintf("%.0f", f.GetValue())
}

func seconds(v float64) string {
	return time.Duration(v * float64(time.Second)).Round(100 * time.Microsecond).String()
}
