package identity

import "github.com/leadmesh/leadmesh/core/lead"

const anonymousID = lead.IDKindAnonymous

// Conflict is the set of hard contradictions between two records; 0 when there is none. Records in
// conflict never are a match, whatever speaks for them. Where a record holds several values every
// pair of them counts, so that a record joins a person only if it contradicts nothing known of them;
// but for generations, a value that is known of both, as a date of birth of a person who is known by
// two, is no contradiction. What is missing contradicts nothing.
type Conflict uint8

// The members of a Conflict.
const (
	// ConflictGivenName: given names of two letters or more that are neither the same, nicknames or
	// beginnings of each other, a middle name of the other, nor spelled alike (see compareName), or that
	// look alike but are two names, as Mark and Mary or Daniel and Daniela, beside something that people
	// of one home share: an e-mail address, a phone number, a vehicle, or a street address, the same or
	// nearly, also where one lacks its number. It does not hold where the personal number is the same or a
	// typing error apart, nor among records that no two people of one home are among: where Params.Home
	// is NoHomes, as may be learned from a list of many duplicates.
	ConflictGivenName Conflict = 1 << iota
	// ConflictGeneration: two generations, as Jr and Sr or II and III. Jr and II are one.
	ConflictGeneration
	// ConflictBorn: two complete dates of birth that differ by more than a slip of the pen, which is day
	// and month swapped, one digit, two neighbouring digits swapped, or the century. It does not hold where
	// the personal number is the same or a typing error apart. Where Params.Home is NoHomes, as of a list
	// whose dates are much mistaken, only the last level of compareBorn contradicts, and not that where
	// street address and place are the same.
	ConflictBorn
	// ConflictID: a source that both records have numbers of, none of them the same. Browsers and
	// devices do not count: people have several.
	ConflictID
	// ConflictTwin: the same date of birth and family name, something that people of one home share as
	// above, and given names that are two names, also where they look alike, as Erin and Eric. It does
	// not hold where ConflictGivenName does not.
	ConflictTwin
)

// Has reports whether c holds all members of o.
func (c Conflict) Has(o Conflict) bool { return c&o == o }

// Words returns the contradictions in words, for people.
func (c Conflict) Words() []string {
	var out []string
	for i, w := range [...]string{"other given name", "other generation", "other date of birth", "other id of the same source", "twins"} {
		if c.Has(1 << i) {
			out = append(out, w)
		}
	}
	return out
}

// manyNames is how many family names a person is known by who may be a chain of people.
const manyNames = 3

// Drifts reports that what a chain of near-duplicates would make one person is to be joined: one side
// is known by three family names or more, none of them exactly a name of the other, and most pairs of
// their family names differ. However much the best pair agrees, that is for somebody to look at.
func (m *Matcher) Drifts(a, b *Record) bool {
	if len(a.Names) < manyNames && len(b.Names) < manyNames {
		return false
	}
	x, y := m.Prepare(a), m.Prepare(b)
	pairs, differ := 0, 0
	for i := range x.names {
		for j := range y.names {
			switch n := compareName(&x.names[i], &y.names[j]); n.family {
			case 0:
				continue
			case ReasonFamilyName:
				return false
			case ReasonFamilyNameDiffers:
				differ++
			}
			pairs++
		}
	}
	return pairs >= manyNames && 2*differ > pairs
}

// otherBirth reports that a level of two complete dates of birth makes them those of two people.
func (m *Matcher) otherBirth(code ReasonCode) bool {
	switch code {
	case ReasonBorn, ReasonBornSwapped, ReasonBornTypo:
		return false
	}
	return code == ReasonBornDiffers || m.home > NoHomes
}

// findConflicts settles the contradictions of a comparison whose levels are known.
func (m *Matcher) findConflicts(a, b *Prepared, c *comparison) {
	if n := c.levels[FieldNumber]; n == ReasonNumber || n == ReasonNumberTypo {
		c.conflict &^= ConflictGivenName | ConflictBorn
		return
	}
	if m.home <= NoHomes {
		c.conflict &^= ConflictGivenName
		if c.levels[FieldAddress] == ReasonAddress && c.levels[FieldPlace] == ReasonPlace {
			c.conflict &^= ConflictBorn
		}
		return
	}
	if !sharesHome(c) {
		c.conflict &^= ConflictGivenName
		return
	}
	given := c.levels[FieldGivenName]
	if (given == ReasonGivenNameDiffers || given == ReasonGivenNameOther) && c.levels[FieldBorn] == ReasonBorn {
		switch c.levels[FieldFamilyName] {
		case ReasonFamilyName, ReasonFamilyNameTypo, ReasonFamilyNamePart:
			c.conflict |= ConflictTwin
		}
	}
}

// sharesHome reports that two records agree, or nearly do, in something people of one home share.
func sharesHome(c *comparison) bool {
	switch c.levels[FieldEmail] {
	case ReasonEmail, ReasonEmailTypo:
		return true
	}
	switch c.levels[FieldPhone] {
	case ReasonPhone, ReasonPhoneTypo:
		return true
	}
	switch c.levels[FieldAddress] {
	case ReasonAddress, ReasonAddressTypo, ReasonAddressUnit, ReasonAddressStreet:
		return true
	}
	return c.levels[FieldVehicle] != 0
}

// sharesSource reports that two records have the same number of the source of x.
func sharesSource(a, b *Prepared, x *lead.Identifier) bool {
	for i := range a.ids {
		if a.ids[i].Kind != x.Kind || a.ids[i].Source != x.Source {
			continue
		}
		for j := range b.ids {
			if a.ids[i] == b.ids[j] {
				return true
			}
		}
	}
	return false
}
