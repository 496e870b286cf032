package e2e_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// world is a running leadmesh with the sample network and playbook.
type world struct {
	base        string // of REST
	addr        string // of gRPC
	smtp        string // of the postbox; "" without
	http        *http.Client
	grpc        *grpc.ClientConn
	db          string
	ca          string            // file of the authority; "" without TLS
	token       map[string]string // by role: oem, ops, dealer
	logs        *buffer
	creds       credentials.TransportCredentials
	routingConn *grpc.ClientConn // of the process that serves Routing, if that is another one
	processes   map[string]*process
}

// shapes are the ways in which the suite starts leadmesh.
func shapes(t *testing.T, run func(t *testing.T, w *world)) {
	t.Run("one process", func(t *testing.T) { run(t, inProcess(t, nil)) })
	t.Run("one process, TLS and tokens", func(t *testing.T) { run(t, secured(t)) })
	t.Run("five processes", func(t *testing.T) { run(t, fiveProcesses(t)) })
}

// buffer is a log that is safe to read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// patience is how long the suite waits for what only has to come true at last: long enough for a
// machine that has much else to do.
const patience = time.Minute

// callLimit is how long a caller of these tests waits for an answer: no outage may make it longer. The
// product answers within 10 s as far as it gets its processor's time.
const callLimit = patience

// inProcess runs the house inside the test, on a database of its own unless change names one.
func inProcess(t *testing.T, change func(*house.Config)) *world {
	t.Helper()
	w := &world{logs: &buffer{}, http: &http.Client{Timeout: callLimit}}
	cfg := house.Config{
		Version: "test", Data: t.TempDir(), HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Sample: true,
		LogWriter: w.logs, LogLevel: slog.LevelInfo, AllowPrivateWebhooks: true,
	}
	if change != nil {
		change(&cfg)
	}
	if cfg.DatabaseURL == "" {
		cfg.DatabaseURL = pgtest.New(t).URL()
	}
	w.db = cfg.DatabaseURL
	h, err := house.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the house ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", tail(w.logs.String(), 40))
		}
	})
	w.base, w.addr, w.smtp = "http://"+h.HTTPAddr(), h.GRPCAddr(), h.SMTPAddr()
	w.connect(t, insecure.NewCredentials())
	w.awaitHealthy(t)
	return w
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// secured runs the house inside the test behind TLS and tokens.
func secured(t *testing.T) *world { return securedBy(t, nil) }

// securedBy is secured with other settings.
func securedBy(t *testing.T, change func(*house.Config)) *world {
	t.Helper()
	dir := t.TempDir()
	certs := certificates(t, dir)
	tokens, file := tokensFile(t, dir)
	w := &world{logs: &buffer{}, db: pgtest.New(t).URL(), ca: filepath.Join(certs, "ca.pem"), token: tokens}
	cfg := house.Config{
		Version: "test", DatabaseURL: w.db, Data: t.TempDir(), HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Sample: true, LogWriter: w.logs,
		TLSCert: filepath.Join(certs, "public.pem"), TLSKey: filepath.Join(certs, "public.key"), Tokens: file, AllowPrivateWebhooks: true,
	}
	if change != nil {
		change(&cfg)
	}
	h, err := house.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the house ended with: %v", err)
		}
	})
	w.base, w.addr = "https://"+h.HTTPAddr(), h.GRPCAddr()
	w.trust(t)
	w.awaitHealthy(t)
	return w
}

// tokenDealer is the store whose token the suite holds.
const tokenDealer = "nv-co-001"

func tokensFile(t *testing.T, dir string) (map[string]string, string) {
	t.Helper()
	tokens := map[string]string{
		"oem": "oem-token-0123456789abcdef", "ops": "ops-token-0123456789abcdef", "dealer": "dealer-token-0123456789abcdef",
		"mops": "mops-token-0123456789abcdef",
	}
	file := filepath.Join(dir, "tokens")
	text := fmt.Sprintf("%s oem-backend oem\n%s operations ops,oem,mops\n%s store dealer:%s\n%s marketing mops\n", tokens["oem"], tokens["ops"], tokens["dealer"], tokenDealer, tokens["mops"])
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return tokens, file
}

func certificates(t *testing.T, dir string) string {
	t.Helper()
	certs := filepath.Join(dir, "certs")
	if out, err := exec.Command(binary(t), "certs", "--dir", certs).CombinedOutput(); err != nil {
		t.Fatalf("make certificates: %v: %s", err, out)
	}
	return certs
}

// binary builds the product once for all tests of this run.

func (w *world) trust(t *testing.T) {
	t.Helper()
	pem, err := os.ReadFile(w.ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	cfg := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
	w.http = &http.Client{Timeout: callLimit, Transport: &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true}}
	w.connect(t, credentials.NewTLS(cfg))
}

func (w *world) connect(t *testing.T, creds credentials.TransportCredentials) {
	t.Helper()
	w.creds = creds
	w.grpc = w.dial(t, w.addr, creds)
}

