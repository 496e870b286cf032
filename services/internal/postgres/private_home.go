package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	pointerFile = "postgres.location"
	// socketPort only names the socket file; nothing listens on the network.
	socketPort = "5432"
	// maxSocketDir leaves room for the socket's name in the 104 bytes a
	// socket's path may have on macOS (108 on Linux).
	maxSocketDir = 80
)

// prepare finds the cluster of the data directory, makes it if there is none,
// and the folder for its socket.
func prepare(ctx context.Context, cfg PrivateConfig) (server, error) {
	h, err := findHome(ctx, cfg)
	if err != nil {
		return server{}, err
	}
	s := server{pgdata: h.pgdata, startLog: filepath.Join(cfg.DataDir, "postgres-start.log"), account: h.account}
	if !h.exists {
		if err := h.create(ctx, cfg); err != nil {
			return server{}, err
		}
	}
	s.socketDir, err = makeSocketDir(h.pgdata, h.account)
	return s, err
}

// home is where the cluster of a data directory lies.
type home struct {
	pgdata  string
	account *account
	exists  bool
	// pointer is the file in the data directory that leads to a cluster
	// elsewhere, "" if it lies inside.
	pointer string
}

func findHome(ctx context.Context, cfg PrivateConfig) (home, error) {
	inside := filepath.Join(cfg.DataDir, "postgres")
	pointer := filepath.Join(cfg.DataDir, pointerFile)
	raw, err := os.ReadFile(pointer)
	switch {
	case err == nil:
		return followPointer(cfg, pointer, string(raw))
	case !errors.Is(err, os.ErrNotExist):
		return home{}, fmt.Errorf("find cluster: %w", err)
	}
	if _, err := os.Stat(inside); err == nil {
		owner, err := ownerOf(inside)
		return home{pgdata: inside, account: owner, exists: true}, err
	} else if !errors.Is(err, os.ErrNotExist) {
		return home{}, fmt.Errorf("find cluster: %w", err)
	}
	if os.Geteuid() != 0 {
		return home{pgdata: inside}, nil
	}
	acc, err := lookUpAccount(cfg.Account)
	if err != nil {
		return home{}, err
	}
	reachable, err := acc.reaches(ctx, cfg.DataDir, cfg.BinDir)
	if err != nil {
		return home{}, err
	}
	if reachable {
		return home{pgdata: inside, account: acc}, nil
	}
	// The random part keeps a data directory that was deleted and made again
	// from waking the old data.
	sum := sha256.Sum256([]byte(cfg.DataDir))
	dir := filepath.Join(cfg.FallbackDir, hex.EncodeToString(sum[:6])+"-"+strings.ToLower(rand.Text()[:6]))
	h := home{pgdata: filepath.Join(dir, "postgres"), account: acc, pointer: pointer}
	return h, h.writePointer("new")
}

// followPointer reads a pointer file: the folder, then "new" until the cluster
// is complete, "ready" from then on. Without the second word, a cluster that
// was lost could not be told from one never finished, and its place would be
// taken by an empty one without a word.
func followPointer(cfg PrivateConfig, pointer, content string) (home, error) {
	dir, state, _ := strings.Cut(strings.TrimSpace(content), "\n")
	if !filepath.IsAbs(dir) {
		return home{}, fmt.Errorf("%s does not name a folder", pointer)
	}
	h := home{pgdata: dir, pointer: pointer}
	_, err := os.Stat(h.pgdata)
	switch {
	case err == nil:
		h.exists = true
		h.account, err = ownerOf(h.pgdata)
		if err == nil && state != "ready" {
			err = h.writePointer("ready")
		}
		return h, err
	case !errors.Is(err, os.ErrNotExist):
		return home{}, fmt.Errorf("find cluster: %w", err)
	case state == "ready":
		return home{}, fmt.Errorf("%s says that the data is in %s, which is gone: bring it back, or remove %s to begin with an empty database",
			pointer, dir, pointer)
	}
	if os.Geteuid() == 0 {
		h.account, err = lookUpAccount(cfg.Account)
	} else {
		err = nil
	}
	return h, err
}

func (h home) writePointer(state string) error {
	temporary := h.pointer + ".new"
	if err := os.WriteFile(temporary, []byte(h.pgdata+"\n"+state+"\n"), 0o644); err != nil {
		return fmt.Errorf("note the cluster's place: %w", err)
	}
	if err := os.Rename(temporary, h.pointer); err != nil {
		return fmt.Errorf("note the cluster's place: %w", err)
	}
	return syncDir(filepath.Dir(h.pointer))
}

