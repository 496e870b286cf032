package identity

import (
	"cmp"
	"math"
	"slices"
)

// Matcher weighs records by one revision of parameters, as Fellegi and Sunter (1969) do, with one
// class more: two records are of one person, of two people of one home, or of two strangers. Each
// field's level has a probability in each class, and the weight is the log2 odds of the first class
// against the two others together. So what people of one home share anyway, address, family name, a
// phone, can not add up to one person, however much of it there is.
//
// It is immutable and may be used by many goroutines.
type Matcher struct {
	params *Params
	names  *Dictionary
	levels [ReasonCount]Level
	best   [FieldCount]int32 // the most that a field can speak for one person
	sum    [64]int32         // log2(1+2^-d) in thousandths for d of a quarter bit each
	prior  int32
	home   int32
}

// NewMatcher makes a matcher; it keeps both arguments, which must not change any more. Names may be
// nil: then no nicknames are known and every name is equally rare.
func NewMatcher(p *Params, names *Dictionary) (*Matcher, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	m := &Matcher{params: p, names: names, levels: p.Levels, prior: p.Prior, home: p.Home}
	for i := range m.sum {
		m.sum[i] = int32(math.Round(1000 * math.Log2(1+math.Exp2(-float64(i)/4))))
	}
	for c, l := range m.levels {
		f := ReasonCode(c).Field()
		m.best[f] = max(m.best[f], l.M-l.U)
	}
	for f, s := range p.Shares {
		if s == nil {
			continue
		}
		for _, c := range FrequencyLevels(Field(f)) {
			m.best[f] = max(m.best[f], m.levels[c].M-s.Rare)
		}
	}
	m.best[FieldGivenName] = max(m.best[FieldGivenName], m.best[FieldGivenName]+m.best[FieldFamilyName]) // swapped
	return m, nil
}

// Params returns the parameters of the matcher; they must not be changed.
func (m *Matcher) Params() *Params { return m.params }

// Names returns the dictionary of the matcher, nil if it has none.
func (m *Matcher) Names() *Dictionary { return m.names }

// Match weighs what two records of people say and explains itself. It is symmetric. Where a list
// holds several values the best pair counts, but contradictions count against all values.
func (m *Matcher) Match(a, b *Record) Evidence {
	x, y := m.Prepare(a), m.Prepare(b)
	return m.Explain(&x, &y)
}

// Explain returns the evidence of two prepared records.
func (m *Matcher) Explain(a, b *Prepared) Evidence {
	var c comparison
	m.compare(a, b, &c)
	e := Evidence{Reasons: make([]Reason, 0, 12), Conflict: c.conflict}
	add := func(code ReasonCode, weight int32) {
		e.Weight += weight
		e.Reasons = append(e.Reasons, Reason{code, weight})
	}
	add(ReasonPrior, m.prior)
	for f, code := range c.levels {
		if code == 0 {
			continue
		}
		l := &m.levels[code]
		add(code, l.M-l.U)
		if d := l.U - c.shares[f]; c.shares[f] != 0 && d != 0 {
			add(frequencyReason(Field(f)), d)
		}
	}
	match, apart, home := m.classes(&c)
	if d := match - m.either(apart, home) - e.Weight; d != 0 {
		add(ReasonHousemates, d)
	}
	slices.SortStableFunc(e.Reasons, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.Code, y.Code))
	})
	e.Probability = Probability(e.Weight)
	return e
}

// Weigh returns the weight and the contradictions that Match finds, without allocating. A pair that can
// not come near a possible match any more is given up on: its weight is then no less than Match's and
// more than 5 bits below Params.Possible, and no contradictions are looked for.
func (m *Matcher) Weigh(a, b *Prepared) (weight int32, conflict Conflict) {
	var c comparison
	if w, out := m.compareUnless(a, b, &c); out {
		return w, 0
	}
	match, apart, home := m.classes(&c)
	return match - m.either(apart, home), c.conflict
}

// Levels returns at which level two records agree in each field.
func (m *Matcher) Levels(a, b *Prepared) Levels {
	var c comparison
	m.compare(a, b, &c)
	return c.levels
}

// classes returns the log2 likelihoods of the three classes, the priors included.
func (m *Matcher) classes(c *comparison) (match, apart, home int32) {
	match, home = m.prior, m.home
	for f, code := range c.levels {
		if code == 0 {
			continue
		}
		l := &m.levels[code]
		match += l.M
		home += l.Home
		if s := c.shares[f]; s != 0 {
			apart += s
		} else {
			apart += l.U
		}
	}
	return match, apart, home
}

