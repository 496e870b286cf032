package capture_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const noContact = `{"identifiers":[{"kind":"SOURCE_LEAD","source":"portal","value":"9"}],"request_type":"QUOTE","parties":[{"name":"Ada Byron"}]}`

// phone is a change that brings a phone number.
func phone(number string) *leadv1.Lead {
	return &leadv1.Lead{Parties: []*leadv1.Party{{Phones: []*leadv1.Phone{{Number: number}}}}}
}

func (w *world) patch(id string, l *leadv1.Lead) (*capturev1.UpdateLeadResponse, error) {
	return w.service.UpdateLead(w.ctx, &capturev1.UpdateLeadRequest{LeadId: id, Lead: l, Reason: "asked the customer"})
}

func (w *world) mustPatch(id string, l *leadv1.Lead) *capturev1.UpdateLeadResponse {
	w.t.Helper()
	r, err := w.patch(id, l)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// unreadable is the one lead of a document that is none.
func (w *world) unreadable() string {
	w.t.Helper()
	resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: capturev1.DocumentKind_DOCUMENT_KIND_ADF, Body: []byte("<adf><prospect"), ContentType: "application/xml"})
	if err != nil {
		w.t.Fatal(err)
	}
	if r := resp.GetResults()[0]; r.GetState() != leadv1.State_STATE_PARKED {
		w.t.Fatalf("an unreadable document is %v", r)
	}
	return resp.GetResults()[0].GetLeadId()
}

// kinds are the types of the events about a lead, in short.
func (w *world) kinds(id string) (out []string) {
	w.eventually("the outbox is handed over", func() bool { return w.count("SELECT count(*) FROM outbox") == 0 })
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.GetLeadId() == id {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(e.GetType(), "leadmesh.lead."), ".v1"))
		}
	}
	slices.Sort(out)
	return out
}

func TestAContactPointRevivesARejectedLead(t *testing.T) {
	w := newWorld(t, quick)
	defer w.run(w.service)()
	for name, bring := range map[string]func(id string){
		"by its source": func(string) {
			w.mustPost(strings.Replace(noContact, `"Ada Byron"`, `"Ada Byron","emails":["ada@byron.example.com"]`, 1), "")
		},
		"by an operator":  func(id string) { w.mustPatch(id, phone("202-555-0147")) },
		"by an operator,": func(id string) { w.mustPatch(id, phone("202-555-0148")) }, // again after it was revived
	} {
		body := noContact
		if name != "by its source" {
			body = strings.Replace(noContact, `"9"`, `"`+name+`"`, 1)
		}
		r := w.mustPost(body, "")
		if r.GetState() != leadv1.State_STATE_REJECTED || r.GetCode() != "NO_CONTACT_POINT" {
			t.Fatalf("%s: without contact point: %v", name, r)
		}
		bring(r.GetLeadId())
		w.eventually(name+": the lead is decided", func() bool {
			got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: r.GetLeadId()})
			return err == nil && got.GetState() == leadv1.State_STATE_ASSIGNED
		})
		if k := w.kinds(r.GetLeadId()); !slices.Contains(k, "woken") || !slices.Contains(k, "updated") {
			t.Errorf("%s: events %v", name, k)
		}
	}
	if p := w.places(); p.Leads != 3 || p.Decided != 3 || p.Pending+p.Rejected+p.Parked != 0 {
		t.Errorf("places %+v", p)
	}
}

func TestAnUpdateReachesTheCopyOfADecidedLead(t *testing.T) {
	w := newWorld(t, quick)
	r := w.mustPost(firstForm, "")
	w.mustPost(laterForm, "")
	if err := w.service.LearnUpdates(w.ctx); err != nil || w.untold() != 0 {
		t.Fatalf("%d untold, %v", w.untold(), err)
	}
	if len(w.renewed) != 1 || w.renewed[0].GetLeadId() != r.GetLeadId() || len(w.renewed[0].GetProfile()) == 0 {
		t.Fatalf("routing was told %v", w.renewed)
	}
	l := w.renewed[0].GetLead()
	if l.GetComments() != "And may I drive it?" || l.GetParties()[0].GetPhones()[0].GetE164() != "+12025550147" || len(l.GetVehicles()) != 2 || l.GetSource().GetSource() == "other" {
		t.Errorf("routing's copy becomes %v", l)
	}

	// Routing is down, or is one of the release before: nothing is lost.
	w.refresh = func(*routingv1.RefreshCasesRequest) (*routingv1.RefreshCasesResponse, error) {
		return nil, problem.Unavailable(nil)
	}
	got := w.mustPatch(r.GetLeadId(), &leadv1.Lead{Comments: "Call after six"})
	if !got.GetChanged() || got.GetStanding().GetState() != leadv1.State_STATE_ASSIGNED || w.untold() != 1 {
		t.Errorf("while routing is down: %v, %d untold", got, w.untold())
	}
	w.refresh = nil
	w.advance(time.Minute)
	if err := w.service.LearnUpdates(w.ctx); err != nil || w.untold() != 0 || w.renewed[len(w.renewed)-1].GetLead().GetComments() != "Call after six" {
		t.Errorf("once it is back: %d untold, %v", w.untold(), err)
	}
	if again := w.mustPatch(r.GetLeadId(), &leadv1.Lead{Comments: "Call after six"}); again.GetChanged() {
		t.Error("the same change twice counts twice")
	}
	view, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: r.GetLeadId()})
	if err != nil || view.GetLead().GetComments() != "Call after six" {
		t.Errorf("shown: %v, %v", view.GetLead(), err)
	}
	if _, err := w.patch(r.GetLeadId(), &leadv1.Lead{Brand: "OTHER"}); problem.From(err).Code() != "WRONG_STATE" {
		t.Errorf("the brand of a decided lead: %v", err)
	}
}

