package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/gateway"
	houseproblem "github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
)

// sameJSON compares JSON documents.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("not JSON: %v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Error(diff)
	}
}

func TestReasonsBecomeStatuses(t *testing.T) {
	want := map[string]int{
		"INVALID_ARGUMENT": 400, "UNREADABLE_BODY": 400, "PLAYBOOK_INVALID": 400, "MODEL_INVALID": 400,
		"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_YOUR_DEALER": 403, "COMMIT_NOT_ALLOWED": 403, "FOUR_EYES": 403,
		"NOT_FOUND": 404, "IDEMPOTENCY_KEY_REUSED": 409, "WRONG_STATE": 409, "MODEL_GUARDS": 409, "TOO_LARGE": 413,
		"UNSUPPORTED_MEDIA_TYPE": 415, "OVERLOADED": 429, "INTERNAL": 500, "UNAVAILABLE": 503,
		"DRAINING": 503, "NOT_READY": 503, "DEADLINE_EXCEEDED": 504,
	}
	d := open(t, nil)
	for number, name := range problemv1.Reason_name {
		if number == 0 {
			continue
		}
		reason := strings.TrimPrefix(name, "REASON_")
		d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
			return nil, houseproblem.New(problemv1.Reason(number), "as the test says")
		}
		got := d.send("GET", "/v1/leads/L1", "")
		if got.code != want[reason] {
			t.Errorf("%s is answered %d, want %d", reason, got.code, want[reason])
		}
		if p := got.problem(t); p.Reason != reason || p.Message != "as the test says" {
			t.Errorf("%s is answered %s", reason, got.body)
		}
	}
}

func TestErrorsKeepTheirDetails(t *testing.T) {
	d := open(t, nil)
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		e := houseproblem.Invalid(houseproblem.Violation{Field: "a", Description: "is wrong"}, houseproblem.Violation{Field: "b[1].c", Description: "is missing"})
		e.RetryAfter = 2_500_000_000
		return nil, e
	}
	got := d.send("GET", "/v1/leads/L1", "")
	p := got.problem(t)
	if diff := cmp.Diff(map[string]string{"a": "is wrong", "b[1].c": "is missing"}, p.Fields); diff != "" {
		t.Error(diff)
	}
	if p.Code != 3 || p.Retry != "2.500s" || got.header.Get("Retry-After") != "3" {
		t.Errorf("code %d, retry %q, Retry-After %q", p.Code, p.Retry, got.header.Get("Retry-After"))
	}
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return nil, errors.New("relation lead does not exist")
	}
	if got := d.send("GET", "/v1/leads/L1", ""); got.code != 500 || strings.Contains(got.body, "relation") {
		t.Errorf("inner error answered: %d %s", got.code, got.body)
	}
}

func TestWhoIsLetIn(t *testing.T) {
	d := open(t, nil)
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return &capturev1.GetLeadResponse{}, nil
	}
	for name, tc := range map[string]struct {
		method, path, authorization string
		code                        int
		reason                      string
	}{
		"no token":          {"GET", "/v1/leads/L1", "", 401, "UNAUTHENTICATED"},
		"wrong token":       {"GET", "/v1/leads/L1", "Bearer not-a-token-of-this-house", 401, "UNAUTHENTICATED"},
		"no bearer":         {"GET", "/v1/leads/L1", "Basic " + oemToken, 401, "UNAUTHENTICATED"},
		"oem":               {"GET", "/v1/leads/L1", "Bearer " + oemToken, 200, ""},
		"dealer":            {"GET", "/v1/leads/L1", "Bearer " + dealerToken, 200, ""},
		"role not allowed":  {"GET", "/v1/leads/L1", "Bearer " + mopsToken, 403, "PERMISSION_DENIED"},
		"own route":         {"GET", "/v1/codes", "", 401, "UNAUTHENTICATED"},
		"intake":            {"POST", "/v1/leads", "", 401, "UNAUTHENTICATED"},
		"health":            {"GET", "/healthz", "", 200, ""},
		"document":          {"GET", "/openapi.yaml", "", 200, ""},
		"metrics, loopback": {"GET", "/metrics", "", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := d.send(tc.method, tc.path, "", "Authorization: "+tc.authorization)
			if got.code != tc.code {
				t.Fatalf("status %d, want %d: %s", got.code, tc.code, got.body)
			}
			if tc.reason != "" && got.problem(t).Reason != tc.reason {
				t.Errorf("answer %s", got.body)
			}
			if (tc.code == 401) != (got.header.Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate %q", got.header.Get("WWW-Authenticate"))
			}
		})
	}
}

