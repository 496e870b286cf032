package scoring

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const maxCard = 1 << 20 // bytes

// UploadModel keeps a card as a model of its line: validated if its guards hold, else a draft.
func (s *Service) UploadModel(ctx context.Context, req *scoringv1.UploadModelRequest) (*scoringv1.UploadModelResponse, error) {
	if err := checkNote(req.GetNote()); err != nil {
		return nil, err
	}
	c, m, err := readModel(req.GetLine(), req.GetText())
	if err != nil {
		return nil, err
	}
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := h.own.WithModels([]playbook.Model{m}); err != nil {
		p := problem.New(problemv1.Reason_REASON_MODEL_INVALID, "the card does not fit the active playbook; nothing was stored")
		p.Violations = []problem.Violation{{Field: "text", Description: err.Error()}}
		return nil, p
	}
	row := s.newModel(h.own, c, m, req.GetText())
	row.Note, row.By = req.GetNote(), rpc.CallerFrom(ctx).String()
	unchanged := false
	err = s.store.ChangeModels(ctx, func(tx *store.ModelTx) error {
		inserted, err := tx.Insert(&row, h.stored.Revision)
		unchanged = !inserted
		return err
	})
	if err != nil {
		return nil, err
	}
	if row, err = s.store.Model(ctx, m.Revision); err != nil {
		return nil, err
	}
	if row.Line != m.Line {
		return nil, problem.New(problemv1.Reason_REASON_WRONG_STATE, "this card is held as a model of %s; give it another target or note to have one of %s", row.Line, m.Line)
	}
	if !unchanged {
		s.log.LogAttrs(ctx, slog.LevelInfo, "model uploaded", slog.String("revision", row.Revision), slog.String("line", row.Line.String()), slog.String("by", row.By))
	}
	return &scoringv1.UploadModelResponse{Model: s.modelProto(&row), Unchanged: unchanged}, nil
}

// newModel is a card as a model beside a playbook: validated if its guards hold, else a draft.
func (s *Service) newModel(own *playbook.Playbook, c *card.Card, m playbook.Model, text string) store.Model {
	row := store.Model{
		Revision: m.Revision, Line: m.Line, State: store.ModelDraft, Card: text, Scorecard: own.Scorecards.Lines[m.Line.String()].TableHash(), UploadedAt: s.now(),
	}
	if holds(s.rules.guards(c)) {
		row.State = store.ModelValidated
	}
	return row
}

// readModel reads a card for a line, which the card may name itself.
func readModel(line leadv1.Line, text string) (*card.Card, playbook.Model, error) {
	if n := len(text); strings.TrimSpace(text) == "" || n > maxCard {
		return nil, playbook.Model{}, problem.Invalid(problem.Violation{
			Field: "text", Description: fmt.Sprintf("is required: a card in YAML, at most %d bytes", maxCard),
		})
	}
	if _, ok := leadv1.Line_name[int32(line)]; !ok {
		return nil, playbook.Model{}, problem.Invalid(problem.Violation{Field: "line", Description: "is none of ours"})
	}
	c, m, problems := playbook.ReadModel(lead.Line(line), []byte(text))
	if len(problems) == 0 {
		return c, m, nil
	}
	p := problem.New(problemv1.Reason_REASON_MODEL_INVALID, "the card has %s; nothing was stored", console.Plural(len(problems), "mistake"))
	for _, x := range problems[:min(len(problems), maxNamed)] {
		v := problem.Violation{Field: "text", Description: x.Message}
		if x.Line > 0 {
			v.Field += ":" + strconv.Itoa(x.Line)
		}
		if x.Column > 0 {
			v.Field += ":" + strconv.Itoa(x.Column)
		}
		if x.Path != "" {
			v.Description = x.Path + ": " + x.Message
		}
		p.Violations = append(p.Violations, v)
	}
	return nil, playbook.Model{}, p
}

// storedModel reads the card of a model that was uploaded.
func (s *Service) storedModel(ctx context.Context, revision string) (playbook.Model, error) {
	row, err := s.store.Model(ctx, revision)
	if err != nil {
		return playbook.Model{}, err
	}
	_, m, err := readModel(leadv1.Line(row.Line), row.Card)
	return m, err
}

// modelBeside is a model that is to score beside a playbook; the problem WRONG_STATE if it does not
// compile there.
func (s *Service) modelBeside(ctx context.Context, p *playbook.Playbook, revision string) (playbook.Model, error) {
	m, err := s.storedModel(ctx, revision)
	if err != nil {
		return m, err
	}
	if _, err := p.WithModels([]playbook.Model{m}); err != nil {
		return m, wrongState("the model does not fit the active playbook: " + err.Error())
	}
	return m, nil
}

// ListModels answers models, the latest uploaded first.
func (s *Service) ListModels(ctx context.Context, req *scoringv1.ListModelsRequest) (*scoringv1.ListModelsResponse, error) {
	var wrong []problem.Violation
	bad := func(field, why string) {
		wrong = append(wrong, problem.Violation{Field: field, Description: why})
	}
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok {
		bad("line", "is none of ours")
	}
	if _, ok := scoringv1.ModelState_name[int32(req.GetState())]; !ok {
		bad("state", "is none of a model")
	}
	most, before, page := parsePage(req, "ListModels")
	if wrong = append(wrong, page...); len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	rows, err := s.store.ListModels(ctx, store.ModelQuery{Line: lead.Line(req.GetLine()), State: store.ModelState(req.GetState()), Before: before, Most: most + 1})
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.ListModelsResponse{}
	resp.Models, resp.NextPageToken = pageOf(rows, most, func(m store.Model) int64 { return m.ID }, func(m store.Model) *scoringv1.Model {
		out := s.modelProto(&m)
		out.Text = ""
		return out
	})
	return resp, nil
}

