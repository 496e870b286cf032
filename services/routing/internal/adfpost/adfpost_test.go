package adfpost_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/routing/internal/adfpost"
	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
)

func TestNegative(t *testing.T) {
	for body, want := range map[string]bool{
		"":              false,
		"OK":            false,
		"Error: cannot": false, // prose is not judged
		`<?xml version="1.0"?><Response><Status>Error</Status><Message>no such dealer</Message></Response>`: true,
		`<Response status="failed"/>`:                                               true,
		`<Response>ERROR</Response>`:                                                true,
		`<Response>Success</Response>`:                                              false,
		`<response><success>false</success></response>`:                             true,
		`<response><success>true</success><error></error></response>`:               false,
		`<adf_response><errors><error code="7">bad</error></errors></adf_response>`: true,
		`<adf_response><errors/></adf_response>`:                                    false,
		`<r><ErrorCode>0</ErrorCode><ErrorMessage>None</ErrorMessage></r>`:          false,
		`<r><Error_Code>12</Error_Code></r>`:                                        true,
		`<soap:Envelope><soap:Body><soap:Fault><faultstring>x</faultstring></soap:Fault></soap:Body></soap:Envelope>`: true,
		`<?xml version="1.0" encoding="windows-1252"?><r><result>Rejected: duplicate</result></r>`:                    true,
		`<html><body><div class="x" status="error">Welcome</div></body></html>`:                                       false,
		`<r><status>Error</status`:                  false,
		`<r>`:                                       false,
		`{"success": false}`:                        true,
		`{"success": "true", "errors": []}`:         false,
		`{"status": "error", "message": "x"}`:       true,
		`{"result": {"error": {"code": 3}}}`:        true,
		`{"error": null, "status": "received"}`:     false,
		`[{"accepted": true}, {"accepted": false}]`: true,
		`{"status": "error"`:                        false,
	} {
		if got := adfpost.Negative([]byte(body)); got != want {
			t.Errorf("%s: negative %v", body, got)
		}
	}
}

func FuzzNegative(f *testing.F) {
	f.Add([]byte(`<a><b c="error">x</b></a>`))
	f.Add([]byte(`{"a": [{"error": "x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if adfpost.Negative(body) && len(body) < 3 {
			t.Errorf("%q says no", body)
		}
	})
}

func TestSend(t *testing.T) {
	var got http.Header
	var body []byte
	answer := "<Response><Status>Success</Status></Response>"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, answer)
	}))
	defer s.Close()
	secret := webhook.NewSecret()
	sender := adfpost.NewSender(endpoint.NewClient(endpoint.Network{Loopback: true}, 20*time.Second))
	m := adfpost.Message{ID: "d1", URL: s.URL, ContentType: adfpost.TypeADF, Secrets: []string{secret}, Authorization: "Basic eDp5", Body: []byte("<adf/>"), At: time.Now()}
	if a := sender.Send(t.Context(), m); !a.Delivered() || a.Word != "200" {
		t.Fatalf("%+v", a)
	}
	if got.Get("Content-Type") != "application/x-adf+xml" || got.Get("Authorization") != "Basic eDp5" || got.Get("webhook-id") != "d1" || string(body) != "<adf/>" {
		t.Errorf("%v %s", got, body)
	}
	answer = "<Response><Status>Error</Status></Response>"
	if a := sender.Send(t.Context(), m); a.Delivered() || a.Word != endpoint.WordNegative || a.Unwell || !a.Reached {
		t.Errorf("%+v", a)
	}
}
