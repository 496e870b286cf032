package analyst

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	"github.com/leadmesh/leadmesh/services/internal/analyst/report"
	"github.com/leadmesh/leadmesh/services/internal/console"
)

// show writes the page, if it is wanted.
func (t *Trained) show(out io.Writer) error {
	if out == nil {
		return nil
	}
	set, r := t.Set, t.Report
	used, held := t.used()
	p := &report.Page{
		Title: "What decides " + t.Outcome.Column + " in " + set.File.Label,
		Lead: fmt.Sprintf("A points table learned from %s, of which %s were won (%s is %s). Points add up to a score between 0 and 100, and the score says how probable a win is.",
			console.Plural(t.Rows, "row"), console.Count(int(r.Won)), t.Outcome.Column, t.Outcome.Positive),
		Source: fmt.Sprintf("%s: %s, separated by %s, %s. Taken as missing: empty, %s.", set.File.Label, console.Plural(set.Rows, "row"),
			set.File.Dialect.Separator(), set.File.Dialect.Encoding, strings.Join(t.Missing, ", ")),
		Revision: t.Card.Revision()[:12], Took: console.Took(t.Took) + " with " + console.Memory() + " of memory",
		Warnings: t.warnings(), Notes: t.notes(),
		Split: t.split(), Quality: t.quality(), Tables: t.groupTables(),
	}
	p.Figures = []report.Figure{
		{Value: console.Count(t.Rows), Label: "rows", Note: fmt.Sprintf("%s won, %s", console.Count(int(r.Won)), console.PercentOf(r.BaseRate))},
		{Value: strconv.Itoa(len(used)), Label: "signals used", Note: fmt.Sprintf("%s held back", console.Plural(len(held), "column"))},
	}
	if u := t.compared(); u != nil {
		auc := report.Figure{Value: figure(u.AUC.Value), Label: "AUC", Note: between(u.AUC) + ", on rows not learned from"}
		off := report.Figure{Value: figure(u.Calibration.Error.Value), Label: "calibration error", Note: between(u.Calibration.Error) + ", on the same rows"}
		tenth := report.Figure{Value: best(u), Label: "best tenth", Note: "as often won as all rows"}
		if with := t.Unseen; u != with {
			auc.Label += " without " + t.Override.names()
			auc.Note += "; with it, by override, " + figure(with.AUC.Value)
			off.Note += "; with " + t.Override.names() + " " + figure(with.Calibration.Error.Value)
			tenth.Note += "; with " + t.Override.names() + " " + best(with)
		}
		p.Figures = append(p.Figures, auc, off, tenth)
	}
	for i := range set.Columns {
		c, u := &set.Columns[i], &t.Uses[i]
		column := report.Column{Name: c.Name, Kind: c.Kind.String(), Distinct: values(c), Missing: console.Percent(set.Rows-c.Filled, set.Rows), Use: u.Role.String(), Why: t.why(i)}
		switch column.Used = u.Role != HeldBack; {
		case u.Role == Signal && !slices.Contains(used, c.Name):
			column.Use, column.Used, column.Why = "not used", false, t.reported(c.Name)
		}
		p.Columns = append(p.Columns, column)
	}
	for _, h := range held {
		p.Held = append(p.Held, report.Held{Name: h.Column, Why: h.Why, Figure: t.alone(h.Column)})
	}
	changing := slices.Clone(r.Columns)
	slices.SortStableFunc(changing, func(a, b train.Column) int { return cmp.Compare(b.Drift, a.Drift) })
	for _, c := range changing {
		if c.Drift > mildDrift {
			d := report.Drift{Name: c.Name, Figure: figure(c.Drift), Words: "changes somewhat", Done: "used"}
			if c.Drift > strongDrift {
				d.Words = "changes much: the newer rows are of another kind"
			}
			if !c.Used {
				d.Done = "held back: " + c.Held
			}
			p.Drift = append(p.Drift, d)
		}
	}
	for i := range t.Card.Rows {
		p.Signals = append(p.Signals, t.signal(&t.Card.Rows[i]))
	}
	slices.SortStableFunc(p.Signals, func(a, b report.Signal) int { return cmp.Compare(b.Importance, a.Importance) })
	for i := range t.Card.Pairs {
		p.Pairs = append(p.Pairs, pair(&t.Card.Pairs[i]))
	}
	slices.SortStableFunc(p.Pairs, func(a, b report.Pair) int { return cmp.Compare(b.Importance, a.Importance) })
	return report.Write(out, p)
}

// From these population stability indexes on a column is said to change; they are the customary ones.
const (
	mildDrift   = 0.1
	strongDrift = 0.25
)

