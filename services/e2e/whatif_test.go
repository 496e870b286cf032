package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// scoreExplained reads a lead's score with its interval and groups, asks what would change it, by the
// facts that are listed, and has a store ask about its own lead and another's.
func scoreExplained(t *testing.T, w *world) {
	r := submit(t, w, person("whatif-1", "Folke", "80205", `,"dealer":{"id":"`+tokenDealer+`"}`))
	got := &capturev1.GetLeadResponse{}
	w.get(t, "oem", "/v1/leads/"+r.GetLeadId(), got)
	s := got.GetDecision().GetScore()
	whole(t, s)
	if short := r.GetDecision().GetScore(); short.GetProbabilityInterval() != nil || len(short.GetGroups()) != 0 {
		t.Errorf("the answer to sending a lead, which is stored with it, says %v", short)
	}

	facts := &scoringv1.ListFeaturesResponse{}
	w.get(t, "oem", "/v1/features?line=LINE_SALES&group=ENGAGEMENT", facts)
	at := slices.IndexFunc(facts.GetFeatures(), func(f *scoringv1.Feature) bool { return f.GetFeature() == "request_type" })
	if at < 0 || !slices.Contains(facts.GetFeatures()[at].GetValues(), "ORDER") || facts.GetPlaybookRevision() != got.GetDecision().GetPlaybookRevision() {
		t.Fatalf("facts: %v", facts)
	}

	ask := fmt.Sprintf(`{"lead_id":%q,"changes":[{"feature":"request_type","value":"ORDER"},{"feature":"time_frame_days","value":"7","in":"days"}]}`, r.GetLeadId())
	resp := &scoringv1.ExplainScoreResponse{}
	w.post(t, "oem", "/v1/scores:explain", ask, resp)
	sum := int32(0)
	for _, d := range resp.GetDifferences() {
		sum += d.GetAfterPoints() - d.GetBeforePoints()
	}
	whole(t, resp.GetAfter())
	if resp.GetBefore().GetPoints() != s.GetPoints() || sum != resp.GetDifference() || sum <= 0 || resp.GetAfter().GetPoints() != s.GetPoints()+sum ||
		len(resp.GetFeatures()) != 2 || len(resp.GetChanged()) == 0 || resp.GetAttempt() != 1 {
		t.Errorf("what if: %v", resp)
	}
	inline := &scoringv1.ExplainScoreResponse{}
	w.post(t, "oem", "/v1/scores:explain", `{"lead":{"request_type":"REQUEST_TYPE_QUOTE"},"changes":[{"feature":"has_phone","value":"yes"}]}`, inline)
	if inline.GetDifference() != 1300 {
		t.Errorf("a phone number makes a difference of %d", inline.GetDifference())
	}

	for body, want := range map[string][]string{
		`{"changes":[{"feature":"request_tipe","value":"ORDER"},{"feature":"visit_days","value":"x","in":"weeks"}]}`: {
			"lead_id", "changes[0].feature", "did you mean request_type?", "changes[1].in", "there are days",
		},
		`{"lead_id":"` + r.GetLeadId() + `","change":[]}`: {"change", "changes"},
	} {
		code, raw := w.call(t, "oem", http.MethodPost, "/v1/scores:explain", nil, body)
		for _, text := range want {
			if code != http.StatusBadRequest || !strings.Contains(string(raw), text) {
				t.Errorf("%s answered %d without %q: %s", body, code, text, raw)
			}
		}
	}
	if w.token["dealer"] == "" {
		return // everybody is everything here
	}
	w.post(t, "dealer", "/v1/scores:explain", ask, resp)
	if resp.GetBefore().GetPoints() != s.GetPoints() {
		t.Errorf("the store sees %v", resp.GetBefore())
	}
	other := submit(t, w, person("whatif-2", "Gerd", "10001", ""))
	code, raw := w.call(t, "dealer", http.MethodPost, "/v1/scores:explain", nil, fmt.Sprintf(`{"lead_id":%q}`, other.GetLeadId()))
	if code != http.StatusForbidden || reason(raw) != "NOT_YOUR_DEALER" {
		t.Errorf("another store's lead answered %d %s", code, raw)
	}
	code, raw = w.call(t, "dealer", http.MethodGet, "/v1/features", nil, "")
	if code != http.StatusForbidden {
		t.Errorf("the facts answered a store %d %s", code, raw)
	}
}

// whole checks that a score is told in full: its chance within an interval that says what it rests on,
// groups and the rest that add up to the points, and words for codes.
func whole(t *testing.T, s *leadv1.Score) {
	t.Helper()
	i := s.GetProbabilityInterval()
	if i.GetLowPpm() >= s.GetProbabilityPpm() || i.GetHighPpm() <= s.GetProbabilityPpm() || !strings.Contains(i.GetBasis(), "leads") {
		t.Errorf("%d ppm within %v", s.GetProbabilityPpm(), i)
	}
	sum := int32(0)
	for _, g := range s.GetGroups() {
		sum += g.GetPoints()
	}
	for _, c := range s.GetContributions() {
		if c.GetGroup() == "" {
			sum += c.GetPoints()
		}
		if c.Value != nil && c.GetValueText() == "" {
			t.Errorf("a value without words: %v", c)
		}
	}
	if len(s.GetGroups()) != 4 || sum != s.GetPoints() || s.GetLineLabel() == "" || s.GetStageLabel() == "" || s.GetPlayTitle() == "" {
		t.Errorf("groups and the rest add up to %d: %v", sum, s)
	}
}
