package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	corerouting "github.com/leadmesh/leadmesh/core/routing"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// edit replaces a text that stands in a file exactly once.
func edit(t *testing.T, files []*scoringv1.PlaybookFile, name, from, to string) []*scoringv1.PlaybookFile {
	t.Helper()
	for _, f := range files {
		if f.GetPath() == name {
			if n := bytes.Count(f.GetContent(), []byte(from)); n != 1 {
				t.Fatalf("%s holds %q %d times", name, from, n)
			}
			f.Content = bytes.Replace(f.GetContent(), []byte(from), []byte(to), 1)
			return files
		}
	}
	t.Fatalf("the sample has no %s", name)
	return nil
}

// TestPlaybook changes the rules while leads come in.
func TestPlaybook(t *testing.T) {
	if testing.Short() {
		t.Skip("starts whole houses")
	}
	t.Run("one process", func(t *testing.T) { changeRules(t, inProcess(t, nil)) })
	t.Run("five processes", func(t *testing.T) {
		w := fiveProcesses(t)
		changeRules(t, w)
	})
}

func changeRules(t *testing.T, w *world) {
	type answer = capturev1.LeadResult
	n := 0
	next := func() *answer { // the store's own, so that only the points can differ
		n++
		return submit(t, w, strings.Replace(person(fmt.Sprintf("rules-%d", n), fmt.Sprintf("Rune%c%c", 'a'+n/26, 'a'+n%26), "80205", ""), `"Tindra"`, `"Tindrissimo"`, 1))
	}
	lead := func(id string) *capturev1.GetLeadResponse {
		r := &capturev1.GetLeadResponse{}
		w.get(t, "oem", "/v1/leads/"+id, r)
		return r
	}
	old := next()
	before := old.GetDecision()
	if before.GetPlaybookRevision() == "" || before.GetScore().GetPoints() == 0 {
		t.Fatalf("the first lead is %v", old)
	}
	if code := lead(old.GetLeadId()).GetLead().GetVehicles()[0].GetModelCode(); code != "" {
		t.Fatalf("the sample knows the Tindrissimo as %s", code)
	}

	applied := &scoringv1.ApplyPlaybookResponse{}
	changed := edit(t, samplePlaybook(t), "scoring/sales.yaml", "\nbase: 15\n", "\nbase: 22\n")
	changed = edit(t, changed, "catalogue.yaml", "aliases: [Tyndra,", "aliases: [Tindrissimo, Tyndra,")
	apply(t, w, changed, applied)
	if applied.GetRevision() == before.GetPlaybookRevision() || applied.GetUnchanged() {
		t.Fatalf("applied: %v", applied)
	}
	eventually(t, patience, "Routing follows", func() bool { return next().GetDecision().GetPlaybookRevision() == applied.GetRevision() })
	var now *answer
	eventually(t, patience, "Capture follows", func() bool {
		now = next()
		return lead(now.GetLeadId()).GetLead().GetVehicles()[0].GetModelCode() == "N300"
	})
	if rise := now.GetDecision().GetScore().GetPoints() - before.GetScore().GetPoints(); rise < 700 {
		t.Errorf("7 points more base raise the score by %d hundredths", rise)
	}
	explains(t, lead(old.GetLeadId()).GetDecision(), before, 1500)
	explains(t, lead(now.GetLeadId()).GetDecision(), now.GetDecision(), 2200)
	for _, r := range []*answer{old, now} {
		replays(t, w, r.GetLeadId())
	}

	broken := edit(t, samplePlaybook(t), "scoring/sales.yaml", "\nbase: 15\n", "\nbase: 15\nbaze: 3\n")
	broken = edit(t, broken, "sla.yaml", "warn: 80 %", "warn: 180 %")
	broken = edit(t, broken, "catalogue.yaml", "powertrain: PLUGIN_HYBRID\n    list_price: 41900 USD", "powertrain: STEAM\n    list_price: 41900 USD")
	refuses(t, w, broken, []string{"scoring/sales.yaml:", "sla.yaml:", "catalogue.yaml:"})
	if r := next(); r.GetDecision().GetPlaybookRevision() != applied.GetRevision() {
		t.Errorf("after a refused bundle decisions are by %s", r.GetDecision().GetPlaybookRevision())
	}

	back := &scoringv1.RollbackPlaybookResponse{}
	w.post(t, "ops", "/v1/playbooks:rollback", `{"note":"too generous"}`, back)
	if back.GetRevision() != before.GetPlaybookRevision() {
		t.Errorf("rolled back to %s, want %s", back.GetRevision(), before.GetPlaybookRevision())
	}
	eventually(t, patience, "Routing goes back", func() bool { return next().GetDecision().GetPlaybookRevision() == back.GetRevision() })
	explains(t, lead(now.GetLeadId()).GetDecision(), now.GetDecision(), 2200)
	replays(t, w, now.GetLeadId())

	list := &scoringv1.ListPlaybooksResponse{}
	w.get(t, "ops", "/v1/playbooks", list)
	if p := list.GetPlaybooks(); len(p) < 2 || !p[0].GetActive() || p[0].GetRevision() != back.GetRevision() || p[0].GetNote() != "too generous" {
		t.Errorf("the list is %v", p)
	}
}

