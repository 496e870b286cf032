package scoring

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/playbook"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// StartRescoring begins to score everybody.
func (s *Service) StartRescoring(ctx context.Context, req *scoringv1.StartRescoringRequest) (*scoringv1.StartRescoringResponse, error) {
	if err := checkNote(req.GetNote()); err != nil {
		return nil, err
	}
	if s.profiles == nil {
		return nil, problem.New(problemv1.Reason_REASON_NOT_READY, "this process does not know where Identity is: start it with --peer identity=HOST:PORT")
	}
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	revision := req.GetRevision()
	if revision != "" {
		if revision, err = s.findModel(ctx, revision); err != nil {
			return nil, err
		}
		if _, err := s.modelBeside(ctx, h.playbook, revision); err != nil {
			return nil, err
		}
	}
	r, err := s.beginRescoring(ctx, h, revision, rpc.CallerFrom(ctx).String(), req.GetNote())
	if err != nil {
		return nil, err
	}
	return &scoringv1.StartRescoringResponse{Rescoring: rescoringProto(r)}, nil
}

// beginRescoring keeps a re-scoring by what is in force and has it worked on.
func (s *Service) beginRescoring(ctx context.Context, h *held, revision, by, note string) (*store.Rescoring, error) {
	now := s.now()
	r := &store.Rescoring{
		Run: newRun(by, note, now), Revision: revision, Playbook: h.stored.Revision, Scorer: h.playbook.Scorer(), AsOf: now,
	}
	if err := s.store.StartRescoring(ctx, r, func(tx pgx.Tx) error { return s.jobs.enqueue(ctx, tx, s.rescorings.chore, r.ID) }); err != nil {
		return nil, err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "re-scoring begun", slog.String("rescoring", r.ID.String()), slog.String("by", by))
	return r, nil
}

// GetRescoring answers how far a re-scoring is, and its report.
func (s *Service) GetRescoring(ctx context.Context, req *scoringv1.GetRescoringRequest) (*scoringv1.GetRescoringResponse, error) {
	r, err := s.rescorings.find(ctx, req.GetRescoringId())
	if err != nil {
		return nil, err
	}
	out := rescoringProto(r)
	if r.State == store.Done {
		out.Report = &scoringv1.RescoringReport{}
		if err := readReport(r.Report, out.Report); err != nil {
			return nil, err
		}
	}
	return &scoringv1.GetRescoringResponse{Rescoring: out}, nil
}

// ListRescorings answers re-scorings, the latest begun first.
func (s *Service) ListRescorings(ctx context.Context, req *scoringv1.ListRescoringsRequest) (*scoringv1.ListRescoringsResponse, error) {
	most, before, wrong := parsePage(req, "ListRescorings")
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	rows, err := s.store.ListRescorings(ctx, before, most+1)
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.ListRescoringsResponse{}
	resp.Rescorings, resp.NextPageToken = pageOf(rows, most, sequence, rescoringProto)
	return resp, nil
}

// CancelRescoring ends one that runs. To cancel it again changes nothing.
func (s *Service) CancelRescoring(ctx context.Context, req *scoringv1.CancelRescoringRequest) (*scoringv1.CancelRescoringResponse, error) {
	r, err := s.rescorings.cancel(ctx, req.GetRescoringId())
	if err != nil {
		return nil, err
	}
	return &scoringv1.CancelRescoringResponse{Rescoring: rescoringProto(r)}, nil
}

// rescoringProto writes a re-scoring without its report.
func rescoringProto(r *store.Rescoring) *scoringv1.Rescoring {
	out := &scoringv1.Rescoring{
		RescoringId: r.ID.String(), Revision: r.Revision, PlaybookRevision: r.Playbook, ModelRevisions: playbook.ScorerModels(r.Playbook, r.Scorer),
		AsOf: timestamppb.New(r.AsOf), State: scoringv1.RescoringState(r.State), Note: r.Note, StartedBy: r.By, UpdatedAt: timestamppb.New(r.UpdatedAt),
		ProgressPpm: r.Progress, PersonCount: r.Persons, EstimatedPersonCount: estimated(r.Persons, r.Progress), Problem: r.Problem,
	}
	if !r.Before.IsZero() {
		out.BeforeRescoringId = r.Before.String()
	}
	return out
}
