package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/pgtest"
)

var built struct {
	once sync.Once
	path string
	err  error
}

func binary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "leadmesh-e2e-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "leadmesh")
		out, err := exec.Command("go", "build", "-o", built.path, "github.com/leadmesh/leadmesh/services/cmd/leadmesh").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("build the binary: %w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

func TestMain(m *testing.M) {
	if told := os.Getenv(clockedEnv); told != "" {
		os.Exit(runClocked(told))
	}
	code := m.Run()
	if built.path != "" {
		if err := os.RemoveAll(filepath.Dir(built.path)); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// process is one leadmesh process of its own.
type process struct {
	args []string
	cmd  *exec.Cmd
	log  *buffer
}

func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	return spawnBinary(t, binary(t), args...)
}

// spawnBinary starts a process of a given binary.
func spawnBinary(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{args: args, cmd: exec.Command(path, args...), log: &buffer{}}
	p.start(t)
	return p
}

func (p *process) start(t *testing.T) {
	t.Helper()
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%v:\n%s", p.args[:min(3, len(p.args))], tail(p.log.String(), 20))
		}
	})
}

// again starts a process that has ended once more, as it was started.
func (p *process) again(t *testing.T) *process {
	t.Helper()
	next := &process{args: p.args, cmd: exec.Command(p.cmd.Path, p.args...), log: p.log}
	next.cmd.Env = p.cmd.Env
	next.start(t)
	return next
}

// stop ends the process as an operator would, and it must end well; kill as a power cut would.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Log(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("a process that was told to stop ended with: %v", err)
		}
	case <-time.After(patience):
		t.Errorf("a process did not stop within %s of SIGTERM", patience)
		p.cmd.Process.Kill() //nolint:errcheck // it may be gone already
		t.Logf("killed, it ended with: %v", <-done)
	}
}

// terminate tells the process to stop and returns where its end is told.
func (p *process) terminate(t *testing.T) <-chan error {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	return ended
}

// restart starts a process of the five again that has ended.
func (w *world) restart(t *testing.T, service string) {
	t.Helper()
	w.processes[service] = w.processes[service].again(t)
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Wait() //nolint:errcheck // it was killed
}

// ports are given to the processes of the tests, each once. They are below those that a kernel gives
// to connections by itself, so that none takes one before its process listens there, or while that is
// away.
var ports = struct {
	sync.Mutex
	next int
}{next: firstPort + rand.IntN(lastPort-firstPort)}

const firstPort, lastPort = 16384, 32767

// freeAddr is a loopback address that nobody listens on now, and that no other call gets.
func freeAddr(t *testing.T) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range lastPort - firstPort {
		ports.next++
		if ports.next > lastPort {
			ports.next = firstPort
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next))
		if err != nil {
			continue // somebody else's
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return l.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

// fiveProcesses runs each service in a process of its own, with mutual TLS between them; the
// gateway runs beside Capture.
func fiveProcesses(t *testing.T) *world {
	t.Helper()
	return fiveProcessesOf(t, binary(t), pgtest.New(t).URL())
}

// fiveProcessesOf starts the five processes of a given binary on a database.
func fiveProcessesOf(t *testing.T, path, database string) *world {
	t.Helper()
	dir := t.TempDir()
	certs := certificates(t, dir)
	tokens, file := tokensFile(t, dir)
	w := &world{logs: &buffer{}, db: database, ca: filepath.Join(certs, "ca.pem"), token: tokens, processes: map[string]*process{}}
	mesh := map[string]string{}
	services := []string{"scoring", "feedback", "identity", "routing", "capture"}
	for _, s := range services {
		mesh[s] = freeAddr(t)
	}
	httpAddr := freeAddr(t)
	w.addr = freeAddr(t)
	routingAddr := freeAddr(t)
	grpcOf := map[string]string{"capture": w.addr, "routing": routingAddr}
	for _, s := range services {
		args := []string{"serve", "--database-url", w.db, "--data", filepath.Join(dir, s), "--sample", "--only", s, "--mesh", mesh[s],
			"--mesh-cert", filepath.Join(certs, s+".pem"), "--mesh-key", filepath.Join(certs, s+".key"), "--mesh-ca", filepath.Join(certs, "ca.pem"),
			"--allow-private-webhooks", "--grpc", freeAddr(t), "--http", httpAddr,
			"--tls-cert", filepath.Join(certs, "public.pem"), "--tls-key", filepath.Join(certs, "public.key"), "--tokens", file}
		if s == "capture" {
			args = append(args, "--only", "gateway")
			args[indexOf(args, "--mesh-cert")+1] = filepath.Join(certs, "front.pem")
			args[indexOf(args, "--mesh-key")+1] = filepath.Join(certs, "front.key")
		}
		if a := grpcOf[s]; a != "" {
			args[indexOf(args, "--grpc")+1] = a
		}
		for peer, addr := range mesh {
			if peer != s {
				args = append(args, "--peer", peer+"="+addr)
			}
		}
		w.processes[s] = spawnBinary(t, path, args...)
	}
	w.base = "https://" + httpAddr
	w.trust(t)
	w.routingConn = w.dial(t, routingAddr, w.creds)
	w.awaitHealthy(t)
	return w
}

func indexOf(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}
