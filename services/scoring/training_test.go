package scoring_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	core "github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (w *trying) train(note string) *scoringv1.Training {
	w.t.Helper()
	resp, err := w.s.StartTraining(w.ctx, &scoringv1.StartTrainingRequest{Line: leadv1.Line_LINE_SALES, Note: note})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetTraining()
}

func (w *trying) training(id string) *scoringv1.Training {
	w.t.Helper()
	resp, err := w.s.GetTraining(w.ctx, &scoringv1.GetTrainingRequest{TrainingId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetTraining()
}

// until looks at a training until it is as wanted.
func (w *trying) until(id string, wanted func(*scoringv1.Training) bool) *scoringv1.Training {
	w.t.Helper()
	return until(w.t, func() *scoringv1.Training { return w.training(id) }, wanted)
}

func (w *trying) trained(id string) *scoringv1.Training {
	w.t.Helper()
	x := w.until(id, func(x *scoringv1.Training) bool {
		return x.GetState() != scoringv1.TrainingState_TRAINING_STATE_RUNNING
	})
	if x.GetState() != scoringv1.TrainingState_TRAINING_STATE_DONE {
		w.t.Fatalf("it is %v", x)
	}
	return x
}

// scoring is the playbook with a model in its line's place; without a revision, the playbook.
func (w *trying) scoring(revision string) *core.Model {
	w.t.Helper()
	own, c := w.own(), w.card(revision)
	if c == nil {
		return own.Scoring
	}
	return with(w.t, own, c).Scoring
}

func (w *trying) own() *playbook.Playbook {
	w.t.Helper()
	own, mistakes := playbook.Read(sample(w.t))
	if own == nil {
		w.t.Fatal(mistakes)
	}
	return own
}

// card is that of a model; nil without a revision.
func (w *trying) card(revision string) *card.Card {
	w.t.Helper()
	if revision == "" {
		return nil
	}
	resp, err := w.s.GetModel(w.ctx, &scoringv1.GetModelRequest{Revision: revision})
	if err != nil {
		w.t.Fatal(err)
	}
	c, _, problems := playbook.ReadModel(lead.LineSales, []byte(resp.GetModel().GetText()))
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	return c
}

// with is a playbook with a card in the place of its line's table.
func with(t *testing.T, own *playbook.Playbook, c *card.Card) *playbook.Playbook {
	t.Helper()
	_, m, problems := playbook.ReadModel(lead.LineSales, c.Marshal())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p, err := own.WithModels([]playbook.Model{m})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTraining(t *testing.T) {
	t.Parallel()
	const n = 6000
	w := newTrying(t, newPool(t), newPast(n, -1))
	w.source.fails = 1 // Routing is not there at first
	begun := w.train("to see")
	if begun.GetStartedBy() != "mona" || begun.GetStep() != scoringv1.TrainingStep_TRAINING_STEP_READING || len(begun.GetPlaybookRevision()) != 64 || begun.GetDecidingRevision() != "" {
		t.Errorf("begun: %v", begun)
	}
	_, err := w.s.StartTraining(w.ctx, &scoringv1.StartTrainingRequest{Line: leadv1.Line_LINE_SALES})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	w.runs()
	x := w.trained(begun.GetTrainingId())
	r := x.GetReport()

	won, lost, open := int64(0), int64(0), int64(0)
	all, chances := madeUp(n)
	mean := 0.0
	for i, d := range all {
		mean += chances[i] / n
		switch d.GetState() {
		case leadv1.State_STATE_WON:
			won++
		case leadv1.State_STATE_WORKING:
			open++
		default:
			lost++
		}
	}
	if x.GetProgressPpm() != 1_000_000 || x.GetLeadCount() != n || r.GetLeadCount() != n || r.GetLearnedCount() != n || r.GetWonCount() != won || r.GetLostCount() != lost || r.GetOpenCount() != open {
		t.Errorf("%d won, %d lost, %d open: %v", won, lost, open, x)
	}
	if r.GetExpiredCount() == 0 || r.GetExpiredCount() >= lost || r.GetFirstReceivedAt().AsTime().After(r.GetLastReceivedAt().AsTime()) {
		t.Errorf("expired or period: %v", r)
	}
	if s := r.GetSplit(); s.GetUnseenCount() == 0 || s.GetMeasuredCount() >= s.GetUnseenCount() || s.GetLearnCount()+s.GetTuneCount()+s.GetUnseenCount() != n ||
		!s.GetUnseenFrom().AsTime().After(start.Add(-110*24*time.Hour)) {
		t.Errorf("the split: %v", s)
	}
	// The playbook knows half of it, and what was learned knows the truth.
	if d := r.GetDifference().GetAuc(); d.GetLowPpm() <= 0 || r.GetLearned().GetAuc().GetPpm() < 700_000 || r.GetDeciding().GetAuc() == nil {
		t.Errorf("learned %v, decides %v, difference %v", r.GetLearned(), r.GetDeciding(), d)
	}
	important := []string{"request_type", "has_phone", "time_frame_days"}
	for _, f := range r.GetFeatures()[:3] {
		if !slices.Contains(important, f.GetFeature()) || !f.GetUsed() {
			t.Errorf("important is %v", f)
		}
	}

	m, err := w.s.GetModel(w.ctx, &scoringv1.GetModelRequest{Revision: x.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
	model := m.GetModel()
	if model.GetLine() != leadv1.Line_LINE_SALES || model.GetState() > scoringv1.ModelState_MODEL_STATE_VALIDATED || model.GetUploadedBy() != "mona" ||
		!strings.HasPrefix(model.GetNote(), "trained by job "+x.GetTrainingId()+" on leads received from the first to ") || !strings.HasSuffix(model.GetNote(), "; to see") {
		t.Errorf("the model: %v", model)
	}
	if h := model.GetHistory(); len(h) != 1 || h[0].GetNote() != model.GetNote() || h[0].GetPlaybookRevision() != x.GetPlaybookRevision() {
		t.Errorf("its history: %v", h)
	}
	if model.GetFigures().GetRowCount() != r.GetSplit().GetMeasuredCount() || model.GetFigures().GetAucPpm() == 0 {
		t.Errorf("its figures: %v", model.GetFigures())
	}
	if f := r.GetLearned().GetCalibrationError(); f.GetPpm() > 30_000 || math.Abs(float64(f.GetPpm()-model.GetFigures().GetCalibrationErrorPpm())) > 100 {
		t.Errorf("the calibration is off by %v, and by %d in the card", f, model.GetFigures().GetCalibrationErrorPpm())
	}
	checkTruth(t, w.scoring(x.GetRevision()), all, chances)
	checkLimits(t, w.own(), w.card(x.GetRevision()), r.GetWords(), all)

	// The same leads give the same table.
	again := w.trained(w.train("again").GetTrainingId())
	if again.GetRevision() != x.GetRevision() {
		t.Errorf("once %s, then %s", x.GetRevision(), again.GetRevision())
	}
	var got []string
	req := &scoringv1.ListTrainingsRequest{Line: leadv1.Line_LINE_SALES, PageSize: 1}
	for {
		resp, err := w.s.ListTrainings(w.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range resp.GetTrainings() {
			if got = append(got, x.GetNote()); x.GetReport() != nil {
				t.Error("a list has reports")
			}
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if !slices.Equal(got, []string{"again", "to see"}) {
		t.Errorf("listed: %q", got)
	}
	_, err = w.s.CancelTraining(w.ctx, &scoringv1.CancelTrainingRequest{TrainingId: x.GetTrainingId()})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	resp, err := w.s.ListTrainings(w.ctx, &scoringv1.ListTrainingsRequest{Line: leadv1.Line_LINE_SERVICE})
	if err != nil || len(resp.GetTrainings()) != 0 {
		t.Errorf("of another line: %v, %v", resp, err)
	}
}

// Facts that tell only together are learned as a pair, which the line's scorecard holds.
func TestTrainingLearnsPairs(t *testing.T) {
	t.Parallel()
	const n = 6000
	source := newSource(-1)
	all, chances := madeUpWith(n, -3)
	source.all, source.size = all, 500
	w := newTrying(t, newPool(t), source)
	w.runs()
	x := w.trained(w.train("").GetTrainingId())
	m, err := w.s.GetModel(w.ctx, &scoringv1.GetModelRequest{Revision: x.GetRevision()})
	if err != nil || !strings.Contains(m.GetModel().GetText(), "\npairs:") {
		t.Errorf("no pair: %v, %v", err, m)
	}
	checkTruth(t, w.scoring(x.GetRevision()), all, chances)
}

// From no leads, or few, comes the playbook's own table.
func TestTrainingFromFewLeads(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 60} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			w := newTrying(t, newPool(t), newPast(n, -1))
			w.runs()
			x := w.trained(w.train("").GetTrainingId())
			if len(x.GetReport().GetWords()) == 0 || !strings.Contains(x.GetReport().GetWords()[0], "too few") || x.GetReport().GetSplit() != nil || x.GetReport().GetLearned() != nil {
				t.Errorf("%v", x.GetReport())
			}
			diff, err := w.s.DiffModel(w.ctx, &scoringv1.DiffModelRequest{Revision: x.GetRevision()})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range diff.GetPoints() {
				if n == 0 || math.Abs(float64(p.GetAfter()-p.GetBefore())) > 1200 && !p.GetAdded() {
					t.Errorf("of %d leads: %v", n, p)
				}
			}
			m, err := w.s.GetModel(w.ctx, &scoringv1.GetModelRequest{Revision: x.GetRevision()})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.s.PromoteModel(w.ctx, &scoringv1.PromoteModelRequest{Revision: x.GetRevision(), To: scoringv1.ModelState_MODEL_STATE_SHADOW}); n > 0 && err == nil {
				t.Errorf("a table that nobody measured is a shadow: %v", m)
			}
		})
	}
}

func TestTrainingIsCancelled(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	w := newTrying(t, pool, newPast(8000, 3))
	w.runs()
	id := w.train("").GetTrainingId()
	w.source.await(t)
	if x := w.training(id); x.GetLeadCount() != 600 || x.GetProgressPpm() != 37_500 || x.GetEstimatedLeadCount() != 8000 {
		t.Errorf("at work it is %v", x)
	}
	cancel := func(id string) {
		t.Helper()
		resp, err := w.s.CancelTraining(w.ctx, &scoringv1.CancelTrainingRequest{TrainingId: id})
		if err != nil || resp.GetTraining().GetState() != scoringv1.TrainingState_TRAINING_STATE_CANCELLED {
			t.Fatalf("cancelled: %v, %v", resp, err)
		}
	}
	cancel(id)
	cancel(id)
	w.source.open()

	// And while it learns.
	id = w.train("").GetTrainingId()
	w.until(id, func(x *scoringv1.Training) bool { return x.GetStep() == scoringv1.TrainingStep_TRAINING_STEP_LEARNING })
	cancel(id)
	w.source.mu.Lock()
	w.source.all = nil
	w.source.mu.Unlock()
	w.trained(w.train("").GetTrainingId()) // by the same worker, so the job before has ended
	if x := w.training(id); x.GetState() != scoringv1.TrainingState_TRAINING_STATE_CANCELLED || x.GetRevision() != "" || x.GetReport() != nil {
		t.Errorf("the cancelled one is %v", x)
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM training_part`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d parts are kept: %v", n, err)
	}
}

func TestTrainingMistakes(t *testing.T) {
	t.Parallel()
	w := newTrying(t, newPool(t), newSource(-1))
	for field, req := range map[string]*scoringv1.StartTrainingRequest{
		"line": {},
		"from": {Line: leadv1.Line_LINE_SALES, From: timestamppb.New(start)},
		"to":   {Line: leadv1.Line_LINE_SALES, To: &timestamppb.Timestamp{Nanos: -1}},
		"note": {Line: leadv1.Line_LINE_SALES, Note: string(make([]byte, 501))},
	} {
		_, err := w.s.StartTraining(w.ctx, req)
		if p := problem.From(err); p == nil || len(p.Violations) != 1 || p.Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := w.s.GetTraining(w.ctx, &scoringv1.GetTrainingRequest{TrainingId: lead.NewID(nil).String()})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = w.s.CancelTraining(w.ctx, &scoringv1.CancelTrainingRequest{TrainingId: "x"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	_, err = w.s.ListTrainings(w.ctx, &scoringv1.ListTrainingsRequest{PageSize: 501, Line: 77})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	for _, role := range []rpc.Role{rpc.RoleMOPS, rpc.RoleOps, rpc.RoleOEM, rpc.RoleDealer} {
		for _, method := range []string{"StartTraining", "GetTraining", "ListTrainings", "CancelTraining"} {
			err := rpc.Authorize(rpc.Caller{Name: "x", Roles: []rpc.Role{role}}, "/leadmesh.scoring.v1.ModelService/"+method)
			if may := role == rpc.RoleMOPS || role == rpc.RoleOps; (err == nil) != may {
				t.Errorf("%v calls %s: %v", role, method, err)
			}
		}
	}
}
