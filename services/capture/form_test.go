package capture_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/sources"
)

const (
	kindForm   = capturev1.DocumentKind_DOCUMENT_KIND_FORM
	kindGoogle = capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM
	kindMeta   = capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION
	kindSTAR   = capturev1.DocumentKind_DOCUMENT_KIND_STAR
)

// graphServer behaves as Meta's Graph API does: it wants the page's token and its proof, knows its
// leads, and fails when told to.
type graphServer struct {
	*httptest.Server
	mu    sync.Mutex
	leads map[string]string // id -> answer
	fail  func(w http.ResponseWriter) bool
	calls int
}

func newGraph(t *testing.T) *graphServer {
	g := &graphServer{leads: map[string]string{}}
	proof := hmac.New(sha256.New, []byte("the-app-secret"))
	proof.Write([]byte("page-token"))
	want := hex.EncodeToString(proof.Sum(nil))
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.calls++
		id, known := strings.CutPrefix(r.URL.Path, "/v21.0/")
		q := r.URL.Query()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case g.fail != nil && g.fail(w):
		case !known || r.Method != http.MethodGet:
			graphError(w, 400, 2500, 0)
		case q.Get("access_token") != "page-token" || q.Get("appsecret_proof") != want:
			graphError(w, 400, 190, 463)
		case !strings.Contains(q.Get("fields"), "field_data"):
			graphError(w, 400, 100, 0)
		case g.leads[id] == "":
			graphError(w, 400, 100, 33)
		default:
			_, _ = w.Write([]byte(g.leads[id]))
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// graphError answers an error as Meta does.
func graphError(w http.ResponseWriter, status, code, subcode int) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"message":"(#%d) as the test wants","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A"}}`, code, code, subcode)
}

func (g *graphServer) set(id, answer string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leads[id] = answer
}

func (g *graphServer) failWith(fail func(w http.ResponseWriter) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail = fail
}

func (g *graphServer) asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// withSources is a world with a sources file whose Graph API is the given one.
func withSources(t *testing.T, graphURL string) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sources.yaml")
	content := fmt.Sprintf(`
graph: {url: %q, version: v21.0}
sources:
  - name: ads
    kind: meta
    app_secret: the-app-secret
    verify_token: v
    pages: [{id: 108, token: page-token}]
    set: {campaign: {name: Default}, line: sales}
  - name: search
    kind: google
    keys: [{key: k}]
  - name: site
    kind: form
    auth: {by: none}
    set: {source: oem_site}
    fields: [{question: q1, field: vehicle.model}]
  - name: oem
    kind: star
    auth: {by: none}
    set: {dealer: {scheme: nv}}
`, graphURL)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := sources.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, capture.Config{})
	w.deps.Sources = func() *sources.File { return file }
	w.service = w.start(capture.Config{})
	return w
}

func (w *world) send(kind capturev1.DocumentKind, intake, contentType, body string) []*capturev1.LeadResult {
	w.t.Helper()
	resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: kind, Intake: intake, ContentType: contentType, Body: []byte(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetResults()
}

func (w *world) get(id string) *capturev1.GetLeadResponse {
	w.t.Helper()
	resp, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func (w *world) fetch() {
	w.t.Helper()
	if err := w.service.FetchForms(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	if err := w.service.DrivePending(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// person is a lead's first party in one line.
func person(l *leadv1.Lead) string {
	if len(l.GetParties()) == 0 {
		return "nobody"
	}
	p, car := l.GetParties()[0], ""
	s := p.GetName().GetFull()
	for _, e := range p.GetEmails() {
		s += " " + e.GetAddress()
	}
	for _, f := range p.GetPhones() {
		s += " " + f.GetE164()
	}
	if len(l.GetVehicles()) > 0 {
		car = strings.TrimSpace(l.GetVehicles()[0].GetMake() + " " + l.GetVehicles()[0].GetModel())
	}
	return strings.TrimSpace(s) + "; " + car + "; " + l.GetSource().GetSource() + "; " + l.GetCampaign().GetName() + l.GetCampaign().GetCampaignId()
}

func notice(ids ...string) string {
	var changes []string
	for _, id := range ids {
		changes = append(changes, `{"field":"leadgen","value":{"leadgen_id":`+id+`,"page_id":108,"form_id":"f1","created_time":1772442000}}`)
	}
	return `{"object":"page","entry":[{"id":"108","time":1772442000,"changes":[` + strings.Join(changes, ",") + `]}]}`
}

func graphLead(id, mail string) string {
	return `{"field_data":[{"values":["` + mail + `"],"name":"email"},{"name":"full_name","values":["Ada Byron"]},{"name":"modelo","values":["Lomvi 5"]}],"id":"` + id +
		`","created_time":"2026-03-02T08:59:00+0000","campaign_id":"c9","custom_disclaimer_responses":[{"checkbox_key":"marketing_email","is_checked":"1"}]}`
}

