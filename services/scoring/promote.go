package scoring

import (
	"context"
	"log/slog"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
)

// PromoteModel makes a model the shadow of its line, or the shadow the active one.
func (s *Service) PromoteModel(ctx context.Context, req *scoringv1.PromoteModelRequest) (*scoringv1.PromoteModelResponse, error) {
	to := store.ModelState(req.GetTo())
	if to != store.ModelShadow && to != store.ModelActive {
		return nil, problem.Invalid(problem.Violation{Field: "to", Description: "must be MODEL_STATE_SHADOW or MODEL_STATE_ACTIVE"})
	}
	resp := &scoringv1.PromoteModelResponse{}
	var past *evidence
	if to == store.ModelActive {
		var err error
		if past, err = s.evidenceOf(ctx, req.GetRevision()); err != nil {
			return nil, err
		}
	}
	var err error
	resp.Model, err = s.change(ctx, req.GetRevision(), req.GetNote(), func(w *modelWork) error {
		w.past = past
		var list []guard
		var err error
		resp.RetiredRevision, list, err = w.promote(to)
		resp.Guards = guardsProto(list)
		return err
	})
	return resp, err
}

// evidenceOf gathers what leads of the past tell of a model that a caller names, before anything is
// locked for it.
func (s *Service) evidenceOf(ctx context.Context, named string) (*evidence, error) {
	revision, err := s.findModel(ctx, named)
	if err != nil {
		return nil, err
	}
	m, err := s.store.Model(ctx, revision)
	if err != nil || m.State != store.ModelShadow {
		return nil, err // what scores already, or can not yet, is not asked
	}
	return s.evidence(ctx, revision, m.Line)
}

// RetireModel takes a model out.
func (s *Service) RetireModel(ctx context.Context, req *scoringv1.RetireModelRequest) (*scoringv1.RetireModelResponse, error) {
	m, err := s.change(ctx, req.GetRevision(), req.GetNote(), (*modelWork).retire)
	return &scoringv1.RetireModelResponse{Model: m}, err
}

// RollbackModel brings back what scored a line before. It asks neither for figures nor for a second
// person: what it brings back was in force already, and there may be no time.
func (s *Service) RollbackModel(ctx context.Context, req *scoringv1.RollbackModelRequest) (*scoringv1.RollbackModelResponse, error) {
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok || req.GetLine() == leadv1.Line_LINE_UNSPECIFIED {
		return nil, problem.Invalid(problem.Violation{Field: "line", Description: "is required: whose model shall go back?"})
	}
	resp := &scoringv1.RollbackModelResponse{}
	back := ""
	err := s.changeModels(ctx, req.GetNote(), func(w *modelWork) (err error) {
		back, resp.RetiredRevision, err = w.rollback(lead.Line(req.GetLine()))
		return err
	})
	if err != nil || back == "" {
		return resp, err
	}
	resp.Model, err = s.wholeModel(ctx, back)
	return resp, err
}

// modelWork is one change of models.
type modelWork struct {
	s    *Service
	tx   *store.ModelTx
	edit store.Edit
	own  *playbook.Playbook // the active one, with its own tables
	m    *store.Model       // whom the caller named; nil for a rollback
	past *evidence          // of it, where a shadow is to become active

	moved []*store.Model
}

// move gives a model another state, or the same anew.
func (w *modelWork) move(m *store.Model, to store.ModelState) error {
	w.moved = append(w.moved, m)
	return w.tx.Move(m, to, w.edit)
}

// change does something with the model that a caller names.
func (s *Service) change(ctx context.Context, named, note string, do func(*modelWork) error) (*scoringv1.Model, error) {
	revision, err := s.findModel(ctx, named)
	if err != nil {
		return nil, err
	}
	err = s.changeModels(ctx, note, func(w *modelWork) error {
		m, err := w.tx.Get(revision)
		if err != nil {
			return err
		}
		w.m = &m
		return do(w)
	})
	if err != nil {
		return nil, err
	}
	return s.wholeModel(ctx, revision)
}

