package e2e_test

import (
	"fmt"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

// asker is a lead of somebody by name, e-mail and phone.
func asker(key, name, phone, more string) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"source":{"source":"oem_site"},"parties":[{"name":{"full":"%s Consent"},"emails":[{"address":"%s@consent.example.com"}],
		"phones":[{"number":%q}],"address":{"postal_code":"80202","country":"US"}}]%s}`, key, name, name, phone, more)
}

const (
	quoteAsked = `,"request_type":"REQUEST_TYPE_QUOTE","brand":"NORRVIND"`
	// A trigger lead with grants of long ago.
	triggered = `,"trigger":true,"line":"LINE_SALES","brand":"NORRVIND","consents":[
		{"controller":"CONTROLLER_OEM","purpose":"PURPOSE_MARKETING","state":"CONSENT_STATE_GRANTED","at":"2025-01-02T10:00:00Z"},
		{"controller":"CONTROLLER_OEM","purpose":"PURPOSE_PROFILING","state":"CONSENT_STATE_GRANTED","at":"2025-01-02T10:00:00Z"}]`
)

// revoking is a consent fact that takes back a purpose for a contact point; "" means all.
func revoking(purpose, point string) string {
	return fmt.Sprintf(`,"consents":[{"controller":"CONTROLLER_OEM","purpose":%q,"contact_point":%q,"state":"CONSENT_STATE_REVOKED"}]`, purpose, point)
}

// TestEarlierRevocationCountsAtTheFirstDecision holds that what a customer took back with one lead
// binds the next one at once.
func TestEarlierRevocationCountsAtTheFirstDecision(t *testing.T) {
	w := inProcess(t, nil)
	send := func(body string) *capturev1.LeadResult {
		t.Helper()
		return submit(t, w, body)
	}
	parkedForConsent := func(r *capturev1.LeadResult) {
		t.Helper()
		if why := r.GetDecision().GetParking().GetReason(); r.GetState() != leadv1.State_STATE_PARKED || why != leadv1.ParkReason_PARK_REASON_CONSENT {
			t.Errorf("%v %v, want parked for want of consent", r.GetState(), why)
		}
	}

	send(asker("inquiry-1", "Ina", "(303) 555-0101", `,"request_type":"REQUEST_TYPE_SERVICE_BOOKING","brand":"NORRVIND"`+revoking("PURPOSE_ANSWER_INQUIRY", "")))
	second := send(asker("inquiry-2", "Ina", "(303) 555-0101", quoteAsked))
	parkedForConsent(second)
	kept := &capturev1.GetLeadResponse{}
	w.get(t, "oem", "/v1/leads/"+second.GetLeadId(), kept)
	if n := len(kept.GetLead().GetConsents()); n != 0 {
		t.Errorf("the lead shows %d consents that its source did not send", n)
	}
	if r := send(asker("inquiry-3", "Ina", "(303) 555-0101", quoteAsked+`,"consents":[{"controller":"CONTROLLER_OEM","purpose":"PURPOSE_ANSWER_INQUIRY","state":"CONSENT_STATE_GRANTED","evidence":"call 17"}]`)); r.GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("after a newer grant: %v", r.GetState())
	}

	send(asker("trigger-1", "Tilda", "(303) 555-0102", quoteAsked+revoking("PURPOSE_MARKETING", "")))
	parkedForConsent(send(asker("trigger-2", "Tilda", "(303) 555-0102", triggered)))

	// A STOP binds the number for whoever shares it.
	send(asker("shared-1", "Sven", "(303) 555-0103", quoteAsked+revoking("PURPOSE_UNSPECIFIED", "+13035550103")))
	wife := send(asker("shared-2", "Wanda", "(303) 555-0103", quoteAsked+chosenStore(tokenDealer)))
	if wife.GetState() != leadv1.State_STATE_ASSIGNED {
		t.Fatalf("an inquiry by somebody who may be written to: %v", wife.GetState())
	}
	inbox := &routingv1.ListInboxResponse{}
	w.get(t, "dealer", "/v1/dealers/"+tokenDealer+"/inbox?page_size=200", inbox)
	found := false
	for _, item := range inbox.GetItems() {
		if item.GetLeadCase().GetLeadId() == wife.GetLeadId() {
			found = true
			if p := item.GetContactPoints(); len(p) != 1 || p[0] != "Wanda@consent.example.com" && p[0] != "wanda@consent.example.com" {
				t.Errorf("the store is shown %d contact points, want the address alone: the number was stopped", len(p))
			}
		}
	}
	if !found {
		t.Errorf("the lead is not in its store's inbox")
	}
}
