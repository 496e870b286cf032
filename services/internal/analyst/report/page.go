// Package report makes the page that shows a learned points table: one file, without scripts, that needs
// no network.
package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
)

// Page is what the page shows. All text is escaped.
type Page struct {
	Title    string
	Lead     string // what was learned from what, a sentence
	Figures  []Figure
	Warnings []Warning // the gravest first
	Columns  []Column
	Source   string // file, rows, how it is written
	Split    Split
	Quality  Quality
	Tables   []Table  // more on how good it is, in their order
	Signals  []Signal // the most telling first
	Pairs    []Pair
	Held     []Held
	Drift    []Drift
	Notes    []string // on how it was learned
	Revision string
	Took     string // time and memory
}

// Table is figures in rows; the first column is words.
type Table struct {
	Title, Words string
	Head         []string
	Rows         [][]string
}

// Made says which command made the page.
func (p *Page) Made() string {
	if len(p.Columns) > 0 {
		return "leadmesh model train"
	}
	return "leadmesh models report"
}

// Figure is a number with what it counts.
type Figure struct{ Value, Label, Note string }

// Warning is what a person must look at before trusting the table.
type Warning struct {
	Title   string
	Words   string
	Items   []string
	Command string // what to add to the command, if anything
	Grave   bool
}

// Column is a column of the table and what became of it.
type Column struct {
	Name, Kind, Distinct, Missing string
	Use, Why                      string
	Used                          bool
}

// Split says how rows were parted, with the course of outcomes over time.
type Split struct {
	Words   string
	Ordered bool     // by time
	Periods []Period // in order of time; of equally many rows
	From    string   // first and last moment, as the table writes them
	To      string
}

// Period is a stretch of rows in the order of time.
type Period struct {
	Rows  int
	Share float64 // won, 0..1
	Part  Part
	Until string
}

// Part is what rows were used for.
type Part uint8

// The values of Part.
const (
	Learn Part = iota
	Unseen
)

// Quality is how good the table is on rows it has not seen.
type Quality struct {
	Words       string
	Compared    []Compared
	Reliability []Reliability
	Gain        []Point // share of rows taken, the best first, and of wins among them
	Lift        []Lift
	Base        float64 // share won, 0..1
}

// Compared is a way to tell wins, with its figures.
type Compared struct{ Name, AUC, LogLoss, Brier, Calibration string }

// Reliability is rows of about one predicted probability.
type Reliability struct {
	Predicted, Won, Low, High float64 // 0..1
	Rows                      int
}

// Point is a point of a curve, 0..1.
type Point struct{ X, Y float64 }

// Lift is a tenth of the rows, the best first.
type Lift struct {
	Words            string // e.g. best 10 %
	Rows, Won        int
	Share, Lift, All float64 // won in it; over the share of all; of all wins up to here
}

// Signal is the points of one column.
type Signal struct {
	Name       string
	Number     bool
	Importance float64 // mean of what it moves a row by, in points
	Words      string  // what a person should know
	Bins       []Bin   // numbers in ascending order; missing last
}

// Bin is a range of numbers or some values.
type Bin struct {
	Words   string
	Below   *float64 // of numbers; nil for the rest and for missing
	Missing bool
	Points  float64 // 0..100
	Error   float64 // standard error
	Rows    int
}

// Pair is what two columns say together, beyond each alone.
type Pair struct {
	First, Second string
	Importance    float64  // as of a signal
	Rows, Columns []string // words of the parts
	Points        [][]float64
	Counts        [][]int
}

// Held is a column that was not used.
type Held struct{ Name, Why, Figure string }

// Drift is a column whose values change over time.
type Drift struct{ Name, Figure, Words, Done string }

//go:embed page.html
var files embed.FS

// Write writes the page.
func Write(out io.Writer, p *Page) error {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"importance":  func(width float64) (template.HTML, error) { return importance(p, width) },
		"timeline":    func(width float64) (template.HTML, error) { return timeline(p.Split, width) },
		"reliability": func() (template.HTML, error) { return reliability(p.Quality) },
		"gain":        func() (template.HTML, error) { return gain(p.Quality) },
		"lift":        func() (template.HTML, error) { return lift(p.Quality) },
		"signal":      signal,
		"grid":        grid,
		"percent":     percent,
		"thousands":   thousands,
		"times":       func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + "×" },
	}).ParseFS(files, "page.html")
	if err != nil {
		return err
	}
	return t.Execute(out, p)
}

// points writes points with their sign.
func points(v float64) string {
	digits := 1
	if v >= 9.95 || v <= -9.95 {
		digits = 0
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if s == "0.0" || s == "-0.0" {
		return "0"
	}
	if v > 0 {
		s = "+" + s
	}
	return strings.Replace(s, "-", "−", 1)
}

func percent(v float64) string {
	if v > 0 && v < 0.0995 {
		return fmt.Sprintf("%.1f %%", 100*v)
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}
