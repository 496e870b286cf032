package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// minMajor is the oldest version of PostgreSQL leadmesh runs on: 13 brought
// DROP DATABASE ... WITH (FORCE).
const minMajor = 13

// installHint says how to get a server without a system-wide cluster that
// would run beside the private one.
const installHint = `install one:
  Debian, Ubuntu:  mkdir -p /etc/postgresql-common/createcluster.d &&
                   echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/leadmesh.conf &&
                   apt-get install -y postgresql
  Fedora, RHEL:    dnf install -y postgresql-server
  macOS:           brew install postgresql@17
or name the folder of initdb and postgres with --pg-bin, or use a server you have with --database-url`

// binaries are the two programs of one PostgreSQL version.
type binaries struct {
	initdb, postgres string
	major            int
}

// findBinaries looks in binDir only, if given, else where pg_config points, in
// the usual folders with the newest version first, and along PATH. major
// limits the search to one major version; 0 takes any from minMajor on.
func findBinaries(ctx context.Context, binDir string, major int) (binaries, error) {
	if binDir != "" {
		b, err := inspect(ctx, binDir)
		switch {
		case err != nil:
			return binaries{}, fmt.Errorf("no PostgreSQL in the folder given: %w", err)
		case b.major < minMajor:
			return binaries{}, fmt.Errorf("%s has PostgreSQL %d, at least %d is needed", binDir, b.major, minMajor)
		case major != 0 && b.major != major:
			return binaries{}, otherMajor(major, []int{b.major})
		}
		return b, nil
	}
	var others []int
	for _, dir := range binaryFolders(ctx) {
		b, err := inspect(ctx, dir)
		if err != nil {
			continue
		}
		if b.major < minMajor || major != 0 && b.major != major {
			others = append(others, b.major)
			continue
		}
		return b, nil
	}
	if err := ctx.Err(); err != nil {
		return binaries{}, fmt.Errorf("look for PostgreSQL: %w", err)
	}
	if major != 0 && len(others) > 0 {
		return binaries{}, otherMajor(major, others)
	}
	return binaries{}, fmt.Errorf("no PostgreSQL server (version %d or newer) found: %s", minMajor, installHint)
}

func otherMajor(want int, have []int) error {
	slices.Sort(have)
	return fmt.Errorf("the data was written by PostgreSQL %d, found only version %s: install version %d again or move the data with pg_upgrade",
		want, strings.Trim(fmt.Sprint(slices.Compact(have)), "[]"), want)
}

// binaryFolders lists where a server may be, best first. Folders that do not
// exist are dropped by inspect.
func binaryFolders(ctx context.Context) []string {
	var dirs []string
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	var versioned []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		// The patterns are constants without a syntax error.
		found, _ := filepath.Glob(pattern)
		versioned = append(versioned, found...)
	}
	slices.SortStableFunc(versioned, func(a, b string) int { return folderVersion(b) - folderVersion(a) })
	dirs = append(dirs, versioned...)
	dirs = append(dirs, "/usr/local/pgsql/bin")
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	dirs = append(dirs, "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
	return dirs
}

// folderVersion is the number in a versioned folder's name, 0 without one.
func folderVersion(dir string) int {
	digits := regexp.MustCompile(`(\d+)[^/]*/bin$`).FindStringSubmatch(dir)
	if digits == nil {
		return 0
	}
	version, err := strconv.Atoi(digits[1])
	if err != nil {
		return 0
	}
	return version
}

// inspect finds the two programs in dir and asks for their version.
func inspect(ctx context.Context, dir string) (binaries, error) {
	if !filepath.IsAbs(dir) {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return binaries{}, err
		}
		dir = abs
	}
	b := binaries{initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
	for _, path := range []string{b.initdb, b.postgres} {
		if _, err := exec.LookPath(path); err != nil {
			return binaries{}, err
		}
	}
	out, err := exec.CommandContext(ctx, b.postgres, "--version").Output()
	if err != nil {
		return binaries{}, fmt.Errorf("%s --version: %w", b.postgres, err)
	}
	b.major, err = parseMajor(string(out))
	return b, err
}

// parseMajor reads "postgres (PostgreSQL) 15.8 (Debian 15.8-0)", also of a
// development version such as "18devel".
func parseMajor(version string) (int, error) {
	digits := regexp.MustCompile(`\) (\d+)`).FindStringSubmatch(version)
	if digits == nil {
		return 0, fmt.Errorf("unreadable version %q", strings.TrimSpace(version))
	}
	return strconv.Atoi(digits[1])
}
