package postgres

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMajor(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int
	}{
		{"postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n", 15},
		{"postgres (PostgreSQL) 9.6.24\n", 9},
		{"postgres (PostgreSQL) 18devel\n", 18},
		{"postgres (Postgres.app) 17.0\n", 17},
	} {
		got, err := parseMajor(c.in)
		if err != nil || got != c.want {
			t.Errorf("parseMajor(%q) = %d, %v, want %d", c.in, got, err, c.want)
		}
	}
	if got, err := parseMajor("some other program 15"); err == nil {
		t.Errorf("a foreign program's version was read as %d", got)
	}
}

func TestFolderVersion(t *testing.T) {
	for dir, want := range map[string]int{
		"/usr/lib/postgresql/15/bin":                              15,
		"/usr/pgsql-9.6/bin":                                      9,
		"/opt/homebrew/opt/postgresql@17/bin":                     17,
		"/Applications/Postgres.app/Contents/Versions/latest/bin": 0,
	} {
		if got := folderVersion(dir); got != want {
			t.Errorf("folderVersion(%q) = %d, want %d", dir, got, want)
		}
	}
}

func TestSharedBuffers(t *testing.T) {
	for _, c := range []struct{ memory, want int64 }{
		{0, 128 * mebibyte},
		{256 * mebibyte, 128 * mebibyte},
		{1024 * mebibyte, 256 * mebibyte},
		{64 * 1024 * mebibyte, 512 * mebibyte},
	} {
		if got := sharedBuffers(c.memory); got != c.want {
			t.Errorf("sharedBuffers(%d) = %d, want %d", c.memory, got, c.want)
		}
	}
}

func TestAliveIsOnlyTheClustersOwnServer(t *testing.T) {
	s := server{pgdata: "/nowhere/postgres"}
	for _, pid := range []int{-1, 0, 1, os.Getpid()} {
		if s.alive(pid) {
			t.Errorf("process %d passes for the server", pid)
		}
	}
}

func TestReadPID(t *testing.T) {
	for in, want := range map[string]int{
		"":                0,
		"42":              42,
		"42\n/data\n1\n":  42,
		"-42\n/data\n":    -42,
		"no number\n":     0,
		" 7 \n/elsewhere": 7,
	} {
		if got := readPID(strings.NewReader(in)); got != want {
			t.Errorf("readPID(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestSessionPrologue(t *testing.T) {
	got, err := sessionPrologue(PoolConfig{Role: "leadmesh_capture", Schema: "capture", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	want := "SET ROLE leadmesh_capture; SET search_path = capture, pg_temp; SET statement_timeout = 10000; " +
		"SET idle_in_transaction_session_timeout = 30000; SET lock_timeout = 5000; SET default_transaction_read_only = on"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("prologue (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"Capture", "a b", "x;y", `"x"`, "1st", strings.Repeat("a", 54)} {
		if _, err := sessionPrologue(PoolConfig{Role: bad}); err == nil {
			t.Errorf("role %q was accepted", bad)
		}
		if _, err := sessionPrologue(PoolConfig{Schema: bad}); err == nil {
			t.Errorf("schema %q was accepted", bad)
		}
	}
}

func TestFullPagesAreCompressedAsTheServerCan(t *testing.T) {
	can := func(string) bool { return true }
	for name, c := range map[string]struct {
		override map[string]string
		takes    func(string) bool
		want     string
	}{
		"LZ4":               {nil, can, "wal_compression=lz4"},
		"no LZ4":            {nil, func(string) bool { return false }, "wal_compression=on"},
		"told not to":       {map[string]string{"wal_compression": "off"}, can, "wal_compression=off"},
		"told other things": {map[string]string{"jit": "on"}, can, "wal_compression=lz4"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := serverSettings(c.override, c.takes); !slices.Contains(got, c.want) {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}
