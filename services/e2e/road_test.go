package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corerouting "github.com/leadmesh/leadmesh/core/routing"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/audit"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
)

// TestRoad runs every case of the road in every shape of the house.
func TestRoad(t *testing.T) {
	if testing.Short() {
		t.Skip("starts whole houses")
	}
	shapes(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			name string
			run  func(t *testing.T, w *world)
		}{
			{"a lead reaches a dealer with the reason why", leadReachesDealer},
			{"a score is told in full, and what would change it", scoreExplained},
			{"the same key gives the same answer, another body is refused", idempotency},
			{"ADF with many prospects, and one that cannot be read", adf},
			{"a duplicate merges, a sibling does not", duplicates},
			{"bad input names the field and the remedy", badInput},
			{"a dealer works its inbox until the win", dealerWorks},
			{"a decline finds another owner", decline},
			{"a batch over gRPC", batch},
			{"dry runs on the stream, commits refused", stream},
			{"a dealer sees its own leads only", dealersApart},
			{"reflection lists the public services only", reflection},
			{"the scorecard holds the equation and drills to leads", scorecard},
		} {
			t.Run(c.name, func(t *testing.T) { c.run(t, w) })
		}
		t.Run("every law holds afterwards", func(t *testing.T) { lawsHold(t, w) })
	})
}

