package identity

import (
	"encoding/binary"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// maxClaims is how many claims of one transaction are locked each by itself. A server has room for
// some six thousand locks of everybody's, and where many keys are locked others wait anyway.
const maxClaims = 128

// claims is how many keys and identifiers nobody else may work on while the lead is resolved.
func (it *item) claims() int { return 1 + len(it.keys) + len(it.sourceKeys) + len(it.accountKeys) }

// locksOf returns what resolving leads has to itself: the keys of what they say, so that two never make
// two persons of one new e-mail address, the leads and the organisations. Where these are few, others
// work on other keys of their buckets meanwhile; many are their buckets.
func locksOf(items []*item) postgres.Locks {
	n := 0
	for _, it := range items {
		n += it.claims()
	}
	ids, keys := make([]lead.ID, 0, n), make([][]key, 0, 2*len(items))
	for _, it := range items {
		ids, keys = append(append(ids, it.leadID), it.accountKeys...), append(keys, it.keys, it.sourceKeys)
	}
	l := postgres.Locks{Buckets: buckets(ids, keys...)}
	if n > maxClaims {
		return l
	}
	l.Keys = make([]int32, 0, n)
	for _, list := range keys {
		for i := range list {
			ids = append(ids, list[i].hashed.Hash)
		}
	}
	for _, id := range ids {
		l.Keys = append(l.Keys, int32(binary.BigEndian.Uint32(id[12:]))) //nolint:gosec // any bits will do
	}
	slices.Sort(l.Keys)
	l.Keys = slices.Compact(l.Keys)
	return l
}

// buckets returns the sorted buckets of keys and further identifiers, as they are locked.
func buckets(ids []lead.ID, keys ...[]key) []int32 {
	var used [lead.Buckets]bool
	for _, id := range ids {
		used[id.Bucket()] = true
	}
	for _, list := range keys {
		for i := range list {
			used[list[i].hashed.Hash.Bucket()] = true
		}
	}
	var out []int32
	for b, u := range used {
		if u {
			out = append(out, int32(b))
		}
	}
	return out
}
