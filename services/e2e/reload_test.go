package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestReload changes the certificate and the tokens of both public doors while they serve.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	certs := certificates(t, dir)
	tokens, file := tokensFile(t, dir)
	w := &world{logs: &buffer{}, db: pgtest.New(t).URL(), ca: filepath.Join(certs, "ca.pem"), token: tokens}
	h, err := house.Open(t.Context(), house.Config{
		Version: "test", DatabaseURL: w.db, Data: t.TempDir(), HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Ops: "127.0.0.1:0", Sample: true, LogWriter: w.logs, LogLevel: slog.LevelInfo,
		TLSCert: filepath.Join(certs, "public.pem"), TLSKey: filepath.Join(certs, "public.key"), Tokens: file,
	})
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
	streaming := startQuoter(w.as(t.Context(), "oem"), t, w.grpc, 0)
	eventually(t, patience, "the stream is answered", func() bool { return streaming.answers() > 0 })

	// A new pair of a new authority is shown at both doors; who is connected stays connected.
	fresh := filepath.Join(dir, "fresh")
	if err := os.Mkdir(fresh, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(binary(t), "certs", "--dir", fresh).CombinedOutput(); err != nil {
		t.Fatalf("make certificates: %v: %s", err, out)
	}
	for _, name := range []string{"public.pem", "public.key"} {
		copyFile(t, filepath.Join(fresh, name), filepath.Join(certs, name))
	}
	for door, addr := range map[string]string{"REST": h.HTTPAddr(), "gRPC": h.GRPCAddr(), "ops": h.OpsAddr()} {
		eventually(t, patience, door+" shows the new certificate", func() bool { return handshake(t, addr, filepath.Join(fresh, "ca.pem")) == nil })
		if handshake(t, addr, w.ca) == nil {
			t.Errorf("%s: the old authority's trust is still enough", door)
		}
	}
	if code, raw := w.call(t, "oem", http.MethodGet, "/v1/codes", nil, ""); code != http.StatusOK { // over the connection of before
		t.Errorf("the connection of before the change answers %d %s", code, raw)
	}
	answered := streaming.answers()
	eventually(t, patience, "the stream of before is answered", func() bool { return streaming.answers() > answered })

	// A broken tokens file changes nothing and is told to who watches.
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "short oem-backend oem\n")
	watch := watcher(t, filepath.Join(fresh, "ca.pem"), h.OpsAddr())
	eventually(t, patience, "the broken file is told", func() bool {
		return strings.Contains(watch("/healthz"), "tokens: the changed file cannot be used") &&
			strings.Contains(watch("/metrics"), `leadmesh_files_stale{what="tokens"} 1`) && strings.Contains(w.logs.String(), "changed files cannot be used")
	})
	if code, raw := w.call(t, "oem", http.MethodGet, "/v1/codes", nil, ""); code != http.StatusOK {
		t.Errorf("with a broken new file the old token is answered %d %s", code, raw)
	}

	// A token that is taken away is refused at both doors, and ends its open stream.
	var kept []string
	for line := range strings.Lines(string(good)) {
		if !strings.HasPrefix(line, tokens["oem"]) {
			kept = append(kept, line)
		}
	}
	write(t, file, strings.Join(kept, "")+"fresh-token-0123456789abcdef newcomer oem\n")
	eventually(t, patience, "REST refuses the revoked token", func() bool {
		code, _ := w.call(t, "oem", http.MethodGet, "/v1/codes", nil, "")
		return code == http.StatusUnauthorized
	})
	again := startQuoter(w.as(t.Context(), "oem"), t, w.grpc, 0)
	for name, q := range map[string]*quoter{"a new": again, "the open": streaming} {
		if err := <-q.ended; status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s stream of the revoked token ended with %v", name, err)
		}
	}
	w.token["newcomer"] = "fresh-token-0123456789abcdef"
	if code, raw := w.call(t, "newcomer", http.MethodGet, "/v1/codes", nil, ""); code != http.StatusOK {
		t.Errorf("the new token is answered %d %s", code, raw)
	}
	if !strings.Contains(watch("/metrics"), `leadmesh_files_stale{what="tokens"} 0`) || !strings.Contains(watch("/metrics"), "leadmesh_certificate_rest_seconds") {
		t.Error("the mended file is still told as broken, or the certificate's end is not told")
	}
}

// TestWithoutGateway watches a process that has no REST door.
func TestWithoutGateway(t *testing.T) {
	dir := t.TempDir()
	certs := certificates(t, dir)
	addr := freeAddr(t)
	p := spawn(t, "serve", "--only", "scoring,routing,feedback,identity", "--sample", "--database-url", pgtest.New(t).URL(), "--data", dir, "--ops", addr,
		"--grpc", freeAddr(t), "--mesh", freeAddr(t), "--mesh-cert", filepath.Join(certs, "routing.pem"), "--mesh-key", filepath.Join(certs, "routing.key"), "--mesh-ca", filepath.Join(certs, "ca.pem"))
	read := func(route string) (int, string) {
		resp, err := http.Get("http://" + addr + route)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(raw)
	}
	eventually(t, patience, "the process without a gateway is healthy", func() bool {
		code, body := read("/healthz")
		return code == http.StatusOK && strings.Contains(body, `"routing"`)
	})
	if code, body := read("/metrics"); code != http.StatusOK || !strings.Contains(body, "leadmesh_routing_sweep_lag") {
		t.Errorf("metrics of a process without a gateway: %d", code)
	}
	eventually(t, patience, "the process says where it is watched", func() bool { return strings.Contains(p.log.String(), addr+"/healthz") })
}

// handshake connects to a door anew and verifies its certificate.
func handshake(t *testing.T, addr, ca string) error {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: authorities(t, ca), MinVersion: tls.VersionTLS13})
	if err != nil {
		return err
	}
	return conn.Close()
}

func authorities(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

// watcher reads from the operations door.
func watcher(t *testing.T, ca, addr string) func(route string) string {
	t.Helper()
	client := &http.Client{Timeout: callLimit, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities(t, ca), MinVersion: tls.VersionTLS13}}}
	return func(route string) string {
		resp, err := client.Get("https://" + addr + route)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(raw))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
