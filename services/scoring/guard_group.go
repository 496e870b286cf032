package scoring

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

const (
	// A group of fewer wins or losses tells nothing.
	fewestOfGroup = 10
	// How many groups that tell nothing are named.
	fewNamed = 5
)

// cell is how good a model is on leads that have something in common.
type cell struct {
	by, name             string
	rows, wins           int64
	auc, aucHigh         float64
	calibration, atLeast float64 // the error and the lower end of its interval
	compared             bool    // with what scores now
	difference, atMost   float64 // of AUC, and the upper end of its interval
}

// tells reports whether there are leads enough to judge by.
func (c *cell) tells() bool { return min(c.wins, c.rows-c.wins) >= fewestOfGroup }

// widen makes the ends of intervals hold for several groups at once, at 95 % together (Bonferroni):
// of many groups some would fail by chance alone otherwise.
func (c *cell) widen(groups int) {
	by := math.Sqrt2 * math.Erfinv(1-0.05/float64(max(groups, 1))) / 1.959963984540054
	c.atMost = c.difference + (c.atMost-c.difference)*by
	c.atLeast = max(0, c.calibration-(c.calibration-c.atLeast)*by)
	if c.auc > 0 && c.aucHigh < 1 {
		odds := func(p float64) float64 { return math.Log(p / (1 - p)) }
		c.aucHigh = 1 / (1 + math.Exp(-odds(c.auc)-(odds(c.aucHigh)-odds(c.auc))*by))
	}
}

// judge holds groups against the bounds of a group. What is too few to tell does not fail; on says of
// which leads the figures are.
func (r ModelRules) judge(cells []cell, on string) []guard {
	judged := 0
	for i := range cells {
		if cells[i].tells() {
			judged++
		}
	}
	var list []guard
	for from := 0; from < len(cells); {
		to := from
		for to < len(cells) && cells[to].by == cells[from].by {
			to++
		}
		list = append(list, r.judgeBy(cells[from:to], judged, on)...)
		from = to
	}
	return list
}

// judgeBy is judge for groups of one kind: one guard for all that hold, one for each that does not.
func (r ModelRules) judgeBy(cells []cell, judged int, on string) []guard {
	holding, failing := 0, []guard(nil)
	var few []string
	for _, c := range cells {
		if !c.tells() {
			few = append(few, c.name)
			continue
		}
		c.widen(judged)
		fails := func(figure, bound string) {
			failing = append(failing, guard{fmt.Sprintf("%s %s, %s", c.by, c.name, on), figure, bound, false})
		}
		before := len(failing)
		if c.aucHigh < r.MinGroupAUC {
			fails("AUC "+decimal(c.auc)+", surely below "+decimal(c.aucHigh), "not surely below "+decimal(r.MinGroupAUC))
		}
		if c.atLeast > r.MaxGroupCalibrationError {
			fails("calibration error "+decimal(c.calibration)+", surely above "+decimal(c.atLeast), "not surely above "+decimal(r.MaxGroupCalibrationError))
		}
		if c.compared && c.atMost < -r.MaxLoss {
			fails("AUC "+decimal(-c.difference)+" worse than what scores now, surely more than "+decimal(-c.atMost), "not surely more than "+decimal(r.MaxLoss)+" worse")
		}
		if len(failing) == before {
			holding++
		}
	}
	figure := fmt.Sprintf("%d of %d hold", holding, len(cells)-len(few))
	if len(few) > 0 {
		figure += "; too few to tell: " + strings.Join(few[:min(len(few), fewNamed)], ", ")
		if more := len(few) - fewNamed; more > 0 {
			figure += " and " + strconv.Itoa(more) + " more"
		}
	}
	bound := "AUC " + decimal(r.MinGroupAUC) + ", calibration error " + decimal(r.MaxGroupCalibrationError)
	if slices.ContainsFunc(cells, func(c cell) bool { return c.compared }) {
		bound += ", " + decimal(r.MaxLoss) + " of AUC less than what scores now"
	}
	return append([]guard{{"by " + cells[0].by + ", " + on, figure, bound + "; beyond chance", true}}, failing...)
}

// cardCells are the groups that a card carries.
func cardCells(groups []card.Group) []cell {
	out := make([]cell, len(groups))
	for i := range groups {
		g := &groups[i]
		out[i] = cell{
			by: g.By, name: groupName(g.Value, g.Others), rows: g.Rows, wins: g.Positives, auc: g.AUC, aucHigh: g.AUCHigh,
			calibration: g.CalibrationError, atLeast: g.CalibrationLow,
		}
	}
	return inKinds(out)
}

// backtestCells are the groups of a backtest.
func backtestCells(groups []*scoringv1.BacktestGroup) []cell {
	out := make([]cell, len(groups))
	for i, g := range groups {
		auc, calibration, difference := g.GetModel().GetAuc(), g.GetModel().GetCalibrationError(), g.GetDifference().GetAuc()
		out[i] = cell{
			by: g.GetBy(), name: groupName(g.GetValue(), g.GetOthers()), rows: g.GetLeadCount(), wins: g.GetWonCount(),
			auc: share(auc.GetPpm()), aucHigh: share(auc.GetHighPpm()), calibration: share(calibration.GetPpm()), atLeast: share(calibration.GetLowPpm()),
			compared: true, difference: share(difference.GetPpm()), atMost: share(difference.GetHighPpm()),
		}
	}
	return inKinds(out)
}

// inKinds puts groups of one kind together, the kinds in the order of their first group.
func inKinds(cells []cell) []cell {
	place := map[string]int{}
	for i := range cells {
		if _, ok := place[cells[i].by]; !ok {
			place[cells[i].by] = len(place)
		}
	}
	slices.SortStableFunc(cells, func(a, b cell) int { return place[a.by] - place[b.by] })
	return cells
}

// groupName is what people call a group.
func groupName(value string, others int64) string {
	switch {
	case others > 0:
		return fmt.Sprintf("%d others", others)
	case value == "":
		return "not known"
	}
	return value
}

func share(ppm int32) float64 { return float64(ppm) / 1e6 }
