package gateway_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/gateway"
	houseproblem "github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// record replaces a gateway's telemetry by one whose spans a test can read.
func record(t *testing.T, logged *lockedBuffer) (func(*gateway.Config, *gateway.Deps), func() tracetest.SpanStubs) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", SampleRatio: 1, Spans: spans, LogWriter: logged})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	read := func() tracetest.SpanStubs {
		if err := tel.Tracing.(*sdktrace.TracerProvider).ForceFlush(context.Background()); err != nil {
			t.Fatal(err)
		}
		return spans.GetSpans()
	}
	return func(_ *gateway.Config, deps *gateway.Deps) { deps.Tel = tel }, read
}

// logLines reads the log lines with a message.
func logLines(t *testing.T, log, message string) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(log) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == message {
			lines = append(lines, entry)
		}
	}
	return lines
}

func TestRequestsHaveSpansAndMetricsByRoute(t *testing.T) {
	logged := &lockedBuffer{}
	change, spans := record(t, logged)
	d := open(t, change)
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return nil, houseproblem.NotFound("lead")
	}
	got := d.send("GET", "/v1/leads/L1", "", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	d.send("BREW", "/v1/leads/L1", "")
	d.send("GET", "/healthz", "")

	attributes := map[string]map[string]string{}
	for _, span := range spans() {
		if strings.HasPrefix(span.SpanKind.String(), "server") {
			of := map[string]string{"trace": span.SpanContext.TraceID().String(), "parent": span.Parent.SpanID().String()}
			for _, a := range span.Attributes {
				of[string(a.Key)] = a.Value.String()
			}
			attributes[span.Name] = of
		}
	}
	delete(attributes["_OTHER"], "trace")
	want := map[string]map[string]string{
		"GET /v1/leads/{lead_id}": {
			"trace": "4bf92f3577b34da6a3ce929d0e0e4736", "parent": "00f067aa0ba902b7", "http.request.method": "GET",
			"http.route": "/v1/leads/{lead_id}", "http.response.status_code": "404", "reason": "NOT_FOUND",
		},
		"_OTHER": {
			"parent": "0000000000000000", "http.request.method": "_OTHER", "http.route": "",
			"http.response.status_code": "405", "reason": "INVALID_ARGUMENT",
		},
	}
	if diff := cmp.Diff(want, attributes); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(got.header.Get("Traceresponse"), "00-4bf92f3577b34da6a3ce929d0e0e4736-") {
		t.Errorf("traceresponse %q", got.header.Get("Traceresponse"))
	}
	metrics := d.send("GET", "/metrics", "").body
	for _, label := range []string{`http_route="/v1/leads/{lead_id}"`, `http_route="/healthz"`, `http_response_status_code="404"`} {
		if !strings.Contains(metrics, label) {
			t.Errorf("no metric with %s", label)
		}
	}
	if strings.Contains(metrics, "BREW") || strings.Contains(metrics, "L1") {
		t.Error("metrics name what a sender invents")
	}
}

