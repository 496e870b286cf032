package scoring_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	core "github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// What decides in the made-up past, in log-odds. The playbook thinks little of finance and much of
// page views, which do nothing here.
const (
	trueBase, trueQuote, trueDrive, truePhone = -1.6, 0.3, 1.5, 0.7
	trueLate                                  = -1.0 // who wants to wait
)

// madeUp is leads of a year with their true chances, as Routing answers them today. Losses are known
// within days and wins within months, so that among the recent ones the lost are known and the won are
// open.
func madeUp(n int) (all []*routingv1.PastDecision, chances []float64) { return madeUpWith(n, 0) }

// madeUpWith is madeUp where a phone number and a test drive together are worth so much more, in log-odds.
func madeUpWith(n int, together float64) (all []*routingv1.PastDecision, chances []float64) {
	r := rand.New(rand.NewPCG(7, 7))
	const year = 365 * 24 * time.Hour
	for i := range n {
		odds := trueBase
		d := &routingv1.PastDecision{
			LeadId: lead.NewID([]byte("made up"), strconv.Itoa(i)).String(), Brand: []string{"NORRVIND", "SOLVANE"}[r.IntN(2)],
			Points: 3000, ProbabilityPpm: 50_000, Stage: leadv1.Stage_STAGE_CONSIDERATION, State: leadv1.State_STATE_WORKING,
		}
		add := func(name string, value int64) {
			d.Inputs = append(d.Inputs, &routingv1.ScoreInput{Name: name, Value: value})
		}
		received := start.Add(-time.Duration(r.Int64N(int64(year))))
		d.ReceivedAt = timestamppb.New(received)
		switch r.IntN(3) {
		case 0:
			odds += trueDrive
			add("request_type", int64(lead.RequestTypeTestDrive))
		case 1:
			odds += trueQuote
			add("request_type", int64(lead.RequestTypeQuote))
		default:
			add("request_type", int64(lead.RequestTypeBrochure))
		}
		if phone := r.Int64N(2); phone == 1 {
			if odds += truePhone; odds > trueBase+trueDrive {
				odds += together
			}
			add("has_phone", 1)
		} else {
			add("has_phone", 0)
		}
		days := r.Int64N(300)
		if add("time_frame_days", days); days >= 150 {
			odds += trueLate
		}
		if r.IntN(4) == 0 {
			add("no_consent", 1)
		} else if r.IntN(2) == 0 {
			add("page_view.count", 500+r.Int64N(20_000))
		}
		chance := 1 / (1 + math.Exp(-odds))
		took, state := time.Duration(r.ExpFloat64()*float64(8*24*time.Hour)), leadv1.State_STATE_LOST
		if r.Float64() < chance {
			took, state = time.Duration(r.ExpFloat64()*float64(70*24*time.Hour)), leadv1.State_STATE_WON
		} else if r.IntN(3) == 0 {
			state = leadv1.State_STATE_EXPIRED
		}
		if closed := received.Add(took); closed.Before(start) {
			d.State, d.ClosedAt = state, timestamppb.New(closed)
		}
		all, chances = append(all, d), append(chances, chance)
	}
	return all, chances
}

func newPast(n, stopAt int) *pastSource {
	p := newSource(stopAt)
	p.all, _ = madeUp(n)
	p.size = 200
	return p
}

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
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(3 * time.Minute); ; <-tick.C {
		x := w.training(id)
		if wanted(x) {
			return x
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("it is %v", x)
		}
	}
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
	own, mistakes := playbook.Read(sample(w.t))
	if own == nil {
		w.t.Fatal(mistakes)
	}
	if revision == "" {
		return own.Scoring
	}
	resp, err := w.s.GetModel(w.ctx, &scoringv1.GetModelRequest{Revision: revision})
	if err != nil {
		w.t.Fatal(err)
	}
	_, m, problems := playbook.ReadModel(lead.LineSales, []byte(resp.GetModel().GetText()))
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	p, err := own.WithModels([]playbook.Model{m})
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Scoring
}

