package rpc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// recheck is how often the files are read. They are small, and their content says for certain
// whether they changed: the time of a change does not where a mounted secret is swapped.
const recheck = 2 * time.Second

// Reloader reads certificates and tokens and takes up their files when they change, while the
// process runs. A new file that cannot be used leaves what was read before in force. Safe for
// concurrent use.
type Reloader struct {
	log   *slog.Logger
	mu    sync.Mutex
	files []*watched
}

// watched is one thing read from files that change together.
type watched struct {
	what  string
	paths []string
	use   func(contents [][]byte) error // takes the contents up whole, or not at all

	used, seen [sha256.Size]byte // digests of the contents in force, and of those looked at last
	told       bool              // that what was seen last cannot be used
	stale      error
}

// NewReloader makes a reloader of no files yet.
func NewReloader(log *slog.Logger) *Reloader { return &Reloader{log: log} }

// Tokens reads a tokens file as [ReadTokens] does and follows it.
func (r *Reloader) Tokens(path string) (*Tokens, error) {
	t := &Tokens{}
	return t, r.follow("tokens", []string{path}, func(contents [][]byte) error { return t.use(contents[0]) })
}

// Certificates reads certificates as [ReadCertificates] does and follows them; what names them in
// the log.
func (r *Reloader) Certificates(what, certFile, keyFile, caFile string) (*Certificates, error) {
	c := &Certificates{}
	paths := []string{certFile, keyFile}
	if caFile != "" {
		paths = append(paths, caFile)
	}
	return c, r.follow(what, paths, c.use)
}

// Follow reads a file and hands its content to use, now and whenever it changes; use takes it up
// whole or says why it cannot. What names the file in the log.
func (r *Reloader) Follow(what, path string, use func(content []byte) error) error {
	return r.follow(what, []string{path}, func(contents [][]byte) error { return use(contents[0]) })
}

// Run follows the files until ctx ends.
func (r *Reloader) Run(ctx context.Context) error {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			r.check(ctx)
		}
	}
}

// Stale says, by what is followed, which files on disk are not in force and why.
func (r *Reloader) Stale() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]error{}
	for _, w := range r.files {
		if w.told {
			out[w.what] = w.stale
		}
	}
	return out
}

// Names are what is followed.
func (r *Reloader) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, w := range r.files {
		names = append(names, w.what)
	}
	return names
}

func (r *Reloader) follow(what string, paths []string, use func([][]byte) error) error {
	w := &watched{what: what, paths: paths, use: use}
	contents, digest, err := w.read()
	if err != nil {
		return err
	}
	if err := use(contents); err != nil {
		return err
	}
	w.used, w.seen = digest, digest
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = append(r.files, w)
	return nil
}

func (r *Reloader) check(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.files {
		changed, complain := w.check()
		switch {
		case changed:
			r.log.InfoContext(ctx, "changed files taken up", "what", w.what, "files", w.paths)
		case complain:
			r.log.ErrorContext(ctx, "changed files cannot be used; what was read before stays in force: mend them, no restart is needed",
				"what", w.what, "files", w.paths, "cause", w.stale)
		}
	}
}

// check takes the files up if they changed. It complains only about what it has seen twice: a pair
// of files is written one after the other.
func (w *watched) check() (changed, complain bool) {
	contents, digest, err := w.read()
	switch {
	case err != nil:
		w.seen = [sha256.Size]byte{}
	case digest == w.used:
		w.seen, w.stale, w.told = digest, nil, false
		return false, false
	case digest == w.seen:
		err = w.stale // it could not be used then, nor can it now
	default:
		w.seen = digest
		if err = w.use(contents); err == nil {
			w.used, w.stale, w.told = digest, nil, false
			return true, false
		}
	}
	again := w.stale != nil && w.stale.Error() == err.Error()
	w.stale = err
	complain = again && !w.told
	w.told = again
	return false, complain
}

func (w *watched) read() (contents [][]byte, digest [sha256.Size]byte, err error) {
	for _, path := range w.paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, digest, fmt.Errorf("read the %s: %w", w.what, err)
		}
		contents = append(contents, raw)
	}
	sum := sha256.New()
	for _, raw := range contents {
		part := sha256.Sum256(raw)
		sum.Write(part[:])
	}
	return contents, [sha256.Size]byte(sum.Sum(nil)), nil
}
