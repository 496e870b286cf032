package people

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

// PrintMapping writes what the columns of the lists were taken for.
func PrintMapping(out io.Writer, lists []*List) {
	for _, l := range lists {
		skipped := ""
		if l.Skipped > 0 {
			skipped = fmt.Sprintf(", %s skipped", count(l.Skipped))
		}
		fmt.Fprintf(out, "%s: %s%s; separated by %s, %s\n", l.Label, plural(l.Rows, "row"), skipped, l.Dialect.Separator(), l.Dialect.Encoding)
		rows := [][]string{{"column", "read as", "filled", ""}}
		for i, c := range l.Mapping.Columns {
			header := c.Header
			if header == "" {
				header = "(no name)"
			}
			rows = append(rows, []string{header, c.meaning(), percent(c.Filled, l.Rows), l.note(i)})
		}
		printTable(out, rows, 2)
		if l.Mapping.ID < 0 {
			fmt.Fprintln(out, "  no column names each row by a value of its own: rows are named by their lines")
		}
		fmt.Fprintln(out)
	}
}

// printTable writes rows of the same number of cells under each other, the cells of one column to the
// right.
func printTable(out io.Writer, rows [][]string, right int) {
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
			if i == right {
				cell, space = space+cell, ""
			}
			b.WriteString("  " + cell + space)
		}
		fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
	}
}

// note is what the person who cleans should know of a column.
func (l *List) note(i int) string {
	note := l.Mapping.Columns[i].Note
	if i == l.Mapping.ID {
		note = strings.TrimPrefix(note+"; names the rows", "; ")
	}
	return note
}

// notCompared is what a column is read as that is passed on only.
const notCompared = "not compared"

// meaning is what a column is read as.
func (c *Column) meaning() string {
	switch c.Field {
	case FieldNone, FieldID:
		return notCompared
	}
	return c.Field.String()
}

// Print writes what cleaning found.
func (o *Outcome) Print(out io.Writer) {
	b := &o.Result.Blocking
	printTable(out, append(o.figures(),
		[]string{"pairs compared", count(b.Compared), fmt.Sprintf("found by %s of fields", plural(passes(o), "combination"))},
		[]string{"common keys", count(b.Common + len(o.Result.Common)), fmt.Sprintf("too frequent to compare all rows that share them; %s too frequent to be evidence", plural(len(o.Result.Common), "value"))},
		[]string{"pairs lost", percentOf(float64(b.Lost) / 1e6), "estimated share of true pairs that were never compared"},
		[]string{"threshold", trim(o.Match), "probability from which on two rows are one person"},
		[]string{"time", o.took(), ""},
		[]string{"peak memory", memory(), ""},
	), 1)
	if o.Truth != nil {
		fmt.Fprintln(out)
		o.Truth.Print(out)
	}
}

// took is how long it took, for people.
func (o *Outcome) took() string {
	if o.Took < time.Minute {
		return fmt.Sprintf("%.1f s", o.Took.Seconds())
	}
	return o.Took.Round(time.Second).String()
}

// figures are what cleaning found: what, how many, and what that means.
func (o *Outcome) figures() [][]string {
	read, skipped := o.Rows()
	rows := [][]string{{"rows read", count(read), ""}}
	if skipped > 0 {
		rows = append(rows, []string{"rows skipped", count(skipped), "cannot be read; not in the output"})
	}
	r := o.Result
	sizes := o.sizes()
	return append(rows,
		[]string{"persons", count(r.Persons), fmt.Sprintf("clusters; the largest has %s", plural(sizes[0], "row"))},
		[]string{"duplicates", count(read - r.Persons), fmt.Sprintf("%s of the rows, in %s", percent(read-r.Persons, read), plural(several(sizes), "cluster"))},
		[]string{"to review", count(len(r.Possible)), "possible pairs that a person should look at"},
		[]string{"households", count(r.Homes), "homes, by address, phone number or e-mail address"},
	)
}

// passes counts the combinations of fields that found pairs.
func passes(o *Outcome) int {
	n := 0
	for _, p := range o.Result.Blocking.Passes {
		if p.Pairs > 0 {
			n++
		}
	}
	return n
}

// sizes returns the sizes of the clusters, the largest first; there is at least one, though it be 0.
func (o *Outcome) sizes() []int {
	sizes := make([]int, max(o.Result.Persons, 1))
	for _, c := range o.Result.Clusters {
		sizes[c]++
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	return sizes
}

// several counts the clusters of more than one row.
func several(sizes []int) int {
	n := 0
	for n < len(sizes) && sizes[n] > 1 {
		n++
	}
	return n
}

// count writes a number with commas between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}

func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return percentOf(float64(part) / float64(whole))
}

// percentOf writes a share. Only nothing is 0 % and only all is 100 %.
func percentOf(share float64) string {
	s := strconv.FormatFloat(100*share, 'f', 1, 64)
	switch {
	case share > 0 && s == "0.0":
		return "<0.1 %"
	case share < 1 && s == "100.0":
		return ">99.9 %"
	}
	return strings.TrimSuffix(s, ".0") + " %"
}

// trim writes a probability as short as it is.
func trim(p float64) string { return strconv.FormatFloat(p, 'g', 6, 64) }

// memory is the most memory that this process took from the machine.
func memory() string {
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
	return count(int(b>>20)) + " MiB"
}
