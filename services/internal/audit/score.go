package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

// scorers are the playbooks and models that receipts can name. Without any model there are none.
type scorers struct {
	bundles  map[string][]byte
	cards    map[string]modelCard
	compiled map[ruling]compiled
}

// modelCard is the card of a model with its line.
type modelCard struct {
	Line int16
	Text string
}

// ruling names what a decision was scored by, as its receipt does.
type ruling struct{ playbook, scorer string }

type compiled struct {
	model *scoring.Model
	err   error
}

func readScorers(ctx context.Context, tx pgx.Tx) (*scorers, error) {
	s := &scorers{bundles: map[string][]byte{}, cards: map[string]modelCard{}, compiled: map[ruling]compiled{}}
	var there bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass('scoring.model') IS NOT NULL`).Scan(&there); err != nil || !there {
		return s, err // a database that no version with models was ever on
	}
	rows, err := tx.Query(ctx, `SELECT revision, line, card FROM scoring.model`)
	if err != nil {
		return nil, fmt.Errorf("read models: %w", err)
	}
	var revision string
	var c modelCard
	if _, err := pgx.ForEachRow(rows, []any{&revision, &c.Line, &c.Text}, func() error {
		s.cards[revision] = c
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read models: %w", err)
	}
	if len(s.cards) == 0 {
		return s, nil
	}
	rows, err = tx.Query(ctx, `SELECT revision, bundle FROM scoring.playbook`)
	if err != nil {
		return nil, fmt.Errorf("read playbooks: %w", err)
	}
	var bundle []byte
	_, err = pgx.ForEachRow(rows, []any{&revision, &bundle}, func() error {
		s.bundles[revision] = append([]byte(nil), bundle...)
		return nil
	})
	return s, err
}

// check scores the inputs of a receipt again if a model scored them.
func (s *scorers) check(r *routing.Receipt) error {
	by := ruling{r.Playbook, r.Model}
	if len(playbook.ScorerModels(by.playbook, by.scorer)) == 0 {
		return nil
	}
	c, ok := s.compiled[by]
	if !ok {
		c.model, c.err = s.compile(by)
		s.compiled[by] = c
	}
	if c.err != nil {
		return c.err
	}
	in := scoreconv.Inputs(r)
	var res scoring.Result
	c.model.Score(&in, &res)
	if int(r.Line) >= scoring.NumLines { // a line that no table scores
		return nil
	}
	if res.Points[r.Line] != r.Points || res.Probability[r.Line] != r.WinChance || res.Stage[r.Line] != r.Stage {
		return fmt.Errorf("has %d points, scored again %d", r.Points, res.Points[r.Line])
	}
	return nil
}

func (s *scorers) compile(by ruling) (*scoring.Model, error) {
	bundle, ok := s.bundles[by.playbook]
	if !ok {
		return nil, errors.New("its playbook is not held")
	}
	p, err := playbook.Load(bundle)
	if err != nil {
		return nil, err
	}
	var models []playbook.Model
	for _, revision := range playbook.ScorerModels(by.playbook, by.scorer) {
		c, ok := s.cards[revision]
		if !ok {
			return nil, fmt.Errorf("its model %s is not held", revision)
		}
		_, m, problems := playbook.ReadModel(lead.Line(c.Line), []byte(c.Text))
		if len(problems) > 0 {
			return nil, fmt.Errorf("its model %s: %w", revision, problems[0])
		}
		models = append(models, m)
	}
	p, err = p.WithModels(models)
	if err != nil {
		return nil, err
	}
	return p.Scoring, nil
}