// apply makes a bundle active over gRPC where Scoring is behind the door we know, else over REST.
func apply(t *testing.T, w *world, files []*scoringv1.PlaybookFile, into *scoringv1.ApplyPlaybookResponse) {
	t.Helper()
	req := &scoringv1.ApplyPlaybookRequest{Files: files, Note: "spring"}
	resp, err := scoringv1.NewScoringServiceClient(w.grpc).ApplyPlaybook(w.as(t.Context(), "ops"), req)
	if err == nil {
		into.Revision, into.Unchanged = resp.GetRevision(), resp.GetUnchanged()
		return
	}
	if status.Code(err) != codes.Unimplemented { // Scoring runs in a process of its own
		t.Fatal(err)
	}
	w.post(t, "ops", "/v1/playbooks:apply", body(t, req), into)
}

// refuses checks that a bundle is refused with every mistake and changes nothing.
func refuses(t *testing.T, w *world, files []*scoringv1.PlaybookFile, fields []string) {
	t.Helper()
	req := &scoringv1.ApplyPlaybookRequest{Files: files}
	var found []string
	_, err := scoringv1.NewScoringServiceClient(w.grpc).ApplyPlaybook(w.as(t.Context(), "ops"), req)
	if status.Code(err) == codes.Unimplemented {
		code, raw := w.call(t, "ops", http.MethodPost, "/v1/playbooks:apply", nil, body(t, req))
		if code != http.StatusBadRequest || reason(raw) != "PLAYBOOK_INVALID" {
			t.Fatalf("a broken bundle answered %d: %s", code, raw)
		}
		found = append(found, string(raw))
	}
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				found = append(found, v.GetField()+" "+v.GetDescription())
			}
		case *errdetails.ErrorInfo:
			if d.GetReason() != strings.TrimPrefix(problemv1.Reason_REASON_PLAYBOOK_INVALID.String(), "REASON_") {
				t.Errorf("the reason is %s", d.GetReason())
			}
		}
	}
	for _, field := range fields {
		if !strings.Contains(strings.Join(found, "\n"), field) {
			t.Errorf("the mistake in %s is not named: %q", field, found)
		}
	}
}

// explains checks that a stored decision is explained by the playbook that made it.
func explains(t *testing.T, got, made *leadv1.Decision, base int32) {
	t.Helper()
	if got.GetPlaybookRevision() != made.GetPlaybookRevision() || got.GetScore().GetPoints() != made.GetScore().GetPoints() {
		t.Errorf("the decision became one by %s with %d points", got.GetPlaybookRevision(), got.GetScore().GetPoints())
	}
	var sum, start int32
	for _, c := range got.GetScore().GetContributions() {
		sum += c.GetPoints()
		if c.GetFeature() == "base" {
			start = c.GetPoints()
		}
	}
	if sum != got.GetScore().GetPoints() || start != base {
		t.Errorf("contributions begin with %d and add up to %d, want %d and %d", start, sum, base, got.GetScore().GetPoints())
	}
}

func replays(t *testing.T, w *world, leadID string) {
	t.Helper()
	code, raw := w.call(t, "oem", http.MethodGet, "/v1/leads/"+leadID+"/receipt", nil, "")
	var answer struct {
		Receipt json.RawMessage `json:"receipt"`
	}
	if code != http.StatusOK || json.Unmarshal(raw, &answer) != nil {
		t.Fatalf("receipt answered %d: %s", code, raw)
	}
	if err := corerouting.Verify(answer.Receipt); err != nil {
		t.Errorf("the receipt does not replay: %v", err)
	}
}
