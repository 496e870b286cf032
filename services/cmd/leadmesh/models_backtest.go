package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// periodFlags say which leads of the past are meant.
type periodFlags struct {
	From string `placeholder:"DAY" help:"Leads received from this day (UTC) or moment on, such as 2026-01-01; absent: from the first."`
	To   string `placeholder:"DAY" help:"Leads received before this day (UTC) or moment; absent: now."`
}

// read writes the ends that are given.
func (p *periodFlags) read(from, to **timestamppb.Timestamp) error {
	for _, f := range []struct {
		name, text string
		to         **timestamppb.Timestamp
	}{{"--from", p.From, from}, {"--to", p.To, to}} {
		if f.text == "" {
			continue
		}
		t, err := dayOrMoment(f.text)
		if err != nil {
			return fmt.Errorf("%s %s: give a day such as 2026-01-01 or a moment such as 2026-01-01T12:00:00Z", f.name, f.text)
		}
		*f.to = timestamppb.New(t)
	}
	return nil
}

type modelsBacktestCmd struct {
	modelArg
	periodFlags
	Wait bool   `help:"Wait for the report and print it."`
	Note string `help:"Why, for the record."`
}

// Run begins a backtest; with --wait it prints the report and exits 1 if there is none.
func (c *modelsBacktestCmd) Run(ctx context.Context, s streams) error {
	req := &scoringv1.StartBacktestRequest{Revision: c.Revision, Note: c.Note}
	if err := c.read(&req.From, &req.To); err != nil {
		return usage(s, err)
	}
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		resp, err := client.StartBacktest(ctx, req)
		if err != nil {
			return err
		}
		return backtestsOf(client).begun(ctx, s, resp.GetBacktest().GetBacktestId(), c.Wait)
	})
}

// backtestsOf are the house's backtests.
func backtestsOf(client scoringv1.ModelServiceClient) *runKind[*scoringv1.Backtest] {
	return &runKind[*scoringv1.Backtest]{
		words: "backtest", command: "report",
		get: func(ctx context.Context, id string) (*scoringv1.Backtest, error) {
			resp, err := client.GetBacktest(ctx, &scoringv1.GetBacktestRequest{BacktestId: id})
			return resp.GetBacktest(), err
		},
		cancel: func(ctx context.Context, id string) (*scoringv1.Backtest, error) {
			resp, err := client.CancelBacktest(ctx, &scoringv1.CancelBacktestRequest{BacktestId: id})
			return resp.GetBacktest(), err
		},
		state: func(b *scoringv1.Backtest) (running, done bool) {
			return b.GetState() == scoringv1.BacktestState_BACKTEST_STATE_RUNNING, b.GetState() == scoringv1.BacktestState_BACKTEST_STATE_DONE
		},
		progress: backtestProgress, print: printBacktest,
	}
}

func backtestProgress(b *scoringv1.Backtest) string {
	return soFar(b.GetLeadCount(), b.GetEstimatedLeadCount(), "leads")
}

func dayOrMoment(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, text)
}

func printBacktest(out io.Writer, b *scoringv1.Backtest) {
	state := strings.ToLower(strings.TrimPrefix(b.GetState().String(), "BACKTEST_STATE_"))
	from := "the first lead"
	if b.GetFrom() != nil {
		from = moment(b.GetFrom())
	}
	fmt.Fprintf(out, "%s: %s; model %.12s of %s on leads received from %s to %s\n", b.GetBacktestId(), state, b.GetRevision(), lineWord(b.GetLine()), from, moment(b.GetTo()))
	if b.GetProblem() != "" {
		fmt.Fprintln(out, b.GetProblem())
	}
	r := b.GetReport()
	if r == nil {
		fmt.Fprintln(out, backtestProgress(b))
		return
	}
	fmt.Fprintf(out, "%d leads: %d won, %d lost (%d of them expired), %d open; open leads are in no figure but counted at the thresholds\n",
		r.GetLeadCount(), r.GetWonCount(), r.GetLostCount(), r.GetExpiredCount(), r.GetOpenCount())
	if n := r.GetUnreadableCount(); n > 0 {
		fmt.Fprintf(out, "%d more have a receipt that can not be read; the log of Routing names them\n", n)
	}
	printBacktestFigures(out, r)
	printBacktestGroups(out, r)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "at or above\tdecided\tmodel\tup\tdown\t")
	for _, t := range r.GetThresholds() {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", stageWord(t.GetStage()), t.GetDecidedCount(), t.GetModelCount(), t.GetUpCount(), t.GetDownCount())
	}
	_ = w.Flush() // as with every other line: a terminal that is gone needs no answer
	for _, t := range r.GetThresholds() {
		for _, x := range []struct {
			word string
			ids  []string
		}{{"up to", t.GetUpLeadIds()}, {"down from", t.GetDownLeadIds()}} {
			if len(x.ids) > 0 {
				fmt.Fprintf(out, "%s %s, for example: %s\n", x.word, stageWord(t.GetStage()), strings.Join(x.ids[:min(len(x.ids), 3)], " "))
			}
		}
	}
}