func TestMetricsBeyondLoopbackNeedOps(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.Addr = "0.0.0.0:0" })
	_, port, _ := strings.Cut(strings.TrimPrefix(d.Addr(), "[::]"), ":")
	d.url = "http://127.0.0.1:" + port
	for token, code := range map[string]int{"": 401, "Bearer " + oemToken: 403, "Bearer " + opsToken: 200} {
		if got := d.send("GET", "/metrics", "", "Authorization: "+token); got.code != code {
			t.Errorf("metrics with %q: %d, want %d", token, got.code, code)
		}
	}
	if got := d.send("GET", "/healthz", "", "Authorization:"); got.code != 200 {
		t.Errorf("healthz: %d", got.code)
	}
}

func TestOnlyTheHouseSetsItsHeaders(t *testing.T) {
	d := open(t, nil)
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return &capturev1.GetLeadResponse{}, nil
	}
	for _, name := range []string{"leadmesh-caller", "Grpc-Metadata-leadmesh-caller"} {
		got := d.send("GET", "/v1/leads/L1", "", "Authorization: Bearer "+dealerToken,
			name+": boss|oem,ops||", "Grpc-Metadata-Leadmesh-Peer: routing", "Grpc-Timeout: 1n")
		if c := d.backend.caller; got.code != 200 || c.Name != "store" || c.DealerID != "D1" || len(c.Roles) != 1 {
			t.Errorf("%s: status %d, call made for %+v", name, got.code, c)
		}
	}
	if v := d.backend.metadata.Get("leadmesh-peer"); len(v) != 1 || v[0] != "gateway" {
		t.Errorf("peer %v", v)
	}
	if v := d.backend.metadata.Get("authorization"); len(v) != 0 {
		t.Error("the token went on to a service")
	}
	if got := d.send("GET", "/v1/leads/L1", ""); d.backend.metadata.Get("x-request-id")[0] != got.header.Get("X-Trace-Id") {
		t.Error("the services' logs do not name the trace")
	}
}

func TestRoutingErrors(t *testing.T) {
	d := open(t, nil)
	for _, tc := range []struct {
		method, path string
		code         int
		reason       string
		allow        string
	}{
		{"GET", "/", 404, "NOT_FOUND", ""},
		{"GET", "/v2/leads", 404, "NOT_FOUND", ""},
		{"POST", "/v1/leads:nothing", 404, "NOT_FOUND", ""},
		{"POST", "/v1/leads/L1:nothing", 404, "NOT_FOUND", ""},
		{"POST", "/v1/leads/L1:accept:nothing", 404, "NOT_FOUND", ""},
		{"DELETE", "/v1/leads/L1:accept", 405, "INVALID_ARGUMENT", "GET, HEAD, PATCH, POST"},
		{"GET", "/v1/leads/L1/nothing", 404, "NOT_FOUND", ""},
		{"DELETE", "/v1/leads/L1", 405, "INVALID_ARGUMENT", "GET, HEAD, PATCH"},
		{"DELETE", "/v1/leads", 405, "INVALID_ARGUMENT", "GET, HEAD, POST"},
		{"OPTIONS", "/v1/leads", 405, "INVALID_ARGUMENT", "GET, HEAD, POST"},
		{"DELETE", "/v1/dealers/D1", 405, "INVALID_ARGUMENT", "GET, HEAD, PUT"},
		{"GET", "/v1/leads/%ff", 400, "INVALID_ARGUMENT", ""},
		{"GET", "/v1/leads/L1?x=%ff", 400, "INVALID_ARGUMENT", ""},
		{"GET", "/v1/leads/L1?a=%zz", 400, "INVALID_ARGUMENT", ""},
	} {
		got := d.send(tc.method, tc.path, "")
		if got.code != tc.code || got.header.Get("Allow") != tc.allow || got.problem(t).Reason != tc.reason {
			t.Errorf("%s %s: %d, Allow %q: %s", tc.method, tc.path, got.code, got.header.Get("Allow"), got.body)
		}
	}
	if got := d.send("POST", "/v1/leads/L1:nothing", ""); !strings.Contains(got.body, ":accept, ") || !strings.Contains(got.body, ":decline") || strings.Contains(got.body, "nothing") {
		t.Errorf("an unknown verb: %s", got.body)
	}
	if got := d.send("POST", "/v1/leads:nothing", ""); !strings.Contains(got.body, ":batch, ") {
		t.Errorf("an unknown verb of a collection: %s", got.body)
	}
	if got := d.send("HEAD", "/healthz", ""); got.code != 200 || got.body != "" {
		t.Errorf("HEAD: %d %q", got.code, got.body)
	}
	if got := d.send("POST", "/v1/leads/L1", "", "X-HTTP-Method-Override: GET", "Content-Type: application/x-www-form-urlencoded"); got.code != 405 {
		t.Errorf("method override: %d", got.code)
	}
}

