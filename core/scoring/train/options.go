// Package train learns points tables from rows whose outcome is known: additive functions over
// bins, fitted in small second-order steps, smoothed over several draws of the rows, merged until
// people can read them, and calibrated on rows the fit did not see.
//
// Everything here is deterministic: the same frame, outcomes and options give the same card on
// any number of workers.
package train

import (
	"errors"

	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// Outcome is what became of a row.
type Outcome uint8

const (
	// Lost is a row that will not be won any more.
	Lost Outcome = iota
	// Won is a row that reached the target.
	Won
	// Open is a row of which nobody knows yet; it needs its age in Options.Age.
	Open
)

// ErrCancelled is returned when the progress callback asked to stop.
var ErrCancelled = errors.New("learning was cancelled")

// Options says how to learn. The zero value learns from rows in no particular order.
type Options struct {
	Target card.Target
	// Time holds when each row came to be, in any unit that grows; rows of the same time keep their
	// order. Without it, Ordered says that the rows stand in the order of time; else they are
	// shuffled by the seed and nothing is said about drift.
	Time    []int64
	Ordered bool
	// TimeColumn is the column Time was read from. It is held back, and named in the card.
	TimeColumn string
	// TimeText writes a time as the column does, for the card; nil leaves it out.
	TimeText func(time int64) string
	// Cluster numbers the customer, or whatever else, that each row is of: rows of one number are never learned
	// from where another of them is told. Below 0 a row is alone; nil: all are.
	Cluster []int32
	Weights []float64 // of each row, at least 0; nil: all 1
	// Age holds, where some rows are open, how long each row took to be decided, or has been open so
	// far, in any one unit.
	Age     []float64
	Exclude []string
	// Override allows denied columns, by name, each for a reason that is kept in the card.
	Override map[string]string
	// Prior is an expert's card to start from. Its points count as if PriorRows rows had been seen in
	// each bin; 0 takes 50.
	Prior     *card.Card
	PriorRows float64
	Monotone  map[string]card.Monotone // by column of numbers
	Groups    map[string]string        // group by column
	Labels    map[string]string        // sentence for reasons by column
	// Pairs is how many pairs of columns may be learned at most: 0 takes 8, below 0 none.
	Pairs int
	// Unpaired names columns that no pair may have, as where whoever applies the card knows a missing value
	// from one that must not count.
	Unpaired []string
	// Bags is how many draws of the rows are learned from: 0 takes 16.
	Bags    int
	Seed    uint64
	Workers int // goroutines, 0 takes 1
}

const (
	defaultPairs     = 8
	defaultBags      = 16
	defaultPriorRows = 50
)

func (o Options) filled() Options {
	if o.Pairs == 0 {
		o.Pairs = defaultPairs
	}
	o.Pairs = max(o.Pairs, 0)
	if o.Bags <= 0 {
		o.Bags = defaultBags
	}
	if o.PriorRows <= 0 {
		o.PriorRows = defaultPriorRows
	}
	o.Workers = max(o.Workers, 1)
	return o
}
