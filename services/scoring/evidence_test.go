package scoring_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// market is past leads of a brand in a region: of ten test drives and of ten others so many are won.
type market struct {
	brand, region  string
	leads          int
	drives, others int
	loyal          bool // they are service loyalists
}

func (m market) decisions() (list []*routingv1.PastDecision) {
	for i := range m.leads {
		d := &routingv1.PastDecision{
			LeadId: lead.NewID([]byte("market"), m.brand, m.region, fmt.Sprint(i)).String(), Brand: m.brand, Region: m.region,
			Points: 5000, ProbabilityPpm: 200_000, State: leadv1.State_STATE_LOST,
		}
		won := m.others
		if i%2 == 0 {
			d.Inputs, won = append(d.Inputs, &routingv1.ScoreInput{Name: "request_type", Value: int64(lead.RequestTypeTestDrive)}), m.drives
		}
		if m.loyal {
			d.Inputs = append(d.Inputs, &routingv1.ScoreInput{Name: "visits_24m", Value: 3})
		}
		if i/2%10 < won {
			d.State = leadv1.State_STATE_WON
		}
		list = append(list, d)
	}
	return list
}

// promoting is a model that is a shadow, with past leads.
func promoting(t *testing.T, rules scoring.ModelRules, markets ...market) *trying {
	t.Helper()
	source := newSource(-1)
	source.all, source.size = nil, 500
	for _, m := range markets {
		source.all = append(source.all, m.decisions()...)
	}
	h := newTryingHouse(t, newPool(t), rules, source)
	h.apply(t, sample(t), "")
	m := h.models(t, "mona")
	w := &trying{m, h, source, m.upload(salesCard(12)).GetRevision()}
	w.promote(w.revision, shadow)
	return w
}

// refusals are the guards that keep a model from becoming active.
func (w *trying) refusals() (list []string) {
	w.t.Helper()
	_, err := w.s.PromoteModel(w.ctx, &scoringv1.PromoteModelRequest{Revision: w.revision, To: active})
	if err == nil {
		return nil
	}
	wantReason(w.t, err, problemv1.Reason_REASON_MODEL_GUARDS)
	for _, v := range problem.From(err).Violations {
		list = append(list, v.Field+" "+v.Description)
	}
	if got := w.get(w.revision).GetState(); got != shadow {
		w.t.Errorf("after the refusal it is %v", got)
	}
	return list
}

// words are guards as people read them.
func words(list []*scoringv1.ModelGuard) (out []string) {
	for _, g := range list {
		out = append(out, fmt.Sprintf("%s: %s; %s; %v", g.GetName(), g.GetFigure(), g.GetBound(), g.GetHeld()))
	}
	return out
}

// A model becomes active without a backtest only where there are too few past leads to ask for one, and it
// says so.
func TestPromotionAsksForABacktest(t *testing.T) {
	w := promoting(t, scoring.ModelRules{MinRows: 80, MinWins: 12}, market{brand: "NORRVIND", region: "US-NY", leads: 200, drives: 5, others: 1})
	_, err := w.s.PromoteModel(w.ctx, &scoringv1.PromoteModelRequest{Revision: w.revision, To: active})
	wantReason(t, err, problemv1.Reason_REASON_UNAVAILABLE) // nobody knows how many leads there are

	w.source.outcomes = &routingv1.CountPastOutcomesResponse{ClosedCount: 80, WonCount: 12}
	want := []string{"backtest is none, must be begun in the last 14 days, up to these days, with at least 80 leads won or lost, 12 of them won; the past year has them"}
	if diff := cmp.Diff(want, w.refusals()); diff != "" {
		t.Error(diff)
	}
	if asked := w.source.counted[len(w.source.counted)-1]; asked.GetLine() != leadv1.Line_LINE_SALES || !asked.GetTo().AsTime().Equal(start) || start.Sub(asked.GetFrom().AsTime()) != 365*24*time.Hour {
		t.Errorf("asked %v", asked)
	}

	w.runs()
	w.done(w.begin().GetBacktestId())
	asked := len(w.source.counted)
	w.house.now = start.AddDate(0, 0, 15)
	want[0] = strings.Replace(want[0], "is none", "is begun 2026-11-20 on leads received before 2026-11-20", 1)
	got := w.refusals()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with an old one: %s", diff)
	}
	w.house.now = start.AddDate(0, 0, 13)
	resp := w.promote(w.revision, active)
	if n := len(w.source.counted); n != asked+1 {
		t.Errorf("leads were counted %d times although a backtest tells", n-asked-1)
	}
	if diff := cmp.Diff([]string{
		"figures: none; not required: an expert's table; true",
		"backtest: 200 leads won or lost, 60 won, begun 2026-11-20; required; true",
		"AUC beside what scores now, past leads: +0 (+0 to +0); not surely more than 0.02 worse; true",
		"by brand, past leads: 1 of 1 hold; AUC 0.55, calibration error 0.08, 0.02 of AUC less than what scores now; beyond chance; true",
		"by region, past leads: 1 of 1 hold; AUC 0.55, calibration error 0.08, 0.02 of AUC less than what scores now; beyond chance; true",
	}, words(resp.GetGuards())); diff != "" {
		t.Error(diff)
	}

	// On a new installation there is nothing to ask for.
	w.source.outcomes = &routingv1.CountPastOutcomesResponse{ClosedCount: 79, WonCount: 40}
	second := w.upload(salesCard(13)).GetRevision()
	if diff := cmp.Diff([]string{
		"figures: none; not required: an expert's table; true",
		"backtest: none; not required yet: the line has 79 leads won or lost, 40 won in the past year; required is one with at least 80 leads won or lost, 12 of them won; true",
	}, words(w.promote(second, shadow, active).GetGuards())); diff != "" {
		t.Error(diff)
	}

	// What is active is made active anew without another one, and what was before comes back at once.
	w.source.outcomes = &routingv1.CountPastOutcomesResponse{ClosedCount: 80, WonCount: 40}
	w.promote(second, active)
	if back := w.rollback(); back.GetModel().GetRevision() != w.revision {
		t.Errorf("rolled back to %v", back)
	}
}

