package gateway_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/gateway"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/sources"
)

const sourcesFile = `
sources:
  - {name: ads, kind: meta, app_secret: the-app-secret, verify_token: the-verify-token, pages: [{token: page-token}]}
  - {name: search, kind: google, keys: [{form: 7, key: key-of-seven}, {key: key-of-others}]}
  - {name: header, kind: form, auth: {by: key, in: header, name: X-Form-Key, secret: the-form-key}}
  - {name: query, kind: form, auth: {by: key, in: query, name: key, secret: the-form-key}}
  - {name: body, kind: linkedin, auth: {by: key, in: body, name: form_key, secret: the-form-key}}
  - {name: li, kind: linkedin, app_secret: the-form-key}
  - {name: hmac, kind: form, auth: {by: hmac, name: X-Signature, encoding: base64, secret: the-form-key}}
  - {name: basic, kind: star, auth: {by: basic, user: oem, secret: the-form-key}}
  - {name: nothing, kind: form, auth: {by: none}, test: true}
`

func openSources(t *testing.T, content string) func(*gateway.Config, *gateway.Deps) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sources.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := sources.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *gateway.Config, _ *gateway.Deps) { c.Sources = func() *sources.File { return file } }
}

func mac(body string) []byte {
	m := hmac.New(sha256.New, []byte("the-form-key"))
	m.Write([]byte(body))
	return m.Sum(nil)
}