func (s *Service) changeModels(ctx context.Context, note string, do func(*modelWork) error) error {
	if err := checkNote(note); err != nil {
		return err
	}
	h, err := s.active(ctx)
	if err != nil {
		return err
	}
	e := store.Edit{At: s.now(), By: rpc.CallerFrom(ctx).String(), Note: note, Playbook: h.stored.Revision}
	var done []*store.Model
	err = s.store.ChangeModels(ctx, func(tx *store.ModelTx) error {
		w := &modelWork{s: s, tx: tx, edit: e, own: h.own}
		err := do(w)
		done = w.moved
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range done {
		s.log.LogAttrs(ctx, slog.LevelInfo, "model is in another state", slog.String("revision", m.Revision), slog.String("line", m.Line.String()),
			slog.String("state", scoringv1.ModelState(m.State).String()), slog.String("by", e.By))
	}
	return s.refresh(ctx)
}

// promote makes the model the shadow or the active one and returns the revision that made place, and the
// guards that were asked.
func (w *modelWork) promote(to store.ModelState) (retired string, list []guard, err error) {
	m := w.m
	switch {
	case to == store.ModelShadow && m.State == store.ModelShadow:
		return "", nil, nil
	case to == store.ModelShadow && m.State == store.ModelActive:
		return "", nil, wrongState("the model is active, which is more than a shadow; retire it or roll back first")
	case to == store.ModelActive && m.State != store.ModelShadow && m.State != store.ModelActive:
		return "", nil, wrongState("a model becomes active from a shadow: promote it to shadow, look at its figures, then to active")
	case w.s.rules.FourEyes && m.By == w.edit.By:
		return "", nil, problem.New(problemv1.Reason_REASON_FOUR_EYES, "%s uploaded the model; somebody else has to promote it", m.By)
	}
	c, table, err := readModel(leadv1.Line(m.Line), m.Card)
	if err != nil {
		return "", nil, err
	}
	list = w.s.rules.guards(c)
	before, err := w.tx.InState(m.Line, to)
	if err != nil {
		return "", nil, err
	}
	if to == store.ModelActive && m.State == store.ModelShadow {
		if w.past == nil {
			return "", nil, wrongState("the model became a shadow this very moment; look at its figures, then promote it")
		}
		against := ""
		if before != nil {
			against = before.Revision
		}
		list = append(list, w.s.rules.past(w.past, against, w.own.Scorecards.Lines[m.Line.String()].TableHash())...)
	}
	if !holds(list) {
		return "", nil, refused(list)
	}
	if err := w.fits(table, to); err != nil {
		return "", nil, err
	}
	if m.State == store.ModelDraft { // the bounds have changed since
		if err := w.move(m, store.ModelValidated); err != nil {
			return "", nil, err
		}
	}
	anew := before != nil && before.Revision == m.Revision
	if before != nil && !anew {
		retired = before.Revision
		if err := w.move(before, store.ModelRetired); err != nil {
			return "", nil, err
		}
	}
	if err := w.move(m, to); err != nil {
		return "", nil, err
	}
	if err := w.tx.Rebase(m, w.own.Scorecards.Lines[m.Line.String()].TableHash()); err != nil {
		return "", nil, err
	}
	if to == store.ModelActive && !anew {
		err = w.tx.Reign(m.Line, m.Revision)
	}
	return retired, list, err
}

// retire takes the model out.
func (w *modelWork) retire() error {
	m := w.m
	switch m.State {
	case store.ModelRetired:
		return nil
	case store.ModelActive:
		if err := w.tx.Reign(m.Line, ""); err != nil {
			return err
		}
	}
	return w.move(m, store.ModelRetired)
}

// rollback brings back what scored a line before what scores it now: a model, or "" for the
// playbook's table.
func (w *modelWork) rollback(line lead.Line) (back, retired string, err error) {
	back, ok, err := w.tx.Unreign(line)
	if err != nil {
		return "", "", err
	}
	if !ok {
		return "", "", wrongState("there is nothing to roll back: the playbook's table scores this line")
	}
	now, err := w.tx.InState(line, store.ModelActive)
	if err != nil {
		return "", "", err
	}
	if now != nil {
		retired = now.Revision
		if err := w.move(now, store.ModelRetired); err != nil {
			return "", "", err
		}
	}
	if back == "" {
		return "", retired, nil
	}
	m, err := w.tx.Get(back)
	if err != nil {
		return "", "", err
	}
	_, table, err := readModel(leadv1.Line(m.Line), m.Card)
	if err != nil {
		return "", "", err
	}
	if err := w.fits(table, store.ModelActive); err != nil {
		return "", "", err
	}
	return back, retired, w.move(&m, store.ModelActive)
}

// fits reports whether a table compiles with the active playbook and the models of the other lines.
func (w *modelWork) fits(table playbook.Model, to store.ModelState) error {
	tables := []playbook.Model{table}
	for line := range w.own.Scorecards.Lines {
		code, _ := lead.ParseLine(line)
		if code == table.Line {
			continue
		}
		m, err := w.tx.InState(code, store.ModelActive)
		if err == nil && to == store.ModelShadow {
			var shadow *store.Model
			if shadow, err = w.tx.InState(code, store.ModelShadow); shadow != nil {
				m = shadow
			}
		}
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		_, other, err := readModel(leadv1.Line(m.Line), m.Card)
		if err != nil {
			return err
		}
		tables = append(tables, other)
	}
	slices.SortFunc(tables, func(a, b playbook.Model) int { return int(a.Line) - int(b.Line) })
	if _, err := w.own.WithModels(tables); err != nil {
		return problem.New(problemv1.Reason_REASON_MODEL_INVALID, "the model does not fit the active playbook: %v", err)
	}
	return nil
}

func wrongState(why string) error { return problem.New(problemv1.Reason_REASON_WRONG_STATE, "%s", why) }
