package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Keys of advisory locks in the cluster's maintenance database.
const (
	// usersLock is held shared by every test's session and taken exclusively
	// by the watchman before he stops the cluster.
	usersLock int64 = 0x7067_7465_7374_0001
	// watchmanLock is held by the watchman.
	watchmanLock int64 = 0x7067_7465_7374_0002
	// templateLock is held by who makes a template.
	templateLock int64 = 0x7067_7465_7374_0003
)

const (
	idleLimit    = time.Minute
	pollInterval = 10 * time.Millisecond
)

// cluster is a throwaway cluster that test processes share.
type cluster struct {
	dir string
	// idle is how long the cluster stays up without a test, in whole seconds.
	idle time.Duration
}

func sharedCluster() cluster {
	return cluster{
		dir:  filepath.Join(os.TempDir(), "leadmesh-pgtest-"+strconv.Itoa(os.Geteuid())),
		idle: idleLimit,
	}
}

// connect returns a session in the cluster's maintenance database that keeps
// the cluster up until it is closed or this process dies. It starts the
// cluster if need be.
func (c cluster) connect(ctx context.Context) (conn *pgx.Conn, err error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for {
		u, err := c.ensure(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := c.join(ctx, u)
		// The watchman may stop the cluster between our finding it up and our
		// joining it; then it is started again.
		if err == nil || !postgres.Unavailable(err) {
			return conn, err
		}
		if waitErr := pause(ctx); waitErr != nil {
			return nil, errors.Join(waitErr, err)
		}
	}
}

// lock keeps other test processes from starting the cluster at the same time.
// It is polled, since a blocking flock would not heed ctx.
func (c cluster) lock(ctx context.Context) (unlock func() error, err error) {
	if err := c.ownDir(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(c.dir, "start.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock test cluster: %w", err), f.Close())
		}
		if err := pause(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("wait for another process to start the test cluster: %w", err), f.Close())
		}
	}
}

// ownDir makes the cluster's folder and refuses one that somebody else has
// put in the shared folder for temporary files.
func (c cluster) ownDir() error {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o755 // the server's account has to pass
	}
	if err := os.Mkdir(c.dir, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(c.dir)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to somebody else: set TMPDIR or remove it", c.dir)
	}
	return nil
}

// ensure has the cluster running and returns the connection string of its
// maintenance database.
func (c cluster) ensure(ctx context.Context) (string, error) {
	cfg := postgres.PrivateConfig{
		DataDir: filepath.Join(c.dir, "data"),
		NoSync:  true,
		Settings: map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
			"wal_level":          "minimal",
			"max_wal_senders":    "0",
			"checkpoint_timeout": "1h",
			"shared_buffers":     "128MB",
			"max_connections":    "400",
			"autovacuum":         "off",
			"log_checkpoints":    "off",
		},
	}
	_, statErr := os.Stat(filepath.Join(cfg.DataDir, "postgres", "postmaster.pid"))
	wasUp := statErr == nil
	p, err := postgres.StartPrivate(ctx, cfg)
	if err != nil && (ctx.Err() != nil || errors.As(err, new(*postgres.LockedError))) {
		return "", err
	}
	if err == nil && (p.Adopted() || !wasUp) {
		return p.URL(), p.Detach()
	}
	// It would not start, or had to recover from a crash. Without fsync a
	// crash may leave anything, and nothing in here is worth mending.
	if err == nil {
		if err := p.Stop(ctx); err != nil {
			return "", err
		}
	}
	if wipeErr := os.RemoveAll(cfg.DataDir); wipeErr != nil {
		return "", errors.Join(err, wipeErr)
	}
	if p, err = postgres.StartPrivate(ctx, cfg); err != nil {
		return "", err
	}
	return p.URL(), p.Detach()
}

// join opens a session, enters it as a user of the cluster and sees to it that
// there is a watchman.
func (c cluster) join(ctx context.Context, u string) (_ *pgx.Conn, err error) {
	conn, err := pgx.Connect(ctx, u)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
		}
	}()
	// The watchman holds the lock for a moment each time he looks, and for
	// good when he stops the cluster, which ends this session.
	for {
		var entered bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock_shared($1)", usersLock).Scan(&entered); err != nil {
			return nil, err
		}
		if entered {
			break
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
	var vacant bool
	const query = `SELECT pg_try_advisory_lock($1) AND pg_advisory_unlock($1)`
	if err := conn.QueryRow(ctx, query, watchmanLock).Scan(&vacant); err != nil {
		return nil, err
	}
	if !vacant {
		return conn, nil
	}
	// No watchman: the cluster has just been started, and what databases it
	// has are of test processes long gone, unless somebody ended him.
	others, err := held(ctx, conn, usersLock)
	if err != nil {
		return nil, err
	}
	if !others {
		if err := sweep(ctx, conn); err != nil {
			return nil, err
		}
	}
	return conn, c.postWatchman(ctx, u, conn)
}

// sweep drops the databases of tests that were killed and all templates.
func sweep(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT datname FROM pg_database
		WHERE starts_with(datname, $1) OR starts_with(datname, $2)`, databasePrefix, templatePrefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "ALTER DATABASE "+name+" IS_TEMPLATE false"); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		if _, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

// watchman runs inside the server, in a session whose client has left: the
// server does not look for the client while a statement runs. Each second he
// sees whether any test's session holds the users' lock; when none did for the
// whole idle time he takes the lock, so that nobody enters any more, and tells
// the server to shut down. COMMIT keeps him from holding a snapshot all along.
const watchman = `DO $watchman$
DECLARE
	idle int := 0;
BEGIN
	IF NOT pg_try_advisory_lock(%[1]d) THEN
		RETURN;
	END IF;
	LOOP
		PERFORM pg_sleep(1);
		IF pg_try_advisory_lock(%[2]d) THEN
			idle := idle + 1;
			EXIT WHEN idle >= %[3]d;
			PERFORM pg_advisory_unlock(%[2]d);
		ELSE
			idle := 0;
		END IF;
		COMMIT;
	END LOOP;
	EXECUTE format('COPY (SELECT 1) TO PROGRAM %%L',
		'cat > /dev/null; kill -INT ' || split_part(pg_read_file('postmaster.pid'), E'\n', 1));
END
$watchman$`

// postWatchman starts the watchman and returns when he is at his post.
func (c cluster) postWatchman(ctx context.Context, u string, conn *pgx.Conn) error {
	session, err := pgx.Connect(ctx, u)
	if err != nil {
		return err
	}
	raw, err := session.PgConn().Hijack()
	if err != nil {
		return errors.Join(err, session.Close(context.WithoutCancel(ctx)))
	}
	raw.Frontend.SendQuery(&pgproto3.Query{
		String: fmt.Sprintf(watchman, watchmanLock, usersLock, int(c.idle/time.Second)),
	})
	err = raw.Frontend.Flush()
	for err == nil {
		var posted bool
		posted, err = held(ctx, conn, watchmanLock)
		if posted {
			break
		}
		if err == nil {
			err = pause(ctx)
		}
	}
	// No goodbye, which the server would only read after the statement: the
	// socket is closed under it.
	return errors.Join(err, raw.Conn.Close())
}

// held reports whether another session of the database holds the advisory
// lock.
func held(ctx context.Context, conn *pgx.Conn, key int64) (bool, error) {
	var found bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND objsubid = 1
		AND (classid::bigint << 32 | objid::bigint) = $1
		AND pid <> pg_backend_pid())`, key).Scan(&found)
	return found, err
}

func pause(ctx context.Context) error {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
