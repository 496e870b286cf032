package scoring

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/assess"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
)

const (
	maxExamples = 20
	maxBrands   = 20

	calibrationBins = 10
)

// finish writes the report of a backtest whose leads are all scored.
func (s *Service) finish(ctx context.Context, id lead.ID) error {
	t := newTally()
	err := s.store.BacktestParts(ctx, id, func(part []byte) error {
		rows := &scoringv1.BacktestRows{}
		if err := proto.Unmarshal(part, rows); err != nil {
			return problem.Internal(fmt.Errorf("decode scored leads: %w", err))
		}
		return t.add(rows)
	})
	if err != nil {
		return err
	}
	report, err := proto.Marshal(t.finish())
	if err != nil {
		return problem.Internal(err)
	}
	_, err = s.store.ChangeBacktest(ctx, id, func(b *store.Backtest) (*store.BacktestChange, error) {
		if b.State != store.Running {
			return nil, nil
		}
		b.State, b.Report, b.UpdatedAt = store.Done, append([]byte{}, report...), s.now()
		return &store.BacktestChange{}, nil
	})
	return err
}

// tally gathers what a report says.
type tally struct {
	report                  *scoringv1.BacktestReport
	decided, model, current assess.Sample // of leads won and lost, row by row; current has none where a part lacks it
	lacking                 bool          // a part of an earlier version has no current
	brands, regions         names
	brandOf, regionOf       []int32
	segments                []byte
}

func newTally() *tally {
	t := &tally{report: &scoringv1.BacktestReport{}}
	for _, stage := range []lead.Stage{lead.StageConsideration, lead.StageIntent, lead.StageReady} {
		t.report.Thresholds = append(t.report.Thresholds, &scoringv1.BacktestThreshold{Stage: leadv1.Stage(stage)})
	}
	return t
}

// add takes over the leads of a part.
func (t *tally) add(rows *scoringv1.BacktestRows) error {
	n := len(rows.GetOutcomes())
	for _, length := range []int{
		len(rows.GetLeadIds()) / len(lead.ID{}), len(rows.GetDecidedPoints()), len(rows.GetDecidedPpm()), len(rows.GetDecidedStages()),
		len(rows.GetModelPoints()), len(rows.GetModelPpm()), len(rows.GetModelStages()), len(rows.GetBrandOf()),
	} {
		if length != n {
			return uneven(n, length)
		}
	}
	placed, compared := len(rows.GetRegionOf()), len(rows.GetCurrentPpm())
	for _, pair := range [][2]int{{placed, len(rows.GetSegments())}, {compared, len(rows.GetCurrentPoints())}} {
		if pair[0] != pair[1] || pair[0] != 0 && pair[0] != n {
			return uneven(n, pair[0])
		}
	}
	t.lacking = t.lacking || compared < n
	t.report.UnreadableCount += rows.GetUnreadableCount()
	for i, code := range rows.GetOutcomes() {
		outcome := outcome(code)
		id := lead.ID(rows.GetLeadIds()[i*len(lead.ID{}):])
		t.cross(id, rows.GetDecidedStages()[i], rows.GetModelStages()[i])
		t.report.LeadCount++
		switch outcome {
		case outcomeOpen:
			t.report.OpenCount++
			continue
		case outcomeWon:
			t.report.WonCount++
		default:
			t.report.LostCount++
			if outcome == outcomeExpired {
				t.report.ExpiredCount++
			}
		}
		put(&t.decided, rows.GetDecidedPoints()[i], rows.GetDecidedPpm()[i], outcome == outcomeWon)
		put(&t.model, rows.GetModelPoints()[i], rows.GetModelPpm()[i], outcome == outcomeWon)
		t.brandOf = append(t.brandOf, t.brands.number(rows.GetBrands()[rows.GetBrandOf()[i]]))
		region, segments := "", byte(0)
		if placed > 0 {
			region, segments = rows.GetRegions()[rows.GetRegionOf()[i]], rows.GetSegments()[i]
		}
		t.regionOf, t.segments = append(t.regionOf, t.regions.number(region)), append(t.segments, segments)
		if !t.lacking {
			put(&t.current, rows.GetCurrentPoints()[i], rows.GetCurrentPpm()[i], outcome == outcomeWon)
		}
	}
	return nil
}

