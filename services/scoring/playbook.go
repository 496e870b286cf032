package scoring

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/playbook"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	maxNote      = 500
	defaultPage  = 50
	maxPage      = 500
	minBeginning = 8  // letters of a revision that name it
	maxNamed     = 40 // mistakes that fit into an error; CheckPlaybook answers all
)

// CheckPlaybook answers the mistakes of a bundle and the revision it would have.
func (s *Service) CheckPlaybook(_ context.Context, req *scoringv1.CheckPlaybookRequest) (*scoringv1.CheckPlaybookResponse, error) {
	files, err := readFiles(req.GetFiles())
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.CheckPlaybookResponse{}
	p, mistakes := check(files)
	if h := s.held.Load(); p != nil && h != nil {
		resp.Warnings = warnings(p, h.models)
		if m := misfit(p, h.models); m != nil {
			p, mistakes = nil, []playbook.Mistake{*m}
		}
	}
	for _, m := range mistakes {
		resp.Mistakes = append(resp.Mistakes, &scoringv1.PlaybookMistake{File: m.File, Line: int32(m.Line), Column: int32(m.Column), Message: m.Message})
	}
	if p != nil {
		resp.Revision = p.Revision
	}
	return resp, nil
}

// ApplyPlaybook stores a bundle and makes it active.
func (s *Service) ApplyPlaybook(ctx context.Context, req *scoringv1.ApplyPlaybookRequest) (*scoringv1.ApplyPlaybookResponse, error) {
	files, err := readFiles(req.GetFiles())
	if err != nil {
		return nil, err
	}
	if err := checkNote(req.GetNote()); err != nil {
		return nil, err
	}
	a := store.Activation{By: rpc.CallerFrom(ctx).String(), Note: req.GetNote()}
	return s.apply(ctx, files, a)
}

// Seed makes a bundle active if none is, for an installation that should have something to begin
// with. A bundle with mistakes is an error even if another is active.
func (s *Service) Seed(ctx context.Context, files playbook.Files, note string) error {
	none := ""
	_, err := s.apply(ctx, files, store.Activation{By: "leadmesh", Note: note, OnlyIf: &none})
	return err
}

// apply completes an activation with a bundle and carries it out.
func (s *Service) apply(ctx context.Context, files playbook.Files, a store.Activation) (*scoringv1.ApplyPlaybookResponse, error) {
	p, mistakes := check(files)
	if p == nil {
		return nil, invalid(mistakes)
	}
	models, err := s.modelsInForce(ctx)
	if err != nil {
		return nil, err
	}
	if m := misfit(p, models); m != nil {
		return nil, invalid([]playbook.Mistake{*m})
	}
	a.Revision, a.Bundle, a.At = p.Revision, playbook.Pack(files), s.now()
	activated, err := s.store.Activate(ctx, a)
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.ApplyPlaybookResponse{Revision: a.Revision, Unchanged: !activated, Warnings: warnings(p, models)}
	if activated {
		s.log.LogAttrs(ctx, slog.LevelInfo, "playbook applied", slog.String("revision", a.Revision), slog.String("by", a.By))
	}
	return resp, s.refresh(ctx)
}

// RollbackPlaybook makes an earlier revision active again.
func (s *Service) RollbackPlaybook(ctx context.Context, req *scoringv1.RollbackPlaybookRequest) (*scoringv1.RollbackPlaybookResponse, error) {
	if err := checkNote(req.GetNote()); err != nil {
		return nil, err
	}
	now, err := s.store.Active(ctx)
	if err != nil {
		return nil, err
	}
	revision, err := s.earlier(ctx, now, req.GetRevision())
	if err != nil {
		return nil, err
	}
	stored, err := s.store.Get(ctx, revision)
	if err != nil {
		return nil, err
	}
	p, err := playbook.Load(stored.Bundle)
	if err != nil {
		return nil, problem.New(problemv1.Reason_REASON_PLAYBOOK_INVALID,
			"this version does not take playbook %s any more; apply its files with corrections", revision).Because(err)
	}
	models, err := s.modelsInForce(ctx)
	if err != nil {
		return nil, err
	}
	if m := misfit(p, models); m != nil {
		return nil, invalid([]playbook.Mistake{*m})
	}
	a := store.Activation{Revision: revision, At: s.now(), By: rpc.CallerFrom(ctx).String(), Note: req.GetNote(), OnlyIf: &now}
	activated, err := s.store.Activate(ctx, a)
	if err != nil {
		return nil, err
	}
	if !activated && revision != now {
		return nil, problem.New(problemv1.Reason_REASON_WRONG_STATE, "somebody else activated a playbook just now; list them and decide anew")
	}
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	return &scoringv1.RollbackPlaybookResponse{Revision: revision, Warnings: warnings(p, models)}, nil
}

// earlier finds the revision to return to: the one named, by all or the beginning of it, else the
// one before.
func (s *Service) earlier(ctx context.Context, now, named string) (string, error) {
	if named == "" {
		before, err := s.store.Before(ctx, now)
		if err == nil && before == "" {
			err = problem.New(problemv1.Reason_REASON_WRONG_STATE, "no other playbook was ever active")
		}
		return before, err
	}
	return s.findPlaybook(ctx, "revision", named)
}

