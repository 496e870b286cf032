package product

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is the private Postgres of a home, as its last process ran.
type Server struct {
	PID       int
	Data      string   // the cluster's folder
	SocketDir string   // where its socket is
	bin       string   // folder of its programs
	args      []string // it was started with, without the data folder
	uid, gid  uint32
	home      *Home
}

// ServerOf finds the running server behind a database URL of a home.
func ServerOf(databaseURL string, h *Home) (*Server, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return nil, err
	}
	s := &Server{home: h, SocketDir: u.Query().Get("host"), Data: h.path("data", "postgres")}
	if raw, err := os.ReadFile(h.path("data", "postgres.location")); err == nil {
		s.Data, _, _ = strings.Cut(string(raw), "\n")
	}
	if !filepath.IsAbs(s.SocketDir) {
		return nil, errors.New("the database's address names no folder for its socket")
	}
	raw, err := os.ReadFile(filepath.Join(s.Data, "postmaster.pid"))
	if err != nil {
		return s, nil // it does not run
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return nil, fmt.Errorf("the cluster's lock file names no process: %w", err)
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return s, nil
	}
	args := strings.Split(strings.TrimRight(string(command), "\x00"), "\x00")
	i := slices.Index(args, s.Data)
	if i < 1 {
		return s, nil // another process has the number now
	}
	s.PID, s.bin, s.args = pid, filepath.Dir(args[0]), slices.Delete(args[1:], i-2, i)
	info, err := os.Stat(s.Data)
	if err != nil {
		return nil, err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		s.uid, s.gid = owner.Uid, owner.Gid
	}
	return s, nil
}

// kill ends the server at once, if it runs.
func (s *Server) kill() error {
	if s.PID == 0 {
		return nil
	}
	if err := syscall.Kill(s.PID, syscall.SIGQUIT); err != nil {
		if errors.Is(err, syscall.ESRCH) {
			return nil
		}
		return err
	}
	for range 500 {
		if errors.Is(syscall.Kill(s.PID, 0), syscall.ESRCH) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the server does not end")
}

// StartAlone starts the stopped server by pg_ctl, with the arguments it had, and returns how long
// that took until it accepted connections.
func (s *Server) StartAlone(ctx context.Context) (time.Duration, error) {
	var options strings.Builder
	for _, a := range s.args {
		fmt.Fprintf(&options, "'%s' ", a)
	}
	// The product takes the socket's folder away when it stops.
	if err := os.MkdirAll(s.SocketDir, 0o700); err != nil {
		return 0, err
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(s.SocketDir, int(s.uid), int(s.gid)); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	err := s.control(ctx, "start", "-w", "-o", options.String(), "-l", filepath.Join(s.Data, "log", "alone"))
	took := time.Since(begin)
	if err != nil {
		err = fmt.Errorf("%w: %s", err, s.home.lastWords())
	}
	return took, err
}

// StopAlone stops the server that StartAlone started.
func (s *Server) StopAlone(ctx context.Context) error {
	return s.control(context.WithoutCancel(ctx), "stop", "-w", "-m", "fast")
}

func (s *Server) control(ctx context.Context, verb string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "pg_ctl"), append([]string{verb, "-s", "-D", s.Data}, args...)...)
	cmd.Dir, cmd.Env = "/", []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: s.uid, Gid: s.gid}}
	}
	// A file, since the server keeps what it is given open.
	said, err := os.CreateTemp("", "leadmesh-table-pg-ctl-")
	if err != nil {
		return err
	}
	defer os.Remove(said.Name())
	cmd.Stdout, cmd.Stderr = said, said
	err = errors.Join(cmd.Run(), said.Close())
	if err != nil {
		words, _ := os.ReadFile(said.Name()) // the error is told either way
		return fmt.Errorf("pg_ctl %s: %w: %s", verb, err, words)
	}
	return nil
}
