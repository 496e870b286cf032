package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestCompose starts what the compose file starts, without containers: the script that makes the
// secrets, then the server with the environment written there, on ports of its own and a private
// database. Then it asks for the metrics as the Prometheus beside it does.
func TestCompose(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the script gives files to other accounts, which needs root")
	}
	folder := filepath.Join("..", "..", "..", "deploy", "compose")
	raw, err := os.ReadFile(filepath.Join(folder, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Command     []string
			Environment map[string]string
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	service := file.Services["leadmesh"]
	if len(service.Command) == 0 || service.Environment["LEADMESH_TOKENS"] == "" {
		t.Fatal("the compose file does not say how leadmesh runs")
	}

	dir := t.TempDir()
	secrets := filepath.Join(dir, "secrets")
	if err := os.Mkdir(secrets, 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "leadmesh")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for range 2 { // the second time changes nothing
		before := contents(t, secrets)
		makes := exec.CommandContext(t.Context(), "/bin/sh", filepath.Join(folder, "make-secrets"))
		makes.Env = append(os.Environ(), "SECRETS="+secrets, "PATH="+dir+":"+os.Getenv("PATH"))
		if out, err := makes.CombinedOutput(); err != nil {
			t.Fatalf("make-secrets: %v: %s", err, out)
		}
		if len(before) > 0 && before != contents(t, secrets) {
			t.Error("running make-secrets again changes what it made")
		}
	}

	cmd := exec.CommandContext(t.Context(), binary, service.Command...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	for name, value := range service.Environment {
		switch name {
		case "LEADMESH_DATABASE_URL":
			if !strings.Contains(value, "passfile=/secrets/pgpass") {
				t.Errorf("%s=%s does not use the password that make-secrets made", name, value)
			}
			continue // a private server instead
		case "LEADMESH_HTTP", "LEADMESH_GRPC":
			if !strings.HasPrefix(value, "0.0.0.0:") {
				t.Errorf("%s=%s cannot be reached from outside the container", name, value)
			}
			value = "127.0.0.1:0"
		case "LEADMESH_DATA":
			value = filepath.Join(dir, "data")
		}
		value = strings.ReplaceAll(strings.ReplaceAll(value, "/secrets", secrets), "${LEADMESH_SAMPLE:-true}", "true")
		cmd.Env = append(cmd.Env, name+"="+strings.ReplaceAll(value, "${OTEL_EXPORTER_OTLP_ENDPOINT:-}", ""))
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Cancel()
		_ = cmd.Wait() // it was told to stop
	}()
	base := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "health" {
			base = strings.TrimSuffix(f[1], "/healthz")
		}
		if strings.HasPrefix(lines.Text(), "healthy") {
			break
		}
	}
	if !strings.HasPrefix(base, "https://") {
		t.Fatalf("it serves at %q; it said: %.2000s", base, log.String())
	}

	authority, err := os.ReadFile(filepath.Join(secrets, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	// The name that Prometheus calls it by.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "leadmesh"}}}
	token, err := os.ReadFile(filepath.Join(secrets, "ops.token"))
	if err != nil {
		t.Fatal(err)
	}
	if code, page := get(t, client, base+"/metrics", string(token)); code != http.StatusOK || !strings.Contains(page, "leadmesh_capture_pending_age_seconds") {
		t.Errorf("/metrics answers %d: %.300s", code, page)
	}
	if code, _ := get(t, client, base+"/v1/dealers/nv-co-001", ""); code != http.StatusUnauthorized {
		t.Errorf("without a token a dealer is answered with %d", code)
	}
}

// contents are the files of a folder in one text.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(e.Name() + "\n" + string(raw))
	}
	return out.String()
}

func get(t *testing.T, client *http.Client, url, token string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}