// findPlaybook finds the revision that a field names by all or the beginning of it.
func (s *Service) findPlaybook(ctx context.Context, field, named string) (string, error) {
	if len(named) < minBeginning {
		return "", problem.Invalid(problem.Violation{Field: field, Description: "give at least the first 8 characters"})
	}
	found, err := s.store.Find(ctx, named)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", problem.NotFound("playbook")
	case len(found) > 1:
		return "", problem.Invalid(problem.Violation{Field: field, Description: "several begin so; give more of it"})
	}
	return found[0], nil
}

// ListPlaybooks answers the revisions, the newest activation first.
func (s *Service) ListPlaybooks(ctx context.Context, req *scoringv1.ListPlaybooksRequest) (*scoringv1.ListPlaybooksResponse, error) {
	most, wrong := pageSize(req.GetPageSize())
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	rows, err := s.store.List(ctx, most, s.now().Add(-refusalFresh))
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.ListPlaybooksResponse{}
	for i, r := range rows {
		p := &scoringv1.Playbook{
			Revision: r.Revision, Active: i == 0, ActivatedAt: timestamppb.New(r.At), ActivatedBy: r.By, Note: r.Note,
		}
		for _, why := range r.Problems {
			p.Problems = append(p.Problems, problem.New(problemv1.Reason_REASON_PLAYBOOK_INVALID, "%s", why).Proto())
		}
		resp.Playbooks = append(resp.Playbooks, p)
	}
	return resp, nil
}

// GetSnapshot hands out the active playbook and the models as they are in force here, or given ones.
func (s *Service) GetSnapshot(ctx context.Context, req *scoringv1.GetSnapshotRequest) (*scoringv1.GetSnapshotResponse, error) {
	if revision := req.GetRevision(); revision != "" {
		stored, err := s.store.Get(ctx, revision)
		if err != nil {
			return nil, err
		}
		models, err := s.past(ctx, req.GetModelRevisions())
		if err != nil {
			return nil, err
		}
		return snapshot(&held{stored: stored, models: models}), nil
	}
	// The database is asked, so that a change reaches the others at once; while it is down the
	// playbook in force here will do.
	err := s.refresh(ctx)
	h := s.held.Load()
	if h == nil {
		if err != nil {
			return nil, err
		}
		if h, err = s.active(ctx); err != nil {
			return nil, err
		}
	}
	// Who knows of no models would be told of them again and again.
	if h.stored.Revision == req.GetKnownRevision() && (req.KnownModelsRevision == nil || req.GetKnownModelsRevision() == h.force) {
		return &scoringv1.GetSnapshotResponse{Revision: h.stored.Revision, ModelsRevision: h.force, Unchanged: true}, nil
	}
	return snapshot(h), nil
}

func snapshot(h *held) *scoringv1.GetSnapshotResponse {
	return &scoringv1.GetSnapshotResponse{
		Revision: h.stored.Revision, Bundle: h.stored.Bundle, Secret: h.stored.Secret, Models: snapshotModels(h.models), ModelsRevision: h.force,
	}
}

func readFiles(sent []*scoringv1.PlaybookFile) (playbook.Files, error) {
	files := make(playbook.Files, len(sent))
	for i, f := range sent {
		if _, twice := files[f.GetPath()]; twice {
			return nil, problem.Invalid(problem.Violation{Field: "files[" + strconv.Itoa(i) + "].path", Description: "stands twice"})
		}
		files[f.GetPath()] = f.GetContent()
	}
	return files, nil
}

func checkNote(note string) error {
	if utf8.RuneCountInString(note) > maxNote {
		return problem.Invalid(problem.Violation{Field: "note", Description: fmt.Sprintf("at most %d characters", maxNote)})
	}
	return nil
}

// check reads a bundle and looks at what only the host knows: whether its time zone exists.
func check(files playbook.Files) (*playbook.Playbook, []playbook.Mistake) {
	p, mistakes := playbook.Read(files)
	if p == nil {
		return nil, mistakes
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil {
		return nil, []playbook.Mistake{{File: "playbook.yaml", Message: "there is no time zone called " + strconv.Quote(p.TimeZone)}}
	}
	return p, nil
}

// invalid is the problem of a bundle with mistakes.
func invalid(mistakes []playbook.Mistake) error {
	p := problem.New(problemv1.Reason_REASON_PLAYBOOK_INVALID, "the playbook has %s; nothing was changed", console.Plural(len(mistakes), "mistake"))
	for _, m := range mistakes[:min(len(mistakes), maxNamed)] {
		field := m.File
		if m.Line > 0 {
			field += ":" + strconv.Itoa(m.Line)
			if m.Column > 0 {
				field += ":" + strconv.Itoa(m.Column)
			}
		}
		p.Violations = append(p.Violations, problem.Violation{Field: field, Description: m.Message})
	}
	return p
}
