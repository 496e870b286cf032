package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/limit"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
	"github.com/leadmesh/leadmesh/deploy/sample/people"
	"google.golang.org/grpc"
)

const (
	resolveGoal    = 2_000 // records a second
	resolveBatch   = 500
	resolveCallers = 2
)

// persons measures how fast Identity finds or makes the persons of records and stores them, beside
// many persons and beside a tenth of them. Nobody else publishes more than the rates given as peers.
func (b *bench) persons(ctx context.Context) (rows []Row, err error) {
	sizes := amount(b, [2]int{10_000, 1_000}, [2]int{1_000_000, 100_000})
	many, one := amount(b, 1_000, 20_000), amount(b, 500, 5_000)
	var houses [2]*personHouse
	for i, size := range sizes {
		h, failed := b.personHouse(ctx, size, (b.pairs+1)*(many+one))
		if h != nil {
			defer func() { err = errors.Join(err, h.close()) }()
		}
		if failed != nil {
			return nil, failed
		}
		houses[i] = h
	}
	var rates [2][]float64
	var ratios, work []float64
	var spent [2]cost
	err = b.profiled(ctx, houses[0].stage, "P6", int(amount(b, 8, 60)), func() error {
		for pair := range b.pairs + 1 {
			var r, busy [2]float64
			for i, h := range houses {
				before, err := h.stage.reading(ctx)
				if err != nil {
					return err
				}
				batch, err := h.resolve(ctx, many, resolveBatch, 0)
				if err != nil {
					return err
				}
				after, err := h.stage.reading(ctx)
				if err != nil {
					return err
				}
				if pair == 0 {
					continue // to warm up
				}
				r[i] = batch.Rate()
				busy[i] = (after.product + after.server - before.product - before.server).Seconds() / float64(batch.Leads)
				rates[i] = append(rates[i], r[i])
				spent[i].add(batch.Leads, before, after)
			}
			if pair > 0 {
				ratios, work = append(ratios, r[1]/r[0]), append(work, busy[0]/busy[1])
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var single [2]calls
	for i, h := range houses {
		if single[i], err = b.calls(ctx, h, one); err != nil {
			return nil, err
		}
	}
	big := houses[0]
	n := float64(spent[0].leads)
	rows = []Row{
		{What: fmt.Sprintf("records resolved and stored beside %d persons", big.persons), Figure: perSecond(median(rates[0])),
			Limit: "Senzing: 100 records/s on 8 cores", Goal: fmt.Sprintf(">= %d/s", resolveGoal), Held: held(median(rates[0]) >= resolveGoal),
			Note: fmt.Sprintf("%d callers, batches of %d; %s; %s; Splink: 1,000,000 records in about a minute, as a batch",
				resolveCallers, resolveBatch, big.told, &big.truth)},
		{What: fmt.Sprintf("the same rate beside %d persons", houses[1].persons), Figure: perSecond(median(rates[0])), Limit: perSecond(median(rates[1])),
			Ratio: rangeOf(ratios), Goal: "<= 1.5x", Held: held(median(ratios) <= 1.5)},
		{What: "processor time of a record beside it", Ratio: rangeOf(work), Goal: "<= 1.5x", Held: held(median(work) <= 1.5),
			Figure: fmt.Sprintf("%s product, %s Postgres", took(time.Duration(float64(spent[0].product)/n)), took(time.Duration(float64(spent[0].server)/n)))},
		{What: "log a record writes", Figure: fmt.Sprintf("%.1f KB", float64(spent[0].wal)/n/1000),
			Limit: fmt.Sprintf("%.1f KB beside %d", float64(spent[1].wal)/float64(spent[1].leads)/1000, houses[1].persons)},
	}
	return append(append(rows, single[0].rows()...), single[1].rows()...), nil
}

// personHouse is an installation that knows many persons.
type personHouse struct {
	stage   *stage
	conn    *grpc.ClientConn
	people  *people.Population
	next    int // record
	persons int
	told    string // how the rows came to be
	truth   truth
}

// truth counts how often who was found is who it was.
type truth struct {
	known  map[int]bool   // who has spoken
	owner  map[string]int // whose a person is: of whom its first record was
	again  int            // records of somebody who had spoken
	linked int            // of these, to a person of the same
	wrong  int            // of all records, to a person of somebody else
}

func (t *truth) add(found []load.Found) {
	for _, f := range found {
		owner, held := t.owner[f.Person]
		if !held {
			t.owner[f.Person] = f.Truth
		} else if owner != f.Truth {
			t.wrong++
		}
		if t.known[f.Truth] {
			t.again++
			if held && owner == f.Truth {
				t.linked++
			}
		}
		t.known[f.Truth] = true
	}
}

func (t *truth) String() string {
	return fmt.Sprintf("of %d records of somebody known %.2f %% found the person, %d records somebody else's", t.again,
		100*float64(t.linked)/float64(max(t.again, 1)), t.wrong)
}

// personHouse starts an installation and lets it resolve records until it knows so many persons; so
// many records more are kept to measure with.
func (b *bench) personHouse(ctx context.Context, persons, measured int) (*personHouse, error) {
	s, err := b.stage(ctx)
	if err != nil {
		return nil, err
	}
	h := &personHouse{stage: s, persons: persons, truth: truth{known: map[int]bool{}, owner: map[string]int{}}}
	if h.conn, err = s.process.DialAs("capture"); err != nil {
		return h, err
	}
	const repeat = 1.25
	first := int(float64(persons) * repeat)
	if h.people, err = people.New(people.Options{Seed: uint64(persons), Count: first + measured, Repeat: repeat}); err != nil {
		return h, err
	}
	before, err := limit.Count(ctx, s.db, []string{"identity"})
	if err != nil {
		return h, err
	}
	begin, created := time.Now(), 0
	for h.next < first {
		r, err := h.resolve(ctx, min(first-h.next, 50_000), 1_000, 0)
		if err != nil {
			return h, err
		}
		created += r.Created
	}
	after, err := limit.Count(ctx, s.db, []string{"identity"})
	if err != nil {
		return h, err
	}
	if _, err := s.db.Exec(ctx, "ANALYZE"); err != nil {
		return h, err
	}
	rate := float64(first) / time.Since(begin).Seconds()
	h.told = fmt.Sprintf("%d records made %d persons at %.0f/s, %.1f rows a record", first, created, rate, float64(after.Since(before))/float64(first))
	h.persons = created
	fmt.Fprintf(os.Stderr, "  %s\n", h.told)
	return h, nil
}

func (h *personHouse) close() error {
	var err error
	if h.conn != nil {
		err = h.conn.Close()
	}
	return errors.Join(err, h.stage.close())
}

// resolve sends the next n records.
func (h *personHouse) resolve(ctx context.Context, n, size int, rate float64) (load.Resolved, error) {
	requests, err := load.Resolves(h.people, h.next, h.next+n, size)
	if err != nil {
		return load.Resolved{}, err
	}
	h.next += n
	r, err := load.Resolve(ctx, h.conn, requests, resolveCallers, rate)
	if err != nil {
		return r, fmt.Errorf("%w; the product said: %s", err, h.stage.process.LastWords())
	}
	h.truth.add(r.Found)
	return r, nil
}
