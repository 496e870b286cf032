package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/gateway"
	houseproblem "github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// results makes a backend answer leads.
func results(list ...*capturev1.LeadResult) func(*capturev1.IngestRequest) (*capturev1.IngestResponse, error) {
	return func(*capturev1.IngestRequest) (*capturev1.IngestResponse, error) {
		return &capturev1.IngestResponse{Results: list}, nil
	}
}

func refusal(reason problemv1.Reason) *capturev1.LeadResult {
	return &capturev1.LeadResult{Problem: houseproblem.New(reason, "as the test says").Proto()}
}

var (
	assigned = &capturev1.LeadResult{LeadId: "L1", State: leadv1.State_STATE_ASSIGNED, Decision: &leadv1.Decision{LeadId: "L1", Why: "nearest"}}
	pending  = &capturev1.LeadResult{LeadId: "L2", State: leadv1.State_STATE_PENDING}
	rejected = &capturev1.LeadResult{LeadId: "L3", State: leadv1.State_STATE_REJECTED, Code: "SPAM_BOT"}
	parked   = &capturev1.LeadResult{LeadId: "L4", State: leadv1.State_STATE_PARKED, Code: "DATA"}
)

func TestIngestOnePassesTheDocumentAsReceived(t *testing.T) {
	d := open(t, nil)
	d.backend.ingest = results(assigned)
	body := "{ \"line\":\"LINE_SALES\",\n \"no_such_field\": 1 }"
	got := d.send("POST", "/v1/leads?source=landing", body,
		"Idempotency-Key: k-1", "Content-Type: application/json; charset=utf-8",
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if got.code != 200 {
		t.Fatalf("status %d: %s", got.code, got.body)
	}
	req := proto.CloneOf(d.backend.ingested)
	if !strings.HasPrefix(req.GetTraceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-") || strings.Contains(req.GetTraceparent(), "00f067aa0ba902b7") {
		t.Errorf("traceparent %q is not of the request's own span in the sender's trace", req.GetTraceparent())
	}
	if req.GetTraceparent() != got.header.Get("Traceresponse") || got.header.Get("X-Trace-Id") != "4bf92f3577b34da6a3ce929d0e0e4736" {
		t.Errorf("answer names trace %q, %q", got.header.Get("Traceresponse"), got.header.Get("X-Trace-Id"))
	}
	req.Traceparent = ""
	want := &capturev1.IngestRequest{
		Kind: capturev1.DocumentKind_DOCUMENT_KIND_LEAD, Body: []byte(body),
		ContentType: "application/json; charset=utf-8", IdempotencyKey: "k-1", Source: "landing",
	}
	if diff := cmp.Diff(want, req, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if c := d.backend.caller; c.Name != "web" || !c.Has("oem") || c.Has("service") {
		t.Errorf("the call was made for %+v", c)
	}
}

func TestIngestOneAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		result *capturev1.LeadResult
		code   int
		body   string
	}{
		"decided":   {assigned, 200, `{"lead_id":"L1","state":"STATE_ASSIGNED","decision":{"lead_id":"L1","why":"nearest"}}`},
		"pending":   {pending, 202, `{"lead_id":"L2","state":"STATE_PENDING"}`},
		"rejected":  {rejected, 200, `{"lead_id":"L3","state":"STATE_REJECTED","code":"SPAM_BOT"}`},
		"parked":    {parked, 200, `{"lead_id":"L4","state":"STATE_PARKED","code":"DATA"}`},
		"key again": {refusal(problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED), 409, ""},
		"invalid":   {refusal(problemv1.Reason_REASON_INVALID_ARGUMENT), 400, ""},
		"down":      {refusal(problemv1.Reason_REASON_UNAVAILABLE), 503, ""},
		"no lead":   {&capturev1.LeadResult{State: leadv1.State_STATE_ASSIGNED}, 503, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			d.backend.ingest = results(tc.result)
			got := d.send("POST", "/v1/leads", `{}`)
			if got.code != tc.code {
				t.Fatalf("status %d, want %d: %s", got.code, tc.code, got.body)
			}
			if tc.body != "" {
				sameJSON(t, got.body, tc.body)
			}
		})
	}
}

