package dataset

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/leadmesh/leadmesh/services/internal/console"
)

// mostValues is how many values of a column are told apart while its kind is not known.
const mostValues = 1 << 15

// profile is what the cells of a whole column say.
type profile struct {
	dict   map[string]int32 // values, by their place in counts
	values []string
	counts []int
	filled int
	full   int    // filled cells when there was no room for another value, 0 if there always was
	rest   traits // of the cells that came when there was none
}

// traits count cells by what they may be read as.
type traits struct {
	cells       int
	number      [2]int // by marks
	decided     [2]int // that are numbers with these marks alone
	integer     int
	leadingZero int
	moment      [layouts]int
	clock       int
	mail        int
	prose       int // of five words or more
	low, high   float64
}

func (t *traits) add(s string, n int) {
	if t.cells == 0 {
		t.low, t.high = math.Inf(1), math.Inf(-1)
	}
	t.cells += n
	for m := range marks(2) {
		v, ok := parseNumber(s, m)
		if !ok {
			continue
		}
		t.number[m] += n
		if m == point || t.number[point] == 0 {
			t.low, t.high = min(t.low, v), max(t.high, v)
		}
		if m == point && integer(v) && strings.IndexByte(s, '.') < 0 {
			t.integer += n
		}
	}
	if m, told := decidedBy(s); told {
		t.decided[m] += n
	}
	if leadingZero(s) {
		t.leadingZero += n
	}
	for l := range layouts {
		if _, ok := parseMoment(s, l); ok {
			t.moment[l] += n
		}
	}
	if _, ok := timeOfDay(s); ok {
		t.clock += n
	}
	if strings.IndexByte(s, '@') > 0 {
		t.mail += n
	}
	if strings.Count(s, " ") >= 4 {
		t.prose += n
	}
}

func (t *traits) join(o traits) {
	if o.cells == 0 {
		return
	}
	if t.cells == 0 {
		*t = o
		return
	}
	t.cells += o.cells
	for i := range t.number {
		t.number[i], t.decided[i] = t.number[i]+o.number[i], t.decided[i]+o.decided[i]
	}
	for i := range t.moment {
		t.moment[i] += o.moment[i]
	}
	t.integer, t.leadingZero, t.clock, t.mail, t.prose = t.integer+o.integer, t.leadingZero+o.leadingZero, t.clock+o.clock, t.mail+o.mail, t.prose+o.prose
	t.low, t.high = min(t.low, o.low), max(t.high, o.high)
}

func (p *profile) add(cell string) {
	p.filled++
	if i, ok := p.dict[cell]; ok {
		p.counts[i]++
		return
	}
	if len(p.counts) == mostValues {
		if p.full == 0 {
			p.full = p.filled
		}
		p.rest.add(cell, 1)
		return
	}
	if p.dict == nil {
		p.dict = map[string]int32{}
	}
	cell = strings.Clone(cell) // the row it stands in need not stay
	p.dict[cell] = int32(len(p.counts))
	p.values, p.counts = append(p.values, cell), append(p.counts, 1)
}

// traits are those of all cells.
func (p *profile) traits() traits {
	var t traits
	for i, v := range p.values {
		t.add(v, p.counts[i])
	}
	t.join(p.rest)
	return t
}

// unlike is the share of cells that hold a value of their own.
func (p *profile) unlike() float64 {
	of := p.filled
	if p.full > 0 {
		of = p.full
	}
	return float64(len(p.counts)) / float64(max(of, 1))
}

// mostly reports nearly all of the cells.
func (t *traits) mostly(n int) bool { return n*50 >= t.cells*49 && n > 0 }

// The least rows from which on a column of values that differ is taken for an id.
const fewValues = 20

