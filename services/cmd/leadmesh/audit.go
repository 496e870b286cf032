package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/audit"
)

type auditCmd struct {
	Data        string `help:"Data directory of the private Postgres to look at." placeholder:"DIR"`
	DatabaseURL string `name:"database-url" placeholder:"URL" help:"The database to look at."`
}

func (c *auditCmd) Run(ctx context.Context, s streams) (err error) {
	url, done, err := house.Database(ctx, c.DatabaseURL, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	report, err := audit.Run(ctx, url, time.Now())
	if err != nil {
		return err
	}
	printAudit(s.out, report)
	if !report.Clean() {
		return exitError(1)
	}
	return nil
}

func printAudit(w io.Writer, r *audit.Report) {
	e := r.Equation
	fmt.Fprintf(w, "captured %d = pending %d + rejected %d + merged %d + parked %d + open %d + won %d + lost %d + expired %d\n",
		e["captured"], e["pending"], e["rejected"], e["merged"], e["parked"], e["open"], e["won"], e["lost"], e["expired"])
	for _, f := range r.Findings {
		if f.Count == 0 {
			fmt.Fprintf(w, "ok       %-20s %s\n", f.Check, f.Law)
			continue
		}
		fmt.Fprintf(w, "BROKEN   %-20s %s\n         %d offenders: %s\n", f.Check, f.Law, f.Count, strings.Join(f.Offenders, ", "))
	}
	if r.Clean() {
		fmt.Fprintln(w, "every law holds")
	}
}
