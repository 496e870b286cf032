package e2e_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// TestRescoring scores everybody over REST and by command: who is about to give a leased car back is
// found, a merge takes effect, and stores see nothing of it.
func TestRescoring(t *testing.T) {
	w := secured(t)
	var signals, persons []string
	for i, days := range []int{60, 170, 250, 60} {
		signals = append(signals, fmt.Sprintf(`{"signal_id":"lease-%d","kind":"SIGNAL_KIND_LEASE_STARTED","occurred_at":%q,"ends_at":%q,"vin":"5ZNLM5E26PK30118%d",
			"identifiers":[{"kind":"IDENTIFIER_KIND_OEM_ACCOUNT","source":"id","value":"lessee-%d"}],
			"party":{"name":{"given":"Given%c","family":"Lessee%c"},"emails":[{"address":"lessee-%d@example.com"}],"address":{"postal_code":"80202","region":"CO","country":"US"}}}`,
			i, time.Now().AddDate(-2, 0, 0).UTC().Format(time.RFC3339), time.Now().AddDate(0, 0, days).UTC().Format(time.RFC3339), i, i, 'a'+i, 'a'+i, i))
	}
	taken := &identityv1.BatchCreateSignalsResponse{}
	w.post(t, "oem", "/v1/signals:batch", `{"signals":[`+strings.Join(signals, ",")+`]}`, taken)
	if taken.GetAccepted() != int32(len(signals)) {
		t.Fatalf("signals: %v", taken)
	}
	for i := range signals {
		found := &identityv1.LookupPersonResponse{}
		w.get(t, "ops", fmt.Sprintf("/v1/persons:lookup?kind=IDENTIFIER_KIND_OEM_ACCOUNT&source=id&value=lessee-%d", i), found)
		persons = append(persons, found.GetPersonId())
	}
	list := func(query string) (ids []string) {
		t.Helper()
		r := &scoringv1.ListPersonScoresResponse{}
		w.get(t, "oem", "/v1/person-scores?"+query, r)
		for _, p := range r.GetPersons() {
			ids = append(ids, p.GetPersonId())
		}
		return ids
	}
	rescored := func() *scoringv1.Rescoring {
		t.Helper()
		r := &scoringv1.StartRescoringResponse{}
		w.post(t, "oem", "/v1/rescorings", `{"note":"by hand"}`, r)
		got := &scoringv1.GetRescoringResponse{}
		eventually(t, patience, "everybody is scored", func() bool {
			w.get(t, "oem", "/v1/rescorings/"+r.GetRescoring().GetRescoringId(), got)
			return got.GetRescoring().GetState() == scoringv1.RescoringState_RESCORING_STATE_DONE
		})
		return got.GetRescoring()
	}
	const hot = "segment=SEGMENT_RENEWAL_INTENDER&level=hot"
	if code, raw := w.call(t, "oem", http.MethodGet, "/v1/person-scores?"+hot, nil, ""); code != http.StatusConflict {
		t.Errorf("before anybody was scored: %d %s", code, raw)
	}
	first := rescored()
	if n := first.GetReport().GetPersonCount(); n != 4 {
		t.Fatalf("%d persons: %v", n, first)
	}
	same(t, list(hot), persons[0], persons[3])
	same(t, list("segment=SEGMENT_RENEWAL_INTENDER&level=active"), persons[0], persons[1], persons[3])
	same(t, list("segment=SEGMENT_RENEWAL_INTENDER"), persons...)
	same(t, list("line=LINE_RENEWAL&min_stage=STAGE_AWARENESS"), persons...)
	one := &scoringv1.GetPersonScoresResponse{}
	w.get(t, "oem", "/v1/persons/"+persons[1]+"/scores", one)
	if s := one.GetScores(); len(s.GetSegments()) != 1 || s.GetSegments()[0].GetLevel() != "active" || !s.GetNoConsent() || len(s.GetLines()) != 8 || s.GetRescoringId() != first.GetRescoringId() {
		t.Errorf("one person: %v", s)
	}

	// What a store may not.
	for _, route := range []string{"/v1/rescorings", "/v1/rescorings/" + first.GetRescoringId(), "/v1/person-scores", "/v1/persons/" + persons[0] + "/scores"} {
		if code, raw := w.call(t, "dealer", http.MethodGet, route, nil, ""); code != http.StatusForbidden {
			t.Errorf("a store reads %s: %d %s", route, code, raw)
		}
	}
	for _, route := range []string{"/v1/rescorings", "/v1/rescorings/" + first.GetRescoringId() + ":cancel"} {
		if code, raw := w.call(t, "dealer", http.MethodPost, route, nil, "{}"); code != http.StatusForbidden {
			t.Errorf("a store calls %s: %d %s", route, code, raw)
		}
	}

	// Two are found to be one.
	merged := &identityv1.MergePersonsResponse{}
	w.post(t, "oem", "/v1/persons/"+persons[0]+":merge", fmt.Sprintf(`{"other_person_id":%q,"note":"moved"}`, persons[3]), merged)
	second := rescored()
	if r := second.GetReport(); r.GetPersonCount() != 3 || r.GetLeftCount() != 1 || r.GetEnteredCount() != 0 || second.GetBeforeRescoringId() != first.GetRescoringId() {
		t.Errorf("after the merge: %v", second)
	}
	same(t, list(hot), merged.GetPersonId())

	// The same by command. A new model is held against what is in force, and changes nothing.
	run := func(want string, args ...string) string {
		t.Helper()
		out, err := exec.Command(binary(t), append(append([]string{"models"}, args...), "--grpc", w.addr, "--ca", w.ca, "--token", w.token["ops"])...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("models %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	report := run("3 persons, 3 of them without profiling; 3 before, 0 came, 0 went", "rescore", "--wait", "--note", "by command")
	if !strings.Contains(report, "RENEWAL_INTENDER") || !strings.Contains(report, "hot") {
		t.Errorf("the report: %s", report)
	}
	all := &scoringv1.ListRescoringsResponse{}
	w.get(t, "oem", "/v1/rescorings?page_size=1", all)
	id := all.GetRescorings()[0].GetRescoringId()
	run(id, "rescorings")
	run("done", "rescorings", id)
	if out := run("person_id\n"+merged.GetPersonId()+"\n", "persons", "--segment", "renewal_intender", "--level", "hot"); strings.Count(out, "\n") != 3 {
		t.Errorf("the list: %s", out)
	}
	up := &scoringv1.UploadModelResponse{}
	w.post(t, "ops", "/v1/models", body(t, &scoringv1.UploadModelRequest{Text: salesModel}), up)
	dry := run("against what is in force", "rescore", "--revision", up.GetModel().GetRevision()[:12], "--wait")
	if !strings.Contains(dry, "3 persons") {
		t.Errorf("by a model: %s", dry)
	}
	latest := &scoringv1.ListPersonScoresResponse{}
	w.get(t, "oem", "/v1/person-scores", latest)
	if latest.GetRescoringId() != id {
		t.Errorf("a comparison is kept: %s", latest.GetRescoringId())
	}

	// A lead that comes in is nobody new to those scores until the next time. It complains, so that the line
	// for that counts somebody.
	const care = "line=LINE_CARE&min_stage=STAGE_AWARENESS"
	same(t, list(care))
	known := list("")
	submit(t, w, strings.Replace(person("rescoring-new", "Mikaela", "80205", ""), "REQUEST_TYPE_QUOTE", "REQUEST_TYPE_COMPLAINT", 1))
	if n := len(list("")); n != 3 {
		t.Errorf("%d persons are listed", n)
	}
	if got := rescored().GetReport(); got.GetPersonCount() != 4 || got.GetEnteredCount() != 1 {
		t.Errorf("with the new one: %v", got)
	}
	if waits := list(care); len(waits) != 1 || slices.Contains(known, waits[0]) {
		t.Errorf("who complained is %q, others are %q", waits, known)
	}
}

// same holds identifiers against those wanted, in any order.
func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	left := map[string]int{}
	for _, id := range want {
		left[id]++
	}
	for _, id := range got {
		left[id]--
	}
	for id, n := range left {
		if n != 0 {
			t.Errorf("%s stands %d times too few among %d", id, n, len(got))
		}
	}
}
