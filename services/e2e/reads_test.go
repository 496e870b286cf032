package e2e_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// chosenLead is a lead whose customer chose a store.
func chosenLead(key, dealer string) string {
	return fmt.Sprintf(`{"request_type":"REQUEST_TYPE_QUOTE","source":{"source":"oem_site"},"brand":"NORRVIND","idempotency_key":%q,
		"dealer":{"dealer_id":%q},"parties":[{"name":{"full":"Reader %s"},"emails":[{"address":"%s@reader.example.com"}],"address":{"postal_code":"80202","country":"US"}}]}`,
		key, dealer, key, key)
}

// TestFeedAndListOverREST reads what happened, and where leads stand, as an integrator does.
func TestFeedAndListOverREST(t *testing.T) {
	w := secured(t)
	mine := submit(t, w, chosenLead("feed-1", tokenDealer))
	submit(t, w, chosenLead("feed-2", "nv-co-002"))
	if got := mine.GetDecision().GetAssignment().GetDealerId(); got != tokenDealer {
		t.Fatalf("the chosen store did not get the lead: %q", got)
	}

	seen, cursor := map[string]int{}, ""
	eventually(t, patience, "both decisions in the feed", func() bool {
		resp := &feedbackv1.ListEventsResponse{}
		w.get(t, "oem", "/v1/events?types=captured,decided&limit=2&wait=1&after="+url.QueryEscape(cursor), resp)
		for _, e := range resp.GetEvents() {
			seen[e.GetType()+" "+e.GetSubject()]++
		}
		cursor = resp.GetCursor()
		return len(seen) == 4
	})
	for what, n := range seen {
		if n != 1 {
			t.Errorf("%s was told %d times", what, n)
		}
	}
	own := &feedbackv1.ListEventsResponse{}
	w.get(t, "dealer", "/v1/events", own)
	for _, e := range own.GetEvents() {
		if e.GetSubject() != mine.GetLeadId() {
			t.Errorf("a store reads another's event %v", e)
		}
	}
	if len(own.GetEvents()) == 0 {
		t.Error("a store reads nothing of its own lead")
	}

	list := func(role, query string) []*feedbackv1.LeadSummary {
		resp := &feedbackv1.ListLeadsResponse{}
		w.get(t, role, "/v1/leads"+query, resp)
		if resp.GetWatermark() == nil {
			t.Errorf("no watermark: %v", resp)
		}
		return resp.GetLeads()
	}
	eventually(t, patience, "both leads in the list", func() bool {
		return len(list("oem", "?state=STATE_ASSIGNED&line=LINE_SALES&source=oem_site")) == 2
	})
	leads := list("dealer", "")
	if len(leads) != 1 || leads[0].GetLeadId() != mine.GetLeadId() || leads[0].GetState() != leadv1.State_STATE_ASSIGNED || leads[0].GetNextDeadline() == nil {
		t.Errorf("a store lists %v", leads)
	}
	for _, tc := range []struct{ role, route, want string }{
		{"dealer", "/v1/events?dealer_id=nv-co-002", "NOT_YOUR_DEALER"},
		{"dealer", "/v1/leads?dealer_id=nv-co-002", "NOT_YOUR_DEALER"},
		{"oem", "/v1/events?since=1", "INVALID_ARGUMENT"},
		{"oem", "/v1/events?after=made-up", "INVALID_ARGUMENT"},
		{"oem", "/v1/leads?state=parked", "INVALID_ARGUMENT"},
		{"oem", "/v1/leads?page_token=made-up", "INVALID_ARGUMENT"},
	} {
		code, raw := w.call(t, tc.role, http.MethodGet, tc.route, nil, "")
		if code < 400 || code > 499 || reason(raw) != tc.want {
			t.Errorf("%s answered %d %s", tc.route, code, strings.TrimSpace(string(raw)))
		}
	}
}

