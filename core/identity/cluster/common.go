package cluster

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
)

// A value is too common to be evidence, as the telephone of a dealer whose salesperson enters it for
// everybody, when more than commonNames different names share it and these are no misspellings of a
// few: at least every commonShare'th row has a name of its own, or there are commonAlways names.
const (
	commonNames  = 20
	commonShare  = 4
	commonAlways = 60
)

// dropCommon finds the values that are too common and compares the rows that hold them without them.
func (w *work) dropCommon(r *Result) bool {
	n := len(w.records)
	parts := make([][]entry, (n+span-1)/span)
	ok := w.eachRow(StepPrepare, n, func(_, from, to int) {
		for i := from; i < to; i++ {
			for _, k := range w.matcher.Keys(&w.records[i]) {
				if h, ok := evidenceKey(k); ok {
					parts[from/span] = append(parts[from/span], entry{h, int32(i)})
				}
			}
		}
	})
	if !ok {
		return false
	}
	s := scratch{list: slices.Concat(parts...)}
	s.sort()
	w.shorn = map[int32]*identity.Record{}
	r.shorn = w.shorn
	for list := s.list; len(list) > 0; {
		k := 1
		for k < len(list) && list[k].hash == list[0].hash {
			k++
		}
		rows := list[:k]
		list = list[k:]
		if k > commonNames && w.common(rows) {
			w.shear(r, rows)
		}
	}
	slices.SortFunc(r.Common, func(a, b identity.Key) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	return true
}

// evidenceKey returns the hash of a key that is a value by itself.
func evidenceKey(k identity.Key) (uint64, bool) {
	switch k.Kind {
	case identity.KeyKindEmail, identity.KeyKindPhone, identity.KeyKindID, identity.KeyKindVIN:
		return mix(hashText(offset64+uint64(k.Kind), k.Value)), true
	}
	return 0, false
}

// common reports whether rows that share a value have too many names.
func (w *work) common(rows []entry) bool {
	names := map[uint64]struct{}{}
	for _, e := range rows {
		for _, n := range w.records[e.row].Names {
			h := hashText(offset64, sound(n.Given))
			names[hashText(mix(h), sound(n.Family))] = struct{}{}
		}
	}
	return len(names) > commonNames && (commonShare*len(names) >= len(rows) || len(names) >= commonAlways)
}

// shear takes the value that rows share from them.
func (w *work) shear(r *Result, rows []entry) {
	var key []identity.Key
	for _, k := range w.matcher.Keys(&w.records[rows[0].row]) {
		if h, ok := evidenceKey(k); ok && h == rows[0].hash {
			key = []identity.Key{k}
		}
	}
	r.Common = append(r.Common, key...)
	for _, e := range rows {
		without := w.record(e.row).Without(key)
		w.shorn[e.row] = &without
	}
}

// record returns a row as it is compared.
func (w *work) record(row int32) *identity.Record {
	if r := w.shorn[row]; r != nil {
		return r
	}
	return &w.records[row]
}
