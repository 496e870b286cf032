package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"

	"github.com/leadmesh/leadmesh/deploy/sample/people"
)

// peopleCmd is a tool: it makes lists to measure matching with.
type peopleCmd struct {
	Count   int     `default:"10000" help:"How many records."`
	Seed    uint64  `default:"1" help:"Another seed makes other people."`
	Country string  `default:"US" enum:"US,DE" help:"Where they live: US or DE."`
	Repeat  float64 `default:"1.7" help:"How many records a person has on average."`
	Out     string  `default:"-" placeholder:"FILE" help:"Where to write them as CSV; - for the terminal."`
}

// Run writes made-up persons, whose last two columns are the truth.
func (c *peopleCmd) Run(ctx context.Context, s streams) (err error) {
	p, err := people.New(people.Options{Seed: c.Seed, Count: c.Count, Country: c.Country, Repeat: c.Repeat})
	if err != nil {
		return err
	}
	out := s.out
	if c.Out != "-" {
		f, err := os.Create(c.Out)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	w := csv.NewWriter(buffered)
	if err := w.Write(people.Header()); err != nil {
		return err
	}
	for r := range p.Records() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := w.Write(r.Row()); err != nil {
			return err
		}
	}
	w.Flush()
	if err := errors.Join(w.Error(), buffered.Flush()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.err, "%d records of %d persons in %d households\n", p.Count(), p.Persons(), p.Households())
	return err
}
