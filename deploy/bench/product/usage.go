package product

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor times in /proc, the same on every Linux.
const tick = 10 * time.Millisecond

// CPU is the processor time of a process with all its threads, and with children adds those that
// live and those that have ended. 0 where there is no /proc.
func CPU(pid int, children bool) time.Duration {
	f := stat(pid)
	if f == nil {
		return 0
	}
	total := ticks(f, 11) + ticks(f, 12)
	if !children {
		return total
	}
	total += ticks(f, 13) + ticks(f, 14)
	others, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return total
	}
	for _, path := range others {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if f := stat(child); f != nil && f[1] == strconv.Itoa(pid) {
			total += ticks(f, 11) + ticks(f, 12)
		}
	}
	return total
}

// stat are the fields of /proc/PID/stat after the program's name: state, parent and so on.
func stat(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, ok := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 15 {
		return nil
	}
	return f
}

func ticks(f []string, i int) time.Duration {
	n, err := strconv.ParseInt(f[i], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n) * tick
}

// RSS is the resident memory of a process in bytes; 0 where there is no /proc.
func RSS(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); err == nil {
			return kilobytes * 1024
		}
	}
	return 0
}
