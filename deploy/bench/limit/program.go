package limit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
)

// Method is how rows are inserted.
type Method string

// The methods.
const (
	Copy   Method = "COPY"   // a COPY per table
	Unnest Method = "unnest" // an INSERT from arrays per table, a transaction's all sent at once
)

// Way is one way to run the program.
type Way struct {
	Method Method
	Conns  int
}

// Ways are all ways that rows can be inserted by, over 1, 2 and 4 connections.
func (r *Rows) Ways() []Way {
	methods := []Method{Copy}
	if !slices.ContainsFunc(r.tables, func(t *table) bool {
		return slices.ContainsFunc(t.columns, func(c column) bool { return c.array })
	}) {
		methods = append(methods, Unnest)
	}
	var out []Way
	for _, m := range methods {
		for _, n := range []int{1, 2, 4} {
			out = append(out, Way{Method: m, Conns: n})
		}
	}
	return out
}

// Program inserts rows. Close it.
type Program struct {
	rows    *Rows
	way     Way
	schemas []string // whose rows are committed together, in order
	conns   []*session
}

type session struct {
	conn *pgconn.PgConn
	cut  map[*table][][]byte // transient rows of the group before
}

// Open connects a program.
func Open(ctx context.Context, url string, rows *Rows, way Way) (*Program, error) {
	p := &Program{rows: rows, way: way}
	for _, t := range rows.tables {
		if !slices.Contains(p.schemas, t.schema) {
			p.schemas = append(p.schemas, t.schema)
		}
	}
	for range way.Conns {
		conn, err := pgconn.Connect(ctx, url)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		s := &session{conn: conn, cut: map[*table][][]byte{}}
		p.conns = append(p.conns, s)
		if err := p.prepare(ctx, s); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

func (p *Program) prepare(ctx context.Context, s *session) error {
	if _, err := s.conn.Exec(ctx, "SET synchronous_commit = on").ReadAll(); err != nil {
		return err
	}
	for _, t := range p.rows.tables {
		if p.way.Method == Unnest {
			if _, err := s.conn.Prepare(ctx, "insert "+t.name, t.insert, nil); err != nil {
				return err
			}
		}
		if t.transient {
			if _, err := s.conn.Prepare(ctx, "cut "+t.name, t.cut, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends the connections.
func (p *Program) Close() error {
	var errs []error
	for _, s := range p.conns {
		errs = append(errs, s.conn.Close(context.Background()))
	}
	return errors.Join(errs...)
}

// empty makes the tables empty.
func (p *Program) empty(ctx context.Context) error {
	var names []string
	for _, t := range p.rows.tables {
		names = append(names, t.name)
	}
	for _, s := range p.conns {
		clear(s.cut)
	}
	_, err := p.conns[0].conn.Exec(ctx, "TRUNCATE "+strings.Join(names, ", ")).ReadAll()
	return err
}

// Fast inserts everything in groups of so many leads as fast as it can and returns leads per second.
func (p *Program) Fast(ctx context.Context, group int) (float64, error) {
	if err := p.empty(ctx); err != nil {
		return 0, err
	}
	var mu sync.Mutex
	next := 0
	start := time.Now()
	err := p.each(func(s *session) (bool, error) {
		mu.Lock()
		a := next
		next = min(next+group, p.rows.Leads)
		b := next
		mu.Unlock()
		if a == b {
			return false, nil
		}
		return true, p.store(ctx, s, a, b)
	})
	return float64(p.rows.Leads) / time.Since(start).Seconds(), err
}

// Paced inserts n leads, or all if there are fewer, when they are due, those that are due together
// in one group of at most so many, and returns how long after being due each was durable.
func (p *Program) Paced(ctx context.Context, n, group int, rate float64) ([]time.Duration, error) {
	if err := p.empty(ctx); err != nil {
		return nil, err
	}
	n = min(n, p.rows.Leads)
	times := make([]time.Duration, n)
	due := load.Due{Start: time.Now(), Rate: rate}
	var mu sync.Mutex
	next := 0
	err := p.each(func(s *session) (bool, error) {
		mu.Lock()
		a := next
		if a == n {
			mu.Unlock()
			return false, nil
		}
		now := time.Now()
		b := min(due.By(now, n), a+group)
		if b <= a {
			mu.Unlock()
			time.Sleep(time.Until(due.At(a)))
			return true, ctx.Err()
		}
		next = b
		mu.Unlock()
		if err := p.store(ctx, s, a, b); err != nil {
			return false, err
		}
		for i := a; i < b; i++ {
			times[i] = time.Since(due.At(i))
		}
		return true, nil
	})
	return times, err
}

// each lets every connection work until there is nothing more to do.
func (p *Program) each(work func(*session) (more bool, err error)) error {
	errs := make(chan error, len(p.conns))
	for _, s := range p.conns {
		go func() {
			for {
				if more, err := work(s); err != nil || !more {
					errs <- err
					return
				}
			}
		}()
	}
	var all []error
	for range p.conns {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// store makes the rows of the leads from a to b durable, a transaction per service.
func (p *Program) store(ctx context.Context, s *session, a, b int) error {
	for _, name := range p.schemas {
		var err error
		if p.way.Method == Copy {
			err = p.copy(ctx, s, name, a, b)
		} else {
			err = p.unnest(ctx, s, name, a, b)
		}
		if err != nil {
			return fmt.Errorf("insert the rows of %s again: %w", name, err)
		}
	}
	return nil
}

func (p *Program) copy(ctx context.Context, s *session, name string, a, b int) error {
	if _, err := s.conn.Exec(ctx, "BEGIN").ReadAll(); err != nil {
		return err
	}
	for _, t := range p.rows.tables {
		rows := t.of(p.rows, a, b)
		if t.schema != name || len(rows) == 0 {
			continue
		}
		if _, err := s.conn.CopyFrom(ctx, bytes.NewReader(copied(rows)), "COPY "+t.name+" FROM STDIN (FORMAT binary)"); err != nil {
			return err
		}
		if t.transient {
			if old := s.cut[t]; len(old) > 0 {
				if err := s.conn.ExecPrepared(ctx, "cut "+t.name, t.arrays(old, 2), binaryFormat, nil).Read().Err; err != nil {
					return err
				}
			}
			s.cut[t] = rows
		}
	}
	_, err := s.conn.Exec(ctx, "COMMIT").ReadAll()
	return err
}

// binaryFormat says that all arguments are binary.
var binaryFormat = []int16{1}

func (p *Program) unnest(ctx context.Context, s *session, name string, a, b int) error {
	// Everything up to the sync is one transaction.
	line := s.conn.StartPipeline(ctx)
	for _, t := range p.rows.tables {
		rows := t.of(p.rows, a, b)
		if t.schema != name || len(rows) == 0 {
			continue
		}
		line.SendQueryPrepared("insert "+t.name, t.arrays(rows, len(t.columns)), binaryFormat, nil)
		if t.transient {
			if old := s.cut[t]; len(old) > 0 {
				line.SendQueryPrepared("cut "+t.name, t.arrays(old, 2), binaryFormat, nil)
			}
			s.cut[t] = rows
		}
	}
	if err := line.Sync(); err != nil {
		return errors.Join(err, line.Close())
	}
	return line.Close() // reads all results
}
