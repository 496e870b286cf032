// Package cluster makes a partition of many records: which of them are one person, which share a
// home, and which pairs a person should look at. It is pure: the same records give the same
// partition in any order and with any number of goroutines.
//
// A pair is compared when its records share any combination of values that few enough others share
// (see Blocking). Pairs that match are joined from the strongest to the weakest, and two clusters
// are joined only if no pair across them is in conflict and the pairs across them, taken together,
// speak for it: a chain of near-duplicates pulls no strangers together.
package cluster

import (
	"errors"
	"math"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/learn"
)

// Options say how records are to be partitioned. The zero value learns parameters from the records
// and uses one goroutine.
type Options struct {
	// Matcher weighs the pairs. Nil: one is made with parameters learned from the records, from Base
	// and Names.
	Matcher *identity.Matcher
	// Base are the parameters to learn from, nil for the shipped ones; unused with a Matcher.
	Base *identity.Params
	// Names is the dictionary to learn and to weigh with, nil for none; unused with a Matcher.
	Names *identity.Dictionary
	// Left, if above 0, is how many of the records stand in the first of two lists: then only pairs
	// across the lists are compared.
	Left int
	// Match is the probability in millionths from which on a pair is linked; 0: that of the
	// parameters. Review is that from which on it is a possible pair; 0: that of the parameters.
	Match, Review int32
	// Workers is the number of goroutines; 0 means 1. It does not change the result.
	Workers int
	// Progress, if not nil, is called now and then from the goroutine that called Run, with how much
	// of a step is done. If it returns false, Run returns ErrStopped.
	Progress func(s Step, done, total int) bool
}

// ErrStopped means that Options.Progress said to stop.
var ErrStopped = errors.New("stopped")

// ErrTooMany means that there are more records than row numbers.
var ErrTooMany = errors.New("more than 2,000,000,000 records")

// Step is a part of the work of Run, in the order in which they happen.
type Step uint8

// The values of Step.
const (
	StepLearn   Step = iota // parameters
	StepPrepare             // records
	StepBlock               // combinations of values
	StepCompare             // pairs
	StepJoin                // pairs that match
)

// String says what happens, for a progress bar.
func (s Step) String() string {
	switch s {
	case StepLearn:
		return "learning"
	case StepPrepare:
		return "preparing"
	case StepBlock:
		return "blocking"
	case StepCompare:
		return "comparing"
	}
	return "joining"
}

// Result is a partition and how it came about. Rows are positions in the records given to Run.
type Result struct {
	// Matcher is the one that weighed the pairs: it explains any of them.
	Matcher *identity.Matcher
	// Learned says what was learned; zero if a Matcher was given.
	Learned learn.Report
	// Clusters holds the number of each row's cluster. Clusters are numbered from 0 in the order of
	// their first rows.
	Clusters []int32
	// Persons is the number of clusters.
	Persons int
	// Households holds the number of each row's household, numbered in the same way. A cluster lies
	// within one household.
	Households []int32
	// Homes is the number of households.
	Homes int
	// Links are the compared pairs that match and lie in one cluster, strongest first. Of rows equal
	// in every value only pairs with the first are among them.
	Links []Pair
	// Possible are the pairs that a person should look at, strongest first: those between the two
	// thresholds, and those that match but whose clusters were kept apart (Pair.Refusal).
	Possible []Pair
	// Common are the values that so many people share that they are no evidence: records were compared
	// without them (see Record). They are personal data.
	Common []identity.Key
	// Blocking says how pairs were chosen.
	Blocking Blocking
	// Weights counts the compared pairs by weight: Weights[i] those of at least i+MinBits and less
	// than i+MinBits+1 bits; the ends hold what is beyond them.
	Weights [MaxBits - MinBits]int

	index *index
	first []int32 // by row: the first row equal to it in every value
	shorn map[int32]*identity.Record
}

// Record returns a row of the records given to Run as it was compared: without what is Common.
func (r *Result) Record(records []identity.Record, row int) *identity.Record {
	if s := r.shorn[int32(row)]; s != nil {
		return s
	}
	return &records[row]
}

// The range of Result.Weights in bits.
const (
	MinBits = -60
	MaxBits = 80
)

// Pair are two compared rows.
type Pair struct {
	A, B     int32 // rows, A < B
	Weight   int32 // log2 odds in thousandths of a bit
	Conflict identity.Conflict
	Refusal  Refusal
}

// Probability returns the probability, in millionths, that the two are one person.
func (p Pair) Probability() int32 { return identity.Probability(p.Weight) }

// Refusal is why a pair that matches was not joined.
type Refusal uint8

// The values of Refusal.
const (
	RefusalNone     Refusal = iota
	RefusalConflict         // some pair across the two clusters contradicts itself
	RefusalSupport          // the two clusters as a whole do not speak for being one person
)

// String returns the refusal in words, "" for none.
func (r Refusal) String() string {
	switch r {
	case RefusalConflict:
		return "others of the two clusters contradict each other"
	case RefusalSupport:
		return "the two clusters as a whole are not alike enough"
	}
	return ""
}

// Run partitions records. It reads them only, and keeps none. It uses some 2 GB of memory for a
// million records beside the records themselves.
func Run(records []identity.Record, o Options) (*Result, error) {
	if len(records) > 2_000_000_000 {
		return nil, ErrTooMany
	}
	w := work{records: records, workers: max(o.Workers, 1), progress: o.Progress, left: o.Left}
	r := &Result{Matcher: o.Matcher}
	if r.Matcher == nil {
		if !w.tell(StepLearn, 0, 1) {
			return nil, ErrStopped
		}
		var p *identity.Params
		p, r.Learned = learn.Params(learn.Input{
			Records: records, Names: o.Names, Base: o.Base, Left: o.Left,
			Stop: func() bool { return !w.tell(StepLearn, 0, 1) },
		})
		if r.Learned.Stopped {
			return nil, ErrStopped
		}
		var err error
		if r.Matcher, err = identity.NewMatcher(p, o.Names); err != nil {
			return nil, err
		}
		if !w.tell(StepLearn, 1, 1) {
			return nil, ErrStopped
		}
	}
	w.matcher = r.Matcher
	w.match, w.review = r.Matcher.Params().Match, r.Matcher.Params().Possible
	if o.Match > 0 {
		w.match = identity.Weight(float64(o.Match) / 1e6)
	}
	if o.Review > 0 {
		w.review = identity.Weight(float64(o.Review) / 1e6)
	}
	w.review = min(w.review, w.match)

	for _, step := range []func(*Result) bool{w.dropCommon, w.prepare, w.block, w.compare, w.join} {
		if !step(r) {
			return nil, ErrStopped
		}
	}
	return r, nil
}

// work is one call of Run.
type work struct {
	records       []identity.Record
	matcher       *identity.Matcher
	match, review int32
	left          int
	workers       int
	progress      func(Step, int, int) bool

	shorn    map[int32]*identity.Record // rows without what is too common
	prepared []identity.Prepared
	content  []uint64 // by row: a hash of all its values
	has      []uint8  // by row: what it votes with
	first    []int32  // by row: the first row of the same content
	rows     []int32  // the first row of each content
	atoms    atoms    // of rows
	index    *index
	pairs    []Pair
}

func (w *work) tell(s Step, done, total int) bool {
	return w.progress == nil || w.progress(s, done, total)
}

// bitOf returns the place of a weight in Result.Weights.
func bitOf(weight int32) int {
	b := int(math.Floor(float64(weight)/1000)) - MinBits
	return min(max(b, 0), MaxBits-MinBits-1)
}
