package measure

import "time"

// Quantile returns the nearest-rank quantile of values sorted upwards: the smallest value that at
// least percent % of all values do not exceed. It is always a value that occurred. percent is 1 to
// 100; ok is false without values.
func Quantile(sorted []time.Duration, percent int) (value time.Duration, ok bool) {
	if len(sorted) == 0 || percent < 1 || percent > 100 {
		return 0, false
	}
	rank := (len(sorted)*percent + 99) / 100
	return sorted[rank-1], true
}
