package scoring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	core "github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
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
