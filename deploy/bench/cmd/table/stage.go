package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/deploy/bench/limit"
	"github.com/leadmesh/leadmesh/deploy/bench/product"
	"github.com/leadmesh/leadmesh/deploy/sample"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

// stage is a fresh installation of the product with its database, to measure on.
type stage struct {
	home    *product.Home
	process *product.Process
	server  *product.Server
	db      *pgx.Conn

	profiler string // address of the product's profiles; "": none
}

// stage starts a fresh installation. The caller closes it.
func (b *bench) stage(ctx context.Context) (*stage, error) {
	if _, err := os.Stat(b.binary); err != nil {
		return nil, fmt.Errorf("there is no product to measure (--leadmesh): %w", err)
	}
	home, err := product.NewHome(ctx, b.binary)
	if err != nil {
		return nil, err
	}
	home.Env = b.env
	s := &stage{home: home}
	if b.profile != "" {
		if s.profiler, err = freeAddress(); err != nil {
			return nil, errors.Join(err, s.close())
		}
		home.Flags = append(home.Flags, "--pprof", s.profiler)
	}
	if s.process, err = home.Start(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.server, err = product.ServerOf(s.process.DatabaseURL, home); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if b.profile != "" {
		if err := s.watchStatements(ctx); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	if s.server, err = product.ServerOf(s.process.DatabaseURL, home); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.db, err = pgx.Connect(ctx, s.process.DatabaseURL); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.widen(ctx, b.alwaysOpen); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// close stops everything and leaves nothing.
func (s *stage) close() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close(context.Background()))
	}
	if s.process != nil {
		errs = append(errs, s.process.Stop())
	}
	return errors.Join(append(errs, s.home.Close())...)
}

// widen gives every department room for a hundred thousand leads a day, and may let it never close.
// The sample's stores take some eight a day each: a minute of load would fill them all and measure
// how the desk gets leads that nobody has room for. The capacity is still declared, locked and
// counted.
func (s *stage) widen(ctx context.Context, alwaysOpen bool) error {
	raw, err := fs.ReadFile(sample.Files(), "network/departments.csv")
	if err != nil {
		return err
	}
	table, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return err
	}
	for i, row := range table {
		for k, column := range table[0] {
			switch {
			case i == 0:
			case column == "capacity_per_day" && row[k] != "":
				row[k] = "100000" // the most it takes
			case column == "capacity_from_roster":
				row[k] = "false"
			case column == "hours" && alwaysOpen:
				row[k] = "mo-su 00:00-24:00"
			case column == "holidays" && alwaysOpen:
				row[k] = ""
			}
		}
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(table); err != nil {
		return err
	}
	conn, err := s.process.Dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := routingv1.NewRoutingServiceClient(conn).ImportNetwork(ctx, &routingv1.ImportNetworkRequest{
		Files: []*routingv1.NetworkFile{{Name: "departments.csv", Content: out.Bytes()}},
	})
	if err != nil {
		return fmt.Errorf("widen the sample's capacities: %w", err)
	}
	if m := resp.GetMistakes(); len(m) > 0 {
		return fmt.Errorf("widen the sample's capacities: %s line %d: %s", m[0].GetFile(), m[0].GetLine(), m[0].GetMessage())
	}
	// The engine follows within a second.
	select {
	case <-time.After(2 * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// limitOf reads the rows that leads left and finds the fastest way to insert them again.
func limitOf(ctx context.Context, s *stage, sources []limit.Source, leads, group int) (*limit.Program, limit.Way, error) {
	url := s.process.DatabaseURL
	rows, err := limit.Read(ctx, url, leads, sources)
	if err != nil {
		return nil, limit.Way{}, err
	}
	fmt.Fprintf(os.Stderr, "  rows of %d leads in groups of %d: %s\n", leads, group, rows)
	var best float64
	var way limit.Way
	for _, w := range rows.Ways() {
		p, err := limit.Open(ctx, url, rows, w)
		if err != nil {
			return nil, way, err
		}
		rate, err := p.Fast(ctx, group)
		if err = errors.Join(err, p.Close()); err != nil {
			return nil, way, err
		}
		fmt.Fprintf(os.Stderr, "  limit by %s over %d connections: %.0f leads/s\n", w.Method, w.Conns, rate)
		if rate > best {
			best, way = rate, w
		}
	}
	p, err := limit.Open(ctx, url, rows, way)
	return p, way, err
}
