package analyst

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/services/internal/analyst/report"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
)

// Print writes what the table was taken for.
func (p *Plan) Print(out io.Writer) {
	set := p.Set
	skipped := ""
	if set.Skipped > 0 {
		skipped = fmt.Sprintf(", %s skipped", console.Count(set.Skipped))
	}
	fmt.Fprintf(out, "%s: %s%s; separated by %s, %s\n", set.File.Label, console.Plural(set.Rows, "row"), skipped, set.File.Dialect.Separator(), set.File.Dialect.Encoding)
	rows := [][]string{{"column", "read as", "values", "missing", "use", ""}}
	for i := range set.Columns {
		c := &set.Columns[i]
		rows = append(rows, []string{c.Name, c.Kind.String(), values(c), console.Percent(set.Rows-c.Filled, set.Rows), p.Uses[i].Role.String(), p.why(i)})
	}
	console.Table(out, rows, 2, 3)
	fmt.Fprintf(out, "  taken as missing: empty, %s (--missing says otherwise)\n", strings.Join(p.Missing, ", "))
	if p.Outcome.Guessed {
		fmt.Fprintf(out, "  a row is won where %s is %s (--positive says otherwise)\n", p.Outcome.Column, p.Outcome.Positive)
	}
	fmt.Fprintln(out)
}

