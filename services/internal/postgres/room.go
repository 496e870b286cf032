package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Room is how many sessions a server takes, and how many it has.
type Room struct {
	Max      int // setting max_connections
	Reserved int // of them for superusers and for who has pg_use_reserved_connections
	Limit    int // of the database or of the login, whichever is less; -1: none
	Used     int // sessions of all clients, this one left out
	Leadmesh int // of those, sessions of leadmesh processes
}

// Most is how many sessions an ordinary login can have when nobody else has one.
func (r Room) Most() int {
	most := r.Max - r.Reserved
	if r.Limit >= 0 {
		most = min(most, r.Limit)
	}
	return most
}

// Free is how many sessions more the server takes now.
func (r Room) Free() int { return max(0, r.Most()-r.Used) }

// LookForRoom asks the server behind a URL.
func LookForRoom(ctx context.Context, url string) (r Room, err error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return r, fmt.Errorf("read database url: %w", err)
	}
	cfg.ConnectTimeout = connectTimeout
	cfg.RuntimeParams["application_name"] = "leadmesh-start"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return r, fmt.Errorf("reach database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	// reserved_connections exists from PostgreSQL 16 on.
	err = conn.QueryRow(ctx, `SELECT current_setting('max_connections')::int,
		current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0),
		(SELECT coalesce(min(n) FILTER (WHERE n >= 0), -1) FROM (
			SELECT datconnlimit AS n FROM pg_database WHERE datname = current_database()
			UNION ALL SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user) AS limits),
		(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
		(SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'leadmesh-%' AND application_name NOT IN ('leadmesh-doctor', 'leadmesh-start') AND pid <> pg_backend_pid())`).
		Scan(&r.Max, &r.Reserved, &r.Limit, &r.Used, &r.Leadmesh)
	if err != nil {
		return r, fmt.Errorf("ask how many connections the database takes: %w", err)
	}
	return r, nil
}
