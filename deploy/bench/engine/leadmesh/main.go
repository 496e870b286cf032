// Command leadmesh measures core/scoring. Beside the points it works out probabilities, stages and
// every contribution, which the other engines do not.
package main

import (
	"fmt"
	"os"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/deploy/bench/rules"
)

func main() { os.Exit(run()) }

func run() int {
	card, samples := rules.New()
	d := scoring.Definition{Lines: map[string]scoring.Line{}}
	for i := range card {
		l := scoring.Line{Base: rules.Base, Calibration: []scoring.Knot{{Points: 0, PPM: 0}, {Points: scoring.MaxPoints, PPM: 900_000}},
			Stages: scoring.Stages{Consideration: 2500, Intent: 4500, Ready: 7000}}
		for _, r := range card[i] {
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
		fmt.Fprintln(os.Stderr, problems)
		return 1
	}
	var res scoring.Result
	err := rules.Serve(func(sample int, out *[rules.Lines]int32) {
		m.Score(&samples[sample], &res)
		copy(out[:], res.Points[1:])
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
