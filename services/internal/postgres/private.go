package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The superuser and the database of a private server.
const (
	privateUser     = "leadmesh"
	privateDatabase = "leadmesh"
)

const (
	pollInterval         = 10 * time.Millisecond
	progressInterval     = 5 * time.Second
	defaultStopLimit     = 20 * time.Second
	immediateLimit       = 5 * time.Second
	killLimit            = 2 * time.Second
	sharedMemoryLimit    = 30 * time.Second
	defaultServerAccount = "postgres"
	defaultFallbackDir   = "/var/lib/leadmesh"
)

// PrivateConfig says where a private server keeps its data and how it runs.
type PrivateConfig struct {
	// DataDir is the folder of the installation; it is made if absent. The
	// cluster lies in its subfolder postgres, or, when leadmesh runs as root
	// and the server's account cannot reach DataDir, in a folder below
	// FallbackDir that the file postgres.location in DataDir names.
	DataDir string
	// BinDir is the folder of initdb and postgres; empty means search.
	BinDir string
	// Account is the account the server runs as when leadmesh runs as root;
	// empty means postgres. An existing cluster runs as its folder's owner.
	Account string
	// FallbackDir is described at DataDir; empty means /var/lib/leadmesh.
	FallbackDir string
	// Settings are server settings that win over the built-in ones.
	Settings map[string]string
	// NoSync skips writing a new cluster through to the disk; for tests.
	NoSync bool
	// StopLimit bounds the orderly part of Stop; 0 means 20 seconds.
	StopLimit time.Duration
	// Logger hears of starts, adoptions and stops; nil means nobody does.
	Logger *slog.Logger
}

// Private is a running private server. Its methods may be called from several
// goroutines.
type Private struct {
	server  server
	lock    *os.File
	pid     int
	adopted bool
	exited  chan struct{}
	limit   time.Duration
	log     *slog.Logger

	mu       sync.Mutex
	finished bool
	unwatch  context.CancelFunc
}

// StartPrivate starts the private server of cfg.DataDir, or adopts the one a
// killed leadmesh left running there, and returns when it answers: after about
// 0.2 s for an existing cluster, about 1.5 s for a new one, and as long as
// recovery takes after a crash. ctx bounds the start and not the server's life;
// a server not yet answering when ctx ends is stopped. A second start on the
// same data directory fails with a *[LockedError].
//
// The server is a session of its own, so an interrupt typed at the terminal
// reaches leadmesh alone, which stops it in good order with Stop.
func StartPrivate(ctx context.Context, cfg PrivateConfig) (*Private, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	lock, err := lockDataDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	p, err := startLocked(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	p.lock = lock
	cfg.Logger.InfoContext(ctx, "private postgres runs", "pid", p.pid, "adopted", p.adopted, "data", p.server.pgdata)
	return p, nil
}

func (cfg PrivateConfig) complete() (PrivateConfig, error) {
	if cfg.DataDir == "" {
		return cfg, errors.New("private postgres: no data directory given")
	}
	abs, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return cfg, fmt.Errorf("data directory: %w", err)
	}
	// The server's account must be able to pass; what is secret inside has
	// its own rights.
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o755
	}
	if err := os.MkdirAll(abs, mode); err != nil {
		return cfg, fmt.Errorf("data directory: %w", err)
	}
	// One folder, one name: the lock, the socket and the check that a running
	// server is ours all go by it.
	if cfg.DataDir, err = filepath.EvalSymlinks(abs); err != nil {
		return cfg, fmt.Errorf("data directory: %w", err)
	}
	if cfg.Account == "" {
		cfg.Account = defaultServerAccount
	}
	if cfg.FallbackDir == "" {
		cfg.FallbackDir = defaultFallbackDir
	}
	if cfg.StopLimit <= 0 {
		cfg.StopLimit = defaultStopLimit
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg, nil
}

func startLocked(ctx context.Context, cfg PrivateConfig) (*Private, error) {
	s, err := prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p := &Private{server: s, exited: make(chan struct{}), limit: cfg.StopLimit, log: cfg.Logger}
	child, err := p.launch(ctx, cfg)
	if err != nil {
		return nil, err
	}
	watchCtx, unwatch := context.WithCancel(context.Background())
	p.unwatch = unwatch
	if child == nil {
		go p.watchAdopted(watchCtx)
	} else {
		go p.watchChild(child)
	}
	if err := ensureDatabase(ctx, s); err != nil {
		return nil, errors.Join(err, p.Stop(context.WithoutCancel(ctx)))
	}
	return p, nil
}

