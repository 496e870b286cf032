package e2e_test

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/deploy/sample"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// TestUnsafe starts houses that would open a door to other machines without a lock.
func TestUnsafe(t *testing.T) {
	cert, key, tokens := filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "tokens")
	for _, c := range []struct {
		name  string
		cfg   house.Config
		words []string // all in the error
		not   []string
	}{
		{"REST everywhere", house.Config{HTTP: "0.0.0.0:0", GRPC: "127.0.0.1:0"}, []string{"--http 0.0.0.0:0", "--tls-cert", "--tls-key", "--tokens", "127.0.0.1"}, []string{"--grpc"}},
		{"REST on every interface", house.Config{HTTP: ":0", GRPC: "127.0.0.1:0"}, []string{"--http :0", "--tls-cert", "--tokens"}, nil},
		{"gRPC everywhere", house.Config{HTTP: "127.0.0.1:0", GRPC: "[::]:0"}, []string{"--grpc [::]:0", "--tls-cert", "--tls-key", "--tokens"}, []string{"--http"}},
		{"a named host", house.Config{HTTP: "leads.example.com:80", GRPC: "127.0.0.1:0"}, []string{"--http leads.example.com:80", "--tls-cert", "--tokens"}, nil},
		{"both", house.Config{HTTP: "10.1.2.3:80", GRPC: "192.0.2.1:90"}, []string{"--http", "--grpc", "--tls-cert", "--tokens"}, nil},
		{"tokens without TLS", house.Config{HTTP: "0.0.0.0:0", GRPC: "127.0.0.1:0", Tokens: tokens}, []string{"--http", "--tls-cert", "--tls-key"}, []string{"--tokens"}},
		{"TLS without tokens", house.Config{HTTP: "0.0.0.0:0", GRPC: "127.0.0.1:0", TLSCert: cert, TLSKey: key}, []string{"--http", "--tokens"}, []string{"--tls-cert"}},
		{"a certificate without its key", house.Config{HTTP: "0.0.0.0:0", GRPC: "127.0.0.1:0", TLSCert: cert, Tokens: tokens}, []string{"--tls-key"}, nil},
	} {
		c.cfg.Data, c.cfg.DatabaseURL = t.TempDir(), "postgres://nobody@127.0.0.1:1/none" // never reached
		h, err := house.Open(t.Context(), c.cfg)
		if err == nil {
			h.Close(t.Context())
			t.Errorf("%s: it started", c.name)
			continue
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not name %s: %v", c.name, word, err)
			}
		}
		for _, word := range c.not {
			if strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error asks for %s too: %v", c.name, word, err)
			}
		}
	}
}

// TestUnsafeCommand does the same with the command: it ends at once, says what to do, and makes no data.
func TestUnsafeCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	data := filepath.Join(t.TempDir(), "data")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), "serve", "--data", data, "--http", "0.0.0.0:0", "--grpc", "127.0.0.1:0")
	out, err := cmd.CombinedOutput()
	if err == nil || ctx.Err() != nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("serve beyond loopback without a lock ended with %v: %s", err, out)
	}
	for _, word := range []string{"--http", "--tls-cert", "--tls-key", "--tokens"} {
		if !strings.Contains(string(out), word) {
			t.Errorf("it does not name %s: %s", word, out)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("it made a data directory")
	}
}

