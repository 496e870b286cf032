package lead

import "strings"

const mostListed = 16 // names that a message lists; beyond it nobody reads them

// Suggest ends a message about a word that is none of the names there are: "; did you mean X?" if
// one is near, else the list of them if it is short, else "".
func Suggest(word string, names []string) string {
	if near, ok := Nearest(word, names); ok {
		return "; did you mean " + near + "?"
	}
	if len(names) == 0 || len(names) > mostListed {
		return ""
	}
	return "; there are " + strings.Join(names, ", ")
}

// Nearest returns the name that a word is most likely a typing error of, or a part of; of equals the
// first. Words are compared as Fold leaves them; ok is false if none is near.
func Nearest(word string, names []string) (name string, ok bool) {
	folded := Fold(word)
	least := 2 + len(folded)/4
	for _, n := range names {
		if d := editDistance(folded, Fold(n)); d < least {
			name, least = n, d
		}
	}
	if name == "" && len(folded) > 3 {
		for _, n := range names {
			if strings.Contains(Fold(n), folded) {
				return n, true
			}
		}
	}
	return name, name != ""
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
