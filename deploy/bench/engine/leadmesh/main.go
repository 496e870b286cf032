// Command leadmesh measures core/scoring. Beside the points it works out probabilities, stages and
// every contribution, which the other engines do not.
package main

import (
	"fmt"
	"os"

	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/deploy/bench/rules"
)

func main() { os.Exit(run()) }

func run() int {
	card, samples := rules.New()
	m, err := card.Compile()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var res scoring.Result
	err = rules.Serve(func(sample int, out *[rules.Lines]int32) {
		m.Score(&samples[sample], &res)
		copy(out[:], res.Points[1:])
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
