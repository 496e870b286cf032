// Package learn finds the parameters of a matcher in the records themselves, without labels: how often
// each level of agreement is seen among strangers from pairs drawn at random, how often among records of
// one person by expectation maximisation over the pairs that several blocking rules find, each rule
// teaching nothing about the fields it is made of. Shipped parameters weigh in as if they had been seen
// before, so that few records, or records without any duplicate, do not lead astray. Where a single
// field tells people apart, as in a list of e-mail addresses, nothing else says which of those who agree
// in it are one person: then the weights stay the shipped ones.
package learn

import (
	"github.com/leadmesh/leadmesh/core/identity"
)

// Input is what parameters are learned from.
type Input struct {
	Records []identity.Record // as they are to be matched
	Names   *identity.Dictionary
	Base    *identity.Params // where the records say nothing; identity.Default() when nil
	// Left, if above 0, is how many of the records stand in the first of two lists that hold nobody
	// twice: then only pairs across the lists are compared.
	Left int
	// Stop, if not nil, is asked many times a second whether to stop; then the result is of no use.
	Stop func() bool
}

// Report says what was found.
type Report struct {
	Pairs   float64 // of records, all that could be compared
	Matches float64 // estimated pairs of one person
	Homes   float64 // estimated pairs of two people of one home
	Rounds  int     // of expectation maximisation
	Stopped bool    // Input.Stop said so
}

// Params learns parameters. The same input gives the same parameters.
func Params(in Input) (*identity.Params, Report) {
	base := in.Base
	if base == nil {
		base = identity.Default()
	}
	brake := brake{ask: in.Stop}
	p := *base
	p.Match, p.Possible = matchBits, possibleBits
	for f := range p.Shares {
		p.Shares[f] = sharesOf(&in, &brake, identity.Field(f), base.Shares[f])
	}
	m, err := identity.NewMatcher(&p, in.Names)
	if err != nil || len(in.Records) < 2 {
		return &p, Report{}
	}
	s := newSample(&in, &brake, m)
	if brake.on {
		return base, Report{Stopped: true}
	}
	if !s.corroborated() {
		return &p, Report{Pairs: s.total}
	}
	t := newTeacher(base, s)
	rounds := t.learn(&brake)
	if brake.on {
		return base, Report{Stopped: true}
	}
	t.write(&p)
	return &p, Report{Pairs: s.total, Matches: t.matches, Homes: t.homes, Rounds: rounds}
}

const (
	matchBits    = 0
	possibleBits = -3_000
)

// brake is what stops the work.
type brake struct {
	ask func() bool
	on  bool
}

// at reports whether to stop at the i-th of many steps; some of them ask.
func (b *brake) at(i int) bool {
	if !b.on && b.ask != nil && i%(1<<12) == 0 {
		b.on = b.ask()
	}
	return b.on
}
