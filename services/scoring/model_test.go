package scoring_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/playbook"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// salesCard is an expert's card: so many points for everybody, some more for a test drive, and tracked
// behaviour.
func salesCard(base int) string {
	return fmt.Sprintf(`target: {line: SALES}
base: %d
rows:
  - feature: request_type
    kind: category
    bins:
      - {values: [TEST_DRIVE], points: 30}
      - {else: yes, points: 0}
  - feature: page_view.count
    kind: number
    bins:
      - {below: 1, missing: yes, points: 40}
      - {else: yes, points: 45}
calibration: [{points: 0, chance: 1 %%}, {points: 100, chance: 50 %%}]
`, base)
}

// models calls ModelService as somebody.
type models struct {
	t   *testing.T
	s   *scoring.Service
	ctx context.Context
}

func (h *house) models(t *testing.T, name string) models {
	return models{t, h.service, rpc.WithCaller(t.Context(), rpc.Caller{Name: name, Roles: []rpc.Role{rpc.RoleMOPS}})}
}

func (m models) upload(text string) *scoringv1.Model {
	m.t.Helper()
	resp, err := m.s.UploadModel(m.ctx, &scoringv1.UploadModelRequest{Text: text, Note: "as learned"})
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.GetModel()
}

func (m models) promote(revision string, to ...scoringv1.ModelState) *scoringv1.PromoteModelResponse {
	m.t.Helper()
	var resp *scoringv1.PromoteModelResponse
	for _, state := range to {
		var err error
		if resp, err = m.s.PromoteModel(m.ctx, &scoringv1.PromoteModelRequest{Revision: revision, To: state, Note: "looks good"}); err != nil {
			m.t.Fatal(err)
		}
	}
	return resp
}

func (m models) get(revision string) *scoringv1.Model {
	m.t.Helper()
	resp, err := m.s.GetModel(m.ctx, &scoringv1.GetModelRequest{Revision: revision})
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.GetModel()
}

func (m models) rollback() *scoringv1.RollbackModelResponse {
	m.t.Helper()
	resp, err := m.s.RollbackModel(m.ctx, &scoringv1.RollbackModelRequest{Line: leadv1.Line_LINE_SALES, Note: "too hot"})
	if err != nil {
		m.t.Fatal(err)
	}
	return resp
}

// scored is the score of a test drive.
func (m models) scored() *leadv1.Score {
	m.t.Helper()
	resp, err := m.s.Score(m.ctx, &scoringv1.ScoreRequest{Lead: testDrive()})
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.GetScore()
}

const (
	draft     = scoringv1.ModelState_MODEL_STATE_DRAFT
	validated = scoringv1.ModelState_MODEL_STATE_VALIDATED
	shadow    = scoringv1.ModelState_MODEL_STATE_SHADOW
	active    = scoringv1.ModelState_MODEL_STATE_ACTIVE
	retired   = scoringv1.ModelState_MODEL_STATE_RETIRED
)

