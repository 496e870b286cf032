// Package report makes the page that explains how a list of people was cleaned: one file, without
// scripts, that needs no network.
package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// Page is what the page shows. All text is escaped.
type Page struct {
	Title     string
	Figures   []Figure // the most important first
	Lists     []List
	Threshold string  // probability from which on two rows are one person
	Review    string  // that from which on a person should look
	MatchBits float64 // the same as log2 odds
	ViewBits  float64
	Learned   string // where the weights are from, a sentence
	Revision  string // of the parameters
	Fields    []Field
	Weights   []Bin // pairs compared by weight, the lowest first
	Pairs     []Pair
	Clusters  []Cluster
	More      int // clusters of several rows that are not shown
	Blocking  Blocking
	Took      string // time and memory
}

// Figure is a number with what it counts.
type Figure struct{ Value, Label, Note string }

// List is a file that was read.
type List struct {
	Name, How string
	Columns   []Column
}

// Column is what a column was read as; Meaning is "" if it was passed on only.
type Column struct{ Name, Meaning, Filled, Note string }

// Field is what is compared, with its levels in the order of their strength.
type Field struct {
	Name   string
	Levels []Level
}

// Level is how far two rows agree, and how much that says.
type Level struct {
	Words string
	Bits  float64
}

// Bin counts the pairs of at least From and less than From+1 bits.
type Bin struct{ From, Pairs int }

// Pair is a sample: what both rows say, and how the weight comes about.
type Pair struct {
	Kind        string // why it is shown
	Verdict     string
	Probability string
	Bits        float64
	Left, Right string // names of the rows
	Facts       []Fact
	Reasons     []Level // strongest first; they add up to Bits
	Conflicts   []string
}

// Fact is what two rows say of one thing.
type Fact struct {
	Name, Left, Right string
	Same              bool
}

// Cluster is the rows of one person.
type Cluster struct {
	ID     string
	Size   int
	Header []string
	Rows   [][]string // the first of them
}

// Blocking is how pairs were found.
type Blocking struct {
	Compared, Possible string // pairs: compared, and of all rows with all
	Common             string
	Lost               string
	Passes             []Pass
}

// Pass is one combination of fields.
type Pass struct{ Fields, Blocks, Large, Pairs, Links string }

//go:embed page.html
var files embed.FS

// Write writes the page.
func Write(out io.Writer, p *Page) error {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"histogram": func(width float64) (template.HTML, error) { return histogram(p, width) },
		"field":     field,
		"waterfall": func(pair Pair) (template.HTML, error) { return waterfall(pair, p.MatchBits) },
		"more":      func(c Cluster) int { return c.Size - len(c.Rows) },
	}).ParseFS(files, "page.html")
	if err != nil {
		return err
	}
	return t.Execute(out, p)
}

// bits writes a weight.
func bits(v float64) string {
	return strings.Replace(fmt.Sprintf("%+.1f", v), "-", "−", 1)
}
