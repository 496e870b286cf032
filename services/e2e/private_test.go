package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/credentials/insecure"
)

// privateProcess starts one process with a private Postgres below dir.
func privateProcess(t *testing.T, dir string, more ...string) (*world, *process) {
	t.Helper()
	w := &world{logs: &buffer{}, http: &http.Client{Timeout: callLimit}, addr: freeAddr(t)}
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
