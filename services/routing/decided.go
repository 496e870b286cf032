package routing

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

const (
	usualPastPage = 500
	maxPastPage   = 2_000
)

// pastQuery asks for leads decided in the past.
type pastQuery struct {
	line     lead.Line
	from, to time.Time // of receipt; a zero to is open
	most     int       // leads looked at
	bucket   int16     // the place that the page before ended at
	after    lead.ID
}

// ListPastDecisions answers a page of leads with what their first decision was scored from. It walks
// the primary key, so that a page costs the database the same wherever it is and whatever it asks for.
func (s *Service) ListPastDecisions(ctx context.Context, req *routingv1.ListPastDecisionsRequest) (*routingv1.ListPastDecisionsResponse, error) {
	q, err := parsePastQuery(req)
	if err != nil {
		return nil, err
	}
	resp := &routingv1.ListPastDecisionsResponse{}
	for q.most > 0 && q.bucket < lead.Buckets {
		cases, err := s.store.PastCases(ctx, q.bucket, q.after, q.most)
		if err != nil {
			return nil, err
		}
		if err := s.addPast(ctx, &q, cases, resp); err != nil {
			return nil, err
		}
		if len(cases) < q.most {
			q.bucket, q.after = q.bucket+1, lead.ID{}
		} else {
			q.after = cases[len(cases)-1].LeadID
		}
		q.most -= len(cases)
	}
	resp.ProgressPpm = q.progress()
	if q.bucket < lead.Buckets {
		resp.NextPageToken = cursor.Text(append([]byte{byte(q.bucket)}, q.after[:]...))
	}
	return resp, nil
}

func parsePastQuery(req *routingv1.ListPastDecisionsRequest) (pastQuery, error) {
	q := pastQuery{line: lead.Line(req.GetLine()), most: int(req.GetPageSize())}
	var wrong []problem.Violation
	bad := func(field, why string) {
		wrong = append(wrong, problem.Violation{Field: field, Description: why})
	}
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok || req.GetLine() == leadv1.Line_LINE_UNSPECIFIED {
		bad("line", "must be one of ours")
	}
	switch {
	case q.most < 0 || q.most > maxPastPage:
		bad("page_size", fmt.Sprintf("must be 1 to %d", maxPastPage))
	case q.most == 0:
		q.most = usualPastPage
	}
	if t := req.GetFrom(); t != nil {
		if q.from = t.AsTime(); t.CheckValid() != nil {
			bad("from", "is no time")
		}
	}
	if t := req.GetTo(); t != nil {
		if q.to = t.AsTime(); t.CheckValid() != nil {
			bad("to", "is no time")
		}
	}
	if token := req.GetPageToken(); token != "" {
		place, ok := cursor.Bytes(token)
		if !ok || len(place) != 1+len(q.after) || place[0] >= lead.Buckets {
			bad("page_token", "is none that ListPastDecisions answered")
		} else {
			q.bucket, q.after = int16(place[0]), lead.ID(place[1:])
		}
	}
	if len(wrong) > 0 {
		return q, problem.Invalid(wrong...)
	}
	return q, nil
}

// wants reports whether a lead is asked for.
func (q *pastQuery) wants(k *postgres.PastCase) bool {
	return !k.Test && k.Line == q.line && k.State != lead.StateRejected && k.State != lead.StateMerged &&
		!k.ReceivedAt.Before(q.from) && (q.to.IsZero() || k.ReceivedAt.Before(q.to))
}

// progress is how much has been looked at: identifiers are spread evenly over buckets and within them.
func (q *pastQuery) progress() int32 {
	const whole = 1_000_000
	within := int64(binary.BigEndian.Uint32(q.after[:4])) * whole >> 32
	return int32((int64(q.bucket)*whole + within) / lead.Buckets)
}

// addPast answers those of the leads that are asked for.
func (s *Service) addPast(ctx context.Context, q *pastQuery, cases []postgres.PastCase, resp *routingv1.ListPastDecisionsResponse) error {
	var wanted []lead.ID
	for i := range cases {
		if q.wants(&cases[i]) {
			wanted = append(wanted, cases[i].LeadID)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	receipts, err := s.store.FirstReceipts(ctx, q.bucket, wanted)
	if err != nil {
		return err
	}
	for i := range cases {
		k := &cases[i]
		canonical, ok := receipts[k.LeadID]
		if !ok {
			continue
		}
		r, err := corerouting.ParseReceipt(canonical)
		if err != nil {
			return problem.Internal(fmt.Errorf("lead %s: %w", k.LeadID, err))
		}
		if r.Line == q.line {
			resp.Decisions = append(resp.Decisions, pastDecision(k, r))
		}
	}
	return nil
}

func pastDecision(k *postgres.PastCase, r *corerouting.Receipt) *routingv1.PastDecision {
	d := &routingv1.PastDecision{
		LeadId: k.LeadID.String(), Brand: k.Brand, ReceivedAt: leadconv.Time(k.ReceivedAt), Points: r.Points, ProbabilityPpm: r.WinChance,
		Stage: leadv1.Stage(r.Stage), State: leadv1.State(k.State), ClosedAt: leadconv.Time(k.ClosedAt),
	}
	for _, x := range r.Inputs {
		d.Inputs = append(d.Inputs, &routingv1.ScoreInput{Name: x.Name, Value: x.Value})
	}
	return d
}
