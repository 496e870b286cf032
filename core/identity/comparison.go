package identity

import "math/bits"

// comparison is what two records agree in, field by field.
type comparison struct {
	levels   Levels
	shares   [FieldCount]int32 // log2 share of people that have the value agreed in; 0 when that says nothing
	conflict Conflict
}

// compare fills in a comparison.
func (m *Matcher) compare(a, b *Prepared, c *comparison) {
	both := a.has & b.has
	m.compareNames(a, b, c)
	m.compareContacts(a, b, c, both)
	m.compareFacts(a, b, c, both)
	m.findConflicts(a, b, c)
}

// compareUnless is compare, but stops when the fields still to come can not lift the pair to a possible
// match; out is true then and the weight a bound from above.
func (m *Matcher) compareUnless(a, b *Prepared, c *comparison) (weight int32, out bool) {
	both := a.has & b.has
	bound := m.prior
	for rest := both; rest != 0; rest &= rest - 1 {
		bound += max(0, m.best[bits.TrailingZeros32(rest)])
	}
	m.compareNames(a, b, c)
	bound = m.tighten(bound, both&nameFields, c)
	if both&nameFields != 0 && bound < m.params.Possible-giveUp {
		return bound, true
	}
	m.compareContacts(a, b, c, both)
	bound = m.tighten(bound, both&contactFields, c)
	if bound < m.params.Possible-giveUp {
		return bound, true
	}
	m.compareFacts(a, b, c, both)
	m.findConflicts(a, b, c)
	return 0, false
}

// giveUp is how far below a possible match a pair must stay, whatever else agrees, to be given up on.
const giveUp = 5_000

const (
	nameFields    = 1<<FieldGivenName | 1<<FieldMiddleName | 1<<FieldFamilyName | 1<<FieldGeneration
	contactFields = 1<<FieldEmail | 1<<FieldPhone | 1<<FieldBorn
)

// tighten replaces the most that fields can bring by what they brought.
func (m *Matcher) tighten(bound int32, fields uint32, c *comparison) int32 {
	for ; fields != 0; fields &= fields - 1 {
		f := bits.TrailingZeros32(fields)
		bound -= max(0, m.best[f])
		bound += m.worth(c, Field(f))
	}
	return bound
}

// worth returns what a field speaks for one person against strangers.
func (m *Matcher) worth(c *comparison, f Field) int32 {
	code := c.levels[f]
	if code == 0 {
		return 0
	}
	if s := c.shares[f]; s != 0 {
		return m.levels[code].M - s
	}
	return m.levels[code].M - m.levels[code].U
}

func (m *Matcher) compareNames(a, b *Prepared, c *comparison) {
	first, best, least, same := true, int32(0), uint64(0), false
	for i := range a.names {
		for j := range b.names {
			n := compareName(&a.names[i], &b.names[j])
			w := m.worthName(&n)
			same = same || n.given == ReasonGivenName
			if (n.given == ReasonGivenNameDiffers || n.given == ReasonGivenNameOther) && len(a.names[i].Given) > 1 && len(b.names[j].Given) > 1 {
				c.conflict |= ConflictGivenName
			}
			if n.generation == ReasonGenerationDiffers {
				c.conflict |= ConflictGeneration
			}
			rank := uint64(n.given)<<24 | uint64(n.middle)<<16 | uint64(n.family)<<8 | uint64(n.generation)
			if !first && (w < best || w == best && rank >= least) {
				continue
			}
			first, best, least = false, w, rank
			c.levels[FieldGivenName], c.levels[FieldMiddleName] = n.given, n.middle
			c.levels[FieldFamilyName], c.levels[FieldGeneration] = n.family, n.generation
			c.shares[FieldGivenName], c.shares[FieldFamilyName] = n.givenShare, n.familyShare
			if n.given == ReasonNameSwapped && n.givenShare != 0 {
				c.shares[FieldGivenName] = n.givenShare + n.familyShare
				c.shares[FieldFamilyName] = 0
			}
		}
	}
	if same {
		c.conflict &^= ConflictGivenName
	}
}

func (m *Matcher) worthName(n *nameLevels) int32 {
	w := m.levels[n.middle].M - m.levels[n.middle].U + m.levels[n.generation].M - m.levels[n.generation].U
	w += m.levels[n.given].M + m.levels[n.family].M
	if n.givenShare != 0 {
		w -= n.givenShare
	} else {
		w -= m.levels[n.given].U
	}
	if n.familyShare != 0 {
		w -= n.familyShare
	} else {
		w -= m.levels[n.family].U
	}
	return w
}

// better puts a level into a comparison when it speaks more for one person than what is there; of
// levels that speak for as much, the one with the lower code stays.
func (m *Matcher) better(c *comparison, f Field, code ReasonCode, share int32) {
	if code == 0 {
		return
	}
	w := m.levels[code].M - m.levels[code].U
	if share != 0 {
		w = m.levels[code].M - share
	}
	if now := m.worth(c, f); c.levels[f] == 0 || w > now || w == now && code < c.levels[f] {
		c.levels[f], c.shares[f] = code, share
	}
}

