package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// dumpLockLimit bounds how long a dump waits for a table that a migration is altering.
const dumpLockLimit = time.Minute

// ErrNotEmpty says that a restore would meet what is there already.
var ErrNotEmpty = errors.New("the database holds leadmesh already")

// Schemas are all schemas of the modules.
func Schemas(modules []Module) []string {
	var out []string
	for _, m := range modules {
		out = append(out, m.Service)
		if m.Companion != nil {
			out = append(out, m.Companion.Schema)
		}
	}
	return out
}

// Dump writes the modules' schemas as of one moment to out, in the custom
// format of pg_dump, whose version must be the server's or a later one. Others
// go on working meanwhile; a migration that alters a table waits.
func Dump(ctx context.Context, ownerURL, binDir string, modules []Module, out io.Writer) error {
	tool, err := newTool(ctx, "pg_dump", ownerURL, binDir)
	if err != nil {
		return err
	}
	args := []string{"--format=custom", fmt.Sprintf("--lock-wait-timeout=%d", dumpLockLimit.Milliseconds())}
	for _, schema := range Schemas(modules) {
		args = append(args, "--schema="+schema)
	}
	return tool.run(ctx, args, out)
}

// Load makes the roles and fills an empty database with a dump, all of it or
// nothing, and gathers the statistics that the planner goes by. It refuses a
// database that has one of the modules' schemas.
func Load(ctx context.Context, ownerURL, binDir string, modules []Module, dump string) (err error) {
	conn, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var there []string
	if err := conn.QueryRow(ctx, "SELECT coalesce(array_agg(nspname::text ORDER BY 1), '{}') FROM pg_namespace WHERE nspname = ANY($1)", Schemas(modules)).Scan(&there); err != nil {
		return fmt.Errorf("look whether the database is empty: %w", err)
	}
	if len(there) > 0 {
		return fmt.Errorf("%w (schemas %s): restore into an empty one", ErrNotEmpty, strings.Join(there, ", "))
	}
	roles := []string{AuditRole}
	for _, m := range modules {
		roles = append(roles, ServiceRole(m.Service))
	}
	for _, role := range roles {
		if err := ensureRole(ctx, conn, role); err != nil {
			return err
		}
	}
	tool, err := newTool(ctx, "pg_restore", ownerURL, binDir)
	if err != nil {
		return err
	}
	if err := tool.run(ctx, []string{"--single-transaction", "--exit-on-error", dump}, io.Discard); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "ANALYZE"); err != nil {
		return fmt.Errorf("gather statistics: %w", err)
	}
	return nil
}

// tool is a client program of PostgreSQL with the database it is to reach.
type tool struct {
	path     string
	dbname   string
	password string // handed over in the environment: others on the machine see arguments
}

// newTool finds the program that fits the server: of the same major version,
// else the next later one.
func newTool(ctx context.Context, name, ownerURL, binDir string) (tool, error) {
	t := tool{}
	u, err := url.Parse(ownerURL)
	if err != nil || u.Scheme == "" {
		return t, errors.New("the address of the database must have the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	if password, ok := u.User.Password(); ok {
		t.password, u.User = password, url.User(u.User.Username())
	}
	t.dbname = u.String()
	major, err := serverMajor(ctx, ownerURL)
	if err != nil {
		return t, err
	}
	dirs := binaryFolders(ctx)
	if binDir != "" {
		dirs = []string{binDir}
	}
	best := 0
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		out, err := exec.CommandContext(ctx, path, "--version").Output()
		if err != nil {
			continue
		}
		have, err := parseMajor(string(out))
		if err == nil && have >= major && (best == 0 || have < best) {
			best, t.path = have, path
		}
	}
	if best == 0 {
		return t, fmt.Errorf("no %s of version %d or later found, which the server needs: install PostgreSQL's client programs (apt-get install postgresql-client-%d) or name their folder with --pg-bin", name, major, major)
	}
	return t, nil
}

func serverMajor(ctx context.Context, ownerURL string) (major int, err error) {
	conn, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return 0, fmt.Errorf("reach database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	err = conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&major)
	return major, err
}

func (t tool) run(ctx context.Context, args []string, out io.Writer) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, t.path, append([]string{"--no-password", "--dbname=" + t.dbname}, args...)...)
	cmd.Stdout, cmd.Stderr = out, &said
	cmd.Env = append(os.Environ(), "PGAPPNAME=leadmesh-"+filepath.Base(t.path))
	if t.password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+t.password)
	}
	if err := cmd.Run(); err != nil {
		// What follows the first line may quote rows, which are personal data.
		line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("%s: %s (%w)", filepath.Base(t.path), line, err)
	}
	return nil
}
