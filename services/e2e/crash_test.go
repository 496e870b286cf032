package e2e_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/credentials/insecure"
)

// crashRounds is how often TestCrash kills; LEADMESH_TEST_CRASHES sets another number.
const crashRounds = 3

// TestCrash kills the product and its private Postgres under load. Nothing that was promised may
// be lost, and nothing may be there twice.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	rounds := crashRounds
	if n, err := strconv.Atoi(os.Getenv("LEADMESH_TEST_CRASHES")); err == nil {
		rounds = n
	}
	w, p := privateProcess(t, openDir(t))
	l := startLoad(t, w)
	l.flows(t, 30*time.Second, 20)
	for round := range rounds {
		if round%2 == 1 {
			postgresDies(t, w, p, l)
			continue
		}
		p.kill(t)
		refused := l.count(0)
		eventually(t, 10*time.Second, "senders notice", func() bool { return l.count(0) > refused })
		p = spawn(t, p.args...)
		w.awaitHealthy(t)
		l.flows(t, 30*time.Second, 20+rand.IntN(40))
	}
	l.verify(t)
	p.stop(t)
}

// postgresDies kills the private server: the product answers 503 until it has brought it back.
func postgresDies(t *testing.T, w *world, p *process, l *load) {
	t.Helper()
	dir := p.args[slices.Index(p.args, "--data")+1]
	before := l.count(http.StatusServiceUnavailable)
	first := postmaster(t, dir)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the server runs again", func() bool {
		now := postmaster(t, dir)
		return now != 0 && now != first
	})
	l.flows(t, 30*time.Second, 20+rand.IntN(40))
	if l.count(http.StatusServiceUnavailable) == before {
		t.Error("nobody was told 503 while the database was down")
	}
	w.awaitHealthy(t)
}

// privateProcess starts one process with a private Postgres below dir.
func privateProcess(t *testing.T, dir string, more ...string) (*world, *process) {
	t.Helper()
	w := &world{logs: &buffer{}, http: &http.Client{Timeout: 20 * time.Second}, addr: freeAddr(t)}
	addr := freeAddr(t)
	w.base = "http://" + addr
	// What a killed process leaves running must not outlive the test.
	t.Cleanup(func() {
		if pid := postmaster(t, dir); pid > 1 {
			syscall.Kill(pid, syscall.SIGQUIT) //nolint:errcheck // gone is as good
		}
	})
	p := spawn(t, append([]string{"serve", "--sample", "--data", dir, "--http", addr, "--grpc", w.addr}, more...)...)
	w.connect(t, insecure.NewCredentials())
	w.awaitHealthy(t)
	url, err := os.ReadFile(filepath.Join(dir, "database.url"))
	if err != nil {
		t.Fatal(err)
	}
	w.db = strings.TrimSpace(string(url))
	return w, p
}

// postmaster is the process id of the private server of a data directory, 0 if it does not run.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		return 0
	}
	cmdline, err := os.ReadFile("/proc/" + line + "/cmdline")
	if err != nil || !strings.Contains(string(cmdline), filepath.Join(dir, "postgres")) {
		return 0
	}
	return pid
}

// openDir is a folder that the account of a private server can enter, unlike t.TempDir.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "leadmesh-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