func (m *Matcher) compareContacts(a, b *Prepared, c *comparison, both uint32) {
	if both>>FieldEmail&1 != 0 {
		given, family := agrees(c.levels[FieldGivenName], ReasonGivenNameDiffers), agrees(c.levels[FieldFamilyName], ReasonFamilyNameDiffers)
		for i := range a.emails {
			for j := range b.emails {
				code := compareEmail(&a.emails[i], &b.emails[j])
				if given || family {
					code = besideName(code, &a.emails[i], &b.emails[j], &a.names[0], &b.names[0], given, family)
				}
				share := int32(0)
				if code == ReasonEmail {
					share = a.emails[i].share
				}
				m.better(c, FieldEmail, code, share)
			}
		}
	}
	if both>>FieldPhone&1 != 0 {
		for i := range a.phones {
			for j := range b.phones {
				code, share := comparePhone(a.phones[i].number, b.phones[j].number), int32(0)
				if code == ReasonPhone {
					share = a.phones[i].share
				}
				m.better(c, FieldPhone, code, share)
			}
		}
	}
	if both>>FieldBorn&1 != 0 {
		same := false
		for _, x := range a.born {
			for _, y := range b.born {
				code := compareBorn(x, y)
				if x.complete() && y.complete() && m.otherBirth(code) {
					c.conflict |= ConflictBorn
				}
				same = same || code == ReasonBorn
				m.better(c, FieldBorn, code, 0)
			}
		}
		if same {
			c.conflict &^= ConflictBorn
		}
	}
}

// agrees reports that both records have a name and that it does not differ.
func agrees(c, differs ReasonCode) bool { return c != 0 && c != differs }

func (m *Matcher) compareFacts(a, b *Prepared, c *comparison, both uint32) {
	if both&(1<<FieldAddress|1<<FieldLine|1<<FieldPlace) != 0 {
		m.compareAddresses(a, b, c)
	}
	if both>>FieldID&1 != 0 {
		m.compareIDs(a, b, c)
	}
	if both>>FieldVehicle&1 != 0 {
		for _, x := range a.vins {
			for _, y := range b.vins {
				m.better(c, FieldVehicle, compareVIN(x, y), 0)
			}
		}
	}
	if both>>FieldCompany&1 != 0 {
		for _, x := range a.companies {
			for _, y := range b.companies {
				m.better(c, FieldCompany, compareCompany(x, y), 0)
			}
		}
	}
	for i := range a.traits {
		for j := range b.traits {
			if x, y := &a.traits[i], &b.traits[j]; x.Kind == y.Kind {
				code, share := compareTrait(x, y)
				m.better(c, x.Kind.Field(), code, share)
			}
		}
	}
}

func (m *Matcher) compareAddresses(a, b *Prepared, c *comparison) {
	first, best, least := true, int32(0), uint64(0)
	for i := range a.addresses {
		for j := range b.addresses {
			l := compareAddress(&a.addresses[i], &b.addresses[j])
			w := int32(0)
			for _, code := range [...]ReasonCode{l.address, l.line, l.place} {
				w += m.levels[code].M - m.levels[code].U
			}
			rank := uint64(l.address)<<16 | uint64(l.line)<<8 | uint64(l.place)
			if !first && (w < best || w == best && rank >= least) {
				continue
			}
			first, best, least = false, w, rank
			c.levels[FieldAddress], c.levels[FieldLine], c.levels[FieldPlace] = l.address, l.line, l.place
			c.shares[FieldPlace], c.shares[FieldAddress] = l.cityShare, l.share
		}
	}
}

func (m *Matcher) compareIDs(a, b *Prepared, c *comparison) {
	for i := range a.ids {
		x := &a.ids[i]
		met, equal := false, false
		for j := range b.ids {
			y := &b.ids[j]
			if x.Kind != y.Kind || x.Source != y.Source {
				continue
			}
			met = true
			equal = equal || x.Value == y.Value
		}
		switch {
		case equal && x.Kind == anonymousID:
			m.better(c, FieldID, ReasonAnonymousID, 0)
		case equal:
			m.better(c, FieldID, ReasonCustomerID, 0)
		case met && x.Kind != anonymousID && !sharesSource(a, b, x):
			c.conflict |= ConflictID
			m.better(c, FieldID, ReasonIDDiffers, 0)
		}
	}
}

func compareTrait(a, b *preparedTrait) (code ReasonCode, share int32) {
	equal := a.Value == b.Value
	switch a.Kind {
	case TraitNumber:
		return compareNumber(a.Value, b.Value), 0
	case TraitSex:
		if equal || a.Value[0] == b.Value[0] {
			return ReasonSex, 0
		}
		return ReasonSexDiffers, 0
	case TraitBirthplace:
		switch {
		case equal:
			return ReasonBirthplace, max(a.share, b.share)
		case spelledAlike(a.Value, b.Value, a.letters, b.letters) || begins(a.Value, b.Value, 4):
			return ReasonBirthplaceAlike, 0
		}
		return ReasonBirthplaceDiffers, 0
	case TraitOccupation:
		switch {
		case equal:
			return ReasonOccupation, max(a.share, b.share)
		case spelledAlike(a.Value, b.Value, a.letters, b.letters) || begins(a.Value, b.Value, 4):
			return ReasonOccupationAlike, 0
		}
		return ReasonOccupationDiffers, 0
	}
	return 0, 0
}
