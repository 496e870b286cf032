// Package console writes what a command tells a person: tables under each other, and figures as people
// write them.
package console

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Table writes rows of the same number of cells under each other, the cells of the columns named by
// right to the right.
func Table(out io.Writer, rows [][]string, right ...int) {
	var width []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if slices.Contains(right, i) {
				cell, space = space+cell, ""
			}
			b.WriteString("  " + cell + space)
		}
		fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
	}
}

// Count writes a number with commas between thousands.
func Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Plural writes how many there are of what.
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Count(n) + " " + what + "s"
}

// Percent writes a part of a whole; of nothing it is "-".
func Percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return PercentOf(float64(part) / float64(whole))
}

// PercentOf writes a share. Only nothing is 0 % and only all is 100 %.
func PercentOf(share float64) string {
	s := strconv.FormatFloat(100*share, 'f', 1, 64)
	switch {
	case share > 0 && s == "0.0":
		return "<0.1 %"
	case share < 1 && s == "100.0":
		return ">99.9 %"
	}
	return strings.TrimSuffix(s, ".0") + " %"
}

// Took writes how long something took.
func Took(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// Memory is the most memory that this process took from the machine.
func Memory() string {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(status)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
				if kb, err := strconv.Atoi(f[1]); err == nil {
					return megabytes(uint64(kb) << 10)
				}
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return megabytes(m.Sys)
}

func megabytes(b uint64) string {
	if b >= 10<<30 {
		return fmt.Sprintf("%.1f GiB", float64(b)/(1<<30))
	}
	return Count(int(b>>20)) + " MiB"
}
