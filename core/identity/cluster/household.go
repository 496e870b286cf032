package cluster

import "slices"

// homeMost is how many clusters may share what makes a household; what more share is a common key,
// as the number of a switchboard.
const homeMost = 12

// households puts clusters together that share a home: by the keys that records of a household
// share, and by what the matcher says of the two records that hold the key.
func (w *work) households(r *Result) {
	var s scratch
	for _, row := range w.rows {
		for _, k := range w.matcher.Keys(w.record(row)) {
			s.list = append(s.list, entry{mix(hashText(offset64+uint64(k.Kind), k.Value)), row})
		}
	}
	s.sort()
	list := s.list
	root := make([]int32, r.Persons) // by cluster
	for i := range root {
		root[i] = int32(i)
	}
	find := func(c int32) int32 {
		for root[c] != c {
			root[c] = root[root[c]]
			c = root[c]
		}
		return c
	}
	var heads []int32 // one row of each cluster that holds a key
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && list[to].hash == list[from].hash {
			to++
		}
		heads = heads[:0]
		for _, e := range list[from:to] {
			c := r.Clusters[e.row]
			if len(heads) <= homeMost && !slices.ContainsFunc(heads, func(h int32) bool { return r.Clusters[h] == c }) {
				heads = append(heads, e.row)
			}
		}
		from = to
		if len(heads) > homeMost {
			continue
		}
		for i, p := range heads {
			for _, q := range heads[:i] {
				a, b := find(r.Clusters[p]), find(r.Clusters[q])
				if a != b && w.matcher.Household(w.record(p), w.record(q)) {
					root[max(a, b)] = min(a, b)
				}
			}
		}
	}
	firsts := make([]int32, r.Persons) // a row of each cluster
	for i := len(r.Clusters) - 1; i >= 0; i-- {
		firsts[r.Clusters[i]] = int32(i)
	}
	r.Households, r.Homes = number(len(r.Clusters), func(i int32) int32 { return firsts[find(r.Clusters[i])] })
}
