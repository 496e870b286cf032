package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// migrateLock is the key of the advisory lock held while migrating; any
// constant does that nobody else uses in the same database.
const migrateLock int64 = 0x6c6d_6967_7261_7465

const (
	lockPollInterval = 25 * time.Millisecond
	companionTimeout = 5 * time.Minute
)

// Module is what one service keeps in the database.
type Module struct {
	// Service names the service, and with it the schema and, prefixed with
	// leadmesh_, the role.
	Service string
	// FS holds goose migrations (00001_name.sql ...) in folder Dir; nil FS
	// means none. Dir "" is the root.
	FS  fs.FS
	Dir string
	// Companion, if set, is migrated after the service's own schema.
	Companion *Companion
}

// Companion is a second schema of a service whose tables a library makes with
// migrations of its own, as a job queue does.
type Companion struct {
	// Schema is the schema's name; the service's role owns it.
	Schema string
	// Version changes whenever what Migrate leaves behind does: the library's
	// version. Test templates are kept by it.
	Version string
	// Migrate brings the schema up to date and is safe to repeat. The pool
	// has the service's role, sees Schema only and is closed afterwards.
	Migrate func(ctx context.Context, pool *pgxpool.Pool) error
}

// Migrate makes the roles and schemas of the modules where they are missing
// and applies their outstanding migrations, upwards only. Migrations run as
// the service's role with its schema as the search path, so that the service
// owns what they create, and everything they create is readable to
// [AuditRole].
//
// ownerURL names a login that may create roles and schemas; where all exist
// already it only needs to be a member of the roles. Migrate may be called at
// every start and by several processes at once: one works, the others wait. A
// migration that fails is rolled back (unless it says otherwise) and those
// before it stay.
//
// Others may go on working on the database meanwhile: see step.go for how long
// a migration may stand in their way.
func Migrate(ctx context.Context, ownerURL string, modules []Module) error {
	return MigrateLogged(ctx, ownerURL, modules, slog.New(slog.DiscardHandler))
}

// MigrateLogged is [Migrate] and tells log of what is applied and waited for.
func MigrateLogged(ctx context.Context, ownerURL string, modules []Module, log *slog.Logger) (err error) {
	for _, m := range modules {
		if err := m.check(); err != nil {
			return err
		}
	}
	cfg, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return fmt.Errorf("read database url: %w", err)
	}
	cfg.ConnectTimeout = connectTimeout
	cfg.RuntimeParams["application_name"] = "leadmesh-migrate"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	// Closing the session also lets go of its lock.
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := lockMigrations(ctx, conn, log); err != nil {
		return err
	}
	if err := ensureRole(ctx, conn, AuditRole); err != nil {
		return err
	}
	for _, m := range modules {
		if err := m.migrate(ctx, conn, ownerURL, log); err != nil {
			return fmt.Errorf("migrate %s: %w", m.Service, err)
		}
	}
	return nil
}

