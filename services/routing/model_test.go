package routing

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// hot is a model of SALES that finds everybody ready.
func hot(t *testing.T, p *playbook.Playbook) *playbook.Playbook {
	t.Helper()
	table := scoring.Line{Base: 9100, Calibration: []scoring.Knot{{Points: 0, PPM: 10}, {Points: 10000, PPM: 999_000}}}
	out, err := p.WithModels([]playbook.Model{{Revision: "hot", Line: lead.LineSales, Table: table}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// rule makes the service decide by a snapshot.
func (w *world) rule(s *playbookfeed.Snapshot) {
	w.t.Helper()
	s.Secret = w.rb.secret
	rb, err := newRulebook(s, w.rb.network)
	if err != nil {
		w.t.Fatal(err)
	}
	w.s.engine.rules.Store(rb)
}

// reports keeps what was reported of shadows.
type reports struct {
	last *scoringv1.ReportShadowRequest
	fail bool
	n    int
}

func (r *reports) ReportShadow(_ context.Context, in *scoringv1.ReportShadowRequest, _ ...grpc.CallOption) (*scoringv1.ReportShadowResponse, error) {
	r.n++
	if r.fail {
		return nil, context.DeadlineExceeded
	}
	r.last = in
	return &scoringv1.ReportShadowResponse{}, nil
}

// leadsOf are leads of many kinds, the same in every world.
func (w *world) leadsOf(n int) (ids []lead.ID) {
	for i := range n {
		ids = append(ids, w.customer(func(p *leadv1.Lead) {
			switch i % 4 {
			case 1:
				p.RequestType = leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE
			case 2:
				p.Line, p.RequestType = leadv1.Line_LINE_SERVICE, leadv1.RequestType_REQUEST_TYPE_SERVICE_BOOKING
			case 3:
				chooses("b")(p)
			}
		}))
	}
	return ids
}

// A shadow decides nothing: all that is stored of the decisions is the same bytes with and without
// one. What it would have done is counted.
func TestShadowDecidesNothing(t *testing.T) {
	const leads = 12
	var stored [2][]string
	var counted *reports
	for i := range stored {
		w := newWorld(t)
		if i == 1 {
			counted = &reports{fail: true}
			w.s.shadows.to = counted
			s := &playbookfeed.Shadow{Playbook: hot(t, w.rb.playbook)}
			s.Episodes[lead.LineSales] = 7
			w.rule(&playbookfeed.Snapshot{Playbook: w.rb.playbook, Shadow: s})
		}
		for _, id := range w.leadsOf(leads) {
			r, err := w.s.store.Receipt(t.Context(), id, 0)
			if err != nil {
				t.Fatal(err)
			}
			k := w.kase(id)
			decision, err := proto.MarshalOptions{Deterministic: true}.Marshal(k.Decision)
			if err != nil {
				t.Fatal(err)
			}
			stored[i] = append(stored[i], fmt.Sprintf("%s %x %v %v", r.Canonical, decision, k.Owner.DealerID, k.Owner.Deadline))
		}
		w.s.shadows.report(t.Context())
		if counted != nil {
			counted.fail = false
			w.s.shadows.report(t.Context())
			w.s.shadows.report(t.Context())
		}
	}
	if diff := cmp.Diff(stored[0], stored[1]); diff != "" {
		t.Errorf("with a shadow other bytes are stored: %s", diff)
	}
	if counted.n != 2 || len(counted.last.GetCounts()) != 1 {
		t.Fatalf("%d reports, the last is %v", counted.n, counted.last)
	}
	c := counted.last.GetCounts()[0]
	var moves, ready int64
	for i, n := range c.GetMoves() {
		moves += n
		if lead.Stage(i%playbookfeed.Stages+1) == lead.StageReady {
			ready += n
		}
	}
	if sales := int64(leads * 3 / 4); c.GetRevision() != "hot" || c.GetEpisode() != 7 || c.GetShadowPoints()[9] != sales || moves != sales || ready != sales || c.GetDecidedPoints()[9] == sales {
		t.Errorf("counted: %v", c)
	}
}

// Decisions by a model cite it, in the receipt and in the score, and replay; those of other lines are
// scored by the playbook.
func TestDecisionsCiteTheirModel(t *testing.T) {
	w := newWorld(t)
	before := w.leadsOf(1)[0]
	w.rule(&playbookfeed.Snapshot{Playbook: hot(t, w.rb.playbook)})
	after := w.leadsOf(4)
	w.rule(&playbookfeed.Snapshot{Playbook: w.rb.playbook})
	for id, want := range map[lead.ID]struct{ receipt, score string }{
		before: {w.rb.playbook.Revision, ""}, after[0]: {"hot", "hot"}, after[2]: {"hot", ""},
	} {
		stored, err := w.s.store.Receipt(t.Context(), id, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := routing.Verify(stored.Canonical); err != nil {
			t.Error(err)
		}
		r, err := routing.ParseReceipt(stored.Canonical)
		if err != nil {
			t.Fatal(err)
		}
		score := w.kase(id).Decision.GetScore()
		if r.Model != want.receipt || r.Playbook != w.rb.playbook.Revision || score.GetModelRevision() != want.score {
			t.Errorf("the receipt names %s, the score %q", r.Model, score.GetModelRevision())
		}
		if (score.GetPoints() == 9100) != (want.score == "hot") || r.Points != score.GetPoints() {
			t.Errorf("%d points by %q", score.GetPoints(), want.score)
		}
	}
}
