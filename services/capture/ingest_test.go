package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func (w *world) ingest(kind capturev1.DocumentKind, body, key string) ([]*capturev1.LeadResult, error) {
	resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: kind, Body: []byte(body), ContentType: "text/of-the-test", IdempotencyKey: key, Source: "portal"})
	return resp.GetResults(), err
}

func prospect(id, name string) string {
	return fmt.Sprintf(`<prospect><id source="portal">%s</id><requestdate>2026-03-02T08:00:00Z</requestdate><vehicle><make>Ostra</make><model>Volt</model></vehicle>
<customer><contact><name part="full">%s</name><email>%s@example.com</email></contact></customer><vendor><vendorname>Store</vendorname></vendor></prospect>`, id, name, strings.ToLower(strings.ReplaceAll(name, " ", ".")))
}

func TestADFDocumentAnswersPerProspect(t *testing.T) {
	w := newWorld(t, capture.Config{})
	doc := "<?adf version=\"1.0\"?><adf>" + prospect("1", "Ada Byron") + prospect("2", "Carl Gauss") + prospect("1", "Ada Byron") + "</adf>"
	got, err := w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_ADF, doc, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].GetLeadId() != got[2].GetLeadId() || !got[2].GetDuplicateRequest() || got[1].GetState() != leadv1.State_STATE_ASSIGNED {
		t.Fatalf("results = %v, want two leads and a duplicate", got)
	}
	raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: got[1].GetLeadId()})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(prospect("2", "Carl Gauss"), string(raw.GetBody())); diff != "" {
		t.Errorf("raw form of the second lead (-want +got):\n%s", diff)
	}
	answer, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: got[1].GetLeadId()})
	if err != nil || answer.GetLead().GetSource().GetSource() != "portal" || answer.GetLead().GetParties()[0].GetName().GetFull() != "Carl Gauss" {
		t.Errorf("lead = %v (%v)", answer, err)
	}
	// Sent again with a change that leaves the person the same: nothing new.
	again, err := w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_ADF, strings.Replace(doc, "Volt", "Volt 5", 1), "")
	if err != nil || again[0].GetLeadId() != got[0].GetLeadId() || w.count("SELECT count(*) FROM lead") != 2 {
		t.Errorf("second round = %v (%v), want the same leads", again, err)
	}
}

