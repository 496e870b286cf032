// Command opa measures Open Policy Agent's Rego.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/leadmesh/leadmesh/deploy/bench/rules"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	card, samples := rules.New()
	var b strings.Builder
	b.WriteString("package card\n\n")
	var totals []string
	for line := range card {
		var terms []string
		for k, r := range card[line] {
			name := fmt.Sprintf("r_%d_%d", line, k)
			for i := range r.Points {
				switch {
				case i == len(r.Below):
					fmt.Fprintf(&b, "else := %d\n", r.Points[i])
				case i == 0:
					fmt.Fprintf(&b, "%s := %d if input.%s < %d\n", name, r.Points[i], rules.Name(r.Feature), r.Below[i])
				default:
					fmt.Fprintf(&b, "else := %d if input.%s < %d\n", r.Points[i], rules.Name(r.Feature), r.Below[i])
				}
			}
			terms = append(terms, name)
		}
		fmt.Fprintf(&b, "total_%d := %d + sum([%s])\n", line, rules.Base, strings.Join(terms, ", "))
		totals = append(totals, fmt.Sprintf("total_%d", line))
	}
	fmt.Fprintf(&b, "totals := [%s]\n", strings.Join(totals, ", "))
	query, err := rego.New(rego.Query("data.card.totals"), rego.Module("card.rego", b.String())).PrepareForEval(ctx)
	if err != nil {
		return err
	}
	var bound [rules.Samples]ast.Value
	for i := range bound {
		vars := map[string]any{}
		for _, r := range card[0] {
			vars[rules.Name(r.Feature)] = int(samples[i].Values[r.Feature])
		}
		if bound[i], err = ast.InterfaceToValue(vars); err != nil {
			return err
		}
	}
	var failed error
	err = rules.Serve(func(sample int, out *[rules.Lines]int32) {
		result, err := query.Eval(ctx, rego.EvalParsedInput(bound[sample]))
		if err != nil {
			failed = err
			return
		}
		list, ok := result[0].Expressions[0].Value.([]any)
		if !ok || len(list) != rules.Lines {
			failed = fmt.Errorf("totals are %v", result)
			return
		}
		for i, v := range list {
			n, err := v.(json.Number).Int64()
			if err != nil {
				failed = err
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
