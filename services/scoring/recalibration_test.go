package scoring_test

import (
	"math"
	"strings"
	"testing"

	core "github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

func (w *trying) recalibrate() *scoringv1.Training {
	w.t.Helper()
	resp, err := w.s.StartTraining(w.ctx, &scoringv1.StartTrainingRequest{Line: leadv1.Line_LINE_SALES, Recalibrate: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetTraining()
}

// The playbook's chances are guesses. Found anew from leads of which the recent won are still open they
// are true in the mean; no lead gets other points.
func TestRecalibration(t *testing.T) {
	t.Parallel()
	const n = 6000
	w := newTrying(t, newPool(t), newPast(n, -1))
	begun := w.recalibrate()
	w.runs()
	x := w.trained(begun.GetTrainingId())
	r := x.GetReport()
	if !begun.GetRecalibrate() || !x.GetRecalibrate() || x.GetRevision() == "" || r.GetSplit().GetUnseenCount() != n/5 || len(r.GetFeatures()) != 0 ||
		!strings.HasPrefix(strings.Join(r.GetWords(), " "), "The points are those of the table that decides now") {
		t.Fatalf("%v", x)
	}
	if now, before := r.GetLearned().GetCalibrationError().GetPpm(), r.GetDeciding().GetCalibrationError().GetPpm(); now > 30_000 || before < 2*now {
		t.Errorf("the calibration error is %d and was %d", now, before)
	}
	if d := r.GetDifference().GetAuc(); d.GetPpm() != 0 {
		t.Errorf("the order of leads is another: %v", d)
	}
	model, own := w.scoring(x.GetRevision()), w.scoring("")
	all, chances := madeUp(n)
	var now, before core.Result
	given, truth := 0.0, 0.0
	for i, d := range all {
		in := inputsOf(d)
		model.Score(in, &now)
		own.Score(in, &before)
		line := leadv1.Line_LINE_SALES
		if now.Points[line] != before.Points[line] || now.Stage[line] != before.Stage[line] {
			t.Fatalf("lead %d has %d points instead of %d", i, now.Points[line], before.Points[line])
		}
		given, truth = given+float64(now.Probability[line])/1e6/n, truth+chances[i]/n
	}
	if math.Abs(given-truth) > 0.03 {
		t.Errorf("the mean chance is %.3f, and in truth %.3f", given, truth)
	}
	shown, err := w.s.GetModel(w.ctx, &scoringv1.GetModelRequest{Revision: x.GetRevision()})
	if err != nil || shown.GetModel().GetFigures().GetRowCount() != r.GetSplit().GetMeasuredCount() {
		t.Errorf("the model's figures: %v, %v", shown.GetModel().GetFigures(), err)
	}
}

// Chances are never made of next to nothing.
func TestRecalibrationOfFewLeads(t *testing.T) {
	t.Parallel()
	w := newTrying(t, newPool(t), newPast(60, -1))
	id := w.recalibrate().GetTrainingId()
	w.runs()
	x := w.until(id, func(x *scoringv1.Training) bool {
		return x.GetState() != scoringv1.TrainingState_TRAINING_STATE_RUNNING
	})
	if x.GetState() != scoringv1.TrainingState_TRAINING_STATE_FAILED || !strings.Contains(x.GetProblem(), "40 of each are needed") || x.GetRevision() != "" {
		t.Errorf("%v", x)
	}
}
