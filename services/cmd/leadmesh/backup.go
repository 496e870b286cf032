package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/audit"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

type backupCmd struct {
	Out         string `required:"" placeholder:"FILE" help:"Where to write it; - for standard output."`
	Data        string `help:"Data directory of the private Postgres." placeholder:"DIR"`
	DatabaseURL string `name:"database-url" placeholder:"URL" help:"The database, if it is not the private one."`
	PGBin       string `name:"pg-bin" placeholder:"DIR" help:"Folder of PostgreSQL's pg_dump."`
}

// Run writes everything leadmesh holds, as of one moment, while the services go on. The file holds
// personal data and the secrets that identifiers are derived from.
func (c *backupCmd) Run(ctx context.Context, s streams) (err error) {
	url, done, err := house.Database(ctx, c.DatabaseURL, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Out == "-" {
		return postgres.Dump(ctx, url, c.PGBin, house.Modules(), s.out)
	}
	size, err := writeWhole(c.Out, func(w io.Writer) error { return postgres.Dump(ctx, url, c.PGBin, house.Modules(), w) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "wrote %s, %.1f MB: personal data and secrets, keep it as safe as the database\nleadmesh restore %s brings it back\n", c.Out, float64(size)/1e6, c.Out)
	return err
}

// writeWhole writes a file that is there whole or not at all, and that only its owner may read.
func writeWhole(name string, write func(io.Writer) error) (size int64, err error) {
	if _, err := os.Lstat(name); err == nil {
		return 0, fmt.Errorf("%s is there already: give each backup a name of its own, such as leadmesh-%s.dump", name, time.Now().UTC().Format("20060102-150405"))
	}
	partial := name + ".partial"
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if info, statErr := f.Stat(); statErr == nil {
		size = info.Size()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(partial))
	}
	return size, os.Rename(partial, name)
}

type restoreCmd struct {
	File        string `arg:"" help:"A file that leadmesh backup wrote."`
	Data        string `help:"Data directory to fill; it must be new." placeholder:"DIR"`
	DatabaseURL string `name:"database-url" placeholder:"URL" help:"An empty database to fill; its owner may create roles."`
	PGBin       string `name:"pg-bin" placeholder:"DIR" help:"Folder of PostgreSQL's programs."`
	HoldPushes  bool   `help:"Switch every dealer's push off, so that a copy for a rehearsal tells nobody anything."`
}

// Run fills an empty database, brings it up to date and audits it. It exits 1 if a law is broken.
func (c *restoreCmd) Run(ctx context.Context, s streams) (err error) {
	if _, err := os.Stat(c.File); err != nil {
		return err
	}
	url, done, err := c.target(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := postgres.Load(ctx, url, c.PGBin, house.Modules(), c.File); err != nil {
		return err
	}
	if err := house.Migrate(ctx, url); err != nil {
		return err
	}
	if c.HoldPushes {
		n, err := holdPushes(ctx, url)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%d pushes to dealers are switched off\n", n)
	}
	report, err := audit.Run(ctx, url, time.Now())
	if err != nil {
		return err
	}
	printAudit(s.out, report)
	printOverdue(s.out, report)
	for _, f := range report.Findings {
		if f.Count > 0 && !overdue[f.Check] {
			return exitError(1)
		}
	}
	return nil
}

// overdue are the laws that a restored house keeps again as soon as it runs: clocks went on while
// the backup lay.
var overdue = map[string]bool{"deadline_watched": true, "parked_watched": true, "pending_driven": true}

func printOverdue(w io.Writer, r *audit.Report) {
	for _, f := range r.Findings {
		if f.Count > 0 && overdue[f.Check] {
			fmt.Fprintf(w, "%s: due since the backup was made; leadmesh serve does it within a minute of its start\n", f.Check)
		}
	}
}

// target is the empty database to fill.
func (c *restoreCmd) target(ctx context.Context) (url string, done func() error, err error) {
	if c.DatabaseURL != "" {
		return c.DatabaseURL, func() error { return nil }, nil
	}
	if c.Data == "" {
		c.Data = house.DefaultData()
	}
	private, err := postgres.StartPrivate(ctx, postgres.PrivateConfig{DataDir: c.Data, BinDir: c.PGBin, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", nil, err
	}
	return private.URL(), func() error { return private.Stop(context.WithoutCancel(ctx)) }, nil
}

func holdPushes(ctx context.Context, url string) (n int64, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	tag, err := conn.Exec(ctx, "UPDATE routing.webhook SET enabled = false WHERE enabled")
	if err != nil {
		return 0, fmt.Errorf("switch the pushes off: %w", err)
	}
	return tag.RowsAffected(), nil
}
