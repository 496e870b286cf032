package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

const (
	// widest is the most bins of all columns together, which bounds the memory of the sums.
	widest = 4096
	// searched is how many rows the search for the best way to learn sees.
	searched = 200_000
	// ordinary is the most bins of one column.
	ordinary = 64
)

// screen decides by name and by shape which columns may be learned from, and codes those.
func (l *learner) screen() error {
	excluded := make(map[string]bool)
	for _, name := range l.o.Exclude {
		excluded[name] = true
	}
	l.report.Columns = make([]Column, len(l.f.Columns))
	held := make([]string, len(l.f.Columns))
	err := l.each(len(l.f.Columns), func(j int) {
		c := &l.f.Columns[j]
		attribute, bad := Denied(c.Name)
		_, allowed := l.o.Override[c.Name]
		switch {
		case c.Name == l.o.Target.Column && c.Name != "":
			held[j] = "it is the outcome"
		case c.Name == l.o.TimeColumn && c.Name != "":
			held[j] = "it is the time of the row"
		case excluded[c.Name]:
			held[j] = "excluded by option"
		case bad && !allowed:
			held[j] = fmt.Sprintf("it speaks of %s, which is denied unless overridden with a reason", attribute)
		default:
			if held[j] = l.shapeless(c); held[j] == "" && l.timed {
				held[j] = novel(c)
			}
		}
		missing := 0
		for i := range l.f.Rows {
			if c.Missing(i) {
				missing++
			}
		}
		l.report.Columns[j] = Column{
			Name: c.Name, Kind: c.Kind, Held: held[j], Missing: float64(missing) / float64(max(l.f.Rows, 1)),
		}
	})
	if err != nil {
		return err
	}
	open := 0
	for _, why := range held {
		if why == "" {
			open++
		}
	}
	n := l.f.Rows
	// A bin of fewer rows than this says more of luck than of the signal.
	least := max(5, min(n/500, 200))
	most := ordinary
	if n < 20_000 {
		most = 32
	}
	most = max(min(most, widest/max(open, 1)), 6)
	binnings := make([]*binning, len(l.f.Columns))
	codes := make([]coded, len(l.f.Columns))
	err = l.each(len(l.f.Columns), func(j int) {
		if held[j] != "" {
			return
		}
		c := &l.f.Columns[j]
		cuts, names := l.prior.parts(c.Name)
		b := bin(c, min(fineBins, most+len(cuts)+len(names)), least, cuts, names, l.monotone(c.Name) != 0)
		l.report.Columns[j].Codes = append(slices.Clone(b.low), b.high...)
		col := coded{codes: make([]uint8, n), bins: b.bins, ordered: b.ordered(), monotone: int8(l.monotone(c.Name))}
		col.low, col.high = b.ends()
		b.apply(c, col.codes)
		if l.prior != nil {
			col.start = l.prior.shape(b)
		}
		binnings[j], codes[j] = b, col
	})
	if err != nil {
		return err
	}
	l.clustered()
	l.m = &matrix{rows: n}
	for j := range l.f.Columns {
		if held[j] == "" {
			l.columns = append(l.columns, binnings[j])
			l.index = append(l.index, j)
			l.m.columns = append(l.m.columns, codes[j])
		}
	}
	if l.prior != nil {
		offset, err := l.prior.offset(l.f)
		if err != nil {
			return err
		}
		l.s.offset = offset
	}
	if n > searched {
		l.all = &view{l.m, l.s}
		l.m, l.s, l.seen = sketch(l.m, l.s, searched, l.o.Seed, 0)
	}
	l.settle()
	return nil
}

// monotone is which way a column may go, by option or by the expert's card.
func (l *learner) monotone(name string) card.Monotone {
	if way := l.o.Monotone[name]; way != 0 || l.prior == nil || l.prior.rows[name] == nil {
		return way
	}
	return l.prior.rows[name].Monotone
}

