// Command table measures leadmesh beside the limits of the machine and its peers, in the same run
// and in turn, and prints one table. A figure without its limit beside it says little: machines
// differ and have busy hours. Nothing is asserted; what a goal does not hold is for a person to judge.
//
// Run it in the folder of its module with GOWORK=off; it starts the product by itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one run of the measurements.
type bench struct {
	binary  string
	small   bool
	pairs   int
	profile string   // folder for profiles of the product; "": none
	env     []string // further environment of the product

	alwaysOpen bool // stores never close
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

// measurement is one group of rows.
type measurement struct {
	name    string
	measure func(context.Context) ([]Row, error)
}

func run(ctx context.Context) error {
	b := &bench{}
	flag.StringVar(&b.binary, "leadmesh", "../../.bin/leadmesh", "the product's binary")
	flag.BoolVar(&b.small, "small", false, "measure shortly, in three minutes")
	flag.IntVar(&b.pairs, "pairs", 0, "pairs of product and limit, at least 5 for a figure to quote; 0: 5, or 3 in a small run")
	only := flag.String("only", "", "measure some only, such as P3,P4")
	file := flag.String("json", "", "write the rows to this file too")
	flag.StringVar(&b.profile, "profile", "", "write processor profiles of the product to this folder")
	flag.Parse()
	if b.pairs <= 0 {
		b.pairs = amount(b, 3, 5)
	}

	begin := time.Now()
	var rows []Row
	for _, m := range []measurement{
		{"P1a", b.scoring}, {"P1b", b.choosing}, {"P2", b.questioning}, {"P3", b.deciding}, {"P4", b.intake}, {"P5", b.single}, {"P6", b.persons}, {"P6-lists", b.cleaning}, {"P7", b.clocks}, {"P8", b.learning}, {"P9", b.starting}, {"P10", b.foretelling}, {"P11", b.matching}, {"P12", b.working},
	} {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) {
			continue
		}
		started := time.Now()
		fmt.Fprintf(os.Stderr, "measuring %s\n", m.name)
		more, err := m.measure(ctx)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		for i := range more {
			more[i].Name = m.name
		}
		rows = append(rows, more...)
		if err != nil {
			rows = append(rows, Row{Name: m.name, Skipped: err.Error()})
		}
		fmt.Fprintf(os.Stderr, "measured %s in %s\n", m.name, time.Since(started).Round(100*time.Millisecond))
	}
	if err := printTable(os.Stdout, rows); err != nil {
		return err
	}
	fmt.Printf("\nmeasured in %s, %d pairs\n", time.Since(begin).Round(time.Second), b.pairs)
	if *file == "" {
		return nil
	}
	raw, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(*file, append(raw, '\n'), 0o644)
}

// amount is how much to do: little in a small run.
func amount[T any](b *bench, small, full T) T {
	if b.small {
		return small
	}
	return full
}