func TestIngestManyAnswersPerItem(t *testing.T) {
	for _, tc := range []struct {
		path, contentType string
		kind              capturev1.DocumentKind
	}{
		{"/v1/leads:batch", "application/json", capturev1.DocumentKind_DOCUMENT_KIND_LEAD_BATCH},
		{"/v1/adf", "application/xml", capturev1.DocumentKind_DOCUMENT_KIND_ADF},
		{"/v1/adf", "text/xml; charset=iso-8859-1", capturev1.DocumentKind_DOCUMENT_KIND_ADF},
		{"/v1/adf", "application/x-adf+xml", capturev1.DocumentKind_DOCUMENT_KIND_ADF},
		{"/v1/adf", "text/plain", capturev1.DocumentKind_DOCUMENT_KIND_ADF},
		{"/v1/adf", "message/rfc822", capturev1.DocumentKind_DOCUMENT_KIND_MAIL},
	} {
		t.Run(tc.path+" "+tc.contentType, func(t *testing.T) {
			d := open(t, nil)
			d.backend.ingest = results(assigned, pending, refusal(problemv1.Reason_REASON_UNAVAILABLE), rejected)
			got := d.send("POST", tc.path, "<adf/>", "Content-Type: "+tc.contentType)
			if got.code != 200 {
				t.Fatalf("status %d: %s", got.code, got.body)
			}
			sameJSON(t, got.body, `{"results":[
				{"lead_id":"L1","state":"STATE_ASSIGNED","decision":{"lead_id":"L1","why":"nearest"}},
				{"lead_id":"L2","state":"STATE_PENDING"},
				{"problem":{"reason":"REASON_UNAVAILABLE","message":"as the test says"}},
				{"lead_id":"L3","state":"STATE_REJECTED","code":"SPAM_BOT"}]}`)
			if d.backend.ingested.GetKind() != tc.kind || d.backend.ingested.GetContentType() != tc.contentType {
				t.Errorf("passed on as %v, %q", d.backend.ingested.GetKind(), d.backend.ingested.GetContentType())
			}
		})
	}
}

func TestIngestManyIsNotDoneWhenNothingIsStored(t *testing.T) {
	for name, tc := range map[string]struct {
		results []*capturev1.LeadResult
		code    int
	}{
		"all down":              {[]*capturev1.LeadResult{refusal(problemv1.Reason_REASON_UNAVAILABLE), refusal(problemv1.Reason_REASON_INTERNAL)}, 503},
		"all too much":          {[]*capturev1.LeadResult{refusal(problemv1.Reason_REASON_OVERLOADED)}, 429},
		"all wrong":             {[]*capturev1.LeadResult{refusal(problemv1.Reason_REASON_INVALID_ARGUMENT)}, 200},
		"one down, one wrong":   {[]*capturev1.LeadResult{refusal(problemv1.Reason_REASON_UNAVAILABLE), refusal(problemv1.Reason_REASON_INVALID_ARGUMENT)}, 200},
		"no lead in it":         {nil, 400},
		"answer without a lead": {[]*capturev1.LeadResult{assigned, {}}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			d.backend.ingest = results(tc.results...)
			if got := d.send("POST", "/v1/leads:batch", `{"leads":[]}`); got.code != tc.code {
				t.Errorf("status %d, want %d: %s", got.code, tc.code, got.body)
			}
		})
	}
}

func TestIngestNeverClaimsWhatIsNotDurable(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		code  int
		retry string
	}{
		"down":       {houseproblem.Unavailable(errors.New("no database")), 503, "1"},
		"internal":   {errors.New("a bug"), 503, "1"},
		"too late":   {houseproblem.New(problemv1.Reason_REASON_DEADLINE_EXCEEDED, "late"), 503, "1"},
		"overloaded": {&houseproblem.Error{Reason: problemv1.Reason_REASON_OVERLOADED, RetryAfter: 1500 * time.Millisecond}, 429, "2"},
		"not ready":  {&houseproblem.Error{Reason: problemv1.Reason_REASON_NOT_READY, RetryAfter: 7 * time.Second}, 503, "7"},
		"denied":     {houseproblem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "not yours"), 403, ""},
	} {
		for _, path := range []string{"/v1/leads", "/v1/leads:batch"} {
			t.Run(name+path, func(t *testing.T) {
				d := open(t, nil)
				d.backend.ingest = func(*capturev1.IngestRequest) (*capturev1.IngestResponse, error) { return nil, tc.err }
				got := d.send("POST", path, `{}`)
				if got.code != tc.code || got.header.Get("Retry-After") != tc.retry {
					t.Errorf("status %d, Retry-After %q; want %d, %q: %s", got.code, got.header.Get("Retry-After"), tc.code, tc.retry, got.body)
				}
				if got.problem(t).Reason == "" {
					t.Error("no reason")
				}
			})
		}
	}
}

