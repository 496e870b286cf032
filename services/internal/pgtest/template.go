package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

const (
	databasePrefix = "leadmesh_t_"
	templatePrefix = "leadmesh_m_"

	// templateFormat is part of every template's name; it changes when
	// Migrate leaves something else behind for the same migrations.
	templateFormat = "1"
)

// createDatabase makes the database as a copy of the modules' template.
func createDatabase(ctx context.Context, admin *pgx.Conn, name string, modules []postgres.Module) error {
	template := "template0"
	if len(modules) > 0 {
		var err error
		if template, err = ensureTemplate(ctx, admin, modules); err != nil {
			return err
		}
	}
	// From PostgreSQL 15 on the default is to copy by way of the log, which
	// takes twice as long for a database as small as these.
	var strategy string
	const query = "SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN ' STRATEGY file_copy' ELSE '' END"
	if err := admin.QueryRow(ctx, query).Scan(&strategy); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+strategy); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}

// ensureTemplate makes the template of the modules unless there is one, and
// returns its name. Only a complete one is marked as template; what a killed
// test process left half made is made again.
func ensureTemplate(ctx context.Context, admin *pgx.Conn, modules []postgres.Module) (name string, err error) {
	sum, err := digest(modules)
	if err != nil {
		return "", err
	}
	name = templatePrefix + sum
	if ready, err := templateReady(ctx, admin, name); err != nil || ready {
		return name, err
	}
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", fmt.Errorf("lock template: %w", err)
	}
	defer func() {
		_, unlockErr := admin.Exec(ctx, "SELECT pg_advisory_unlock($1)", templateLock)
		err = errors.Join(err, unlockErr)
	}()
	if ready, err := templateReady(ctx, admin, name); err != nil || ready {
		return name, err
	}
	return name, buildTemplate(ctx, admin, name, modules)
}

func templateReady(ctx context.Context, admin *pgx.Conn, name string) (bool, error) {
	var ready bool
	err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)", name).Scan(&ready)
	if err != nil {
		return false, fmt.Errorf("look up template: %w", err)
	}
	return ready, nil
}

func buildTemplate(ctx context.Context, admin *pgx.Conn, name string, modules []postgres.Module) error {
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop unfinished template: %w", err)
	}
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return fmt.Errorf("create template: %w", err)
	}
	u, err := databaseURL(admin, name)
	if err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, u, modules); err != nil {
		return err
	}
	// Nobody may connect, or copying would have to wait for them.
	if _, err := admin.Exec(ctx, "ALTER DATABASE "+name+" WITH ALLOW_CONNECTIONS false IS_TEMPLATE true"); err != nil {
		return fmt.Errorf("finish template: %w", err)
	}
	return nil
}

// digest names what migrating the modules results in.
func digest(modules []postgres.Module) (string, error) {
	h := sha256.New()
	part(h, templateFormat)
	for _, m := range modules {
		part(h, "module", m.Service)
		if m.Companion != nil {
			part(h, "companion", m.Companion.Schema, m.Companion.Version)
		}
		if m.FS == nil {
			continue
		}
		dir := m.Dir
		if dir == "" {
			dir = "."
		}
		err := fs.WalkDir(m.FS, dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(m.FS, path)
			part(h, path, string(content))
			return err
		})
		if err != nil {
			return "", fmt.Errorf("read migrations of %s: %w", m.Service, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:10]), nil
}

// part adds texts to the hash so that no two lists of texts look the same.
func part(h hash.Hash, texts ...string) {
	for _, text := range texts {
		// Writing to a hash does not fail.
		_, _ = fmt.Fprintf(h, "%d:%s", len(text), text)
	}
}