func TestFormsOfEveryKindBecomeDecidedLeads(t *testing.T) {
	w := withSources(t, "http://127.0.0.1:1")
	for name, c := range map[string]struct {
		kind                      capturev1.DocumentKind
		intake, contentType, body string
		want                      string
	}{
		"urlencoded, mapped": {kindForm, "site", "application/x-www-form-urlencoded", "name=Ada+Byron&correo=ada%40byron.example.com&q1=Lomvi+5", "Ada Byron ada@byron.example.com; Lomvi 5; oem_site; "},
		"google":             {kindGoogle, "search", "application/json", `{"lead_id":"g1","campaign_id":77,"user_column_data":[{"column_id":"EMAIL","string_value":"g@byron.example.com"},{"column_id":"VEHICLE_MODEL","string_value":"Lomvi 3"}]}`, "g@byron.example.com; Lomvi 3; google; 77"},
		"star":               {kindSTAR, "oem", "application/xml", `<ProcessSalesLead><ApplicationArea><Sender><SenderNameCode>P</SenderNameCode></Sender><BODID>b1</BODID></ApplicationArea><SalesLead><CustomerProspect><GivenName>Ada</GivenName><URIID>x</URIID><EmailAddress>s@byron.example.com</EmailAddress></CustomerProspect><SalesLeadVehicle><MakeString>Ostra</MakeString><Model>Volt</Model></SalesLeadVehicle></SalesLead></ProcessSalesLead>`, "Ada s@byron.example.com; Ostra Volt; oem; "},
		"bridge":             {kindForm, "site", "application/json", `{"entry":[{"changes":[{"field":"leadgen","value":{"leadgen_id":"m1","field_data":[{"name":"email","values":["m@byron.example.com"]}]}}]}]}`, "m@byron.example.com; ; oem_site; "},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.send(c.kind, c.intake, c.contentType, c.body)
			if len(got) != 1 || got[0].GetState() != leadv1.State_STATE_ASSIGNED {
				t.Fatalf("%v", got)
			}
			answer := w.get(got[0].GetLeadId())
			if diff := cmp.Diff(c.want, person(answer.GetLead())); diff != "" {
				t.Error(diff)
			}
			raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: got[0].GetLeadId()})
			if err != nil || !strings.Contains(c.body, string(raw.GetBody())) || len(raw.GetBody()) == 0 {
				t.Errorf("raw %q, %v", raw.GetBody(), err)
			}
			if again := w.send(c.kind, c.intake, c.contentType, c.body); again[0].GetLeadId() != got[0].GetLeadId() || !again[0].GetDuplicateRequest() {
				t.Errorf("sent again: %v", again)
			}
		})
	}
}

func TestTestLeadsAreMarked(t *testing.T) {
	w := withSources(t, "http://127.0.0.1:1")
	got := w.send(kindGoogle, "search", "application/json", `{"lead_id":"t1","is_test":true,"user_column_data":[{"column_id":"EMAIL","string_value":"g@byron.example.com"}]}`)
	if !w.get(got[0].GetLeadId()).GetLead().GetTest() {
		t.Error("is_test made no test lead")
	}
}

func TestUnreadableFormsAreParkedAndReadAgain(t *testing.T) {
	w := withSources(t, "http://127.0.0.1:1")
	for kind, body := range map[capturev1.DocumentKind]string{kindForm: `{"email":`, kindGoogle: "[", kindSTAR: "<a>", kindMeta: "{}"} {
		got := w.send(kind, map[capturev1.DocumentKind]string{kindForm: "site", kindGoogle: "search", kindSTAR: "oem", kindMeta: "ads"}[kind], "application/json", body)
		if len(got) != 1 || got[0].GetState() != leadv1.State_STATE_PARKED {
			t.Fatalf("%v: %v", kind, got)
		}
		raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: got[0].GetLeadId()})
		if err != nil || string(raw.GetBody()) != body {
			t.Errorf("%v: raw %q, %v", kind, raw.GetBody(), err)
		}
	}
	w.advance(25 * time.Hour)
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(places{Leads: 4, Parked: 4}, w.places()); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownSourceIsRefusedForNow(t *testing.T) {
	w := withSources(t, "http://127.0.0.1:1")
	_, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: kindForm, Intake: "other", Body: []byte("a=1")})
	if err == nil || !strings.Contains(err.Error(), "no source of this name") {
		t.Errorf("%v", err)
	}
}

