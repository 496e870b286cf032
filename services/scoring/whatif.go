package scoring

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"google.golang.org/grpc"
)

// Receipts is the part of Routing that knows what a decision was scored from.
type Receipts interface {
	GetScoreInputs(ctx context.Context, in *routingv1.GetScoreInputsRequest, opts ...grpc.CallOption) (*routingv1.GetScoreInputsResponse, error)
}

// ExplainScore answers the score of a lead as it is and as it would be.
func (s *Service) ExplainScore(ctx context.Context, req *scoringv1.ExplainScoreRequest) (*scoringv1.ExplainScoreResponse, error) {
	changes, wrong := parseWhatIf(req)
	var fresh *asked
	if req.GetLead() != nil {
		q, more, err := s.parse(ctx, req)
		if err != nil {
			return nil, err
		}
		fresh, wrong = q, append(wrong, more...)
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	if err := mayAsk(rpc.CallerFrom(ctx), req); err != nil {
		return nil, err
	}
	var x *scoredBy
	var err error
	if fresh != nil {
		x, err = s.freshScore(ctx, fresh)
	} else {
		x, err = s.decidedScore(ctx, req)
	}
	if err != nil {
		return nil, err
	}
	if err := s.otherRules(ctx, req, x); err != nil {
		return nil, err
	}
	if req.GetLine() != leadv1.Line_LINE_UNSPECIFIED {
		x.line = lead.Line(req.GetLine())
	}
	if err := fitsLead(req, x, changes); err != nil {
		return nil, err
	}
	after := x.inputs
	if req.GetAssumeProfiling() {
		after.Grant()
	}
	after = after.With(changes)
	c := scoreconv.Comparison{Playbook: x.playbook, Line: x.line, Before: &x.inputs, After: &after, Changes: changes}
	resp := c.ToProto()
	resp.Attempt, resp.At = x.attempt, leadconv.Time(x.at)
	return resp, nil
}

// scoredBy is what a score is made from.
type scoredBy struct {
	playbook *playbook.Playbook // with its models
	model    string             // the one that the request names
	inputs   scoring.Inputs
	line     lead.Line
	attempt  int32
	at       time.Time
}

// parseWhatIf reads what is to be otherwise and finds all that is wrong with a request beside its lead.
func parseWhatIf(req *scoringv1.ExplainScoreRequest) ([]scoring.Change, []problem.Violation) {
	var wrong []problem.Violation
	bad := func(field, format string, args ...any) {
		wrong = append(wrong, problem.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
	}
	switch {
	case req.GetLeadId() == "" && req.GetLead() == nil:
		bad("lead_id", "is missing; give it, or a lead")
	case req.GetLeadId() != "" && req.GetLead() != nil:
		bad("lead", "give either lead_id or lead")
	case req.GetLeadId() != "" && req.GetAt() != nil:
		bad("at", "is for a lead in the request; a decision is scored at its own moment")
	case req.GetLeadId() != "" && len(req.GetProfile()) > 0:
		bad("profile", "is for a lead in the request")
	case req.GetLead() != nil && req.GetAttempt() != 0:
		bad("attempt", "is for lead_id")
	}
	if req.GetLeadId() != "" {
		if _, err := lead.ParseID(req.GetLeadId()); err != nil {
			bad("lead_id", "%v", err)
		}
	}
	if req.GetAttempt() < 0 {
		bad("attempt", "counts from 1; leave it empty for the last")
	}
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok {
		bad("line", "is none of ours")
	}
	for _, x := range [...]struct{ field, named string }{{"playbook_revision", req.GetPlaybookRevision()}, {"model_revision", req.GetModelRevision()}} {
		if x.named != "" && len(x.named) < minBeginning {
			bad(x.field, "give at least the first %d characters", minBeginning)
		}
	}
	changes := parseChanges(req.GetChanges(), bad)
	return changes, wrong
}

// mayAsk reports why somebody may not ask this.
func mayAsk(caller rpc.Caller, req *scoringv1.ExplainScoreRequest) error {
	switch {
	case !caller.OnlyDealer():
		return nil
	case req.GetLead() != nil:
		return problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "a store asks about its own leads; give a lead_id")
	case req.GetPlaybookRevision() != "" || req.GetModelRevision() != "":
		return problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "a store sees scores by what decided; leave the revisions out")
	case caller.DealerID == "":
		return problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "the token names no store")
	}
	return nil
}

