package postgres_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// TestLauncherProcess is no test of its own: it is the other leadmesh, which
// TestPrivateAdopts... runs and kills.
func TestLauncherProcess(t *testing.T) {
	dir := os.Getenv("LEADMESH_TEST_LAUNCHER_DIR")
	if dir == "" {
		t.Skip("runs as the child of other tests only")
	}
	p, err := postgres.StartPrivate(t.Context(), privateConfig(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("up %d\n", p.PID())
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		t.Log(err)
	}
}

// launcher runs another process that has started the server of dir, and
// returns it with the server's process id.
func launcher(t *testing.T, dir string) (*exec.Cmd, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLauncherProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "LEADMESH_TEST_LAUNCHER_DIR="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var pid int
		if _, err := fmt.Sscanf(lines.Text(), "up %d", &pid); err == nil {
			return cmd, pid
		}
		t.Log(lines.Text())
	}
	t.Fatal("the launcher did not come up")
	return nil, 0
}

func killLauncher(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the launcher ended in good order")
	}
}

func TestPrivateAdoptsTheServerOfAKilledLauncher(t *testing.T) {
	dir := openDir(t)
	cfg := privateConfig(t, dir)
	other, serverPID := launcher(t, dir)
	_, err := postgres.StartPrivate(t.Context(), cfg)
	var locked *postgres.LockedError
	if !errors.As(err, &locked) || locked.PID != other.Process.Pid {
		t.Fatalf("start beside process %d: %v, want an error naming it", other.Process.Pid, err)
	}
	killLauncher(t, other)

	p := start(t, cfg)
	if !p.Adopted() || p.PID() != serverPID {
		t.Errorf("adopted %v process %d, want the running %d", p.Adopted(), p.PID(), serverPID)
	}
	write(t, p.URL(), 1)
	stop(t, p)
	awaitDone(t, p)

	p = start(t, cfg)
	if p.Adopted() {
		t.Error("the adopted server was not stopped")
	}
	wantRows(t, p.URL(), 1)
}

func TestPrivateStartsAfterLauncherAndServerWereKilled(t *testing.T) {
	dir := openDir(t)
	other, serverPID := launcher(t, dir)
	if err := syscall.Kill(serverPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killLauncher(t, other)
	p := start(t, privateConfig(t, dir))
	if p.Adopted() {
		t.Error("a dead server was adopted")
	}
}

func TestPrivateSeesAnAdoptedServerDie(t *testing.T) {
	dir := openDir(t)
	other, _ := launcher(t, dir)
	killLauncher(t, other)
	p := start(t, privateConfig(t, dir))
	killServer(t, p)
	stop(t, p)
}

func TestPrivateIsDetachedAndAdopted(t *testing.T) {
	cfg := privateConfig(t, openDir(t))
	first := start(t, cfg)
	if err := first.Detach(); err != nil {
		t.Fatal(err)
	}
	second := start(t, cfg)
	if !second.Adopted() || second.PID() != first.PID() {
		t.Errorf("adopted %v process %d, want %d", second.Adopted(), second.PID(), first.PID())
	}
}

// A lock file that names a live process which is no server: after a restart
// of a container the numbers begin anew.
func TestPrivateStartsWhenAStrangerHasTheServersNumber(t *testing.T) {
	dir := openDir(t)
	cfg := privateConfig(t, dir)
	p := start(t, cfg)
	write(t, p.URL(), 1)
	killServer(t, p)
	stop(t, p)

	pidFile := filepath.Join(dir, "postgres", "postmaster.pid")
	info, err := os.Stat(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	stranger := exec.Command("sleep", "60")
	stranger.Dir = "/"
	if os.Geteuid() == 0 {
		stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stranger.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = stranger.Wait()
	}()
	raw, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "\n")
	if err := os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", stranger.Process.Pid, rest), 0o600); err != nil {
		t.Fatal(err)
	}

	p = start(t, cfg)
	if p.Adopted() {
		t.Error("a stranger was adopted")
	}
	wantRows(t, p.URL(), 1)
}
