package cluster

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
)

// Support of a merge: the mean weight of the pairs across two clusters, each kept within these
// bounds, must not be below even odds. In thousandths of a bit. The bounds were chosen by measuring:
// what is missing on both sides of a pair must not outweigh what the others say, and one strong pair
// must not carry many that are strangers.
const (
	supportLow  = -4_000
	supportHigh = 12_000
)

// acrossMost is how many rows of a cluster are held against another cluster; of more, the first by
// content stand for all.
const acrossMost = 64

// join links the pairs from the strongest on and numbers what comes out.
func (w *work) join(r *Result) bool {
	f := newForest(w)
	pairs := w.pairs
	for i := range pairs {
		p := &pairs[i]
		if i%(1<<14) == 0 && !w.tell(StepJoin, i, len(pairs)) {
			return false
		}
		if p.Conflict == 0 && p.Weight >= w.match {
			p.Refusal = f.join(p.A, p.B)
		}
	}
	r.Clusters, r.Persons = number(len(w.records), func(i int32) int32 { return f.root[w.first[i]] })
	w.settle(r)
	w.households(r)
	return w.tell(StepJoin, len(pairs), len(pairs))
}

// settle sorts the pairs into those that were joined, and those for a person to look at whose rows
// did not become one person by other links. Equal rows are links too.
func (w *work) settle(r *Result) {
	for _, p := range w.pairs {
		switch together := r.Clusters[p.A] == r.Clusters[p.B]; {
		case p.Conflict != 0:
		case together && p.Weight >= w.match:
			p.Refusal = RefusalNone
			r.Links = append(r.Links, p)
		case !together:
			r.Possible = append(r.Possible, p)
		}
	}
	w.pairs = nil
	for i, f := range w.first {
		if int(f) != i {
			weight, _ := w.matcher.Weigh(&w.prepared[f], &w.prepared[i])
			r.Links = append(r.Links, Pair{A: f, B: int32(i), Weight: weight})
		}
	}
	slices.SortStableFunc(r.Links, func(a, b Pair) int { return int(b.Weight) - int(a.Weight) })
}

// forest holds the clusters while they grow.
type forest struct {
	w       *work
	root    []int32           // by row
	members map[int32][]int32 // of clusters of several rows, by root, in the order of content
	refused map[[2]int32]refused
}

// refused is an answer that holds until one of the two clusters has grown.
type refused struct {
	left, right int // rows
	why         Refusal
}

func newForest(w *work) *forest {
	f := &forest{w: w, root: make([]int32, len(w.records)), members: map[int32][]int32{}, refused: map[[2]int32]refused{}}
	for i := range f.root {
		f.root[i] = int32(i)
	}
	return f
}

// join makes the clusters of two rows one, unless something speaks against it.
func (f *forest) join(a, b int32) Refusal {
	a, b = f.root[a], f.root[b]
	if a == b {
		return RefusalNone
	}
	a, b = min(a, b), max(a, b)
	left, right := f.of(a), f.of(b)
	if len(left)+len(right) > 2 {
		if before := f.refused[[2]int32{a, b}]; before.left == len(left) && before.right == len(right) {
			return before.why
		}
		if why := f.weigh(left, right); why != RefusalNone {
			f.refused[[2]int32{a, b}] = refused{len(left), len(right), why}
			return why
		}
	}
	if len(left) < len(right) {
		a, b, left, right = b, a, right, left
	}
	for _, row := range right {
		f.root[row] = a
	}
	all := append(slices.Clone(left), right...)
	slices.SortFunc(all, f.w.byContent)
	f.members[a] = all
	delete(f.members, b)
	return RefusalNone
}

func (f *forest) of(root int32) []int32 {
	if m := f.members[root]; m != nil {
		return m
	}
	return []int32{root}
}

// weigh holds two clusters against each other. A contradiction between any two of their records
// refuses the merge, with one exception: dates of birth that most pairs outvote, or given names that
// three quarters do, are taken for slips of the pen. Of two records alone none is, nor of one that
// contradicts one of two.
func (f *forest) weigh(left, right []int32) Refusal {
	left, right = left[:min(len(left), acrossMost)], right[:min(len(right), acrossMost)]
	sum, dates, names, otherDates, otherNames := 0, 0, 0, 0, 0
	for _, p := range left {
		for _, q := range right {
			weight, conflict := f.w.matcher.Weigh(&f.w.prepared[p], &f.w.prepared[q])
			if conflict&^(identity.ConflictBorn|identity.ConflictGivenName) != 0 {
				return RefusalConflict
			}
			has := f.w.has[p] & f.w.has[q]
			dates += int(has & hasBorn)
			names += int(has&hasGiven) >> 1
			if conflict.Has(identity.ConflictBorn) {
				otherDates++
			}
			if conflict.Has(identity.ConflictGivenName) {
				otherNames++
			}
			sum += int(min(max(weight, supportLow), supportHigh))
		}
	}
	switch {
	case otherDates > 0 && 2*otherDates >= dates, otherNames > 0 && 4*otherNames >= names:
		return RefusalConflict
	case sum < 0:
		return RefusalSupport
	}
	return RefusalNone
}

// What a row has to vote with.
const (
	hasBorn  uint8 = 1 << iota // a complete date of birth
	hasGiven                   // a given name of two letters or more
)

func votes(r *identity.Record) (has uint8) {
	for _, b := range r.Born {
		if len(b) == len("2006-01-02") {
			has |= hasBorn
		}
	}
	for i := range r.Names {
		if len(r.Names[i].Given) > 1 {
			has |= hasGiven
		}
	}
	return has
}

func (w *work) byContent(a, b int32) int {
	switch {
	case w.content[a] != w.content[b]:
		if w.content[a] < w.content[b] {
			return -1
		}
		return 1
	}
	return int(a - b)
}

// number numbers groups from 0 in the order of their first rows.
func number(n int, root func(int32) int32) ([]int32, int) {
	out := make([]int32, n)
	names := make([]int32, n) // by root, its number and one more
	next := int32(0)
	for i := range out {
		r := root(int32(i))
		if names[r] == 0 {
			next++
			names[r] = next
		}
		out[i] = names[r] - 1
	}
	return out, int(next)
}
