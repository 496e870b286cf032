package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// outage is how long a part stays away in these tests at least.
const outage = 1500 * time.Millisecond

// TestServicesAway kills each of the five processes in turn under load and starts it again later.
// Senders see 200, 202 or 503, and everything recovers by itself.
func TestServicesAway(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	w := fiveProcesses(t)
	l := startLoad(t, w)
	for _, service := range []string{"routing", "identity", "scoring", "feedback", "capture"} {
		l.flows(t, 10)
		w.processes[service].kill(t)
		taken := func() int { return l.count(http.StatusOK) + l.count(http.StatusAccepted) }
		answered, away := taken(), time.Now()
		eventually(t, patience, "leads are taken while "+service+" is away", func() bool {
			return time.Since(away) > outage && (service == "capture" || taken() > answered)
		})
		w.restart(t, service)
		back := time.Now()
		l.flows(t, 10)
		t.Logf("decides again %s after %s was started", time.Since(back).Round(time.Millisecond), service)
	}
	l.verify(t)
}

// externalDatabase is a private server that the product knows by its address only.
func externalDatabase(t *testing.T) (start func() string, stop func()) {
	t.Helper()
	cfg := postgres.PrivateConfig{DataDir: openDir(t), NoSync: true}
	var server *postgres.Private
	start = func() string {
		t.Helper()
		var err error
		if server, err = postgres.StartPrivate(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		return server.URL()
	}
	stop = func() {
		t.Helper()
		if err := server.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() {
		if server != nil {
			stop()
		}
	})
	return start, stop
}

// TestDatabaseAway stops the database under load: no lead is taken and no read answered until it
// is back, and then everything goes on without a restart.
func TestDatabaseAway(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a house and a database")
	}
	start, stop := externalDatabase(t)
	url := start()
	w := inProcess(t, func(c *house.Config) { c.DatabaseURL = url })
	w.db = url
	l := startLoad(t, w)
	l.flows(t, 20)
	known := l.lastAssigned()
	for range 2 {
		stop()
		for i := range 10 {
			a := w.submit(t.Context(), newSubmission("lead", 1_000_000+i))
			if a.code != http.StatusServiceUnavailable || a.reason != "UNAVAILABLE" || a.retryAfter == "" {
				t.Errorf("without a database a lead was answered %d %s, Retry-After %q, %v", a.code, a.reason, a.retryAfter, a.err)
			}
			for _, route := range []string{"/v1/leads/" + known, "/v1/leads/" + known + "/receipt", "/v1/dealers/" + tokenDealer + "/inbox", "/v1/reports/scorecard"} {
				if code, raw := w.callOnce(t, "oem", http.MethodGet, route, nil, ""); code != http.StatusServiceUnavailable {
					t.Errorf("without a database GET %s answered %d %s", route, code, raw)
				}
			}
		}
		if code, _ := w.callOnce(t, "ops", http.MethodGet, "/healthz", nil, ""); code != http.StatusServiceUnavailable {
			t.Errorf("without a database /healthz answered %d", code)
		}
		start()
		back := time.Now()
		l.flows(t, 20)
		t.Logf("works again after %s", time.Since(back).Round(time.Millisecond))
	}
	w.awaitHealthy(t)
	l.verify(t)
}

// TestDiskFull fills the disk of the private server under load and frees it again.
func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process and mounts a disk")
	}
	dir := openDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=220m,mode=0755"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	w, p := privateProcess(t, dir)
	l := startLoad(t, w)
	l.flows(t, 20)

	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	before := l.count(http.StatusServiceUnavailable)
	eventually(t, patience, "senders are told that the disk is full", func() bool {
		fill(t, ballast) // what the server freed meanwhile is taken too
		return l.count(http.StatusServiceUnavailable) >= before+20
	})
	// A server that ends now may find no room to start: it is tried until there is.
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	before = l.count(http.StatusServiceUnavailable)
	eventually(t, patience, "senders are told that the database is gone", func() bool {
		return l.count(http.StatusServiceUnavailable) >= before+20
	})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	freed := time.Now()
	l.flows(t, 20)
	t.Logf("works again after %s", time.Since(freed).Round(time.Millisecond))
	w.awaitHealthy(t)
	l.verify(t)
	p.stop(t)
}

// fill appends to a file until its disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		block := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}
