package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// chosenLead is a lead whose customer chose a store.
func chosenLead(key, dealer string) string {
	return fmt.Sprintf(`{"request_type":"REQUEST_TYPE_QUOTE","source":{"source":"oem_site"},"brand":"NORRVIND","idempotency_key":%q,
		"dealer":{"dealer_id":%q},"parties":[{"name":{"full":"Reader %s"},"emails":[{"address":"%s@reader.example.com"}],"address":{"postal":"80202","country":"US"}}]}`,
		key, dealer, key, key)
}

// TestFeedAndListOverREST reads what happened, and where leads stand, as an integrator does.
func TestFeedAndListOverREST(t *testing.T) {
	w := secured(t)
	mine, other := &capturev1.LeadResult{}, &capturev1.LeadResult{}
	w.post(t, "oem", "/v1/leads", chosenLead("feed-1", tokenDealer), mine)
	w.post(t, "oem", "/v1/leads", chosenLead("feed-2", "nv-co-002"), other)
	if got := mine.GetDecision().GetAssignment().GetDealerId(); got != tokenDealer {
		t.Fatalf("the chosen store did not get the lead: %q", got)
	}

	seen, cursor := map[string]int{}, ""
	eventually(t, 60*time.Second, "both decisions in the feed", func() bool {
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
	eventually(t, 60*time.Second, "both leads in the list", func() bool {
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
