package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
)

// AuditRole is the role that may read every service's schema and write none.
const AuditRole = "leadmesh_audit"

const (
	defaultMaxConns         = 10
	defaultStatementTimeout = 10 * time.Second

	idleInTransactionTimeout = 30 * time.Second
	lockTimeout              = 5 * time.Second
	connectTimeout           = 5 * time.Second

	// pgx pings a connection that was idle for a second before handing it out.
	// Without a limit, a server that vanished without closing its sockets
	// would hold every caller for the length of the TCP retransmissions.
	pingTimeout = 2 * time.Second
)

// PoolConfig says which database a pool reaches and as whom.
type PoolConfig struct {
	// URL is the connection string of a login that may SET ROLE to Role.
	URL string
	// Role is the role every session takes, e.g. ServiceRole("capture").
	// Empty keeps the login's own role.
	Role string
	// Schema is the only schema names resolve in; empty means none, every
	// table must then be written with its schema.
	Schema string
	// MaxConns limits the pool; 0 means 10.
	MaxConns int32
	// StatementTimeout ends a longer statement with SQLSTATE 57014; 0 means
	// 10 seconds.
	StatementTimeout time.Duration
	// AcquireTimeout ends the wait for a free connection with an error that is
	// [Unavailable]; 0 means 3 seconds.
	AcquireTimeout time.Duration
	// Logger hears, at most once a minute, of a pool whose connections are all
	// at work for longer than that; nil means nobody does.
	Logger *slog.Logger
	// ReadOnly makes transactions read-only unless they ask otherwise.
	ReadOnly bool
	// TracerProvider, when set, gives each query, batch and connect a client
	// span with the SQL text. Query parameters are personal data and are
	// never recorded: there is no switch for it.
	TracerProvider trace.TracerProvider
	// MeterProvider, when set, receives query durations and the pool's state.
	MeterProvider metric.MeterProvider
}

// ServiceRole is the role that owns a service's schema, e.g.
// "leadmesh_capture" for "capture".
func ServiceRole(service string) string { return "leadmesh_" + service }

// Open returns a pool whose sessions have taken cfg.Role, see cfg.Schema only,
// and give up on statements, locks and forgotten transactions after a limit.
// One connection is made and tried before Open returns, so a wrong URL, a
// missing role or an absent server is an error here and not at the first
// query; that takes at most about five seconds. The caller closes the pool.
func Open(ctx context.Context, cfg PoolConfig) (*pgxpool.Pool, error) {
	prologue, err := sessionPrologue(cfg)
	if err != nil {
		return nil, err
	}
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("read database url: %w", err)
	}
	pc.MaxConns = defaultMaxConns
	if cfg.MaxConns > 0 {
		pc.MaxConns = cfg.MaxConns
	}
	pc.MaxConnLifetime = time.Hour
	pc.MaxConnLifetimeJitter = 10 * time.Minute
	pc.MaxConnIdleTime = 30 * time.Minute
	pc.PingTimeout = pingTimeout
	pc.ConnConfig.ConnectTimeout = connectTimeout
	pc.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	pc.ConnConfig.RuntimeParams["application_name"] = applicationName(cfg.Role)
	// The settings are sent as statements rather than as start-up parameters:
	// a connection pooler in between may be set to drop those it does not
	// know, and a session that silently kept the owner's role is worse than
	// one that fails.
	pc.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.PgConn().Exec(ctx, prologue).ReadAll(); err != nil {
			return fmt.Errorf("prepare session for role %q: %w", cfg.Role, err)
		}
		registerArrays(conn.TypeMap())
		return nil
	}
	pc.ConnConfig.Tracer = cfg.patience().tracer(cfg)
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open pool: %w", err)
	}
	if err := tryPool(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	if cfg.MeterProvider != nil {
		if err := otelpgx.RecordStats(pool, otelpgx.WithStatsMeterProvider(cfg.MeterProvider)); err != nil {
			pool.Close()
			return nil, fmt.Errorf("record pool statistics: %w", err)
		}
	}
	return pool, nil
}

func (cfg PoolConfig) patience() patience {
	p := patience{limit: cfg.AcquireTimeout, role: cfg.Role, log: cfg.Logger, starved: &atomic.Int64{}}
	if p.limit <= 0 {
		p.limit = defaultAcquireTimeout
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return p
}

func tryPool(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, unhurried{}, true), connectTimeout)
	defer cancel()
	if err := pool.Ping(ctx); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}

func newTracer(cfg PoolConfig) *otelpgx.Tracer {
	var meters metric.MeterProvider = noop.NewMeterProvider()
	if cfg.MeterProvider != nil {
		meters = cfg.MeterProvider
	}
	return otelpgx.NewTracer(
		otelpgx.WithTracerProvider(cfg.TracerProvider),
		otelpgx.WithMeterProvider(meters),
		// Every query acquires; the pool's statistics show starvation for
		// less than a span per query costs.
		otelpgx.WithDisableAcquireTracer(),
	)
}

// sessionPrologue is the SQL each new session runs. The names are checked
// rather than bound, since SET takes no parameters.
func sessionPrologue(cfg PoolConfig) (string, error) {
	for _, name := range []string{cfg.Role, cfg.Schema} {
		if name != "" && !validName(name) {
			return "", fmt.Errorf("%q is no name of a role or schema: lower-case letters, digits and _ only", name)
		}
	}
	timeout := cfg.StatementTimeout
	if timeout <= 0 {
		timeout = defaultStatementTimeout
	}
	var b strings.Builder
	if cfg.Role != "" {
		fmt.Fprintf(&b, "SET ROLE %s; ", cfg.Role)
	}
	if cfg.Schema != "" {
		// pg_temp named last, or temporary tables would shadow the schema's.
		fmt.Fprintf(&b, "SET search_path = %s, pg_temp; ", cfg.Schema)
	} else {
		b.WriteString("SET search_path = pg_temp; ")
	}
	fmt.Fprintf(&b, "SET statement_timeout = %d; ", timeout.Milliseconds())
	fmt.Fprintf(&b, "SET idle_in_transaction_session_timeout = %d; ", idleInTransactionTimeout.Milliseconds())
	fmt.Fprintf(&b, "SET lock_timeout = %d", lockTimeout.Milliseconds())
	if cfg.ReadOnly {
		b.WriteString("; SET default_transaction_read_only = on")
	}
	return b.String(), nil
}

func applicationName(role string) string {
	if role == "" {
		return "leadmesh"
	}
	return strings.Replace(role, "_", "-", 1)
}

// validName holds for names that need no quoting and fit, with the prefix of
// the role, into the 63 bytes Postgres keeps of a name.
func validName(name string) bool {
	matched, err := regexp.MatchString(`^[a-z][a-z0-9_]{0,52}$`, name)
	return err == nil && matched
}