func TestNoPersonalDataIsRecorded(t *testing.T) {
	logged := &lockedBuffer{}
	change, spans := record(t, logged)
	d := open(t, func(c *gateway.Config, deps *gateway.Deps) {
		change(c, deps)
		deps.Healthy = func(context.Context) error { panic("Erika Mustermann") }
	})
	d.backend.ingest = func(req *capturev1.IngestRequest) (*capturev1.IngestResponse, error) {
		panic(string(req.GetBody()))
	}
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		return nil, houseproblem.New(problemv1.Reason_REASON_INTERNAL, "broken")
	}
	body := `{"parties":[{"name":"Erika Mustermann","emails":["erika@example.com"]}],"comments":"+49 170 1234567"}`
	for _, got := range []answer{
		d.send("POST", "/v1/leads?source=erika@example.com", body, "Idempotency-Key: erika@example.com", "User-Agent: Mustermann"),
		d.send("GET", "/v1/leads/erika@example.com", ""),
		d.send("GET", "/healthz?name=Mustermann", ""),
		d.send("GET", "/healthz", ""),
		d.send("GET", "/Mustermann", ""),
		d.send("POST", "/v1/signals:batch", body),
	} {
		if got.code < 400 {
			t.Errorf("status %d", got.code)
		}
	}
	lines := logLines(t, logged.String(), "request not done")
	if len(lines) != 3 {
		t.Errorf("%d lines on failed requests:\n%s", len(lines), logged)
	}
	for _, line := range lines {
		if line["route"] == "" || line["reason"] == "" || line["cause"] == "" && line["route"] != "/v1/leads/{lead_id}" {
			t.Errorf("line %v", line)
		}
	}
	var recorded bytes.Buffer
	fmt.Fprintf(&recorded, "%s\n%+v\n%s", logged, spans(), d.send("GET", "/metrics", "").body)
	for _, personal := range []string{"erika", "Erika", "Mustermann", "1234567"} {
		if strings.Contains(recorded.String(), personal) {
			t.Errorf("%q is recorded", personal)
		}
	}
}

func TestPanicsAreAnsweredAndNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		fault func(list []int)
		cause string
	}{
		"a value":          {func([]int) { panic(errors.New("secret")) }, "*errors.errorString"},
		"a runtime error":  {func(list []int) { list[3] = 1 }, "index out of range [3]"},
		"a string of data": {func([]int) { panic("secret") }, "string"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(_ *gateway.Config, deps *gateway.Deps) {
				deps.Healthy = func(context.Context) error { tc.fault(nil); return nil }
			})
			got := d.send("GET", "/healthz", "")
			if got.code != 500 || got.problem(t).Reason != "INTERNAL" || got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%d %s", got.code, got.body)
			}
			lines := logLines(t, d.log.String(), "request not done")
			if len(lines) != 1 {
				t.Fatalf("log: %s", d.log)
			}
			cause := fmt.Sprint(lines[0]["cause"])
			if !strings.Contains(cause, tc.cause) || !strings.Contains(cause, "TestPanicsAreAnsweredAndNamed") || strings.Contains(cause, "secret") {
				t.Errorf("cause %q", cause)
			}
		})
	}
}

// TestAnOutageIsLoggedOnce answers 503 because a service did, which has logged why.
func TestAnOutageIsLoggedOnce(t *testing.T) {
	d := open(t, nil)
	down := houseproblem.Unavailable(errors.New("no database"))
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) { return nil, down }
	d.backend.ingest = func(*capturev1.IngestRequest) (*capturev1.IngestResponse, error) { return nil, down }
	for _, got := range []answer{d.send("GET", "/v1/leads/L1", ""), d.send("POST", "/v1/leads", "{}")} {
		if got.code != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%d, Retry-After %q", got.code, got.header.Get("Retry-After"))
		}
	}
	if strings.Contains(d.log.String(), "request not done") {
		t.Errorf("the gateway logged it again: %s", d.log)
	}
}

func TestAGoneClientIsNoError(t *testing.T) {
	d := open(t, nil)
	ctx, leave := context.WithCancel(t.Context())
	d.backend.getLead = func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
		leave()
		return nil, context.Canceled
	}
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/leads/L1", nil)
	req.Header.Set("Authorization", "Bearer "+oemToken)
	rec := httptest.NewRecorder()
	d.Handler().ServeHTTP(rec, req)
	if rec.Code != 499 || rec.Body.Len() != 0 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if lines := logLines(t, d.log.String(), "request not done"); len(lines) != 0 {
		t.Errorf("logged: %v", lines)
	}
}

func TestTLSSpeaksHTTP2(t *testing.T) {
	pair, roots := certificate(t)
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.TLS = &tls.Config{Certificates: []tls.Certificate{pair}} })
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + d.Addr() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Errorf("%d over %s", resp.StatusCode, resp.Proto)
	}
}

// certificate makes a certificate for loopback that signs itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
