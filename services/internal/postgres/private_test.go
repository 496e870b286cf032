package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

const startLimit = time.Minute

func privateConfig(t testing.TB, dir string) postgres.PrivateConfig {
	t.Helper()
	return postgres.PrivateConfig{
		DataDir: dir, NoSync: true,
		Settings: map[string]string{"shared_buffers": "32MB"},
	}
}

// start starts the private server and stops it when the test ends.
func start(t *testing.T, cfg postgres.PrivateConfig) *postgres.Private {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	p, err := postgres.StartPrivate(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		// Killed servers leave their socket behind.
		if err := os.RemoveAll(socketDir(t, p)); err != nil {
			t.Error(err)
		}
	})
	return p
}

func socketDir(t *testing.T, p *postgres.Private) string {
	t.Helper()
	u, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("host")
}

func stop(t *testing.T, p *postgres.Private) {
	t.Helper()
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func killServer(t *testing.T, p *postgres.Private) {
	t.Helper()
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitDone(t, p)
}

func awaitDone(t *testing.T, p *postgres.Private) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(startLimit):
		t.Fatal("the server did not end")
	}
}

func write(t *testing.T, u string, n int) {
	t.Helper()
	conn := connOnce(t, u)
	defer closeConn(t, conn)
	if _, err := conn.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS kept (n int)"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "INSERT INTO kept VALUES ($1)", n); err != nil {
		t.Fatal(err)
	}
}

