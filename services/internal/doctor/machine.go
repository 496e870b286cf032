package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

const (
	gibibyte    = 1 << 30
	leastFree   = 1 * gibibyte
	enoughFree  = 5 * gibibyte
	probeLimit  = 5 * time.Second
	databaseURL = "database.url" // in the data directory, of the house that uses it
)

// machine looks at what lies on this machine and returns the database's address; "" if there is
// none to look at.
func (x *exam) machine(ctx context.Context) (url string) {
	if x.cfg.DatabaseURL != "" {
		return x.cfg.DatabaseURL
	}
	in, err := postgres.Inspect(ctx, x.cfg.Data, x.cfg.PGBin)
	if err != nil {
		x.fail("data", "give the account that runs leadmesh the right to read it, or name another one with --data", "%s: %s", x.cfg.Data, oneLine(err))
		return ""
	}
	x.running = in.Held
	if in.Missing != nil {
		x.fail("postgres.binaries", "apt-get install postgresql (dnf install postgresql-server, brew install postgresql), or name their folder with --pg-bin, or use a server with --database-url", "%s", oneLine(in.Missing))
	} else {
		x.ok("postgres.binaries", "%s", in.Program)
	}
	x.disk(in)
	switch {
	case in.Held:
		x.ok("lock", "leadmesh, process %d, uses %s", in.Holder, in.DataDir)
	case in.Serving:
		x.warn("lock", "start leadmesh: it adopts the server and goes on", "no leadmesh uses %s, but its Postgres, process %d, was left running", in.DataDir, in.Server)
	case in.Server != 0:
		x.warn("lock", "start leadmesh: its Postgres recovers by itself, nothing has to be removed", "Postgres of %s did not end in good order; process %d is gone", in.DataDir, in.Server)
	default:
		x.ok("lock", "nobody uses %s", in.DataDir)
	}
	if !in.Serving {
		if in.Cluster == "" {
			x.warn("database", "leadmesh serve makes one, or name another directory with --data", "no database in %s yet", in.DataDir)
		} else {
			x.warn("database", "start leadmesh and run doctor again", "the private Postgres is stopped: what is in the database was not looked at")
		}
		return ""
	}
	raw, err := os.ReadFile(filepath.Join(in.DataDir, databaseURL))
	if err != nil {
		x.fail("database", "run doctor as the account that runs leadmesh", "the address of the private Postgres cannot be read: %s", oneLine(err))
		return ""
	}
	return strings.TrimSpace(string(raw))
}

func (x *exam) disk(in postgres.Installation) {
	const remedy = "free space or move the data directory: Postgres stops when the disk is full, and leads are refused with 503 until there is room"
	free := fmt.Sprintf("%.1f GiB free of %.1f GiB where the data lies", float64(in.Free)/gibibyte, float64(in.Total)/gibibyte)
	switch {
	case in.Total == 0:
	case in.Free < leastFree:
		x.fail("disk", remedy, "%s", free)
	case in.Free < enoughFree && in.Free < in.Total/10:
		x.warn("disk", remedy, "%s", free)
	default:
		x.ok("disk", "%s", free)
	}
}

// doors looks at the addresses a process is to listen on, and asks whoever listens there.
func (x *exam) doors() {
	alive := false
	for _, door := range []struct {
		name, addr string
		asks       bool
	}{{"http", x.cfg.HTTP, true}, {"ops", x.cfg.Ops, true}, {"grpc", x.cfg.GRPC, false}, {"mesh", x.cfg.Mesh, false}} {
		if door.addr == "" || strings.HasSuffix(door.addr, ":0") {
			continue
		}
		if door.asks {
			alive = x.ask(door.name, door.addr) || alive
			continue
		}
		conn, err := net.DialTimeout("tcp", reachable(door.addr), probeLimit)
		switch {
		case err != nil:
			x.ok("port."+door.name, "%s is free", door.addr)
		case alive || x.running:
			x.ok("port."+door.name, "leadmesh listens on %s", door.addr)
		default:
			x.warn("port."+door.name, "if it is not this leadmesh: stop it, or choose another address with --"+door.name, "somebody listens on %s", door.addr)
		}
		if err == nil {
			_ = conn.Close() // nothing was said
		}
	}
}

// ask probes the health of who listens at an address, and reports whether it is a leadmesh.
func (x *exam) ask(name, addr string) bool {
	scheme := "http://"
	if x.cfg.TLSCert != "" {
		scheme = "https://"
	}
	// Whose certificate it is was looked at in its file; here it is asked how it does.
	client := &http.Client{Timeout: probeLimit, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see above
	defer client.CloseIdleConnections()
	resp, err := client.Get(scheme + reachable(addr) + "/healthz")
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && x.running:
		x.warn("port."+name, "give doctor the flags or the environment of serve", "a leadmesh runs, and not on %s", addr)
		return false
	case errors.Is(err, syscall.ECONNREFUSED):
		x.ok("port."+name, "%s is free: no server runs there", addr)
		return false
	case err != nil:
		x.fail("port."+name, "stop what listens there, or choose another address with --"+name, "who listens on %s does not answer %shealth: %s", addr, scheme, oneLine(err))
		return false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var told struct {
		Status   any      `json:"status"`
		Version  string   `json:"version"`
		Message  string   `json:"message"`
		Problems []string `json:"problems"`
		Warnings []string `json:"warnings"`
	}
	if err != nil || json.Unmarshal(raw, &told) != nil || resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
		x.fail("port."+name, "stop what listens there, or choose another address with --"+name, "who listens on %s is no leadmesh: /healthz answers %d", addr, resp.StatusCode)
		return false
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		x.fail("health."+name, "see the server's log; the checks below may name the cause", "%s/healthz answers %d: %s", addr, resp.StatusCode,
			strings.Join(append(told.Problems, told.Message), "; "))
	case len(told.Warnings) > 0:
		x.warn("health."+name, "mend the file; no restart is needed", "%s", strings.Join(told.Warnings, "; "))
	default:
		x.ok("health."+name, "%s/healthz answers ok, version %s", addr, told.Version)
	}
	return true
}

// reachable is an address under which this machine reaches its own listener.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && (host == "" || net.ParseIP(host) != nil && net.ParseIP(host).IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}
