package scoring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
)

// force is a model in force, active or shadow.
type force struct {
	store.InForce
	card string
}

// nameOf names the models in force together, "" for none: any change of them is another name.
func nameOf(models []store.InForce) string {
	if len(models) == 0 {
		return ""
	}
	h := sha256.New()
	for _, m := range models {
		fmt.Fprintln(h, m.Revision, m.Line, m.Shadow, m.Episode, m.Scorecard)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// scorer names what scores a line: a model, "" for the playbook's own table, whose hash the scorecard is.
func (h *held) scorer(line lead.Line) (model, scorecard string) {
	for i := range h.models {
		if m := &h.models[i]; m.Line == line && !m.Shadow {
			model = m.Revision
		}
	}
	return model, h.own.Scorecards.Lines[line.String()].TableHash()
}

// readForce reads the cards of models in force.
func (s *Service) readForce(ctx context.Context, models []store.InForce) ([]force, error) {
	if len(models) == 0 {
		return nil, nil
	}
	revisions := make([]string, len(models))
	for i, m := range models {
		revisions[i] = m.Revision
	}
	rows, err := s.store.Models(ctx, revisions)
	if err != nil {
		return nil, err
	}
	cards := make(map[string]string, len(rows))
	for i := range rows {
		cards[rows[i].Revision] = rows[i].Card
	}
	out := make([]force, len(models))
	for i, m := range models {
		out[i] = force{m, cards[m.Revision]}
	}
	return out, nil
}

// effective is a playbook with the tables of the active models. The shadows must compile too.
func effective(own *playbook.Playbook, models []force) (*playbook.Playbook, error) {
	var active, shadows []playbook.Model
	for i := range models {
		_, m, err := readModel(leadv1.Line(models[i].Line), models[i].card)
		switch {
		case err != nil:
			return nil, fmt.Errorf("model %s: %w", models[i].Revision, err)
		case models[i].Shadow:
			shadows = append(shadows, m)
		default:
			active = append(active, m)
		}
	}
	p, err := own.WithModels(active)
	if err == nil {
		_, err = p.WithModels(shadows)
	}
	return p, err
}

// warnings names the models in force whose line has another scorecard in a playbook than the one they
// were promoted against.
func warnings(p *playbook.Playbook, models []force) []string {
	var out []string
	for i := range models {
		m := &models[i]
		if p.Scorecards.Lines[m.Line.String()].TableHash() == m.Scorecard {
			continue
		}
		does := "goes on scoring the line in place of the changed scorecard"
		if m.Shadow {
			does = "goes on as a shadow"
		}
		out = append(out, fmt.Sprintf("the scorecard of %s is another than the one that model %.12s was promoted against; the model %s: promote it anew or retire it",
			m.Line, m.Revision, does))
	}
	return out
}

// misfit is the mistake of a playbook that does not compile with the models in force; nil for none.
func misfit(p *playbook.Playbook, models []force) *playbook.Mistake {
	if _, err := effective(p, models); err != nil {
		return &playbook.Mistake{File: "scoring", Message: fmt.Sprintf("a model in force does not fit: %v; give its line a scorecard, or retire it first", err)}
	}
	return nil
}

// modelsInForce reads what a new playbook has to fit.
func (s *Service) modelsInForce(ctx context.Context) ([]force, error) {
	models, err := s.store.ModelsInForce(ctx)
	if err != nil {
		return nil, err
	}
	return s.readForce(ctx, models)
}

// snapshotModels writes models as a snapshot hands them out.
func snapshotModels(models []force) []*scoringv1.SnapshotModel {
	var out []*scoringv1.SnapshotModel
	for i := range models {
		m := &models[i]
		out = append(out, &scoringv1.SnapshotModel{
			Revision: m.Revision, Line: leadv1.Line(m.Line), Shadow: m.Shadow, Text: m.card, Episode: m.Episode,
		})
	}
	return out
}

// past are the models that scored beside a playbook once, for replay. Revisions must not repeat.
func (s *Service) past(ctx context.Context, revisions []string) ([]force, error) {
	if len(revisions) == 0 {
		return nil, nil
	}
	rows, err := s.store.Models(ctx, revisions)
	var out []force
	for i := range rows {
		out = append(out, force{store.InForce{Revision: rows[i].Revision, Line: rows[i].Line}, rows[i].Card})
	}
	return out, err
}