func TestNoGroupMayBeWorse(t *testing.T) {
	good := market{brand: "NORRVIND", region: "US-NY", leads: 400, drives: 5, others: 1}
	for _, tt := range []struct {
		name    string
		rules   scoring.ModelRules
		markets []market
		active  string // card of the model that scores before
		want    []string
	}{
		{name: "all as good", markets: []market{good, {brand: "HAVERLAND", region: "US-TX", leads: 400, drives: 4, others: 1, loyal: true}}},
		{
			name: "a brand, a region and a segment in the wrong order", markets: []market{good, {brand: "HAVERLAND", region: "US-TX", leads: 200, drives: 2, others: 4, loyal: true}},
			want: []string{"brand HAVERLAND, past leads is AUC 0.381, surely below", "region US-TX, past leads is AUC 0.381, surely below", "segment SERVICE_LOYALIST, past leads is AUC 0.381, surely below"},
		},
		{name: "too few to tell", markets: []market{good, {brand: "HAVERLAND", region: "US-TX", leads: 34, drives: 2, others: 3}}},
		{
			name: "chances far off", rules: scoring.ModelRules{MaxGroupCalibrationError: 0.2, MaxLoss: 1}, markets: []market{good, {brand: "HAVERLAND", region: "US-TX", leads: 400, drives: 9, others: 6}},
			want: []string{"brand HAVERLAND, past leads is calibration error 0.4", "region US-TX, past leads is calibration error 0.4"},
		},
		{
			name: "worse than what scores", rules: scoring.ModelRules{MinGroupAUC: 0.1}, markets: []market{good, {brand: "HAVERLAND", region: "US-TX", leads: 300, drives: 1, others: 4}},
			active: strings.Replace(salesCard(12), "[TEST_DRIVE], points: 30", "[TEST_DRIVE], points: -1", 1),
			want:   []string{"brand HAVERLAND, past leads is AUC 0.4 worse", "region US-TX, past leads is AUC 0.4 worse"},
		},
		{
			name: "worse on all", rules: scoring.ModelRules{MinGroupAUC: 0.1}, markets: []market{{brand: "HAVERLAND", region: "", leads: 400, drives: 1, others: 4}},
			active: strings.Replace(salesCard(12), "[TEST_DRIVE], points: 30", "[TEST_DRIVE], points: -1", 1),
			want:   []string{"AUC beside what scores now, past leads is -0.4", "brand HAVERLAND, past leads is AUC 0.4 worse", "region not known, past leads is AUC 0.4 worse"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.rules.MinRows, tt.rules.MinWins = 100, 10
			if tt.rules.MaxGroupCalibrationError == 0 {
				tt.rules.MaxGroupCalibrationError = 1
			}
			w := promoting(t, tt.rules, tt.markets...)
			if tt.active != "" {
				w.source.outcomes = &routingv1.CountPastOutcomesResponse{}
				w.promote(w.upload(tt.active).GetRevision(), shadow, active)
				w.promote(w.revision, shadow)
			}
			w.runs()
			if r := w.done(w.begin().GetBacktestId()).GetReport(); len(r.GetGroups()) == 0 || r.GetCurrent() == nil {
				t.Fatalf("report %v", r)
			}
			got := w.refusals()
			if len(got) != len(tt.want) || !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("refused for\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// A backtest of a year has counted the leads: nobody is asked how many there are.
func TestABacktestOfAYearCounts(t *testing.T) {
	w := promoting(t, scoring.ModelRules{}, market{brand: "NORRVIND", region: "US-NY", leads: 200, drives: 5, others: 1})
	w.runs()
	resp, err := w.s.StartBacktest(w.ctx, &scoringv1.StartBacktestRequest{Revision: w.revision})
	if err != nil {
		t.Fatal(err)
	}
	w.done(resp.GetBacktest().GetBacktestId())
	if diff := cmp.Diff([]string{
		"figures: none; not required: an expert's table; true",
		"backtest: 200 leads won or lost, 60 won; not required yet: the line has 200 leads won or lost, 60 won in the past year; required is one with at least 500 leads won or lost, 30 of them won; true",
	}, words(w.promote(w.revision, active).GetGuards())); diff != "" {
		t.Error(diff)
	}
	if len(w.source.counted) != 0 {
		t.Errorf("asked %v", w.source.counted)
	}
}

// A place that Routing does not know any more, as another version names places otherwise, ends a backtest
// with a word instead of keeping it and all others waiting.
func TestBacktestWhosePlaceIsLost(t *testing.T) {
	source := newSource(-1)
	source.forgets = true
	w := newTrying(t, newPool(t), source)
	w.runs()
	id := w.begin().GetBacktestId()
	b := until(t, func() *scoringv1.Backtest { return w.look(id) }, func(b *scoringv1.Backtest) bool {
		return b.GetState() == scoringv1.BacktestState_BACKTEST_STATE_FAILED
	})
	if !strings.Contains(b.GetProblem(), "begin it again") {
		t.Errorf("it ended with %q", b.GetProblem())
	}
}

// What scored the line when the backtest began must score it still.
func TestBacktestAgainstWhatDoesNotScoreAnyMore(t *testing.T) {
	w := promoting(t, scoring.ModelRules{MinRows: 100, MinWins: 10, MaxGroupCalibrationError: 1}, market{brand: "NORRVIND", leads: 200, drives: 5, others: 1})
	w.source.outcomes = &routingv1.CountPastOutcomesResponse{}
	w.runs()
	if b := w.done(w.begin().GetBacktestId()); b.GetAgainstRevision() != "" {
		t.Errorf("it is against %q", b.GetAgainstRevision())
	}
	other := w.upload(salesCard(14)).GetRevision()
	w.promote(other, shadow, active)
	w.promote(w.revision, shadow)
	if got := w.refusals(); len(got) != 1 || !strings.HasPrefix(got[0], "backtest is against what does not score the line any more") {
		t.Errorf("refused for %q", got)
	}
	if b := w.done(w.begin().GetBacktestId()); b.GetAgainstRevision() != other {
		t.Errorf("it is against %q", b.GetAgainstRevision())
	}
	w.promote(w.revision, active)
}

func TestBacktestCountsUnreadableReceipts(t *testing.T) {
	source := newSource(-1)
	source.unreadable = []string{lead.NewID([]byte("x"), "1").String(), lead.NewID([]byte("x"), "2").String()}
	w := newTrying(t, newPool(t), source)
	w.runs()
	r := w.done(w.begin().GetBacktestId()).GetReport()
	if r.GetUnreadableCount() != 2 {
		t.Errorf("%d are unreadable", r.GetUnreadableCount())
	}
	checkReport(t, r)
}

// The groups that a card carries are held against the same bounds where it is uploaded.
func TestGuardsOfGroupsOfACard(t *testing.T) {
	m := newHouse(t, newPool(t))
	m.apply(t, sample(t), "")
	anna := m.models(t, "anna")
	group := func(by, value string, rows, wins int64, auc, high, calibration, low float64) card.Group {
		return card.Group{By: by, Value: value, Rows: rows, Positives: wins, AUC: auc, AUCLow: auc / 2, AUCHigh: high, CalibrationError: calibration, CalibrationLow: low}
	}
	got := anna.upload(learnedCard(t, 1, func(l *card.Learned) {
		l.Groups = []card.Group{
			group("brand", "NORRVIND", 900, 90, 0.72, 0.78, 0.01, 0), group("brand", "HAVERLAND", 700, 80, 0.45, 0.51, 0.01, 0),
			group("brand", "", 100, 9, 0.3, 0.4, 0.5, 0.4), group("region", "US-TX", 300, 40, 0.7, 0.8, 0.2, 0.15), group("region", "US-NY", 300, 40, 0.5, 0.6, 0.1, 0.07),
		}
	}))
	if diff := cmp.Diff([]string{
		"by brand, unseen rows: 1 of 2 hold; too few to tell: not known; AUC 0.55, calibration error 0.08; beyond chance; true",
		"brand HAVERLAND, unseen rows: AUC 0.45, surely below 0.5265; not surely below 0.55; false",
		"by region, unseen rows: 1 of 2 hold; AUC 0.55, calibration error 0.08; beyond chance; true",
		"region US-TX, unseen rows: calibration error 0.2, surely above 0.1363; not surely above 0.08; false",
	}, words(got.GetGuards()[5:])); diff != "" {
		t.Error(diff)
	}
	if got.GetState() != draft {
		t.Errorf("it is %v", got.GetState())
	}
}

func TestModelReport(t *testing.T) {
	w := promoting(t, scoring.ModelRules{MinRows: 100, MinWins: 10, MaxGroupCalibrationError: 1}, market{brand: "NORRVIND", region: "US-NY", leads: 200, drives: 5, others: 1})
	report := func(revision string) *scoringv1.ModelReport {
		t.Helper()
		resp, err := w.s.GetModelReport(w.ctx, &scoringv1.GetModelReportRequest{Revision: revision[:8]})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetReport()
	}
	r := report(w.revision)
	if diff := cmp.Diff([]string{"backtest: not known: UNAVAILABLE; asked of Routing; try again; false"}, words(r.GetPromotionGuards())); diff != "" {
		t.Error(diff)
	}
	if m := r.GetModel(); m.GetRevision() != w.revision || m.GetState() != shadow || m.GetText() != "" || m.GetShadow() == nil || len(m.GetHistory()) != 2 || len(m.GetGuards()) != 1 {
		t.Errorf("the model is %v", m)
	}
	if r.GetBasePoints() != 1200 || len(r.GetCalibration()) != 2 || r.GetCalibration()[1].GetChancePpm() != 500_000 || r.GetLearned() != nil || r.GetBacktest() != nil {
		t.Errorf("the report is %v", r)
	}
	var points []string
	for _, s := range r.GetSignals() {
		for _, b := range s.GetBins() {
			points = append(points, fmt.Sprintf("%s %s: %d", s.GetFeature(), b.GetValues(), b.GetPoints()))
		}
	}
	if diff := cmp.Diff([]string{
		"request_type TEST_DRIVE: 3000", "request_type all others: 0", "page_view.count below 0.001 times, not known: 4000", "page_view.count 0.001 times and more: 4500",
	}, points); diff != "" {
		t.Error(diff)
	}

	w.runs()
	w.done(w.begin().GetBacktestId())
	r = report(w.revision)
	if g := r.GetPromotionGuards(); len(g) != 4 || !g[0].GetHeld() || r.GetBacktest().GetReport().GetLeadCount() != 200 || len(r.GetBacktest().GetReport().GetGroups()) != 2 {
		t.Errorf("after a backtest: %v", r)
	}

	learned := w.upload(learnedCard(t, 3, func(l *card.Learned) {
		l.Held, l.Overrides = []card.Held{{Column: "tags", Why: "leak"}}, []card.Override{{Column: "age", Reason: "law"}}
		l.Groups = []card.Group{{By: "brand", Others: 3, Rows: 900, Positives: 90, AUC: 0.72, AUCLow: 0.7, AUCHigh: 0.78, CalibrationError: 0.01}}
	}))
	r = report(learned.GetRevision())
	l, g := r.GetLearned(), r.GetGroups()
	if l.GetRowCount() != 10_000 || l.GetHeld()[0].GetWhy() != "leak" || l.GetOverrides()[0].GetName() != "age" || len(g) != 1 || g[0].GetOthers() != 3 || g[0].GetAuc().GetPpm() != 720_000 || len(r.GetPromotionGuards()) != 0 {
		t.Errorf("of a learned one: %v", r)
	}
	_, err := w.s.GetModelReport(w.ctx, &scoringv1.GetModelReportRequest{Revision: "00000000"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
}
