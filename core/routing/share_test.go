package routing

import (
	"math/rand/v2"
	"testing"
)

// equals runs step 5 over open stores of the given distances and performances.
func equals(p Terms, distances, performances []int32, draw int32) *Receipt {
	r := &Receipt{Rules: Rules, WinChance: 500_000, Policy: p, Draw: draw, Place: PlacePostal}
	for i := range distances {
		r.Candidates = append(r.Candidates, Candidate{Dealer: string(rune('a' + i)), Distance: distances[i], Performance: performances[i], Open: true})
	}
	r.expected()
	return r
}

func someTerms(r *rand.Rand) Terms {
	return Terms{K: MaxCandidates, NormalDistance: 1_000 + r.Int32N(100_000), PerformanceCap: 150_000, Closed: 900_000,
		MissingProgram: 800_000, OtherLanguage: 950_000}
}

// Performance moves no share by more than the cap, whatever the stores are like; shares add up;
// a floor holds for all.
func TestPerformanceMovesSharesByTheCapAtMost(t *testing.T) {
	for seed := range uint64(5_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(MaxCandidates)
		p := someTerms(r)
		distances, performances, neutral := make([]int32, n), make([]int32, n), make([]int32, n)
		for i := range n {
			distances[i] = r.Int32N(80_000)
			performances[i] = r.Int32N(2_000_000) - 1_000_000
		}
		fair, moved := equals(p, distances, neutral, 0), equals(p, distances, performances, 0)
		var sum int64
		for i := range n {
			a, b := int64(fair.Candidates[i].Chance), int64(moved.Candidates[i].Chance)
			sum += b
			// Rounding down leaves up to a millionth a store, all of them to the best.
			if d := max(a-b, b-a); d > a*150_000/million+2*MaxCandidates {
				t.Fatalf("seed %d: store %d moved from %d to %d", seed, i, a, b)
			}
		}
		if sum != million {
			t.Fatalf("seed %d: shares add up to %d", seed, sum)
		}
		p.Floor = r.Int32N(200_000)
		floor := min(int64(p.Floor), million/int64(n))
		for i, c := range equals(p, distances, performances, 0).Candidates {
			if int64(c.Chance) < floor {
				t.Fatalf("seed %d: store %d has %d, floor %d", seed, i, c.Chance, floor)
			}
		}
	}
}

// The draw gives each of the equals what its share says, to the millionth.
func TestDrawFollowsShares(t *testing.T) {
	p := someTerms(rand.New(rand.NewPCG(1, 1)))
	distances, performances := []int32{1_000, 9_000, 30_000}, []int32{50_000, 0, -90_000}
	won := map[string]int32{}
	const step = 100
	for draw := int32(0); draw < million; draw += step {
		won[equals(p, distances, performances, draw).Winner] += step
	}
	for _, c := range equals(p, distances, performances, 0).Candidates {
		if d := c.Chance - won[c.Dealer]; d < -step || d > step {
			t.Errorf("%s won %d, share %d", c.Dealer, won[c.Dealer], c.Chance)
		}
	}
}

func TestEqualsAreTheBestKWithinTheBand(t *testing.T) {
	p := Terms{K: 3, NormalDistance: 40_000, Equals: 500_000, Closed: million, MissingProgram: million, OtherLanguage: million}
	// Suits 1, 0.99..., 0.5 and 0.49...: the half still counts, the rest does not.
	r := equals(p, []int32{0, 1_000, 40_000, 40_100}, make([]int32, 4), 0)
	for i, want := range []bool{true, true, true, false} {
		if got := r.Candidates[i].Chance > 0; got != want {
			t.Errorf("store %d is an equal: %v, want %v", i, got, want)
		}
	}
	if got := r.Candidates[3].Lost; got != LossLowerExpected {
		t.Errorf("the last lost by %v", got)
	}
	if got := r.Candidates[2].Expected; got != 250*million {
		t.Errorf("expected result at the normal distance %d, want half of the chance to win", got)
	}
}

func TestSuitsNeverGrowsWithDistance(t *testing.T) {
	r := Receipt{Policy: Terms{NormalDistance: 40_000, Closed: 900_000, OtherLanguage: million, MissingProgram: million}}
	last := int64(1000*million) + 1
	for d := int32(0); d < maxDistance; d += 1 + d/50 {
		c := Candidate{Distance: d, Open: true}
		w := r.suits(&c)
		if w > last || w < 1 {
			t.Fatalf("at %d m %d, before %d", d, w, last)
		}
		if c.Open = false; r.suits(&c) > w {
			t.Fatalf("at %d m a closed store suits better", d)
		}
		last = w
	}
}

func TestLiveKeepsWhatItIsTold(t *testing.T) {
	for _, open := range []bool{true, false} {
		for _, performance := range []int32{0, 1, -1, MaxPerformance, -MaxPerformance} {
			for _, free := range []int32{0, 7, -7, 1<<31 - 1, -1 << 31} {
				o, p, f := unpackLive(packLive(open, performance, free))
				if o != open || p != performance || f != free {
					t.Errorf("told %v %d %d, says %v %d %d", open, performance, free, o, p, f)
				}
			}
		}
	}
}