func TestUnreadableADFIsParkedWithItsRawForm(t *testing.T) {
	w := newWorld(t, capture.Config{})
	const body = "Dear dealer, Ada Byron wants a car."
	got, err := w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_ADF, body, "")
	if err != nil {
		t.Fatal(err)
	}
	if got[0].GetState() != leadv1.State_STATE_PARKED || got[0].GetCode() != "DATA" || got[0].GetLeadId() == "" {
		t.Errorf("answer = %v, want PARKED for DATA", got[0])
	}
	raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: got[0].GetLeadId()})
	if err != nil || string(raw.GetBody()) != body || raw.GetContentType() != "text/of-the-test" {
		t.Errorf("raw = %v (%v)", raw, err)
	}
	if again, err := w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_ADF, body, ""); err != nil || again[0].GetLeadId() != got[0].GetLeadId() || again[0].GetState() != leadv1.State_STATE_PARKED {
		t.Errorf("sent again = %v (%v), want the same", again, err)
	}
	// Nobody can read it the next day either: it stays, with a new review date.
	w.advance(25 * 3600e9)
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(places{Leads: 1, Parked: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if n := w.count("SELECT count(*) FROM parked WHERE review_at > $1", w.clock()); n != 1 {
		t.Error("the review date did not move")
	}
	w.wantEvents(got[0].GetLeadId(), "leadmesh.lead.captured.v1", "leadmesh.lead.parked.v1", "leadmesh.lead.parked.v1")
}

func TestJSONBatchAnswersPerItem(t *testing.T) {
	w := newWorld(t, capture.Config{})
	body := `{"leads":[` + adaJSON + `, 17, {"idempotency_key":"` + strings.Repeat("k", 201) + `"},` + carlJSON + `]}`
	got, err := w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_LEAD_BATCH, body, "batch-1")
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, r := range got {
		reasons = append(reasons, r.GetState().String()+" "+r.GetProblem().GetReason().String())
	}
	want := []string{
		"STATE_ASSIGNED REASON_UNSPECIFIED", "STATE_UNSPECIFIED REASON_UNREADABLE_BODY",
		"STATE_UNSPECIFIED REASON_INVALID_ARGUMENT", "STATE_ASSIGNED REASON_UNSPECIFIED",
	}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: got[3].GetLeadId()})
	if err != nil || string(raw.GetBody()) != carlJSON {
		t.Errorf("raw form = %s (%v), want the element's own part", raw.GetBody(), err)
	}
	again, err := w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_LEAD_BATCH, body, "batch-1")
	if err != nil || !again[0].GetDuplicateRequest() || !again[3].GetDuplicateRequest() {
		t.Errorf("sent again = %v (%v), want duplicates", again, err)
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	w := newWorld(t, capture.Config{})
	const lead, batch, adf = capturev1.DocumentKind_DOCUMENT_KIND_LEAD, capturev1.DocumentKind_DOCUMENT_KIND_LEAD_BATCH, capturev1.DocumentKind_DOCUMENT_KIND_ADF
	for name, c := range map[string]struct {
		kind   capturev1.DocumentKind
		body   string
		key    string
		reason problemv1.Reason
	}{
		"no kind":            {0, adaJSON, "", problemv1.Reason_REASON_INVALID_ARGUMENT},
		"no json":            {lead, "name=Ada", "", problemv1.Reason_REASON_UNREADABLE_BODY},
		"a list as a lead":   {lead, "[" + adaJSON + "]", "", problemv1.Reason_REASON_UNREADABLE_BODY},
		"empty batch":        {batch, `{"leads":[]}`, "", problemv1.Reason_REASON_INVALID_ARGUMENT},
		"batch without list": {batch, `{"lead":[]}`, "", problemv1.Reason_REASON_INVALID_ARGUMENT},
		"batch too long":     {batch, "[" + strings.Repeat("{},", 1000) + "{}]", "", problemv1.Reason_REASON_INVALID_ARGUMENT},
		"key too long":       {lead, adaJSON, strings.Repeat("k", 201), problemv1.Reason_REASON_INVALID_ARGUMENT},
		"key with a NUL":     {lead, adaJSON, "k\x00", problemv1.Reason_REASON_INVALID_ARGUMENT},
		"empty adf":          {adf, "  ", "", problemv1.Reason_REASON_UNREADABLE_BODY},
		"adf too large":      {adf, strings.Repeat("x", 4<<20+1), "", problemv1.Reason_REASON_TOO_LARGE},
	} {
		_, err := w.ingest(c.kind, c.body, c.key)
		p := problem.From(err)
		if err == nil || p.Reason != c.reason || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: error = %v, want %v", name, err, c.reason)
		}
	}
	// Each of these lists costs its sender a few bytes an entry.
	for field, open := range map[string]string{
		"parties": `{"parties":[`, "vehicles": `{"vehicles":[`, "identifiers": `{"identifiers":[`, "consents": `{"consents":[`,
		"campaign.click_ids": `{"campaign":{"click_ids":[`, "parties[0].emails": `{"parties":[{"emails":[`, "parties[0].phones": `{"parties":[{"phones":[`,
		"parties[0].address.streets": `{"parties":[{"address":{"streets":[`, "vehicles[0].options": `{"vehicles":[{"options":[`,
	} {
		element := "{}"
		if strings.Contains(field, "click_ids") || strings.Contains(field, "streets") || strings.Contains(field, "options") {
			element = `"a"`
		}
		closing := map[byte]string{'{': "}", '[': "]"}
		body := open + strings.Repeat(element+",", 100_000) + element
		for i := len(open) - 1; i >= 0; i-- {
			body += closing[open[i]]
		}
		got := w.mustPost(body, "")
		if v := got.GetProblem().GetFieldViolations(); len(v) != 1 || v[0].GetField() != field || !strings.Contains(v[0].GetDescription(), "too many") {
			t.Errorf("%s: %v", field, got)
		}
	}
	if n := w.count("SELECT count(*) FROM lead"); n != 0 {
		t.Errorf("%d leads are stored", n)
	}
	got := w.mustPost(`{"idempotency_key":"a","comments":"x"}`, "b")
	if got.GetProblem().GetReason() != problemv1.Reason_REASON_INVALID_ARGUMENT {
		t.Errorf("two different keys: %v", got)
	}
}

func TestGetLeadToleratesPartsThatAreDown(t *testing.T) {
	w := newWorld(t, capture.Config{})
	r := w.mustPost(adaJSON, "")
	stop := w.run(w.service)
	w.eventually("events are handed over", func() bool { return w.count("SELECT count(*) FROM outbox") == 0 })
	stop()
	req := &capturev1.GetLeadRequest{LeadId: r.GetLeadId()}
	got, err := w.service.GetLead(w.ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if got.GetState() != leadv1.State_STATE_ASSIGNED || len(got.GetTimeline()) != 1 || got.GetCustomer().GetPersonId() != "person-of-"+r.GetLeadId() {
		t.Errorf("whole answer = %v", got)
	}
	facts := got.GetTimeline()[0].GetFacts()
	if facts.GetLine() != "SALES" || facts.GetSource() != "oem_site" || facts.GetMarket() != "US" || facts.GetReceivedAt() == nil {
		t.Errorf("facts = %v, want what reports count by", facts)
	}
	w.mu.Lock()
	w.events = append(w.events, &leadv1.Event{LeadId: r.GetLeadId(), Facts: &leadv1.EventFacts{State: "ASSIGNED"}})
	w.getCases = func(*routingv1.BatchGetCasesRequest) (*routingv1.BatchGetCasesResponse, error) {
		return nil, problem.Unavailable(errors.New("down"))
	}
	w.mu.Unlock()
	if got, err = w.service.GetLead(w.ctx, req); err != nil || got.GetLead() == nil || got.GetDecision() != nil || got.GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("without routing = %v (%v), want the lead with its state by the events", got, err)
	}
	dealer := rpc.WithCaller(w.ctx, rpc.Caller{Name: "dms", Roles: []rpc.Role{rpc.RoleDealer}, DealerID: "D1"})
	if _, err = w.service.GetLead(dealer, req); problem.From(err) == nil || problem.From(err).Reason != problemv1.Reason_REASON_UNAVAILABLE {
		t.Errorf("a store while its leads cannot be told: %v, want UNAVAILABLE", err)
	}
	if again := w.mustPost(adaJSON, ""); again.GetProblem().GetReason() != problemv1.Reason_REASON_UNAVAILABLE || again.GetLeadId() != r.GetLeadId() {
		t.Errorf("a duplicate while routing is down = %v, want its id and UNAVAILABLE", again)
	}
	for _, id := range []string{"x", "00000000-0000-8000-8000-000000000000"} {
		if _, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: id}); err == nil {
			t.Errorf("%s: found", id)
		}
	}
}

