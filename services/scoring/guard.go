package scoring

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// ModelRules bound what a model must be before it scores leads. The zero value has sane bounds.
type ModelRules struct {
	MinAUC              float64 // on rows the model was not learned from; 0: 0.6
	MaxCalibrationError float64 // on the same rows; 0: 0.03
	MinRows             int64   // of these rows; 0: 500
	MinWins             int64   // rows of these that were won; 0: 30
	// Bounds of each brand, region and segment, on these rows and in the backtest. Only what is beyond
	// them beyond chance fails; a group of fewer than 10 wins or losses never does.
	MinGroupAUC              float64 // 0: 0.55
	MaxGroupCalibrationError float64 // 0: 0.08
	// MaxLoss is how much AUC may be lost beside what scores now, on all leads of the backtest and in
	// each group, before it fails; beyond chance too. 0: 0.02.
	MaxLoss float64
	// BacktestAge is how long a backtest counts for who is to become active. 0: 14 days. None is needed
	// while the line has fewer leads won or lost than MinRows, or fewer won than MinWins, in a year.
	BacktestAge time.Duration
	// Measured refuses cards that carry no figures. Without it an expert's table may become a model
	// as it may stand in a playbook.
	Measured bool
	// FourEyes keeps who uploaded a model from promoting it.
	FourEyes bool
}

func (r ModelRules) complete() ModelRules {
	r.MinAUC, r.MaxCalibrationError = cmp.Or(r.MinAUC, 0.6), cmp.Or(r.MaxCalibrationError, 0.03)
	r.MinRows, r.MinWins = cmp.Or(r.MinRows, 500), cmp.Or(r.MinWins, 30)
	r.MinGroupAUC, r.MaxGroupCalibrationError = cmp.Or(r.MinGroupAUC, 0.55), cmp.Or(r.MaxGroupCalibrationError, 0.08)
	r.MaxLoss, r.BacktestAge = cmp.Or(r.MaxLoss, 0.02), cmp.Or(r.BacktestAge, 14*24*time.Hour)
	return r
}

// guard is one figure of a card held against its bound.
type guard struct {
	name, figure, bound string
	held                bool
}

// guards judge a card by the figures it carries.
func (r ModelRules) guards(c *card.Card) []guard {
	var list []guard
	if denied := c.Overridden(); len(denied) > 0 {
		list = append(list, guard{"denied columns", strings.Join(denied, ", "), "none", false})
	}
	if c.Learned == nil || c.Learned.Unseen.Rows == 0 {
		// What was learned is no expert's table, however little it was learned from.
		required := r.Measured || c.Learned != nil && c.Learned.Rows > 0
		bound := "not required: an expert's table"
		if required {
			bound = "required: figures on rows it was not learned from, as leadmesh model train writes them"
		}
		return append(list, guard{"figures", "none", bound, !required})
	}
	f := &c.Learned.Unseen
	list = append(list,
		guard{"AUC", decimal(f.AUC), "at least " + decimal(r.MinAUC), f.AUC >= r.MinAUC},
		guard{"AUC, lower end", decimal(f.AUCLow), "above 0.5, which is guessing", f.AUCLow > 0.5},
		guard{"calibration error", decimal(f.CalibrationError), "at most " + decimal(r.MaxCalibrationError), f.CalibrationError <= r.MaxCalibrationError},
		guard{"unseen rows", strconv.FormatInt(f.Rows, 10), "at least " + strconv.FormatInt(r.MinRows, 10), f.Rows >= r.MinRows},
		guard{"unseen wins", strconv.FormatInt(f.Positives, 10), "at least " + strconv.FormatInt(r.MinWins, 10), f.Positives >= r.MinWins},
	)
	return append(list, r.judge(cardCells(c.Learned.Groups), "unseen rows")...)
}

func holds(list []guard) bool {
	return !slices.ContainsFunc(list, func(g guard) bool { return !g.held })
}

// refused is the problem of a model whose guards do not hold.
func refused(list []guard) error {
	p := problem.New(problemv1.Reason_REASON_MODEL_GUARDS, "the model is not good enough for leads by its figures; nothing was changed")
	for _, g := range list {
		if !g.held {
			p.Violations = append(p.Violations, problem.Violation{Field: g.name, Description: "is " + g.figure + ", must be " + g.bound})
		}
	}
	return p
}

func guardsProto(list []guard) []*scoringv1.ModelGuard {
	out := make([]*scoringv1.ModelGuard, len(list))
	for i, g := range list {
		out[i] = &scoringv1.ModelGuard{Name: g.name, Held: g.held, Figure: g.figure, Bound: g.bound}
	}
	return out
}

func figuresProto(c *card.Card) *scoringv1.ModelFigures {
	if c.Learned == nil || c.Learned.Unseen.Rows == 0 {
		return nil
	}
	f := &c.Learned.Unseen
	return &scoringv1.ModelFigures{
		RowCount: f.Rows, PositiveCount: f.Positives, AucPpm: ppm(f.AUC), AucLowPpm: ppm(f.AUCLow), AucHighPpm: ppm(f.AUCHigh),
		CalibrationErrorPpm: ppm(f.CalibrationError),
	}
}

// ppm writes a share, which a card has between 0 and 1, in millionths.
func ppm(v float64) int32 { return int32(math.Round(v * 1e6)) }

func decimal(v float64) string { return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64) }
