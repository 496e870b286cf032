package train

import (
	"fmt"
	"math"
	"sort"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// alone measures how well each column alone tells the newer rows, from shares won by bin among
// the older ones.
func (l *learner) alone() error {
	parts := l.folds()
	known, told := make([][]float64, len(parts)), make([][]float64, len(parts))
	for k, p := range parts {
		var apart bool
		known[k], apart = l.known(p)
		l.report.Mingled = l.report.Mingled || !apart
		told[k] = l.told(p)
	}
	err := l.each(len(l.columns), func(j int) {
		c := &l.m.columns[j]
		sum, weight, late := 0.0, 0.0, 0.5
		for k, p := range parts {
			shares := l.shares(c, known[k])
			scores := make([]float64, p.to-p.from)
			for i := range scores {
				scores[i] = shares[c.codes[p.from+i]]
			}
			a, se := area(scores, l.s.y[p.from:p.to], told[k])
			if se > 0 {
				sum += a / (se * se)
				weight += 1 / (se * se)
				late = a
			}
		}
		r := &l.report.Columns[l.index[j]]
		r.Alone, r.Late = 0.5, late
		if weight > 0 {
			r.Alone = sum / weight
		}
	})
	if err != nil || !l.tick() {
		return ErrCancelled
	}
	return nil
}

// shares is the share won by code among the first rows, by weight, rare codes shrunk to the mean.
func (l *learner) shares(c *coded, weight []float64) []float64 {
	const pull = 10
	won, all := make([]float64, c.bins), make([]float64, c.bins)
	sum, rows := 0.0, 0.0
	for i, w := range weight {
		code := c.codes[i]
		won[code] += w * l.s.y[i]
		all[code] += w
		sum += w * l.s.y[i]
		rows += w
	}
	base := sum / math.Max(rows, 1e-9)
	for code := range won {
		won[code] = (won[code] + pull*base) / (all[code] + pull)
	}
	return won
}

// broadest is the most columns that are searched, which bounds the memory of the sums.
const broadest = 400

// narrow holds back the weakest of very many columns.
func (l *learner) narrow() {
	for len(l.columns) > broadest {
		weak := 0
		for j := range l.columns {
			if l.far(j) < l.far(weak) {
				weak = j
			}
		}
		l.hold(weak, fmt.Sprintf("of more than %d columns it is among those that tell least alone", broadest))
	}
}

// far is how far a column alone is from telling nothing.
func (l *learner) far(j int) float64 { return math.Abs(l.report.Columns[l.index[j]].Alone - 0.5) }

// copies holds back what tells the outcome all but completely alone: it is the outcome in other
// words, unless somebody overrides that.
func (l *learner) copies() {
	for j := len(l.columns) - 1; j >= 0; j-- {
		r := &l.report.Columns[l.index[j]]
		if _, allowed := l.o.Override[r.Name]; r.Alone >= copied && !allowed {
			l.report.Leaks = append(l.report.Leaks, Leak{
				Column: r.Name, Alone: r.Alone,
				Why: fmt.Sprintf("alone it tells won from lost at %.3f: it is the outcome in other words, and was refused", r.Alone),
			})
			l.hold(j, fmt.Sprintf("it looks like a copy of the outcome (area under the curve %.3f alone)", r.Alone))
		}
	}
}

const (
	copied = 0.995
	// tooGood is the area under the curve that honest signals of people's decisions hardly reach alone.
	tooGood = 0.90
	// strong is from where a column alone is looked at more closely.
	strong = 0.80
)

// leaks calls out the columns that tell the outcome suspiciously well. The rules, each with its
// figure on rows not learned from:
//
//  1. alone at least 0.90;
//  2. alone at least 0.80, and more than all other columns together beyond two standard errors;
//  3. alone at least 0.80, and without it all others lose more than 0.05;
//  4. a category of many rows that are nearly all won, where most are not, or nearly all lost,
//     where many are not;
//  5. the difference of two times at least 0.70: something took long because it went well;
//  6. a name of what people or programs write down while they work on a lead, whatever its figure.
func (l *learner) leaks(best *trial) error {
	for j := range l.columns {
		r := &l.report.Columns[l.index[j]]
		leak := Leak{Column: r.Name, Alone: r.Alone, Others: best.auc}
		if r.Alone >= strong && len(l.columns) > 1 {
			t, err := l.try(l.m.without(j), best.set)
			if err != nil {
				return err
			}
			leak.Others = t.auc
		}
		noise := 2 * l.noise(best)
		if pure, ok := l.pure(j); ok {
			leak.Value, leak.Share = pure.Value, pure.Share
		}
		switch {
		case r.Alone >= tooGood:
			leak.Why = fmt.Sprintf("alone it tells won from lost at %.2f, which honest signals hardly reach", r.Alone)
		case r.Alone >= strong && r.Alone > leak.Others+noise:
			leak.Why = fmt.Sprintf("alone it tells won from lost at %.2f, better than all other columns together at %.2f", r.Alone, leak.Others)
		case r.Alone >= strong && best.auc-leak.Others > 0.05:
			leak.Why = fmt.Sprintf("alone it tells won from lost at %.2f, and all others lose %.2f without it", r.Alone, best.auc-leak.Others)
		case leak.Value != "":
			leak.Why = fmt.Sprintf("of the rows with one of its values %.0f %% are won", 100*leak.Share)
		case afterwards(r.Name):
			leak.Why = fmt.Sprintf("its name speaks of what is written while a lead is worked on (alone %.2f)", r.Alone)
		default:
			continue
		}
		l.report.Leaks = append(l.report.Leaks, leak)
	}
	l.report.Leaks = append(l.report.Leaks, l.lasting(best)...)
	sort.SliceStable(l.report.Leaks, func(i, j int) bool { return l.report.Leaks[i].Alone > l.report.Leaks[j].Alone })
	if !l.tick() {
		return ErrCancelled
	}
	return nil
}

// noise is the standard error of a trial's area.
func (l *learner) noise(t *trial) float64 {
	if t.z == 0 {
		return 0
	}
	return math.Abs((t.auc - 0.5) / t.z)
}

// pure finds a category of many rows that are nearly all won or nearly all lost.
func (l *learner) pure(j int) (Leak, bool) {
	b, c := l.columns[j], &l.m.columns[j]
	if b.kind != frame.Category {
		return Leak{}, false
	}
	won, rows := make([]float64, c.bins), make([]float64, c.bins)
	for i, code := range c.codes {
		rows[code]++
		won[code] += l.s.y[i]
	}
	for code := 1; code < c.bins-1; code++ {
		if rows[code] < 100 || rows[code] < 0.03*float64(len(c.codes)) {
			continue
		}
		share := won[code] / rows[code]
		bounds := assess.Wilson(share, rows[code])
		if bounds.Low > 0.92 && share >= 0.95 && l.report.BaseRate < 0.6 || bounds.High < 0.04 && share <= 0.02 && l.report.BaseRate > 0.25 {
			return Leak{Value: b.kept[code-1], Share: share}, true
		}
	}
	return Leak{}, false
}

// working are words, or words in a row or apart, that name what is written while a lead is worked
// on, English and German.
var working = [][]string{
	{"tag"}, {"tags"}, {"disposition"}, {"remark"}, {"remarks"}, {"bemerkung"}, {"notes"}, {"notizen"}, {"gesprächsnotiz"},
	{"lead", "quality"}, {"lead", "profile"}, {"lead", "score"}, {"lead", "grade"}, {"lead", "stage"}, {"lead", "status"}, {"lead", "rating"},
	{"deal", "stage"}, {"deal", "status"}, {"sales", "stage"}, {"opportunity", "stage"},
	{"activity", "index"}, {"activity", "score"}, {"profile", "index"}, {"profile", "score"},
	{"last", "activity"}, {"last", "notable"}, {"last", "modified"}, {"last", "updated"}, {"letzte", "aktivität"},
	{"call", "start"}, {"call", "end"}, {"call", "duration"}, {"call", "length"}, {"duration"}, {"dauer"}, {"gesprächsdauer"},
	{"close", "date"}, {"close", "value"}, {"closed"}, {"won"}, {"lost"}, {"lost", "reason"}, {"contract", "date"}, {"signed"},
	{"abschluss"}, {"abschlussdatum"}, {"verkaufsdatum"}, {"sold"}, {"sale", "date"}, {"order", "date"},
}

// afterwards tells whether the name of a column speaks of what is written while a lead is worked
// on, or after.
func afterwards(name string) bool {
	words := wordsOf(name)
	for _, want := range working {
		all := true
		for _, w := range want {
			all = all && contains(words, []string{w})
		}
		if all {
			return true
		}
	}
	return false
}
