package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/internal/ops"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
)

const token = "ops-token-0123456789abcdef"

func start(t *testing.T, addr string, stale map[string]error) *ops.Server {
	t.Helper()
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(token+" watcher ops\noem-token-0123456789abcdef backend oem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := rpc.ReadTokens(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ops.Start(ops.Config{
		Addr: addr, Tokens: tokens, Version: "v1", Services: []string{"routing"}, Tel: tel, Stale: func() map[string]error { return stale },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(t *testing.T, s *ops.Server, route, host, bearer string) (int, string) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+route, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(raw))
}

// TestLife follows a process from its start to its stop.
func TestLife(t *testing.T) {
	s := start(t, "127.0.0.1:0", map[string]error{"tokens": errors.New("line 3: a token has at least 24 characters")})
	var broken error
	for _, c := range []struct {
		name   string
		before func()
		code   int
		body   map[string]any
	}{
		{"starting", func() {}, 503, map[string]any{"status": "starting"}},
		{"working", func() { s.Watch(func(context.Context) error { return broken }) }, 200, map[string]any{
			"status": "ok", "warnings": []any{"tokens: the changed file cannot be used, what was read before stays in force: line 3: a token has at least 24 characters"},
		}},
		{"broken", func() { broken = errors.Join(errors.New("routing: a"), errors.New("routing.playbook: b")) }, 503, map[string]any{
			"status": "not ready", "problems": []any{"routing: a", "routing.playbook: b"},
		}},
		{"draining", func() { broken = nil; s.Drain() }, 503, map[string]any{"status": "draining"}},
	} {
		c.before()
		code, body := get(t, s, "/healthz", "", "")
		got := map[string]any{}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %s: %v", c.name, body, err)
		}
		c.body["version"], c.body["services"] = "v1", []any{"routing"}
		if diff := cmp.Diff(c.body, got); diff != "" || code != c.code {
			t.Errorf("%s: %d (-want +got):\n%s", c.name, code, diff)
		}
		if code, _ := get(t, s, "/livez", "", ""); code != 200 {
			t.Errorf("%s: a process that answers is told dead: %d", c.name, code)
		}
	}
}

// TestWhoIsTold: metrics and causes are for this machine and for tokens with the role ops.
func TestWhoIsTold(t *testing.T) {
	secret := func(context.Context) error { return errors.New("the cause") }
	for _, c := range []struct {
		name, addr, host, bearer string
		told                     bool
	}{
		{"here", "127.0.0.1:0", "", "", true},
		{"here, by a rebound name", "127.0.0.1:0", "evil.example.com", "", false},
		{"anywhere, nobody", "0.0.0.0:0", "", "", false},
		{"anywhere, another role", "0.0.0.0:0", "", "oem-token-0123456789abcdef", false},
		{"anywhere, ops", "0.0.0.0:0", "", token, true},
	} {
		s := start(t, c.addr, nil)
		s.Watch(secret)
		if _, body := get(t, s, "/healthz", c.host, c.bearer); strings.Contains(body, "the cause") != c.told {
			t.Errorf("%s: healthz says %s", c.name, body)
		}
		code, body := get(t, s, "/metrics", c.host, c.bearer)
		if (code == 200 && strings.Contains(body, "go_goroutines")) != c.told || !c.told && code != http.StatusUnauthorized {
			t.Errorf("%s: metrics answered %d", c.name, code)
		}
	}
}
