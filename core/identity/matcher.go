package identity

import (
	"cmp"
	"slices"
)

// Matcher weighs records by one revision of parameters. It is immutable and may be used by many
// goroutines.
type Matcher struct {
	params *Params
	names  *Dictionary
}

// NewMatcher makes a matcher; it keeps both arguments, which must not change any more. Names may be
// nil: then no nicknames are known and every name is equally rare.
func NewMatcher(p *Params, names *Dictionary) (*Matcher, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	return &Matcher{params: p, names: names}, nil
}

// Params returns the parameters of the matcher; they must not be changed.
func (m *Matcher) Params() *Params { return m.params }

// Names returns the dictionary of the matcher, nil if it has none.
func (m *Matcher) Names() *Dictionary { return m.names }

// Match weighs what two records of people say and explains itself. It is symmetric. Where a list
// holds several values the best pair counts, but contradictions count against all values.
func (m *Matcher) Match(a, b *Record) Evidence {
	e := Match(a, b)
	e.add(ReasonPrior, m.params.Prior)
	slices.SortStableFunc(e.Reasons, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.Code, y.Code))
	})
	e.Probability = Probability(e.Weight)
	e.Conflict = conflictOf(e.Reasons)
	return e
}

// Prepared is a record made ready to be weighed many times. It is immutable and belongs to the
// matcher that made it.
type Prepared struct {
	record Record
}

// Prepare does the costly part of a comparison once. The result keeps the record's memory.
func (m *Matcher) Prepare(r *Record) Prepared { return Prepared{*r} }

// Weigh returns the weight and the contradictions that Match finds, without allocating.
func (m *Matcher) Weigh(a, b *Prepared) (weight int32, conflict Conflict) {
	e := m.Match(&a.record, &b.record)
	return e.Weight, e.Conflict
}

// Verdict says what is to be done with a pair.
func (m *Matcher) Verdict(e *Evidence) Verdict { return m.Decide(e.Weight, e.Conflict) }

// Decide says what is to be done with a pair of a weight and its contradictions.
func (m *Matcher) Decide(weight int32, conflict Conflict) Verdict {
	switch {
	case conflict != 0 || weight < m.params.Possible:
		return VerdictDifferent
	case weight < m.params.Match:
		return VerdictPossible
	}
	return VerdictMatch
}

// Contradicts reports whether two records can not well be the same person: they are in conflict, or
// every contact point that both have differs and the names do not agree in full. Records that say
// too little to tell do not contradict each other.
func (m *Matcher) Contradicts(a, b *Record) bool { return Contradicts(a, b) }

// Household reports whether two records, not of the same person, share a home: a phone number or an
// e-mail address, or a family name together with an address or a vehicle.
func (m *Matcher) Household(a, b *Record) bool { return Household(a, b) }

// Keys returns the blocking keys that live look-ups go by: few, since each is a stored row.
func (m *Matcher) Keys(r *Record) []Key { return Keys(r) }

func conflictOf(reasons []Reason) Conflict {
	var c Conflict
	for _, r := range reasons {
		switch r.Code {
		case ReasonGivenNameDiffers:
			c |= ConflictGivenName
		case ReasonGenerationDiffers:
			c |= ConflictGeneration
		case ReasonBornDiffers:
			c |= ConflictBorn
		}
	}
	return c
}
