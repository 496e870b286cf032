package scoring

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// pastYear is how far back leads count that a model could be held against.
const pastYear = 365 * 24 * time.Hour

// evidence is what leads of the past tell of a model: its latest backtest that is done, and whether
// there are leads enough to ask for one.
type evidence struct {
	backtest *store.Backtest           // nil: none
	report   *scoringv1.BacktestReport // of it
	fresh    bool                      // it counts yet
	// Leads of the line in the past year that are won or lost; counted only where no fresh backtest has
	// leads enough, and known only where this process can ask.
	known       bool
	closed, won int64
}

// lastBacktest reads the latest backtest of a model that is done; nil for none.
func (s *Service) lastBacktest(ctx context.Context, revision string) (*store.Backtest, *scoringv1.BacktestReport, error) {
	b, err := s.store.LastDoneBacktest(ctx, revision)
	if err != nil || b == nil {
		return nil, nil, err
	}
	report := &scoringv1.BacktestReport{}
	if err := proto.Unmarshal(b.Report, report); err != nil {
		return nil, nil, problem.Internal(fmt.Errorf("decode a report: %w", err))
	}
	return b, report, nil
}

// evidence gathers what leads of the past tell of a model.
func (s *Service) evidence(ctx context.Context, revision string, line lead.Line) (*evidence, error) {
	e := &evidence{}
	var err error
	if e.backtest, e.report, err = s.lastBacktest(ctx, revision); err != nil {
		return nil, err
	}
	now := s.now()
	if b := e.backtest; b != nil {
		oldest := now.Add(-s.rules.BacktestAge)
		e.fresh = !b.StartedAt.Before(oldest) && !b.To.Before(oldest)
	}
	closed, won := e.report.GetWonCount()+e.report.GetLostCount(), e.report.GetWonCount()
	switch {
	case e.fresh && s.rules.enough(closed, won) || s.decided == nil:
		return e, nil
	case e.fresh && !e.backtest.From.After(now.Add(-pastYear)):
		e.known, e.closed, e.won = true, closed, won // it has counted
		return e, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pastLimit)
	defer cancel()
	resp, err := s.decided.CountPastOutcomes(ctx, &routingv1.CountPastOutcomesRequest{
		Line: leadv1.Line(line), From: timestamppb.New(now.Add(-pastYear)), To: timestamppb.New(now),
	})
	if err != nil {
		return nil, err
	}
	e.known, e.closed, e.won = true, resp.GetClosedCount(), resp.GetWonCount()
	return e, nil
}

// enough reports whether so many leads, and wins among them, tell something.
func (r ModelRules) enough(closed, won int64) bool { return closed >= r.MinRows && won >= r.MinWins }

// past judges a model by leads of the past, before it scores leads; against and scorecard name what
// scores the line now, as in store.Backtest.
func (r ModelRules) past(e *evidence, against, scorecard string) []guard {
	b, report := e.backtest, e.report
	needed := fmt.Sprintf("with at least %d leads won or lost, %d of them won", r.MinRows, r.MinWins)
	if e.fresh && r.enough(report.GetWonCount()+report.GetLostCount(), report.GetWonCount()) {
		if b.Against != against || against == "" && b.Scorecard != scorecard || report.GetCurrent() == nil {
			return []guard{{"backtest", "against what does not score the line any more", "against what scores it now: make another", false}}
		}
		return r.compare(b, report)
	}
	figure := "none"
	switch {
	case e.fresh:
		figure = closedWords(report.GetWonCount()+report.GetLostCount(), report.GetWonCount())
	case b != nil:
		figure = "begun " + b.StartedAt.UTC().Format(time.DateOnly) + " on leads received before " + b.To.UTC().Format(time.DateOnly)
	}
	switch {
	case !e.known:
		return []guard{{"backtest", figure, "not required: no past leads are known here", true}}
	case !r.enough(e.closed, e.won):
		return []guard{{"backtest", figure, "not required yet: the line has " + closedWords(e.closed, e.won) + " in the past year; required is one " + needed, true}}
	}
	return []guard{{"backtest", figure, fmt.Sprintf("begun in the last %d days, up to these days, %s; the past year has them", int(r.BacktestAge.Hours()/24), needed), false}}
}

// compare judges by a backtest that counts.
func (r ModelRules) compare(b *store.Backtest, report *scoringv1.BacktestReport) []guard {
	d := report.GetCurrentDifference().GetAuc()
	list := []guard{
		{"backtest", closedWords(report.GetWonCount()+report.GetLostCount(), report.GetWonCount()) + ", begun " + b.StartedAt.UTC().Format(time.DateOnly), "required", true},
		{"AUC beside what scores now, past leads", fmt.Sprintf("%+.4g (%+.4g to %+.4g)", share(d.GetPpm()), share(d.GetLowPpm()), share(d.GetHighPpm())),
			"not surely more than " + decimal(r.MaxLoss) + " worse", share(d.GetHighPpm()) >= -r.MaxLoss},
	}
	return append(list, r.judge(backtestCells(report.GetGroups()), "past leads")...)
}

func closedWords(closed, won int64) string {
	return strconv.FormatInt(closed, 10) + " leads won or lost, " + strconv.FormatInt(won, 10) + " won"
}
