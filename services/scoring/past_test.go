package scoring_test

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc"
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
	size   int // of a page
	stopAt int // the page that is not answered before the gate opens; -1: none
	gate

	mu    sync.Mutex
	fails int // calls to fail yet
	asked []*routingv1.ListPastDecisionsRequest

	unreadable []string // leads of the first page
	forgets    bool     // every place
	outcomes   *routingv1.CountPastOutcomesResponse
	counted    []*routingv1.CountPastOutcomesRequest
}

func newSource(stopAt int) *pastSource {
	return &pastSource{all: pastDecisions(), size: ofAPage, stopAt: stopAt, gate: newGate()}
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
		if err := p.hold(ctx); err != nil {
			return nil, err
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