// TestHealth starts a house with nothing to work by: it says so, and works when it has it.
func TestHealth(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole house")
	}
	w := &world{logs: &buffer{}, db: pgtest.New(t).URL(), http: &http.Client{Timeout: callLimit}}
	h, err := house.Open(t.Context(), house.Config{
		Version: "test", DatabaseURL: w.db, Data: t.TempDir(), HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", LogWriter: w.logs,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	defer stop()
	w.base, w.addr = "http://"+h.HTTPAddr(), h.GRPCAddr()
	w.connect(t, insecure.NewCredentials())

	health := healthv1.NewHealthClient(w.grpc)
	serving := func() healthv1.HealthCheckResponse_ServingStatus {
		r, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err != nil {
			t.Fatal(err)
		}
		return r.GetStatus()
	}
	if s := serving(); s != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("without playbook and network gRPC is %v", s)
	}
	code, raw := w.callOnce(t, "ops", http.MethodGet, "/healthz", nil, "")
	if code != http.StatusServiceUnavailable || reason(raw) != "NOT_READY" {
		t.Errorf("/healthz answered %d: %s", code, raw)
	}
	for _, word := range []string{"playbook", "routing", "network"} {
		if !strings.Contains(string(raw), word) {
			t.Errorf("/healthz does not say %q: %s", word, raw)
		}
	}
	// A lead that comes now is safe, and decided when there is something to decide by.
	code, raw = w.call(t, "oem", http.MethodPost, "/v1/leads", nil, person("health-1", "Hedda", "80205", ""))
	if code != http.StatusAccepted {
		t.Errorf("a lead without a playbook answered %d: %s", code, raw)
	}

	watching, unwatch := context.WithCancel(t.Context())
	defer unwatch()
	watched, err := health.Watch(watching, &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scoringv1.NewScoringServiceClient(w.grpc).ApplyPlaybook(t.Context(), &scoringv1.ApplyPlaybookRequest{Files: samplePlaybook(t)}); err != nil {
		t.Fatal(err)
	}
	if _, err := routingv1.NewRoutingServiceClient(w.grpc).ImportNetwork(t.Context(), &routingv1.ImportNetworkRequest{Files: sampleNetwork(t)}, grpc.MaxCallSendMsgSize(64<<20)); err != nil {
		t.Fatal(err)
	}
	var states []string
	for len(states) < 2 {
		r, err := watched.Recv()
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, r.GetStatus().String())
	}
	if states[0] != "NOT_SERVING" || states[1] != "SERVING" {
		t.Errorf("whoever watches saw %v", states)
	}
	w.awaitHealthy(t)
	eventually(t, patience, "gRPC says so too", func() bool { return serving() == healthv1.HealthCheckResponse_SERVING })
	eventually(t, patience, "the early lead is decided", func() bool {
		code, raw := w.call(t, "oem", http.MethodPost, "/v1/leads", nil, person("health-1", "Hedda", "80205", ""))
		return code == http.StatusOK && strings.Contains(string(raw), `"dealer_id"`)
	})
	stop()
	for last := ""; last != "NOT_SERVING"; { // on a busy machine it may have gone and come back meanwhile
		r, err := watched.Recv()
		if err != nil {
			t.Fatalf("at the shutdown whoever watches sees %v after %q", err, last)
		}
		last = r.GetStatus().String()
	}
	unwatch() // an open stream holds a graceful stop up to its limit
	if err := <-ended; err != nil {
		t.Errorf("the house ended with %v", err)
	}
}

// sampleFiles reads folders of the sample.
func sampleFiles(t *testing.T, dir string, each func(name string, content []byte)) {
	t.Helper()
	err := fs.WalkDir(sample.Files(), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(sample.Files(), name)
		each(strings.TrimPrefix(name, dir+"/"), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func samplePlaybook(t *testing.T) []*scoringv1.PlaybookFile {
	t.Helper()
	var files []*scoringv1.PlaybookFile
	sampleFiles(t, "playbook", func(name string, content []byte) {
		files = append(files, &scoringv1.PlaybookFile{Path: name, Content: content})
	})
	return files
}

func sampleNetwork(t *testing.T) []*routingv1.NetworkFile {
	t.Helper()
	var files []*routingv1.NetworkFile
	for _, dir := range []string{"network", "postal"} {
		sampleFiles(t, dir, func(name string, content []byte) {
			if path.Ext(name) != ".md" {
				files = append(files, &routingv1.NetworkFile{Name: name, Content: content})
			}
		})
	}
	return files
}