// TestLeadsThatStandStillAreMended takes leads that were rejected or parked through every way out, and
// audits what is left.
func TestLeadsThatStandStillAreMended(t *testing.T) {
	w := secured(t)
	post := func(body string) *capturev1.LeadResult {
		t.Helper()
		return submit(t, w, body)
	}
	patch := func(role, id, body string) (int, []byte) {
		t.Helper()
		return w.call(t, role, http.MethodPatch, "/v1/leads/"+id, nil, body)
	}
	stands := func(id string) leadv1.State {
		t.Helper()
		got := &capturev1.GetLeadResponse{}
		w.get(t, "oem", "/v1/leads/"+id, got)
		return got.GetState()
	}

	// Rejected for want of a contact point: a phone number routes it.
	bare := post(`{"request_type":"REQUEST_TYPE_QUOTE","source":{"source":"oem_site"},"idempotency_key":"bare","parties":[{"name":{"full":"Bare One"},"address":{"postal_code":"80202","country":"US"}}]}`)
	if bare.GetCode() != "NO_CONTACT_POINT" {
		t.Fatalf("without contact point: %v", bare)
	}
	if code, raw := patch("oem", bare.GetLeadId(), `{"lead":{"parties":[{"phones":[{"number":"(303) 555-0144"}]}]},"reason":"the customer called"}`); code != 200 {
		t.Fatalf("PATCH answered %d: %s", code, raw)
	}
	eventually(t, patience, "the mended lead is assigned", func() bool { return stands(bare.GetLeadId()) == leadv1.State_STATE_ASSIGNED })

	// An owned lead: what is added reaches the store's inbox; the store may add too, its neighbour not.
	mine := post(chosenLead("mend-mine", tokenDealer))
	if code, raw := patch("oem", mine.GetLeadId(), `{"lead":{"parties":[{"phones":[{"number":"(303) 555-0155"}]}],"comments":"Call after six"},"reason":"the customer called"}`); code != 200 {
		t.Fatalf("PATCH answered %d: %s", code, raw)
	}
	eventually(t, patience, "the number is in the inbox", func() bool {
		_, raw := w.call(t, "dealer", http.MethodGet, "/v1/dealers/"+tokenDealer+"/inbox", nil, "")
		return strings.Contains(string(raw), "+13035550155")
	})
	other := post(chosenLead("mend-other", "nv-co-002"))
	for _, tc := range []struct{ role, method, route, body, want string }{
		{"dealer", http.MethodPatch, "/v1/leads/" + other.GetLeadId(), `{"lead":{"comments":"mine now"},"reason":"r"}`, "NOT_YOUR_DEALER"},
		{"dealer", http.MethodPost, "/v1/leads/" + mine.GetLeadId() + ":reject", `{"code":"REJECT_CODE_JUNK"}`, "PERMISSION_DENIED"},
		{"dealer", http.MethodPost, "/v1/leads:resubmit", `{"code":"DATA"}`, "PERMISSION_DENIED"},
		{"oem", http.MethodPost, "/v1/leads/" + mine.GetLeadId() + ":reject", `{"code":"REJECT_CODE_JUNK"}`, "WRONG_STATE"},
		{"oem", http.MethodPatch, "/v1/leads/" + mine.GetLeadId(), `{"lead":{"line":"LINE_SERVICE"},"reason":"r"}`, "WRONG_STATE"},
		{"oem", http.MethodPatch, "/v1/leads/" + mine.GetLeadId(), `{"lead":{"nonsense":1},"reason":"r"}`, "INVALID_ARGUMENT"},
	} {
		if code, raw := w.call(t, tc.role, tc.method, tc.route, nil, tc.body); reason(raw) != tc.want {
			t.Errorf("%s %s %s answered %d %s, want %s", tc.role, tc.method, tc.route, code, raw, tc.want)
		}
	}
	again := &capturev1.ResubmitLeadResponse{}
	w.post(t, "oem", "/v1/leads/"+mine.GetLeadId()+":resubmit", `{}`, again)
	if again.GetResubmitted() || again.GetStanding().GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("an owned lead resubmitted: %v", again)
	}

	// Parked for its consent: a proven consent, and nothing less, wakes it.
	denied := post(`{"request_type":"REQUEST_TYPE_QUOTE","source":{"source":"oem_site"},"brand":"NORRVIND","idempotency_key":"denied","parties":[{"name":{"full":"Denied One"},"emails":[{"address":"denied@reader.example.com"}],"address":{"postal_code":"80202","country":"US"}}],
		"consents":[{"controller":"CONTROLLER_OEM","purpose":"PURPOSE_ANSWER_INQUIRY","state":"CONSENT_STATE_DENIED"}]}`)
	if denied.GetState() != leadv1.State_STATE_PARKED {
		t.Fatalf("with a denied answer: %v", denied)
	}
	var parked []*feedbackv1.LeadSummary
	eventually(t, patience, "the parked lead is listed", func() bool {
		resp := &feedbackv1.ListLeadsResponse{}
		w.get(t, "oem", "/v1/leads?state=STATE_PARKED&code=CONSENT", resp)
		parked = resp.GetLeads()
		return len(parked) == 1
	})
	if p := parked[0]; p.GetLeadId() != denied.GetLeadId() || p.GetParkOwner() == "" || p.GetReviewAt() == nil || !strings.Contains(p.GetDetail(), "consent") {
		t.Errorf("listed as %v", p)
	}
	still := &capturev1.ResubmitLeadResponse{}
	w.post(t, "oem", "/v1/leads/"+denied.GetLeadId()+":resubmit", `{"reason":"asked again"}`, still)
	// The answer waits for the decision as long as a sender's does.
	if s := still.GetStanding().GetState(); !still.GetResubmitted() || s != leadv1.State_STATE_PARKED && s != leadv1.State_STATE_PENDING {
		t.Errorf("resubmitted without consent: %v", still)
	}
	eventually(t, patience, "the lead is parked again", func() bool { return stands(denied.GetLeadId()) == leadv1.State_STATE_PARKED })
	const granted = `{"lead":{"consents":[{"controller":"CONTROLLER_OEM","purpose":"PURPOSE_ANSWER_INQUIRY","state":"CONSENT_STATE_GRANTED"%s}]},"reason":"the customer changed her mind"}`
	if code, raw := patch("oem", denied.GetLeadId(), fmt.Sprintf(granted, "")); code != 400 || !strings.Contains(string(raw), "evidence") {
		t.Errorf("a consent without evidence answered %d %s", code, raw)
	}
	if code, raw := patch("oem", denied.GetLeadId(), fmt.Sprintf(granted, `,"evidence":"call 17"`)); code != 200 {
		t.Errorf("a proven consent answered %d %s", code, raw)
	}
	eventually(t, patience, "the lead with a proven consent is assigned", func() bool { return stands(denied.GetLeadId()) == leadv1.State_STATE_ASSIGNED })

	// Parked trigger leads: junk is closed, the rest looked at again in one go.
	trigger := func(key string) string {
		return post(fmt.Sprintf(`{"trigger":true,"source":{"source":"trigger"},"brand":"NORRVIND","idempotency_key":%q,"parties":[{"name":{"full":"Trigger %s"},"emails":[{"address":"%s@reader.example.com"}],"address":{"postal_code":"80202","country":"US"}}],
			"consents":[{"controller":"CONTROLLER_OEM","purpose":"PURPOSE_MARKETING","state":"CONSENT_STATE_GRANTED"}]}`, key, key, key)).GetLeadId()
	}
	junk, later := trigger("junk"), trigger("later")
	if s := stands(junk); s != leadv1.State_STATE_PARKED {
		t.Fatalf("a trigger lead is %s", s)
	}
	rejected := &capturev1.RejectLeadResponse{}
	w.post(t, "ops", "/v1/leads/"+junk+":reject", `{"code":"REJECT_CODE_FAKE_CONTACT","note":"a test of ours"}`, rejected)
	if !rejected.GetChanged() || rejected.GetStanding().GetState() != leadv1.State_STATE_REJECTED || rejected.GetStanding().GetCode() != "FAKE_CONTACT" {
		t.Errorf("rejected: %v", rejected)
	}
	batch := &capturev1.BatchResubmitLeadsResponse{}
	w.post(t, "ops", "/v1/leads:resubmit", `{"code":"CONSENT"}`, batch)
	if batch.GetMatched() != 1 {
		_, raw := w.call(t, "oem", http.MethodGet, "/v1/leads/"+later, nil, "")
		t.Errorf("resubmitted at once: %v of %.3000s", batch, raw)
	}

	// A document that cannot be read: listed with what is wrong, mended by a readable one.
	broken := &capturev1.IngestResponse{}
	code, raw := w.call(t, "oem", http.MethodPost, "/v1/adf", map[string]string{"Content-Type": "application/xml"}, `<adf><prospect`)
	if err := unmarshal(raw, broken); err != nil || code != 200 {
		t.Fatalf("an unreadable document answered %d %s", code, raw)
	}
	brokenID := broken.GetResults()[0].GetLeadId()
	if code, raw := w.call(t, "oem", http.MethodPost, "/v1/leads/"+brokenID+":resubmit", nil, `{}`); code != 409 {
		t.Errorf("an unreadable document resubmitted answered %d %s", code, raw)
	}
	document := base64.StdEncoding.EncodeToString([]byte(`<?adf version="1.0"?><adf><prospect><vehicle><make>Norrvind</make><model>Lomvi 5</model></vehicle><customer><contact><name>Mended One</name><email>mended@reader.example.com</email><address><postalcode>80202</postalcode><country>US</country></address></contact></customer></prospect></adf>`))
	if code, raw := patch("oem", brokenID, `{"document":"`+document+`","reason":"the vendor sent it again"}`); code != 200 {
		t.Errorf("a readable document answered %d %s", code, raw)
	}
	eventually(t, patience, "the mended document is assigned", func() bool { return stands(brokenID) == leadv1.State_STATE_ASSIGNED })

	found := &capturev1.LookupLeadsResponse{}
	submit(t, w, `{"request_type":"REQUEST_TYPE_QUOTE","source":{"source":"oem_site"},"idempotency_key":"found","identifiers":[{"kind":"IDENTIFIER_KIND_SOURCE_LEAD","source":"portal","value":"P-1"}],"parties":[{"emails":[{"address":"found@reader.example.com"}]}]}`)
	w.get(t, "oem", "/v1/leads:lookup?source=portal&id=P-1", found)
	if len(found.GetLeads()) != 1 || found.GetLeads()[0].GetStanding().GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("looked up: %v", found)
	}
	if code, raw := w.call(t, "oem", http.MethodGet, "/v1/leads:lookup?source=portal&id=P-1&email=x", nil, ""); code != 400 {
		t.Errorf("looked up by e-mail: %d %s", code, raw)
	}

	eventually(t, patience, "everything is folded", func() bool {
		resp := &feedbackv1.ListLeadsResponse{}
		w.get(t, "oem", "/v1/leads?state=STATE_REJECTED&code=FAKE_CONTACT", resp)
		return len(resp.GetLeads()) == 1 && stands(later) == leadv1.State_STATE_PARKED
	})
	lawsKept(t, w, 8)
}