func TestModelLife(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	own := m.scored()

	one := m.upload(salesCard(12))
	if one.GetState() != validated || one.GetUploadedBy() != "anna" || one.GetLine() != leadv1.Line_LINE_SALES || one.GetScorecardChanged() {
		t.Errorf("uploaded as %v", one)
	}
	if again, err := m.s.UploadModel(m.ctx, &scoringv1.UploadModelRequest{Text: "# a remark\n" + salesCard(12)}); err != nil || !again.GetUnchanged() || again.GetModel().GetNote() != "as learned" {
		t.Errorf("uploaded again: %v, %v", again, err)
	}
	_, err := m.s.PromoteModel(m.ctx, &scoringv1.PromoteModelRequest{Revision: one.GetRevision(), To: active})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)

	m.promote(one.GetRevision()[:8], shadow)
	if diff := cmp.Diff(own.String(), m.scored().String()); diff != "" {
		t.Errorf("a shadow decides: %s", diff)
	}
	if r := m.promote(one.GetRevision(), active); r.GetRetiredRevision() != "" || r.GetModel().GetState() != active {
		t.Errorf("promoted: %v", r)
	}
	// 12 and 30; what is tracked gives nothing without consent to profiling, not even when missing.
	s := m.scored()
	if s.GetPoints() != 4200 || s.GetModelRevision() != one.GetRevision() || s.GetProbabilityPpm() != 215_800 || own.GetModelRevision() != "" {
		t.Errorf("the model scores %v", s)
	}

	two := m.upload(salesCard(13))
	if r := m.promote(two.GetRevision(), shadow, active); r.GetRetiredRevision() != one.GetRevision() || m.get(one.GetRevision()).GetState() != retired {
		t.Errorf("promoted over another: %v", r)
	}
	if back := m.rollback(); back.GetModel().GetRevision() != one.GetRevision() || back.GetRetiredRevision() != two.GetRevision() {
		t.Errorf("rolled back: %v", back)
	}
	if s := m.scored(); s.GetPoints() != 4200 {
		t.Errorf("after the rollback the model scores %v", s)
	}
	if back := m.rollback(); back.GetModel() != nil || back.GetRetiredRevision() != one.GetRevision() {
		t.Errorf("rolled back to the playbook's table: %v", back)
	}
	if diff := cmp.Diff(own.String(), m.scored().String()); diff != "" {
		t.Errorf("after both rollbacks: %s", diff)
	}
	_, err = m.s.RollbackModel(m.ctx, &scoringv1.RollbackModelRequest{Line: leadv1.Line_LINE_SALES})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	if words := problem.From(err).Error(); !strings.Contains(words, "nothing to roll back: the playbook's table scores this line") {
		t.Errorf("after both rollbacks: %q", words) // models were active before
	}

	// Retiring the active model can be taken back too.
	m.promote(two.GetRevision(), shadow, active)
	if _, err := m.s.RetireModel(m.ctx, &scoringv1.RetireModelRequest{Revision: two.GetRevision(), Note: "no"}); err != nil {
		t.Fatal(err)
	}
	if s := m.scored(); s.GetModelRevision() != "" {
		t.Errorf("a retired model scores %v", s)
	}
	if back := m.rollback(); back.GetModel().GetRevision() != two.GetRevision() {
		t.Errorf("rolled back a retirement: %v", back)
	}
	var history []string
	for _, c := range m.get(two.GetRevision()).GetHistory() {
		history = append(history, fmt.Sprintf("%d>%d %s: %s", c.GetFrom(), c.GetTo(), c.GetChangedBy(), c.GetNote()))
		if len(c.GetPlaybookRevision()) != 64 {
			t.Errorf("no playbook in %v", c)
		}
	}
	want := []string{
		"5>4 anna: too hot", "4>5 anna: no", "3>4 anna: looks good", "5>3 anna: looks good", "4>5 anna: too hot", "3>4 anna: looks good", "2>3 anna: looks good", "0>2 anna: as learned",
	}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Error(diff)
	}
}

