// Package product runs the leadmesh binary as a process of its own, with a private Postgres in a
// folder that goes when it is closed.
package product

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// Home is a folder with an installation of the product, which may be started and stopped.
type Home struct {
	Binary string
	Dir    string
	Flags  []string // further ones for serve
	Env    []string // NAME=VALUE for what is started, beside the caller's own
}

// NewHome makes a folder below the one for temporary files and certificates in it. Close removes it.
func NewHome(ctx context.Context, binary string) (*Home, error) {
	dir, err := os.MkdirTemp("", "leadmesh-table-")
	if err != nil {
		return nil, err
	}
	h := &Home{Binary: binary, Dir: dir}
	// As root, the server's account must be able to enter.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	certs := exec.CommandContext(ctx, binary, "certs", "--dir", h.path("certs"))
	certs.Env = environment()
	if out, err := certs.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("make certificates: %w: %s", err, out), h.Close())
	}
	return h, nil
}

func (h *Home) path(parts ...string) string {
	return filepath.Join(append([]string{h.Dir}, parts...)...)
}

// environment is the caller's without what would configure the product or another database.
func environment() []string {
	var out []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LEADMESH") && !strings.HasPrefix(v, "OTEL_") && !strings.HasPrefix(v, "PG") {
			out = append(out, v)
		}
	}
	return out
}

// Close ends a server that a killed product left behind and removes everything.
func (h *Home) Close() error {
	var errs []error
	if url, err := os.ReadFile(h.path("data", "database.url")); err == nil {
		if s, err := ServerOf(strings.TrimSpace(string(url)), h); err == nil {
			errs = append(errs, s.kill(), os.RemoveAll(s.SocketDir))
		}
	}
	if raw, err := os.ReadFile(h.path("data", "postgres.location")); err == nil {
		place, _, _ := strings.Cut(string(raw), "\n")
		if filepath.IsAbs(place) && filepath.Base(place) == "postgres" {
			errs = append(errs, os.RemoveAll(filepath.Dir(place)))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(h.Dir))...)
}

// Process is the product running.
type Process struct {
	HTTP, GRPC, Mesh string // addresses
	DatabaseURL      string
	PID              int
	Healthy          time.Duration // from its start until /healthz said so

	home  *Home
	ended chan struct{}
	err   error
}

// Start runs the product and waits until it is healthy.
func (h *Home) Start(ctx context.Context) (*Process, error) {
	args := []string{"serve", "--data", h.path("data"), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--log-level", "warn", "--sample"}
	begin := time.Now()
	p, err := h.launch(ctx, h.Binary, append(append(args, h.meshFlags()...), h.Flags...))
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, begin); err != nil {
		return nil, errors.Join(err, p.Stop(), fmt.Errorf("it said: %s", h.lastWords()))
	}
	url, err := os.ReadFile(h.path("data", "database.url"))
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	p.DatabaseURL = strings.TrimSpace(string(url))
	return p, nil
}

// StartEcho runs the program that answers every request of the Decide stream with the one in the
// file, behind the listener that Routing has between processes.
func (h *Home) StartEcho(ctx context.Context, binary string, answer []byte) (*Process, error) {
	file := h.path("answer.binpb")
	if err := os.WriteFile(file, answer, 0o600); err != nil {
		return nil, err
	}
	return h.launch(ctx, binary, append(h.meshFlags(), "--answer", file, "--trace-ratio", "0.01"))
}

func (h *Home) meshFlags() []string {
	return []string{
		"--mesh", "127.0.0.1:0", "--mesh-cert", h.path("certs", "routing.pem"), "--mesh-key", h.path("certs", "routing.key"), "--mesh-ca", h.path("certs", "ca.pem"),
	}
}