func hubSignature(body string) string {
	m := hmac.New(sha256.New, []byte("the-app-secret"))
	m.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

func TestMetaHandshake(t *testing.T) {
	d := open(t, openSources(t, sourcesFile))
	for query, want := range map[string]int{
		"hub.mode=subscribe&hub.verify_token=the-verify-token&hub.challenge=115":   200,
		"hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=115":              403,
		"hub.mode=unsubscribe&hub.verify_token=the-verify-token&hub.challenge=115": 403,
		"hub.mode=subscribe&hub.challenge=115":                                     403,
		"hub.mode=subscribe&hub.verify_token=the-verify-token&hub.challenge=1&x=2": 400,
	} {
		got := d.send("GET", "/v1/meta/ads?"+query, "", "Authorization:")
		if got.code != want || want == 200 && (got.body != "115" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain")) {
			t.Errorf("%s: %d %s", query, got.code, got.body)
		}
	}
}

func TestLinkedInChallenge(t *testing.T) {
	const code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
	d := open(t, openSources(t, sourcesFile))
	for path, want := range map[string]int{
		"/v1/forms/li?challengeCode=" + code:                                         200,
		"/v1/forms/li?challengeCode=" + code + "&applicationId=7":                    200,
		"/v1/forms/li?challengeCode=" + url.QueryEscape(`hmacsha256={"answers":[]}`): 403, // or anybody had a call signed
		"/v1/forms/li?challengeCode=" + url.QueryEscape("{"+code+"}"):                403,
		"/v1/forms/li?challengeCode=890e46654dfe4ab1b689ed553bceeed0":                403,
		"/v1/forms/li":                                403,
		"/v1/forms/header?challengeCode=" + code:      403,
		"/v1/forms/body?challengeCode=" + code:        403,
		"/v1/forms/no-such-one?challengeCode=" + code: 404,
	} {
		got := d.send("GET", path, "", "Authorization:")
		answer := `{"challengeCode":"` + code + `","challengeResponse":"` + hex.EncodeToString(mac(code)) + `"}`
		if got.code != want || want == 200 && (strings.TrimSpace(got.body) != answer || got.header.Get("Content-Type") != "application/json") {
			t.Errorf("%s: %d %s", path, got.code, got.body)
		}
	}
}

func TestSourcesShowThatTheyAreThemselves(t *testing.T) {
	const notice, lead, google = `{"entry":[]}`, `{"answers":[{"question":"Email","answer":"ada@byron.example.com"}]}`, `{"lead_id":"1","form_id":7,"google_key":"key-of-seven"}`
	const urlencoded = "Content-Type: application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		path, body string
		headers    []string
		code       int
		passed     string // the body that Capture gets; "": as sent
		kind       capturev1.DocumentKind
	}{
		"meta":                      {"/v1/meta/ads", notice, []string{"X-Hub-Signature-256: " + hubSignature(notice)}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION},
		"meta, no signature":        {"/v1/meta/ads", notice, nil, 401, "", 0},
		"meta, wrong signature":     {"/v1/meta/ads", notice, []string{"X-Hub-Signature-256: " + hubSignature("x")}, 401, "", 0},
		"meta, body altered":        {"/v1/meta/ads", notice + " ", []string{"X-Hub-Signature-256: " + hubSignature(notice)}, 401, "", 0},
		"meta, sha1":                {"/v1/meta/ads", notice, []string{"X-Hub-Signature: " + hubSignature(notice)}, 401, "", 0},
		"google":                    {"/v1/google/search", google, nil, 200, `{"lead_id":"1","form_id":7,"google_key":""}`, capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM},
		"google, text id":           {"/v1/google/search", `{"form_id":"7","google_key":"key-of-seven"}`, nil, 200, `{"form_id":"7","google_key":""}`, capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM},
		"google, key of others":     {"/v1/google/search", strings.Replace(google, "of-seven", "of-others", 1), nil, 401, "", 0},
		"google, another form":      {"/v1/google/search", `{"form_id":8,"google_key":"key-of-others"}`, nil, 200, `{"form_id":8,"google_key":""}`, capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM},
		"google, two keys":          {"/v1/google/search", `{"form_id":7,"google_key":"key-of-seven","google_key":"x"}`, nil, 401, "", 0},
		"google, no JSON":           {"/v1/google/search", `google_key=key-of-others`, nil, 200, `google_key=`, capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM},
		"header":                    {"/v1/forms/header", `{"a":1}`, []string{"X-Form-Key: the-form-key"}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"header, wrong":             {"/v1/forms/header", `{"a":1}`, []string{"X-Form-Key: other"}, 401, "", 0},
		"query":                     {"/v1/forms/query?key=the-form-key&utm_source=x", `{"a":1}`, nil, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"query, wrong":              {"/v1/forms/query?key=", `{"a":1}`, nil, 401, "", 0},
		"body":                      {"/v1/forms/body", "a=1&form_key=the-form-key", []string{urlencoded}, 200, "a=1&form_key=", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"body, missing":             {"/v1/forms/body", "a=1", []string{urlencoded}, 401, "", 0},
		"linkedin":                  {"/v1/forms/li", lead, []string{"X-LI-Signature: " + hex.EncodeToString(mac("hmacsha256="+lead))}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"linkedin, named":           {"/v1/forms/li", lead, []string{"X-LI-Signature: hmacsha256=" + hex.EncodeToString(mac("hmacsha256="+lead))}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"linkedin, bare":            {"/v1/forms/li", lead, []string{"X-LI-Signature: hmacsha256=" + hex.EncodeToString(mac(lead))}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"linkedin, no signature":    {"/v1/forms/li", lead, nil, 401, "", 0},
		"linkedin, empty signature": {"/v1/forms/li", lead, []string{"X-LI-Signature: hmacsha256="}, 401, "", 0},
		"linkedin, body altered":    {"/v1/forms/li", lead + " ", []string{"X-LI-Signature: " + hex.EncodeToString(mac("hmacsha256="+lead))}, 401, "", 0},
		"linkedin, key as a header": {"/v1/forms/li", lead, []string{"X-Form-Key: the-form-key"}, 401, "", 0},
		"hmac":                      {"/v1/forms/hmac", "a=1", []string{urlencoded, "X-Signature: " + base64.StdEncoding.EncodeToString(mac("a=1"))}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"hmac, altered":             {"/v1/forms/hmac", "a=2", []string{urlencoded, "X-Signature: " + base64.StdEncoding.EncodeToString(mac("a=1"))}, 401, "", 0},
		"basic":                     {"/v1/star/basic", "<a/>", []string{"Content-Type: text/xml", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("oem:the-form-key"))}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_STAR},
		"basic, wrong":              {"/v1/star/basic", "<a/>", []string{"Content-Type: text/xml", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("oem:x"))}, 401, "", 0},
		"a token":                   {"/v1/star/basic", "<a/>", []string{"Content-Type: text/xml", "Authorization: Bearer " + oemToken}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_STAR},
		"nothing, on loopback":      {"/v1/forms/nothing", "a=1", []string{urlencoded}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"no such source":            {"/v1/forms/other", "a=1", []string{urlencoded}, 404, "", 0},
		"another kind's address":    {"/v1/google/ads", google, nil, 404, "", 0},
		"star without source":       {"/v1/star", "<a/>", []string{"Content-Type: text/xml"}, 401, "", 0},
		"a form from a page":        {"/v1/forms/query?key=the-form-key", "a=1", []string{urlencoded, "Origin: https://dealer.example", "Sec-Fetch-Site: cross-site"}, 200, "", capturev1.DocumentKind_DOCUMENT_KIND_FORM},
		"a page to an open address": {"/v1/forms/nothing", "a=1", []string{urlencoded, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, openSources(t, sourcesFile))
			d.backend.ingest = results(assigned)
			got := d.send("POST", tt.path, tt.body, append([]string{"Authorization:"}, tt.headers...)...)
			if got.code != tt.code {
				t.Fatalf("status %d, want %d: %s", got.code, tt.code, got.body)
			}
			if tt.code != 200 {
				if d.backend.ingested != nil {
					t.Error("it was passed on")
				}
				return
			}
			want := tt.passed
			if want == "" {
				want = tt.body
			}
			if in := d.backend.ingested; string(in.GetBody()) != want || in.GetKind() != tt.kind {
				t.Errorf("passed on as %v: %s", in.GetKind(), in.GetBody())
			}
			if name != "a token" && (!strings.HasPrefix(d.backend.caller.Name, "source:") || d.backend.caller.Has(rpc.RoleOps)) {
				t.Errorf("passed on for %+v", d.backend.caller)
			}
			if d.backend.caller.Test != (name == "nothing, on loopback") {
				t.Errorf("test is %v", d.backend.caller.Test)
			}
			if strings.Contains(d.log.String(), "the-form-key") || strings.Contains(d.log.String(), "key-of") {
				t.Error("a secret is in the log")
			}
		})
	}
}

func TestWithoutASourcesFile(t *testing.T) {
	for name, tt := range map[string]struct {
		tokens *rpc.Tokens
		header string
		code   int
	}{
		"open loopback": {rpc.OpenTokens(), "Authorization:", 200},
		"no token":      {nil, "Authorization:", 401},
		"a token":       {nil, "Authorization: Bearer " + oemToken, 200},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(c *gateway.Config, _ *gateway.Deps) {
				if tt.tokens != nil {
					c.Tokens = tt.tokens
				}
			})
			d.backend.ingest = results(assigned)
			for _, path := range []string{"/v1/forms/site", "/v1/google/x", "/v1/meta/x", "/v1/star/x"} {
				if got := d.send("POST", path, `{"a":1}`, tt.header); got.code != tt.code {
					t.Errorf("%s: status %d: %s", path, got.code, got.body)
				}
			}
			if tt.code == 200 && d.backend.ingested.GetIntake() != "x" {
				t.Errorf("intake %q", d.backend.ingested.GetIntake())
			}
		})
	}
}

func TestSourceAnswers(t *testing.T) {
	unavailable, invalid := refusal(problemv1.Reason_REASON_UNAVAILABLE), refusal(problemv1.Reason_REASON_TOO_LARGE)
	for name, tt := range map[string]struct {
		path, accept string
		list         []*capturev1.LeadResult
		code         int
		body         string
	}{
		"google":                  {"/v1/google/x", "", []*capturev1.LeadResult{assigned}, 200, "{}"},
		"google, again":           {"/v1/google/x", "", []*capturev1.LeadResult{unavailable}, 503, ""},
		"google, never":           {"/v1/google/x", "", []*capturev1.LeadResult{invalid}, 413, ""},
		"meta, of no lead":        {"/v1/meta/x", "", nil, 200, `{"results":[]}`},
		"meta, one not stored":    {"/v1/meta/x", "", []*capturev1.LeadResult{parked, unavailable}, 503, ""},
		"meta, one of them never": {"/v1/meta/x", "", []*capturev1.LeadResult{parked, invalid}, 200, `"problem"`},
		"star, xml":               {"/v1/star", "application/xml", []*capturev1.LeadResult{assigned}, 200, "<ConfirmBOD"},
		"star, json":              {"/v1/star", "application/json, application/xml", []*capturev1.LeadResult{assigned}, 200, `"lead_id":"L1"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.Tokens = rpc.OpenTokens() })
			d.backend.ingest = results(tt.list...)
			got := d.send("POST", tt.path, `{"SalesLead":{"ID":"1"}}`, "Accept: "+tt.accept)
			if got.code != tt.code || !strings.Contains(got.body, tt.body) {
				t.Errorf("%d %s", got.code, got.body)
			}
		})
	}
}
