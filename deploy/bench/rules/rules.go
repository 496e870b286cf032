// Package rules holds the scorecards that every engine of the comparison computes, the inputs it
// computes them on, and the loop in which an engine is measured.
package rules

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

const (
	// Lines is the number of lines, Features that of the features each of them looks at.
	Lines    = int(lead.LineCare)
	Features = 60
	// Samples is the number of leads that an engine takes in turn.
	Samples = 16
	// Base is the points every line starts from.
	Base = 4000
)

// Rule gives points by thresholds: Points[i] below Below[i], Points[len(Below)] above all.
type Rule struct {
	Feature scoring.Feature
	Below   []int64
	Points  []int32
}

// Card is the scorecard of each line.
type Card [Lines][Features]Rule

// New makes the scorecards and the samples; they are the same in every process.
func New() (*Card, *[Samples]scoring.Inputs) {
	r := rand.New(rand.NewPCG(2026, 60))
	var used []scoring.Feature
	for f := scoring.FeatureNone + 1; len(used) < Features; f++ {
		if f.Unit() != scoring.UnitCategory {
			used = append(used, f)
		}
	}
	var c Card
	for i, f := range used {
		thresholds := []int64{100, 250, 500, 800}
		for l := range c {
			// Each line leaves out one threshold, so lines share cuts as real scorecards do.
			out := r.IntN(len(thresholds))
			rule := Rule{Feature: f}
			for j, t := range thresholds {
				if j != out {
					rule.Below = append(rule.Below, t)
				}
			}
			for range len(rule.Below) + 1 {
				rule.Points = append(rule.Points, r.Int32N(600)-300)
			}
			c[l][i] = rule
		}
	}
	var in [Samples]scoring.Inputs
	for i := range in {
		in[i].Reset()
		for _, f := range used {
			in[i].Values[f] = r.Int32N(1000)
		}
	}
	return &c, &in
}

// Compile makes the card a points table of core/scoring.
func (c *Card) Compile() (*scoring.Model, error) {
	d := scoring.Definition{Lines: map[string]scoring.Line{}}
	for i := range c {
		l := scoring.Line{Base: Base, Calibration: []scoring.Knot{{Points: 0, PPM: 0}, {Points: scoring.MaxPoints, PPM: 900_000}},
			Stages: scoring.Stages{Consideration: 2500, Intent: 4500, Ready: 7000}}
		for _, r := range c[i] {
			row := scoring.Row{Feature: r.Feature.String()}
			for j := range r.Below {
				row.Bins = append(row.Bins, scoring.Bin{Below: &r.Below[j], Points: r.Points[j]})
			}
			row.Bins = append(row.Bins, scoring.Bin{Points: r.Points[len(r.Below)]})
			l.Rows = append(l.Rows, row)
		}
		d.Lines[lead.Line(i+1).String()] = l
	}
	m, problems := scoring.Compile(d)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the card does not compile: %v", problems)
	}
	return m, nil
}

// Name is how the engines with names for their variables call a feature.
func Name(f scoring.Feature) string { return fmt.Sprintf("f%d", f) }

// Expression writes the points of one line, before they are kept within 0..10000, as a sum of
// conditionals in the syntax that C, CEL and expr share.
func (c *Card) Expression(line int) string {
	var b strings.Builder
	fmt.Fprint(&b, Base)
	for _, r := range c[line] {
		b.WriteString(" + (")
		for i, t := range r.Below {
			fmt.Fprintf(&b, "%s < %d ? %d : ", Name(r.Feature), t, r.Points[i])
		}
		fmt.Fprintf(&b, "%d)", r.Points[len(r.Below)])
	}
	return b.String()
}

// Clamp keeps points within 0..10000.
func Clamp(points int64) int32 { return int32(min(max(points, 0), scoring.MaxPoints)) }

// Engine computes the points of all lines for a sample whose inputs it has bound already.
type Engine func(sample int, out *[Lines]int32)

// Serve writes the points of all samples as a line of JSON, so that they can be checked. For each
// duration in milliseconds it then reads it measures that long and writes nanoseconds per lead.
func Serve(e Engine) error {
	var points [Samples][Lines]int32
	for i := range points {
		e(i, &points[i])
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(points); err != nil {
		return err
	}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		var ms int
		if _, err := fmt.Sscan(commands.Text(), &ms); err != nil {
			return err
		}
		if err := out.Encode(measure(e, time.Duration(ms)*time.Millisecond)); err != nil {
			return err
		}
	}
	return commands.Err()
}

func measure(e Engine, limit time.Duration) float64 {
	var points [Lines]int32
	n, batch := 0, 1
	start := time.Now()
	for {
		for range batch {
			e(n%Samples, &points)
			n++
		}
		spent := time.Since(start)
		if spent >= limit {
			return float64(spent.Nanoseconds()) / float64(n)
		}
		// Look at the clock about every millisecond.
		if spent < time.Millisecond*time.Duration(n/batch) {
			batch *= 2
		}
	}
}