func (p *Plan) why(i int) string {
	parts := append([]string{p.Uses[i].Why, p.Set.Columns[i].Note}, p.Uses[i].Codes...)
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

func values(c *dataset.Column) string {
	if c.More {
		return "over " + console.Count(c.Distinct)
	}
	return console.Count(c.Distinct)
}

// Print writes what was learned.
func (t *Trained) Print(out io.Writer) {
	r := t.Report
	rows := [][]string{{"rows learned from", console.Count(t.Rows), fmt.Sprintf("%s won, %s", console.Count(int(r.Won)), console.PercentOf(r.BaseRate))}}
	if t.Open > 0 {
		note := "left out: nobody knows yet what becomes of them; with --time and --decided they count by their age"
		if t.times != nil {
			note = "left out: nobody knows yet what becomes of them; with --decided they count by their age"
		}
		rows = append(rows, []string{"rows still open", console.Count(t.Open), note})
	} else if r.Open > 0 {
		rows = append(rows, []string{"rows still open", console.Count(int(r.Open)), "count by their age, not as lost"})
	}
	if t.Late > 0 {
		rows = append(rows, []string{"rows without time", console.Count(t.Late), "left out: nobody knows where they belong"})
	}
	if t.Set.Skipped > 0 {
		rows = append(rows, []string{"rows skipped", console.Count(t.Set.Skipped), "cannot be read"})
	}
	used, held := t.used()
	rows = append(rows, []string{"signals", strconv.Itoa(len(used)), strings.Join(short(used, 6), ", ")})
	rows = append(rows, []string{"pairs", strconv.Itoa(len(t.Card.Pairs)), strings.Join(short(pairNames(t.Card), 2), "; ")})
	rows = append(rows, []string{"held back", strconv.Itoa(len(held)), ""})
	console.Table(out, append(rows, t.figures()...), 1)
	for _, h := range held {
		fmt.Fprintf(out, "    %s: %s\n", h.Column, h.Why)
	}
	if t.compared() != t.Unseen {
		t.Override.print(out, t.Unseen)
	}
	for _, x := range t.groupTables() {
		fmt.Fprintf(out, "\nby %s, on rows not learned from\n", strings.TrimPrefix(x.Title, "By "))
		console.Table(out, append([][]string{x.Head}, x.Rows...), 1, 2, 3, 5)
	}
	for _, w := range t.warnings() {
		fmt.Fprintf(out, "\n%s\n", w.Title)
		for _, item := range w.Items {
			fmt.Fprintf(out, "    %s\n", item)
		}
		fmt.Fprintln(out, strings.TrimRight("  "+w.Words+" "+w.Command, " "))
	}
	fmt.Fprintln(out)
	console.Table(out, [][]string{{"points table", t.Card.Revision()[:12], ""}, {"time", console.Took(t.Took), ""}, {"peak memory", console.Memory(), ""}}, 1)
}

// groupTables are the figures told apart by what --segment names.
func (t *Trained) groupTables() []report.Table {
	if t.Card.Learned == nil {
		return nil
	}
	var out []report.Table
	by := ""
	for _, g := range t.Card.Learned.Groups {
		if g.By != by {
			by = g.By
			out = append(out, report.Table{Title: "By " + by, Words: "On rows not learned from.", Head: []string{"value", "rows", "won", "AUC", "between", "calibration error"}})
		}
		name := cmp.Or(g.Value, "(missing)")
		if g.Others > 0 {
			name = fmt.Sprintf("(%d others)", g.Others)
		}
		row := []string{name, console.Count(int(g.Rows)), console.Percent(int(g.Positives), int(g.Rows)), "-", "too few", "-"}
		if g.Positives >= fewestUnseen && g.Rows-g.Positives >= fewestUnseen {
			row[3], row[4], row[5] = figure(g.AUC), figure(g.AUCLow)+" to "+figure(g.AUCHigh), figure(g.CalibrationError)
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, row)
	}
	return out
}

// figures are those on rows that the points table has not seen.
func (t *Trained) figures() [][]string {
	u := t.compared()
	if u == nil {
		return [][]string{{"figures", "none", fmt.Sprintf("of the rows kept unseen fewer than %d were won, or fewer were lost", fewestUnseen)}}
	}
	flattered := ""
	if len(t.Report.Leaks) > 0 {
		flattered = "; flattered by suspected leaks, see below"
	}
	var rows [][]string
	if u != t.Unseen {
		rows = [][]string{{"figures", "", "without " + t.Override.names() + ", as figures to compare by are; see beside them below"}}
	}
	return append(rows, [][]string{
		{"AUC", figure(u.AUC.Value), fmt.Sprintf("%s, on %s not learned from; 0.5 is chance%s", between(u.AUC), console.Plural(u.Rows, "row"), flattered)},
		{"log loss", figure(u.LogLoss.Value), figure(u.LogLossShare) + " with the same probability for every row"},
		{"Brier", figure(u.Brier.Value), figure(u.BrierShare) + " with the same probability for every row"},
		{"calibration error", figure(u.Calibration.Error.Value), between(u.Calibration.Error) + "; by how much predicted and true shares differ"},
		{"best tenth", best(u), fmt.Sprintf("as often won as all; it holds %s of the wins", console.PercentOf(u.Lift[0].Gain))},
	}...)
}

// used returns the signals of the card, the most telling first, and the columns held back.
func (t *Trained) used() (used []string, held []card.Held) {
	for i := range t.Card.Rows {
		used = append(used, t.Card.Rows[i].Feature)
	}
	for i := range t.Card.Pairs { // some tell something only together with another
		for _, name := range []string{t.Card.Pairs[i].First.Feature, t.Card.Pairs[i].Second.Feature} {
			if !slices.Contains(used, name) {
				used = append(used, name)
			}
		}
	}
	for i := range t.Set.Columns {
		name := t.Set.Columns[i].Name
		if slices.Contains(used, name) {
			continue
		}
		switch u := t.Uses[i]; {
		case u.Role == HeldBack:
			held = append(held, card.Held{Column: name, Why: u.Why})
		case u.Role == Signal:
			held = append(held, card.Held{Column: name, Why: t.reported(name)})
		}
	}
	return used, held
}

// reported is what the learner says of a column that it did not use.
func (t *Trained) reported(name string) string {
	for _, c := range t.Report.Columns {
		if c.Name == name && c.Held != "" {
			return c.Held
		}
	}
	return "tells nothing beyond the others"
}

func short(words []string, n int) []string {
	if len(words) > n {
		return append(slices.Clone(words[:n]), "…")
	}
	return words
}

func pairNames(c *card.Card) []string {
	var out []string
	for i := range c.Pairs {
		out = append(out, c.Pairs[i].First.Feature+" with "+c.Pairs[i].Second.Feature)
	}
	return out
}

func figure(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
