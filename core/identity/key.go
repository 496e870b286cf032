package identity

import (
	"slices"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// KeyKind is what a blocking key is made from. Its numbers are stored and never change.
type KeyKind uint8

// The values of KeyKind.
const (
	KeyKindUnspecified KeyKind = iota
	KeyKindEmail
	KeyKindPhone
	KeyKindID
	KeyKindVIN
	KeyKindAddress    // street address with a family name: finds households too
	KeyKindSourceLead // a source's own lead id: finds who holds it, is no evidence of a person
	KeyKindNamePlace  // family name, first letter of the given name and postal code: finds who gives another contact point
	KeyKindNameBorn   // family name as it sounds and date of birth: finds who moved as well
)

// Key is one text that records of the same person or household share. Value is personal data: hash
// it before storing it.
type Key struct {
	Kind  KeyKind
	Value string
}

// Keys returns the blocking keys that live look-ups go by: few, since each is a stored row.
func (m *Matcher) Keys(r *Record) []Key {
	keys := make([]Key, 0, len(r.Emails)+len(r.Phones)+len(r.IDs)+len(r.VINs)+len(r.Addresses))
	for _, v := range r.Emails {
		keys = append(keys, Key{KeyKindEmail, v})
	}
	for _, v := range r.Phones {
		keys = append(keys, Key{KeyKindPhone, v})
	}
	for _, id := range r.IDs {
		keys = append(keys, idKey(id))
	}
	for _, v := range r.VINs {
		keys = append(keys, Key{KeyKindVIN, v})
	}
	for _, a := range r.Addresses {
		if !firstText(a) {
			continue
		}
		for i, n := range r.Names {
			if n.Family != "" && !slices.ContainsFunc(r.Names[:i], func(o Name) bool { return o.Family == n.Family }) {
				keys = append(keys, addressKey(a, n.Family))
			}
		}
	}
	return append(append(keys, placeKeys(r)...), bornKeys(r)...)
}

// bornKeys join how each family name sounds with each date of birth.
func bornKeys(r *Record) []Key {
	var keys []Key
	for _, born := range r.Born {
		for i := range r.Names {
			sound := Phonetic(r.Names[i].Family)
			if k := (Key{KeyKindNameBorn, sound + "\x00" + born}); len(born) >= 8 && sound != "" && !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// placeKeys join each name with each postal code.
func placeKeys(r *Record) []Key {
	var keys []Key
	for _, a := range ReadAddresses(r.Addresses) {
		for _, n := range r.Names {
			if a.Postal == "" || n.Given == "" || n.Family == "" {
				continue
			}
			_, size := utf8.DecodeRuneInString(n.Given)
			if k := (Key{KeyKindNamePlace, n.Family + "\x00" + n.Given[:size] + "\x00" + a.Postal}); !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// SourceKeys returns the keys of the ids under which the sources know a lead.
func SourceKeys(l *lead.Lead) []Key {
	var keys []Key
	for _, id := range l.Identifiers {
		if id.Kind != lead.IDKindSourceLead || id.Value == "" {
			continue
		}
		source := id.Source
		if source == "" {
			source = l.Source.Source
		}
		keys = append(keys, Key{KeyKindSourceLead, lead.Fold(source) + "\x00" + id.Value})
	}
	return keys
}

// Without returns the record without the values that the given keys were made from, so that keys
// too common to tell people apart are no evidence either.
func (r Record) Without(keys []Key) Record {
	for _, k := range keys {
		switch k.Kind {
		case KeyKindEmail:
			r.Emails = drop(r.Emails, func(v string) bool { return v == k.Value })
		case KeyKindPhone:
			r.Phones = drop(r.Phones, func(v string) bool { return v == k.Value })
		case KeyKindID:
			r.IDs = drop(r.IDs, func(v lead.Identifier) bool { return idKey(v) == k })
		case KeyKindVIN:
			r.VINs = drop(r.VINs, func(v string) bool { return v == k.Value })
		case KeyKindAddress:
			r.Addresses = dropAddress(r.Addresses, func(v string) bool {
				return slices.ContainsFunc(r.Names, func(n Name) bool { return addressKey(v, n.Family) == k })
			})
		}
	}
	return r
}

func idKey(id lead.Identifier) Key {
	return Key{KeyKindID, id.Kind.String() + "\x00" + id.Source + "\x00" + id.Value}
}

func addressKey(address, family string) Key { return Key{KeyKindAddress, family + "\x00" + address} }

func drop[T any](list []T, gone func(T) bool) []T {
	if !slices.ContainsFunc(list, gone) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), gone)
}

// dropAddress drops first texts of addresses, each with the second that follows it.
func dropAddress(list []string, gone func(string) bool) []string {
	var out []string
	dropped := false
	for _, v := range list {
		dropped = firstText(v) && gone(v) || dropped && !firstText(v)
		if !dropped {
			out = append(out, v)
		}
	}
	return out
}
