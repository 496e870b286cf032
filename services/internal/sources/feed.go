package sources

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// lookEvery is how often a feed looks whether its file has changed.
const lookEvery = 2 * time.Second

// Feed holds a sources file and reads it again when it changes. A file with a mistake is logged, and
// what was read before counts on. Safe for concurrent use.
type Feed struct {
	path    string
	log     *slog.Logger
	current atomic.Pointer[File]
	seen    [sha256.Size]byte
}

// Open reads the file; one with a mistake is an error.
func Open(path string, log *slog.Logger) (*Feed, error) {
	f := &Feed{path: path, log: log, seen: digest(path)}
	now, err := Read(path)
	if err != nil {
		return nil, err
	}
	f.current.Store(now)
	return f, nil
}

// Current is the newest file without a mistake; nil for a nil feed.
func (f *Feed) Current() *File {
	if f == nil {
		return nil
	}
	return f.current.Load()
}

// Run looks for changes until ctx ends. Secrets in files of their own are read again too.
func (f *Feed) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			f.Look()
		}
	}
}

// Look reads the file again if it has changed.
func (f *Feed) Look() {
	now, err := Read(f.path)
	seen := digest(f.path)
	switch {
	case err != nil && seen != f.seen:
		f.log.Error("the sources file has a mistake; what was read before counts on", "cause", err.Error())
	case err == nil:
		if f.current.Store(now); seen != f.seen {
			f.log.Info("the sources file was read again", "sources", len(now.Sources))
		}
	}
	f.seen = seen
}

// digest tells versions of a file apart; zero if it cannot be read.
func digest(path string) [sha256.Size]byte {
	raw, err := os.ReadFile(path)
	if err != nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(raw)
}
