package routing

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
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
	at       postgres.PastPlace
}

// ListPastDecisions answers a page of leads with what their first decision was scored from. It walks the
// index of receipt, so that a page costs the database the same wherever it is, and a short period the
// same among any number of leads.
func (s *Service) ListPastDecisions(ctx context.Context, req *routingv1.ListPastDecisionsRequest) (*routingv1.ListPastDecisionsResponse, error) {
	q, err := parsePastQuery(req)
	if err != nil {
		return nil, err
	}
	cases, err := s.store.PastCases(ctx, q.at, q.to, q.most)
	if err != nil {
		return nil, err
	}
	resp := &routingv1.ListPastDecisionsResponse{ProgressPpm: wholePast}
	if err := s.addPast(ctx, &q, cases, resp); err != nil {
		return nil, err
	}
	if len(cases) < q.most {
		return resp, nil
	}
	last := &cases[len(cases)-1]
	resp.NextPageToken = pastToken(postgres.PastPlace{ReceivedAt: last.ReceivedAt, After: last.LeadID})
	resp.ProgressPpm, err = s.pastProgress(ctx, &q, last.ReceivedAt)
	return resp, err
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
	q.at.ReceivedAt = q.from
	if token := req.GetPageToken(); token != "" {
		var ok bool
		if q.at, ok = parsePastToken(token); !ok {
			bad("page_token", "is none that ListPastDecisions answered")
		}
	}
	if len(wrong) > 0 {
		return q, problem.Invalid(wrong...)
	}
	return q, nil
}

// pastToken names the place that a page ended at.
func pastToken(p postgres.PastPlace) string {
	return cursor.Text(append(binary.BigEndian.AppendUint64(nil, uint64(p.ReceivedAt.UnixMicro())), p.After[:]...))
}

func parsePastToken(token string) (p postgres.PastPlace, ok bool) {
	place, ok := cursor.Bytes(token)
	if !ok || len(place) != 8+len(p.After) {
		return p, false
	}
	micros := int64(binary.BigEndian.Uint64(place))
	p.ReceivedAt, p.After = time.UnixMicro(micros), lead.ID(place[8:])
	return p, micros >= firstPast && micros <= lastPast
}

// What a token may name, in microseconds: years that the database knows.
const (
	firstPast = -62_135_596_800_000_000 // year 1
	lastPast  = 253_402_300_799_999_999 // year 9999
)

// wants reports whether a lead of the period is asked for.
func (q *pastQuery) wants(k *postgres.PastCase) bool {
	return !k.Test && k.Line == q.line && k.State != lead.StateRejected && k.State != lead.StateMerged
}

// wholePast is the progress of a period that has been looked at, in millionths.
const wholePast = 1_000_000

// pastProgress is how much of the period lies before a time, by the time for which there are leads.
func (s *Service) pastProgress(ctx context.Context, q *pastQuery, now time.Time) (int32, error) {
	first, last, err := s.store.PastSpan(ctx)
	if err != nil {
		return 0, err
	}
	if q.from.After(first) {
		first = q.from
	}
	if !q.to.IsZero() && q.to.Before(last) {
		last = q.to
	}
	if !last.After(first) {
		return wholePast - 1, nil
	}
	done := float64(now.Sub(first)) / float64(last.Sub(first))
	return int32(min(max(done, 0), 1) * (wholePast - 1)), nil
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
	receipts, err := s.store.FirstReceipts(ctx, wanted)
	if err != nil {
		return err
	}
	var network *networkView
	if rb := s.engine.rules.Load(); rb != nil {
		network = rb.network
	}
	for i := range cases {
		k := &cases[i]
		canonical, ok := receipts[k.LeadID]
		if !ok {
			continue
		}
		r, err := corerouting.ParseReceipt(canonical)
		switch {
		case err != nil:
			// Nobody could ever go beyond it otherwise.
			s.log.LogAttrs(ctx, slog.LevelWarn, "the receipt of a lead's first decision can not be read; past decisions are told without it", slog.String("lead_id", k.LeadID.String()))
			resp.UnreadableLeadIds = append(resp.UnreadableLeadIds, k.LeadID.String())
		case r.Line == q.line:
			resp.Decisions = append(resp.Decisions, pastDecision(k, r, network))
		}
	}
	return nil
}

func pastDecision(k *postgres.PastCase, r *corerouting.Receipt, network *networkView) *routingv1.PastDecision {
	d := &routingv1.PastDecision{
		LeadId: k.LeadID.String(), Brand: k.Brand, ReceivedAt: leadconv.Time(k.ReceivedAt), Points: r.Points, ProbabilityPpm: r.WinChance,
		Stage: leadv1.Stage(r.Stage), State: leadv1.State(k.State), ClosedAt: leadconv.Time(k.ClosedAt),
		Region: network.region(cmp.Or(r.Winner, k.DealerID)),
	}
	d.Inputs = scoreInputs(r)
	return d
}

// region is where a dealer is, such as US-TX; empty for one that the network does not know.
func (n *networkView) region(dealerID string) string {
	if n == nil || n.dealers[dealerID] == nil {
		return ""
	}
	d := n.dealers[dealerID].dealer
	if d.GetRegion() == "" {
		return d.GetCountry()
	}
	return d.GetCountry() + "-" + d.GetRegion()
}

const mostOutcomes = 10_000

// CountPastOutcomes answers how many leads of a line have come to an end, up to a number.
func (s *Service) CountPastOutcomes(ctx context.Context, req *routingv1.CountPastOutcomesRequest) (*routingv1.CountPastOutcomesResponse, error) {
	q, err := parsePastQuery(&routingv1.ListPastDecisionsRequest{Line: req.GetLine(), From: req.GetFrom(), To: req.GetTo()})
	if err != nil {
		return nil, err
	}
	most := cmp.Or(int(req.GetLimit()), mostOutcomes)
	if most < 1 || most > mostOutcomes {
		return nil, problem.Invalid(problem.Violation{Field: "limit", Description: fmt.Sprintf("must be 1 to %d", mostOutcomes)})
	}
	closed, won, err := s.store.CountPastOutcomes(ctx, q.line, q.from, q.to, most)
	if err != nil {
		return nil, err
	}
	return &routingv1.CountPastOutcomesResponse{ClosedCount: closed, WonCount: won}, nil
}

func scoreInputs(r *corerouting.Receipt) []*routingv1.ScoreInput {
	out := make([]*routingv1.ScoreInput, len(r.Inputs))
	for i, x := range r.Inputs {
		out[i] = &routingv1.ScoreInput{Name: x.Name, Value: x.Value}
	}
	return out
}
