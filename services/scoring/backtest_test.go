package scoring_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
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
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	pastLeads = 100
	pastWon   = 12 // 10 test drives and 2 others
	pastLost  = 68 // 30 test drives and 38 others, 8 of them expired
	ofAPage   = 7
)

// pastDecisions are leads as Routing answers them. Every second one asks for a test drive; all but
// the last ten, which are open, were decided alike.
func pastDecisions() (list []*routingv1.PastDecision) {
	for i := range pastLeads {
		d := &routingv1.PastDecision{
			LeadId: lead.NewID([]byte("test"), strconv.Itoa(i)).String(), Brand: "NORRVIND", Points: 5000, ProbabilityPpm: 100_000,
			Stage: leadv1.Stage_STAGE_INTENT, State: leadv1.State_STATE_LOST, Inputs: []*routingv1.ScoreInput{{Name: "no_consent", Value: 1}},
		}
		d.Region = "US-NY"
		if i >= 50 {
			d.Brand, d.Region = "HAVERLAND", ""
		}
		if i >= 90 {
			d.Points, d.Stage = 100, leadv1.Stage_STAGE_AWARENESS
		}
		if i%2 == 0 {
			d.Inputs = slices.Insert(d.Inputs, 0, &routingv1.ScoreInput{Name: "request_type", Value: int64(lead.RequestTypeTestDrive)})
		}
		switch {
		case i >= pastWon+pastLost:
			d.State = leadv1.State_STATE_WORKING
		case i%8 == 0 || i == 1 || i == 3:
			d.State = leadv1.State_STATE_WON
		case i%10 == 5:
			d.State = leadv1.State_STATE_EXPIRED
		}
		list = append(list, d)
	}
	return list
}

// pastSource is Routing with past decisions.
type pastSource struct {
	all    []*routingv1.PastDecision
	size   int           // of a page
	stopAt int           // the page that is not answered before go on; -1: none
	stuck  chan struct{} // is closed there
	goOn   chan struct{}
	once   sync.Once

	mu    sync.Mutex
	fails int // calls to fail yet
	asked []*routingv1.ListPastDecisionsRequest

	unreadable []string // leads of the first page
	forgets    bool     // every place
	outcomes   *routingv1.CountPastOutcomesResponse
	counted    []*routingv1.CountPastOutcomesRequest
}

func newSource(stopAt int) *pastSource {
	return &pastSource{all: pastDecisions(), size: ofAPage, stopAt: stopAt, stuck: make(chan struct{}), goOn: make(chan struct{})}
}

func (p *pastSource) CountPastOutcomes(_ context.Context, req *routingv1.CountPastOutcomesRequest, _ ...grpc.CallOption) (*routingv1.CountPastOutcomesResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counted = append(p.counted, req)
	if p.outcomes == nil {
		return nil, problem.New(problemv1.Reason_REASON_UNAVAILABLE, "not now")
	}
	return p.outcomes, nil
}

func (p *pastSource) ListPastDecisions(ctx context.Context, req *routingv1.ListPastDecisionsRequest, _ ...grpc.CallOption) (*routingv1.ListPastDecisionsResponse, error) {
	p.mu.Lock()
	fails := p.fails > 0
	p.fails--
	if !fails {
		p.asked = append(p.asked, req)
	}
	p.mu.Unlock()
	if fails {
		return nil, problem.New(problemv1.Reason_REASON_UNAVAILABLE, "not now")
	}
	page := 0
	if p.forgets && req.GetPageToken() != "" {
		return nil, problem.Invalid(problem.Violation{Field: "page_token", Description: "is none"})
	}
	if req.GetPageToken() != "" {
		var err error
		if page, err = strconv.Atoi(req.GetPageToken()); err != nil {
			return nil, err
		}
	}
	if page == p.stopAt {
		p.once.Do(func() { close(p.stuck) })
		select {
		case <-p.goOn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	end := min((page+1)*p.size, len(p.all))
	resp := &routingv1.ListPastDecisionsResponse{Decisions: p.all[page*p.size : end], ProgressPpm: int32(end * 1_000_000 / max(len(p.all), 1))}
	if page == 0 {
		resp.UnreadableLeadIds = p.unreadable
	}
	if end < len(p.all) {
		resp.NextPageToken = strconv.Itoa(page + 1)
	}
	return resp, nil
}

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

// runs works the service's jobs until the test ends.
func (w *trying) runs() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.s.Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
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
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		b := w.look(id)
		if b.GetState() == scoringv1.BacktestState_BACKTEST_STATE_DONE {
			return b
		}
		if time.Now().After(deadline) || b.GetState() != scoringv1.BacktestState_BACKTEST_STATE_RUNNING {
			w.t.Fatalf("it is %v", b)
		}
	}
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
	select {
	case <-w.source.stuck:
	case <-time.After(time.Minute):
		t.Fatal("it never came to the page")
	}
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
	close(w.source.goOn)
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

// backtestProcess names the database when the test binary is to be the process that is killed.
const backtestProcess = "LEADMESH_TEST_BACKTEST"

// A process that is killed in the middle costs the page it was at; another goes on behind it.
func TestBacktestSurvivesAKilledProcess(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, scoring.Migrations())
	w := newTrying(t, db.Pool("scoring"), newSource(-1))
	id := w.begin().GetBacktestId()

	cmd := exec.Command(os.Args[0], "-test.run=^TestBacktestAsAnotherProcess$", "-test.v")
	cmd.Env = append(os.Environ(), backtestProcess+"="+db.URL())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for said.Scan() && said.Text() != "stuck" {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the other process ended by itself")
	}
	if b := w.look(id); b.GetLeadCount() != 3*ofAPage || b.GetState() != scoringv1.BacktestState_BACKTEST_STATE_RUNNING {
		t.Fatalf("left behind: %v", b)
	}
	w.house.now = start.Add(2 * time.Minute)
	w.runs()
	checkReport(t, w.done(id).GetReport())
	if n := len(w.source.asked); n != 12 || w.source.asked[0].GetPageToken() != "3" {
		t.Errorf("%d pages were asked for, the first being %v", n, w.source.asked[0])
	}
}

// TestBacktestAsAnotherProcess is the process that TestBacktestSurvivesAKilledProcess kills.
func TestBacktestAsAnotherProcess(t *testing.T) {
	url, ok := os.LookupEnv(backtestProcess)
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
	source := newSource(3)
	s, err := scoring.New(scoring.Config{}, scoring.Deps{Pool: pool, Past: source, Tel: tel, Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-source.stuck
		fmt.Println("stuck")
	}()
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