func TestPagesOfOtherSitesAreRefused(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.Tokens = rpc.OpenTokens() })
	d.backend.ingest = results(assigned)
	if got := d.send("POST", "/v1/adf", "<adf/>", "Content-Type: text/plain", "Sec-Fetch-Site: cross-site"); got.code != 403 {
		t.Errorf("cross-site page: %d", got.code)
	}
	if got := d.send("POST", "/v1/adf", "<adf/>", "Content-Type: text/plain", "Authorization:"); got.code != 200 {
		t.Errorf("program without a token where none is needed: %d %s", got.code, got.body)
	}
}

func TestRequestsReachTheirCalls(t *testing.T) {
	d := open(t, nil)
	d.backend.getLead = func(r *capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return &capturev1.GetLeadResponse{LeadId: r.GetLeadId(), SiblingCount: 2}, nil
	}
	got := d.send("GET", "/v1/leads/L1", "")
	sameJSON(t, got.body, `{"lead_id":"L1","sibling_count":2}`)
	for name, want := range map[string]string{"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if v := got.header.Get(name); v != want {
			t.Errorf("%s is %q", name, v)
		}
	}
	for name := range got.header {
		if strings.HasPrefix(name, "Grpc-") {
			t.Errorf("header %s of the call is answered", name)
		}
	}

	if got := d.send("PUT", "/v1/dealers/D7", `{"name":"North"}`); got.code != 200 || d.backend.dealer.GetDealerId() != "D7" || d.backend.dealer.GetDealer().GetName() != "North" {
		t.Errorf("PutDealer: %d %v", got.code, d.backend.dealer)
	}
	if got := d.send("POST", "/v1/leads/L9:accept", "", "Authorization: Bearer "+dealerToken); got.code != 200 || d.backend.accepted.GetLeadId() != "L9" {
		t.Errorf("AcceptLead: %d %s", got.code, got.body)
	}
	if got := d.send("GET", "/v1/reports/scorecard?line=LINE_SALES&from=2026-01-02T00:00:00Z", ""); got.code != 200 || d.backend.scored.GetLine() != 1 || d.backend.scored.GetFrom() == nil {
		t.Errorf("GetScorecard: %d %s", got.code, got.body)
	}
}

// TestEmptyListsAreAnswered: a program finds the list it asked for, empty or not.
func TestEmptyListsAreAnswered(t *testing.T) {
	d := open(t, nil)
	d.backend.scorecard = &feedbackv1.GetScorecardResponse{}
	sameJSON(t, d.send("GET", "/v1/reports/scorecard", "").body, `{"groups":[]}`)
	d.backend.scorecard = &feedbackv1.GetScorecardResponse{Conservation: &feedbackv1.Conservation{Captured: proto.Int64(0)}}
	sameJSON(t, d.send("GET", "/v1/reports/scorecard", "").body, `{"conservation":{"captured":"0"},"groups":[]}`)
	d.backend.scorecard = &feedbackv1.GetScorecardResponse{Groups: []*feedbackv1.ScorecardGroup{{Key: "site"}}}
	sameJSON(t, d.send("GET", "/v1/reports/scorecard", "").body, `{"groups":[{"key":"site"}]}`)
	// What a part of the system that is down knows of a lead is left out, not told to be nothing.
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return &capturev1.GetLeadResponse{}, nil
	}
	sameJSON(t, d.send("GET", "/v1/leads/L1", "").body, `{}`)
}

func TestQueriesAreCheckedWhole(t *testing.T) {
	d := open(t, nil)
	got := d.send("GET", "/v1/reports/scorecard/leads/leads?from=yesterday&line=SALES&missing=maybe&page_size=9999999999&dealer=D1&group_by=a&group_by=b", "")
	p := got.problem(t)
	var fields []string
	for f := range p.Fields {
		fields = append(fields, f)
	}
	if got.code != 400 || len(fields) != 6 || d.backend.scored != nil {
		t.Errorf("%d, fields %v: %s", got.code, fields, got.body)
	}
	if strings.Contains(got.body, "yesterday") || !strings.Contains(p.Fields["line"], "LINE_SALES") {
		t.Errorf("answer %s", got.body)
	}
}

