package scoring

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	mostWords   = 50
	mostSuspect = 20  // leaks and proxies
	longestWord = 500 // bytes of a sentence
)

// words is what a report says beside what the learner does.
type words struct {
	enough bool // outcomes to say how good the table is
	// recalibrated says that only chances were found anew
	recalibrated bool
	limits       []string // what became of the limits of the playbook's table
	moved        int32    // points that all leads were moved by so that as many are at some stage as now
	stage        lead.Stage
}

// reportOf says what a training learned from and how good what came out is. The card is given its figures
// by brand.
func reportOf(t *store.Training, g *gathered, c *card.Card, r *train.Report, w words) *scoringv1.TrainingReport {
	out := &scoringv1.TrainingReport{
		LeadCount: t.Leads, LearnedCount: int64(g.frame.Rows), WonCount: g.count(train.Won), LostCount: g.count(train.Lost), ExpiredCount: g.expired,
		OpenCount: g.count(train.Open), UnreadableCount: g.unread,
	}
	if n := len(g.received); n > 0 {
		out.FirstReceivedAt, out.LastReceivedAt = seconds(g.received[0]), seconds(g.received[n-1])
	}
	if len(r.Tested) > 0 {
		g.measure(out, c, r)
	}
	for i := range r.Columns {
		x := &r.Columns[i]
		out.Features = append(out.Features, &scoringv1.TrainingFeature{
			Feature: x.Name, Used: x.Used, Held: short(x.Held), ImportancePoints: int32(math.Round(x.Importance)), MissingPpm: ppm(x.Missing),
			DriftPpm: millionths(x.Drift), AloneAucPpm: ppm(x.Alone),
		})
	}
	slices.SortStableFunc(out.Features, func(a, b *scoringv1.TrainingFeature) int {
		return cmp.Or(cmp.Compare(b.GetImportancePoints(), a.GetImportancePoints()), cmp.Compare(a.GetFeature(), b.GetFeature()))
	})
	for _, x := range r.Leaks[:min(len(r.Leaks), mostSuspect)] {
		out.Leaks = append(out.Leaks, &scoringv1.TrainingLeak{Feature: x.Column, AloneAucPpm: ppm(x.Alone), OthersAucPpm: ppm(x.Others), Why: short(x.Why)})
	}
	for _, x := range r.Proxies[:min(len(r.Proxies), mostSuspect)] {
		out.Proxies = append(out.Proxies, &scoringv1.TrainingProxy{Feature: x.Column, Denied: x.Denied, AucPpm: ppm(x.Area)})
	}
	out.Words = w.say(out, r)
	return out
}

// measure holds what was learned against what decides now on the leads that were kept unseen. Areas are
// of those won or lost; chances are held against all, as wins come later than losses.
func (g *gathered) measure(out *scoringv1.TrainingReport, c *card.Card, r *train.Report) {
	deciding := train.Said(func(row int32) (score, chance float64) { return float64(g.points[row]), float64(g.chances[row]) / 1e6 })
	learned, decided := r.Tested.Decided(nil), r.Tested.Decided(deciding)
	// Beside each other the two are measured on the same outcomes, and each by itself on those that go with
	// its own chances.
	both := []train.Said{nil, deciding}
	learnedAll, decidedAll := r.Tested.All(nil, both), r.Tested.All(deciding, both)
	figures := func(decided, common, own assess.Sample) *scoringv1.BacktestFigures {
		f := figuresOf(common)
		f.Auc = figureOf(assess.AUC(decided))
		f.CalibrationError = figureOf(assess.CalibrationError(own, calibrationBins, trainingSeed).Error)
		return f
	}
	out.Learned, out.Deciding = figures(learned, learnedAll, r.Tested.All(nil, nil)), figures(decided, decidedAll, r.Tested.All(deciding, []train.Said{deciding}))
	out.Difference = differenceOf(decidedAll, learnedAll)
	out.Difference.Auc = figureOf(assess.Compare(decided, learned).AUC)
	out.Split = &scoringv1.TrainingSplit{
		LearnCount: r.Split.Learn, TuneCount: r.Split.Tune, UnseenCount: r.Split.Unseen, MeasuredCount: int64(len(learned.Won)),
		UnseenFrom: seconds(g.received[r.Tested[0].Row]),
	}
	if c.Learned != nil {
		c.Learned.Groups = g.groups(r.Tested)
	}
}

// say is the sentences of a report.
func (w words) say(out *scoringv1.TrainingReport, r *train.Report) []string {
	var list []string
	if w.recalibrated {
		list = append(list, "The points are those of the table that decides now, to the last one; only the chances that go with them were found anew.")
	}
	if !w.enough {
		list = append(list, fmt.Sprintf("%d leads won and %d lost are too few to say how good a table learned from them is: this is the playbook's, moved a little where they speak against it.",
			out.GetWonCount(), out.GetLostCount()))
	}
	if n := out.GetUnreadableCount(); n > 0 {
		list = append(list, fmt.Sprintf("The receipts of %d more leads can not be read; they were left out.", n))
	}
	if out.GetLearnedCount() < out.GetLeadCount() {
		list = append(list, fmt.Sprintf("Of %d leads %d were learned from: an even draw, the same each time, as more need too much memory.", out.GetLeadCount(), out.GetLearnedCount()))
	}
	list = append(list, w.limits...)
	if w.moved != 0 {
		list = append(list, fmt.Sprintf("All points were moved by %.2f, so that as many of these leads are %s as by the table that decides now; the probabilities are what they were.",
			float64(w.moved)/100, w.stage))
	}
	for _, word := range r.Words {
		if len(list) < mostWords {
			list = append(list, short(word))
		}
	}
	return list
}

func short(text string) string {
	if len(text) <= longestWord {
		return text
	}
	cut := longestWord
	for cut > 0 && text[cut]&0xc0 == 0x80 { // within a letter
		cut--
	}
	return text[:cut] + "…"
}

func seconds(unix int64) *timestamppb.Timestamp { return timestamppb.New(time.Unix(unix, 0)) }