// mostChanges is how many facts may be otherwise at once; there are not many more.
const mostChanges = 200

func parseChanges(sent []*scoringv1.FeatureChange, bad func(field, format string, args ...any)) []scoring.Change {
	if len(sent) > mostChanges {
		bad("changes", "at most %d", mostChanges)
		return nil
	}
	var out []scoring.Change
	var seen [scoring.NumFeatures]bool
	for i, c := range sent {
		at := fmt.Sprintf("changes[%d]", i)
		f, ok := scoring.ParseFeature(c.GetFeature())
		if !ok {
			bad(at+".feature", "there is no feature %q%s", c.GetFeature(), scoring.SuggestFeature(c.GetFeature()))
			continue
		}
		if seen[f] {
			bad(at+".feature", "%s stands twice", f)
		}
		seen[f] = true
		factor, ok := f.Unit().Factor(c.GetIn())
		switch {
		case !ok && f.Unit() == scoring.UnitCategory:
			bad(at+".in", "%s has values and no unit; leave it out", f)
		case !ok:
			bad(at+".in", "%s is not written in %q%s", f, c.GetIn(), lead.Suggest(c.GetIn(), f.Unit().Units()))
		}
		switch {
		case c.GetMissing() && c.GetValue() != "":
			bad(at+".value", "give either a value or missing")
		case c.GetMissing():
			out = append(out, scoring.Change{Feature: f, Value: scoring.Missing})
		case c.GetValue() == "":
			bad(at+".value", "is missing; give one, or missing: true")
		case ok:
			v, err := f.Parse(c.GetValue(), factor)
			if err != nil {
				bad(at+".value", "%v", err)
			}
			out = append(out, scoring.Change{Feature: f, Value: v})
		}
	}
	return out
}

// decidedScore takes up what a decision was scored from.
func (s *Service) decidedScore(ctx context.Context, req *scoringv1.ExplainScoreRequest) (*scoredBy, error) {
	if s.receipts == nil {
		return nil, problem.New(problemv1.Reason_REASON_NOT_READY, "nothing is known here of leads that were decided; send the lead itself")
	}
	ask := &routingv1.GetScoreInputsRequest{LeadId: req.GetLeadId(), Attempt: req.GetAttempt()}
	if caller := rpc.CallerFrom(ctx); caller.OnlyDealer() {
		ask.DealerId = caller.DealerID
	}
	d, err := s.receipts.GetScoreInputs(ctx, ask)
	if err != nil && problem.From(err).Reason == problemv1.Reason_REASON_NOT_FOUND {
		return nil, problem.New(problemv1.Reason_REASON_NOT_FOUND, "no such decision: the lead is unknown, was never decided, or has fewer attempts")
	}
	if err != nil {
		return nil, err
	}
	r := routing.Receipt{}
	for _, in := range d.GetInputs() {
		r.Inputs = append(r.Inputs, routing.Input{Name: in.GetName(), Value: in.GetValue()})
	}
	x := &scoredBy{inputs: scoreconv.Inputs(&r), line: lead.Line(d.GetLine()), attempt: d.GetAttempt(), at: d.GetDecidedAt().AsTime()}
	if req.GetPlaybookRevision() == "" {
		x.playbook, err = s.playbookOf(ctx, d.GetPlaybookRevision(), d.GetModelRevisions())
	}
	return x, err
}