func inputsOf(d *routingv1.PastDecision) *core.Inputs {
	in := &core.Inputs{}
	in.Reset()
	for _, x := range d.GetInputs() {
		if f, ok := core.ParseFeature(x.GetName()); ok {
			in.Values[f] = int32(x.GetValue())
		} else {
			in.DropTracked()
		}
	}
	return in
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
		!s.GetUnseenFrom().AsTime().After(start.Add(-100*24*time.Hour)) {
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

// checkTruth holds what a learned table says of leads against their true chances. That so many wins are
// still to come must not make the leads look worse than they are, and that losses are known early not
// either.
func checkTruth(t *testing.T, m *core.Model, all []*routingv1.PastDecision, chances []float64) {
	t.Helper()
	type group struct{ n, said, truth float64 }
	groups := map[string]*group{}
	add := func(name string, said, truth float64) {
		if groups[name] == nil {
			groups[name] = &group{}
		}
		g := groups[name]
		g.n, g.said, g.truth = g.n+1, g.said+said, g.truth+truth
	}
	var res core.Result
	for i, d := range all {
		in := inputsOf(d)
		m.Score(in, &res)
		said := float64(res.Probability[lead.LineSales]) / 1e6
		add("all", said, chances[i])
		if in.NoConsent {
			add("without consent", said, chances[i])
		} else if in.Values[core.FeaturePageViewCount] > core.Missing {
			add("with page views", said, chances[i])
		}
		add(fmt.Sprintf("request %d phone %d late %v", in.Values[core.FeatureRequestType], in.Values[core.FeatureHasPhone], in.Values[core.FeatureTimeFrameDays] >= 150), said, chances[i])
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range groups {
			if !yield(name) {
				return
			}
		}
	}) {
		g := groups[name]
		said, truth := g.said/g.n, g.truth/g.n
		bound := 0.06
		if name == "all" {
			bound = 0.025
		}
		t.Logf("%s: %.0f leads, said %.3f, true %.3f", name, g.n, said, truth)
		if math.Abs(said-truth) > bound {
			t.Errorf("%s: said %.3f, true %.3f", name, said, truth)
		}
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
	select {
	case <-w.source.stuck:
	case <-time.After(time.Minute):
		t.Fatal("it never came to the page")
	}
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
	close(w.source.goOn)

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

// trainingProcess names the database when the test binary is to be the process that is killed.
const trainingProcess = "LEADMESH_TEST_TRAINING"

// A process that is killed while it learns costs what it learned; another reads no lead again.
func TestTrainingSurvivesAKilledProcess(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, scoring.Migrations())
	w := newTrying(t, db.Pool("scoring"), newPast(4000, -1))
	id := w.train("").GetTrainingId()
	cmd := exec.Command(os.Args[0], "-test.run=^TestTrainingAsAnotherProcess$")
	cmd.Env = append(os.Environ(), trainingProcess+"="+db.URL())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.until(id, func(x *scoringv1.Training) bool { return x.GetStep() == scoringv1.TrainingStep_TRAINING_STEP_LEARNING })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the other process ended by itself")
	}
	if x := w.training(id); x.GetLeadCount() != 4000 || x.GetState() != scoringv1.TrainingState_TRAINING_STATE_RUNNING {
		t.Fatalf("left behind: %v", x)
	}
	w.house.now = start.Add(2 * time.Minute)
	w.runs()
	if x := w.trained(id); x.GetReport().GetLearnedCount() != 4000 || x.GetRevision() == "" {
		t.Errorf("done: %v", x)
	}
	if n := len(w.source.asked); n != 0 {
		t.Errorf("%d pages were read again", n)
	}
}

// TestTrainingAsAnotherProcess is the process that TestTrainingSurvivesAKilledProcess kills.
func TestTrainingAsAnotherProcess(t *testing.T) {
	url, ok := os.LookupEnv(trainingProcess)
	if !ok {
		t.Skip("is started by another test")
	}
	pool, err := postgres.Open(t.Context(), postgres.PoolConfig{URL: url, Role: postgres.ServiceRole("scoring"), Schema: "scoring", MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	s, err := scoring.New(scoring.Config{}, scoring.Deps{Pool: pool, Past: newPast(4000, -1), Tel: tel, Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}
