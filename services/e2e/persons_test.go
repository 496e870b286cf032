package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"google.golang.org/protobuf/proto"
)

// TestPersonsAreCurated merges two customers over REST, looks at them as everybody may, and takes the
// merge back.
func TestPersonsAreCurated(t *testing.T) {
	w := secured(t)
	rest := func(role, method, route, body string, into proto.Message) int {
		t.Helper()
		code, raw := w.call(t, role, method, route, nil, body)
		if into != nil {
			if code != http.StatusOK {
				t.Fatalf("%s %s %s answered %d %s", role, method, route, code, raw)
			}
			if err := unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
		}
		return code
	}
	send := func(key, name, mail, dealer string) (leadID string, c *capturev1.Customer) {
		t.Helper()
		code, raw := w.sendLead(t, nil, fmt.Sprintf(`{"idempotency_key":%q,"request_type":"REQUEST_TYPE_QUOTE","origin":"ORIGIN_OEM","brand":"NORRVIND",
			"source":{"channel":"web","source":"oem_site"},"dealer":{"dealer_id":%q},"identifiers":[{"kind":"IDENTIFIER_KIND_OEM_ACCOUNT","source":"id","value":%q}],
			"parties":[{"name":{"given":%q,"family":"Delgadillo"},"emails":[{"address":%q}],"address":{"postal_code":"80202","country":"US"}}]}`, key, dealer, key, name, mail))
		r := &capturev1.LeadResult{}
		if err := unmarshal(raw, r); err != nil || code != http.StatusOK {
			t.Fatalf("%d %s", code, raw)
		}
		got := &capturev1.GetLeadResponse{}
		rest("oem", http.MethodGet, "/v1/leads/"+r.GetLeadId(), "", got)
		return r.GetLeadId(), got.GetCustomer()
	}
	mine, a := send("acc-1", "Carmen", "carmen@example.com", tokenDealer)
	again, b := send("acc-2", "Karla", "karla@example.com", "nv-tx-013")
	if a.GetPersonId() == b.GetPersonId() || len(b.GetMatchReasons()) == 0 {
		t.Fatalf("customers %v and %v", a, b)
	}
	merge := "/v1/persons/" + a.GetPersonId() + ":merge"
	note := fmt.Sprintf(`{"other_person_id":%q,"note":"changed her name"}`, b.GetPersonId())
	merged := &identityv1.MergePersonsResponse{}
	rest("oem", http.MethodPost, merge, note, merged)
	if merged.GetPersonId() != a.GetPersonId() {
		t.Errorf("the older one does not survive: %v", merged)
	}
	page, lead := &identityv1.GetPersonResponse{}, &capturev1.GetLeadResponse{}
	rest("oem", http.MethodGet, "/v1/persons/"+b.GetPersonId(), "", page)
	rest("oem", http.MethodGet, "/v1/leads/"+again, "", lead)
	if page.GetPersonId() != a.GetPersonId() || len(page.GetRecords()) != 2 || len(page.GetCrosswalk()) != 2 || lead.GetCustomer().GetPersonId() != a.GetPersonId() {
		t.Errorf("the merged person is %v", page)
	}
	if words := strings.Join(lead.GetCustomer().GetMatchReasons(), "\n"); !strings.Contains(words, "MERGED") || len(lead.GetCustomer().GetMatchEvidence()) == 0 {
		t.Errorf("the lead is explained by %s", words)
	}
	found := &identityv1.LookupPersonResponse{}
	rest("ops", http.MethodGet, "/v1/persons:lookup?kind=IDENTIFIER_KIND_OEM_ACCOUNT&source=id&value=acc-2", "", found)
	if found.GetPersonId() != a.GetPersonId() {
		t.Errorf("acc-2 is of %s", found.GetPersonId())
	}

	// A store sees the customer whose lead it has, as if there were no other.
	seen := &identityv1.GetPersonResponse{}
	rest("dealer", http.MethodGet, "/v1/persons/"+a.GetPersonId(), "", seen)
	if text := seen.String(); len(seen.GetRecords()) != 1 || strings.Contains(strings.ToLower(text), "karla") || strings.Contains(text, "acc-2") || len(seen.GetChanges()) > 0 {
		t.Errorf("the store sees %s", text)
	}
	rest("dealer", http.MethodGet, "/v1/persons:lookup?lead_id="+mine, "", found)
	for route, want := range map[string]int{
		"/v1/persons:lookup?lead_id=" + again: http.StatusNotFound, "/v1/persons/" + a.GetPersonId() + "/history": http.StatusForbidden, "/v1/reviews": http.StatusForbidden,
		"/v1/match-parameters": http.StatusForbidden,
	} {
		if code := rest("dealer", http.MethodGet, route, "", nil); code != want {
			t.Errorf("a store asks for %s: %d, want %d", route, code, want)
		}
	}
	if code := rest("dealer", http.MethodPost, merge, note, nil); code != http.StatusForbidden {
		t.Errorf("a store merges: %d", code)
	}

	parted, history := &identityv1.SplitPersonResponse{}, &identityv1.GetPersonHistoryResponse{}
	rest("ops", http.MethodPost, "/v1/persons/"+a.GetPersonId()+":split", fmt.Sprintf(`{"merge_id":%q,"note":"a cousin"}`, merged.GetMergeId()), parted)
	rest("oem", http.MethodGet, "/v1/persons/"+b.GetPersonId()+"/history?as_of="+time.Now().UTC().Format(time.RFC3339Nano), "", history)
	rest("oem", http.MethodGet, "/v1/leads/"+again, "", lead)
	if parted.GetNewPersonId() != b.GetPersonId() || history.GetPersonId() != b.GetPersonId() || len(history.GetChanges()) < 3 ||
		history.GetChanges()[0].GetActor() != "operations" || lead.GetCustomer().GetPersonId() != b.GetPersonId() {
		t.Errorf("after the split: %v, %v, %v", parted, history, lead.GetCustomer())
	}

	queue, params, work := &identityv1.ListReviewsResponse{}, &identityv1.ListParametersResponse{}, &identityv1.StartReclusteringResponse{}
	rest("ops", http.MethodGet, "/v1/reviews?page_size=5", "", queue)
	rest("ops", http.MethodGet, "/v1/match-parameters", "", params)
	rest("ops", http.MethodPost, "/v1/reclusterings", fmt.Sprintf(`{"revision":%q,"note":"look"}`, params.GetShippedRevision()), work)
	report := &identityv1.GetReclusteringResponse{}
	eventually(t, patience, "the report is there", func() bool {
		rest("ops", http.MethodGet, "/v1/reclusterings/"+work.GetReclustering().GetReclusteringId(), "", report)
		return report.GetReclustering().GetState() == identityv1.ReclusteringState_RECLUSTERING_STATE_REPORTED
	})
	if r := report.GetReclustering(); r.GetPersonCount() == 0 || r.GetReportId() == "" || r.GetAddedLinks() != 0 {
		t.Errorf("the report is %v", r)
	}
	if code := rest("oem", http.MethodPost, "/v1/reclusterings", `{}`, nil); code != http.StatusForbidden {
		t.Errorf("a backend re-clusters: %d", code)
	}
}