func TestUnreadableDocumentsAreMended(t *testing.T) {
	w := newWorld(t, quick)
	byFields, byDocument, hopeless := w.unreadable(), "", ""
	w.advance(time.Hour)
	if got := w.mustPatch(byFields, phone("202-555-0147")); got.GetStanding().GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("with its fields told: %v", got)
	}
	resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: capturev1.DocumentKind_DOCUMENT_KIND_ADF, Body: []byte("<adf><broken"), ContentType: "application/xml"})
	if err != nil {
		t.Fatal(err)
	}
	byDocument = resp.GetResults()[0].GetLeadId()
	mend := func(id, document string) (*capturev1.UpdateLeadResponse, error) {
		return w.service.UpdateLead(w.ctx, &capturev1.UpdateLeadRequest{LeadId: id, Document: []byte(document), Reason: "the vendor sent it again"})
	}
	if _, err := mend(byDocument, "<adf><still"); problem.From(err).Code() != "UNREADABLE_BODY" {
		t.Errorf("another unreadable one: %v", err)
	}
	const good = `<?adf version="1.0"?><adf><prospect><requestdate>2026-03-02T08:00:00-05:00</requestdate><vehicle><make>Ostra</make><model>Volt</model></vehicle>
		<customer><contact><name>Ada Byron</name><email>ada@byron.example.com</email></contact></customer></prospect></adf>`
	got, err := mend(byDocument, good)
	if err != nil || got.GetStanding().GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("a readable one: %v, %v", got, err)
	}
	view, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: byDocument})
	if err != nil || view.GetLead().GetVehicles()[0].GetModel() != "Volt" || view.GetLead().GetLeadId() != byDocument {
		t.Errorf("the mended lead: %v, %v", view.GetLead(), err)
	}
	raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: byDocument})
	if err != nil || string(raw.GetBody()) != "<adf><broken" {
		t.Errorf("what was received is %q", raw.GetBody())
	}
	if _, err := mend(byDocument, good); problem.From(err) == nil && err != nil {
		t.Error(err)
	}
	resp, err = w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: capturev1.DocumentKind_DOCUMENT_KIND_ADF, Body: []byte("<adf>?"), ContentType: "application/xml"})
	if err != nil {
		t.Fatal(err)
	}
	hopeless = resp.GetResults()[0].GetLeadId()
	if _, err := w.service.ResubmitLead(w.ctx, &capturev1.ResubmitLeadRequest{LeadId: hopeless}); problem.From(err).Code() != "WRONG_STATE" || !strings.Contains(err.Error(), "PATCH") {
		t.Errorf("resubmitted as it is: %v", err)
	}
	done, err := w.service.RejectLead(w.ctx, &capturev1.RejectLeadRequest{LeadId: hopeless, Code: leadv1.RejectCode_REJECT_CODE_JUNK, Note: "no lead at all"})
	if err != nil || !done.GetChanged() || done.GetStanding().GetState() != leadv1.State_STATE_REJECTED || done.GetStanding().GetCode() != "JUNK" {
		t.Errorf("rejected: %v, %v", done, err)
	}
	if done, err = w.service.RejectLead(w.ctx, &capturev1.RejectLeadRequest{LeadId: hopeless, Code: leadv1.RejectCode_REJECT_CODE_JUNK}); err != nil || done.GetChanged() {
		t.Errorf("rejected again: %v, %v", done, err)
	}
	if _, err := w.patch(hopeless, phone("202-555-0147")); problem.From(err).Code() != "WRONG_STATE" {
		t.Errorf("a change revives what was rejected by hand: %v", err)
	}
	if p := w.places(); p.Leads != 3 || p.Decided != 2 || p.Rejected != 1 || p.Pending+p.Parked != 0 {
		t.Errorf("places %+v", p)
	}
}

