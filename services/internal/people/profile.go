package people

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// columnProfile is what the values of a whole column say.
type columnProfile struct {
	filled int
	dates  dateVotes
	idLike int    // values that look like ids
	seen   []seen // values, where it matters whether they repeat
	plain  bool   // every value may stand in a file as it is

	isDate, isID bool
	seed         maphash.Seed // one for all lists, whose values are compared
}

// seen is a value of a row.
type seen struct {
	hash uint64
	name rune // with what letter the family name of the row begins, 0 if there is none
}

// watch says what is of interest in a column.
func (p *columnProfile) watch(c *Column, seed maphash.Seed) {
	p.seed = seed
	p.isDate = c.Field == FieldBorn
	p.isID = c.Field == FieldID || c.Field.external() || c.Field == FieldNone && idLike(c.Header)
	p.plain = true
}

// add takes the cell of a row whose family name begins with a letter.
func (p *columnProfile) add(cell string, name rune) {
	if cell == "" {
		return
	}
	p.filled++
	if p.isDate {
		p.dates.add(cell)
	}
	if p.isID {
		if looksLikeID(cell) {
			p.idLike++
		}
		p.plain = p.plain && plain(cell)
		p.seen = append(p.seen, seen{maphash.String(p.seed, cell), name})
	}
}

// names reports whether the column's values name rows.
func (p *columnProfile) names(rows int) bool {
	return p.isID && p.plain && rows > 0 && p.filled == rows && distinct(p.seen) == rows
}

// distinct counts the values. It sorts them.
func distinct(values []seen) int {
	slices.SortFunc(values, func(a, b seen) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.name, b.name)) })
	n := 0
	for i, v := range values {
		if i == 0 || v.hash != values[i-1].hash {
			n++
		}
	}
	return n
}

// mixed reports whether most of the values that rows share are shared by people of different names: it
// is a company's number, or a store's. The values are sorted.
func mixed(values []seen) bool {
	shared, other := 0, 0
	for from := 0; from < len(values); {
		to := from + 1
		for to < len(values) && values[to].hash == values[from].hash {
			to++
		}
		if to-from > 1 {
			shared++
			if first := values[from].name; first != 0 && first != values[to-1].name {
				other++
			}
		}
		from = to
	}
	return other*2 > shared
}

// plain reports a value that needs no quotes and means the same in every encoding.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(",;|\"'", c) >= 0 {
			return false
		}
	}
	return len(s) <= 64
}

// looksLikeID reports a value with digits and without what no id has.
func looksLikeID(s string) bool {
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '@' || c == ' ' || c == ':':
			return false
		}
	}
	return digits >= 2 && len(s) <= 48
}

// settle decides, with all lists read, what only whole columns tell: the order of dates, and which ids
// are evidence.
func (w *work) settle() {
	var ids []*Column
	var verdicts []Column
	for li, l := range w.lists {
		for i := range l.Mapping.Columns {
			c, p := &l.Mapping.Columns[i], &w.profiles[li][i]
			switch {
			case c.Field != FieldNone && c.Filled == 0:
				c.Note = "empty"
			case c.Field == FieldBorn:
				w.settleDate(l, c, p)
			case c.Field.external():
				ids, verdicts = append(ids, c), append(verdicts, w.settleID(l, i))
			}
		}
	}
	for i, c := range ids {
		*c = verdicts[i]
	}
}

func (w *work) settleDate(l *List, c *Column, p *columnProfile) {
	said := true
	switch w.Dates {
	case "day":
		c.order = dayFirst
	case "month":
		c.order = monthFirst
	default:
		c.order, said = p.dates.order(w.country(l))
	}
	if p.dates.day+p.dates.month+p.dates.open == 0 {
		return // no date leaves it open
	}
	if c.Note = c.order.String(); !said {
		c.Note += " (no value tells; --dates says otherwise)"
	}
}

// settleID decides on a column of ids. An id that no two rows share says nothing but which row it is.
// One that hardly any two rows of a list share says that two are one person where they do, and nothing
// where they do not: one customer with two numbers is what lists are cleaned for.
func (w *work) settleID(l *List, i int) Column {
	c := l.Mapping.Columns[i]
	c.source = c.Field.String()
	if len(l.Mapping.of(c.Field)) > 1 {
		c.source += " " + lead.Fold(c.Header)
	}
	var values []seen // of this column and its like in the other list, whose rows may be the same people
	filled, like := 0, 0
	c.single = true
	for li, other := range w.lists {
		several := len(other.Mapping.of(c.Field)) > 1
		for j, o := range other.Mapping.Columns {
			if o.Field != c.Field || other == l && i != j || other != l && several && lead.Fold(o.Header) != lead.Fold(c.Header) {
				continue
			}
			p := &w.profiles[li][j]
			filled, like = filled+p.filled, like+p.idLike
			values = append(values, p.seen...)
			c.single = c.single && distinct(p.seen)*20 > p.filled*19
		}
	}
	switch different := distinct(values); {
	case like*10 < filled*9 || different*20 < filled:
		c.Field, c.Note = FieldNone, "no evidence: its values do not look like ids"
	case different == filled:
		c.Field, c.Note = FieldNone, "no evidence: no two rows share one"
	case mixed(values):
		c.Field, c.Note = FieldNone, "no evidence: people of different names share one"
	case c.single:
		c.Note = "evidence where rows share one"
	}
	return c
}

// country is where a list is from: what the person said, else German if the header is, else the US.
func (w *work) country(l *List) string {
	if w.Country != "" {
		return w.Country
	}
	if germanHeader(l.headers()) {
		return "DE"
	}
	return "US"
}
