package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/analyst/report"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/output"
)

type modelsReportCmd struct {
	remoteFlags
	What   string `arg:"" help:"A backtest, as leadmesh models backtest named it, or a model by at least its first eight characters."`
	Wait   bool   `help:"Wait until the backtest is done."`
	Cancel bool   `help:"End the backtest instead."`
	Out    string `placeholder:"FILE" help:"Write the report of a model as a page: points, figures, guards, what it did as a shadow and on past leads. \"-\" is standard output."`
}

// Run prints how far a backtest is, or its report; or all that is known of a model.
func (c *modelsReportCmd) Run(ctx context.Context, s streams) error {
	if _, err := lead.ParseID(c.What); err == nil {
		if c.Out != "" {
			return usage(s, errors.New("--out: the page is that of a model; give its revision"))
		}
		return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
			return backtestsOf(client).show(ctx, s, c.What, c.Wait, c.Cancel)
		})
	}
	if c.Wait || c.Cancel {
		return usage(s, fmt.Errorf("%s is no backtest: there is nothing to wait for or to end", c.What))
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := scoringv1.NewModelReportServiceClient(conn).GetModelReport(c.context(ctx), &scoringv1.GetModelReportRequest{Revision: c.What})
	if err != nil {
		return err
	}
	r := resp.GetReport()
	if c.Out == "" {
		printModelReport(s.out, r)
		return nil
	}
	outputs := output.Set{Stdout: s.out}
	defer outputs.Discard()
	page, err := outputs.Open(c.Out)
	if err != nil {
		return err
	}
	if err := report.Write(page, modelPage(r)); err != nil {
		return err
	}
	return outputs.Commit()
}

// printModelReport prints what leadmesh models show does not: points and what is to become of it.
func printModelReport(out io.Writer, r *scoringv1.ModelReport) {
	printModel(out, r.GetModel())
	if len(r.GetPromotionGuards()) > 0 {
		fmt.Fprintln(out, "to become active")
		printGuards(out, r.GetPromotionGuards())
	}
	if t := groupTable(r); len(t.Rows) > 0 {
		fmt.Fprintln(out, "\non leads not learned from")
		console.Table(out, append([][]string{t.Head}, t.Rows...), 1, 2)
	}
	for _, x := range r.GetSignals() {
		fmt.Fprintf(out, "\n%s\n", x.GetFeature())
		var rows [][]string
		for _, b := range x.GetBins() {
			rows = append(rows, []string{b.GetValues(), hundredths(b.GetPoints())})
		}
		console.Table(out, rows, 1)
	}
	if b := r.GetBacktest(); b != nil {
		fmt.Fprintln(out)
		printBacktest(out, b)
	}
}

