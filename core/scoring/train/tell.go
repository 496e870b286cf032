package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// describe fills the report with what is known of the rows before anything is learned.
func (l *learner) describe() {
	r := l.report
	cut := len(l.s.y) * 8 / 10
	share := func(from, to int) float64 {
		won, all := 0.0, 0.0
		for i := from; i < to; i++ {
			won += l.s.weight[i] * l.s.y[i]
			all += l.s.weight[i]
		}
		return won / max(all, 1e-9)
	}
	r.Recent.Early, r.Recent.Late = share(0, cut), share(cut, len(l.s.y))
}

// tell fills the report and the card with what was learned and how good it is.
func (l *learner) tell(c *card.Card, t *table, best *trial) {
	r := l.report
	if t != nil {
		for j := range l.columns {
			col := &r.Columns[l.index[j]]
			col.Used = true
			col.Bins = len(t.parts[j])
			col.Importance = t.importance(j)
		}
		r.Merging = t.cost
	}
	if len(best.rounds) > 0 {
		r.Rounds = best.rounds[best.best]
		for i, n := range best.rounds {
			if len(best.loss) > i && best.from < l.m.rows {
				r.Curve = append(r.Curve, Point{Rounds: n, Loss: best.loss[i]})
			}
		}
		if t != nil && best.from < l.m.rows {
			l.figures(best)
		}
	}
	c.Learned = &card.Learned{
		Rows: r.Rows, Positives: r.Won, Split: r.Split, Unseen: r.Unseen, Held: l.heldCard(), Seed: l.o.Seed,
	}
	for _, col := range r.Columns {
		if reason, ok := l.o.Override[col.Name]; ok {
			c.Learned.Overrides = append(c.Learned.Overrides, card.Override{Column: col.Name, Reason: reason})
		}
	}
	if n := len(l.order); l.o.Time != nil && l.o.TimeText != nil && n > 0 {
		c.Learned.From, c.Learned.To = l.o.TimeText(l.o.Time[l.order[0]]), l.o.TimeText(l.o.Time[l.order[n-1]])
	}
	if l.prior != nil {
		c.Learned.Prior, c.Learned.PriorRows = l.prior.card.Revision(), int64(l.o.PriorRows)
	}
	l.words(c)
	if r.Scaled = t.scaled(); r.Scaled != "" {
		r.Words = append(r.Words, r.Scaled)
	}
}

// reliable is how many bins the calibration error is measured over.
const reliable = 10

// figures assesses what a learner of the older rows said of the newest, calibrated on those between.
func (l *learner) figures(best *trial) {
	parts := l.folds()
	from := parts[len(parts)/2].from
	if len(parts) == 1 {
		from = l.middle(parts[0])
	}
	scores := best.scores[best.best]
	at := from - best.from
	y, w := slices.Clone(l.s.y[best.from:from]), slices.Clone(l.s.weight[best.from:from])
	l.impute(scores[:at], y, w, best.from)
	found := settled(scores[:at], y, w, 0)
	if l.timed {
		found = current(scores[:at], y, w, foretell(scores[:at], y, w), 0)
	}
	for i, score := range scores[at:] {
		row := from + i
		if l.s.weight[row] == 0 {
			continue
		}
		odds := -1.0
		if l.s.odds != nil {
			odds = l.s.odds[row]
		}
		of := row
		if l.seen != nil {
			of = int(l.seen[row])
		}
		l.report.Tested = append(l.report.Tested, TestedRow{l.order[of], score, stated(found, score), odds, l.s.y[row] == 1, l.s.weight[row]})
	}
	if !l.report.judge(l.o.Seed) {
		return
	}
	l.report.Split = card.Split{Column: l.o.TimeColumn, Learn: int64(best.from), Tune: int64(at), Unseen: int64(l.m.rows - from)}
	if l.o.Time != nil && l.o.TimeText != nil && l.all == nil {
		l.report.Split.At = l.o.TimeText(l.o.Time[l.order[from]])
	}
}

