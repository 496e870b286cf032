package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// Limits of a migration on a database that others work on.
const (
	// A migration that waits for a table's lock makes everybody wait who comes
	// after it, readers too. So it waits briefly, lets them pass, and tries
	// again: no writer stands still for longer than this on its account.
	migrateLockTimeout = 500 * time.Millisecond
	// For how long it tries. Who holds a table for longer than that is no
	// transaction of leadmesh, whose own are ended after half a minute.
	migratePatience = 5 * time.Minute
	// Between tries those who waited get through.
	migratePause = time.Second
	// What is done outside a transaction, such as building an index
	// CONCURRENTLY, stands in nobody's way while it waits for transactions
	// that are older.
	concurrentLockTimeout = 15 * time.Minute
)

// noTransaction is goose's mark of a file whose statements each stand alone.
var noTransaction = []byte("-- +goose NO TRANSACTION")

// up applies the outstanding migrations of a module one by one, each over a
// session of its own with the limits that fit it.
func (m Module) up(ctx context.Context, cfg *pgx.ConnConfig, log *slog.Logger) error {
	for {
		next, err := m.next(ctx, cfg)
		if err != nil || next == "" {
			return err
		}
		alone, err := m.outsideTransaction(next)
		if err != nil {
			return err
		}
		started := time.Now()
		err = patiently(ctx, log, m.Service+"/"+next, func() error { return m.step(ctx, cfg, alone) })
		if err != nil {
			return fmt.Errorf("%s: %w", next, err)
		}
		log.InfoContext(ctx, "migration applied", "service", m.Service, "migration", next,
			"took_ms", float64(time.Since(started).Microseconds())/1000)
	}
}

// patiently runs a migration again while it fails for want of a lock.
func patiently(ctx context.Context, log *slog.Logger, what string, migration func() error) error {
	deadline := time.Now().Add(migratePatience)
	for {
		err := migration()
		if !hasCode(err, codeLockNotAvailable, codeDeadlockDetected) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("a session has held the table for %s: find it in pg_stat_activity (state idle in transaction, or a long query), end it with pg_terminate_backend, and start again: %w",
				migratePatience, err)
		}
		log.WarnContext(ctx, "migration waits for a table that others use; letting them pass and trying again", "migration", what)
		if waitErr := wait(ctx, migratePause); waitErr != nil {
			return errors.Join(waitErr, err)
		}
	}
}

// next is the file of the first outstanding migration; "" if there is none.
func (m Module) next(ctx context.Context, cfg *pgx.ConnConfig) (name string, err error) {
	err = m.session(cfg, migrateLockTimeout, func(db *sql.DB) error {
		provider, err := m.provider(db)
		if err != nil {
			return err
		}
		states, err := provider.Status(ctx)
		if err != nil {
			return err
		}
		for _, s := range states {
			if s.State == goose.StatePending {
				name = path.Base(s.Source.Path)
				return nil
			}
		}
		return nil
	})
	return name, err
}

// step applies the first outstanding migration.
func (m Module) step(ctx context.Context, cfg *pgx.ConnConfig, alone bool) error {
	limit := migrateLockTimeout
	if alone {
		limit = concurrentLockTimeout
	}
	return m.session(cfg, limit, func(db *sql.DB) error {
		if alone {
			if err := m.dropInvalidIndexes(ctx, db); err != nil {
				return err
			}
		}
		provider, err := m.provider(db)
		if err != nil {
			return err
		}
		_, err = provider.UpByOne(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			return partial.Err
		}
		return err
	})
}

// dropInvalidIndexes removes what an interrupted CREATE INDEX CONCURRENTLY
// left behind: an index that no query uses, that every write maintains, and
// that CREATE INDEX ... IF NOT EXISTS would take for the one wanted. Those of
// an operator's REINDEX under way are left alone.
func (m Module) dropInvalidIndexes(ctx context.Context, db *sql.DB) error {
	const query = `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE c.relnamespace = $1::regnamespace AND NOT i.indisvalid AND c.relname !~ '_cc(new|old)[0-9]*$'`
	rows, err := db.QueryContext(ctx, query, m.Service)
	if err != nil {
		return fmt.Errorf("look for invalid indexes: %w", err)
	}
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return errors.Join(fmt.Errorf("look for invalid indexes: %w", err), rows.Close())
		}
		names = append(names, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("look for invalid indexes: %w", err)
	}
	for _, name := range names {
		if _, err := db.ExecContext(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+pgx.Identifier{m.Service, name}.Sanitize()); err != nil {
			return fmt.Errorf("drop invalid index %s: %w", name, err)
		}
	}
	return nil
}

// session opens the database as the module's service with a limit on waiting
// for locks.
func (m Module) session(cfg *pgx.ConnConfig, lockLimit time.Duration, work func(*sql.DB) error) (err error) {
	prologue := fmt.Sprintf("SET ROLE %s; SET search_path = %s, pg_temp; SET statement_timeout = 0; SET lock_timeout = %d",
		ServiceRole(m.Service), m.Service, lockLimit.Milliseconds())
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.PgConn().Exec(ctx, prologue).ReadAll()
		return err
	}))
	defer func() { err = errors.Join(err, db.Close()) }()
	return work(db)
}

// provider has no lock of goose's: Migrate's lock covers the roles, schemas
// and companions as well. Two branches may have numbered their migrations at
// the same time, so a lower number may arrive later: since migrations only
// add, the order of two that do not know each other does not matter.
func (m Module) provider(db *sql.DB) (*goose.Provider, error) {
	files, err := m.files()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(m.Service+"."+goose.DefaultTablename),
		goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true),
		goose.WithLogger(goose.NopLogger()),
	)
}

func (m Module) outsideTransaction(name string) (bool, error) {
	files, err := m.files()
	if err != nil {
		return false, err
	}
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return false, err
	}
	return bytes.Contains(text, noTransaction), nil
}

func (m Module) files() (fs.FS, error) {
	if m.Dir == "" {
		return m.FS, nil
	}
	return fs.Sub(m.FS, m.Dir)
}
