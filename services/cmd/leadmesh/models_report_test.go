package main

import (
	"bytes"
	"testing"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/analyst/report"
)

// The page and the words of a model tell everything that its report holds.
func TestModelReportIsTold(t *testing.T) {
	figure := func(ppm int32) *scoringv1.BacktestFigure {
		return &scoringv1.BacktestFigure{Ppm: ppm, LowPpm: ppm - 10_000, HighPpm: ppm + 10_000}
	}
	figures := func(ppm int32) *scoringv1.BacktestFigures { return &scoringv1.BacktestFigures{Auc: figure(ppm)} }
	worse := &scoringv1.BacktestDifference{Auc: figure(-90_000)}
	r := &scoringv1.ModelReport{
		Model: &scoringv1.Model{
			Revision: "0123456789abcdef", Line: leadv1.Line_LINE_SALES, State: scoringv1.ModelState_MODEL_STATE_SHADOW, UploadedBy: "marketing",
			Figures: &scoringv1.ModelFigures{RowCount: 2000, PositiveCount: 180, AucPpm: 710_000, AucLowPpm: 680_000, AucHighPpm: 740_000, CalibrationErrorPpm: 12_000},
			Guards:  []*scoringv1.ModelGuard{{Name: "AUC", Held: true, Figure: "0.71", Bound: "at least 0.6"}},
			Shadow:  &scoringv1.ShadowFigures{LeadCount: 1234, ChangedCount: 56},
		},
		Learned:    &scoringv1.ModelLearning{RowCount: 10_000, WonCount: 900, Held: []*scoringv1.ModelColumn{{Name: "tags", Why: "written afterwards"}}, Overrides: []*scoringv1.ModelColumn{{Name: "age", Why: "the law"}}},
		Groups:     []*scoringv1.ModelGroup{{By: "brand", Value: "NORRVIND", RowCount: 700, WonCount: 70, Auc: figure(700_000), CalibrationError: figure(20_000)}, {By: "brand", Others: 4, RowCount: 90, Auc: figure(500_000)}},
		BasePoints: 1250,
		Signals:    []*scoringv1.ModelSignal{{Feature: "page_view.count", ImportancePoints: 420, Bins: []*scoringv1.ModelBin{{Values: "below 2 times", Points: -325, RowCount: 90}, {Values: "2 times and more", Points: 800, RowCount: 10}}}},
		Pairs:      []*scoringv1.ModelPair{{First: "page_view.count", Second: "request_type", Rows: []string{"few", "many"}, Columns: []string{"QUOTE", "others", "not known"}, Points: []int32{100, 200, 300, 400, 500, 675}, RowCounts: []int64{1, 2, 3, 4, 5, 6}}},
		PromotionGuards: []*scoringv1.ModelGuard{
			{Name: "brand LOMVI, past leads", Figure: "AUC 0.09 worse than what scores now", Bound: "not surely more than 0.02 worse"},
		},
		Backtest: &scoringv1.Backtest{State: scoringv1.BacktestState_BACKTEST_STATE_DONE, Report: &scoringv1.BacktestReport{
			LeadCount: 900, WonCount: 80, LostCount: 800, OpenCount: 20, Decided: figures(650_000), Current: figures(660_000), Model: figures(710_000), Difference: worse, CurrentDifference: worse, UnreadableCount: 3,
			Groups: []*scoringv1.BacktestGroup{{By: "region", Value: "US-TX", LeadCount: 444, WonCount: 44, Current: figures(620_000), Model: figures(530_000), Difference: worse}, {By: "segment", LeadCount: 20}},
		}},
	}
	var page, text bytes.Buffer
	if err := report.Write(&page, modelPage(r)); err != nil {
		t.Fatal(err)
	}
	printModelReport(&text, r)
	for _, told := range []string{
		"SALES", "0123456789ab", "page_view.count", "2 times and more", "brand LOMVI, past leads", "not surely more than 0.02 worse", "brand: NORRVIND", "brand: 4 others",
		"region: US-TX", "segment: not known", "444", "0.5300 (0.5200 to 0.5400)",
	} {
		for name, out := range map[string]string{"page": page.String(), "text": text.String()} {
			if !bytes.Contains([]byte(out), []byte(told)) {
				t.Errorf("the %s lacks %q:\n%s", name, told, out)
			}
		}
	}
	holds(t, page.String(), "tags", "written afterwards", "the law", "Does not hold: brand LOMVI", "12.50 points", "page_view.count with request_type", "Made by leadmesh models report", "1,234")
	holds(t, text.String(), "to become active", "3 more have a receipt that can not be read")
	for _, without := range []string{"What was read", "How good it is", "What was learned from"} {
		if bytes.Contains(page.Bytes(), []byte(without)) {
			t.Errorf("the page has %q, of which nothing is known", without)
		}
	}
}
