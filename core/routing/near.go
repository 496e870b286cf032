package routing

import (
	"strings"
	"sync"
	"sync/atomic"
)

// listLength is how many nearest stores are looked at: more than a receipt shows, so that stores
// which may not take the lead leave enough that may.
const listLength = 32

// near is what is known about one postal code of a franchise. It never changes once made.
type near struct {
	list        [listLength]distant // by distance, then by id
	n           int32
	farther     int32 // stores of the franchise that the list does not hold
	territories []holder
}

// distant is a store's department and how far it is.
type distant struct {
	unit, metres int32
}

// holder is a dealer that has a postal code in a span of time.
type holder struct {
	dealer int32
	valid  Span
}

// franchise is what one market, brand and department have in common: the stores that may sell or
// serve there, and the playbook's word on it.
type franchise struct {
	brand   string
	units   []int32 // in rising order
	market  *market
	rules   [lineCount]Rule
	takes   [lineCount]int32 // overflow dealer by line; -1 for none
	once    sync.Once
	stores  []star // the k-d tree
	byPoint atomic.Pointer[[]atomic.Pointer[near]]
}

// star is a store in the k-d tree of a franchise. The tree is the order of the slice: the median
// by one axis in the middle, what is below it on the left, what is above it on the right.
type star struct {
	at   vector
	unit int32
}

const leafSize = 8

// near returns the stores nearest to a postal code, computing them on first use. Two readers who
// come first at once compute the same value; either may stay.
func (f *franchise) near(s *Snapshot, number int32, at vector) *near {
	table := f.byPoint.Load()
	if table == nil {
		fresh := make([]atomic.Pointer[near], s.places.count)
		if f.byPoint.CompareAndSwap(nil, &fresh) {
			table = &fresh
		} else {
			table = f.byPoint.Load()
		}
	}
	cell := &(*table)[number]
	if n := cell.Load(); n != nil {
		return n
	}
	n := &near{}
	var found nearest
	f.search(s, at, &found)
	n.list, n.n = found.list, int32(found.n)
	n.farther = int32(len(f.units) - found.n)
	name := &s.places.names[number]
	n.territories = s.territories[territoryKey{name.country, name.code, f.brand}]
	cell.Store(n)
	return n
}

// nearest collects the stores nearest to a point.
type nearest struct {
	at   vector
	s    *Snapshot
	n    int
	list [listLength]distant
}

// search fills out with the nearest stores of the franchise, nearest first.
func (f *franchise) search(s *Snapshot, at vector, out *nearest) {
	f.once.Do(func() { f.plant(s) })
	out.at, out.s, out.n = at, s, 0
	out.walk(f.stores, 0)
}

// plant builds the tree when a franchise is first asked for: a start need not wait for those
// that nobody asks for.
func (f *franchise) plant(s *Snapshot) {
	f.stores = make([]star, len(f.units))
	for i, u := range f.units {
		f.stores[i] = star{s.dealers[s.units[u].dealer].at, u}
	}
	arrange(f.stores, 0)
}

func arrange(stars []star, axis int) {
	for len(stars) > leafSize {
		mid := len(stars) / 2
		selectStar(stars, mid, axis)
		arrange(stars[:mid], (axis+1)%3)
		stars, axis = stars[mid+1:], (axis+1)%3
	}
}

// selectStar partitions stars so that index k holds what it would if they were sorted by the
// axis (Hoare's selection, middle element as pivot).
func selectStar(stars []star, k, axis int) {
	low, high := 0, len(stars)-1
	for low < high {
		pivot := stars[(low+high)/2].at.axis(axis)
		i, j := low, high
		for i <= j {
			for stars[i].at.axis(axis) < pivot {
				i++
			}
			for stars[j].at.axis(axis) > pivot {
				j--
			}
			if i <= j {
				stars[i], stars[j] = stars[j], stars[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return
		}
	}
}

func (n *nearest) walk(stars []star, axis int) {
	if len(stars) <= leafSize {
		for i := range stars {
			n.offer(&stars[i])
		}
		return
	}
	mid := len(stars) / 2
	off := n.at.axis(axis) - stars[mid].at.axis(axis)
	one, other := stars[:mid], stars[mid+1:]
	if off > 0 {
		one, other = other, one
	}
	n.walk(one, (axis+1)%3)
	n.offer(&stars[mid])
	// Everything on the other side is at least this far away; a metre more allows for rounding.
	if n.n < listLength || metres(off*off) <= n.list[n.n-1].metres+1 {
		n.walk(other, (axis+1)%3)
	}
}

func (n *nearest) offer(x *star) {
	d := distant{x.unit, metres(n.at.chord2(x.at))}
	if n.n == listLength && !n.less(d, n.list[n.n-1]) {
		return
	}
	at := min(n.n, listLength-1)
	for at > 0 && n.less(d, n.list[at-1]) {
		at--
	}
	n.n = min(n.n+1, listLength)
	copy(n.list[at+1:n.n], n.list[at:n.n-1])
	n.list[at] = d
}

func (n *nearest) less(a, b distant) bool {
	if a.metres != b.metres {
		return a.metres < b.metres
	}
	return strings.Compare(n.s.units[a.unit].id, n.s.units[b.unit].id) < 0
}
