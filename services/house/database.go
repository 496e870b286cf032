package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

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