func wantRows(t *testing.T, u string, want ...int) {
	t.Helper()
	conn := connOnce(t, u)
	defer closeConn(t, conn)
	rows, err := conn.Query(t.Context(), "SELECT n FROM kept ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// connOnce is for servers that are stopped within the test.
func connOnce(t *testing.T, u string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func closeConn(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPrivateKeepsItsDataOverStopAndKill(t *testing.T) {
	cfg := privateConfig(t, openDir(t))
	p := start(t, cfg)
	write(t, p.URL(), 1)
	stop(t, p)
	awaitDone(t, p)
	if err := p.Stop(t.Context()); err != nil {
		t.Errorf("second stop: %v", err)
	}

	p = start(t, cfg)
	if p.Adopted() {
		t.Error("a stopped server was adopted")
	}
	write(t, p.URL(), 2)
	killServer(t, p)
	stop(t, p)

	p = start(t, cfg)
	wantRows(t, p.URL(), 1, 2)
}

func TestPrivateStopEndsOpenSessionsAndTransactions(t *testing.T) {
	p := start(t, privateConfig(t, openDir(t)))
	conn := connOnce(t, p.URL())
	if _, err := conn.Exec(t.Context(), "BEGIN; CREATE TABLE half (n int)"); err != nil {
		t.Fatal(err)
	}
	stop(t, p)
	_, err := conn.Exec(t.Context(), "SELECT 1")
	if !postgres.Unavailable(err) {
		t.Errorf("query after the stop: %v, want it unavailable", err)
	}
	closeErr := conn.Close(t.Context())
	if closeErr != nil && !postgres.Unavailable(closeErr) {
		t.Error(closeErr)
	}
}

func TestPrivateSettings(t *testing.T) {
	p := start(t, postgres.PrivateConfig{DataDir: openDir(t), NoSync: true, Settings: map[string]string{"work_mem": "9MB"}})
	conn := connOnce(t, p.URL())
	defer closeConn(t, conn)
	want := map[string]string{
		"listen_addresses": "", "unix_socket_permissions": "0700",
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
		"wal_level": "replica", "max_connections": "120", "jit": "off", "max_wal_size": "2GB",
		"server_encoding": "UTF8", "lc_collate": "C", "TimeZone": "UTC",
		"log_error_verbosity": "terse", "log_min_error_statement": "panic",
		"work_mem": "9MB",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = scalar[string](t, conn, "SELECT current_setting($1)", name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if got := scalar[string](t, conn, "SELECT current_user || '@' || current_database()"); got != "leadmesh@leadmesh" {
		t.Errorf("logged in as %s", got)
	}
	// Without LZ4 the server's own compression stays.
	const compression = "SELECT setting = CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'on' END FROM pg_settings WHERE name = 'wal_compression'"
	if !scalar[bool](t, conn, compression) {
		t.Errorf("full pages are compressed by %s", scalar[string](t, conn, "SELECT current_setting('wal_compression')"))
	}
	socket := socketDir(t, p)
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 || len(socket) > 80 {
		t.Errorf("socket folder %s has mode %v", socket, info.Mode())
	}
}

func TestPrivateRefusesASecondStart(t *testing.T) {
	cfg := privateConfig(t, openDir(t))
	start(t, cfg)
	_, err := postgres.StartPrivate(t.Context(), cfg)
	var locked *postgres.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("second start: %v, want a LockedError", err)
	}
	if locked.PID != os.Getpid() || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("the error %q does not name process %d", err, os.Getpid())
	}
}

func TestPrivateNamesTheMajorVersionItNeeds(t *testing.T) {
	dir := openDir(t)
	cfg := privateConfig(t, dir)
	stop(t, start(t, cfg))
	if err := os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.StartPrivate(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "written by PostgreSQL 99") {
		t.Errorf("start: %v, want an error naming version 99", err)
	}
}

func TestPrivateNamesWhatIsMissing(t *testing.T) {
	cfg := privateConfig(t, openDir(t))
	cfg.BinDir = t.TempDir()
	_, err := postgres.StartPrivate(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), cfg.BinDir) {
		t.Errorf("start: %v, want an error naming %s", err, cfg.BinDir)
	}
}

func TestPrivateReportsWhyTheServerRefused(t *testing.T) {
	cfg := privateConfig(t, openDir(t))
	cfg.Settings["max_connections"] = "none"
	_, err := postgres.StartPrivate(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("start: %v, want the server's complaint", err)
	}
	delete(cfg.Settings, "max_connections")
	start(t, cfg)
}

func TestPrivateOutOfReachOfItsAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs the server as another account")
	}
	closed := filepath.Join(t.TempDir(), "data") // below a folder of mode 0700
	cfg := privateConfig(t, closed)
	cfg.FallbackDir = openDir(t)
	p := start(t, cfg)
	write(t, p.URL(), 1)
	stop(t, p)
	pointer := filepath.Join(closed, "postgres.location")
	raw, err := os.ReadFile(pointer)
	if err != nil {
		t.Fatal(err)
	}
	place, _, _ := strings.Cut(string(raw), "\n")
	if !strings.HasPrefix(place, cfg.FallbackDir+"/") {
		t.Fatalf("the pointer leads to %s, want a place in %s", place, cfg.FallbackDir)
	}

	p = start(t, cfg)
	wantRows(t, p.URL(), 1)
	stop(t, p)

	// Data that is gone must not be replaced without a word.
	if err := os.Rename(place, place+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.StartPrivate(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), place) {
		t.Errorf("start without the data: %v, want an error naming %s", err, place)
	}
	if err := os.Rename(place+".away", place); err != nil {
		t.Fatal(err)
	}

	// Whoever deletes the data directory wants an empty one.
	if err := os.RemoveAll(closed); err != nil {
		t.Fatal(err)
	}
	p = start(t, cfg)
	conn := connOnce(t, p.URL())
	defer closeConn(t, conn)
	if scalar[bool](t, conn, "SELECT to_regclass('kept') IS NOT NULL") {
		t.Error("the old data came back")
	}
}

func TestPrivateStartIsBoundedByItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg := privateConfig(t, openDir(t))
	if _, err := postgres.StartPrivate(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Fatalf("start: %v, want it cancelled", err)
	}
	start(t, cfg)
}

func BenchmarkStartPrivate(b *testing.B) {
	dir, err := os.MkdirTemp("", "leadmesh-private-")
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	}()
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	cfg := postgres.PrivateConfig{DataDir: dir}
	cycle := func() {
		p, err := postgres.StartPrivate(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	cycle()
	for b.Loop() {
		cycle()
	}
}
