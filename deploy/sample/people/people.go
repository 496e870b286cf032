// Package people makes up as many persons as wanted, and what they say of themselves over the years:
// leads, service visits and purchases, with nicknames, typing errors, moves, new addresses, shared
// phones, twins, and fathers and sons of one name. Names and places come by their frequency. It is
// for measuring how records are matched: every record says who it truly is from.
//
// Nobody in it is real. E-mail domains end in .example, which nobody can own, and phone numbers have
// area codes that no plan has given out.
package people

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// Options say what to make up. Equal options give equal records.
type Options struct {
	Seed  uint64
	Count int // records
	// Country is where the people live: "US", also if empty, or "DE".
	Country string
	// Repeat is how many records a person has on average, at least 1; 0: 1.7.
	Repeat float64
	// Until is the day of the last record, the zero time for 2026-06-30; the first is five years older.
	Until time.Time
}

// Population is a number of made-up persons. It is immutable and may be used by many goroutines.
type Population struct {
	world   *world
	options Options
	order   []slot
	persons int
	homes   int
}

// slot is one record: which of its household's.
type slot struct {
	at     int64
	home   int32
	record int32
}

// years is the time that the records span.
const years = 5

// New plans a population, in about four seconds and 16 MB for a million records.
func New(o Options) (*Population, error) {
	if o.Count < 0 || o.Count > 100_000_000 {
		return nil, fmt.Errorf("count is %d; it must be from 0 to 100000000", o.Count)
	}
	if o.Repeat == 0 {
		o.Repeat = 1.7
	}
	if o.Repeat < 1 || o.Repeat > 20 {
		return nil, fmt.Errorf("repeat is %g; it must be from 1 to 20", o.Repeat)
	}
	if o.Until.IsZero() {
		o.Until = time.Date(2026, time.June, 30, 0, 0, 0, 0, time.UTC)
	}
	w, err := newWorld(o.Country)
	if err != nil {
		return nil, err
	}
	p := &Population{world: w, options: o, order: make([]slot, 0, o.Count)}
	for len(p.order) < o.Count {
		records := p.household(p.homes)
		last := -1
		for i := range records {
			if len(p.order) == o.Count {
				break
			}
			p.order = append(p.order, slot{records[i].At.Unix(), int32(p.homes), int32(i)})
			if records[i].Person != last {
				last = records[i].Person
				p.persons++
			}
		}
		p.homes++
	}
	slices.SortFunc(p.order, func(a, b slot) int {
		switch {
		case a.at != b.at:
			return int(a.at - b.at)
		case a.home != b.home:
			return int(a.home - b.home)
		}
		return int(a.record - b.record)
	})
	return p, nil
}

// Count returns the number of records.
func (p *Population) Count() int { return len(p.order) }

// Persons returns how many persons they are from.
func (p *Population) Persons() int { return p.persons }

// Households returns in how many households these live.
func (p *Population) Households() int { return p.homes }

// Records yields the records in the order of time. Each is made when it is its turn.
func (p *Population) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := range p.order {
			if !yield(p.Record(i)) {
				return
			}
		}
	}
}

// Record returns the record at a place in the order of time, from 0 to below Count.
func (p *Population) Record(i int) Record {
	s := p.order[i]
	r := p.household(int(s.home))[s.record]
	r.ID = i + 1
	return r
}

// household makes up all records of a household, those of a person one after another.
func (p *Population) household(home int) []Record {
	h := maker{
		world: p.world, repeat: p.options.Repeat, home: home,
		rng:  rand.New(rand.NewPCG(p.options.Seed, uint64(home))),
		from: p.options.Until.AddDate(-years, 0, 0), until: p.options.Until,
	}
	h.family()
	return h.records
}
