package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Installation is what lies in a data directory, as found without touching it.
type Installation struct {
	DataDir string
	Cluster string // folder of the private cluster; "" if there is none
	Holder  int    // process that is noted in the lock; 0 if none is
	Held    bool   // that process lives
	Server  int    // process of the private server, as its own file says; 0 if none
	Serving bool   // that process lives and is this cluster's server
	Program string // the PostgreSQL that would run it, e.g. "PostgreSQL 15 in /usr/lib/postgresql/15/bin"
	Missing error  // why there is no such program
	Free    uint64 // bytes that are free where the cluster lies
	Total   uint64
}

// Inspect looks at a data directory; it makes and changes nothing.
func Inspect(ctx context.Context, dataDir, binDir string) (Installation, error) {
	in := Installation{DataDir: dataDir}
	if abs, err := filepath.Abs(dataDir); err == nil {
		in.DataDir = abs
	}
	if real, err := filepath.EvalSymlinks(in.DataDir); err == nil {
		in.DataDir = real
	}
	cluster := filepath.Join(in.DataDir, "postgres")
	if raw, err := os.ReadFile(filepath.Join(in.DataDir, pointerFile)); err == nil {
		cluster, _, _ = strings.Cut(strings.TrimSpace(string(raw)), "\n")
	}
	major := 0
	if raw, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION")); err == nil {
		in.Cluster = cluster
		major, _ = strconv.Atoi(strings.TrimSpace(string(raw))) // 0 takes any version
	} else if !os.IsNotExist(err) {
		return in, fmt.Errorf("look at the cluster: %w", err)
	}
	if f, err := os.Open(filepath.Join(in.DataDir, "leadmesh.lock")); err == nil {
		in.Holder = readPID(f)
		err = f.Close()
		if err != nil {
			return in, err
		}
		in.Held = in.Holder > 1 && processLives(in.Holder)
	}
	if in.Cluster != "" {
		in.Server, in.Serving = server{pgdata: in.Cluster}.postmaster()
	}
	if b, err := findBinaries(ctx, binDir, major); err != nil {
		in.Missing = err
	} else {
		in.Program = fmt.Sprintf("PostgreSQL %d in %s", b.major, filepath.Dir(b.postgres))
	}
	var disk syscall.Statfs_t
	for dir := cluster; ; dir = filepath.Dir(dir) { // the nearest folder that exists
		if err := syscall.Statfs(dir, &disk); err == nil {
			in.Free, in.Total = disk.Bavail*uint64(disk.Bsize), disk.Blocks*uint64(disk.Bsize) //nolint:gosec // block sizes are positive; their type differs between systems
			return in, nil
		}
		if dir == filepath.Dir(dir) {
			return in, nil
		}
	}
}

func processLives(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || err == syscall.EPERM
}
