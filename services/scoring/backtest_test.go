package scoring_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// trying is a house with a model and past decisions.
type trying struct {
	models
	house    *house
	source   *pastSource
	revision string
}

func newTrying(t *testing.T, pool *pgxpool.Pool, source *pastSource) *trying {
	t.Helper()
	h := newTryingHouse(t, pool, scoring.ModelRules{}, source)
	h.apply(t, sample(t), "")
	m := h.models(t, "mona")
	return &trying{m, h, source, m.upload(salesCard(12)).GetRevision()}
}

func (w *trying) begin() *scoringv1.Backtest {
	w.t.Helper()
	resp, err := w.s.StartBacktest(w.ctx, &scoringv1.StartBacktestRequest{Revision: w.revision[:8], From: timestamppb.New(start.Add(-time.Hour)), Note: "is it better"})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetBacktest()
}

func (w *trying) look(id string) *scoringv1.Backtest {
	w.t.Helper()
	resp, err := w.s.GetBacktest(w.ctx, &scoringv1.GetBacktestRequest{BacktestId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetBacktest()
}

func (w *trying) done(id string) *scoringv1.Backtest {
	w.t.Helper()
	b := until(w.t, func() *scoringv1.Backtest { return w.look(id) }, func(b *scoringv1.Backtest) bool {
		return b.GetState() != scoringv1.BacktestState_BACKTEST_STATE_RUNNING
	})
	if b.GetState() != scoringv1.BacktestState_BACKTEST_STATE_DONE {
		w.t.Fatalf("it is %v", b)
	}
	return b
}

// checkReport holds a report against figures worked out by hand.
func checkReport(t *testing.T, r *scoringv1.BacktestReport) {
	t.Helper()
	if r.GetLeadCount() != pastLeads || r.GetWonCount() != pastWon || r.GetLostCount() != pastLost || r.GetExpiredCount() != 8 || r.GetOpenCount() != 20 {
		t.Fatalf("%d leads, %d won, %d lost, %d expired, %d open", r.GetLeadCount(), r.GetWonCount(), r.GetLostCount(), r.GetExpiredCount(), r.GetOpenCount())
	}
	// The card gives a test drive 42 points, which is 21.58 %, and others 12, which is 6.88 %.
	const drive, other = .2158, .0688
	auc := (10*38 + (10*30+2*38)/2.) / (pastWon * pastLost)
	for _, x := range []struct {
		name string
		got  *scoringv1.BacktestFigure
		want float64
	}{
		{"AUC decided", r.GetDecided().GetAuc(), .5},
		{"AUC", r.GetModel().GetAuc(), auc},
		{"difference of AUC", r.GetDifference().GetAuc(), auc - .5},
		{"Brier decided", r.GetDecided().GetBrier(), (pastWon*.81 + pastLost*.01) / 80},
		{"Brier", r.GetModel().GetBrier(), (10*(1-drive)*(1-drive) + 2*(1-other)*(1-other) + 30*drive*drive + 38*other*other) / 80},
		{"log loss decided", r.GetDecided().GetLogLoss(), -(pastWon*math.Log(.1) + pastLost*math.Log(.9)) / 80},
		{"log loss", r.GetModel().GetLogLoss(), -(10*math.Log(drive) + 2*math.Log(other) + 30*math.Log(1-drive) + 38*math.Log(1-other)) / 80},
	} {
		if got := float64(x.got.GetPpm()) / 1e6; math.Abs(got-x.want) > 2e-6 || x.got.GetLowPpm() > x.got.GetPpm() || x.got.GetHighPpm() < x.got.GetPpm() {
			t.Errorf("%s is %v, want %f", x.name, x.got, x.want)
		}
	}
	if got := r.GetModel().GetMeanProbabilityPpm(); got != 142_300 || r.GetDecided().GetCalibrationError() == nil {
		t.Errorf("the mean chance is %d", got)
	}
	// Test drives have 42 points by the model, which is INTENT, and others nothing; 90 were decided as INTENT.
	for i, want := range []*scoringv1.BacktestThreshold{
		{Stage: leadv1.Stage_STAGE_CONSIDERATION, DecidedCount: 90, ModelCount: 50, UpCount: 5, DownCount: 45},
		{Stage: leadv1.Stage_STAGE_INTENT, DecidedCount: 90, ModelCount: 50, UpCount: 5, DownCount: 45},
		{Stage: leadv1.Stage_STAGE_READY},
	} {
		x := r.GetThresholds()[i]
		if x.GetStage() != want.GetStage() || x.GetDecidedCount() != want.GetDecidedCount() || x.GetModelCount() != want.GetModelCount() ||
			x.GetUpCount() != want.GetUpCount() || x.GetDownCount() != want.GetDownCount() ||
			len(x.GetUpLeadIds()) != int(want.GetUpCount()) || len(x.GetDownLeadIds()) != int(min(want.GetDownCount(), 20)) {
			t.Errorf("at a threshold: %v", x)
		}
	}
	for _, id := range r.GetThresholds()[0].GetDownLeadIds() {
		at := slices.IndexFunc(pastDecisions(), func(d *routingv1.PastDecision) bool { return d.GetLeadId() == id })
		if at%2 != 1 {
			t.Errorf("lead %d is said to drop", at)
		}
	}
	brands := map[string]int64{}
	for _, s := range r.GetSegments() {
		brands[s.GetBrand()] = s.GetLeadCount()
	}
	if diff := cmp.Diff(map[string]int64{"NORRVIND": 50, "HAVERLAND": 30}, brands); diff != "" {
		t.Error(diff)
	}
}

func TestBacktest(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	w := newTrying(t, pool, newSource(-1))
	w.source.fails = 1 // Routing is not there at first
	begun := w.begin()
	if begun.GetStartedBy() != "mona" || begun.GetNote() != "is it better" || begun.GetLine() != leadv1.Line_LINE_SALES || len(begun.GetPlaybookRevision()) != 64 || begun.GetReport() != nil {
		t.Errorf("begun: %v", begun)
	}
	_, err := w.s.StartBacktest(w.ctx, &scoringv1.StartBacktestRequest{Revision: w.revision})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	w.runs()
	b := w.done(begun.GetBacktestId())
	checkReport(t, b.GetReport())
	if b.GetProgressPpm() != 1_000_000 || b.GetLeadCount() != pastLeads || b.GetEstimatedLeadCount() != pastLeads {
		t.Errorf("done: %v", b)
	}
	if n := len(w.source.asked); n != 15 {
		t.Errorf("%d pages were asked for", n)
	}
	for _, req := range w.source.asked {
		if req.GetLine() != leadv1.Line_LINE_SALES || !req.GetFrom().AsTime().Equal(start.Add(-time.Hour)) || !req.GetTo().AsTime().Equal(start) || req.GetPageSize() == 0 {
			t.Errorf("asked for %v", req)
		}
	}
	wantParts(t, pool, 0)
	_, err = w.s.CancelBacktest(w.ctx, &scoringv1.CancelBacktestRequest{BacktestId: b.GetBacktestId()})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)

	// The list, page by page, the latest first and without reports.
	want := []string{w.done(w.begin().GetBacktestId()).GetBacktestId(), b.GetBacktestId()}
	var got []string
	req := &scoringv1.ListBacktestsRequest{Revision: w.revision[:8], PageSize: 1}
	for {
		resp, err := w.s.ListBacktests(w.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range resp.GetBacktests() {
			if got = append(got, x.GetBacktestId()); x.GetReport() != nil {
				t.Error("a list has reports")
			}
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	none, err := w.s.ListBacktests(w.ctx, &scoringv1.ListBacktestsRequest{Revision: w.upload(salesCard(13)).GetRevision()})
	if err != nil || len(none.GetBacktests()) != 0 {
		t.Errorf("of another model: %v, %v", none, err)
	}
}

func wantParts(t *testing.T, pool *pgxpool.Pool, want int) {
	t.Helper()
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM backtest_part`).Scan(&n); err != nil || n != want {
		t.Errorf("%d parts are kept, want %d: %v", n, want, err)
	}
}

func TestBacktestIsCancelled(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	w := newTrying(t, pool, newSource(3))
	w.runs()
	id := w.begin().GetBacktestId()
	w.source.await(t)
	if b := w.look(id); b.GetLeadCount() != 3*ofAPage || b.GetProgressPpm() != 210_000 || b.GetEstimatedLeadCount() != pastLeads {
		t.Errorf("at work it is %v", b)
	}
	wantParts(t, pool, 3)
	for range 2 {
		resp, err := w.s.CancelBacktest(w.ctx, &scoringv1.CancelBacktestRequest{BacktestId: id})
		if err != nil || resp.GetBacktest().GetState() != scoringv1.BacktestState_BACKTEST_STATE_CANCELLED {
			t.Fatalf("cancelled: %v, %v", resp, err)
		}
	}
	w.source.open()
	checkReport(t, w.done(w.begin().GetBacktestId()).GetReport()) // by the same worker, so the first job has ended
	if b := w.look(id); b.GetState() != scoringv1.BacktestState_BACKTEST_STATE_CANCELLED || b.GetLeadCount() != 3*ofAPage {
		t.Errorf("the cancelled one is %v", b)
	}
	wantParts(t, pool, 0)
}

func TestBacktestMistakes(t *testing.T) {
	t.Parallel()
	w := newTrying(t, newPool(t), newSource(-1))
	for field, req := range map[string]*scoringv1.StartBacktestRequest{
		"from":     {Revision: w.revision, From: timestamppb.New(start)},
		"to":       {Revision: w.revision, To: &timestamppb.Timestamp{Nanos: -1}},
		"note":     {Revision: w.revision, Note: string(make([]byte, 501))},
		"revision": {Revision: "abc"},
	} {
		_, err := w.s.StartBacktest(w.ctx, req)
		if p := problem.From(err); p == nil || len(p.Violations) != 1 || p.Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := w.s.StartBacktest(w.ctx, &scoringv1.StartBacktestRequest{Revision: "00000000"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = w.s.GetBacktest(w.ctx, &scoringv1.GetBacktestRequest{BacktestId: lead.NewID(nil).String()})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = w.s.CancelBacktest(w.ctx, &scoringv1.CancelBacktestRequest{BacktestId: "x"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	_, err = w.s.ListBacktests(w.ctx, &scoringv1.ListBacktestsRequest{PageSize: 501, PageToken: "AAAA"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	for _, role := range []rpc.Role{rpc.RoleMOPS, rpc.RoleOps, rpc.RoleOEM, rpc.RoleDealer} {
		for _, method := range []string{"StartBacktest", "GetBacktest", "ListBacktests", "CancelBacktest"} {
			err := rpc.Authorize(rpc.Caller{Name: "x", Roles: []rpc.Role{role}}, "/leadmesh.scoring.v1.ModelService/"+method)
			if may := role == rpc.RoleMOPS || role == rpc.RoleOps; (err == nil) != may {
				t.Errorf("%v calls %s: %v", role, method, err)
			}
		}
		if err := rpc.Authorize(rpc.Caller{Name: "x", Roles: []rpc.Role{role}}, "/leadmesh.routing.v1.CaseService/ListPastDecisions"); err == nil {
			t.Errorf("%v reads past decisions", role)
		}
	}
}
