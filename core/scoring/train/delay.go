package train

import "sort"

// late estimates how outcomes spread over time and gives each open row its chance in y. What it
// returns is, per row, by how much being open so long moves the odds of a win, and -1 for rows
// that are decided.
//
// The shares decided as won and as lost by each age are the cumulative incidences of Aalen and
// Johansen: open rows count among those at risk up to their age, so that young rows, which could
// only be decided fast, bias neither. Whatever is still open at the greatest age is taken for
// lost.
func late(outcomes []Outcome, ages, weight, y []float64) []float64 {
	n := len(outcomes)
	order := make([]int, n)
	risk := 0.0
	for i := range order {
		order[i] = i
		risk += weight[i]
	}
	sort.SliceStable(order, func(a, b int) bool { return ages[order[a]] < ages[order[b]] })
	wonBy, lostBy := make([]float64, n), make([]float64, n) // in the order of ages, this age included
	alive, won, lost := 1.0, 0.0, 0.0
	for at := 0; at < n; {
		w, l, all := 0.0, 0.0, 0.0
		end := at
		for ; end < n && ages[order[end]] == ages[order[at]]; end++ {
			i := order[end]
			all += weight[i]
			switch outcomes[i] {
			case Won:
				w += weight[i]
			case Lost:
				l += weight[i]
			}
		}
		if risk > 0 {
			won += alive * w / risk
			lost += alive * l / risk
			alive *= max(0, 1-(w+l)/risk)
		}
		risk = max(risk-all, 0)
		for ; at < end; at++ {
			wonBy[at], lostBy[at] = won, lost
		}
	}
	odds := make([]float64, n)
	never := max(1-won, 1e-9)
	for at, i := range order {
		odds[i] = -1
		if outcomes[i] != Open {
			continue
		}
		odds[i] = 0
		left := won - wonBy[at]
		if left <= 0 || won <= 0 {
			y[i] = 0
			continue
		}
		still := max(never-lostBy[at], 1e-9)
		odds[i] = (left / won) / (still / never)
		y[i] = left / (left + still)
	}
	return odds
}

// chance is what an open row counts as won when its chance on arrival was p.
func chance(p, odds float64) float64 {
	return p * odds / (p*odds + 1 - p)
}
