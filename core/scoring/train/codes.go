package train

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Code is a number that stands apart from the others of its column and is no amount, such as -1 or 999 for
// "never" and "not known".
type Code struct {
	Value float64
	Share float64 // of the rows that have a number
}

// String says it in words.
func (c Code) String() string {
	return fmt.Sprintf("%g stands apart: %.0f %% of rows; read as a code", c.Value, 100*c.Share)
}

// codeWords says in words which codes a column has; empty where it has none.
func codeWords(codes []Code) string {
	var words []string
	for _, c := range codes {
		words = append(words, c.String())
	}
	return strings.Join(words, "; ")
}

const (
	// mostCodes is how many codes a column has at either end at most.
	mostCodes = 2
	// coding is the least share of rows of a code.
	coding = 0.01
	// apart is how many times the usual distance of neighbours a code is from the nearest other number.
	apart = 10
)

// Codes finds the codes of a column of numbers; NaN is missing. They are looked for at both ends
// only, where an amount read as a code loses nothing but its neighbours; what is taken for one is
//
//   - a number below nought where all others are at least nought;
//   - nines only, such as 99 or 9999, and more than all the numbers of the upper half of the others;
//   - any number much farther from the nearest other than others are from each other,
//
// each in at least a hundredth of the rows, and more often than any other number near it. Outcomes
// are not looked at, so that what a column is taken for can be told before anything is learned.
func Codes(numbers []float64) []Code {
	low, high := codesOf(ascending(numbers))
	return append(low, high...)
}

// ascending is up to sampled of the numbers that are none missing, sorted.
func ascending(numbers []float64) []float64 {
	stride := 1 + (len(numbers)-1)/sampled
	sorted := make([]float64, 0, len(numbers)/stride+1)
	for i := 0; i < len(numbers); i += stride {
		if !math.IsNaN(numbers[i]) {
			sorted = append(sorted, numbers[i])
		}
	}
	slices.Sort(sorted)
	return sorted
}

// codesOf finds the codes at the low and the high end of sorted numbers, each end in ascending order.
func codesOf(sorted []float64) (low, high []Code) {
	const fewest = 5 // distinct numbers that are left
	n := len(sorted)
	if n < 50 || distinct(sorted, fewest+1) <= fewest {
		return nil, nil
	}
	least := max(20, int(coding*float64(n)))
	for len(low)+len(high) < 2*mostCodes {
		rest := sorted
		var v float64
		var count int
		switch first, last := runs(rest); {
		case len(low) < mostCodes && first >= least && lowCode(rest, first):
			v, count = rest[0], first
			low = append(low, Code{v, float64(count) / float64(n)})
			sorted = rest[first:]
		case len(high) < mostCodes && last >= least && highCode(rest, last):
			v, count = rest[len(rest)-1], last
			high = slices.Insert(high, 0, Code{v, float64(count) / float64(n)})
			sorted = rest[:len(rest)-last]
		default:
			return low, high
		}
		if distinct(sorted, fewest) < fewest {
			return nil, nil // a handful of numbers is a scale, not one and codes
		}
	}
	return low, high
}

// runs counts how often the first and the last of sorted numbers occur.
func runs(sorted []float64) (first, last int) {
	for first < len(sorted) && sorted[first] == sorted[0] {
		first++
	}
	for last < len(sorted) && sorted[len(sorted)-1-last] == sorted[len(sorted)-1] {
		last++
	}
	return first, last
}

// lowCode tells whether the first number, which occurs count times, is a code.
func lowCode(sorted []float64, count int) bool {
	v, rest := sorted[0], sorted[count:]
	if len(rest) == 0 {
		return false
	}
	return spike(rest, count) && (v < 0 && rest[0] >= 0 || rest[0]-v > apart*usual(rest[:(len(rest)+1)/2]))
}

// highCode tells whether the last number, which occurs count times, is a code.
func highCode(sorted []float64, count int) bool {
	v, rest := sorted[len(sorted)-1], sorted[:len(sorted)-count]
	if len(rest) == 0 {
		return false
	}
	if !spike(rest, count) {
		return false
	}
	half := rest[len(rest)/2:]
	return nines(v) && count > len(half) || v-rest[len(rest)-1] > apart*usual(half)
}

// spike tells whether a number that occurs count times occurs more often than the mean of the others.
func spike(rest []float64, count int) bool { return count*distinct(rest, len(rest)) > 2*len(rest) }

// usual is the distance that nine of ten neighbours among sorted distinct numbers keep at most.
func usual(sorted []float64) float64 {
	var gaps []float64
	for i := 1; i < len(sorted); i++ {
		if d := sorted[i] - sorted[i-1]; d > 0 {
			gaps = append(gaps, d)
		}
	}
	if len(gaps) == 0 {
		return math.Inf(1)
	}
	slices.Sort(gaps)
	return gaps[len(gaps)*9/10]
}

// nines tells whether a number is written in nines only, at least two.
func nines(v float64) bool {
	if v < 99 || v != math.Trunc(v) || v > 1e12 {
		return false
	}
	for n := int64(v); n > 0; n /= 10 {
		if n%10 != 9 {
			return false
		}
	}
	return true
}

// beyond is a cut that parts the codes at the low end from the numbers above: the next whole number where
// that lies between.
func beyond(code, next float64) float64 {
	if cut := math.Floor(code) + 1; cut <= next {
		return cut
	}
	return between(code, next)
}
