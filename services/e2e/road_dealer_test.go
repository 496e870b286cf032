package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

func dealerWorks(t *testing.T, w *world) {
	r := submit(t, w, person("road-6", "Gunnar", "80202", `,"dealer":{"dealer_id":"`+tokenDealer+`"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`))
	if r.GetDecision().GetAssignment().GetDealerId() != tokenDealer {
		t.Fatalf("the chosen store did not get the lead: %v", r)
	}
	inbox := &routingv1.ListInboxResponse{}
	w.get(t, "dealer", "/v1/dealers/"+tokenDealer+"/inbox?page_size=200", inbox)
	found := false
	for _, item := range inbox.GetItems() {
		if item.GetLeadCase().GetLeadId() == r.GetLeadId() {
			found = true
			if item.GetCustomerName() == "" || item.GetNextStep() == "" || len(item.GetContactPoints()) == 0 {
				t.Errorf("the inbox does not say whom to call and what to do: %v", item)
			}
		}
	}
	if !found {
		t.Fatal("the lead is not in the dealer's inbox")
	}
	accepted := &routingv1.AcceptLeadResponse{}
	w.post(t, "dealer", "/v1/leads/"+r.GetLeadId()+":accept", `{}`, accepted)
	if accepted.GetLeadCase().GetState() != leadv1.State_STATE_ACCEPTED {
		t.Errorf("accepted: %v", accepted)
	}
	report := func(id, more string) *feedbackv1.ReportResult {
		t.Helper()
		return w.report(t, "dealer", fmt.Sprintf(`{"activity_id":%q,"lead_id":%q,"person_id":"p-1",%s}`, id, r.GetLeadId(), more))
	}
	bot := report("act-0", `"kind":"ACTIVITY_KIND_EMAIL","automated":true,"template_id":"thanks"`)
	if bot.GetAssignment().GetRespondedAt() != nil {
		t.Error("a bot's mail stopped the respond clock")
	}
	call := report("act-1", `"kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":180`)
	if call.GetAssignment().GetRespondedAt() == nil || call.GetState() != leadv1.State_STATE_ENGAGED {
		t.Errorf("a talk of three minutes: %v", call)
	}
	if again := report("act-1", `"kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":180`); !again.GetDuplicate() {
		t.Errorf("the same activity again: %v", again)
	}
	won := &feedbackv1.BatchCreateOutcomesResponse{}
	eventually(t, patience, "the outcome is applied", func() bool {
		w.post(t, "dealer", "/v1/outcomes:batch", fmt.Sprintf(`{"outcomes":[{"outcome_id":"out-1","lead_id":%q,"kind":"OUTCOME_KIND_WON","revenue":{"minor":"3150000","currency":"USD"}}]}`, r.GetLeadId()), won)
		return len(won.GetResults()) == 1 && (won.GetResults()[0].GetApplied() || won.GetResults()[0].GetProblem() != nil)
	})
	if won.GetResults()[0].GetState() != leadv1.State_STATE_WON {
		t.Errorf("won: %v", won)
	}
}

// report tells of one activity until it is applied: one that finds Routing away is kept, and applied
// when it is back.
func (w *world) report(t *testing.T, role, activity string) (r *feedbackv1.ReportResult) {
	t.Helper()
	eventually(t, patience, "the report is applied", func() bool {
		resp := &feedbackv1.BatchCreateActivitiesResponse{}
		w.post(t, role, "/v1/activities:batch", `{"activities":[`+activity+`]}`, resp)
		if len(resp.GetResults()) != 1 || resp.GetResults()[0].GetProblem() != nil {
			t.Fatalf("activity: %v", resp)
		}
		r = resp.GetResults()[0]
		return r.GetApplied()
	})
	return r
}

func decline(t *testing.T, w *world) {
	r := submit(t, w, person("road-7", "Helga", "80211", ""))
	first := r.GetDecision().GetAssignment().GetDealerId()
	resp := &routingv1.DeclineLeadResponse{}
	w.post(t, "ops", "/v1/leads/"+r.GetLeadId()+":decline", `{"code":"DECLINE_CODE_NO_CAPACITY"}`, resp)
	now := resp.GetLeadCase().GetDecision()
	if now.GetAssignment().GetDealerId() == first || now.GetAttempt() != 2 {
		t.Errorf("after the decline of %s: %v", first, now)
	}
	chosen := submit(t, w, person("road-7b", "Hjalmar", "80211", `,"dealer":{"dealer_id":"nv-co-003"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`))
	w.post(t, "ops", "/v1/leads/"+chosen.GetLeadId()+":decline", `{"code":"DECLINE_CODE_TOO_FAR"}`, resp)
	if got := resp.GetLeadCase().GetDecision().GetAssignment().GetDealerId(); got != "nv-desk" {
		t.Errorf("a chosen store's decline went to %s", got)
	}
}

func dealersApart(t *testing.T, w *world) {
	if len(w.token) == 0 {
		t.Skip("this shape has no tokens")
	}
	r := submit(t, w, person("road-9", "Jorunn", "33131", ""))
	if r.GetDecision().GetAssignment().GetDealerId() == tokenDealer {
		t.Fatal("the lead went to the very dealer that must not see it")
	}
	for _, route := range []string{"/v1/leads/" + r.GetLeadId(), "/v1/leads/" + r.GetLeadId() + "/receipt", "/v1/dealers/nv-co-003/inbox"} {
		if code, raw := w.call(t, "dealer", http.MethodGet, route, nil, ""); code != http.StatusForbidden {
			t.Errorf("GET %s as another dealer answered %d: %s", route, code, raw)
		}
	}
	if code, raw := w.call(t, "dealer", http.MethodPost, "/v1/leads/"+r.GetLeadId()+":accept", nil, "{}"); code != http.StatusForbidden {
		t.Errorf("accepting another's lead answered %d: %s", code, raw)
	}
	if code, _ := w.call(t, "nobody", http.MethodGet, "/v1/leads/"+r.GetLeadId(), nil, ""); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", code)
	}
	if code, _ := w.call(t, "dealer", http.MethodPost, "/v1/playbooks:rollback", nil, "{}"); code != http.StatusForbidden {
		t.Errorf("a dealer rolled the playbook back: %d", code)
	}
}