// either returns the log2 of the sum of two likelihoods given as log2, in thousandths.
func (m *Matcher) either(x, y int32) int32 {
	if x < y {
		x, y = y, x
	}
	i := (x - y) / 250
	if int(i) >= len(m.sum)-1 {
		return x
	}
	rest := (x - y) % 250
	return x + m.sum[i] + (m.sum[i+1]-m.sum[i])*rest/250
}

// nameMargin is how much more, in thousandths of a bit, names and a place must say where they speak
// alone. The customers of a store live close together, so a place they share tells them apart by about
// this much less than it tells people of the whole market: a John Smith of one's own postal code is
// often another one.
const nameMargin = 3_000

// ties are the fields of which one must agree for a pair to rest on more than names and a place.
var ties = [...]Field{FieldEmail, FieldPhone, FieldAddress, FieldBorn, FieldID, FieldVehicle, FieldNumber}

// Verdict says what is to be done with a pair. It is Decide's, but a match by names and a place alone
// is one to look at unless it is well above the bound. The cleaning of a list, which learns what a
// place is worth there, decides by the weight alone.
func (m *Matcher) Verdict(e *Evidence) Verdict {
	var levels Levels
	for _, r := range e.Reasons {
		if slices.Contains(ties[:], r.Field()) {
			levels[r.Field()] = r.Code
		}
	}
	return m.judge(e.Weight, e.Conflict, &levels)
}

// Judge weighs a pair and says what is to be done with it, as Verdict does for its evidence.
func (m *Matcher) Judge(a, b *Prepared) (weight int32, v Verdict) {
	weight, conflict := m.Weigh(a, b)
	if v = m.Decide(weight, conflict); v != VerdictMatch || weight >= m.params.Match+nameMargin {
		return weight, v
	}
	levels := m.Levels(a, b)
	return weight, m.judge(weight, conflict, &levels)
}

func (m *Matcher) judge(weight int32, conflict Conflict, levels *Levels) Verdict {
	v := m.Decide(weight, conflict)
	if v != VerdictMatch || weight >= m.params.Match+nameMargin {
		return v
	}
	for _, f := range ties {
		if l := &m.levels[levels[f]]; levels[f] != 0 && l.M > l.U {
			return v
		}
	}
	return VerdictPossible
}

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
func (m *Matcher) Contradicts(a, b *Record) bool {
	x, y := m.Prepare(a), m.Prepare(b)
	var c comparison
	m.compare(&x, &y, &c)
	given := c.levels[FieldGivenName]
	if c.conflict != 0 || given == ReasonGivenNameDiffers && c.levels[FieldNumber] == 0 {
		return true
	}
	email, phone := c.levels[FieldEmail], c.levels[FieldPhone]
	if email == ReasonEmail || phone == ReasonPhone || c.levels[FieldID] != 0 {
		return false
	}
	if email != 0 && email != ReasonEmailDiffers || phone != 0 && phone != ReasonPhoneDiffers {
		return false
	}
	family := c.levels[FieldFamilyName]
	inFull := given == ReasonNameSwapped || family == ReasonFamilyName && (given == ReasonGivenName || given == ReasonGivenNameShort)
	return (email != 0 || phone != 0) && !inFull
}

// Household reports whether two records, not of the same person, share a home: a phone number or an
// e-mail address, or a family name together with a street address or a vehicle.
func (m *Matcher) Household(a, b *Record) bool {
	x, y := m.Prepare(a), m.Prepare(b)
	var c comparison
	m.compare(&x, &y, &c)
	if c.levels[FieldPhone] == ReasonPhone || c.levels[FieldEmail] == ReasonEmail {
		return true
	}
	if c.levels[FieldVehicle] != ReasonVehicle && !sameStreet(&c) {
		return false
	}
	return sharesFamily(a, b)
}

// sameStreet reports that street and number agree, or nearly do, in one place.
func sameStreet(c *comparison) bool {
	switch c.levels[FieldAddress] {
	case ReasonAddress, ReasonAddressTypo:
	default:
		return false
	}
	switch c.levels[FieldPlace] {
	case ReasonPlaceDiffers, ReasonRegion:
		return false
	}
	return true
}

func sharesFamily(a, b *Record) bool {
	return slices.ContainsFunc(a.Names, func(x Name) bool {
		return x.Family != "" && slices.ContainsFunc(b.Names, func(y Name) bool { return x.Family == y.Family })
	})
}