func printBacktestFigures(out io.Writer, r *scoringv1.BacktestReport) {
	d, m, by := r.GetDecided(), r.GetModel(), r.GetDifference()
	if d == nil {
		fmt.Fprintln(out, "no lead is won or lost yet: there is nothing to measure by")
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "figure\tdecided\tmodel\tdifference")
	printFigures(w, d, m, by)
	for _, x := range r.GetSegments() {
		fmt.Fprintf(w, "AUC of %s (%d leads, %d won)\t%s\t%s\t\n", x.GetBrand(), x.GetLeadCount(), x.GetWonCount(), interval(x.GetDecided().GetAuc()), interval(x.GetModel().GetAuc()))
	}
	_ = w.Flush()
}

// printFigures prints how good two were on the same leads, and what is between them.
func printFigures(out io.Writer, first, second *scoringv1.BacktestFigures, between *scoringv1.BacktestDifference) {
	for _, f := range []struct {
		name                   string
		first, second, between *scoringv1.BacktestFigure
	}{
		{"AUC", first.GetAuc(), second.GetAuc(), between.GetAuc()}, {"log loss", first.GetLogLoss(), second.GetLogLoss(), between.GetLogLoss()},
		{"Brier", first.GetBrier(), second.GetBrier(), between.GetBrier()}, {"calibration error", first.GetCalibrationError(), second.GetCalibrationError(), nil},
	} {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", f.name, interval(f.first), interval(f.second), interval(f.between))
	}
}

// printBacktestGroups prints what guards look at where a shadow is to become active.
func printBacktestGroups(out io.Writer, r *scoringv1.BacktestReport) {
	if len(r.GetGroups()) == 0 {
		return
	}
	fmt.Fprintln(out, "AUC beside what scored the line when the backtest began")
	console.Table(out, append([][]string{backtestHead}, backtestRows(r)...), 1, 2)
}

var backtestHead = []string{"by", "leads", "won", "then", "model", "difference"}

// backtestRows are all leads won and lost, and each group of them.
func backtestRows(r *scoringv1.BacktestReport) (rows [][]string) {
	line := func(by string, leads, won int64, then, model *scoringv1.BacktestFigures, d *scoringv1.BacktestDifference) {
		rows = append(rows, []string{by, console.Count(int(leads)), console.Count(int(won)), interval(then.GetAuc()), interval(model.GetAuc()), interval(d.GetAuc())})
	}
	line("all", r.GetWonCount()+r.GetLostCount(), r.GetWonCount(), r.GetCurrent(), r.GetModel(), r.GetCurrentDifference())
	for _, g := range r.GetGroups() {
		line(groupWord(g.GetBy(), g.GetValue(), g.GetOthers()), g.GetLeadCount(), g.GetWonCount(), g.GetCurrent(), g.GetModel(), g.GetDifference())
	}
	return rows
}

func interval(f *scoringv1.BacktestFigure) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%.4f (%.4f to %.4f)", float64(f.GetPpm())/1e6, float64(f.GetLowPpm())/1e6, float64(f.GetHighPpm())/1e6)
}