// GetModel answers a model with its card, its history and what it did as a shadow.
func (s *Service) GetModel(ctx context.Context, req *scoringv1.GetModelRequest) (*scoringv1.GetModelResponse, error) {
	revision, err := s.findModel(ctx, req.GetRevision())
	if err != nil {
		return nil, err
	}
	m, err := s.wholeModel(ctx, revision)
	return &scoringv1.GetModelResponse{Model: m}, err
}

// DiffModel answers what a model changes against another or the playbook's own table.
func (s *Service) DiffModel(ctx context.Context, req *scoringv1.DiffModelRequest) (*scoringv1.DiffModelResponse, error) {
	after, line, err := s.cardOf(ctx, req.GetRevision())
	if err != nil {
		return nil, err
	}
	var before *card.Card
	if req.GetWith() != "" {
		if before, _, err = s.cardOf(ctx, req.GetWith()); err != nil {
			return nil, err
		}
	} else {
		h, err := s.active(ctx)
		if err != nil {
			return nil, err
		}
		var problems []card.Problem
		if before, problems = card.FromLine(line.String(), h.own.Scorecards.Lines[line.String()]); before == nil {
			return nil, wrongState("the playbook's table of the line makes no card: " + problems[0].Error())
		}
		before.Thresholds = after.Thresholds // stages and trigger stay the playbook's
	}
	change, err := card.Diff(before, after, nil)
	if err != nil {
		return nil, problem.Internal(err)
	}
	resp := &scoringv1.DiffModelResponse{}
	for _, f := range change.Fields {
		resp.Fields = append(resp.Fields, &scoringv1.ModelFieldChange{Name: f.Name, Before: f.Before, After: f.After})
	}
	for _, p := range change.Points {
		resp.Points = append(resp.Points, &scoringv1.ModelPointsChange{Name: p.Name, Before: p.Before, After: p.After, Added: p.New, Gone: p.Gone})
	}
	return resp, nil
}

// cardOf is the card of a model that a caller names.
func (s *Service) cardOf(ctx context.Context, named string) (*card.Card, lead.Line, error) {
	revision, err := s.findModel(ctx, named)
	if err != nil {
		return nil, 0, err
	}
	row, err := s.store.Model(ctx, revision)
	if err != nil {
		return nil, 0, err
	}
	c, _, err := readModel(leadv1.Line(row.Line), row.Card)
	return c, row.Line, err
}

// findModel finds the revision that a caller names by all or the beginning of it.
func (s *Service) findModel(ctx context.Context, named string) (string, error) {
	if len(named) < minBeginning {
		return "", problem.Invalid(problem.Violation{Field: "revision", Description: "give at least the first 8 characters"})
	}
	found, err := s.store.FindModels(ctx, named)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", problem.NotFound("model")
	case len(found) > 1:
		return "", problem.Invalid(problem.Violation{Field: "revision", Description: "several begin so; give more of it"})
	}
	return found[0], nil
}

// wholeModel is a model with everything known of it.
func (s *Service) wholeModel(ctx context.Context, revision string) (*scoringv1.Model, error) {
	row, err := s.store.Model(ctx, revision)
	if err != nil {
		return nil, err
	}
	m := s.modelProto(&row)
	changes, err := s.store.ModelChanges(ctx, revision)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		m.History = append(m.History, &scoringv1.ModelChange{
			ChangedAt: timestamppb.New(c.At), ChangedBy: c.By, Note: c.Note, From: scoringv1.ModelState(c.From), To: scoringv1.ModelState(c.To),
			PlaybookRevision: c.Playbook,
		})
	}
	if row.Episode == 0 {
		return m, nil
	}
	since, counts, err := s.store.ShadowCounts(ctx, &row)
	if err != nil {
		return nil, err
	}
	m.Shadow = shadowProto(counts)
	m.Shadow.Since = timestamppb.New(since)
	return m, nil
}

// modelProto writes a model without its history. A card that this version does not take any more has
// no figures and no guards.
func (s *Service) modelProto(row *store.Model) *scoringv1.Model {
	m := &scoringv1.Model{
		Revision: row.Revision, Line: leadv1.Line(row.Line), State: scoringv1.ModelState(row.State), Note: row.Note, UploadedBy: row.By,
		UploadedAt: timestamppb.New(row.UploadedAt), ChangedAt: timestamppb.New(row.ChangedAt), Scorecard: row.Scorecard, Text: row.Card,
	}
	if h := s.held.Load(); h != nil {
		m.ScorecardChanged = h.own.Scorecards.Lines[row.Line.String()].TableHash() != row.Scorecard
	}
	if c, _, err := readModel(leadv1.Line(row.Line), row.Card); err == nil {
		m.Figures, m.Guards = figuresProto(c), guardsProto(s.rules.guards(c))
	} else {
		m.Guards = []*scoringv1.ModelGuard{{Name: "card", Figure: "not readable by this version", Bound: "readable"}}
	}
	return m
}