// person makes the JSON of a lead of somebody nobody else in the suite is.
func person(key, given, postal, more string) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"request_type":"REQUEST_TYPE_QUOTE","origin":"ORIGIN_OEM",
		"source":{"channel":"web","source":"oem_site"},
		"parties":[{"name":{"given":%q,"family":"Roadtest"},"emails":[{"address":%q}],
		"address":{"postal_code":%q,"country":"US"}}],
		"vehicles":[{"make":"Norrvind","model":"Tindra","year":2026}]%s}`, key, given, mailbox(given), postal, more)
}

// mailbox is the same for the same name only, and no misspelling of another's: names that are made by
// counting look like one name misspelled.
func mailbox(given string) string {
	h := sha256.Sum256([]byte(given))
	return fmt.Sprintf("%x@example.com", h[:8])
}

func leadReachesDealer(t *testing.T, w *world) {
	r := submit(t, w, person("road-1", "Astrid", "80205", ""))
	a := r.GetDecision().GetAssignment()
	if r.GetState() != leadv1.State_STATE_ASSIGNED || a.GetDealerId() == "" || a.GetRole() == 0 || a.GetNextDeadline() == nil || a.GetDeadlineKind() == "" {
		t.Fatalf("not assigned with dealer, role and deadline: %v", r)
	}
	if r.GetDecision().GetWhy() == "" || len(r.GetDecision().GetScore().GetReasons()) == 0 {
		t.Errorf("no reason why: %v", r.GetDecision())
	}
	got := &capturev1.GetLeadResponse{}
	eventually(t, patience, "the lead has its person, and the timeline shows the decision", func() bool {
		got.Reset()
		w.get(t, "oem", "/v1/leads/"+r.GetLeadId(), got)
		return got.GetCustomer().GetPersonId() != "" && slices.ContainsFunc(got.GetTimeline(), func(e *leadv1.Event) bool {
			return strings.HasSuffix(e.GetType(), "decided.v1")
		})
	})
	var sum int32
	for _, c := range got.GetDecision().GetScore().GetContributions() {
		sum += c.GetPoints()
	}
	if points := got.GetDecision().GetScore().GetPoints(); sum != points || len(got.GetDecision().GetScore().GetContributions()) == 0 {
		t.Errorf("contributions add up to %d, points are %d", sum, points)
	}
	if n := len(got.GetDecision().GetScore().GetIndices()); n != 2 || len(r.GetDecision().GetScore().GetIndices()) != 0 {
		t.Errorf("%d indices in the lead, %d in the answer to sending it", n, len(r.GetDecision().GetScore().GetIndices()))
	}
	code, raw := w.call(t, "oem", http.MethodGet, "/v1/leads/"+r.GetLeadId()+"/receipt", nil, "")
	var answer struct {
		Receipt json.RawMessage `json:"receipt"`
	}
	if code != http.StatusOK || json.Unmarshal(raw, &answer) != nil {
		t.Fatalf("receipt answered %d: %s", code, raw)
	}
	if err := corerouting.Verify(answer.Receipt); err != nil {
		t.Errorf("the receipt does not replay: %v\n%s", err, answer.Receipt)
	}
}

func idempotency(t *testing.T, w *world) {
	body := person("road-2", "Birger", "10001", "")
	first, again := submit(t, w, body), submit(t, w, body)
	if first.GetLeadId() != again.GetLeadId() || first.GetDecision().GetAssignment().GetDealerId() != again.GetDecision().GetAssignment().GetDealerId() {
		t.Errorf("the same key and body gave %v and %v", first, again)
	}
	code, raw := w.call(t, "oem", http.MethodPost, "/v1/leads", nil, person("road-2", "Birgit", "10001", ""))
	if code != http.StatusConflict || reason(raw) != "IDEMPOTENCY_KEY_REUSED" {
		t.Errorf("another body under the key answered %d %s", code, raw)
	}
	header := map[string]string{"Idempotency-Key": "road-2-header"}
	keyless := strings.Replace(person("x", "Brage", "10001", ""), `"idempotency_key":"x",`, "", 1)
	_, one := w.sendLead(t, header, keyless)
	_, two := w.sendLead(t, header, keyless)
	var a, b struct {
		LeadID string `json:"lead_id"`
	}
	if json.Unmarshal(one, &a) != nil || json.Unmarshal(two, &b) != nil || a.LeadID == "" || a.LeadID != b.LeadID {
		t.Errorf("the header's key gave %s and %s", one, two)
	}
}

func adf(t *testing.T, w *world) {
	doc := `<?xml version="1.0"?><?adf version="1.0"?><adf>
	<prospect><requestdate>` + time.Now().UTC().Add(-time.Hour).Format(time.RFC3339) + `</requestdate><vehicle interest="buy" status="new"><year>2026</year><make>Norrvind</make><model>Tindra</model></vehicle>
	<customer><contact><name part="full">Cecilia Adfsson</name><email>cecilia@example.com</email><address><postalcode>94110</postalcode><country>US</country></address></contact></customer>
	<vendor><vendorname>Somewhere Motors</vendorname></vendor></prospect>
	<prospect><vehicle><make>Norrvind</make><model>Lomvi 5</model></vehicle>
	<customer><contact><name part="first">Dag</name><phone>303-555-0177</phone></contact></customer></prospect></adf>`
	resp := w.sendADF(t, doc)
	if len(resp.GetResults()) != 2 || resp.GetResults()[0].GetState() != leadv1.State_STATE_ASSIGNED || resp.GetResults()[1].GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("two prospects gave %v", resp.GetResults())
	}
	code, raw := w.call(t, "oem", http.MethodPost, "/v1/adf", map[string]string{"Content-Type": "application/xml"}, "this is no document at all")
	resp.Reset()
	if err := unmarshal(raw, resp); code != http.StatusOK || err != nil || len(resp.GetResults()) != 1 || resp.GetResults()[0].GetState() != leadv1.State_STATE_PARKED {
		t.Fatalf("an unreadable document answered %d: %s", code, raw)
	}
	held := &capturev1.GetRawLeadResponse{}
	w.get(t, "oem", "/v1/leads/"+resp.GetResults()[0].GetLeadId()+"/raw", held)
	if string(held.GetBody()) != "this is no document at all" {
		t.Errorf("its raw form is %q", held.GetBody())
	}
}

// sendADF is sendLead for a document of several leads.
func (w *world) sendADF(t *testing.T, doc string) *capturev1.IngestResponse {
	t.Helper()
	resp := &capturev1.IngestResponse{}
	eventually(t, patience, "the leads of the document are decided", func() bool {
		code, raw := w.call(t, "oem", http.MethodPost, "/v1/adf", map[string]string{"Content-Type": "application/xml"}, doc)
		resp.Reset()
		if err := unmarshal(raw, resp); code != http.StatusOK || err != nil {
			t.Fatalf("ADF answered %d %v: %s", code, err, raw)
		}
		return !slices.ContainsFunc(resp.GetResults(), func(r *capturev1.LeadResult) bool {
			return r.GetState() == leadv1.State_STATE_PENDING
		})
	})
	return resp
}

func duplicates(t *testing.T, w *world) {
	first := submit(t, w, person("road-4a", "Erik", "60614", ""))
	second := submit(t, w, person("road-4b", "Erik", "60614", `,"comments":"me again"`))
	if second.GetDecision().GetDisposition() != leadv1.Disposition_DISPOSITION_MERGED || second.GetDecision().GetMergedInto() != first.GetLeadId() {
		t.Errorf("a second inquiry of the same person is %v", second)
	}
	holder := &capturev1.GetLeadResponse{}
	w.get(t, "oem", "/v1/leads/"+first.GetLeadId(), holder)
	if len(holder.GetMergedLeadIds()) != 1 || holder.GetDecision().GetAssignment().GetDealerId() != first.GetDecision().GetAssignment().GetDealerId() {
		t.Errorf("the holder became %v", holder)
	}
	sibling := submit(t, w, person("road-4c", "Erik", "60614", `,"dealer":{"dealer_id":"nv-co-003"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`))
	if sibling.GetDecision().GetAssignment().GetDealerId() != "nv-co-003" {
		t.Errorf("another chosen store is %v", sibling)
	}
}

func badInput(t *testing.T, w *world) {
	for _, c := range []struct {
		name, method, route, body string
		code                      int
		reason                    string
	}{
		{"no JSON", http.MethodPost, "/v1/leads", `{"parties":`, http.StatusBadRequest, "UNREADABLE_BODY"},
		{"unknown lead", http.MethodGet, "/v1/leads/00000000-0000-8000-8000-000000000000", "", http.StatusNotFound, "NOT_FOUND"},
		{"no lead id", http.MethodGet, "/v1/leads/nonsense", "", http.StatusBadRequest, "INVALID_ARGUMENT"},
		{"no such activity kind", http.MethodPost, "/v1/activities:batch", `{"activities":[]}`, http.StatusBadRequest, "INVALID_ARGUMENT"},
	} {
		code, raw := w.call(t, "oem", c.method, c.route, nil, c.body)
		if code != c.code || reason(raw) != c.reason {
			t.Errorf("%s: answered %d %s", c.name, code, raw)
		}
	}
	r := submit(t, w, `{"idempotency_key":"road-5","parties":[{"name":{"given":"Nobody"}}],"vehicles":[{"make":"Norrvind"}]}`)
	if r.GetState() != leadv1.State_STATE_REJECTED || r.GetCode() != "NO_CONTACT_POINT" {
		t.Errorf("a lead without contact point is %v", r)
	}
	unknown := submit(t, w, person("road-5b", "Frida", "73301", `,"favourite_colour":"moss"`))
	got := &capturev1.GetLeadResponse{}
	w.get(t, "oem", "/v1/leads/"+unknown.GetLeadId(), got)
	kept := false
	for _, f := range got.GetLead().GetExtra() {
		kept = kept || f.GetPath() == "favourite_colour" && f.GetValue() == "moss"
	}
	if !kept {
		t.Errorf("an unknown field was lost: %v", got.GetLead().GetExtra())
	}
}

func batch(t *testing.T, w *world) {
	capture := capturev1.NewCaptureServiceClient(w.grpc)
	req := &capturev1.BatchCreateLeadsRequest{}
	for i := range 300 {
		req.Leads = append(req.Leads, &leadv1.Lead{
			IdempotencyKey: fmt.Sprintf("road-8-%d", i), RequestType: leadv1.RequestType_REQUEST_TYPE_BROCHURE, Origin: leadv1.Origin_ORIGIN_OEM,
			Parties: []*leadv1.Party{{
				Name: &leadv1.Name{Given: "Ingrid", Family: fmt.Sprintf("Batch%d", i)}, Emails: []*leadv1.Email{{Address: fmt.Sprintf("batch%d@example.org", i)}},
				Address: &leadv1.Address{PostalCode: "75201", Country: "US"},
			}},
			Vehicles: []*leadv1.Vehicle{{Make: "Norrvind", Model: "Tindra"}},
		})
	}
	resp, err := capture.BatchCreateLeads(w.as(t.Context(), "oem"), req)
	if err != nil {
		t.Fatal(err)
	}
	decided := 0
	for _, r := range resp.GetResults() {
		if r.GetProblem() != nil || r.GetLeadId() == "" {
			t.Fatalf("a lead was not taken: %v", r)
		}
		if r.GetDecision() != nil {
			decided++
		}
	}
	if decided != len(req.GetLeads()) {
		t.Logf("%d of %d decided at once", decided, len(req.GetLeads()))
	}
	last := resp.GetResults()[len(resp.GetResults())-1].GetLeadId()
	eventually(t, patience, "the last lead is decided", func() bool {
		got := &capturev1.GetLeadResponse{}
		w.get(t, "oem", "/v1/leads/"+last, got)
		return got.GetDecision().GetAssignment() != nil
	})
}

func stream(t *testing.T, w *world) {
	ctx, cancel := context.WithTimeout(w.as(t.Context(), "oem"), patience)
	defer cancel()
	st, err := routingv1.NewDecisionServiceClient(w.routing(t)).Decide(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lead := &leadv1.Lead{Line: leadv1.Line_LINE_SALES, Brand: "NORRVIND", Parties: []*leadv1.Party{{Address: &leadv1.Address{PostalCode: "80205", Country: "US"}}}}
	const n = 100
	for i := range n {
		r := &routingv1.DecideRequest{Sequence: uint64(i + 1), Mode: routingv1.DecideMode_DECIDE_MODE_DRY_RUN, Lead: lead}
		switch i {
		case 10:
			r.Mode = routingv1.DecideMode_DECIDE_MODE_COMMIT
		case 20:
			r.Lead = nil
		}
		if err := st.Send(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.CloseSend(); err != nil {
		t.Fatal(err)
	}
	answered := map[uint64]*routingv1.DecideResponse{}
	for {
		a, err := st.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if answered[a.GetSequence()] != nil {
			t.Errorf("sequence %d was answered twice", a.GetSequence())
		}
		answered[a.GetSequence()] = a
	}
	if len(answered) != n {
		t.Errorf("%d of %d answered", len(answered), n)
	}
	if got := answered[11].GetProblem().GetReason(); got != problemv1.Reason_REASON_COMMIT_NOT_ALLOWED {
		t.Errorf("a commit from outside: %v", answered[11])
	}
	if got := answered[21].GetProblem().GetReason(); got != problemv1.Reason_REASON_INVALID_ARGUMENT {
		t.Errorf("a request without lead: %v", answered[21])
	}
	if d := answered[1].GetDecision(); !d.GetDryRun() || d.GetAssignment().GetDealerId() == "" {
		t.Errorf("a dry run: %v", answered[1])
	}
	md, err := st.Header()
	if err != nil || len(md.Get("leadmesh-max-in-flight")) == 0 {
		t.Errorf("the window is not announced: %v %v", md, err)
	}
}

func reflection(t *testing.T, w *world) {
	st, err := reflectionv1.NewServerReflectionClient(w.grpc).ServerReflectionInfo(w.as(t.Context(), "oem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	resp, err := st.Recv()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, s := range resp.GetListServicesResponse().GetService() {
		listed[s.GetName()] = true
	}
	if !listed["leadmesh.capture.v1.CaptureService"] {
		t.Errorf("CaptureService is not listed: %v", listed)
	}
	for _, internal := range []string{"leadmesh.identity.v1.ResolveService", "leadmesh.routing.v1.CaseService", "leadmesh.scoring.v1.SnapshotService", "leadmesh.feedback.v1.EventService"} {
		if listed[internal] {
			t.Errorf("%s is on the public listener", internal)
		}
	}
}

func scorecard(t *testing.T, w *world) {
	card := &feedbackv1.GetScorecardResponse{}
	leads := int64(w.database(t).count(t, `SELECT count(*) FROM capture.lead`))
	eventually(t, patience, "the event log catches up", func() bool {
		card.Reset()
		w.get(t, "oem", "/v1/reports/scorecard", card)
		return card.GetConservation().GetHolds() && leads >= 300 && card.GetConservation().GetCaptured() == leads && card.GetConservation().GetPending() == 0 && card.GetConservation().GetWon() == 1
	})
	figures := map[string]*feedbackv1.Figure{}
	for _, f := range card.GetGroups()[0].GetFigures() {
		figures[f.GetName()] = f
	}
	for _, name := range []string{"lead_volume", "dedupe_rate", "data_accuracy", "routing_speed", "contact_rate", "customer_wait"} {
		if figures[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	drilled := &feedbackv1.ListScorecardLeadsResponse{}
	w.get(t, "oem", "/v1/reports/scorecard/dedupe_rate/leads", drilled)
	if int64(len(drilled.GetLeadIds())) != figures["dedupe_rate"].GetNumerator() {
		t.Errorf("dedupe_rate counts %d, drill-down gives %d", figures["dedupe_rate"].GetNumerator(), len(drilled.GetLeadIds()))
	}
	w.get(t, "oem", "/v1/reports/leakage", &feedbackv1.GetLeakageResponse{})
}

func lawsHold(t *testing.T, w *world) {
	if report := auditClean(t, w); report.Equation["captured"] < 300 {
		t.Errorf("the audit saw %v", report.Equation)
	}
}

// auditClean waits until the audit finds nothing.
func auditClean(t *testing.T, w *world) (report *audit.Report) {
	t.Helper()
	eventually(t, patience, "the audit is clean", func() bool {
		var err error
		if report, err = audit.Run(t.Context(), w.db, time.Now()); err != nil {
			t.Fatal(err)
		}
		return report.Clean()
	})
	return report
}