// alone is how well a column tells wins by itself, where the learner looked.
func (t *Trained) alone(name string) string {
	for _, c := range t.Report.Columns {
		if c.Name == name && c.Alone > 0 {
			return "AUC alone " + figure(c.Alone)
		}
	}
	return ""
}

// warnings are what a person must look at before trusting the table.
func (t *Trained) warnings() []report.Warning {
	var out []report.Warning
	if w, ok := t.leaks(); ok {
		out = append(out, w)
	}
	if w, ok := t.proxies(); ok {
		out = append(out, w)
	}
	if t.Report.Nothing {
		out = append(out, report.Warning{Grave: true, Title: "There is nothing to learn", Words: "No column tells the outcome better than chance on rows that were not learned from. Every row gets the same probability."})
	} else if u := t.compared(); u != nil && u.AUC.Low <= 0.5 {
		out = append(out, report.Warning{Grave: true, Title: "The columns tell nothing reliable",
			Words: fmt.Sprintf("On %s not learned from, the points tell won from lost no better than chance: the AUC is %s, %s, and 0.5 is chance.", console.Plural(u.Rows, "row"), figure(u.AUC.Value), between(u.AUC))})
	}
	for i := range t.Uses {
		if u := &t.Uses[i]; u.Denied != "" && u.Role == Signal {
			out = append(out, report.Warning{Grave: true, Title: "Denied column in use: " + t.Set.Columns[i].Name,
				Words: fmt.Sprintf("It speaks of %s, which no score may look at by default. It is used because: %s.%s", u.Denied, strings.TrimSuffix(t.because(i), "."), t.beside())})
		}
	}
	var drifting []string
	for _, c := range t.Report.Columns {
		if c.Drift > strongDrift {
			drifting = append(drifting, fmt.Sprintf("%s (%s)", c.Name, figure(c.Drift)))
		}
	}
	if len(drifting) > 0 {
		out = append(out, report.Warning{Title: "Columns that change over time", Words: "The newer rows differ much from the older in " + strings.Join(short(drifting, 8), ", ") +
			". The figure is the population stability index; from 0.25 on it counts as much."})
	}
	var changed []string
	for _, m := range t.moved {
		changed = append(changed, m.String())
	}
	if t.Report.Scaled != "" {
		changed = append(changed, t.Report.Scaled)
	}
	if len(changed) > 0 {
		out = append(out, report.Warning{Title: "The table that it started from gave way", Items: changed, Words: "Nobody's points are cut by what an expert did not foresee. Where a limit is meant to hold whatever the rows say, edit the points table."})
	}
	if rec := t.Report.Recent; t.times != nil && math.Abs(rec.Late-rec.Early) > 0.05 {
		out = append(out, report.Warning{Title: "The share won moves", Words: fmt.Sprintf("It is %s among the older rows and %s among the newest fifth. Probabilities follow the newer rows; when it moves again, model evaluate --recalibrate follows.",
			console.PercentOf(rec.Early), console.PercentOf(rec.Late))})
	}
	return out
}

// proxies are the signals from which denied columns can be told.
func (t *Trained) proxies() (w report.Warning, ok bool) {
	for _, p := range t.Report.Proxies {
		w.Items = append(w.Items, fmt.Sprintf("%s tells %s (%s) with AUC %s", p.Column, p.Denied, p.Value, figure(p.Area)))
	}
	w.Title = "Signals that tell denied columns"
	w.Words = "They are used; what a denied column shall not decide, they may in part. Leave out with --exclude what nobody could defend."
	return w, len(w.Items) > 0
}

// leaks are the columns that were perhaps written only afterwards.
func (t *Trained) leaks() (w report.Warning, ok bool) {
	var columns []string
	for _, l := range t.Report.Leaks {
		name := l.Column
		switch {
		case l.Second != "":
			name += " with " + l.Second
		case l.Value != "":
			name += ", " + l.Value
		}
		why := l.Why
		if why == "" {
			why = "alone it tells wins with AUC " + figure(l.Alone)
		}
		w.Items = append(w.Items, name+": "+why)
		for _, name := range []string{l.Column, l.Second} {
			if name != "" && !slices.Contains(columns, name) {
				columns = append(columns, name)
			}
		}
	}
	w.Grave, w.Title = true, "Suspected leaks"
	w.Words = "What is written only after somebody dealt with a lead is not known when the next one comes; the figures then promise what cannot be kept. If that is so here, leave it out:"
	w.Command = fmt.Sprintf("--exclude %q", strings.Join(columns, ","))
	return w, len(columns) > 0
}

func (t *Trained) because(i int) string {
	_, reason, _ := strings.Cut(t.Uses[i].Why, "allowed because ")
	return reason
}