// modelPage is the report of a model as a page.
func modelPage(r *scoringv1.ModelReport) *report.Page {
	m := r.GetModel()
	p := &report.Page{
		Title: "What scores " + lineWord(m.GetLine()) + " leads: model " + m.GetRevision()[:12],
		Lead: fmt.Sprintf("A points table for leads, %s, uploaded %s by %s. Every lead has %s points to begin with; what follows is added, and the sum says how probable a win is.",
			stateWord(m.GetState()), moment(m.GetUploadedAt()), m.GetUploadedBy(), hundredths(r.GetBasePoints())),
		Revision: m.GetRevision()[:12], Tables: slices.DeleteFunc([]report.Table{guardTable(r), groupTable(r), pastTable(r.GetBacktest())}, func(t report.Table) bool { return len(t.Rows) == 0 }),
	}
	if f := m.GetFigures(); f != nil {
		p.Figures = append(p.Figures,
			report.Figure{Value: millionth(f.GetAucPpm()), Label: "AUC", Note: millionth(f.GetAucLowPpm()) + " to " + millionth(f.GetAucHighPpm()) + ", on leads not learned from"},
			report.Figure{Value: millionth(f.GetCalibrationErrorPpm()), Label: "calibration error", Note: "on the same leads"},
			report.Figure{Value: console.Count(int(f.GetRowCount())), Label: "leads not learned from", Note: console.Count(int(f.GetPositiveCount())) + " won"},
		)
	}
	if l := r.GetLearned(); l != nil {
		p.Figures = append(p.Figures, report.Figure{Value: console.Count(int(l.GetRowCount())), Label: "leads learned from", Note: console.Count(int(l.GetWonCount())) + " won"})
		for _, h := range l.GetHeld() {
			p.Held = append(p.Held, report.Held{Name: h.GetName(), Why: h.GetWhy()})
		}
		for _, o := range l.GetOverrides() {
			p.Warnings = append(p.Warnings, report.Warning{Grave: true, Title: "Denied column in use: " + o.GetName(), Words: "It is allowed because: " + o.GetWhy()})
		}
	}
	if s := m.GetShadow(); s != nil {
		p.Figures = append(p.Figures, report.Figure{Value: console.Count(int(s.GetLeadCount())), Label: "leads as a shadow", Note: console.Count(int(s.GetChangedCount())) + " would be in another stage"})
	}
	for _, g := range slices.Concat(m.GetGuards(), r.GetPromotionGuards()) {
		if !g.GetHeld() {
			p.Warnings = append(p.Warnings, report.Warning{Grave: true, Title: "Does not hold: " + g.GetName(), Words: "Is " + g.GetFigure() + ", must be " + g.GetBound() + "."})
		}
	}
	for _, x := range r.GetSignals() {
		s := report.Signal{Name: x.GetFeature(), Importance: float64(x.GetImportancePoints()) / 100, Words: x.GetLabel()}
		for _, b := range x.GetBins() {
			s.Bins = append(s.Bins, report.Bin{Words: b.GetValues(), Points: float64(b.GetPoints()) / 100, Error: float64(b.GetErrorPoints()) / 100, Rows: int(b.GetRowCount())})
		}
		p.Signals = append(p.Signals, s)
	}
	for _, x := range r.GetPairs() {
		pair := report.Pair{First: x.GetFirst(), Second: x.GetSecond(), Rows: x.GetRows(), Columns: x.GetColumns()}
		for i := range x.GetRows() {
			var points []float64
			var counts []int
			for j := range x.GetColumns() {
				at := i*len(x.GetColumns()) + j
				points, counts = append(points, float64(x.GetPoints()[at])/100), append(counts, int(x.GetRowCounts()[at]))
			}
			pair.Points, pair.Counts = append(pair.Points, points), append(pair.Counts, counts)
		}
		p.Pairs = append(p.Pairs, pair)
	}
	return p
}

func guardTable(r *scoringv1.ModelReport) report.Table {
	t := report.Table{Title: "Guards", Words: "What a model must be before it scores leads.", Head: []string{"guard", "is", "must be", ""}}
	for _, g := range slices.Concat(r.GetModel().GetGuards(), r.GetPromotionGuards()) {
		word := "holds"
		if !g.GetHeld() {
			word = "does not hold"
		}
		t.Rows = append(t.Rows, []string{g.GetName(), g.GetFigure(), g.GetBound(), word})
	}
	return t
}

// groupTable is how good the card was where it was learned, told apart.
func groupTable(r *scoringv1.ModelReport) report.Table {
	t := report.Table{Title: "On leads not learned from", Head: []string{"by", "leads", "won", "AUC", "calibration error"}}
	for _, g := range r.GetGroups() {
		t.Rows = append(t.Rows, []string{groupWord(g.GetBy(), g.GetValue(), g.GetOthers()), console.Count(int(g.GetRowCount())), console.Count(int(g.GetWonCount())),
			interval(g.GetAuc()), millionth(g.GetCalibrationError().GetPpm())})
	}
	return t
}

// pastTable is what a backtest found; it has no rows without one.
func pastTable(b *scoringv1.Backtest) report.Table {
	x := b.GetReport()
	t := report.Table{
		Title: "On leads of the past", Head: backtestHead,
		Words: fmt.Sprintf("A backtest begun %s, on leads received before %s: %d won, %d lost, %d open, which count in no figure. AUC beside what scored the line then.",
			moment(b.GetStartedAt()), moment(b.GetTo()), x.GetWonCount(), x.GetLostCount(), x.GetOpenCount()),
	}
	if x.GetCurrent() != nil {
		t.Rows = backtestRows(x)
	}
	return t
}

// groupWord is what people call a group of leads.
func groupWord(by, value string, others int64) string {
	switch {
	case others > 0:
		return fmt.Sprintf("%s: %d others", by, others)
	case value == "":
		return by + ": not known"
	}
	return by + ": " + value
}

func hundredths(points int32) string {
	return strings.TrimSuffix(strconv.FormatFloat(float64(points)/100, 'f', 2, 64), ".00")
}

func millionth(ppm int32) string { return strconv.FormatFloat(float64(ppm)/1e6, 'f', 3, 64) }
