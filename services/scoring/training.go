package scoring

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// StartTraining begins to learn a points table for a line from leads decided in the past.
func (s *Service) StartTraining(ctx context.Context, req *scoringv1.StartTrainingRequest) (*scoringv1.StartTrainingResponse, error) {
	if err := checkNote(req.GetNote()); err != nil {
		return nil, err
	}
	now := s.now()
	t := &store.Training{
		Run: newRun(rpc.CallerFrom(ctx).String(), req.GetNote(), now), Line: lead.Line(req.GetLine()), From: time.Unix(0, 0), To: now,
		Step: store.TrainingReading, StartedAt: now, Recalibrate: req.GetRecalibrate(),
	}
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok || req.GetLine() == leadv1.Line_LINE_UNSPECIFIED {
		return nil, problem.Invalid(problem.Violation{Field: "line", Description: "is required: the line whose table shall be learned, such as LINE_SALES"})
	}
	if err := readPeriod(req, &t.From, &t.To); err != nil {
		return nil, err
	}
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	table, ok := h.own.Scorecards.Lines[t.Line.String()]
	if !ok {
		return nil, wrongState("the active playbook has no scorecard of " + t.Line.String() + " to start from; apply one that has")
	}
	if c, problems := card.FromLine(t.Line.String(), table); c == nil {
		return nil, wrongState("the playbook's table of the line makes no card to start from: " + problems[0].Error())
	}
	t.Playbook = h.stored.Revision
	for i := range h.models {
		if m := &h.models[i]; m.Line == t.Line && !m.Shadow {
			t.Deciding = m.Revision
		}
	}
	err = s.store.StartTraining(ctx, t, func(tx pgx.Tx) error { return s.jobs.enqueue(ctx, tx, s.trainings.chore, t.ID) })
	if err != nil {
		return nil, err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "training begun", slog.String("training", t.ID.String()), slog.String("line", t.Line.String()), slog.String("by", t.By))
	return &scoringv1.StartTrainingResponse{Training: trainingProto(t)}, nil
}

// GetTraining answers how far a training is, and its report.
func (s *Service) GetTraining(ctx context.Context, req *scoringv1.GetTrainingRequest) (*scoringv1.GetTrainingResponse, error) {
	t, err := s.trainings.find(ctx, req.GetTrainingId())
	if err != nil {
		return nil, err
	}
	out := trainingProto(t)
	if t.Report != nil {
		out.Report = &scoringv1.TrainingReport{}
		if err := readReport(t.Report, out.Report); err != nil {
			return nil, err
		}
	}
	return &scoringv1.GetTrainingResponse{Training: out}, nil
}

// ListTrainings answers trainings, the latest begun first.
func (s *Service) ListTrainings(ctx context.Context, req *scoringv1.ListTrainingsRequest) (*scoringv1.ListTrainingsResponse, error) {
	most, before, wrong := parsePage(req, "ListTrainings")
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok {
		wrong = append(wrong, problem.Violation{Field: "line", Description: "is none of ours"})
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	rows, err := s.store.ListTrainings(ctx, store.TrainingQuery{Line: lead.Line(req.GetLine()), Before: before, Most: most + 1})
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.ListTrainingsResponse{}
	resp.Trainings, resp.NextPageToken = pageOf(rows, most, sequence, trainingProto)
	return resp, nil
}

// CancelTraining ends one that runs. To cancel it again changes nothing.
func (s *Service) CancelTraining(ctx context.Context, req *scoringv1.CancelTrainingRequest) (*scoringv1.CancelTrainingResponse, error) {
	t, err := s.trainings.cancel(ctx, req.GetTrainingId())
	if err != nil {
		return nil, err
	}
	return &scoringv1.CancelTrainingResponse{Training: trainingProto(t)}, nil
}

// trainingProto writes a training without its report.
func trainingProto(t *store.Training) *scoringv1.Training {
	out := &scoringv1.Training{
		TrainingId: t.ID.String(), Line: leadv1.Line(t.Line), PlaybookRevision: t.Playbook, DecidingRevision: t.Deciding,
		State: scoringv1.TrainingState(t.State), Step: scoringv1.TrainingStep(t.Step), To: timestamppb.New(t.To), Note: t.Note, StartedBy: t.By,
		StartedAt: timestamppb.New(t.StartedAt), UpdatedAt: timestamppb.New(t.UpdatedAt),
		ProgressPpm: t.Progress / 2, LeadCount: t.Leads, EstimatedLeadCount: t.Leads, Problem: t.Problem, Revision: t.Revision, Recalibrate: t.Recalibrate,
	}
	if t.From.After(time.Unix(0, 0)) {
		out.From = timestamppb.New(t.From)
	}
	switch {
	case t.State == store.Done:
		out.ProgressPpm = wholeProgress
	case t.Step == store.TrainingLearning:
		out.ProgressPpm += wholeProgress / 2
	default:
		out.EstimatedLeadCount = estimated(t.Leads, t.Progress)
	}
	return out
}