// TestPersonalDataStaysInTheLead sends leads that fail in every way and looks for their persons in
// all that is logged, answered as an error, traced and recorded as an event.
func TestPersonalDataStaysInTheLead(t *testing.T) {
	var logged bytes.Buffer
	spans := tracetest.NewInMemoryExporter()
	w := newWorld(t, capture.Config{})
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", LogWriter: &logged, LogLevel: slog.LevelDebug, Spans: spans, SampleRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.deps.Tel = tel
	w.service = w.start(quick)
	w.setResolve(func(*identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
		return nil, problem.Internal(errors.New("as the test wants"))
	})
	var said []string
	for _, body := range []string{
		adaJSON, strings.Replace(adaJSON, "QUOTE", "Ada Byron", 1), `{"line":"Ada Byron","vehicles":[{"odometer":-5}],"parties":["Ada Byron"]}`, `{"x":"Ada Byron`,
		`{"idempotency_key":"` + strings.Repeat("Ada Byron", 40) + `"}`, `{"comments":"` + strings.Repeat("Ada Byron ", 2100) + `"}`,
	} {
		for _, kind := range []capturev1.DocumentKind{capturev1.DocumentKind_DOCUMENT_KIND_LEAD, capturev1.DocumentKind_DOCUMENT_KIND_ADF} {
			results, err := w.ingest(kind, body, "")
			said = append(said, fmt.Sprint(results, err))
		}
	}
	for range 6 {
		w.advance(30 * 3600e9)
		if err := errors.Join(w.service.DrivePending(w.ctx), w.service.ReviewParked(w.ctx)); err != nil {
			t.Fatal(err)
		}
	}
	stop := w.run(w.service)
	w.eventually("events are handed over", func() bool { return w.count("SELECT count(*) FROM outbox") == 0 })
	stop()
	for _, e := range w.events {
		said = append(said, e.String())
	}
	for _, s := range spans.GetSpans() {
		said = append(said, fmt.Sprint(s.Name, s.Attributes, s.Events, s.Status))
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	said = append(said, logged.String())
	if w.places().Parked == 0 || len(w.events) == 0 {
		t.Fatalf("places = %+v, %d events: the test did not reach what it looks at", w.places(), len(w.events))
	}
	for _, text := range said {
		for _, word := range []string{"Ada", "Byron", "ada@"} {
			if strings.Contains(text, word) {
				t.Errorf("%q is said in %.300s", word, text)
			}
		}
	}
}

func TestEachLeadHasItsOwnTrace(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	w := newWorld(t, capture.Config{})
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", Spans: spans, SampleRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.deps.Tel = tel
	w.service = w.start(capture.Config{})
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var passed []string
	w.setResolve(func(req *identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
		passed = append(passed, req.GetTraceparents()...)
		resp := &identityv1.BatchResolveResponse{}
		for range req.GetLeads() {
			resp.Resolutions = append(resp.Resolutions, &identityv1.Resolution{PersonId: "p"})
		}
		return resp, nil
	})
	w.batch(someLead(1), someLead(2))
	resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: capturev1.DocumentKind_DOCUMENT_KIND_LEAD, Body: []byte(adaJSON), Traceparent: parent})
	if err != nil || resp.GetResults()[0].GetProblem() != nil {
		t.Fatal(resp, err)
	}
	if len(passed) != 3 {
		t.Fatalf("traceparents passed on = %v, want three", passed)
	}
	trace := func(tp string) string { return strings.Split(tp+"--", "-")[1] }
	if trace(passed[0]) == trace(passed[1]) || trace(passed[0]) == "" {
		t.Errorf("the leads of a batch share a trace: %v", passed)
	}
	if trace(passed[2]) != trace(parent) || passed[2] == parent {
		t.Errorf("single lead's trace = %s, want a child of %s", passed[2], parent)
	}
	if n := w.count("SELECT count(*) FROM lead WHERE traceparent = ANY($1)", passed); n != 3 {
		t.Errorf("%d leads keep their traceparent, want 3", n)
	}
}
