package main

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/limit"
	"github.com/leadmesh/leadmesh/deploy/bench/product"
)

// cost is what leads took: log in bytes and processor time.
type cost struct {
	leads           int
	wal             int64
	product, server time.Duration
}

// reading is what was spent so far, on no leads.
func (s *stage) reading(ctx context.Context) (cost, error) {
	wal, err := limit.WAL(ctx, s.db)
	return cost{wal: wal, product: product.CPU(s.process.PID, false), server: product.CPU(s.server.PID, true)}, err
}

// add notes what leads took between two readings.
func (c *cost) add(leads int, start, end cost) {
	c.leads += leads
	c.wal += end.wal - start.wal
	c.product += end.product - start.product
	c.server += end.server - start.server
}

// row tells the processor time of a lead. It depends less on who else uses the machine than rates do.
func (c *cost) row() Row {
	each := func(d time.Duration) string {
		return (d / time.Duration(max(c.leads, 1))).Round(time.Microsecond).String()
	}
	return Row{What: "processor time a lead takes", Figure: fmt.Sprintf("%s product, %s Postgres", each(c.product), each(c.server))}
}
