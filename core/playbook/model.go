package playbook

import (
	"fmt"
	"maps"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// Model is a points table that scores a line in place of the playbook's own.
type Model struct {
	Revision string // content hash of its card
	Line     lead.Line
	Table    scoring.Line // stages, trigger and value of it are not read
}

// WithModels returns the playbook with the tables of models, one per line at most, instead of its
// own; all else is the playbook's, stages, trigger and value of the lines too. The error says which
// model does not fit: its line has no scorecard, or its table does not compile beside the others.
func (p *Playbook) WithModels(models []Model) (*Playbook, error) {
	if len(models) == 0 {
		return p, nil
	}
	out := *p
	out.Scorecards.Lines = maps.Clone(p.Scorecards.Lines)
	for i := range models {
		m := &models[i]
		name := m.Line.String()
		own, ok := p.Scorecards.Lines[name]
		if !ok {
			return nil, fmt.Errorf("model %s scores %s, which has no scorecard in playbook %s", m.Revision, name, p.Revision)
		}
		out.Scorecards.Lines[name] = own.WithTable(m.Table)
		out.Models[m.Line] = m.Revision
	}
	compiled, problems := scoring.Compile(out.Scorecards)
	if compiled == nil {
		return nil, fmt.Errorf("playbook %s does not compile with its models: %w", p.Revision, problems[0])
	}
	out.Scoring = compiled
	return &out, nil
}

// Scorer names what scores, for receipts: the revisions of the models in the order of their lines,
// a space between two; the playbook's revision where its own tables score every line.
func (p *Playbook) Scorer() string {
	var models []string
	for _, revision := range p.Models {
		if revision != "" {
			models = append(models, revision)
		}
	}
	if len(models) == 0 {
		return p.Revision
	}
	return strings.Join(models, " ")
}

// ScorerModels reads the models back from what Scorer wrote for a playbook; none for its own tables.
func ScorerModels(revision, scorer string) []string {
	if scorer == revision {
		return nil
	}
	return strings.Fields(scorer)
}

// ReadModel reads the card of a model. A card that names its line must name the given one; with an
// unspecified line it must name one. With any problem there is no model.
func ReadModel(line lead.Line, text []byte) (*card.Card, Model, []card.Problem) {
	c, table, problems := card.ParseLine(text)
	if len(problems) > 0 {
		return nil, Model{}, problems
	}
	named, _ := lead.ParseLine(c.Target.Line)
	switch {
	case line == lead.LineUnspecified && named == lead.LineUnspecified:
		return nil, Model{}, []card.Problem{{Path: "target.line", Message: "which line does the card score? name it here or beside the card"}}
	case line == lead.LineUnspecified:
		line = named
	case named != lead.LineUnspecified && named != line:
		return nil, Model{}, []card.Problem{{Path: "target.line", Message: "is " + named.String() + ", the card is to score " + line.String()}}
	}
	return c, Model{Revision: c.Revision(), Line: line, Table: table}, nil
}
