package scoring

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Score answers the score of a lead on its own line.
func (s *Service) Score(ctx context.Context, req *scoringv1.ScoreRequest) (*scoringv1.ScoreResponse, error) {
	c, err := s.score(ctx, req)
	if err != nil {
		return nil, err
	}
	score := c.proto(c.line)
	score.Indices = scoreconv.Indices(c.playbook, &c.inputs)
	return &scoringv1.ScoreResponse{Score: score, PlaybookRevision: c.playbook.Revision}, nil
}

// Explain answers the scores of a lead on every line that has a scorecard, its own first.
func (s *Service) Explain(ctx context.Context, req *scoringv1.ExplainRequest) (*scoringv1.ExplainResponse, error) {
	c, err := s.score(ctx, req)
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.ExplainResponse{PlaybookRevision: c.playbook.Revision, Indices: scoreconv.Indices(c.playbook, &c.inputs)}
	if c.scored(c.line) {
		resp.Scores = append(resp.Scores, c.proto(c.line))
	}
	for line := lead.LineSales; int(line) < scoring.NumLines; line++ {
		if line != c.line && c.scored(line) {
			resp.Scores = append(resp.Scores, c.proto(line))
		}
	}
	return resp, nil
}

// inquiry is what both requests ask with.
type inquiry interface {
	GetLead() *leadv1.Lead
	GetProfile() []byte
	GetAt() *timestamppb.Timestamp
}

// scored is a lead with its result.
type scoredLead struct {
	playbook *playbook.Playbook
	inputs   scoring.Inputs
	result   scoring.Result
	line     lead.Line
}

// score does what a decision does: extract, score, and find the line if the lead has none.
func (s *Service) score(ctx context.Context, req inquiry) (*scoredLead, error) {
	asked, violations, err := s.parse(ctx, req)
	if err != nil {
		return nil, err
	}
	if len(violations) > 0 {
		return nil, problem.Invalid(violations...)
	}
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	return s.scoreAsked(h.playbook, asked), nil
}

// asked is a lead that somebody asks about, with what is known of its person.
type asked struct {
	lead    lead.Lead
	profile signal.Profile
	at      time.Time
}

// parse reads what is asked about.
func (s *Service) parse(ctx context.Context, req inquiry) (*asked, []problem.Violation, error) {
	l, violations := leadconv.FromProto(req.GetLead())
	for i := range violations {
		violations[i].Field = "lead." + violations[i].Field
	}
	if req.GetLead() == nil {
		violations = append(violations, problem.Violation{Field: "lead", Description: "is missing"})
	}
	out := &asked{lead: l, at: s.now()}
	if t := req.GetAt(); t != nil {
		if t.CheckValid() != nil {
			violations = append(violations, problem.Violation{Field: "at", Description: "is no time"})
		}
		out.at = t.AsTime()
	}
	if len(req.GetProfile()) > 0 && !rpc.CallerFrom(ctx).Has(rpc.RoleService) {
		return nil, nil, problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "only services of the house may send a profile; leave it out")
	}
	var err error
	if out.profile, err = signal.Unmarshal(req.GetProfile()); err != nil {
		violations = append(violations, problem.Violation{Field: "profile", Description: "is none of this version"})
	}
	return out, violations, nil
}

func (s *Service) scoreAsked(p *playbook.Playbook, q *asked) *scoredLead {
	return scoreLead(p, &q.lead, &q.profile, s.facts(&q.lead, q.at), q.at)
}

// facts are what a decision knows beside the lead and the profile.
func (s *Service) facts(l *lead.Lead, at time.Time) scoring.Facts {
	f := scoring.Facts{
		Profiling: lead.Effective(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeProfiling}, at),
	}
	if v := l.Vehicle(lead.VehicleRoleSought); v != nil {
		var m Model
		if m, f.SoughtKnown = s.model(l.Brand, v.ModelCode); f.SoughtKnown {
			f.SoughtPowertrain, f.ProgramRequired = m.Powertrain, m.Program
		}
	}
	return f
}

func scoreLead(p *playbook.Playbook, l *lead.Lead, profile *signal.Profile, facts scoring.Facts, at time.Time) *scoredLead {
	c := &scoredLead{playbook: p, line: l.Line}
	facts.Catalogue, facts.Currency = p.Catalogue, p.Currency
	scoring.Extract(l, profile, at, facts, &c.inputs)
	p.Scoring.Score(&c.inputs, &c.result)
	if l.Trigger {
		if c.line == lead.LineUnspecified {
			c.line = p.Scoring.Triggered(&c.result)
		}
		if p.Scoring.Nurture(&c.result) {
			c.line = lead.LineNurture
		}
	}
	if c.line == lead.LineUnspecified {
		c.line = lead.LineSales
	}
	return c
}

// scored reports whether a line has a scorecard.
func (c *scoredLead) scored(line lead.Line) bool {
	return c.result.Stage[line] != lead.StageUnspecified
}

func (c *scoredLead) proto(line lead.Line) *leadv1.Score {
	return scoreconv.ToProto(c.playbook, &c.inputs, &c.result, line, true)
}
