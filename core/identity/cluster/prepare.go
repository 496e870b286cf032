package cluster

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
)

// prepare makes the records ready to be weighed and finds the rows that are equal in every value.
// Only the first of these goes on: a list with the same row a thousand times costs no more than one
// without.
func (w *work) prepare(r *Result) bool {
	n := len(w.records)
	w.prepared = make([]identity.Prepared, n)
	w.content = make([]uint64, n)
	w.has = make([]uint8, n)
	collected := make([]collector, (n+span-1)/span)
	counts := make([]uint32, n+1)
	ok := w.eachRow(StepPrepare, n, func(_, from, to int) {
		c := &collected[from/span]
		c.list = make([]atom, 0, 16*(to-from))
		for i := from; i < to; i++ {
			record := w.record(int32(i))
			w.prepared[i] = w.matcher.Prepare(record)
			w.content[i] = contentOf(*record)
			w.has[i] = votes(record)
			c.begin = len(c.list)
			c.read(record)
			slices.Sort(c.list[c.begin:])
			counts[i+1] = uint32(len(c.list) - c.begin)
		}
	})
	if !ok {
		return false
	}
	total := 0
	for i := range collected {
		total += len(collected[i].list)
	}
	w.atoms = atoms{start: counts, list: make([]atom, 0, total)}
	for i := range n {
		counts[i+1] += counts[i]
	}
	for i := range collected {
		w.atoms.list = append(w.atoms.list, collected[i].list...)
		collected[i].list = nil
	}
	w.findEqual()
	r.first = w.first
	return true
}

// findEqual fills first and rows.
func (w *work) findEqual() {
	n := len(w.records)
	w.first = make([]int32, n)
	w.rows = make([]int32, 0, n)
	seen := make(map[uint64]int32, n)
	for i := range w.first {
		w.first[i] = int32(i)
		if w.left == 0 {
			if f, ok := seen[w.content[i]]; !ok {
				seen[w.content[i]] = int32(i)
			} else if weight, conflict := w.matcher.Weigh(&w.prepared[f], &w.prepared[i]); weight >= w.match && conflict == 0 {
				w.first[i] = f
				continue
			}
		}
		w.rows = append(w.rows, int32(i))
	}
}

// contentOf returns a hash of what a record says, whenever it said so.
func contentOf(r identity.Record) uint64 {
	r.At = 0
	h := hashBytes(offset64, r.Marshal())
	for _, t := range r.Traits {
		h = hashText(mix(h+uint64(t.Kind)), t.Value)
	}
	return mix(h)
}