// shapeless says why the values of a column can teach nothing: there is one only, or nearly as
// many as rows. Continuous measurements differ in every row too, so numbers count as the names
// of rows only where they are whole and either dense or run with the rows.
func (l *learner) shapeless(c *frame.Column) string {
	n := c.Len()
	if n == 0 {
		return ""
	}
	if c.Kind == frame.Category {
		count := make([]int, len(c.Values)+1)
		for _, code := range c.Codes {
			count[code+1]++
		}
		distinct, most, filled := 0, 0, n-count[0]
		for v, k := range count {
			most = max(most, k)
			if v > 0 && k > 0 {
				distinct++
			}
		}
		switch {
		case filled == 0:
			return "it is empty"
		case most == n:
			return "it has the same value in every row"
		case n-most < max(5, n/2000) && n >= 50 && l.o.Prior == nil:
			return "it has the same value in nearly every row"
		case filled >= 50 && distinct*100 >= filled*95:
			return "nearly every row has a value of its own, so it names rows"
		case filled >= 1000 && distinct*2 >= filled:
			return "most rows have a value of their own, so it names rows"
		}
		return ""
	}
	sorted := make([]float64, 0, n)
	whole := true
	for _, v := range c.Numbers {
		if !math.IsNaN(v) {
			sorted = append(sorted, v)
			whole = whole && v == math.Trunc(v)
		}
	}
	if len(sorted) == 0 {
		return "it is empty"
	}
	along := rank(c.Numbers)
	slices.Sort(sorted)
	filled := len(sorted)
	count := distinct(sorted, filled)
	if count == 1 && filled == n {
		return "it has the same value in every row"
	}
	if run := longest(sorted); max(run, n-filled) > n-max(5, n/2000) && n >= 50 && l.o.Prior == nil {
		return "it has the same value in nearly every row"
	}
	span := sorted[filled-1] - sorted[0]
	if filled >= 50 && whole && count*100 >= filled*95 && (span < 20*float64(filled) || math.Abs(along) > 0.9 || named(c.Name)) {
		return "nearly every row has a number of its own, so it names rows"
	}
	if l.timed && filled >= 50 && count > 20 && math.Abs(along) > 0.95 {
		return "it runs away with time: tomorrow's values were never seen"
	}
	return ""
}

// novel says that most of the newest rows have values that no older row has, so that nothing
// learned of the older ones helps: months and campaigns by name, steps of a counter.
func novel(c *frame.Column) string {
	n := c.Len()
	cut := n * 8 / 10
	if n-cut < 50 {
		return ""
	}
	fresh, filled := 0, 0
	if c.Kind == frame.Category {
		seen := make([]bool, len(c.Values)+1)
		for _, code := range c.Codes[:cut] {
			seen[code+1] = true
		}
		for _, code := range c.Codes[cut:] {
			if code >= 0 {
				filled++
				if !seen[code+1] {
					fresh++
				}
			}
		}
	} else {
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range c.Numbers[:cut] {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
		for _, v := range c.Numbers[cut:] {
			if !math.IsNaN(v) {
				filled++
				if v < low || v > high {
					fresh++
				}
			}
		}
	}
	if filled >= 50 && fresh*2 > filled {
		return "most of the newest rows have values that no older row has"
	}
	return ""
}

// named tells whether a name says that the column tells rows apart.
func named(name string) bool {
	for _, w := range wordsOf(name) {
		switch w {
		case "id", "number", "no", "nr", "nummer", "key", "uuid", "guid", "index":
			return true
		}
	}
	return false
}

func longest(sorted []float64) int {
	best, run := 1, 1
	for i := 1; i < len(sorted); i++ {
		if sorted[i] != sorted[i-1] {
			run = 0
		}
		run++
		best = max(best, run)
	}
	return best
}

// rank is Spearman's correlation of a column with the order of its rows, from at most 20,000 of
// them; 0 where it is the same throughout.
func rank(numbers []float64) float64 {
	stride := 1 + (len(numbers)-1)/20_000
	var at []int
	for i := 0; i < len(numbers); i += stride {
		if !math.IsNaN(numbers[i]) {
			at = append(at, i)
		}
	}
	n := len(at)
	if n < 3 {
		return 0
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := numbers[at[a]], numbers[at[b]]; {
		case x < y:
			return -1
		case x > y:
			return 1
		default:
			return a - b
		}
	})
	middle := float64(n-1) / 2
	cross, square, all := 0.0, 0.0, 0.0
	for i := 0; i < n; {
		j := i
		for j < n && numbers[at[order[j]]] == numbers[at[order[i]]] {
			j++
		}
		r := float64(i+j-1)/2 - middle
		for ; i < j; i++ {
			t := float64(order[i]) - middle
			cross += r * t
			square += r * r
			all += t * t
		}
	}
	if square == 0 {
		return 0
	}
	return cross / math.Sqrt(square*all)
}

// hold takes a column of the matrix out and says why.
func (l *learner) hold(j int, why string) {
	l.report.Columns[l.index[j]].Held = why
	l.columns = slices.Delete(l.columns, j, j+1)
	l.index = slices.Delete(l.index, j, j+1)
	l.m = l.m.without(j)
	if l.all != nil {
		l.all.m = l.all.m.without(j)
	}
}

// heldCard lists the columns held back as the card shows them.
func (l *learner) heldCard() []card.Held {
	var held []card.Held
	for _, c := range l.report.Columns {
		if c.Held != "" {
			held = append(held, card.Held{Column: c.Name, Why: c.Held})
		}
	}
	return held
}
