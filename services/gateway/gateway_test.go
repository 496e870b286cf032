package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/gateway"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/grpc/metadata"
)

// The tokens of the tests.
const (
	oemToken    = "oem-token-for-the-tests-0001"
	dealerToken = "dealer-token-for-the-tests-1"
	mopsToken   = "mops-token-for-the-tests-001"
	opsToken    = "ops-token-for-the-tests-0001"
)

// backend stands for the five services: it notes what reaches it and answers what a test sets.
type backend struct {
	capturev1.UnimplementedCaptureServiceServer
	identityv1.UnimplementedIdentityServiceServer
	scoringv1.UnimplementedScoringServiceServer
	routingv1.UnimplementedRoutingServiceServer
	feedbackv1.UnimplementedFeedbackServiceServer

	ingest  func(*capturev1.IngestRequest) (*capturev1.IngestResponse, error)
	getLead func(*capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error)
	receipt func(*routingv1.GetReceiptRequest) (*routingv1.GetReceiptResponse, error)

	mu        sync.Mutex
	caller    rpc.Caller
	metadata  metadata.MD
	ingested  *capturev1.IngestRequest
	lead      *capturev1.GetLeadRequest
	validated *capturev1.ValidateDocumentRequest
	dealer    *routingv1.PutDealerRequest
	accepted  *routingv1.AcceptLeadRequest
	signals   *identityv1.BatchCreateSignalsRequest
	scored    *feedbackv1.GetScorecardRequest

	scorecard *feedbackv1.GetScorecardResponse // answered; nil: an empty one
}

func (b *backend) note(ctx context.Context, f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.caller = rpc.CallerFrom(ctx)
	b.metadata, _ = metadata.FromIncomingContext(ctx)
	f()
}

func (b *backend) Ingest(ctx context.Context, req *capturev1.IngestRequest) (*capturev1.IngestResponse, error) {
	b.note(ctx, func() { b.ingested = req })
	return b.ingest(req)
}

func (b *backend) ValidateDocument(ctx context.Context, req *capturev1.ValidateDocumentRequest) (*capturev1.ValidateDocumentResponse, error) {
	b.note(ctx, func() { b.validated = req })
	return &capturev1.ValidateDocumentResponse{Remarks: []*capturev1.Remark{{Rule: "unclosed_element", Line: 3}}}, nil
}

func (b *backend) GetLead(ctx context.Context, req *capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
	b.note(ctx, func() { b.lead = req })
	return b.getLead(req)
}

func (b *backend) GetReceipt(ctx context.Context, req *routingv1.GetReceiptRequest) (*routingv1.GetReceiptResponse, error) {
	b.note(ctx, func() {})
	return b.receipt(req)
}

func (b *backend) PutDealer(ctx context.Context, req *routingv1.PutDealerRequest) (*routingv1.PutDealerResponse, error) {
	b.note(ctx, func() { b.dealer = req })
	return &routingv1.PutDealerResponse{Dealer: req.GetDealer()}, nil
}

func (b *backend) AcceptLead(ctx context.Context, req *routingv1.AcceptLeadRequest) (*routingv1.AcceptLeadResponse, error) {
	b.note(ctx, func() { b.accepted = req })
	return &routingv1.AcceptLeadResponse{}, nil
}

func (b *backend) BatchCreateSignals(ctx context.Context, req *identityv1.BatchCreateSignalsRequest) (*identityv1.BatchCreateSignalsResponse, error) {
	b.note(ctx, func() { b.signals = req })
	return &identityv1.BatchCreateSignalsResponse{}, nil
}

func (b *backend) GetScorecard(ctx context.Context, req *feedbackv1.GetScorecardRequest) (*feedbackv1.GetScorecardResponse, error) {
	b.note(ctx, func() { b.scored = req })
	if b.scorecard != nil {
		return b.scorecard, nil
	}
	return &feedbackv1.GetScorecardResponse{}, nil
}

// door is a running gateway before a backend.
type door struct {
	*gateway.Server
	t       *testing.T
	backend *backend
	log     *lockedBuffer
	url     string
}

// open starts a gateway; change adjusts its parts.
func open(t *testing.T, change func(*gateway.Config, *gateway.Deps)) *door {
	t.Helper()
	ctx, logged := t.Context(), &lockedBuffer{}
	tel, err := telemetry.New(ctx, telemetry.Config{Service: "test", LogWriter: logged})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	with := rpc.Telemetry{Log: tel.Log, Tracing: tel.Tracing, Metrics: tel.Metrics}

	b := &backend{}
	server := rpc.NewInProcessServer(with)
	capturev1.RegisterCaptureServiceServer(server, b)
	identityv1.RegisterIdentityServiceServer(server, b)
	scoringv1.RegisterScoringServiceServer(server, b)
	routingv1.RegisterRoutingServiceServer(server, b)
	feedbackv1.RegisterFeedbackServiceServer(server, b)
	t.Cleanup(server.Stop)
	conn := server.Conn("gateway")

	cfg := gateway.Config{Addr: "127.0.0.1:0", Tokens: tokens(t), Version: "1.2.3"}
	deps := gateway.Deps{Capture: conn, Identity: conn, Scoring: conn, Routing: conn, Feedback: conn, Tel: tel}
	if change != nil {
		change(&cfg, &deps)
	}
	s, err := gateway.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return &door{Server: s, t: t, backend: b, log: logged, url: "http://" + s.Addr()}
}

func tokens(t *testing.T) *rpc.Tokens {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	text := oemToken + " web oem\n" + dealerToken + " store dealer:D1\n" + mopsToken + " marketing mops\n" + opsToken + " sre ops\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := rpc.ReadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// answer is a response read to its end.
type answer struct {
	code   int
	header http.Header
	body   string
}

// send sends a request with the OEM's token and JSON as content type; headers, "Name: value",
// replace them, and "Name:" leaves one out.
func (d *door) send(method, path, body string, headers ...string) answer {
	d.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, reader)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+oemToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(raw)}
}

// problem is what an error answer says.
type problem struct {
	Code    int
	Message string
	Reason  string
	Fields  map[string]string // field -> description
	Retry   string
}

// problem reads an error answer.
func (a answer) problem(t *testing.T) problem {
	t.Helper()
	var status struct {
		Code    int
		Message string
		Details []struct {
			Type            string `json:"@type"`
			Reason, Domain  string
			RetryDelay      string
			FieldViolations []struct{ Field, Description string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &status); err != nil {
		t.Fatalf("answer %d is no google.rpc.Status: %v: %s", a.code, err, a.body)
	}
	p := problem{Code: status.Code, Message: status.Message, Fields: map[string]string{}}
	for _, d := range status.Details {
		if d.Reason != "" {
			p.Reason = d.Reason
			if d.Domain != "leadmesh" {
				t.Errorf("ErrorInfo domain %q", d.Domain)
			}
		}
		if d.RetryDelay != "" {
			p.Retry = d.RetryDelay
		}
		for _, v := range d.FieldViolations {
			p.Fields[v.Field] = v.Description
		}
	}
	return p
}

// dial opens a bare connection to the gateway.
func (d *door) dial() net.Conn {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.Addr())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