func (t *Trained) beside() string {
	u := t.compared()
	if u == t.Unseen {
		return ""
	}
	without := "it"
	if len(t.Override.Columns) > 1 {
		without = t.Override.names()
	}
	return fmt.Sprintf(" Without %s AUC is %s instead of %s.", without, figure(u.AUC.Value), figure(t.Unseen.AUC.Value))
}

// notes say how it was learned.
func (t *Trained) notes() []string {
	var out []string
	if t.times == nil {
		out = append(out, "No --time was given: the rows that were kept unseen were drawn at random, and nothing is known of changes over time. Outcomes of leads that come later may be told less well than these figures say.")
	}
	if t.Open > 0 {
		out = append(out, fmt.Sprintf("%s without an outcome were left out. They are no losses; with --time and --decided they count by their age.", console.Plural(t.Open, "row")))
	}
	if t.Late > 0 {
		out = append(out, fmt.Sprintf("%s without a time were left out.", console.Plural(t.Late, "row")))
	}
	if t.Set.Skipped > 0 {
		out = append(out, fmt.Sprintf("%s could not be read.", console.Plural(t.Set.Skipped, "row")))
	}
	return out
}

// signal is a row of the card as the page shows it.
func (t *Trained) signal(r *card.Row) report.Signal {
	s := report.Signal{Name: r.Feature, Number: r.Kind == frame.Number, Importance: importance(r)}
	switch r.Monotone {
	case card.Rising:
		s.Words = "Never falls, as asked."
	case card.Falling:
		s.Words = "Never rises, as asked."
	}
	for i := range t.Set.Columns {
		if codes := t.Uses[i].Codes; t.Set.Columns[i].Name == r.Feature && len(codes) > 0 {
			s.Words = strings.TrimSpace(s.Words + " " + strings.Join(codes, "; ") + ".")
		}
	}
	for _, b := range r.Bins {
		s.Bins = append(s.Bins, report.Bin{Words: binWords(b), Below: b.Below, Missing: b.Missing && !b.Other && b.Below == nil && len(b.Values) == 0,
			Points: float64(b.Points) / 100, Error: float64(b.Error) / 100, Rows: int(b.Count)})
	}
	if s.Number { // the rest stands behind the thresholds, missing behind all
		slices.SortStableFunc(s.Bins, func(a, b report.Bin) int { return place(a) - place(b) })
	}
	return s
}

func place(b report.Bin) int {
	switch {
	case b.Missing:
		return 2
	case b.Below == nil:
		return 1
	}
	return 0
}

// importance is the mean of what a signal moves rows by, in points.
func importance(r *card.Row) float64 {
	var m moved
	for _, b := range r.Bins {
		m = append(m, [2]float64{float64(b.Points), float64(b.Count)})
	}
	return m.mean()
}

// moved is points, and rows that they are given to.
type moved [][2]float64

// mean is the mean distance from the mean, in points of 100.
func (m moved) mean() float64 {
	sum, rows := 0.0, 0.0
	for _, v := range m {
		sum, rows = sum+v[0]*v[1], rows+v[1]
	}
	if rows == 0 {
		return 0
	}
	middle, far := sum/rows, 0.0
	for _, v := range m {
		far += math.Abs(v[0]-middle) * v[1]
	}
	return far / rows / 100
}

// binWords names a bin of a category.
func binWords(b card.Bin) string {
	var words []string
	words = append(words, b.Values...)
	if b.Other && b.Below == nil {
		words = append(words, "all others")
	}
	if b.Missing {
		words = append(words, "missing")
	}
	return strings.Join(words, ", ")
}

// pair is a pair of the card as the page shows it.
func pair(p *card.Pair) report.Pair {
	out := report.Pair{First: p.First.Feature, Second: p.Second.Feature, Rows: partWords(&p.First), Columns: partWords(&p.Second)}
	var all moved
	for _, row := range p.Cells {
		for _, c := range row {
			all = append(all, [2]float64{float64(c.Points), float64(c.Count)})
		}
		var points []float64
		var counts []int
		for _, c := range row {
			points, counts = append(points, float64(c.Points)/100), append(counts, int(c.Count))
		}
		out.Points, out.Counts = append(out.Points, points), append(out.Counts, counts)
	}
	out.Importance = all.mean()
	return out
}

func partWords(s *card.Side) []string {
	var out []string
	before := ""
	for _, part := range s.Parts {
		words := binWords(card.Bin{Values: part.Values, Missing: part.Missing, Other: part.Other && s.Kind == frame.Category})
		switch {
		case part.Below != nil:
			border := report.Number(*part.Below)
			if words = strings.TrimSuffix(before+" to "+border+", "+words, ", "); before == "" {
				words = strings.TrimPrefix(words, " to ")
				words = "below " + words
			}
			before = border
		case part.Other && s.Kind == frame.Number:
			words = strings.TrimSuffix("from "+before+", "+words, ", ")
		}
		out = append(out, words)
	}
	return out
}

