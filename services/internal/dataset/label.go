package dataset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/services/internal/console"
)

// Answers say which values of the outcome mean what. Empty ones are guessed where that is safe.
type Answers struct {
	Positive []string // won
	Negative []string // lost; if empty, all that is neither won nor open
	Open     []string // not decided yet
}

// Outcome is what became of each row.
type Outcome struct {
	Column   string
	Positive string // what counts as won, as the table writes it; several with commas between
	Guessed  bool   // nobody said so
	Won      []bool
	Open     []bool // rows whose outcome is missing or not decided yet
	Wins     int
	Opens    int
}

// winWords are values that mean a win in any column of outcomes.
var winWords = []string{"1", "yes", "y", "true", "t", "won", "win", "converted", "sold", "closed won", "success", "ja", "j", "wahr", "gewonnen", "verkauft", "bought", "ordered"}

// mostShown is how many values of a column an error names.
const mostShown = 12

// mostListed is how many different values a column may have whose values are named at all: what has more
// is no outcome, and may be names of people.
const mostListed = 40

// Outcome reads a column as outcomes. Its errors say how to ask better.
func (s *Set) Outcome(name string, a Answers) (*Outcome, error) {
	c, err := s.Column(name)
	if err != nil {
		return nil, fmt.Errorf("--label: %w", err)
	}
	if i := slices.IndexFunc(s.Columns, func(other Column) bool { return other.twin == c.place+1 }); i >= 0 {
		return nil, fmt.Errorf("--label: %s has more than one column %q; column %d and column %d: give each a name of its own", s.File.Label, c.Name, c.place+1, i+1)
	}
	if s.Rows == 0 {
		return nil, fmt.Errorf("%s holds no rows behind the names of its columns", s.File.Label)
	}
	if c.codes == nil {
		return nil, fmt.Errorf("--label %s: %s", c.Name, c.Held)
	}
	counts := make([]int, len(c.values))
	for _, code := range c.codes {
		if code >= 0 {
			counts[code]++
		}
	}
	meaning, err := c.meaning(a, counts)
	if err != nil {
		return nil, err
	}
	o := &Outcome{Column: c.Name, Guessed: len(a.Positive) == 0, Won: make([]bool, s.Rows), Open: make([]bool, s.Rows)}
	var won []string
	for i, v := range c.values {
		if meaning[i] == meansWon {
			won = append(won, v)
		}
	}
	o.Positive = strings.Join(won, ", ")
	losses := 0
	for row, code := range c.codes {
		switch {
		case code < 0 || meaning[code] == meansOpen:
			o.Open[row] = true
			o.Opens++
		case meaning[code] == meansWon:
			o.Won[row] = true
			o.Wins++
		default:
			losses++
		}
	}
	switch {
	case o.Wins == 0 && losses == 0:
		return nil, fmt.Errorf("--label %s: no row has an outcome", c.Name)
	case o.Wins == 0:
		return nil, fmt.Errorf("--label %s: no row is won, so there is nothing to learn from; %s", c.Name, c.listed(counts))
	case losses == 0:
		return nil, fmt.Errorf("--label %s: every row with an outcome is won, so there is nothing to learn from; rows that were lost must be in the table too; %s", c.Name, c.listed(counts))
	}
	return o, nil
}

const (
	meansUnknown = iota
	meansWon
	meansLost
	meansOpen
)

// meaning says what each value means.
func (c *Column) meaning(a Answers, counts []int) ([]int, error) {
	out := make([]int, len(c.values))
	for _, list := range []struct {
		flag   string
		values []string
		means  int
	}{{"positive", a.Positive, meansWon}, {"negative", a.Negative, meansLost}, {"open", a.Open, meansOpen}} {
		for _, v := range list.values {
			i := c.value(v)
			if i < 0 {
				return nil, fmt.Errorf("--%s %s: the column %s has no such value; %s", list.flag, v, c.Name, c.listed(counts))
			}
			if out[i] != meansUnknown && out[i] != list.means {
				return nil, fmt.Errorf("--%s %s: the value is named twice, with another meaning", list.flag, v)
			}
			out[i] = list.means
		}
	}
	left := []int{}
	for i := range out {
		if out[i] == meansUnknown && counts[i] > 0 {
			left = append(left, i)
		}
	}
	if len(a.Positive) == 0 {
		if err := c.guess(out, left, counts); err != nil {
			return nil, err
		}
		left = slices.DeleteFunc(left, func(i int) bool { return out[i] != meansUnknown })
	}
	if len(left) > 1 || len(left) == 1 && len(a.Negative) > 0 {
		return nil, fmt.Errorf("--label %s: an outcome is won or lost, but this column has %s values; %s\n"+
			"--positive VALUE names what is won, --open VALUE,... what is not decided yet and so neither won nor lost, --negative VALUE,... what is lost",
			c.Name, console.Count(len(c.values)), c.listed(counts))
	}
	for _, i := range left {
		out[i] = meansLost
	}
	return out, nil
}

// guess finds the value that means a win, if exactly one does.
func (c *Column) guess(out, left, counts []int) error {
	found := -1
	for _, i := range left {
		if slices.Contains(winWords, strings.ToLower(c.values[i])) {
			if found >= 0 {
				found = -1
				break
			}
			found = i
		}
	}
	switch {
	case len(left) > 2:
		return nil // told by the caller
	case found >= 0:
		out[found] = meansWon
		return nil
	case len(left) == 0:
		return fmt.Errorf("--label %s: no row has an outcome", c.Name)
	}
	return fmt.Errorf("--label %s: which value is a win? %s; --positive VALUE says it", c.Name, c.listed(counts))
}

func (c *Column) value(v string) int {
	if i := slices.Index(c.values, v); i >= 0 {
		return i
	}
	return slices.IndexFunc(c.values, func(w string) bool { return strings.EqualFold(strings.TrimSpace(v), w) })
}

// listed names the values with how many rows have each, the most frequent first.
func (c *Column) listed(counts []int) string {
	order := make([]int, 0, len(counts))
	for i, n := range counts {
		if n > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return counts[b] - counts[a] })
	if len(order) > mostListed {
		return fmt.Sprintf("it has %s different values", console.Count(len(order)))
	}
	var parts []string
	for _, i := range order[:min(mostShown, len(order))] {
		parts = append(parts, fmt.Sprintf("%s (%s)", c.values[i], console.Plural(counts[i], "row")))
	}
	if more := len(order) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	if len(parts) == 0 {
		return "it holds nothing"
	}
	return "its values are " + strings.Join(parts, ", ")
}
