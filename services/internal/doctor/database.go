package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

const (
	connectLimit   = 5 * time.Second
	statementLimit = 30 * time.Second
	minVersion     = 130000
	skewWarn       = time.Second
	skewFail       = 30 * time.Second
)

// database looks at the server behind a URL and at what is in it.
func (x *exam) database(ctx context.Context, url string) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		x.fail("database", "write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE", "--database-url is no URL of a Postgres") // the cause would quote the password
		return
	}
	cfg.ConnectTimeout = connectLimit
	cfg.RuntimeParams["application_name"] = "leadmesh-doctor"
	cfg.RuntimeParams["statement_timeout"] = fmt.Sprint(statementLimit.Milliseconds())
	where := fmt.Sprintf("%s at %s:%d", cfg.Database, cfg.Host, cfg.Port)
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		x.fail("database", "start it, let this machine and login in (pg_hba.conf, firewall), or mend --database-url", "%s cannot be reached: %s", where, oneLine(err))
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing was changed
	var version int
	var name string
	var standby bool
	if err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery()`).Scan(&version, &name, &standby); err != nil {
		x.fail("database", "see the log of the database", "%s does not answer: %s", where, oneLine(err))
		return
	}
	switch {
	case version < minVersion:
		x.fail("database", "use PostgreSQL 13 or later", "%s is PostgreSQL %s", where, name)
	case standby:
		x.fail("database", "point --database-url to the primary", "%s is a standby: it takes no leads", where)
	default:
		x.ok("database", "%s answers, PostgreSQL %s", where, name)
	}
	x.clock(ctx, conn)
	x.settings(ctx, conn)
	x.room(ctx, url)
	if x.roles(ctx, conn) && x.schemas(ctx, conn, standby) {
		x.work(ctx, conn)
	}
}

func (x *exam) clock(ctx context.Context, conn *pgx.Conn) {
	var theirs time.Time
	before := time.Now()
	if err := conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
		x.warn("clock", "run doctor again", "the database does not tell its time: %s", oneLine(err))
		return
	}
	took := time.Since(before)
	skew := theirs.Sub(before.Add(took/2)).Abs() - took/2 // what the way there and back cannot explain
	const remedy = "synchronise both clocks (chrony, systemd-timesyncd): deadlines and the queue of pushes compare them"
	switch {
	case skew > skewFail:
		x.fail("clock", remedy, "this machine and the database differ by %s", skew.Round(time.Millisecond))
	case skew > skewWarn:
		x.warn("clock", remedy, "this machine and the database differ by %s", skew.Round(time.Millisecond))
	default:
		x.ok("clock", "this machine and the database agree within %s", max(skew, took).Round(time.Millisecond))
	}
}

// settings looks at those by which a promise can be broken.
func (x *exam) settings(ctx context.Context, conn *pgx.Conn) {
	for _, s := range []struct {
		name   string
		bad    string
		status Status
		why    string
	}{
		{"fsync", "off", Fail, "a power cut can destroy the database"},
		{"full_page_writes", "off", Fail, "a power cut can leave torn pages"},
		{"synchronous_commit", "off", Fail, "a crash loses leads that were acknowledged"},
		{"autovacuum", "off", Warn, "queues slow down from day to day"},
	} {
		var value string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", s.name).Scan(&value); err != nil {
			x.warn("setting."+s.name, "run doctor again", "%s", oneLine(err))
			continue
		}
		remedy := fmt.Sprintf("ALTER SYSTEM SET %s = on; SELECT pg_reload_conf(); and look for ALTER DATABASE and ALTER ROLE that set it", s.name)
		switch {
		case value != s.bad:
			x.ok("setting."+s.name, "%s = %s", s.name, value)
		case s.status == Fail:
			x.fail("setting."+s.name, remedy, "%s = %s: %s", s.name, value, s.why)
		default:
			x.warn("setting."+s.name, remedy, "%s = %s: %s", s.name, value, s.why)
		}
	}
}

func (x *exam) room(ctx context.Context, url string) {
	room, err := postgres.LookForRoom(ctx, url)
	if err != nil {
		x.warn("connections", "run doctor again", "%s", oneLine(err))
		return
	}
	room.Used = max(0, room.Used-1) // the doctor's own
	const remedy = "lower --db-connections, or raise max_connections of the database and restart it"
	found := fmt.Sprintf("this process may open %d; the database takes %d (max_connections %d), %d are in use, %d of them by leadmesh", x.cfg.Connections, room.Most(), room.Max, room.Used, room.Leadmesh)
	switch {
	case x.cfg.Connections > room.Most():
		x.fail("connections", remedy, "%s", found)
	case x.cfg.Connections > room.Free() && room.Leadmesh == 0, room.Free() < 5:
		x.warn("connections", remedy, "%s", found)
	default:
		x.ok("connections", "%s", found)
	}
}

// roles reports whether every role of the house is there and the login may take it.
func (x *exam) roles(ctx context.Context, conn *pgx.Conn) bool {
	var lacks []string
	names := []string{postgres.AuditRole}
	for _, m := range x.cfg.Modules {
		names = append(names, postgres.ServiceRole(m.Service))
	}
	for _, role := range names {
		var member bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(session_user, oid, 'MEMBER'))`, role).Scan(&member)
		if err != nil || !member {
			lacks = append(lacks, role)
		}
	}
	if len(lacks) > 0 {
		x.fail("roles", "leadmesh migrate --database-url URL with a login that has CREATEROLE makes them, or GRANT them to this login", "not there, or not granted to this login: %s", strings.Join(lacks, ", "))
		return false
	}
	x.ok("roles", "all %d are there and this login may take them", len(names))
	return true
}

// schemas reports whether every schema can be worked with.
func (x *exam) schemas(ctx context.Context, conn *pgx.Conn, standby bool) bool {
	complete := true
	for _, m := range x.cfg.Modules {
		check := "schema." + m.Service
		var exists, usage, create bool
		if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1), coalesce(has_schema_privilege(to_regnamespace($1), 'USAGE'), false),
			has_database_privilege(current_database(), 'CREATE')`, m.Service).Scan(&exists, &usage, &create); err != nil || !exists || !usage {
			x.fail(check, "leadmesh migrate --database-url URL (leadmesh serve does it at its start)", "there is no schema %s this login may use", m.Service)
			complete = false
			continue
		}
		if standby || !create {
			x.warn(check, "run doctor as the owner of the database", "this login may not create schemas, so what the migrations make cannot be compared")
			continue
		}
		d, err := postgres.CompareSchema(ctx, conn, m)
		switch {
		case err != nil:
			x.warn(check, "run doctor as the owner of the database", "cannot be compared with what the migrations make: %s", oneLine(err))
		case len(d.Behind) > 0:
			x.fail(check, "leadmesh migrate --database-url URL (leadmesh serve does it at its start)", "behind: %s not applied", strings.Join(d.Behind, ", "))
			complete = false
		case len(d.Ahead) > 0:
			x.ok(check, "ahead: a newer leadmesh has migrated it (%v), this one works on it", d.Ahead)
		case len(d.Lacks) > 0:
			x.fail(check, "restore what is missing, or ask who changed it: the program relies on it", "differs from what its migrations make: lacks %s", few(d.Lacks))
		case len(d.More) > 0:
			x.warn(check, "leave it if you made it; an upgrade may meet it", "holds what no migration makes: %s", few(d.More))
		default:
			x.ok(check, "is what its migrations make")
		}
	}
	return complete
}

func few(lines []string) string {
	if len(lines) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(lines[:3], "; "), len(lines)-3)
	}
	return strings.Join(lines, "; ")
}