// split says how rows were parted.
func (t *Trained) split() report.Split {
	l := t.learned().Split
	s := report.Split{Ordered: t.times != nil}
	if all := l.Learn + l.Unseen; all > 0 {
		how := "drawn at random, since no --time was given"
		if t.times != nil {
			how = "the newest by " + t.times.column.Name
			if l.At != "" {
				how += ", from " + l.At + " on"
			}
		}
		s.Words = fmt.Sprintf("Of %s, %s were kept unseen for the figures on this page: %s. The points table itself was then learned from all rows, as it is of most use to rows to come.",
			console.Plural(int(all), "row"), console.Count(int(l.Unseen)), how)
	}
	s.Periods = t.periods()
	return s
}

func (t *Trained) learned() card.Learned {
	if t.Card.Learned == nil {
		return card.Learned{}
	}
	return *t.Card.Learned
}

// mostPeriods is how many stretches the picture of time shows.
const mostPeriods = 30

// periods is the share won over time.
func (t *Trained) periods() []report.Period {
	if t.times == nil {
		return nil
	}
	var rows []int
	for row := range t.Set.Rows {
		if t.times.rank[row] >= 0 && !t.Outcome.Open[row] {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b int) int { return int(t.times.rank[a] - t.times.rank[b]) })
	n := min(mostPeriods, len(rows)/25)
	l := t.learned().Split
	var out []report.Period
	for i := range n {
		stretch := rows[i*len(rows)/n : (i+1)*len(rows)/n]
		until, _, _ := strings.Cut(t.times.text(t.times.rank[stretch[len(stretch)-1]]), " ") // the day is enough
		p := report.Period{Rows: len(stretch), Until: until}
		for _, row := range stretch {
			if t.Outcome.Won[row] {
				p.Share += 1 / float64(len(stretch))
			}
		}
		if l.Unseen > 0 && (2*i+1)*len(rows)/(2*n) >= int(l.Learn) {
			p.Part = report.Unseen
		}
		out = append(out, p)
	}
	return out
}

// quality is how good the table is on rows it has not seen.
func (t *Trained) quality() report.Quality {
	u := t.Unseen
	if u == nil {
		return report.Quality{Words: "Too few rows could be kept unseen, so nothing is known of how good the points table is."}
	}
	q := report.Quality{Base: u.Share, Words: fmt.Sprintf("A points table was learned in the same way from the other rows and tried on %s that it had not seen, of which %s were won.", console.Plural(u.Rows, "row"), console.PercentOf(u.Share))}
	q.Compared = []report.Compared{
		compared("points table", u),
		{Name: "the same probability for every row", AUC: "0.500", LogLoss: figure(u.LogLossShare), Brier: figure(u.BrierShare), Calibration: "-"},
	}
	if without := t.compared(); without != u {
		q.Compared = append([]report.Compared{compared("points table without "+t.Override.names(), without)}, q.Compared...)
		q.Compared[1].Name = "beside it, by override: the points table with " + t.Override.names()
		q.Words += fmt.Sprintf(" %s %s denied and came in by an override: what is to be compared is the points table without. The pictures show the one that was written, with %s.",
			t.Override.names(), map[bool]string{true: "are", false: "is"}[len(t.Override.Columns) > 1], t.Override.names())
	}
	for _, b := range u.Reliability {
		q.Reliability = append(q.Reliability, report.Reliability{Predicted: b.Stated, Won: b.Won.Value, Low: b.Won.Low, High: b.Won.High, Rows: b.Rows})
	}
	q.Gain = append(q.Gain, report.Point{})
	for i, l := range u.Lift {
		q.Gain = append(q.Gain, report.Point{X: l.Share, Y: l.Gain})
		q.Lift = append(q.Lift, report.Lift{Words: fmt.Sprintf("tenth %d, from %.0f points", i+1, math.Floor(l.From/100)), Rows: int(math.Round(l.Weight)), Won: int(math.Round(l.Won)), Share: l.Rate, Lift: l.Times, All: l.Gain})
	}
	return q
}

func compared(name string, r *assess.Report) report.Compared {
	return report.Compared{Name: name, AUC: fmt.Sprintf("%s (%s)", figure(r.AUC.Value), between(r.AUC)), LogLoss: figure(r.LogLoss.Value),
		Brier: figure(r.Brier.Value), Calibration: figure(r.Calibration.Error.Value)}
}
