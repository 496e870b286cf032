package scoring

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// GetModelReport answers everything that is known of a model. What can not be known now, since Routing
// does not answer, is a guard that says so.
func (s *Service) GetModelReport(ctx context.Context, req *scoringv1.GetModelReportRequest) (*scoringv1.GetModelReportResponse, error) {
	revision, err := s.findModel(ctx, req.GetRevision())
	if err != nil {
		return nil, err
	}
	m, err := s.wholeModel(ctx, revision)
	if err != nil {
		return nil, err
	}
	out := &scoringv1.ModelReport{Model: m}
	// A card that this version does not take any more has nothing to show; the model's guards say so.
	if c, _, err := readModel(m.GetLine(), m.GetText()); err == nil {
		cardReport(c, out)
	}
	m.Text = ""
	b, report, err := s.lastBacktest(ctx, revision)
	if err != nil {
		return nil, err
	}
	if b != nil {
		out.Backtest = backtestProto(b)
		out.Backtest.Report = report
	}
	if m.GetState() == scoringv1.ModelState_MODEL_STATE_SHADOW {
		if out.PromotionGuards, err = s.promotionGuards(ctx, revision, m.GetLine()); err != nil {
			return nil, err
		}
	}
	return &scoringv1.GetModelReportResponse{Report: out}, nil
}

// promotionGuards is what leads of the past say now to a shadow that is to become active.
func (s *Service) promotionGuards(ctx context.Context, revision string, line leadv1.Line) ([]*scoringv1.ModelGuard, error) {
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.evidence(ctx, revision, lead.Line(line))
	if err != nil {
		return guardsProto([]guard{{"backtest", "not known: " + problem.From(err).Code(), "asked of Routing; try again", false}}), nil
	}
	against, scorecard := h.scorer(lead.Line(line))
	return guardsProto(s.rules.past(e, against, scorecard)), nil
}

// cardReport writes what a card says, in words.
func cardReport(c *card.Card, out *scoringv1.ModelReport) {
	leads := c.Target.Line != ""
	out.BasePoints = c.Base
	for i := range c.Rows {
		out.Signals = append(out.Signals, signalProto(&c.Rows[i], leads))
	}
	slices.SortStableFunc(out.Signals, func(a, b *scoringv1.ModelSignal) int {
		return cmp.Compare(b.GetImportancePoints(), a.GetImportancePoints())
	})
	for i := range c.Pairs {
		p := &c.Pairs[i]
		x := &scoringv1.ModelPair{First: p.First.Feature, Second: p.Second.Feature, Rows: p.First.Words(leads), Columns: p.Second.Words(leads)}
		for _, row := range p.Cells {
			for _, at := range row {
				x.Points, x.RowCounts = append(x.Points, at.Points), append(x.RowCounts, at.Count)
			}
		}
		out.Pairs = append(out.Pairs, x)
	}
	for _, k := range c.Calibration {
		out.Calibration = append(out.Calibration, &scoringv1.ModelKnot{Points: k.Points, ChancePpm: k.PPM, LowPpm: k.Low, HighPpm: k.High})
	}
	l := c.Learned
	if l == nil {
		return
	}
	out.Learned = &scoringv1.ModelLearning{RowCount: l.Rows, WonCount: l.Positives, From: l.From, To: l.To, PriorRevision: l.Prior}
	for _, h := range l.Held {
		out.Learned.Held = append(out.Learned.Held, &scoringv1.ModelColumn{Name: h.Column, Why: h.Why})
	}
	for _, o := range l.Overrides {
		out.Learned.Overrides = append(out.Learned.Overrides, &scoringv1.ModelColumn{Name: o.Column, Why: o.Reason})
	}
	for _, g := range l.Groups {
		out.Groups = append(out.Groups, &scoringv1.ModelGroup{
			By: g.By, Value: g.Value, Others: g.Others, RowCount: g.Rows, WonCount: g.Positives,
			Auc:              &scoringv1.BacktestFigure{Ppm: ppm(g.AUC), LowPpm: ppm(g.AUCLow), HighPpm: ppm(g.AUCHigh)},
			CalibrationError: &scoringv1.BacktestFigure{Ppm: ppm(g.CalibrationError), LowPpm: ppm(g.CalibrationLow), HighPpm: ppm(1)},
		})
	}
}

func signalProto(r *card.Row, leads bool) *scoringv1.ModelSignal {
	out := &scoringv1.ModelSignal{Feature: r.Feature, Group: r.Group, Label: r.Label}
	var sum, rows float64
	for i, words := range r.Words(leads) {
		b := &r.Bins[i]
		out.Bins = append(out.Bins, &scoringv1.ModelBin{Values: words, Points: b.Points, ErrorPoints: b.Error, RowCount: b.Count})
		sum, rows = sum+float64(b.Points)*float64(b.Count), rows+float64(b.Count)
	}
	if rows == 0 {
		return out
	}
	far := 0.0
	for i := range r.Bins {
		far += math.Abs(float64(r.Bins[i].Points)-sum/rows) * float64(r.Bins[i].Count) / rows
	}
	out.ImportancePoints = int32(math.Round(far))
	return out
}
