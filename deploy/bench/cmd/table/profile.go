package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// freeAddress is a loopback address nobody listens on at the moment: the product offers its
// profiles there, if they are asked for.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// watchStatements restarts the product with its server timing statements, where it can.
func (s *stage) watchStatements(ctx context.Context) error {
	if err := s.process.Stop(); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(s.server.Data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, "\nshared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track = 'top'\ntrack_io_timing = on\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if s.process, err = s.home.Start(ctx); err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, s.process.DatabaseURL)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
	return errors.Join(err, db.Close(ctx))
}

// profiled runs work and, if profiles are asked for, writes the product's processor profile of its
// first seconds and the statements that took most of the server's time.
func (b *bench) profiled(ctx context.Context, s *stage, name string, seconds int, work func() error) error {
	if b.profile == "" {
		return work()
	}
	if _, err := s.db.Exec(ctx, "SELECT pg_stat_statements_reset()"); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- b.fetchProfile(ctx, s, name, seconds) }()
	err := work()
	if err = errors.Join(err, <-done); err != nil {
		return err
	}
	return b.writeStatements(ctx, s, name)
}

func (b *bench) fetchProfile(ctx context.Context, s *stage, name string, seconds int) error {
	address := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.profiler, seconds)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if _, err := gzip.NewReader(bytes.NewReader(raw)); err != nil {
		return fmt.Errorf("no profile: %.200s", raw)
	}
	return os.WriteFile(filepath.Join(b.profile, name+".pprof"), raw, 0o644)
}

func (b *bench) writeStatements(ctx context.Context, s *stage, name string) error {
	rows, err := s.db.Query(ctx, `SELECT total_exec_time, calls, rows, wal_bytes::bigint, query FROM pg_stat_statements
		WHERE query !~ 'leadmesh_limit|pg_stat_statements' ORDER BY total_exec_time DESC LIMIT 40`)
	if err != nil {
		return err
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var ms float64
		var calls, n, wal int64
		var query string
		err := row.Scan(&ms, &calls, &n, &wal, &query)
		return fmt.Sprintf("%9.1f ms %7d calls %8d rows %9.1f KB log  %.300s", ms, calls, n, float64(wal)/1000, strings.Join(strings.Fields(query), " ")), err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.profile, name+".statements"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