func TestLeadsThatFailedAreResubmitted(t *testing.T) {
	w := newWorld(t, quick)
	w.decide = refuse(problemv1.Reason_REASON_INTERNAL)
	ids := map[string]bool{}
	for i := range 4 {
		ids[w.batch(someLead(i))[0].GetLeadId()] = true
	}
	for range 6 {
		w.advance(5 * time.Minute)
		if err := w.service.DrivePending(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if p := w.places(); p.Parked != 4 {
		t.Fatalf("places %+v, want all parked", p)
	}
	w.mu.Lock()
	w.decide = nil
	w.mu.Unlock()
	one := ""
	for id := range ids {
		one = id
	}
	got, err := w.service.ResubmitLead(w.ctx, &capturev1.ResubmitLeadRequest{LeadId: one, Reason: "mended"})
	if err != nil || !got.GetResubmitted() || got.GetStanding().GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("one: %v, %v", got, err)
	}
	batch := func(req *capturev1.BatchResubmitLeadsRequest) []int32 {
		t.Helper()
		r, err := w.service.BatchResubmitLeads(w.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return []int32{r.GetMatched(), r.GetResubmitted()}
	}
	if diff := cmp.Diff([]int32{3, 0}, batch(&capturev1.BatchResubmitLeadsRequest{Code: "DATA", DryRun: true})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{0, 0}, batch(&capturev1.BatchResubmitLeadsRequest{Code: "DATA", Until: timestamppb.New(w.clock().Add(-48 * time.Hour))})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{3, 3}, batch(&capturev1.BatchResubmitLeadsRequest{Code: "DATA"})); diff != "" {
		t.Error(diff)
	}
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.service.DrivePending(w.ctx); err != nil {
		t.Fatal(err)
	}
	if p := w.places(); p.Leads != 4 || p.Decided != 4 || p.Pending+p.Parked+p.Rejected != 0 {
		t.Errorf("places %+v, want all decided", p)
	}
	// Rejected ones stay so while the rules say so, and are counted page by page.
	for _, id := range []string{"a", "b", "c"} {
		w.mustPost(strings.Replace(noContact, `"9"`, `"`+id+`"`, 1), "")
	}
	r, err := w.service.BatchResubmitLeads(w.ctx, &capturev1.BatchResubmitLeadsRequest{Code: "NO_CONTACT_POINT", Limit: 2})
	if err != nil || r.GetMatched() != 2 || r.GetResubmitted() != 0 || r.GetNextPageToken() == "" {
		t.Errorf("rejected: %v, %v", r, err)
	}
	if r, err = w.service.BatchResubmitLeads(w.ctx, &capturev1.BatchResubmitLeadsRequest{Code: "NO_CONTACT_POINT", Limit: 2, PageToken: r.GetNextPageToken()}); err != nil || r.GetMatched() != 1 || r.GetNextPageToken() != "" {
		t.Errorf("rejected, second page: %v, %v", r, err)
	}
}

func TestChangesAreChecked(t *testing.T) {
	w := newWorld(t, quick)
	id := w.batch(someLead(1))[0].GetLeadId()
	granted := &leadv1.Lead{Consents: []*leadv1.Consent{{Purpose: leadv1.Purpose_PURPOSE_MARKETING, State: leadv1.ConsentState_CONSENT_STATE_GRANTED}}}
	for name, tc := range map[string]struct {
		req   *capturev1.UpdateLeadRequest
		field string
	}{
		"no reason":        {&capturev1.UpdateLeadRequest{LeadId: id, Lead: phone("1")}, "reason"},
		"nothing":          {&capturev1.UpdateLeadRequest{LeadId: id, Reason: "r"}, "lead"},
		"no field":         {&capturev1.UpdateLeadRequest{LeadId: id, Reason: "r", Lead: &leadv1.Lead{}}, "lead"},
		"both":             {&capturev1.UpdateLeadRequest{LeadId: id, Reason: "r", Lead: phone("1"), Document: []byte("x")}, "lead"},
		"of the sender":    {&capturev1.UpdateLeadRequest{LeadId: id, Reason: "r", Lead: &leadv1.Lead{Source: &leadv1.Source{Source: "mine"}}}, "lead.source"},
		"consent unproven": {&capturev1.UpdateLeadRequest{LeadId: id, Reason: "r", Lead: granted}, "lead.consents[0].evidence"},
	} {
		_, err := w.service.UpdateLead(w.ctx, tc.req)
		if p := problem.From(err); p == nil || len(p.Violations) != 1 || p.Violations[0].Field != tc.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	granted.Consents[0].Evidence = "recording 17"
	w.mustPatch(id, granted)
	if l := w.renewed[len(w.renewed)-1].GetLead(); len(l.GetConsents()) != 1 {
		t.Errorf("a proven consent: %v", l.GetConsents())
	}
	store := rpc.WithCaller(t.Context(), rpc.Caller{Name: "crm", Roles: []rpc.Role{rpc.RoleDealer}, DealerID: "nobody's"})
	if _, err := w.service.UpdateLead(store, &capturev1.UpdateLeadRequest{LeadId: id, Reason: "r", Lead: phone("202-555-0147")}); problem.From(err).Code() != "NOT_YOUR_DEALER" {
		t.Errorf("another store's lead: %v", err)
	}
}

func TestLeadsAreFoundByIdentifiers(t *testing.T) {
	w := newWorld(t, quick)
	r := w.mustPost(firstForm, "")
	other := someLead(2)
	other.Identifiers = []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_DEAL, Source: "dms-1", Value: "D-77"}, {Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_CLICK, Source: "ads", Value: "c-1"}}
	second := w.batch(other)[0]
	find := func(source, id string, kind leadv1.IdentifierKind) []string {
		t.Helper()
		resp, err := w.service.LookupLeads(w.ctx, &capturev1.LookupLeadsRequest{Source: source, Id: id, Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, l := range resp.GetLeads() {
			out = append(out, l.GetStanding().GetLeadId()+" "+l.GetStanding().GetState().String())
		}
		return out
	}
	const assigned = " STATE_ASSIGNED"
	for _, tc := range []struct {
		source, id string
		kind       leadv1.IdentifierKind
		want       []string
	}{
		{"Portal", "7", 0, []string{r.GetLeadId() + assigned}},
		{"portal", "7", leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, []string{r.GetLeadId() + assigned}},
		{"portal", "7", leadv1.IdentifierKind_IDENTIFIER_KIND_DEAL, nil},
		{"dms-1", "D-77", 0, []string{second.GetLeadId() + assigned}},
		{"dms-2", "D-77", 0, nil},
		{"ads", "c-1", 0, nil},
	} {
		if diff := cmp.Diff(tc.want, find(tc.source, tc.id, tc.kind)); diff != "" {
			t.Errorf("%s %s %s: %s", tc.source, tc.id, tc.kind, diff)
		}
	}
	// What came later counts too.
	w.mustPatch(second.GetLeadId(), &leadv1.Lead{Identifiers: []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_CRM_LEAD, Source: "crm", Value: "L1"}}})
	if got := find("crm", "L1", 0); len(got) != 1 {
		t.Errorf("an identifier of later: %v", got)
	}
	store := rpc.WithCaller(t.Context(), rpc.Caller{Name: "crm", Roles: []rpc.Role{rpc.RoleDealer}, DealerID: "nobody's"})
	if resp, err := w.service.LookupLeads(store, &capturev1.LookupLeadsRequest{Source: "portal", Id: "7"}); err != nil || len(resp.GetLeads()) != 0 {
		t.Errorf("another store finds %v, %v", resp.GetLeads(), err)
	}
	for _, kind := range []leadv1.IdentifierKind{leadv1.IdentifierKind_IDENTIFIER_KIND_LOYALTY, leadv1.IdentifierKind_IDENTIFIER_KIND_CLICK} {
		if _, err := w.service.LookupLeads(w.ctx, &capturev1.LookupLeadsRequest{Source: "a", Id: "b", Kind: kind}); problem.From(err) == nil {
			t.Errorf("looked up by %s", kind)
		}
	}
}

// TestLookupReadsAnIndex: a lookup never reads the table of leads.
func TestLookupReadsAnIndex(t *testing.T) {
	w := newWorld(t, quick)
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO lead (bucket, lead_id, credential, received_at, requested_at, test, flags, playbook_revision, traceparent, content_type, body_hash, body, raw, lookup_keys)
		SELECT i % 64, gen_random_uuid(), 'c', now(), now(), false, 0, '', '', '', sha256(i::text::bytea), '', '', ARRAY[i] FROM generate_series(1, 20000) i`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.pool.Exec(t.Context(), "ANALYZE lead"); err != nil {
		t.Fatal(err)
	}
	rows, err := w.pool.Query(t.Context(), "EXPLAIN SELECT lead_id FROM lead WHERE lookup_keys @> ARRAY[17::bigint] ORDER BY received_at DESC LIMIT 200")
	if err != nil {
		t.Fatal(err)
	}
	var plan string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if !strings.Contains(plan, "lead_lookup") || strings.Contains(plan, "Seq Scan") {
		t.Error(plan)
	}
}
