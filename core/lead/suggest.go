package lead

import "strings"

const mostListed = 16 // names that a message lists; beyond it nobody reads them

// Suggest ends a message about a word that is none of the names there are: "; did you mean X?" if
// one is near, else the list of them if it is short, else "". Names are compared without case.
func Suggest(word string, names []string) string {
	best, distance := "", 1+len(word)/4
	for _, name := range names {
		if d := editDistance(strings.ToLower(word), strings.ToLower(name)); d <= distance && (best == "" || d < distance) {
			best, distance = name, d
		}
	}
	switch {
	case best != "":
		return "; did you mean " + best + "?"
	case len(names) == 0 || len(names) > mostListed:
		return ""
	}
	return "; there are " + strings.Join(names, ", ")
}

// editDistance counts the bytes to insert, delete, replace or swap with their neighbour to turn a
// into b (optimal string alignment).
func editDistance(a, b string) int {
	if len(a) > 100 || len(b) > 100 { // no name is as long
		return max(len(a), len(b))
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