func TestReceiptIsAnsweredAsItIsStored(t *testing.T) {
	d := open(t, nil)
	canonical := `{"b":1,"a":[ 1.50 ,"<&>"]}`
	d.backend.receipt = func(r *routingv1.GetReceiptRequest) (*routingv1.GetReceiptResponse, error) {
		return &routingv1.GetReceiptResponse{Receipt: &routingv1.Receipt{Canonical: canonical}, Digest: "ab12", Attempts: 1, Attempt: r.GetAttempt()}, nil
	}
	got := d.send("GET", "/v1/leads/L1/receipt?attempt=2", "")
	if want := `{"receipt":` + canonical + `,"digest":"ab12","attempts":1,"attempt":2}`; got.code != 200 || got.body != want {
		t.Errorf("%d %s\nwant %s", got.code, got.body, want)
	}
	if got := d.send("GET", "/v1/leads/L1/receipt?attempt=two", ""); got.code != 400 || got.problem(t).Fields["attempt"] == "" {
		t.Errorf("%d %s", got.code, got.body)
	}
	canonical = `{"b":`
	if got := d.send("GET", "/v1/leads/L1/receipt", ""); got.code != 500 || got.problem(t).Reason != "INTERNAL" {
		t.Errorf("broken receipt: %d %s", got.code, got.body)
	}
}

func TestCodes(t *testing.T) {
	d := open(t, nil)
	labels := func(query string) map[string]string {
		var doc struct {
			Lists []struct {
				Kind  string
				Codes []struct{ Code, Label string }
			}
		}
		got := d.send("GET", "/v1/codes"+query, "")
		if err := json.Unmarshal([]byte(got.body), &doc); got.code != 200 || err != nil {
			t.Fatalf("%d %v", got.code, err)
		}
		all := map[string]string{}
		for _, l := range doc.Lists {
			for _, c := range l.Codes {
				all[l.Kind+"/"+c.Code] = c.Label
			}
		}
		return all
	}
	english, german := labels(""), labels("?lang=de-AT")
	if len(english) < 200 || len(english) != len(german) {
		t.Errorf("%d codes in English, %d in German", len(english), len(german))
	}
	if e, g := english["line/SALES"], german["line/SALES"]; e == "" || g == "" || e == "SALES" || english["lost/PRICE"] == german["lost/PRICE"] {
		t.Errorf("labels %q and %q", e, g)
	}
}

func TestHealth(t *testing.T) {
	var broken error
	d := open(t, func(_ *gateway.Config, deps *gateway.Deps) {
		deps.Healthy = func(context.Context) error { return broken }
	})
	sameJSON(t, d.send("GET", "/healthz", "").body, `{"status":"ok","version":"1.2.3"}`)
	broken = errors.New("routing: no network loaded")
	got := d.send("GET", "/healthz", "", "Authorization:")
	if p := got.problem(t); got.code != 503 || p.Reason != "NOT_READY" || !strings.Contains(p.Message, "no network loaded") {
		t.Errorf("%d %s", got.code, got.body)
	}
}

func TestTakenAddressNamesTheFlag(t *testing.T) {
	d := open(t, nil)
	open(t, func(c *gateway.Config, deps *gateway.Deps) {
		taken := *c
		taken.Addr = d.Addr()
		if _, err := gateway.New(taken, *deps); err == nil || !strings.Contains(err.Error(), "--http") {
			t.Errorf("New on a taken address: %v", err)
		}
		missing := *deps
		missing.Routing = nil
		if _, err := gateway.New(*c, missing); err == nil || !strings.Contains(err.Error(), "routing") {
			t.Errorf("New without routing: %v", err)
		}
	})
}

func TestDrainEndsRunningRequestsAndTakesNoMore(t *testing.T) {
	d := open(t, nil)
	entered, leave := make(chan struct{}), make(chan struct{})
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		close(entered)
		<-leave
		return &capturev1.GetLeadResponse{LeadId: "L1"}, nil
	}
	conn := d.dial()
	if _, err := fmt.Fprintf(conn, "GET /v1/leads/L1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", oemToken); err != nil {
		t.Fatal(err)
	}
	<-entered
	drained := make(chan struct{})
	go func() { d.Drain(); close(drained) }()
	for {
		probe, err := http.Get(d.url + "/healthz")
		if err != nil {
			break // nothing listens any more
		}
		_ = probe.Body.Close()
	}
	select {
	case <-drained:
		t.Error("Drain did not wait for a running request")
	default:
	}
	close(leave)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the running request was answered %d", resp.StatusCode)
	}
	<-drained
	d.Drain()
}
