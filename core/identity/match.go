package identity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// threshold is the weight from which on two records count as the same person. An e-mail address, a
// phone number or a customer number alone reaches it; a name needs an address or a vehicle beside it.
const threshold = 10_000

// Same reports whether a weight in thousandths of a bit is enough to link two records.
func Same(weight int32) bool { return weight >= threshold }

// veto outweighs everything that can speak for a match.
const veto = -100_000

// Match weighs what two records of people say. It is symmetric. Where a list holds several values
// the best pair counts. A phone number or e-mail address shared by people with clearly different
// given names is a household's, so that difference outweighs any agreement.
func Match(a, b *Record) Evidence {
	e := Evidence{Reasons: make([]Reason, 0, 8)}
	if shared(a.IDs, b.IDs) {
		if slices.ContainsFunc(a.IDs, func(id lead.Identifier) bool {
			return id.Kind != lead.IDKindAnonymous && slices.Contains(b.IDs, id)
		}) {
			e.add(ReasonCustomerID, 16_000)
		} else {
			e.add(ReasonAnonymousID, 12_000)
		}
	}
	if shared(a.Emails, b.Emails) {
		e.add(ReasonEmail, 14_000)
	}
	if shared(a.Phones, b.Phones) {
		e.add(ReasonPhone, 11_000)
	}
	if shared(a.VINs, b.VINs) {
		e.add(ReasonVehicle, 5_000)
	}
	if sharedAddress(a, b) {
		e.add(ReasonAddress, 3_000)
	}
	if shared(a.Companies, b.Companies) {
		e.add(ReasonCompany, 2_000)
	}
	if len(a.Born) > 0 && len(b.Born) > 0 {
		if shared(a.Born, b.Born) {
			e.add(ReasonBorn, 8_000)
		} else {
			e.add(ReasonBornDiffers, -14_000)
		}
	}
	n := exactNames(a.Names, b.Names)
	for _, r := range n.reasons[:n.count] {
		e.add(r.Code, r.Weight)
	}
	slices.SortStableFunc(e.Reasons, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.Code, y.Code))
	})
	return e
}

// Contradicts reports whether two records can not well be the same person: given names or
// generations clearly differ, or every contact point does and the names do not agree in full.
// Records that say too little to tell do not contradict each other.
func Contradicts(a, b *Record) bool {
	n := exactNames(a.Names, b.Names)
	if n.weight <= veto/2 {
		return true
	}
	if shared(a.Emails, b.Emails) || shared(a.Phones, b.Phones) || shared(a.IDs, b.IDs) {
		return false
	}
	comparable := len(a.Emails) > 0 && len(b.Emails) > 0 || len(a.Phones) > 0 && len(b.Phones) > 0
	return comparable && n.weight < givenEqual+familyEqual
}

// Household reports whether two records, not of the same person, share a home: a phone number or an
// e-mail address, or a family name together with an address or a vehicle.
func Household(a, b *Record) bool {
	if shared(a.Phones, b.Phones) || shared(a.Emails, b.Emails) {
		return true
	}
	if !sharedAddress(a, b) && !shared(a.VINs, b.VINs) {
		return false
	}
	return slices.ContainsFunc(a.Names, func(x Name) bool {
		return x.Family != "" && slices.ContainsFunc(b.Names, func(y Name) bool { return x.Family == y.Family })
	})
}

func (e *Evidence) add(code ReasonCode, weight int32) {
	e.Weight += weight
	e.Reasons = append(e.Reasons, Reason{code, weight})
}

const (
	givenEqual  = 4_000
	familyEqual = 4_000
)

// names is the agreement of two names, without allocation.
type names struct {
	weight  int32
	reasons [4]Reason
	count   int
}

func (n *names) add(code ReasonCode, weight int32) {
	n.weight += weight
	n.reasons[n.count] = Reason{code, weight}
	n.count++
}

// exactNames returns the agreement of the best pair; nothing when one side has no name.
func exactNames(a, b []Name) names {
	var best names
	first := true
	for i := range a {
		for j := range b {
			if n := exactName(&a[i], &b[j]); first || n.weight > best.weight {
				best, first = n, false
			}
		}
	}
	return best
}

func exactName(a, b *Name) names {
	var n names
	if a.Given != "" && a.Given != a.Family && a.Given == b.Family && a.Family == b.Given {
		n.add(ReasonNameSwapped, 7_000)
		return n
	}
	if a.Given != "" && b.Given != "" {
		switch {
		case a.Given == b.Given:
			n.add(ReasonGivenName, givenEqual)
		case initial(a.Given, b.Given):
			n.add(ReasonInitial, 1_000)
		case nearly(a.Given, b.Given) || a.Given == b.Middle || b.Given == a.Middle:
			// Mario and Maria share a phone too: alike is not enough beside a phone alone.
			n.add(ReasonGivenNameAlike, -6_000)
		default:
			n.add(ReasonGivenNameDiffers, veto)
		}
	}
	if a.Family != "" && b.Family != "" {
		switch {
		case a.Family == b.Family:
			n.add(ReasonFamilyName, familyEqual)
		case nearly(a.Family, b.Family):
			n.add(ReasonFamilyNameAlike, 1_000)
		default:
			n.add(ReasonFamilyNameDiffers, -4_000)
		}
	}
	if a.Suffix != "" && b.Suffix != "" && a.Suffix != b.Suffix {
		n.add(ReasonGenerationDiffers, veto)
	}
	if a.Middle != "" && b.Middle != "" && a.Middle[0] != b.Middle[0] {
		n.add(ReasonMiddleNameDiffers, -5_000)
	}
	return n
}

// initial reports that one name is the first letter of the other.
func initial(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) == 1 && b[0] == a[0]
}

// nearly reports that two different folded names may be the same: one begins with the other, or they
// are one typing error apart.
func nearly(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 3 {
		return false
	}
	return strings.HasPrefix(b, a) || len(a) > 3 && oneEdit(a, b)
}

// oneEdit reports that a, not longer than b, becomes b by changing, adding or swapping one letter.
func oneEdit(a, b string) bool {
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return true
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

func shared[T comparable](a, b []T) bool {
	for i := range a {
		if slices.Contains(b, a[i]) {
			return true
		}
	}
	return false
}

// sharedAddress reports that two records have a street address in common.
func sharedAddress(a, b *Record) bool {
	return slices.ContainsFunc(a.Addresses, func(t string) bool { return firstText(t) && slices.Contains(b.Addresses, t) })
}
