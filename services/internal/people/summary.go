package people

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/services/internal/console"
)

// PrintMapping writes what the columns of the lists were taken for.
func PrintMapping(out io.Writer, lists []*List) {
	for _, l := range lists {
		skipped := ""
		if l.Skipped > 0 {
			skipped = fmt.Sprintf(", %s skipped", console.Count(l.Skipped))
		}
		fmt.Fprintf(out, "%s: %s%s; separated by %s, %s\n", l.Label, console.Plural(l.Rows, "row"), skipped, l.Dialect.Separator(), l.Dialect.Encoding)
		rows := [][]string{{"column", "read as", "filled", ""}}
		for i, c := range l.Mapping.Columns {
			header := c.Header
			if header == "" {
				header = "(no name)"
			}
			rows = append(rows, []string{header, c.meaning(), console.Percent(c.Filled, l.Rows), l.note(i)})
		}
		console.Table(out, rows, 2)
		if l.Mapping.ID < 0 {
			fmt.Fprintln(out, "  no column names each row by a value of its own: rows are named by their lines")
		}
		fmt.Fprintln(out)
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
	console.Table(out, append(o.figures(),
		[]string{"pairs compared", console.Count(b.Compared), fmt.Sprintf("found by %s of fields", console.Plural(passes(o), "combination"))},
		[]string{"common keys", console.Count(b.Common + len(o.Result.Common)), fmt.Sprintf("too frequent to compare all rows that share them; %s too frequent to be evidence", console.Plural(len(o.Result.Common), "value"))},
		[]string{"pairs lost", console.PercentOf(float64(b.Lost) / 1e6), "estimated share of true pairs that were never compared"},
		[]string{"threshold", trim(o.Match), "probability from which on two rows are one person"},
		[]string{"time", console.Took(o.Took), ""},
		[]string{"peak memory", console.Memory(), ""},
	), 1)
	if o.Truth != nil {
		fmt.Fprintln(out)
		o.Truth.Print(out)
	}
}

// figures are what cleaning found: what, how many, and what that means.
func (o *Outcome) figures() [][]string {
	read, skipped := o.Rows()
	rows := [][]string{{"rows read", console.Count(read), ""}}
	if skipped > 0 {
		rows = append(rows, []string{"rows skipped", console.Count(skipped), "cannot be read; not in the output"})
	}
	r := o.Result
	sizes := o.sizes()
	return append(rows,
		[]string{"persons", console.Count(r.Persons), fmt.Sprintf("clusters; the largest has %s", console.Plural(sizes[0], "row"))},
		[]string{"duplicates", console.Count(read - r.Persons), fmt.Sprintf("%s of the rows, in %s", console.Percent(read-r.Persons, read), console.Plural(several(sizes), "cluster"))},
		[]string{"to review", console.Count(len(r.Possible)), "possible pairs that a person should look at"},
		[]string{"households", console.Count(r.Homes), "homes, by address, phone number or e-mail address"},
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

// trim writes a probability as short as it is.
func trim(p float64) string { return strconv.FormatFloat(p, 'g', 6, 64) }