// freshScore takes up a lead in the request, as a decision would see it.
func (s *Service) freshScore(ctx context.Context, q *asked) (*scoredBy, error) {
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	c := s.scoreAsked(h.playbook, q)
	return &scoredBy{playbook: c.playbook, inputs: c.inputs, line: c.line, at: q.at}, nil
}

// otherRules puts the playbook and the model that a request names in place of those that scored.
func (s *Service) otherRules(ctx context.Context, req *scoringv1.ExplainScoreRequest, x *scoredBy) error {
	if named := req.GetPlaybookRevision(); named != "" {
		revision, err := s.findPlaybook(ctx, "playbook_revision", named)
		if err == nil {
			x.playbook, err = s.playbookOf(ctx, revision, nil)
		}
		if err != nil {
			return err
		}
	}
	if named := req.GetModelRevision(); named != "" {
		revision, err := s.findModel(ctx, named)
		if err != nil {
			return err
		}
		m, err := s.storedModel(ctx, revision)
		if err != nil {
			return err
		}
		x.model = revision
		if x.playbook, err = x.playbook.WithModels([]playbook.Model{m}); err != nil {
			return problem.Invalid(problem.Violation{Field: "model_revision", Description: err.Error()})
		}
	}
	return nil
}

// fitsLead finds what is wrong with a request now that its lead is known.
func fitsLead(req *scoringv1.ExplainScoreRequest, x *scoredBy, changes []scoring.Change) error {
	var wrong []problem.Violation
	bad := func(field, format string, args ...any) {
		wrong = append(wrong, problem.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
	}
	if int(x.line) >= scoring.NumLines || len(x.playbook.Scoring.Features(x.line)) == 0 {
		bad("line", "%s has no points table in playbook %.12s", x.line, x.playbook.Revision)
	} else if x.model != "" && x.playbook.Models[x.line] != x.model {
		bad("model_revision", "does not score %s; name its line, or a model of this one", x.line)
	}
	for i, c := range changes {
		if x.inputs.NoConsent && c.Feature.Tracked() && !req.GetAssumeProfiling() {
			bad(fmt.Sprintf("changes[%d].feature", i), "%s is tracked behaviour and the person has not granted profiling, so it takes no part; "+
				"set assume_profiling to see what it would give", c.Feature)
		}
	}
	if len(wrong) > 0 {
		return problem.Invalid(wrong...)
	}
	return nil
}

// mostPast is how many playbooks of the past are kept compiled.
const mostPast = 8

// pastRules names a playbook with its models.
type pastRules struct{ playbook, models string }

// playbookOf compiles a playbook with models as they once scored together.
func (s *Service) playbookOf(ctx context.Context, revision string, models []string) (*playbook.Playbook, error) {
	key := pastRules{revision, fmt.Sprint(models)}
	if h := s.held.Load(); h != nil && h.stored.Revision == revision && fmt.Sprint(playbook.ScorerModels(revision, h.playbook.Scorer())) == key.models {
		return h.playbook, nil
	}
	s.pastMu.Lock()
	p := s.pastPlaybooks[key]
	s.pastMu.Unlock()
	if p != nil {
		return p, nil
	}
	stored, err := s.store.Get(ctx, revision)
	if err != nil {
		return nil, err
	}
	cards, err := s.past(ctx, models)
	if err != nil {
		return nil, err
	}
	h := held{stored: stored, models: cards}
	if err := h.compile(); err != nil {
		return nil, problem.New(problemv1.Reason_REASON_PLAYBOOK_INVALID,
			"this version does not take playbook %s with its models any more; name another playbook_revision", revision).Because(err)
	}
	s.pastMu.Lock()
	defer s.pastMu.Unlock()
	if s.pastPlaybooks == nil || len(s.pastPlaybooks) >= mostPast {
		s.pastPlaybooks = map[pastRules]*playbook.Playbook{}
	}
	s.pastPlaybooks[key] = h.playbook
	return h.playbook, nil
}
