// Command grule measures grule-rule-engine. It knows no conditional expression, so every range of
// every feature and line is a rule of its own and the rules that match are summed up here: one
// pass, which is far less than letting them fire one after the other.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hyperjumptech/grule-rule-engine/ast"
	"github.com/hyperjumptech/grule-rule-engine/builder"
	"github.com/hyperjumptech/grule-rule-engine/engine"
	"github.com/hyperjumptech/grule-rule-engine/pkg"

	"github.com/leadmesh/leadmesh/deploy/bench/rules"
)

// Lead is the fact that the rules look at.
type Lead struct {
	F []int64
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	card, samples := rules.New()
	var text strings.Builder
	var points []int32
	var lines []int
	for line := range card {
		for k, r := range card[line] {
			for i := range r.Points {
				var when []string
				if i > 0 {
					when = append(when, fmt.Sprintf("Lead.F[%d] >= %d", k, r.Below[i-1]))
				}
				if i < len(r.Below) {
					when = append(when, fmt.Sprintf("Lead.F[%d] < %d", k, r.Below[i]))
				}
				fmt.Fprintf(&text, "rule R%d { when %s then Retract(\"R%d\"); }\n", len(points), strings.Join(when, " && "), len(points))
				points, lines = append(points, r.Points[i]), append(lines, line)
			}
		}
	}
	library := ast.NewKnowledgeLibrary()
	if err := builder.NewRuleBuilder(library).BuildRuleFromResource("card", "1", pkg.NewBytesResource([]byte(text.String()))); err != nil {
		return err
	}
	knowledge, err := library.NewKnowledgeBaseInstance("card", "1")
	if err != nil {
		return err
	}
	var bound [rules.Samples]ast.IDataContext
	for i := range bound {
		l := &Lead{}
		for _, r := range card[0] {
			l.F = append(l.F, int64(samples[i].Values[r.Feature]))
		}
		bound[i] = ast.NewDataContext()
		if err := bound[i].Add("Lead", l); err != nil {
			return err
		}
	}
	var failed error
	machine := engine.NewGruleEngine()
	err = rules.Serve(func(sample int, out *[rules.Lines]int32) {
		matched, err := machine.FetchMatchingRules(bound[sample], knowledge)
		if err != nil {
			failed = err
			return
		}
		var sums [rules.Lines]int64
		for _, m := range matched {
			n, err := strconv.Atoi(m.RuleName[1:])
			if err != nil {
				failed = err
				return
			}
			sums[lines[n]] += int64(points[n])
		}
		for i, sum := range sums {
			out[i] = rules.Clamp(rules.Base + sum)
		}
	})
	if failed != nil {
		return failed
	}
	return err
}
