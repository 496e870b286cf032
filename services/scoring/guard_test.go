package scoring_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// learnedCard is a salesCard that says how good it was on 2,000 leads it did not see.
func learnedCard(t *testing.T, base int, change func(*card.Learned)) string {
	t.Helper()
	c, problems := card.Parse([]byte(salesCard(base)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c.Learned = &card.Learned{
		Rows: 10_000, Positives: 900, Split: card.Split{Learn: 6000, Tune: 2000, Unseen: 2000},
		Unseen: card.Figures{Rows: 2000, Positives: 180, AUC: 0.71, AUCLow: 0.68, AUCHigh: 0.74, LogLoss: 0.3, Brier: 0.08, CalibrationError: 0.012},
	}
	if change != nil {
		change(c.Learned)
	}
	return string(c.Marshal())
}

func TestModelGuards(t *testing.T) {
	pool := newPool(t)
	h := newHouse(t, pool)
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	if ok := m.upload(learnedCard(t, 1, nil)); ok.GetState() != validated || ok.GetFigures().GetAucPpm() != 710_000 || len(ok.GetGuards()) != 5 {
		t.Errorf("a good card is %v", ok)
	}
	bad := m.upload(learnedCard(t, 2, func(l *card.Learned) {
		l.Unseen.AUC, l.Unseen.AUCLow, l.Unseen.CalibrationError, l.Unseen.Rows, l.Unseen.Positives = 0.58, 0.49, 0.05, 400, 8
		l.Overrides = []card.Override{{Column: "request_type", Reason: "a try"}}
	}))
	if bad.GetState() != draft {
		t.Errorf("a bad card is %v", bad.GetState())
	}
	_, err := m.s.PromoteModel(m.ctx, &scoringv1.PromoteModelRequest{Revision: bad.GetRevision(), To: shadow})
	wantReason(t, err, problemv1.Reason_REASON_MODEL_GUARDS)
	var named []string
	for _, v := range problem.From(err).Violations {
		named = append(named, v.Field+" "+v.Description)
	}
	want := []string{
		"denied columns is request_type, must be none", "AUC is 0.58, must be at least 0.6", "AUC, lower end is 0.49, must be above 0.5, which is guessing",
		"calibration error is 0.05, must be at most 0.03", "unseen rows is 400, must be at least 500", "unseen wins is 8, must be at least 30",
	}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Error(diff)
	}
	if got := m.get(bad.GetRevision()); got.GetState() != draft || len(got.GetHistory()) != 1 {
		t.Errorf("after the refusal the model is %v", got)
	}

	// Other bounds, other verdicts: those of the moment count, not those of the upload.
	loose := newRuledHouse(t, pool, scoring.ModelRules{MinAUC: 0.55, MaxCalibrationError: 0.1, MinRows: 100, MinWins: 5, Measured: true}).models(t, "anna")
	second := loose.upload(learnedCard(t, 3, func(l *card.Learned) { l.Unseen.AUC = 0.58 }))
	if second.GetState() != validated {
		t.Errorf("by loose bounds it is %v", second)
	}
	_, err = m.s.PromoteModel(m.ctx, &scoringv1.PromoteModelRequest{Revision: second.GetRevision(), To: shadow})
	wantReason(t, err, problemv1.Reason_REASON_MODEL_GUARDS)
	third := m.upload(learnedCard(t, 4, func(l *card.Learned) { l.Unseen.AUC = 0.58 }))
	loose.promote(third.GetRevision(), shadow)
	if got := m.get(third.GetRevision()).GetHistory(); len(got) != 3 || got[1].GetTo() != validated {
		t.Errorf("a draft that holds now went %v", got)
	}
	expert := loose.upload(salesCard(9))
	_, err = loose.s.PromoteModel(loose.ctx, &scoringv1.PromoteModelRequest{Revision: expert.GetRevision(), To: shadow})
	wantReason(t, err, problemv1.Reason_REASON_MODEL_GUARDS)
}

func TestFourEyes(t *testing.T) {
	h := newRuledHouse(t, newPool(t), scoring.ModelRules{FourEyes: true})
	h.apply(t, sample(t), "")
	anna, ben := h.models(t, "anna"), h.models(t, "ben")
	one := anna.upload(salesCard(1))
	_, err := anna.s.PromoteModel(anna.ctx, &scoringv1.PromoteModelRequest{Revision: one.GetRevision(), To: shadow})
	wantReason(t, err, problemv1.Reason_REASON_FOUR_EYES)
	ben.promote(one.GetRevision(), shadow)
	_, err = anna.s.PromoteModel(anna.ctx, &scoringv1.PromoteModelRequest{Revision: one.GetRevision(), To: active})
	wantReason(t, err, problemv1.Reason_REASON_FOUR_EYES)
	ben.promote(one.GetRevision(), active)
	anna.rollback() // whoever is there
}
