// Command expr measures expr-lang/expr.
package main

import (
	"fmt"
	"os"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/leadmesh/leadmesh/deploy/bench/rules"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	card, samples := rules.New()
	var bound [rules.Samples]map[string]any
	for i := range bound {
		bound[i] = map[string]any{}
		for _, r := range card[0] {
			bound[i][rules.Name(r.Feature)] = int(samples[i].Values[r.Feature])
		}
	}
	var programs [rules.Lines]*vm.Program
	for i := range programs {
		p, err := expr.Compile(card.Expression(i), expr.Env(bound[0]), expr.AsInt(), expr.MaxNodes(0))
		if err != nil {
			return err
		}
		programs[i] = p
	}
	var machine vm.VM
	var failed error
	err := rules.Serve(func(sample int, out *[rules.Lines]int32) {
		for i, p := range programs {
			v, err := machine.Run(p, bound[sample])
			if err != nil {
				failed = err
				return
			}
			n, ok := v.(int)
			if !ok {
				failed = fmt.Errorf("points are a %T", v)
				return
			}
			out[i] = rules.Clamp(int64(n))
		}
	})
	if failed != nil {
		return failed
	}
	return err
}