func TestModelMistakes(t *testing.T) {
	h := newHouse(t, newPool(t))
	m := h.models(t, "anna")
	_, err := m.s.UploadModel(m.ctx, &scoringv1.UploadModelRequest{Text: salesCard(12)})
	wantReason(t, err, problemv1.Reason_REASON_NOT_READY)
	h.apply(t, sample(t), "")
	good := salesCard(12)
	for _, c := range []struct {
		name, text, field, want string
		line                    leadv1.Line
	}{
		{"no card", " ", "text", "is required", 0},
		{"no YAML", "base: [", "text:1", "is no YAML", 0},
		{"an unknown key", strings.Replace(good, "base: 12", "base: 12\nbaze: 1", 1), "text:3:1", "baze", 0},
		{"a denied feature", strings.Replace(good, "page_view.count", "age", 1), "text:9:5", "leads have no feature", 0},
		{"another denied feature", strings.Replace(good, "page_view.count", "Gender", 1), "text:9:5", "leads have no feature", 0},
		{"no line", strings.Replace(good, "{line: SALES}", "{column: won}", 1), "text", "which line", 0},
		{"another line", good, "text", "is SALES, the card is to score SERVICE", leadv1.Line_LINE_SERVICE},
		{"no such line", good, "line", "none of ours", 99},
	} {
		_, err := m.s.UploadModel(m.ctx, &scoringv1.UploadModelRequest{Text: c.text, Line: c.line})
		p := problem.From(err)
		if p == nil || len(p.Violations) == 0 || p.Violations[0].Field != c.field || !strings.Contains(p.Violations[0].Description, c.want) {
			t.Errorf("%s: %v", c.name, p)
		}
	}
	// A card that names no line is one of the line that is given.
	named, err := m.s.UploadModel(m.ctx, &scoringv1.UploadModelRequest{
		Text: strings.Replace(good, "{line: SALES}", "{column: won}", 1), Line: leadv1.Line_LINE_SERVICE,
	})
	if err != nil || named.GetModel().GetLine() != leadv1.Line_LINE_SERVICE {
		t.Errorf("a card for a line: %v, %v", named, err)
	}
	_, err = m.s.UploadModel(m.ctx, &scoringv1.UploadModelRequest{Text: strings.Replace(good, "{line: SALES}", "{column: won}", 1), Line: leadv1.Line_LINE_SALES})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	for _, call := range []func() error{
		func() error {
			_, err := m.s.GetModel(m.ctx, &scoringv1.GetModelRequest{Revision: strings.Repeat("0", 64)})
			return err
		},
		func() error {
			_, err := m.s.RetireModel(m.ctx, &scoringv1.RetireModelRequest{Revision: "00000000"})
			return err
		},
	} {
		wantReason(t, call(), problemv1.Reason_REASON_NOT_FOUND)
	}
	for _, call := range []func() error{
		func() error {
			_, err := m.s.PromoteModel(m.ctx, &scoringv1.PromoteModelRequest{Revision: named.GetModel().GetRevision(), To: retired})
			return err
		},
		func() error {
			_, err := m.s.GetModel(m.ctx, &scoringv1.GetModelRequest{Revision: "abc"})
			return err
		},
		func() error {
			_, err := m.s.RollbackModel(m.ctx, &scoringv1.RollbackModelRequest{})
			return err
		},
		func() error {
			_, err := m.s.ListModels(m.ctx, &scoringv1.ListModelsRequest{PageToken: "AAAA", PageSize: -1, Line: 77, State: 9})
			return err
		},
		func() error {
			_, err := m.s.UploadModel(m.ctx, &scoringv1.UploadModelRequest{Text: good, Note: strings.Repeat("x", 501)})
			return err
		},
	} {
		wantReason(t, call(), problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
}

func TestListModels(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	var want []string
	for i := range 5 {
		want = append([]string{m.upload(salesCard(i)).GetRevision()}, want...)
	}
	m.promote(want[2], shadow)
	m.upload(strings.Replace(salesCard(7), "SALES", "SERVICE", 1))
	var got []string
	req := &scoringv1.ListModelsRequest{Line: leadv1.Line_LINE_SALES, PageSize: 2}
	for pages := 0; ; pages++ {
		resp, err := m.s.ListModels(m.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range resp.GetModels() {
			got = append(got, x.GetRevision())
			if x.GetText() != "" || len(x.GetGuards()) == 0 {
				t.Errorf("listed as %v", x)
			}
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	resp, err := m.s.ListModels(m.ctx, &scoringv1.ListModelsRequest{State: shadow})
	if err != nil || len(resp.GetModels()) != 1 || resp.GetModels()[0].GetRevision() != want[2] {
		t.Errorf("shadows: %v, %v", resp, err)
	}
}

func TestDiffModel(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	one, two := m.upload(salesCard(12)).GetRevision(), m.upload(strings.Replace(salesCard(13), "points: 30", "points: 31", 1)).GetRevision()
	diff := func(revision, with string) *scoringv1.DiffModelResponse {
		t.Helper()
		resp, err := m.s.DiffModel(m.ctx, &scoringv1.DiffModelRequest{Revision: revision, With: with})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	between := diff(two, one)
	if len(between.GetFields()) != 1 || len(between.GetPoints()) != 1 || between.GetPoints()[0].GetBefore() != 3000 || between.GetPoints()[0].GetAfter() != 3100 {
		t.Errorf("between two models: %v", between)
	}
	if d := diff(one, one); len(d.GetFields())+len(d.GetPoints()) != 0 {
		t.Errorf("a model against itself: %v", d)
	}
	own := diff(one, "")
	gone := 0
	for _, p := range own.GetPoints() {
		if p.GetGone() {
			gone++
		}
	}
	if gone == 0 || len(own.GetFields()) == 0 {
		t.Errorf("against the playbook's table: %v", own)
	}
	_, err := m.s.DiffModel(m.ctx, &scoringv1.DiffModelRequest{Revision: one, With: "ffffffff"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
}

// A line has one active and one shadow model, whoever promotes at the same time; the schema holds it.
func TestOneModelOfAKind(t *testing.T) {
	pool := newPool(t)
	h := newHouse(t, pool)
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	var list []string
	for i := range 4 {
		list = append(list, m.upload(salesCard(i)).GetRevision())
	}
	var wg sync.WaitGroup
	for _, revision := range list {
		wg.Go(func() {
			for _, to := range []scoringv1.ModelState{shadow, active} {
				_, err := m.s.PromoteModel(m.ctx, &scoringv1.PromoteModelRequest{Revision: revision, To: to})
				if p := problem.From(err); p != nil && p.Reason != problemv1.Reason_REASON_WRONG_STATE {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	states := map[scoringv1.ModelState]int{}
	for _, revision := range list {
		states[m.get(revision).GetState()]++
	}
	if states[active] != 1 || states[shadow] > 1 {
		t.Errorf("the models are %v", states)
	}
	for _, state := range []int{3, 4} {
		if _, err := pool.Exec(t.Context(), `UPDATE model SET state = $1`, state); err == nil {
			t.Errorf("four models of a line in state %d", state)
		}
	}
}

// A playbook with another scorecard of the line warns, and the model stays until it is promoted anew
// or retired; one that the model does not fit is refused.
func TestPlaybookBesideAModel(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	one := m.upload(salesCard(12))
	m.promote(one.GetRevision(), shadow, active)
	warned := func(files playbook.Files) int {
		t.Helper()
		checked, err := h.scoring.CheckPlaybook(t.Context(), &scoringv1.CheckPlaybookRequest{Files: send(files)})
		if err != nil {
			t.Fatal(err)
		}
		applied := h.apply(t, files, "")
		if diff := cmp.Diff(checked.GetWarnings(), applied.GetWarnings()); diff != "" {
			t.Errorf("checked and applied warn of different things: %s", diff)
		}
		for _, w := range applied.GetWarnings() {
			if !strings.Contains(w, one.GetRevision()[:12]) || !strings.Contains(w, "SALES") {
				t.Errorf("warned: %s", w)
			}
		}
		return len(applied.GetWarnings())
	}
	if n := warned(changed(sample(t), "elsewhere")); n != 0 {
		t.Errorf("%d warnings of a change elsewhere", n)
	}
	other := sample(t)
	other["scoring/sales.yaml"] = []byte(strings.Replace(string(other["scoring/sales.yaml"]), "\nbase: 15\n", "\nbase: 16\n", 1))
	if n := warned(other); n != 1 {
		t.Errorf("%d warnings of another scorecard", n)
	}
	if s := m.scored(); s.GetModelRevision() != one.GetRevision() || s.GetPoints() != 4200 || !m.get(one.GetRevision()).GetScorecardChanged() {
		t.Errorf("the model does not go on: %v", s)
	}
	m.promote(one.GetRevision(), active)
	if n := warned(other); n != 0 || m.get(one.GetRevision()).GetScorecardChanged() {
		t.Errorf("%d warnings after it was promoted anew", n)
	}
	if back := m.rollback(); back.GetModel() != nil { // promoting anew is no second reign
		t.Errorf("rolled back to %v", back)
	}
	m.promote(one.GetRevision(), shadow)
	without := sample(t)
	delete(without, "scoring/sales.yaml")
	for name, content := range without {
		without[name] = []byte(strings.ReplaceAll(string(content), "line: SALES", "line: SERVICE"))
	}
	checked, err := h.scoring.CheckPlaybook(t.Context(), &scoringv1.CheckPlaybookRequest{Files: send(without)})
	if err != nil || len(checked.GetMistakes()) == 0 {
		t.Errorf("a playbook without the model's line: %v, %v", checked, err)
	}
	_, err = h.scoring.ApplyPlaybook(t.Context(), &scoringv1.ApplyPlaybookRequest{Files: send(without)})
	wantReason(t, err, problemv1.Reason_REASON_PLAYBOOK_INVALID)
}