func uneven(n, length int) error {
	return problem.Internal(fmt.Errorf("scored leads have columns of %d and %d rows", n, length))
}

func put(s *assess.Sample, points, ppm int32, won bool) {
	s.Score, s.Probability, s.Won = append(s.Score, float64(points)), append(s.Probability, float64(ppm)/1e6), append(s.Won, won)
}

// cross counts a lead at every threshold.
func (t *tally) cross(id lead.ID, decided, model byte) {
	for _, x := range t.report.GetThresholds() {
		before, after := int32(decided) >= int32(x.GetStage()), int32(model) >= int32(x.GetStage())
		if before {
			x.DecidedCount++
		}
		if after {
			x.ModelCount++
		}
		switch {
		case after && !before:
			if x.UpCount++; len(x.GetUpLeadIds()) < maxExamples {
				x.UpLeadIds = append(x.UpLeadIds, id.String())
			}
		case before && !after:
			if x.DownCount++; len(x.GetDownLeadIds()) < maxExamples {
				x.DownLeadIds = append(x.DownLeadIds, id.String())
			}
		}
	}
}

// finish works the figures out.
func (t *tally) finish() *scoringv1.BacktestReport {
	if len(t.decided.Won) == 0 {
		return t.report
	}
	t.report.Decided, t.report.Model = figuresOf(t.decided), figuresOf(t.model)
	t.report.Difference = differenceOf(t.decided, t.model)
	if !t.lacking {
		t.report.Current, t.report.CurrentDifference = figuresOf(t.current), differenceOf(t.current, t.model)
		t.report.Groups = t.groups()
	}
	brands := cells(t.brands.list, t.brandOf)
	slices.SortFunc(brands, func(a, b assess.Cell) int {
		return cmp.Or(cmp.Compare(len(b.Rows), len(a.Rows)), cmp.Compare(a.Value, b.Value))
	})
	for _, c := range brands[:min(len(brands), maxBrands)] {
		decided, model := t.decided.Rows(c.Rows), t.model.Rows(c.Rows)
		t.report.Segments = append(t.report.Segments, &scoringv1.BacktestSegment{
			Brand: c.Value, LeadCount: int64(len(c.Rows)), WonCount: wins(decided.Won), Decided: figuresOf(decided), Model: figuresOf(model),
		})
	}
	return t.report
}

func figuresOf(s assess.Sample) *scoringv1.BacktestFigures {
	mean, all := 0.0, 0.0
	for i, p := range s.Probability {
		w := 1.0
		if s.Weight != nil {
			w = s.Weight[i]
		}
		mean += w * p
		all += w
	}
	mean /= max(all, 1e-9)
	return &scoringv1.BacktestFigures{
		Auc: figureOf(assess.AUC(s)), LogLoss: figureOf(assess.LogLoss(s)), Brier: figureOf(assess.Brier(s)),
		CalibrationError: figureOf(assess.CalibrationError(s, calibrationBins, 0).Error), MeanProbabilityPpm: millionths(mean),
	}
}

func figureOf(i assess.Interval) *scoringv1.BacktestFigure {
	return &scoringv1.BacktestFigure{Ppm: millionths(i.Value), LowPpm: millionths(i.Low), HighPpm: millionths(i.High)}
}

// millionths rounds a figure; what does not fit, such as an infinite end of an interval, becomes the
// greatest or least that does.
func millionths(x float64) int32 {
	return int32(min(max(math.Round(x*1e6), math.MinInt32), math.MaxInt32))
}
