package cluster

import (
	"cmp"
	"slices"
)

// entry is a row under the hash of something it says.
type entry struct {
	hash uint64
	row  int32
}

// scratch is room for entries that is used again.
type scratch struct{ list, other []entry }

// sort puts the entries in the order of hashes, and of rows if they were in that order before.
func (s *scratch) sort() {
	if len(s.list) < 1<<11 {
		slices.SortStableFunc(s.list, func(a, b entry) int { return cmp.Compare(a.hash, b.hash) })
		return
	}
	if cap(s.other) < len(s.list) {
		s.other = make([]entry, cap(s.list))
	}
	// By the upper bits, byte by byte from the lowest: hashes that share them are hardly ever different.
	const lowest = 24
	from, to := s.list, s.other[:len(s.list)]
	for shift := lowest; shift < 64; shift += 8 {
		var at [256]int
		for i := range from {
			at[from[i].hash>>shift&0xff]++
		}
		sum := 0
		for i, n := range at {
			at[i], sum = sum, sum+n
		}
		for i := range from {
			k := from[i].hash >> shift & 0xff
			to[at[k]] = from[i]
			at[k]++
		}
		from, to = to, from
	}
	for i := 1; i < len(from); i++ {
		for k := i; k > 0 && from[k-1].hash > from[k].hash; k-- {
			from[k-1], from[k] = from[k], from[k-1]
		}
	}
	s.list, s.other = from, to
}
