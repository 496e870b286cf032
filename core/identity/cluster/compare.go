package cluster

import (
	"cmp"
	"slices"
)

// chunk is how many blocks one piece of work holds.
const chunk = 1 << 10

// tally is what one goroutine counts.
type tally struct {
	compared int
	pairs    []int // by pass
	links    []int
	weights  [MaxBits - MinBits]int
}

// compare weighs every pair that shares a block, in the first one that holds it.
func (w *work) compare(r *Result) bool {
	x := w.index
	pieces := (x.count() + chunk - 1) / chunk
	out := make([][]Pair, pieces)
	tallies := make([]tally, w.workers)
	for i := range tallies {
		tallies[i].pairs = make([]int, len(r.Blocking.Passes))
		tallies[i].links = make([]int, len(r.Blocking.Passes))
	}
	ok := w.each(StepCompare, pieces, func(worker, piece int) {
		for b := piece * chunk; b < min((piece+1)*chunk, x.count()); b++ {
			out[piece] = w.compareBlock(b, &tallies[worker], out[piece])
		}
	})
	if !ok {
		return false
	}
	total := 0
	for i := range out {
		total += len(out[i])
	}
	w.pairs = make([]Pair, 0, total)
	for i := range out {
		w.pairs = append(w.pairs, out[i]...)
		out[i] = nil
	}
	for i := range tallies {
		t := &tallies[i]
		r.Blocking.Compared += t.compared
		for k := range t.pairs {
			r.Blocking.Passes[k].Pairs += t.pairs[k]
			r.Blocking.Passes[k].Links += t.links[k]
		}
		for k, n := range t.weights {
			r.Weights[k] += n
		}
	}
	w.sortPairs()
	w.estimate(r)
	return true
}

func (w *work) compareBlock(b int, t *tally, out []Pair) []Pair {
	x := w.index
	rows, pass := x.of(b), x.pass[b]
	for j, q := range rows {
		for _, p := range rows[:j] {
			if w.left > 0 && (int(p) < w.left) == (int(q) < w.left) {
				continue
			}
			if first, _ := x.shared(p, q); first != uint32(b) {
				continue
			}
			weight, conflict := w.matcher.Weigh(&w.prepared[p], &w.prepared[q])
			t.compared++
			t.pairs[pass]++
			t.weights[bitOf(weight)]++
			if weight >= w.match && conflict == 0 {
				t.links[pass]++
			}
			if weight >= w.review {
				out = append(out, Pair{A: min(p, q), B: max(p, q), Weight: weight, Conflict: conflict})
			}
		}
	}
	return out
}

// sortPairs puts the strongest pairs first, of equals those whose content comes first: the order
// does not depend on that of the rows, except among rows that are equal.
func (w *work) sortPairs() {
	slices.SortFunc(w.pairs, func(a, b Pair) int {
		if c := cmp.Compare(b.Weight, a.Weight); c != 0 {
			return c
		}
		la, ha := w.contents(a)
		lb, hb := w.contents(b)
		return cmp.Or(cmp.Compare(la, lb), cmp.Compare(ha, hb), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
}

func (w *work) contents(p Pair) (low, high uint64) {
	a, b := w.content[p.A], w.content[p.B]
	return min(a, b), max(a, b)
}

// estimate fills Lost from the pairs that match.
func (w *work) estimate(r *Result) {
	once, twice, held := 0, 0, 0
	for _, p := range w.pairs {
		if p.Weight < w.match {
			break
		}
		if p.Conflict != 0 {
			continue
		}
		held++
		switch w.index.times(p.A, p.B, 3) {
		case 1:
			once++
		case 2:
			twice++
		}
	}
	r.Blocking.Lost = lost(once, twice, held)
}
