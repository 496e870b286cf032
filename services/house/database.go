package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Migrate brings the schemas of every service up to date.
func Migrate(ctx context.Context, databaseURL string) error {
	return postgres.Migrate(ctx, databaseURL, Modules())
}

// Database finds the database that a command is to look at: the one given, that of the house
// that uses the data directory now, or else its private Postgres, started for the command. The
// returned function must be called when done.
func Database(ctx context.Context, databaseURL, data string) (url string, done func() error, err error) {
	if databaseURL != "" {
		return databaseURL, func() error { return nil }, nil
	}
	if data == "" {
		data = DefaultData()
	}
	if _, err := os.Stat(data); err != nil {
		return "", nil, fmt.Errorf("no data in %s: name the data directory with --data, or a database with --database-url", data)
	}
	private, err := postgres.StartPrivate(ctx, postgres.PrivateConfig{DataDir: data, Logger: slog.New(slog.DiscardHandler)})
	var locked *postgres.LockedError
	if errors.As(err, &locked) { // a house runs on it: its database is there already
		raw, err := os.ReadFile(filepath.Join(data, databaseFile))
		if err != nil {
			return "", nil, fmt.Errorf("find the database of the running house: %w", err)
		}
		return strings.TrimSpace(string(raw)), func() error { return nil }, nil
	}
	if err != nil {
		return "", nil, err
	}
	return private.URL(), func() error { return private.Stop(context.WithoutCancel(ctx)) }, nil
}

// startPatience is how long a start waits for a database that does not answer: it may be starting
// too, or recover from a crash.
const startPatience = time.Minute

// patiently does a piece of the start that needs the database, again while that does not answer.
func (h *House) patiently(ctx context.Context, piece func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	wait := 100 * time.Millisecond
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		err := piece()
		if err == nil || !postgres.Unavailable(err) || ctx.Err() != nil {
			return err
		}
		cause, _, _ := strings.Cut(err.Error(), "\n")
		h.tel.Log.WarnContext(ctx, "the database does not answer yet, trying again", "in", wait, "cause", cause)
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return err
		case <-timer.C:
		}
		wait = min(wait*2, 2*time.Second)
	}
}

// keeper keeps the private Postgres of a house up. The services reconnect by themselves: a server
// that was started again answers at the same address.
type keeper struct {
	cfg postgres.PrivateConfig
	url string

	mu     sync.Mutex
	server *postgres.Private
}

func startPrivate(ctx context.Context, cfg postgres.PrivateConfig) (*keeper, error) {
	server, err := postgres.StartPrivate(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &keeper{cfg: cfg, url: server.URL(), server: server}, nil
}

func (k *keeper) current() *postgres.Private {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.server
}

// run starts the server again whenever it ends by itself, until ctx ends.
func (k *keeper) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.current().Done():
		}
		k.cfg.Logger.ErrorContext(ctx, "private postgres ended by itself; starting it again")
		if err := k.restart(ctx); err != nil {
			return err
		}
	}
}

// restart tries until the server runs or ctx ends: what keeps it from starting, such as a full
// disk, may pass.
func (k *keeper) restart(ctx context.Context) error {
	wait := 100 * time.Millisecond
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		err := k.tryRestart(ctx)
		if err == nil || errors.Is(err, errMoved) {
			return err
		}
		if ctx.Err() == nil {
			k.cfg.Logger.ErrorContext(ctx, "private postgres does not start; trying again", "in", wait, "cause", err)
		}
		timer.Reset(wait)
		wait = min(wait*2, 5*time.Second)
	}
}

// errMoved says that a restarted server is not where the services look for it.
var errMoved = errors.New("the private postgres came back at another address; start leadmesh again")

func (k *keeper) tryRestart(ctx context.Context) error {
	// Frees the data directory for the new server.
	if err := k.current().Stop(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	server, err := postgres.StartPrivate(ctx, k.cfg)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.server = server
	if server.URL() != k.url {
		return errMoved
	}
	return nil
}

// stop ends the server; run has ended.
func (k *keeper) stop(ctx context.Context) error { return k.current().Stop(ctx) }