// launch adopts the live server of the cluster or spawns one, and returns the
// child's end when it spawned.
func (p *Private) launch(ctx context.Context, cfg PrivateConfig) (*child, error) {
	memoryDeadline := time.Now().Add(sharedMemoryLimit)
	for {
		if pid, ok := p.server.postmaster(); ok {
			err := p.server.await(ctx, p.log, func() bool { return p.server.alive(pid) })
			if err == nil {
				p.pid, p.adopted = pid, true
				return nil, nil
			}
			if !errors.Is(err, errServerGone) {
				return nil, fmt.Errorf("adopt running postgres %d: %w", pid, err)
			}
		}
		c, err := p.server.spawn(ctx, cfg)
		if err != nil {
			return nil, err
		}
		err = p.server.await(ctx, p.log, c.running)
		if err == nil {
			p.pid = c.pid
			return c, nil
		}
		if !errors.Is(err, errServerGone) {
			return nil, errors.Join(fmt.Errorf("start postgres: %w", err), c.stopNow())
		}
		// Gone before it answered. Either a server spawned by a leadmesh
		// killed at that moment was faster, or the backends of a killed
		// server have not noticed its death yet, which takes them
		// milliseconds, or it will never run.
		_, other := p.server.postmaster()
		dying := c.sharedMemoryInUse() && time.Now().Before(memoryDeadline)
		if !other && !dying {
			return nil, fmt.Errorf("postgres did not start: %s", c.lastWords())
		}
		if err := wait(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

// URL is the connection string of the database leadmesh for its superuser. It
// holds no secret: who may enter the socket's folder is let in.
func (p *Private) URL() string { return p.server.url(privateDatabase) }

// PID is the process id of the server.
func (p *Private) PID() int { return p.pid }

// Adopted reports whether the server was already running.
func (p *Private) Adopted() bool { return p.adopted }

// Done is closed when the server has ended, by Stop or by itself; not after
// Detach.
func (p *Private) Done() <-chan struct{} { return p.exited }

// Stop shuts the server down: sessions are ended and everything is written
// out; after the limit (or when ctx ends, if sooner) it is stopped at once,
// which loses nothing but makes the next start recover, and said in the error.
// The data directory is free afterwards. Stop may be repeated; after Detach it
// does nothing.
func (p *Private) Stop(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return nil
	}
	p.finished = true
	err := p.shutDown(ctx)
	p.unwatch()
	// Empty after an orderly end; otherwise the next start clears it.
	_ = os.Remove(p.server.socketDir)
	if p.lock != nil {
		err = errors.Join(err, p.lock.Close())
	}
	return err
}

// Detach gives up the data directory and leaves the server running, for the
// next StartPrivate to adopt.
func (p *Private) Detach() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return nil
	}
	p.finished = true
	p.unwatch()
	return p.lock.Close()
}

func (p *Private) shutDown(ctx context.Context) error {
	started := time.Now()
	ordered, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	if p.end(ordered, syscall.SIGINT) {
		p.log.InfoContext(ctx, "private postgres stopped", "pid", p.pid, "took_ms", float64(time.Since(started).Microseconds())/1000)
		return nil
	}
	detached := context.WithoutCancel(ctx)
	immediate, cancel := context.WithTimeout(detached, immediateLimit)
	defer cancel()
	if p.end(immediate, syscall.SIGQUIT) {
		return fmt.Errorf("postgres did not shut down within %s and was stopped at once; its next start recovers",
			time.Since(started).Round(time.Millisecond))
	}
	killed, cancel := context.WithTimeout(detached, killLimit)
	defer cancel()
	if p.end(killed, syscall.SIGKILL) {
		return errors.New("postgres did not react and was killed; its next start recovers")
	}
	return fmt.Errorf("postgres, process %d, cannot be stopped", p.pid)
}

// end signals the server and reports whether it was gone before ctx ended.
func (p *Private) end(ctx context.Context, signal syscall.Signal) bool {
	// An adopted server's number might have passed to another process.
	select {
	case <-p.exited:
		return true
	default:
	}
	if p.adopted && !p.server.alive(p.pid) {
		return true
	}
	if err := syscall.Kill(p.pid, signal); errors.Is(err, syscall.ESRCH) {
		return true
	}
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-p.exited:
			return true
		case <-ctx.Done():
			return false
		case <-ticker.C:
			if p.adopted && !p.server.alive(p.pid) {
				return true
			}
		}
	}
}

func (p *Private) watchChild(c *child) {
	<-c.exited
	close(p.exited)
}

// watchAdopted looks now and then, since only a parent is told of an end.
func (p *Private) watchAdopted(ctx context.Context) {
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for p.server.alive(p.pid) {
		select {
		case <-ctx.Done():
			if !p.server.alive(p.pid) {
				close(p.exited)
			}
			return
		case <-ticker.C:
		}
	}
	close(p.exited)
}

func ensureDatabase(ctx context.Context, s server) (err error) {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", privateDatabase).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+privateDatabase)
	return err
}

// url is the connection string for a database of the server.
func (s server) url(database string) string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.User(privateUser),
		Path:   "/" + database,
		RawQuery: url.Values{
			"host": {s.socketDir},
			"port": {socketPort},
			// Nothing can listen in on a unix socket.
			"sslmode": {"disable"},
		}.Encode(),
	}
	return u.String()
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
