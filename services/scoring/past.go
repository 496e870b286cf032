package scoring

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	pastPage  = 500 // leads that Routing looks at per page
	pastLimit = 20 * time.Second
)

// PastDecisions is the part of Routing that knows what was decided.
type PastDecisions interface {
	CountPastOutcomes(ctx context.Context, in *routingv1.CountPastOutcomesRequest, opts ...grpc.CallOption) (*routingv1.CountPastOutcomesResponse, error)
	ListPastDecisions(ctx context.Context, in *routingv1.ListPastDecisionsRequest, opts ...grpc.CallOption) (*routingv1.ListPastDecisionsResponse, error)
}

// outcome is what became of a lead, by the numbers that stored rows have for it.
type outcome byte

const (
	outcomeWon outcome = iota + 1
	outcomeLost
	outcomeExpired
	outcomeOpen
)

// pastLead is a lead decided in the past: what its first decision was made from and gave, as its
// receipt has it, and what is known of it by now.
type pastLead struct {
	id       lead.ID
	brand    string
	region   string // of the store: country and subdivision; "": not known
	inputs   scoring.Inputs
	points   int32 // 1/100
	chance   int32 // parts per million
	stage    lead.Stage
	outcome  outcome
	received time.Time
	age      time.Duration // from receipt until it was closed, or until now for one that is open
}

// period is which leads of the past are meant: those of a line received from a time on and before another.
type period struct {
	line     lead.Line
	from, to time.Time
}

// pastLeads is a page of leads of the past.
type pastLeads struct {
	leads    []pastLead // there may be none on a page that is not the last
	unread   int64      // leads whose receipt can not be read
	next     string     // token of the page behind it; "" at the end
	progress int32      // of all pages, millionths: wholeProgress at the end and less before
}

// readPast reads the page of leads that a token names, "" the first.
func (s *Service) readPast(ctx context.Context, p period, token string) (*pastLeads, error) {
	ctx, cancel := context.WithTimeout(ctx, pastLimit)
	defer cancel()
	resp, err := s.decided.ListPastDecisions(ctx, &routingv1.ListPastDecisionsRequest{
		Line: leadv1.Line(p.line), From: timestamppb.New(p.from), To: timestamppb.New(p.to), PageSize: pastPage, PageToken: token,
	})
	if err != nil {
		return nil, err
	}
	page := &pastLeads{unread: int64(len(resp.GetUnreadableLeadIds())), next: resp.GetNextPageToken(), progress: min(resp.GetProgressPpm(), wholeProgress-1)}
	if page.next == "" {
		page.progress = wholeProgress
	}
	now := s.now()
	for _, d := range resp.GetDecisions() {
		x, err := parsePast(d, now)
		if err != nil {
			return nil, err
		}
		page.leads = append(page.leads, x)
	}
	return page, nil
}

func parsePast(d *routingv1.PastDecision, now time.Time) (pastLead, error) {
	id, err := lead.ParseID(d.GetLeadId())
	if err != nil {
		return pastLead{}, problem.Internal(fmt.Errorf("a past decision: %w", err))
	}
	var r corerouting.Receipt
	for _, x := range d.GetInputs() {
		r.Inputs = append(r.Inputs, corerouting.Input{Name: x.GetName(), Value: x.GetValue()})
	}
	x := pastLead{
		id: id, brand: d.GetBrand(), region: d.GetRegion(), inputs: scoreconv.Inputs(&r), points: d.GetPoints(), chance: d.GetProbabilityPpm(), stage: lead.Stage(d.GetStage()),
		outcome: outcomeOf(d.GetState()), received: d.GetReceivedAt().AsTime(),
	}
	until := now
	if d.GetClosedAt() != nil && x.outcome != outcomeOpen {
		until = d.GetClosedAt().AsTime()
	}
	x.age = max(until.Sub(x.received), 0)
	return x, nil
}

func outcomeOf(s leadv1.State) outcome {
	switch s {
	case leadv1.State_STATE_WON:
		return outcomeWon
	case leadv1.State_STATE_LOST:
		return outcomeLost
	case leadv1.State_STATE_EXPIRED:
		return outcomeExpired
	default:
		return outcomeOpen
	}
}

// names numbers texts in the order in which they come.
type names struct {
	list []string
	of   map[string]int32
}

// number returns the number of a text, a new one for a new text.
func (n *names) number(text string) int32 {
	at, ok := n.of[text]
	if !ok {
		if n.of == nil {
			n.of = map[string]int32{}
		}
		at = int32(len(n.list))
		n.of[text], n.list = at, append(n.list, text)
	}
	return at
}
