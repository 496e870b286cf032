package cluster

// Score compares a partition with the truth, pair by pair.
type Score struct {
	Right  int // pairs put together that belong together
	Wrong  int // pairs put together that do not
	Missed int // pairs that belong together and were not put together
}

// Precision is the share of pairs put together that belong together, 1 if there are none.
func (s Score) Precision() float64 { return share(s.Right, s.Right+s.Wrong) }

// Recall is the share of pairs that belong together which were put together, 1 if there are none.
func (s Score) Recall() float64 { return share(s.Right, s.Right+s.Missed) }

// F1 is the harmonic mean of precision and recall.
func (s Score) F1() float64 { return share(2*s.Right, 2*s.Right+s.Wrong+s.Missed) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// ScoreOf scores a partition by the truth; both hold a group for each row.
func ScoreOf[G, T comparable](groups []G, truth []T) Score {
	type cell struct {
		group G
		truth T
	}
	together, found, true_ := map[cell]int{}, map[G]int{}, map[T]int{}
	for i, g := range groups {
		together[cell{g, truth[i]}]++
		found[g]++
		true_[truth[i]]++
	}
	right := pairsIn(together)
	return Score{Right: right, Wrong: pairsIn(found) - right, Missed: pairsIn(true_) - right}
}

func pairsIn[K comparable](groups map[K]int) int {
	n := 0
	for _, size := range groups {
		n += size * (size - 1) / 2
	}
	return n
}

// Reached counts, of the pairs that belong together, those that share a block and so were compared,
// and all of them. Truth holds a group for each row.
func Reached[T comparable](r *Result, truth []T) (reached, all int) {
	groups := map[T][]int32{}
	for i, t := range truth {
		groups[t] = append(groups[t], int32(i))
	}
	for _, rows := range groups {
		for j, q := range rows {
			for _, p := range rows[:j] {
				all++
				if r.Covers(p, q) {
					reached++
				}
			}
		}
	}
	return reached, all
}

// Covers reports whether two rows share a block or are equal in every value.
func (r *Result) Covers(p, q int32) bool {
	p, q = r.first[p], r.first[q]
	if p == q {
		return true
	}
	_, ok := r.index.shared(p, q)
	return ok
}