// judge measures what was said of the rows tested; false, and none are kept, if no row of them is decided.
func (r *Report) judge(seed uint64) bool {
	s := r.Tested.Decided(nil)
	report, err := assess.Assess(s, assess.Options{Bins: reliable, Seed: seed})
	if err != nil {
		r.Tested = nil
		return false
	}
	r.Unseen = card.Figures{
		Rows: int64(report.Rows), AUC: report.AUC.Value, AUCLow: report.AUC.Low, AUCHigh: report.AUC.High,
		LogLoss: report.LogLoss.Value, Brier: report.Brier.Value,
		CalibrationError: report.Calibration.Error.Value,
	}
	if r.Open > 0 {
		r.Unseen.CalibrationError = assess.CalibrationError(r.Tested.All(nil, nil), reliable, seed).Error.Value
	}
	for _, won := range s.Won {
		if won {
			r.Unseen.Positives++
		}
	}
	return true
}

// stated reads a calibration at a score: a straight line between knots, constant outside.
func stated(found []knot, score float64) float64 {
	if len(found) == 0 {
		return 0.5
	}
	if score <= found[0].score {
		return found[0].chance
	}
	for i := 1; i < len(found); i++ {
		a, b := found[i-1], found[i]
		if score <= b.score {
			return a.chance + (b.chance-a.chance)*(score-a.score)/math.Max(b.score-a.score, 1e-12)
		}
	}
	return found[len(found)-1].chance
}

// words says in sentences what a reader of the report should know.
func (l *learner) words(c *card.Card) {
	r := l.report
	say := func(format string, args ...any) { r.Words = append(r.Words, fmt.Sprintf(format, args...)) }
	if r.Nothing {
		say("There is nothing to learn here: no column tells won from lost beyond chance on rows not learned from. The table gives every row the share won, %.1f %%.", 100*r.BaseRate)
	}
	if len(c.Learned.Overrides) > 0 {
		var names []string
		for _, o := range c.Learned.Overrides {
			names = append(names, o.Column)
		}
		say("Allowed by override: %s.", strings.Join(names, ", "))
	}
	for _, leak := range r.Leaks {
		name := leak.Column
		if leak.Second != "" {
			name += " and " + leak.Second
		}
		say("Suspected leak, %s: %s. Leave it out unless it was known when the decision was made.", name, leak.Why)
	}
	for _, p := range r.Proxies {
		say("%s tells %s (%s) with an area under the curve of %.2f: what %s shall not decide it may in part decide through this column.", p.Column, p.Denied, p.Value, p.Area, p.Denied)
	}
	if r.Copies > 0 {
		say("%d rows are copies of others; what is told by rows not learned from is told without their copies.", r.Copies)
	}
	if r.Mingled {
		say("The rows of one group could not be kept together while learning: nearly all groups have rows in each stretch of time.")
	}
	if r.Open > 0 {
		say("%d rows are still open; they count by their age as partly won, partly lost.", r.Open)
	}
	if gap := r.Recent.Late - r.Recent.Early; l.timed && math.Abs(gap) > 0.02 && math.Abs(gap) > 0.15*r.BaseRate {
		say("The share won moved from %.1f %% to %.1f %% in the newest fifth: calibrate anew from recent outcomes, often.", 100*r.Recent.Early, 100*r.Recent.Late)
	}
	for _, col := range r.Columns {
		if col.Used && len(col.Codes) > 0 {
			say("%s: %s.", col.Name, codeWords(col.Codes))
		}
		if col.Used && col.Capped != "" {
			say("%s drifts (stability index %.2f); its values were capped to those of the newest rows, %s.", col.Name, col.Drift, col.Capped)
		} else if col.Used && col.Drift > moved {
			say("%s drifts (stability index %.2f) but still tells the newest rows; watch it.", col.Name, col.Drift)
		}
	}
	if !l.timed {
		say("Without a column of time the rows were parted at random: the figures say nothing about the future.")
	}
}
