package train

import "slices"

// quarters finds the step of the cells of a pair: the tree that cuts one side in two and then each
// half once more along the other side, with the greatest gain. Parts of a category are cut in the
// order of their means.
//
// A few large patches say more of two signals together than many small cells do: a cell alone has
// too few rows to move at all before all else is overfitted.
type quarters struct {
	a, b  int
	g, h  []float64 // of cells, as outer*b+inner
	x, y  []int     // order of the outer and inner parts
	step  []float64 // of cells, found
	best  float64   // gain of that
	least float64   // second derivatives that each leaf must have
	ridge float64
}

func (q *quarters) find(across, along bool) {
	q.best = 0
	for i := range q.step {
		q.step[i] = 0
	}
	q.x, q.y = q.order(q.x[:0], q.a, across, true), q.order(q.y[:0], q.b, along, false)
	q.cut(q.x, q.y, func(i, j int) int { return i*q.b + j })
	q.cut(q.y, q.x, func(i, j int) int { return j*q.b + i })
}

// order lists the parts of a side as they may be cut.
func (q *quarters) order(into []int, n int, ordered, outer bool) []int {
	for i := range n {
		into = append(into, i)
	}
	if ordered {
		return into
	}
	mean := make([]float64, n)
	for i := range n {
		g, h := 0.0, q.ridge
		if outer {
			for j := range q.b {
				g, h = g+q.g[i*q.b+j], h+q.h[i*q.b+j]
			}
		} else {
			for j := range q.a {
				g, h = g+q.g[j*q.b+i], h+q.h[j*q.b+i]
			}
		}
		mean[i] = g / h
	}
	slices.SortStableFunc(into, func(i, j int) int {
		switch {
		case mean[i] < mean[j]:
			return -1
		case mean[i] > mean[j]:
			return 1
		default:
			return 0
		}
	})
	return into
}

// cut tries every cut of the first side, each half with its best cut of the second.
func (q *quarters) cut(first, second []int, cell func(i, j int) int) {
	n := len(second)
	var g, h, og, oh [maxParts + 2]float64
	for _, i := range first {
		for k, j := range second {
			og[k] += q.g[cell(i, j)]
			oh[k] += q.h[cell(i, j)]
		}
	}
	for at := 0; at < len(first)-1; at++ {
		for k, j := range second {
			c := cell(first[at], j)
			g[k], h[k] = g[k]+q.g[c], h[k]+q.h[c]
			og[k], oh[k] = og[k]-q.g[c], oh[k]-q.h[c]
		}
		gainA, cutA := q.halve(g[:n], h[:n])
		gainB, cutB := q.halve(og[:n], oh[:n])
		if gainA < 0 || gainB < 0 || gainA+gainB <= q.best {
			continue
		}
		q.best = gainA + gainB
		lowA, highA := q.leaves(g[:n], h[:n], cutA)
		lowB, highB := q.leaves(og[:n], oh[:n], cutB)
		for p, i := range first {
			for k, j := range second {
				v := lowB
				switch {
				case p <= at && k < cutA:
					v = lowA
				case p <= at:
					v = highA
				case k >= cutB:
					v = highB
				}
				q.step[cell(i, j)] = v
			}
		}
	}
}

// halve finds the best cut of a run: its first cut parts against the others. The cut is the whole
// run where none leaves enough on both sides; the gain is below nought where even that is too little.
func (q *quarters) halve(g, h []float64) (gain float64, cut int) {
	sg, sh := 0.0, 0.0
	for k := range g {
		sg, sh = sg+g[k], sh+h[k]
	}
	if sh < q.least {
		return -1, 0
	}
	gain, cut = sg*sg/(sh+q.ridge), len(g)
	lg, lh := 0.0, 0.0
	for k := range len(g) - 1 {
		lg, lh = lg+g[k], lh+h[k]
		rg, rh := sg-lg, sh-lh
		if lh < q.least || rh < q.least {
			continue
		}
		if v := lg*lg/(lh+q.ridge) + rg*rg/(rh+q.ridge); v > gain {
			gain, cut = v, k+1
		}
	}
	return gain, cut
}

func (q *quarters) leaves(g, h []float64, cut int) (low, high float64) {
	lg, lh, rg, rh := 0.0, q.ridge, 0.0, q.ridge
	for k := range g {
		if k < cut {
			lg, lh = lg+g[k], lh+h[k]
		} else {
			rg, rh = rg+g[k], rh+h[k]
		}
	}
	return lg / lh, rg / rh
}
