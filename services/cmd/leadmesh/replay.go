package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/audit"
)

type replayCmd struct {
	LeadID      string `arg:"" name:"lead-id" help:"The lead."`
	Data        string `help:"Data directory of the private Postgres to look at." placeholder:"DIR"`
	DatabaseURL string `name:"database-url" placeholder:"URL" help:"The database to look at."`
	Show        bool   `help:"Print the replayed receipt."`
}

// Run decides every attempt of a lead again from the facts in its receipts, and compares the bytes.
func (c *replayCmd) Run(ctx context.Context, s streams) (err error) {
	id, err := lead.ParseID(c.LeadID)
	if err != nil {
		return err
	}
	url, done, err := house.Database(ctx, c.DatabaseURL, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	pool, err := audit.Open(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	attempts, err := audit.Replay(ctx, pool, id)
	if err != nil {
		return err
	}
	failed := false
	for i, a := range attempts {
		switch {
		case a.Err != nil:
			failed = true
			fmt.Fprintf(s.out, "attempt %d: DIFFERS: %v\n", i+1, a.Err)
		case !bytes.Equal(a.Stored, a.Replayed):
			failed = true
			fmt.Fprintf(s.out, "attempt %d: DIFFERS: %d bytes stored, %d bytes replayed\n", i+1, len(a.Stored), len(a.Replayed))
		default:
			fmt.Fprintf(s.out, "attempt %d: the same %d bytes\n", i+1, len(a.Stored))
		}
		if c.Show {
			fmt.Fprintf(s.out, "%s\n", a.Replayed)
		}
	}
	if failed {
		return exitError(1)
	}
	return nil
}