func (w *world) dial(t *testing.T, addr string, creds credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// as returns a context that calls gRPC in a role.
func (w *world) as(ctx context.Context, role string) context.Context {
	if tok := w.token[role]; tok != "" {
		return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+tok)
	}
	return ctx
}

// call sends a REST request in a role and returns status and body. As a client does, it comes back later
// when it is told 503: on a busy machine a part may miss a probe and be thought away for a second.
func (w *world) call(t *testing.T, role, method, route string, header map[string]string, body string) (code int, raw []byte) {
	t.Helper()
	limit := time.Now().Add(patience)
	for {
		if code, raw = w.callOnce(t, role, method, route, header, body); code != http.StatusServiceUnavailable || time.Now().After(limit) {
			return code, raw
		}
		rest(200 * time.Millisecond)
	}
}

// callOnce is call without a second try: what the product answers at this moment.
func (w *world) callOnce(t *testing.T, role, method, route string, header map[string]string, body string) (int, []byte) {
	t.Helper()
	code, raw, err := w.try(t.Context(), role, method, route, header, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, route, err)
	}
	return code, raw
}

func (w *world) try(ctx context.Context, role, method, route string, header map[string]string, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.base+route, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if tok := w.token[role]; tok != "" {
		req.Header.Set("Authorization", "Bearer "+tok)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, err
}

// get reads a REST resource in a role.
func (w *world) get(t *testing.T, role, route string, into proto.Message) {
	t.Helper()
	code, raw := w.call(t, role, http.MethodGet, route, nil, "")
	if code != http.StatusOK {
		t.Fatalf("GET %s answered %d: %s", route, code, raw)
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, into); err != nil {
		t.Fatalf("GET %s: %v", route, err)
	}
}

// post sends a body in a role and reads the answer, which must be 200.
func (w *world) post(t *testing.T, role, route, body string, into proto.Message) {
	t.Helper()
	code, raw := w.call(t, role, http.MethodPost, route, nil, body)
	if code != http.StatusOK {
		t.Fatalf("POST %s answered %d: %s", route, code, raw)
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, into); err != nil {
		t.Fatalf("POST %s: %v", route, err)
	}
}

// sendLead submits a lead until it is decided, or refused. One whose road is not up yet, or takes
// longer than a sender waits, is answered 202; a sender that wants the decision sends it again.
func (w *world) sendLead(t *testing.T, header map[string]string, body string) (int, []byte) {
	t.Helper()
	var code int
	var raw []byte
	eventually(t, patience, "the lead is decided", func() bool {
		code, raw = w.call(t, "oem", http.MethodPost, "/v1/leads", header, body)
		return code != http.StatusAccepted
	})
	return code, raw
}

// submit is sendLead for a lead that is taken.
func submit(t *testing.T, w *world, body string) *capturev1.LeadResult {
	t.Helper()
	code, raw := w.sendLead(t, nil, body)
	r := &capturev1.LeadResult{}
	if err := unmarshal(raw, r); code != http.StatusOK || err != nil {
		t.Fatalf("the lead is answered %d %v: %s", code, err, raw)
	}
	return r
}

// reason is the ErrorInfo reason of an error body.
func reason(raw []byte) string {
	var status struct {
		Details []struct {
			Reason string `json:"reason"`
		} `json:"details"`
	}
	if json.Unmarshal(raw, &status) != nil {
		return ""
	}
	for _, d := range status.Details {
		if d.Reason != "" {
			return d.Reason
		}
	}
	return ""
}

// eventually waits until check holds, for at most limit.
func eventually(t *testing.T, limit time.Duration, what string, check func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, what)
		case <-tick.C:
		}
	}
}

func (w *world) awaitHealthy(t *testing.T) {
	t.Helper()
	eventually(t, 2*patience, "healthy", func() bool {
		code, _, err := w.try(t.Context(), "ops", http.MethodGet, "/healthz", nil, "")
		if err != nil || code != http.StatusOK {
			return false
		}
		// In five processes the gateway is healthy before the others have a network.
		for _, route := range []string{"/v1/dealers/" + tokenDealer, "/v1/playbooks", "/v1/reports/scorecard"} {
			if code, _, err = w.try(t.Context(), "ops", http.MethodGet, route, nil, ""); err != nil || code != http.StatusOK {
				return false
			}
		}
		// Of nobody; any answer but "not now" will do.
		if code, _, err = w.try(t.Context(), "ops", http.MethodGet, "/v1/persons/01900000-0000-7000-8000-000000000000", nil, ""); err != nil || code == http.StatusServiceUnavailable {
			return false
		}
		// Capture has connections of its own, and one that was refused waits before the next try. The
		// first release does not know the route.
		json := map[string]string{"Content-Type": "application/json"}
		code, _, err = w.try(t.Context(), "ops", http.MethodPost, "/v1/leads:resubmit", json, `{"code": "CONSENT", "dry_run": true}`)
		return err == nil && code != http.StatusServiceUnavailable
	})
}
