package scoring

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// StartBacktest begins to hold a model against leads decided in the past.
func (s *Service) StartBacktest(ctx context.Context, req *scoringv1.StartBacktestRequest) (*scoringv1.StartBacktestResponse, error) {
	if err := checkNote(req.GetNote()); err != nil {
		return nil, err
	}
	now := s.now()
	b := &store.Backtest{Run: newRun(rpc.CallerFrom(ctx).String(), req.GetNote(), now), From: time.Unix(0, 0), To: now, StartedAt: now}
	if err := readPeriod(req, &b.From, &b.To); err != nil {
		return nil, err
	}
	revision, err := s.findModel(ctx, req.GetRevision())
	if err != nil {
		return nil, err
	}
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.modelBeside(ctx, h.own, revision)
	if err != nil {
		return nil, err
	}
	b.Revision, b.Line, b.Playbook = revision, m.Line, h.stored.Revision
	b.Against, b.Scorecard = h.scorer(m.Line)
	err = s.store.StartBacktest(ctx, b, func(tx pgx.Tx) error { return s.jobs.enqueue(ctx, tx, s.backtests.chore, b.ID) })
	if err != nil {
		return nil, err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "backtest begun", slog.String("backtest", b.ID.String()), slog.String("revision", revision), slog.String("by", b.By))
	return &scoringv1.StartBacktestResponse{Backtest: backtestProto(b)}, nil
}

// readPeriod takes over the period asked for.
func readPeriod(req interface {
	GetFrom() *timestamppb.Timestamp
	GetTo() *timestamppb.Timestamp
}, from, to *time.Time,
) error {
	var wrong []problem.Violation
	read := func(field string, t *timestamppb.Timestamp, to *time.Time) {
		if t == nil {
			return
		}
		if t.CheckValid() != nil {
			wrong = append(wrong, problem.Violation{Field: field, Description: "is no time"})
			return
		}
		*to = t.AsTime()
	}
	read("from", req.GetFrom(), from)
	read("to", req.GetTo(), to)
	if len(wrong) == 0 && !from.Before(*to) {
		wrong = append(wrong, problem.Violation{Field: "from", Description: "must be before the end of the period, which is now if to is left out"})
	}
	if len(wrong) > 0 {
		return problem.Invalid(wrong...)
	}
	return nil
}

// GetBacktest answers how far a backtest is, and its report.
func (s *Service) GetBacktest(ctx context.Context, req *scoringv1.GetBacktestRequest) (*scoringv1.GetBacktestResponse, error) {
	b, err := s.backtests.find(ctx, req.GetBacktestId())
	if err != nil {
		return nil, err
	}
	out := backtestProto(b)
	if b.Report != nil {
		out.Report = &scoringv1.BacktestReport{}
		if err := readReport(b.Report, out.Report); err != nil {
			return nil, err
		}
	}
	return &scoringv1.GetBacktestResponse{Backtest: out}, nil
}

// ListBacktests answers backtests, the latest begun first.
func (s *Service) ListBacktests(ctx context.Context, req *scoringv1.ListBacktestsRequest) (*scoringv1.ListBacktestsResponse, error) {
	most, before, wrong := parsePage(req, "ListBacktests")
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	q := store.BacktestQuery{Before: before, Most: most + 1}
	if req.GetRevision() != "" {
		var err error
		if q.Revision, err = s.findModel(ctx, req.GetRevision()); err != nil {
			return nil, err
		}
	}
	rows, err := s.store.ListBacktests(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &scoringv1.ListBacktestsResponse{}
	resp.Backtests, resp.NextPageToken = pageOf(rows, most, sequence, backtestProto)
	return resp, nil
}

// CancelBacktest ends one that runs. To cancel it again changes nothing.
func (s *Service) CancelBacktest(ctx context.Context, req *scoringv1.CancelBacktestRequest) (*scoringv1.CancelBacktestResponse, error) {
	b, err := s.backtests.cancel(ctx, req.GetBacktestId())
	if err != nil {
		return nil, err
	}
	return &scoringv1.CancelBacktestResponse{Backtest: backtestProto(b)}, nil
}

// backtestProto writes a backtest without its report.
func backtestProto(b *store.Backtest) *scoringv1.Backtest {
	out := &scoringv1.Backtest{
		BacktestId: b.ID.String(), Revision: b.Revision, Line: leadv1.Line(b.Line), PlaybookRevision: b.Playbook,
		State: scoringv1.BacktestState(b.State), To: timestamppb.New(b.To), Note: b.Note, StartedBy: b.By,
		StartedAt: timestamppb.New(b.StartedAt), UpdatedAt: timestamppb.New(b.UpdatedAt),
		AgainstRevision: b.Against,
		ProgressPpm:     b.Progress, LeadCount: b.Leads, EstimatedLeadCount: estimated(b.Leads, b.Progress), Problem: b.Problem,
	}
	if b.From.After(time.Unix(0, 0)) {
		out.From = timestamppb.New(b.From)
	}
	return out
}
