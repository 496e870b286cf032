package network

// set is the rows of one kind by their keys: those that are there and those of the files.
type set[K comparable, V any] struct {
	keys    []K // in order of appearance; some may be gone
	entries map[K]*entry[V]
}

// entry is one row and where it is from.
type entry[V any] struct {
	value  V
	file   string // "": it was there before
	line   int
	before *V   // what the file's row replaces
	named  bool // a bad row of a file is about it: it stays as it is
}

func newSet[K comparable, V any](size int) *set[K, V] {
	return &set[K, V]{entries: make(map[K]*entry[V], size)}
}

// keep adds a row that is there.
func (s *set[K, V]) keep(k K, v V) {
	s.keys = append(s.keys, k)
	s.entries[k] = &entry[V]{value: v}
}

// take adds a file's row; false if a file's row of that key is in already.
func (s *set[K, V]) take(k K, v V, file string, line int) (first *entry[V], ok bool) {
	e := s.entries[k]
	if e == nil {
		s.keys = append(s.keys, k)
		s.entries[k] = &entry[V]{value: v, file: file, line: line}
		return nil, true
	}
	if e.file != "" {
		return e, false
	}
	was := e.value
	*e = entry[V]{value: v, file: file, line: line, before: &was}
	return nil, true
}

// drop takes a file's row out again: what it replaced is back.
func (s *set[K, V]) drop(k K) {
	e := s.entries[k]
	if e.before == nil {
		delete(s.entries, k)
		return
	}
	*e = entry[V]{value: *e.before}
}

// retain removes the rows that were there before and that no file names.
func (s *set[K, V]) retain() (gone []K) {
	for k, e := range s.entries {
		if e.file == "" && !e.named {
			delete(s.entries, k)
			gone = append(gone, k)
		}
	}
	return gone
}

// all goes through the rows in order of appearance. Rows may be dropped meanwhile.
func (s *set[K, V]) all(yield func(K, *entry[V]) bool) {
	seen := make(map[K]bool, len(s.entries))
	for _, k := range s.keys {
		e := s.entries[k]
		if e == nil || seen[k] {
			continue
		}
		seen[k] = true
		if !yield(k, e) {
			return
		}
	}
}

// files goes through the rows that are from files.
func (s *set[K, V]) files(yield func(K, *entry[V]) bool) {
	for k, e := range s.all {
		if e.file != "" && !yield(k, e) {
			return
		}
	}
}