// create makes the cluster beside its place and then moves it there, so that
// a cluster that is in its place is complete. A left-over of an earlier, killed
// attempt is removed; the name is new each time since its initdb may still be
// running.
func (h home) create(ctx context.Context, cfg PrivateConfig) error {
	bin, err := findBinaries(ctx, cfg.BinDir, 0)
	if err != nil {
		return err
	}
	parent := filepath.Dir(h.pgdata)
	mode := os.FileMode(0o700)
	if h.account != nil {
		mode = 0o755
	}
	if err := os.MkdirAll(parent, mode); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	leftovers, err := filepath.Glob(h.pgdata + ".init-*")
	if err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	for _, old := range leftovers {
		if err := os.RemoveAll(old); err != nil {
			cfg.Logger.WarnContext(ctx, "left-over of an unfinished cluster stays", "error", err)
		}
	}
	growing := h.pgdata + ".init-" + strings.ToLower(rand.Text()[:8])
	if err := os.Mkdir(growing, 0o700); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	if err := h.account.own(growing); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	args := []string{
		"-D", growing, "-U", privateUser, "--encoding=UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=reject", "--data-checksums",
	}
	if cfg.NoSync {
		args = append(args, "--no-sync")
	}
	out, err := run(ctx, h.account.command(bin.initdb, args...))
	if err != nil {
		return errors.Join(fmt.Errorf("make cluster: initdb: %w: %s", err, tail(out)), os.RemoveAll(growing))
	}
	if err := os.Rename(growing, h.pgdata); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	if err := syncDir(parent); err != nil {
		return err
	}
	if h.pointer == "" {
		return nil
	}
	return h.writePointer("ready")
}

// makeSocketDir makes the closed folder of the cluster's socket. Its name
// follows from the cluster's place and identity, so that a server left running
// is found again and a cluster made anew in the same place does not meet the
// old one's socket.
func makeSocketDir(pgdata string, acc *account) (string, error) {
	id, err := systemIdentifier(pgdata)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(pgdata+"\x00"), id...))
	base, err := socketBase()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "leadmesh-"+hex.EncodeToString(sum[:6]))
	if err := os.Mkdir(dir, 0o700); err == nil {
		if err := acc.own(dir); err != nil {
			return "", fmt.Errorf("socket folder: %w", err)
		}
	} else if !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	// In a folder anybody may write to, somebody may have been first.
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	want := os.Geteuid()
	if acc != nil {
		want = int(acc.uid)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != want {
		return "", fmt.Errorf("socket folder %s is not a folder of the server's account: remove it", dir)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return "", fmt.Errorf("socket folder: %w", err)
		}
	}
	return dir, nil
}

// socketBase is a folder with a short name that outlives the process: root's
// own /run, the session's runtime folder, or the place for temporary files.
func socketBase() (string, error) {
	candidates := []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"}
	if os.Geteuid() == 0 {
		candidates = []string{"/run", "/var/run", "/tmp"}
	}
	for _, dir := range candidates {
		if !filepath.IsAbs(dir) || len(dir) > maxSocketDir-len("/leadmesh-0123456789ab") {
			continue
		}
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no folder for a socket: none of %s will do", strings.Join(candidates, ", "))
}

// systemIdentifier is the number initdb drew for the cluster, the first eight
// bytes of its control file in every version.
func systemIdentifier(pgdata string) ([]byte, error) {
	const size = 8
	raw, err := os.ReadFile(filepath.Join(pgdata, "global", "pg_control"))
	if err == nil && len(raw) < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no PostgreSQL cluster: %w", pgdata, err)
	}
	return raw[:size], nil
}

// clusterMajor is the major version of PostgreSQL that made the cluster.
func clusterMajor(pgdata string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(pgdata, "PG_VERSION"))
	if err != nil {
		return 0, fmt.Errorf("%s is no PostgreSQL cluster: %w", pgdata, err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0, fmt.Errorf("%s: unreadable version %q", pgdata, raw)
	}
	return major, nil
}

// ownerOf is the account that owns the cluster when this process is root, who
// may act as anybody; nil otherwise.
func ownerOf(pgdata string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	info, err := os.Stat(pgdata)
	if err != nil {
		return nil, fmt.Errorf("find cluster: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("find cluster: the owner of %s cannot be told", pgdata)
	}
	if stat.Uid == 0 {
		return nil, fmt.Errorf("%s belongs to root, as whom PostgreSQL refuses to run: chown -R postgres %s", pgdata, pgdata)
	}
	if found, err := user.LookupId(strconv.Itoa(int(stat.Uid))); err == nil {
		return newAccount(found)
	}
	// An owner without a name, as in a volume of another machine, will do.
	return &account{uid: stat.Uid, gid: stat.Gid}, nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