// launch starts a program and waits until it has said where it listens.
func (h *Home) launch(ctx context.Context, binary string, args []string) (*Process, error) {
	log, err := os.Create(h.path(filepath.Base(binary) + ".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(environment(), h.Env...), in, log
	// An interrupt at the terminal is for the measuring process, which stops the product in order.
	// Should that process be killed, the system tells the product to stop.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p := &Process{home: h, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the signal comes when the thread that started it ends
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	err = <-started
	_ = in.Close() // the child has its own
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", filepath.Base(binary), err), out.Close())
	}
	p.PID = cmd.Process.Pid
	if err := p.listens(ctx, out); err != nil {
		return nil, errors.Join(err, p.Stop(), fmt.Errorf("it said: %s", h.lastWords()))
	}
	return p, nil
}

// listens reads the addresses that a program prints.
func (p *Process) listens(ctx context.Context, out *os.File) error {
	announced := make(chan struct{})
	go func() {
		defer out.Close()
		var once sync.Once
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			switch f := strings.Fields(lines.Text()); {
			case len(f) < 2:
			case f[0] == "health":
				p.HTTP = strings.TrimSuffix(strings.TrimPrefix(f[1], "http://"), "/healthz")
			case f[0] == "gRPC":
				p.GRPC = f[1]
			case f[0] == "mesh":
				p.Mesh = f[1]
				once.Do(func() { close(announced) })
			}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-announced:
		return nil
	case <-p.ended:
		return errors.New("it ended")
	case <-ctx.Done():
		return fmt.Errorf("it did not say where it listens: %w", ctx.Err())
	}
}

// patience is how long a start may take on a busy machine.
const patience = 2 * time.Minute

// await asks for the product's health until it is well.
func (p *Process) await(ctx context.Context, begin time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if p.healthy(ctx) {
			p.Healthy = time.Since(begin)
			return nil
		}
		select {
		case <-p.ended:
			return errors.New("the product ended")
		case <-ctx.Done():
			return fmt.Errorf("the product did not become healthy: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

func (p *Process) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.HTTP+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close()) == nil && resp.StatusCode == http.StatusOK
}

// lastWords are the last lines of the product's log and of its server's errors.
func (h *Home) lastWords() string {
	files, err := filepath.Glob(h.path("data", "postgres", "log", "*.log"))
	if err != nil {
		return err.Error()
	}
	own, err := filepath.Glob(h.path("*.log"))
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, file := range append(files, own...) {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err.Error()
		}
		var lines []string
		for line := range strings.Lines(string(raw)) {
			if filepath.Dir(file) == h.Dir && !strings.Contains(line, `"/healthz"`) || strings.Contains(line, "ERROR: ") || strings.Contains(line, "FATAL: ") || strings.Contains(line, "STATEMENT: ") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		out = append(out, lines[max(0, len(lines)-6):]...)
	}
	return strings.Join(out, "\n")
}

// LastWords is the end of what the product logged.
func (p *Process) LastWords() string { return p.home.lastWords() }

// Stop ends the product in order and, if that takes too long, at once. Stopping twice is harmless.
func (p *Process) Stop() error {
	const limit = 40 * time.Second
	if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	select {
	case <-p.ended:
		return p.err
	case <-time.After(limit):
		err := syscall.Kill(p.PID, syscall.SIGKILL)
		<-p.ended
		return errors.Join(fmt.Errorf("the product did not stop within %s", limit), err)
	}
}

// Dial connects to the public gRPC listener.
func (p *Process) Dial() (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+p.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)))
}

// DialAs connects to the listener between processes with the certificate of a service.
func (p *Process) DialAs(service string) (*grpc.ClientConn, error) {
	pair, err := tls.LoadX509KeyPair(p.home.path("certs", service+".pem"), p.home.path("certs", service+".key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(p.home.path("certs", "ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the authority's file holds no certificate")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: "routing.leadmesh.internal"}
	return grpc.NewClient("passthrough:///"+p.Mesh, grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithStreamInterceptor(func(ctx context.Context, d *grpc.StreamDesc, c *grpc.ClientConn, method string, next grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
			return next(metadata.AppendToOutgoingContext(ctx, "leadmesh-peer", service), d, c, method, o...)
		}),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, resp any, c *grpc.ClientConn, next grpc.UnaryInvoker, o ...grpc.CallOption) error {
			return next(metadata.AppendToOutgoingContext(ctx, "leadmesh-peer", service), method, req, resp, c, o...)
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)))
}
