// Command cel measures cel-go.
package main

import (
	"fmt"
	"os"

	"cel.dev/cel-go/cel"

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
	options := []cel.EnvOption{cel.ParserExpressionSizeLimit(-1), cel.ParserRecursionLimit(-1)}
	for _, r := range card[0] {
		options = append(options, cel.Variable(rules.Name(r.Feature), cel.IntType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return err
	}
	var programs [rules.Lines]cel.Program
	for i := range programs {
		ast, issues := env.Compile(card.Expression(i))
		if issues.Err() != nil {
			return issues.Err()
		}
		if programs[i], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize)); err != nil {
			return err
		}
	}
	var bound [rules.Samples]cel.Activation
	for i := range bound {
		vars := map[string]any{}
		for _, r := range card[0] {
			vars[rules.Name(r.Feature)] = int64(samples[i].Values[r.Feature])
		}
		if bound[i], err = cel.NewActivation(vars); err != nil {
			return err
		}
	}
	var failed error
	err = rules.Serve(func(sample int, out *[rules.Lines]int32) {
		for i, p := range programs {
			v, _, err := p.Eval(bound[sample])
			if err != nil {
				failed = err
				return
			}
			n, ok := v.Value().(int64)
			if !ok {
				failed = fmt.Errorf("points are a %T", v.Value())
				return
			}
			out[i] = rules.Clamp(n)
		}
	})
	if failed != nil {
		return failed
	}
	return err
}