// lockMigrations polls rather than waits for the lock: a session waiting in
// pg_advisory_lock holds a snapshot, and CREATE INDEX CONCURRENTLY in the
// session that has the lock waits for every older snapshot to go.
func lockMigrations(ctx context.Context, conn *pgx.Conn, log *slog.Logger) error {
	ticker := time.NewTicker(lockPollInterval)
	defer ticker.Stop()
	for waited := false; ; waited = true {
		var locked bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", migrateLock).Scan(&locked); err != nil {
			return fmt.Errorf("lock migrations: %w", err)
		}
		if locked {
			return nil
		}
		if !waited {
			log.InfoContext(ctx, "another process migrates this database; waiting for it")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another process is migrating: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

func (m Module) check() error {
	if !validName(m.Service) {
		return fmt.Errorf("%q is no name of a service: lower-case letters, digits and _ only", m.Service)
	}
	if m.Companion != nil && !validName(m.Companion.Schema) {
		return fmt.Errorf("%q is no name of a schema: lower-case letters, digits and _ only", m.Companion.Schema)
	}
	return nil
}

func (m Module) migrate(ctx context.Context, conn *pgx.Conn, ownerURL string, log *slog.Logger) error {
	role := ServiceRole(m.Service)
	if err := ensureRole(ctx, conn, role); err != nil {
		return err
	}
	if err := ensureSchema(ctx, conn, m.Service, role); err != nil {
		return err
	}
	if m.FS != nil {
		if err := m.up(ctx, conn.Config(), log); err != nil {
			return err
		}
	}
	if m.Companion == nil {
		return nil
	}
	if err := ensureSchema(ctx, conn, m.Companion.Schema, role); err != nil {
		return err
	}
	pool, err := Open(ctx, PoolConfig{
		URL: ownerURL, Role: role, Schema: m.Companion.Schema,
		MaxConns: 2, StatementTimeout: companionTimeout,
	})
	if err != nil {
		return err
	}
	defer pool.Close()
	err = patiently(ctx, log, "schema "+m.Companion.Schema, func() error { return m.Companion.Migrate(ctx, pool) })
	if err != nil {
		return fmt.Errorf("schema %s: %w", m.Companion.Schema, err)
	}
	return nil
}

// ensureRole makes a role without login and lets the current user take it.
// Roles belong to the whole server while the lock belongs to the database, so
// another database's migration may be making the same role right now.
func ensureRole(ctx context.Context, conn *pgx.Conn, role string) error {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		return fmt.Errorf("look up role %s: %w", role, err)
	}
	if !exists {
		_, err := conn.Exec(ctx, "CREATE ROLE "+role+" NOLOGIN")
		if err != nil && !hasCode(err, codeDuplicateObject, codeUniqueViolation) {
			return fmt.Errorf("create role %s: %w", role, err)
		}
	}
	for attempt := 1; ; attempt++ {
		err := ensureMember(ctx, conn, role)
		if err == nil {
			return nil
		}
		if !concurrentGrant(err) || attempt == maxTxAttempts || !pause(ctx, attempt) {
			return fmt.Errorf("grant role %s: %w", role, err)
		}
	}
}

func ensureMember(ctx context.Context, conn *pgx.Conn, role string) error {
	// From PostgreSQL 16 on, who creates a role becomes a member that may
	// administer it but not SET ROLE to it; before, there was no such right.
	const query = `SELECT CASE WHEN current_setting('server_version_num')::int >= 160000
		THEN pg_has_role(current_user, $1::name, 'SET')
		ELSE pg_has_role(current_user, $1::name, 'MEMBER') END`
	var member bool
	if err := conn.QueryRow(ctx, query, role).Scan(&member); err != nil {
		return err
	}
	if member {
		return nil
	}
	_, err := conn.Exec(ctx, "GRANT "+role+" TO CURRENT_USER")
	return err
}

// concurrentGrant holds for the errors of two sessions granting the same role
// to the same member; Postgres has no code of its own for "tuple concurrently
// updated".
func concurrentGrant(err error) bool {
	var pgErr *pgconn.PgError
	return hasCode(err, codeUniqueViolation) ||
		errors.As(err, &pgErr) && pgErr.Code == codeInternalError && pgErr.Message == "tuple concurrently updated"
}

// ensureSchema makes a schema that role owns and opens it for reading to the
// audit role, now and for tables to come. It asks before it creates, since
// CREATE SCHEMA IF NOT EXISTS needs the right to create even when it does not.
func ensureSchema(ctx context.Context, conn *pgx.Conn, schema, role string) error {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema).Scan(&exists); err != nil {
		return fmt.Errorf("look up schema %s: %w", schema, err)
	}
	if !exists {
		if _, err := conn.Exec(ctx, "CREATE SCHEMA "+schema+" AUTHORIZATION "+role); err != nil {
			return fmt.Errorf("create schema %s: %w", schema, err)
		}
	}
	// A grant that is there already is not made again: it would write to the
	// catalogue at every start, and meet whoever alters a table. Tables of
	// others, such as a copy that an administrator made, are theirs to open.
	const query = `SELECT has_schema_privilege($2, $1, 'USAGE') AND EXISTS (SELECT FROM pg_default_acl WHERE defaclnamespace = $1::regnamespace),
		ARRAY(SELECT format('%I.%I', $1::text, relname) FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
			AND relowner = $3::regrole AND NOT has_table_privilege($2, oid, 'SELECT'))`
	var open bool
	var closed []string
	if err := conn.QueryRow(ctx, query, schema, AuditRole, role).Scan(&open, &closed); err != nil {
		return fmt.Errorf("look up who may read schema %s: %w", schema, err)
	}
	if open && len(closed) == 0 {
		return nil
	}
	// Several statements in one message are one transaction, in which the
	// role is taken only until its end.
	grants := fmt.Sprintf(`SET LOCAL ROLE %[2]s;
		GRANT USAGE ON SCHEMA %[1]s TO %[3]s;
		ALTER DEFAULT PRIVILEGES IN SCHEMA %[1]s GRANT SELECT ON TABLES TO %[3]s;`, schema, role, AuditRole)
	if len(closed) > 0 {
		grants += fmt.Sprintf("GRANT SELECT ON %s TO %s", strings.Join(closed, ", "), AuditRole)
	}
	if _, err := conn.PgConn().Exec(ctx, grants).ReadAll(); err != nil {
		return fmt.Errorf("open schema %s to %s: %w", schema, AuditRole, err)
	}
	return nil
}