func TestMetaNotificationIsDurableThenFetched(t *testing.T) {
	g := newGraph(t)
	g.set("11", graphLead("11", "ada@byron.example.com"))
	g.set("12", strings.Replace(graphLead("12", "bea@byron.example.com"), `"id":"12"`, `"id":12`, 1))
	w := withSources(t, g.URL)
	call := strings.Replace(notice("11", `"12"`), `"changes":[`, `"changes":[{"field":"feed","value":{}},`, 1)
	got := w.send(kindMeta, "ads", "application/json", call)
	if len(got) != 2 || got[0].GetState() != leadv1.State_STATE_PARKED || got[0].GetCode() != "DATA" {
		t.Fatalf("%v", got)
	}
	if again := w.send(kindMeta, "ads", "application/json", call); again[0].GetLeadId() != got[0].GetLeadId() || !again[0].GetDuplicateRequest() {
		t.Errorf("sent again before the fetch: %v", again)
	}
	if detail := w.get(got[0].GetLeadId()).GetDecision().GetParking().GetDetail(); !strings.Contains(detail, "only its id is known") {
		t.Errorf("detail %q", detail)
	}
	// Whoever took the call dies; another process fetches.
	w.service = w.start(capture.Config{})
	w.fetch()
	if diff := cmp.Diff(places{Leads: 2, Decided: 2}, w.places()); diff != "" {
		t.Fatal(diff)
	}
	l := w.get(got[0].GetLeadId()).GetLead()
	if diff := cmp.Diff("Ada Byron ada@byron.example.com; Lomvi 5; meta; Defaultc9", person(l)); diff != "" {
		t.Error(diff)
	}
	if c := l.GetConsents(); len(c) != 1 || c[0].GetState() != leadv1.ConsentState_CONSENT_STATE_GRANTED || c[0].GetContactPoint() != "ada@byron.example.com" {
		t.Errorf("consents %v", c)
	}
	raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: got[0].GetLeadId()})
	var both struct{ Notification, Lead map[string]any }
	if err != nil || json.Unmarshal(raw.GetBody(), &both) != nil || both.Notification["field"] != "leadgen" || both.Lead["id"] != "11" {
		t.Errorf("raw %s, %v", raw.GetBody(), err)
	}
	before := g.asked()
	if again := w.send(kindMeta, "ads", "application/json", call); again[0].GetLeadId() != got[0].GetLeadId() || again[0].GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("sent again after the fetch: %v", again)
	}
	other := strings.Replace(notice("11"), `"form_id":"f1"`, `"form_id":"f1","ad_id":"5"`, 1) // the same lead in other words
	if again := w.send(kindMeta, "ads", "application/json", other); again[0].GetLeadId() != got[0].GetLeadId() {
		t.Errorf("told again: %v", again)
	}
	w.fetch()
	if g.asked() != before {
		t.Error("a form was fetched twice")
	}
	w.wantEvents(got[0].GetLeadId(), "leadmesh.lead.captured.v1", "leadmesh.lead.parked.v1", "leadmesh.lead.woken.v1")
}

// TestNotificationsAreTakenForTheirIDsOnly: what else stands in one is flagged and kept raw, and
// nobody's contact point is taken from it.
func TestNotificationsAreTakenForTheirIDsOnly(t *testing.T) {
	g := newGraph(t)
	g.set("11", graphLead("11", "ada@byron.example.com"))
	w := withSources(t, g.URL)
	id := w.send(kindMeta, "ads", "application/json", strings.Replace(notice("11"), `"form_id"`, `"email":"injected@byron.example.com","form_id"`, 1))[0].GetLeadId()
	w.fetch()
	l := w.get(id).GetLead()
	flagged := false
	for _, f := range l.GetFlags() {
		flagged = flagged || f.GetCode() == "unknown_field" && f.GetField() == "notification.email"
	}
	if text := l.String(); strings.Contains(text, "injected") || !flagged {
		t.Errorf("flagged %v: %s", flagged, text)
	}
}

func TestFetchIsTriedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		fail func(w http.ResponseWriter) bool
		why  string
		wait time.Duration // within which it is tried again
	}{
		"rate limit": {func(w http.ResponseWriter) bool { graphError(w, 400, 80005, 0); return true }, "rate limit", 2 * time.Minute},
		"5xx":        {func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true }, "out of order", 10 * time.Second},
		"transient":  {func(w http.ResponseWriter) bool { graphError(w, 400, 2, 0); return true }, "out of order", 10 * time.Second},
		"slow, cut":  {func(w http.ResponseWriter) bool { panic(http.ErrAbortHandler) }, "does not answer", 10 * time.Second},
		"not JSON":   {func(w http.ResponseWriter) bool { _, _ = w.Write([]byte("<html>")); return true }, "out of order", 10 * time.Second},
		"token":      {func(w http.ResponseWriter) bool { graphError(w, 400, 190, 463); return true }, "refuses the token", 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGraph(t)
			g.set("11", graphLead("11", "ada@byron.example.com"))
			g.failWith(tt.fail)
			w := withSources(t, g.URL)
			id := w.send(kindMeta, "ads", "application/json", notice("11"))[0].GetLeadId()
			w.fetch()
			asked := g.asked()
			if detail := w.get(id).GetDecision().GetParking().GetDetail(); !strings.Contains(detail, tt.why) || strings.Contains(detail, "page-token") {
				t.Errorf("detail %q", detail)
			}
			w.fetch()
			if g.asked() != asked {
				t.Error("it was asked for again at once")
			}
			g.failWith(nil)
			w.advance(tt.wait)
			w.fetch()
			if diff := cmp.Diff(places{Leads: 1, Decided: 1}, w.places()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFetchGoesOnForDays(t *testing.T) {
	g := newGraph(t)
	g.set("11", graphLead("11", "ada@byron.example.com"))
	g.failWith(func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusInternalServerError); return true })
	w := withSources(t, g.URL)
	w.send(kindMeta, "ads", "application/json", notice("11"))
	for range 40 {
		w.fetch()
		w.advance(time.Hour)
	}
	if g.asked() < 20 {
		t.Errorf("asked %d times in 40 h", g.asked())
	}
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(places{Leads: 1, Parked: 1}, w.places()); diff != "" {
		t.Fatal(diff)
	}
	g.failWith(nil)
	w.advance(2 * time.Hour)
	w.fetch()
	if diff := cmp.Diff(places{Leads: 1, Decided: 1}, w.places()); diff != "" {
		t.Error(diff)
	}
}

func TestDeletedLeadStaysParkedWithItsReason(t *testing.T) {
	g := newGraph(t)
	w := withSources(t, g.URL)
	id := w.send(kindMeta, "ads", "application/json", notice("404"))[0].GetLeadId()
	w.fetch()
	asked := g.asked()
	w.advance(25 * time.Hour)
	w.fetch()
	if err := w.service.ReviewParked(w.ctx); err != nil {
		t.Fatal(err)
	}
	if g.asked() != asked {
		t.Error("a deleted lead was asked for again")
	}
	answer := w.get(id)
	if answer.GetState() != leadv1.State_STATE_PARKED || !strings.Contains(answer.GetDecision().GetParking().GetDetail(), "was deleted") {
		t.Errorf("%v", answer)
	}
	raw, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: id})
	if err != nil || !strings.Contains(notice("404"), string(raw.GetBody())) {
		t.Errorf("raw %q, %v", raw.GetBody(), err)
	}
}

func TestAnIDAtTheFormDoorIsNotLost(t *testing.T) {
	w := withSources(t, "http://127.0.0.1:1")
	if got := w.send(kindForm, "site", "application/json", notice("9")); got[0].GetState() != leadv1.State_STATE_PARKED {
		t.Errorf("%v", got)
	}
	urn := `{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:1-2","leadAction":"CREATED","occurredAt":1776000000000}`
	if got := w.send(kindForm, "site", "application/json", urn); got[0].GetState() != leadv1.State_STATE_PARKED {
		t.Errorf("LinkedIn's: %v", got)
	}
	if got := w.send(kindForm, "site", "application/json", `{"entry":[{"changes":[{"field":"feed","value":{"leadgen_id":"1"}}]}]}`); len(got) != 0 {
		t.Errorf("a change of another field made %v", got)
	}
}