func TestIngestRefusesContentTypes(t *testing.T) {
	d := open(t, nil)
	for _, tc := range []struct{ path, contentType, names string }{
		{"/v1/leads", "text/plain", "application/json"},
		{"/v1/leads", "application/x-www-form-urlencoded", "application/json"},
		{"/v1/leads", "", "application/json"},
		{"/v1/leads:batch", "application/xml", "application/json"},
		{"/v1/adf", "application/json", "application/x-adf+xml"},
	} {
		got := d.send("POST", tc.path, "x", "Content-Type: "+tc.contentType)
		p := got.problem(t)
		if got.code != 415 || p.Reason != "UNSUPPORTED_MEDIA_TYPE" || !strings.Contains(p.Message, tc.names) {
			t.Errorf("%s as %q: %d %s", tc.path, tc.contentType, got.code, got.body)
		}
	}
	if got := d.send("POST", "/v1/leads", "x", "Content-Encoding: gzip"); got.code != 415 {
		t.Errorf("gzip: %d %s", got.code, got.body)
	}
	if d.backend.ingested != nil {
		t.Error("a refused document reached Capture")
	}
}

func TestIngestRefusesBodies(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.MaxBody = 100 })
	d.backend.ingest = results(assigned)
	exact := `{"comments":"` + strings.Repeat("a", 85) + `"}`
	if got := d.send("POST", "/v1/leads", exact); len(exact) != 100 || got.code != 200 {
		t.Errorf("%d bytes: %d %s", len(exact), got.code, got.body)
	}
	for _, path := range []string{"/v1/leads", "/v1/leads:batch"} {
		got := d.send("POST", path, exact+" ")
		if p := got.problem(t); got.code != 413 || p.Reason != "TOO_LARGE" || !strings.Contains(p.Message, "100 bytes") {
			t.Errorf("%s: %d %s", path, got.code, got.body)
		}
		if got := d.send("POST", path, ""); got.code != 400 || got.problem(t).Reason != "UNREADABLE_BODY" {
			t.Errorf("%s without a body: %d %s", path, got.code, got.body)
		}
	}
	if got := d.send("POST", "/v1/leads?campaign=x", "{}"); got.code != 400 || got.problem(t).Fields["campaign"] == "" {
		t.Errorf("unknown query parameter: %d %s", got.code, got.body)
	}
}

func TestIngestPassesBrokenKeysInAFormThatIsRefused(t *testing.T) {
	d := open(t, nil)
	d.backend.ingest = results(assigned)
	d.send("POST", "/v1/leads", "{}", "Idempotency-Key: a\xffb")
	if got := d.backend.ingested.GetIdempotencyKey(); got != "a\uFFFDb" {
		t.Errorf("key %q", got)
	}
}

func TestValidateTakesADFAndMail(t *testing.T) {
	d := open(t, nil)
	for contentType, kind := range map[string]capturev1.DocumentKind{
		"application/xml": capturev1.DocumentKind_DOCUMENT_KIND_ADF, "text/plain; charset=utf-8": capturev1.DocumentKind_DOCUMENT_KIND_ADF,
		"message/rfc822": capturev1.DocumentKind_DOCUMENT_KIND_MAIL,
	} {
		got := d.send("POST", "/v1/adf:validate?source=portal", "<adf/>", "Content-Type: "+contentType)
		if got.code != 200 || !strings.Contains(got.body, `"line":3`) || !strings.Contains(got.body, `"leads":[]`) {
			t.Errorf("%s: status %d: %s", contentType, got.code, got.body)
		}
		want := &capturev1.ValidateDocumentRequest{Kind: kind, Body: []byte("<adf/>"), Source: "portal"}
		if diff := cmp.Diff(want, d.backend.validated, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	if got := d.send("POST", "/v1/adf:validate", "<adf/>", "Content-Type: image/png"); got.code != 415 {
		t.Errorf("a picture: status %d", got.code)
	}
}
