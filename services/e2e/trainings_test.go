package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/scoring"

	"github.com/jackc/pgx/v5"
)

// TestTrainings has a house learn from its own leads and their outcomes, and decide by what it learned.
func TestTrainings(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole house")
	}
	w := inProcess(t, func(c *house.Config) {
		c.Models = scoring.ModelRules{MinAUC: 0.55, MaxCalibrationError: 0.5, MinRows: 20, MinWins: 5, MinGroupAUC: 0.01, MaxGroupCalibrationError: 1}
	})
	const leads = 480
	var brochure *capturev1.LeadResult
	var outcomes []string
	won, lost := 0, 0
	for i := range leads {
		// Who asks for a brochure buys, mostly; the playbook thinks little of that.
		lead, buys := person(fmt.Sprintf("train-%d", i), fmt.Sprintf("Tore%c%c", 'a'+i/26, 'a'+i%26), "80205", ""), i%8 == 0
		if i%2 == 1 {
			lead, buys = strings.Replace(lead, "REQUEST_TYPE_QUOTE", "REQUEST_TYPE_BROCHURE", 1), i%8 != 1
		}
		r := submit(t, w, lead)
		if i%2 == 1 {
			brochure = r
		}
		what := `"kind":"OUTCOME_KIND_LOST","lost_code":"LOST_CODE_PRICE"`
		if buys {
			what = `"kind":"OUTCOME_KIND_WON","revenue":{"minor":"3150000","currency":"USD"}`
			won++
		} else {
			lost++
		}
		outcomes = append(outcomes, fmt.Sprintf(`{"outcome_id":"train-%d","lead_id":%q,%s}`, i, r.GetLeadId(), what))
	}
	stored := &feedbackv1.BatchCreateOutcomesResponse{}
	w.post(t, "dealer", "/v1/outcomes:batch", `{"outcomes":[`+strings.Join(outcomes, ",")+`]}`, stored)
	conn, err := pgx.Connect(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	eventually(t, patience, "the outcomes have closed the leads", func() bool {
		n := 0
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM routing.decision WHERE closed_at IS NOT NULL`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == leads
	})

	begun := &scoringv1.StartTrainingResponse{}
	w.post(t, "ops", "/v1/trainings", `{"line":"LINE_SALES","note":"e2e"}`, begun)
	if code, raw := w.call(t, "ops", http.MethodPost, "/v1/trainings", nil, `{"line":"LINE_SALES"}`); code != http.StatusOK && reason(raw) != "WRONG_STATE" {
		t.Errorf("a second one answered %d: %s", code, raw)
	}
	id := begun.GetTraining().GetTrainingId()
	done := &scoringv1.GetTrainingResponse{}
	eventually(t, 5*patience, "the training is done", func() bool {
		w.get(t, "ops", "/v1/trainings/"+id, done)
		return done.GetTraining().GetState() != scoringv1.TrainingState_TRAINING_STATE_RUNNING
	})
	r, revision := done.GetTraining().GetReport(), done.GetTraining().GetRevision()
	if r.GetWonCount() != int64(won) || r.GetLostCount() != int64(lost) || r.GetLearned().GetAuc().GetPpm() <= r.GetDeciding().GetAuc().GetPpm() || revision == "" {
		t.Fatalf("%d won, %d lost; trained: %v", won, lost, done)
	}
	list := &scoringv1.ListTrainingsResponse{}
	w.get(t, "ops", "/v1/trainings?line=LINE_SALES", list)
	if len(list.GetTrainings()) == 0 || list.GetTrainings()[len(list.GetTrainings())-1].GetRevision() != revision {
		t.Errorf("listed: %v", list)
	}
	if code, raw := w.call(t, "ops", http.MethodPost, "/v1/trainings/"+id+":cancel", nil, `{}`); reason(raw) != "WRONG_STATE" {
		t.Errorf("one that is done is cancelled: %d %s", code, raw)
	}

	run := func(want string, args ...string) {
		t.Helper()
		out, err := exec.Command(binary(t), append(append([]string{"models"}, args...), "--grpc", w.addr)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("models %v: %v: %s", args, err, out)
		}
	}
	run("request_type", "trainings", id, "--wait")
	run(revision[:12], "trainings", "--line", "sales")
	run("done; SALES from leads received from 2020-01-01T00:00:00Z", "train", "--line", "SALES", "--from", "2020-01-01", "--wait", "--note", "again")

	model := &scoringv1.GetModelResponse{}
	w.get(t, "ops", "/v1/models/"+revision, model)
	if m := model.GetModel(); m.GetState() != scoringv1.ModelState_MODEL_STATE_VALIDATED || !strings.HasPrefix(m.GetNote(), "trained by job "+id) {
		t.Fatalf("what came out: %v", m)
	}
	run("shadow of SALES", "promote", revision, "--to", "shadow")
	run("done", "backtest", revision, "--wait")
	run("active of SALES", "promote", revision, "--to", "active", "--note", "it knows")
	n := 0
	eventually(t, patience, "the house decides by what it learned", func() bool {
		n++
		lead := strings.Replace(person(fmt.Sprintf("by-%d", n), fmt.Sprintf("Tilde%c%c", 'a'+n/26, 'a'+n%26), "80205", ""), "REQUEST_TYPE_QUOTE", "REQUEST_TYPE_BROCHURE", 1)
		s := submit(t, w, lead).GetDecision().GetScore()
		return s.GetModelRevision() == revision && s.GetProbabilityPpm() > 2*brochure.GetDecision().GetScore().GetProbabilityPpm()
	})
	auditClean(t, w)
}
