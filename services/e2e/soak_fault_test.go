package e2e_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Signals of faults.
const (
	stopSignal = syscall.SIGSTOP
	contSignal = syscall.SIGCONT
)

// rest is how long a part stays away: the length of an outage is what is tested, nothing is waited
// for.
func rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func (p *process) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// server is a Postgres that can be killed: one of the test, which the product knows by its address
// only, or the product's own, which the product keeps up.
type server struct {
	dir string
	url string
	own *postgres.Private // nil: the product's
}

// startServer starts a server of the test.
func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{dir: openDir(t)}
	s.start(t)
	t.Cleanup(func() {
		if err := s.own.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	// A killed server loses nothing that it has given to the system; only a power cut would.
	settings := map[string]string{"fsync": "off"}
	own, err := postgres.StartPrivate(t.Context(), postgres.PrivateConfig{DataDir: s.dir, NoSync: true, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	s.own, s.url = own, own.URL()
}

// keep makes the product's own server one of the test, once back is called.
func (s *server) keep(t *testing.T) {
	t.Helper()
	if s.own == nil {
		t.Cleanup(func() {
			if s.own == nil {
				return
			}
			if err := s.own.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
}

// back has the test's server running again.
func (s *server) back(t *testing.T) {
	t.Helper()
	if s.own != nil {
		if s.pid(t) != 0 {
			return
		}
		// What it says of its end was the test's doing.
		s.own.Stop(context.WithoutCancel(t.Context())) //nolint:errcheck // it has ended
	}
	s.start(t)
}

func (s *server) pid(t *testing.T) int {
	t.Helper()
	return postmaster(t, s.dir)
}

// end signals the server, and has it running again later.
func (s *server) end(t *testing.T, sig syscall.Signal, away time.Duration) {
	t.Helper()
	var first int
	eventually(t, patience, "the server runs", func() bool { first = s.pid(t); return first != 0 })
	if err := syscall.Kill(first, sig); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the server ends", func() bool { return s.pid(t) != first })
	if s.own != nil {
		rest(away)
		s.back(t)
	}
	eventually(t, patience, "the server runs again", func() bool { return s.pid(t) != 0 })
}

// stop ends the sessions in good order, abort at once, kill without the server's knowing.
func (s *server) stop(t *testing.T, away time.Duration)  { s.end(t, syscall.SIGINT, away) }
func (s *server) abort(t *testing.T, away time.Duration) { s.end(t, syscall.SIGQUIT, away) }
func (s *server) kill(t *testing.T, away time.Duration)  { s.end(t, syscall.SIGKILL, away) }

// killBackend kills one session, whereupon the server ends them all and recovers.
func (s *server) killBackend(t *testing.T, random *rand.Rand) {
	t.Helper()
	var sessions []int
	eventually(t, patience, "the server has sessions", func() bool {
		sessions = sessions[:0]
		for _, pid := range children(t, s.pid(t)) {
			title, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
			if err == nil && strings.Contains(string(title), "leadmesh leadmesh") {
				sessions = append(sessions, pid)
			}
		}
		return len(sessions) > 0
	})
	err := syscall.Kill(sessions[random.IntN(len(sessions))], syscall.SIGKILL)
	if err != nil && err != syscall.ESRCH { // it may have ended by itself
		t.Fatal(err)
	}
}

// freeze stops the server with all its sessions for a while: it answers nobody and refuses nobody.
func (s *server) freeze(t *testing.T, away time.Duration) {
	t.Helper()
	s.stand(t)
	rest(away)
	s.goOn(t)
}

func (s *server) stand(t *testing.T) {
	t.Helper()
	var pid int
	eventually(t, patience, "the server runs", func() bool { pid = s.pid(t); return pid != 0 })
	// First the one that starts sessions: one that began after they were counted would go on.
	syscall.Kill(pid, stopSignal) //nolint:errcheck // it was there a moment ago
	for _, p := range children(t, pid) {
		syscall.Kill(p, stopSignal) //nolint:errcheck // a session may have ended meanwhile
	}
	t.Cleanup(func() { syscall.Kill(pid, contSignal) }) //nolint:errcheck // it may have ended
}

func (s *server) goOn(t *testing.T) {
	t.Helper()
	pid := s.pid(t)
	for _, p := range append(children(t, pid), pid) {
		syscall.Kill(p, contSignal) //nolint:errcheck // a session may have ended meanwhile
	}
}

// children are the processes that a process has started.
func children(t *testing.T, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			out = append(out, pid)
		}
	}
	return out
}