// settle decides what the column is. Told are the marks that the file writes its numbers with.
func (c *Column) settle(p *profile, t *traits, told marks) {
	c.Distinct, c.More = len(p.counts), p.full > 0
	c.marks = t.marks(told)
	unlike := p.unlike()
	number := t.mostly(t.number[c.marks]) && t.leadingZero == 0
	layout := c.layoutOf(t)
	c.layout, c.dates = layout, t.moment[layout]
	switch {
	case p.filled == 0:
		c.Kind, c.Held = Empty, "it holds nothing"
	case len(p.counts) == 1 && p.filled == c.rows:
		c.Kind, c.Held = Constant, "it is the same in every row"
	case t.mostly(t.mail):
		c.Kind, c.Held = Text, "it holds e-mail addresses, which name people"
	case t.mostly(t.clock):
		c.Kind, c.Note = Clock, "as the hour of the day"
		c.unread(t.cells-t.clock, "no time of day")
	case t.mostly(t.moment[layout]) && !(number && !eightDigits(t)):
		c.Kind, c.Held = Moment, "it is a date, which tells nothing of later ones"
		c.unread(t.cells-t.moment[layout], "no date")
	case len(p.counts) == 2 && yesNo(p.values):
		c.Kind = YesNo
	case number && c.isID(p, t, unlike):
		c.Kind, c.Held, c.running = ID, "it names the rows", true
	case number && namesRows(c.Name) && len(p.counts) <= mostValues && t.mostly(t.integer) && unlike < 0.2:
		c.Kind, c.Note = Category, "its name says that its numbers are codes"
	case number:
		c.Kind = Number
		c.unread(t.cells-t.number[c.marks], "no number")
		if c.marks == comma && t.decided[comma] > 0 {
			c.Note = strings.TrimPrefix(c.Note+"; decimal comma", "; ")
		}
	case unlike > 0.5 && len(p.counts) > fewValues && t.prose*2 < t.cells:
		c.Kind, c.Held = ID, "it has a value of its own in most rows"
		if unlike > 0.95 {
			c.Held = "it has a value of its own in nearly every row"
		}
	case t.prose*2 >= t.cells && len(p.counts) > fewValues && unlike > 0.05, c.More && unlike > 0.1:
		c.Kind, c.Held = Text, "it is free text"
	default:
		c.Kind = Category
	}
}

func (c *Column) unread(cells int, what string) {
	if cells > 0 {
		c.Note = strings.TrimPrefix(c.Note+"; "+console.Plural(cells, "cell")+" taken as missing, being "+what, "; ")
	}
}

// marks are those that the column's numbers are written with.
func (t *traits) marks(told marks) marks {
	switch {
	case t.decided[point] > t.decided[comma]:
		return point
	case t.decided[comma] > t.decided[point]:
		return comma
	case t.number[told] < t.number[1-told]:
		return 1 - told
	}
	return told
}

// layoutOf is the layout in which most cells are dates, and whether another fits as well.
func (c *Column) layoutOf(t *traits) layout {
	best := yearFirst
	for l := range layouts {
		if t.moment[l] > t.moment[best] {
			best = l
		}
	}
	c.unsure = t.moment[dayFirst] == t.moment[monthFirst] && t.moment[best] == t.moment[dayFirst] && best != yearFirst
	return best
}

// eightDigits reports numbers such as 20161020.
func eightDigits(t *traits) bool {
	return t.low >= 19000101 && t.high <= 21991231 && t.mostly(t.moment[yearFirst])
}

var yesNoWords = [][2]string{
	{"no", "yes"}, {"n", "y"}, {"false", "true"}, {"f", "t"}, {"0", "1"}, {"nein", "ja"}, {"n", "j"}, {"falsch", "wahr"}, {"off", "on"}, {"0.0", "1.0"},
}

func yesNo(values []string) bool {
	a, b := strings.ToLower(values[0]), strings.ToLower(values[1])
	return slices.ContainsFunc(yesNoWords, func(w [2]string) bool { return w == [2]string{a, b} || w == [2]string{b, a} })
}

// idWords end the names of columns whose numbers are names.
var idWords = []string{"id", "ids", "key", "uuid", "guid", "nummer", "number", "nr", "no", "code", "zip", "plz", "vin", "phone", "telephone", "telefon", "mobile"}

func namesRows(name string) bool {
	w := words(name)
	return len(w) > 0 && slices.Contains(idWords, w[len(w)-1]) || strings.Contains(strings.ToLower(name), "postal")
}

func (c *Column) isID(p *profile, t *traits, unlike float64) bool {
	if !t.mostly(t.integer) || len(p.counts) <= fewValues {
		return false
	}
	return unlike > 0.999 && (namesRows(c.Name) || t.high-t.low < 1.05*float64(p.filled)) || unlike > 0.2 && namesRows(c.Name)
}

// words are the parts of a column's name: LeadNumber, lead_number and "Lead Number" have the same two.
func words(name string) []string {
	var out []string
	var word []rune
	runes := []rune(name)
	end := func() {
		if len(word) > 0 {
			out, word = append(out, strings.ToLower(string(word))), nil
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			end()
		}
		word = append(word, r)
	}
	end()
	return out
}
