package postgres

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	mebibyte         = 1 << 20
	minSharedBuffers = 128 * mebibyte
	maxSharedBuffers = 512 * mebibyte
)

// serverSettings are the settings of a private server as name=value, sorted.
// They are given on the command line, so nothing in the cluster's folder has
// to be written by root and an old cluster follows a newer leadmesh. takes
// reports whether the server knows a setting.
func serverSettings(override map[string]string, takes func(setting string) bool) []string {
	settings := map[string]string{
		"listen_addresses":        "",
		"unix_socket_permissions": "0700",
		"cluster_name":            "leadmesh",
		"max_connections":         "120",
		"shared_buffers":          strconv.FormatInt(sharedBuffers(memory())/1024, 10) + "kB",
		"huge_pages":              "try",

		// Durable: what leadmesh has acknowledged survives a power cut.
		"fsync":              "on",
		"synchronous_commit": "on",
		"full_page_writes":   "on",
		// replica, not minimal: pg_basebackup must work.
		"wal_level":                    "replica",
		"wal_compression":              "on",
		"max_wal_size":                 "2GB",
		"checkpoint_completion_target": "0.9",

		// Short queries on solid-state disks; compiling a plan costs more
		// than most of them take.
		"random_page_cost": "1.1",
		"jit":              "off",

		"timezone":     "UTC",
		"log_timezone": "UTC",
		// A file per weekday, overwritten after a week.
		"logging_collector":        "on",
		"log_directory":            "log",
		"log_filename":             "postgres-%a.log",
		"log_truncate_on_rotation": "on",
		"log_rotation_age":         "1d",
		"log_rotation_size":        "0",
		// Statements and the details of an error quote rows, which are
		// personal data.
		"log_error_verbosity":     "terse",
		"log_min_error_statement": "panic",
	}
	// Pages of indexes by random identifiers are what the log gets most of
	// after a checkpoint. Postgres's own compression takes 80 us for one and
	// saves nothing, LZ4 takes a tenth and saves a tenth of the log. Servers
	// before 15, and those built without it, do not have it.
	if lz4 := "lz4"; override["wal_compression"] == "" && takes("wal_compression="+lz4) {
		settings["wal_compression"] = lz4
	}
	maps.Copy(settings, override)
	lines := make([]string, 0, len(settings))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		lines = append(lines, name+"="+settings[name])
	}
	return lines
}

// sharedBuffers is a quarter of the memory, within limits: more than the cap
// pays only when the hot tables outgrow it, and leadmesh shares the machine.
func sharedBuffers(memory int64) int64 {
	return min(max(memory/4, minSharedBuffers), maxSharedBuffers)
}

// memory is how many bytes this machine or container may use; 0 if unknown.
func memory() int64 {
	total := machineMemory()
	raw, err := os.ReadFile("/sys/fs/cgroup/memory.max")
	if err != nil {
		return total
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil || limit <= 0 { // "max"
		return total
	}
	if total == 0 {
		return limit
	}
	return min(total, limit)
}

func machineMemory() int64 {
	raw, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kilobytes); err == nil {
			return kilobytes * 1024
		}
	}
	return 0
}
