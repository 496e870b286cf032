package identity

import "math/bits"

// maxCompared is how many bytes of a text are compared letter by letter.
const maxCompared = 64

// letters returns which letters and digits a folded text holds, one bit each; other bytes share the
// rest.
func letters(s string) uint64 {
	var m uint64
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			m |= 1 << (c - 'a')
		case c >= '0' && c <= '9':
			m |= 1 << (26 + c - '0')
		default:
			m |= 1 << (36 + c%28)
		}
	}
	return m
}

// unlike reports from the letters of two texts alone that their Jaro-Winkler similarity is below
// about 0.8: few letters stand in both.
func unlike(a, b uint64) bool {
	common := bits.OnesCount64(a & b)
	return 2*common < max(bits.OnesCount64(a), bits.OnesCount64(b))
}

// jaroWinkler returns the similarity of two texts in thousandths: the share of bytes that agree
// within half the longer length of each other, less for those out of order (Jaro 1989), more for a
// common beginning of up to four bytes (Winkler 1990, scale 0.1). It does not allocate; bytes beyond
// maxCompared are left out.
func jaroWinkler(a, b string) int {
	a, b = a[:min(len(a), maxCompared)], b[:min(len(b), maxCompared)]
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	window := max(len(b)/2-1, 0)
	var seenA, seenB uint64 // bytes that found one another
	matches := 0
	for i := 0; i < len(a); i++ {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if a[i] == b[j] && seenB>>j&1 == 0 {
				seenA |= 1 << i
				seenB |= 1 << j
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	moved := 0
	for x, y := seenA, seenB; x != 0; x, y = x&(x-1), y&(y-1) {
		if a[bits.TrailingZeros64(x)] != b[bits.TrailingZeros64(y)] {
			moved++
		}
	}
	m := 1000 * matches
	jaro := (m/len(a) + m/len(b) + (m-500*moved)/matches) / 3
	prefix := 0
	for prefix < min(4, len(a)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + prefix*(1000-jaro)/10
}

// edits returns the number of letters to change, add, drop or swap with their neighbour to make b of
// a, at most limit+1, which stands for more (optimal string alignment). It does not allocate.
func edits(a, b string, limit int) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit {
		return limit + 1
	}
	for len(a) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 0 {
		return len(b)
	}
	if len(b) > maxCompared {
		return limit + 1
	}
	var rows [3][maxCompared + 1]uint8
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		row[0] = uint8(i)
		least := row[0]
		for j := 1; j <= len(b); j++ {
			cost := uint8(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			v := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				v = min(v, before[j-2]+1)
			}
			row[j] = v
			least = min(least, v)
		}
		if int(least) > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(int(last[len(b)]), limit+1)
}

// jumbled reports that two texts of at least five bytes hold the same letters but for one, in another
// order.
func jumbled(a, b string) bool {
	return len(a) >= 5 && len(b) >= 5 && misplaced(a, b) <= 1
}

// misplaced returns how many letters of the longer of two texts the other does not hold.
func misplaced(a, b string) int {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 2 || len(a) > maxCompared {
		return maxCompared
	}
	var count [256]int8
	for i := 0; i < len(b); i++ {
		count[b[i]]++
	}
	missing := 0
	for i := 0; i < len(a); i++ {
		if count[a[i]]--; count[a[i]] < 0 {
			missing++
		}
	}
	return missing
}
