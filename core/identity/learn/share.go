package learn

import (
	"math"
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
)

// weightOfBase is for how many records the shares known before count.
const weightOfBase = 100

// sharesOf counts how many records have each value of a field. One record fewer is counted for each
// value: of two that agree only one is the other's chance to meet it.
func sharesOf(in *Input, stop *brake, f identity.Field, base *identity.Shares) *identity.Shares {
	if identity.FrequencyLevels(f) == nil {
		return nil
	}
	counts := map[string]int{}
	total := 0
	count := func(v string) {
		if v != "" {
			counts[v]++
		}
		if v != "" && v[0] != '@' { // a domain is counted beside its address
			total++
		}
	}
	for i := range in.Records {
		if stop.at(i) {
			return base
		}
		values(&in.Records[i], f, count)
	}
	if total < 2 {
		return base
	}
	if f == identity.FieldEmail || f == identity.FieldPhone || f == identity.FieldAddress {
		return crowded(f, counts, total)
	}
	rare := 1 / float64(total+weightOfBase)
	s := &identity.Shares{Rare: identity.Log2(rare), Values: map[string]int32{}}
	for v, n := range counts {
		known := float64(weightOfBase) * in.Names.Share(f, v)
		share := (float64(n-1) + known) / float64(total+weightOfBase)
		if l := identity.Log2(math.Max(share, rare)); l > s.Rare {
			s.Values[v] = min(l, -1)
		}
	}
	return s
}

// crowd is how many records share a contact point or an address that may be that of an office, a
// switchboard or a home of many; with fewer they may all be one person's.
const crowd = 10

// crowded returns the shares of the values that many have.
func crowded(f identity.Field, counts map[string]int, total int) *identity.Shares {
	s := &identity.Shares{Values: map[string]int32{}}
	for v, n := range counts {
		if n >= crowd {
			s.Values[identity.ShareKey(f, v)] = min(identity.Log2(float64(n)/float64(total+weightOfBase)), -1)
		}
	}
	if len(s.Values) == 0 {
		return nil
	}
	return s
}

// values calls do for each value that a record has in a field whose frequency counts.
func values(r *identity.Record, f identity.Field, do func(string)) {
	switch f {
	case identity.FieldGivenName:
		for _, n := range r.Names {
			do(n.Given)
		}
	case identity.FieldFamilyName:
		for _, n := range r.Names {
			do(n.Family)
		}
	case identity.FieldEmail:
		for _, v := range r.Emails {
			do(v)
			if at := strings.IndexByte(v, '@'); at >= 0 {
				do(v[at:])
			}
		}
	case identity.FieldPhone:
		for _, v := range r.Phones {
			do(v)
		}
	case identity.FieldAddress:
		for _, a := range identity.ReadAddresses(r.Addresses) {
			do(identity.AddressValue(a))
		}
	case identity.FieldPlace:
		for _, a := range identity.ReadAddresses(r.Addresses) {
			do(a.City)
		}
	case identity.FieldBirthplace, identity.FieldOccupation:
		for _, t := range r.Traits {
			if t.Kind.Field() == f {
				do(t.Value)
			}
		}
	}
}
