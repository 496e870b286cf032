package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/audit"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
)

// A quote that somebody asked for has 61 points by this model, whoever sends it: READY by the sample's
// stages.
const salesModel = `target: {line: SALES}
base: 60
rows:
  - feature: request_type
    kind: category
    bins:
      - {values: [QUOTE], points: 0.25}
      - {else: yes, points: 0}
pairs:
  - first: {feature: request_type, kind: category, parts: [{values: [QUOTE]}, {else: yes}]}
    second: {feature: trigger, kind: category, parts: [{values: [no]}, {else: yes}]}
    points: [[0.75, 0], [0, 0]]
calibration: [{points: 0, chance: 1 %}, {points: 100, chance: 50 %}]
`

// TestModels takes a model through its life while leads come in.
func TestModels(t *testing.T) {
	if testing.Short() {
		t.Skip("starts whole houses")
	}
	t.Run("two replicas", func(t *testing.T) {
		a := inProcess(t, nil)
		b := inProcess(t, func(c *house.Config) { c.DatabaseURL = a.db })
		b.db = a.db
		liveModel(t, a, b)
		modelByCommand(t, a)
	})
	t.Run("five processes", func(t *testing.T) { liveModel(t, fiveProcesses(t)) })
}

// liveModel uploads a model, makes it the shadow and the active one, changes the playbook beside it and
// rolls back. Nobody who sends a lead meanwhile is refused.
func liveModel(t *testing.T, replicas ...*world) {
	w := replicas[0]
	l := newLoad(replicas...)
	l.calm = 4
	l.start(t, []string{"lead", "batch"})
	l.flows(t, 10)

	n := 0
	next := func(w *world) *capturev1.LeadResult {
		n++
		return submit(t, w, person(fmt.Sprintf("model-%d", n), fmt.Sprintf("Mika%c%c", 'a'+n/26, 'a'+n%26), "80205", ""))
	}
	kept := func(w *world, id string) *leadv1.Decision {
		t.Helper()
		r := &capturev1.GetLeadResponse{}
		w.get(t, "oem", "/v1/leads/"+id, r)
		return r.GetDecision()
	}
	scoredBy := func(revision string) (leads []*capturev1.LeadResult) {
		t.Helper()
		begin := time.Now()
		for i, w := range replicas {
			eventually(t, patience, "a replica scores by "+revision, func() bool {
				r := next(w)
				leads = append(leads[:i], r)
				return r.GetDecision().GetScore().GetModelRevision() == revision
			})
		}
		t.Logf("every replica scores by %.8q after %v", revision, time.Since(begin).Round(time.Millisecond))
		return leads
	}
	model := func(revision string) *scoringv1.Model {
		t.Helper()
		r := &scoringv1.GetModelResponse{}
		w.get(t, "ops", "/v1/models/"+revision, r)
		return r.GetModel()
	}
	promote := func(revision, to string) {
		t.Helper()
		r := &scoringv1.PromoteModelResponse{}
		w.post(t, "ops", "/v1/models/"+revision+":promote", `{"to":"MODEL_STATE_`+to+`","note":"e2e"}`, r)
		if got := r.GetModel().GetState().String(); got != "MODEL_STATE_"+to {
			t.Fatalf("promoted to %s, not %s", got, to)
		}
	}

	before := scoredBy("")[0]
	up := &scoringv1.UploadModelResponse{}
	w.post(t, "ops", "/v1/models", body(t, &scoringv1.UploadModelRequest{Text: salesModel, Note: "by hand"}), up)
	revision := up.GetModel().GetRevision()
	promote(revision, "SHADOW")
	eventually(t, patience, "the shadow counts leads", func() bool {
		s := model(revision).GetShadow()
		return s.GetLeadCount() > 5 && s.GetChangedCount() > 0
	})
	beside := scoredBy("")[0]
	if a, b := before.GetDecision().GetScore(), beside.GetDecision().GetScore(); a.GetPoints() != b.GetPoints() || a.GetPoints() == 6100 {
		t.Errorf("beside a shadow a quote has %d points, had %d", b.GetPoints(), a.GetPoints())
	}

	promote(revision, "ACTIVE")
	by := scoredBy(revision)
	for i, w := range replicas {
		d := by[i].GetDecision()
		if d.GetScore().GetPoints() != 6100 || d.GetScore().GetStage() != leadv1.Stage_STAGE_READY || d.GetPlaybookRevision() != before.GetDecision().GetPlaybookRevision() {
			t.Errorf("by the model: %v", d.GetScore())
		}
		explains(t, kept(w, by[i].GetLeadId()), d, 6000)
	}
	if got := scorerOf(t, w, by[0].GetLeadId()); got != revision {
		t.Errorf("the receipt names %q", got)
	}
	if got := scorerOf(t, w, before.GetLeadId()); got != before.GetDecision().GetPlaybookRevision() {
		t.Errorf("the receipt from before names %q", got)
	}

	// Another scorecard beside it: a warning, and the model goes on.
	applied := &scoringv1.ApplyPlaybookResponse{}
	w.post(t, "ops", "/v1/playbooks:apply", body(t, &scoringv1.ApplyPlaybookRequest{
		Files: edit(t, samplePlaybook(t), "scoring/sales.yaml", "\nbase: 15\n", "\nbase: 16\n"), Note: "summer",
	}), applied)
	if len(applied.GetWarnings()) != 1 || !model(revision).GetScorecardChanged() {
		t.Errorf("warned of %q", applied.GetWarnings())
	}
	eventually(t, patience, "the playbook is taken up beside the model", func() bool {
		d := next(w).GetDecision()
		return d.GetPlaybookRevision() == applied.GetRevision() && d.GetScore().GetModelRevision() == revision
	})

	back := &scoringv1.RollbackModelResponse{}
	w.post(t, "ops", "/v1/models:rollback", `{"line":"LINE_SALES","note":"that was enough"}`, back)
	if back.GetModel() != nil || back.GetRetiredRevision() != revision {
		t.Errorf("rolled back: %v", back)
	}
	after := scoredBy("")[0]
	if a, b := before.GetDecision().GetScore(), after.GetDecision().GetScore(); a.GetPoints()+100 != b.GetPoints() {
		t.Errorf("after the rollback a quote has %d points, had %d, and the base is one point more", b.GetPoints(), a.GetPoints())
	}

	// Whatever has changed since, each decision is explained by what made it, on every replica, and
	// replays.
	for _, w := range replicas {
		explains(t, kept(w, before.GetLeadId()), before.GetDecision(), 1500)
		explains(t, kept(w, by[0].GetLeadId()), by[0].GetDecision(), 6000)
		explains(t, kept(w, after.GetLeadId()), after.GetDecision(), 1600)
	}
	l.flows(t, 10)
	l.halt()
	for code, n := range l.codes {
		if code != http.StatusOK && code != http.StatusAccepted {
			t.Errorf("%d submissions were answered %d", n, code)
		}
	}
	for _, what := range l.wrong {
		t.Error(what)
	}
	auditClean(t, w)
	pool, err := audit.Open(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, r := range []*capturev1.LeadResult{before, by[0], after} {
		id, err := lead.ParseID(r.GetLeadId())
		if err != nil {
			t.Fatal(err)
		}
		attempts, err := audit.Replay(t.Context(), pool, id)
		if err != nil || len(attempts) != 1 || attempts[0].Err != nil || string(attempts[0].Stored) != string(attempts[0].Replayed) {
			t.Errorf("%s does not replay: %v", id, err)
		}
	}
	forged(t, w, revision)
}

// forged has the audit find decisions whose points are not those of the model they cite.
func forged(t *testing.T, w *world, revision string) {
	t.Helper()
	db := w.database(t)
	found := func() int {
		report, err := audit.Run(t.Context(), w.db, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if f.Check == "scored_by_model" {
				return f.Count
			}
		}
		t.Fatal("the audit does not score again")
		return 0
	}
	db.exec(t, `UPDATE scoring.model SET card = replace(card, 'base: 60', 'base: 59') WHERE revision = $1`, revision)
	if found() == 0 {
		t.Error("the audit takes another table for the model's")
	}
	db.exec(t, `UPDATE scoring.model SET card = replace(card, 'base: 59', 'base: 60') WHERE revision = $1`, revision)
	if n := found(); n != 0 {
		t.Errorf("%d decisions do not have their model's points", n)
	}
}

// scorerOf is the model that a lead's receipt names.
func scorerOf(t *testing.T, w *world, leadID string) string {
	t.Helper()
	code, raw := w.call(t, "oem", http.MethodGet, "/v1/leads/"+leadID+"/receipt", nil, "")
	var answer struct {
		Receipt struct {
			Model string `json:"model_revision"`
		} `json:"receipt"`
	}
	if code != http.StatusOK || json.Unmarshal(raw, &answer) != nil {
		t.Fatalf("receipt answered %d: %s", code, raw)
	}
	return answer.Receipt.Model
}

// modelByCommand does the same with leadmesh models.
func modelByCommand(t *testing.T, w *world) {
	file := filepath.Join(t.TempDir(), "model.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(salesModel, "base: 60", "base: 50", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want string, args ...string) string {
		t.Helper()
		out, err := exec.Command(binary(t), append(append([]string{"models"}, args...), "--grpc", w.addr)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("models %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	revision := run("validated of SALES", "upload", file, "--note", "by command")[:12]
	run("shadow of SALES", "promote", revision, "--to", "shadow")
	modelReport(t, w, revision)
	if out := run("active of SALES", "promote", revision, "--to", "active", "--note", "go"); !strings.Contains(out, "not required yet") {
		t.Errorf("promoted with %s", out)
	}
	run(revision, "list", "--line", "sales", "--state", "active")
	run("as a shadow since", "show", revision)
	run("base: 50", "show", revision, "--card")
	run("base", "diff", revision)
	report := run("done", "backtest", revision, "--wait", "--note", "by command")
	list := &scoringv1.ListBacktestsResponse{}
	w.get(t, "ops", "/v1/backtests?revision="+revision, list)
	if n := len(list.GetBacktests()); n != 1 || list.GetBacktests()[0].GetLeadCount() < 10 {
		t.Fatalf("backtests: %v", list)
	}
	done := &scoringv1.GetBacktestResponse{}
	w.get(t, "ops", "/v1/backtests/"+list.GetBacktests()[0].GetBacktestId(), done)
	if r := done.GetBacktest().GetReport(); !strings.Contains(report, fmt.Sprintf("%d leads: 0 won, 0 lost", r.GetLeadCount())) || r.GetOpenCount() != r.GetLeadCount() || r.GetThresholds()[1].GetModelCount() != r.GetLeadCount() {
		t.Errorf("the report: %s\n%v", report, r)
	}
	run("done", "report", done.GetBacktest().GetBacktestId())
	run("the playbook's table scores sales again", "rollback", "sales")
	run("retired of SALES", "retire", revision)
	if out, err := exec.Command(binary(t), "models", "promote", revision, "--to", "active", "--grpc", w.addr).CombinedOutput(); err == nil {
		t.Errorf("a retired model became active: %s", out)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(salesModel, "request_type", "age", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(binary(t), "models", "upload", file, "--grpc", w.addr).CombinedOutput(); err == nil || !strings.Contains(string(out), file+":4:5") {
		t.Errorf("a card of ages: %v: %s", err, out)
	}
}

// TestModelsWithFourEyes has who shows one token refused what who shows another may do, over REST: whoever
// hands a model over does not promote it, whatever roles they have; anybody who may promote may roll back.
func TestModelsWithFourEyes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole house")
	}
	w := securedBy(t, func(c *house.Config) { c.Models.FourEyes = true })
	up := &scoringv1.UploadModelResponse{}
	w.post(t, "mops", "/v1/models", body(t, &scoringv1.UploadModelRequest{Text: salesModel, Note: "by marketing"}), up)
	path := "/v1/models/" + up.GetModel().GetRevision()
	if by := up.GetModel().GetUploadedBy(); by != "marketing" {
		t.Fatalf("uploaded by %q", by)
	}
	promote := func(who, to, want string) {
		t.Helper()
		code, raw := w.call(t, who, http.MethodPost, path+":promote", nil, `{"to":"MODEL_STATE_`+to+`"}`)
		if got := reason(raw); got != want || (code == http.StatusOK) != (want == "") {
			t.Fatalf("%s promotes to %s: %d: %s", who, to, code, raw)
		}
		if want == "FOUR_EYES" && !strings.Contains(string(raw), "marketing uploaded the model; somebody else has to promote it") {
			t.Errorf("%s is told %s", who, raw)
		}
	}
	for _, to := range []string{"SHADOW", "ACTIVE"} {
		for _, who := range []string{"oem", "dealer"} {
			promote(who, to, "PERMISSION_DENIED")
		}
		promote("mops", to, "FOUR_EYES")
		promote("ops", to, "")
	}
	m := &scoringv1.GetModelResponse{}
	w.get(t, "mops", path, m)
	if h := m.GetModel().GetHistory(); m.GetModel().GetState() != scoringv1.ModelState_MODEL_STATE_ACTIVE || len(h) != 3 || h[0].GetChangedBy() != "operations" {
		t.Errorf("the model is %v", m)
	}
	promote("mops", "ACTIVE", "FOUR_EYES") // not anew either
	w.post(t, "mops", "/v1/models:rollback", `{"line":"LINE_SALES"}`, &scoringv1.RollbackModelResponse{})
}

// modelReport reads all that is known of a model that is a shadow, over REST and as a page.
func modelReport(t *testing.T, w *world, revision string) {
	t.Helper()
	got := &scoringv1.GetModelReportResponse{}
	w.get(t, "ops", "/v1/models/"+revision+":report", got)
	r := got.GetReport()
	if r.GetModel().GetState() != scoringv1.ModelState_MODEL_STATE_SHADOW || r.GetBasePoints() != 5000 || len(r.GetSignals()) != 1 || r.GetSignals()[0].GetBins()[0].GetValues() != "QUOTE" {
		t.Errorf("the report is %v", r)
	}
	// A new installation has too few leads won or lost to ask for more.
	if g := r.GetPromotionGuards(); len(g) != 1 || g[0].GetName() != "backtest" || !g[0].GetHeld() || !strings.Contains(g[0].GetBound(), "not required yet: the line has 0 leads won or lost") {
		t.Errorf("to become active: %v", g)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	for _, args := range [][]string{{"models", "report", revision}, {"models", "report", revision, "--out", file}} {
		out, err := exec.Command(binary(t), append(args, "--grpc", w.addr)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		if len(args) == 3 && (!strings.Contains(string(out), "to become active") || !strings.Contains(string(out), "QUOTE")) {
			t.Errorf("%v told %s", args, out)
		}
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"What scores SALES leads: model " + revision, "request_type", "not required yet", "Made by leadmesh models report"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if code, raw := w.call(t, "ops", http.MethodGet, "/v1/models/00000000:report", nil, ""); code != http.StatusNotFound {
		t.Errorf("a report of nothing: %d: %s", code, raw)
	}
}

// TestModelsBesideAnOldProgram has a model score on one process while another, of the oldest version in
// the field, works beside it: that one scores by the playbook, and both read what the other decided.
func TestModelsBesideAnOldProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts an older program")
	}
	dir, db := t.TempDir(), pgtest.New(t).URL()
	_, before := oneProcess(t, oldBinary(t), db, filepath.Join(dir, "old"))
	_, now := oneProcess(t, binary(t), db, filepath.Join(dir, "new"))
	up := &scoringv1.UploadModelResponse{}
	now.post(t, "ops", "/v1/models", body(t, &scoringv1.UploadModelRequest{Text: salesModel}), up)
	revision := up.GetModel().GetRevision()
	for _, to := range []string{"SHADOW", "ACTIVE"} {
		now.post(t, "ops", "/v1/models/"+revision+":promote", `{"to":"MODEL_STATE_`+to+`"}`, &scoringv1.PromoteModelResponse{})
	}
	n := 0
	var by, without *capturev1.LeadResult
	eventually(t, patience, "the new program decides by the model", func() bool {
		n++
		by = submit(t, now, person(fmt.Sprintf("new-%d", n), fmt.Sprintf("Nils%c%c", 'a'+n/26, 'a'+n%26), "80205", ""))
		return by.GetDecision().GetScore().GetModelRevision() == revision
	})
	without = submit(t, before, person("old-1", "Olga", "80205", ""))
	if s := without.GetDecision().GetScore(); s.GetModelRevision() != "" || s.GetPoints() == 6100 {
		t.Errorf("the old program decides %v", s)
	}
	for _, w := range []*world{before, now} {
		for _, r := range []*capturev1.LeadResult{by, without} {
			got := &capturev1.GetLeadResponse{}
			w.get(t, "oem", "/v1/leads/"+r.GetLeadId(), got)
			if p := got.GetDecision().GetScore().GetPoints(); p != r.GetDecision().GetScore().GetPoints() || p == 0 {
				t.Errorf("a lead has %d points, was decided with %d", p, r.GetDecision().GetScore().GetPoints())
			}
			replays(t, w, r.GetLeadId())
		}
	}
	auditClean(t, now)
}
