package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// errServerGone says that the process waited for has ended.
var errServerGone = errors.New("the server has ended")

// server is a cluster on disk with everything needed to find, start and reach
// its server.
type server struct {
	pgdata    string
	socketDir string
	startLog  string
	// account owns the cluster; nil means this process's own.
	account *account
}

// postmaster finds the server running on the cluster by the file it leaves
// there, whoever started it.
func (s server) postmaster() (pid int, alive bool) {
	raw, err := os.ReadFile(filepath.Join(s.pgdata, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	pid = readPID(bytes.NewReader(raw))
	return pid, s.alive(pid)
}

// alive reports whether pid is a server of this cluster. That some process has
// the number is not enough: numbers are used again, soon in a container. Its
// arguments are asked for rather than its working directory, which root may
// not read of other accounts' processes in a container. A dead process nobody
// has waited for has no arguments.
func (s server) alive(pid int) bool {
	if pid <= 1 {
		return false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err == nil {
		args := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
		program := filepath.Base(args[0])
		return (program == "postgres" || program == "postmaster") && slices.Contains(args, s.pgdata)
	}
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		return false
	}
	// No /proc, as on macOS.
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres -D "+s.pgdata)
}

// await returns nil when the server answers as the server of this cluster,
// errServerGone when running turns false before, or what ended ctx. Recovery
// after a crash may take minutes, so there is no limit but ctx.
func (s server) await(ctx context.Context, log *slog.Logger, running func() bool) error {
	started := time.Now()
	report := started.Add(progressInterval)
	for {
		err := s.answers(ctx)
		if err == nil {
			return nil
		}
		if !running() {
			return errServerGone
		}
		if now := time.Now(); now.After(report) {
			log.InfoContext(ctx, "waiting for private postgres", "for", now.Sub(started).Round(time.Second), "error", err)
			report = now.Add(progressInterval)
		}
		if waitErr := wait(ctx, pollInterval); waitErr != nil {
			return errors.Join(waitErr, err)
		}
	}
}

func (s server) answers(ctx context.Context) (err error) {
	cfg, err := pgx.ParseConfig(s.url("postgres"))
	if err != nil {
		return err
	}
	cfg.ConnectTimeout = time.Second
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var dir string
	if err := conn.QueryRow(ctx, "SELECT current_setting('data_directory')").Scan(&dir); err != nil {
		return err
	}
	if filepath.Clean(dir) != s.pgdata {
		return fmt.Errorf("the server at %s runs on %s, not on %s", s.socketDir, dir, s.pgdata)
	}
	return nil
}

// child is a server process this process has started.
type child struct {
	cmd    *exec.Cmd
	pid    int
	log    string
	exited chan struct{}
}

// spawn starts a server on the cluster. The caller has made sure that none is
// running and holds the lock on the data directory.
func (s server) spawn(ctx context.Context, cfg PrivateConfig) (*child, error) {
	if err := s.clearTraces(); err != nil {
		return nil, err
	}
	major, err := clusterMajor(s.pgdata)
	if err != nil {
		return nil, err
	}
	bin, err := findBinaries(ctx, cfg.BinDir, major)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(s.startLog, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start log: %w", err)
	}
	args := []string{"-D", s.pgdata, "-k", s.socketDir, "-p", socketPort}
	takes := func(setting string) bool { return s.takes(bin, setting) }
	for _, setting := range serverSettings(cfg.Settings, takes) {
		args = append(args, "-c", setting)
	}
	// Not CommandContext: the server outlives the start's context.
	cmd := s.account.command(bin.postgres, args...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Start()
	if closeErr := out.Close(); err == nil && closeErr != nil {
		err = errors.Join(closeErr, cmd.Process.Kill(), cmd.Wait())
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", bin.postgres, err)
	}
	c := &child{cmd: cmd, pid: cmd.Process.Pid, log: s.startLog, exited: make(chan struct{})}
	go func() {
		// How it ended is in its log; that it ended is what counts.
		_ = cmd.Wait()
		close(c.exited)
	}()
	return c, nil
}

// takes reports whether servers of bin know a setting, name=value. They are asked, not started.
func (s server) takes(bin binaries, setting string) bool {
	name, _, _ := strings.Cut(setting, "=")
	return s.account.command(bin.postgres, "-D", s.pgdata, "-c", setting, "-C", name).Run() == nil
}

// clearTraces removes what a killed server left that would make the next one
// refuse to start. Postgres itself copes with a dead owner of its lock file,
// but not with a live stranger that has got the owner's number.
func (s server) clearTraces() error {
	for _, name := range []string{".s.PGSQL." + socketPort, ".s.PGSQL." + socketPort + ".lock"} {
		if err := os.Remove(filepath.Join(s.socketDir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove socket of a dead server: %w", err)
		}
	}
	if err := s.disownPID(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("lock file of a dead server: %w", err)
	}
	return nil
}

// disownPID takes a live stranger's number out of the cluster's lock file. The
// file stays, since its other lines let the new server see whether backends of
// the dead one still use the shared memory. In the place of the number goes
// our own: a server takes a lock file that names its parent for a stale one.
func (s server) disownPID() (err error) {
	f, err := os.OpenFile(filepath.Join(s.pgdata, "postmaster.pid"), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	pid := readPID(f)
	if pid <= 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(content, []byte("\n"))
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(fmt.Appendf(nil, "%d\n%s", os.Getpid(), rest), 0)
	return err
}

func (c *child) running() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// stopNow ends a server that is of no use.
func (c *child) stopNow() error {
	if err := c.cmd.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.exited:
		return nil
	case <-time.After(immediateLimit):
		return c.cmd.Process.Kill()
	}
}

func (c *child) sharedMemoryInUse() bool {
	return strings.Contains(c.lastWords(), "pre-existing shared memory block")
}

// lastWords is what the server wrote before it had opened its own log.
func (c *child) lastWords() string {
	const most = 2000
	raw, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	text := strings.TrimSpace(string(raw))
	if text == "" {
		return "it said nothing; see the folder log in the cluster's folder"
	}
	return text[max(0, len(text)-most):]
}

// readPID reads the number in the first line of a lock file, 0 if there is
// none.
func readPID(r io.ReaderAt) int {
	buf := make([]byte, 32)
	n, err := r.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0
	}
	return pid
}
