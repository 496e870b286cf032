package signal_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/leadmesh/leadmesh/core/signal"
)

const (
	day  = 86400
	base = int64(1_780_000_000)
)

func TestCounterHalves(t *testing.T) {
	tests := []struct {
		name  string
		after int64
		want  int32
	}{
		{"at once", 0, 1000},
		{"one half-life", 14 * day, 500},
		{"half a half-life", 7 * day, 707},
		{"two half-lives", 28 * day, 250},
		{"ten half-lives", 140 * day, 1},
		{"eleven half-lives, 0.488 rounds down", 154 * day, 0},
		{"asked about the past", -day, 1000},
		{"for ever", 1 << 40, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c signal.Counter
			c.Add(base, 14*day)
			if got := c.Count(base + tt.after); got != tt.want {
				t.Errorf("Count = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestCounterMatchesExactArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		half := int32(1 + r.IntN(400*day))
		var c signal.Counter
		at := base + int64(r.IntN(1000*day))
		var want float64
		n := 1 + r.IntN(60)
		for range n {
			s := base + r.Int64N(at-base+1)
			c.Add(s, half)
			want += math.Exp2(-float64(at-s) / float64(half))
		}
		if got := float64(c.Count(at)) / 1000; math.Abs(got-want) > 0.0005+float64(n)*1e-6 {
			t.Fatalf("half-life %d: Count = %g, want %g", half, got, want)
		}
	}
}

func TestCounterIgnoresOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		half := int32(day * (1 + r.IntN(60)))
		at := make([]int64, 1+r.IntN(40))
		for i := range at {
			at[i] = base + r.Int64N(24*int64(half))
		}
		var a, b signal.Counter
		for _, s := range at {
			a.Add(s, half)
		}
		r.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
		for _, s := range at {
			b.Add(s, half)
		}
		if a != b {
			t.Fatalf("order changed the counter: %+v and %+v", a, b)
		}
	}
}

func TestNewCounterReadsBack(t *testing.T) {
	for _, milli := range []int32{1, 17, 999, 1000, 123456, 1 << 24} {
		for _, age := range []int64{0, 5, 13 * day, 29 * day} {
			c := signal.NewCounter(milli, base, base-age, 14*day)
			if got := c.Count(base); got < milli-milli/100000 || got > milli+milli/100000 {
				t.Errorf("milli %d, last %d s ago: Count = %d", milli, age, got)
			}
		}
	}
	if c := signal.NewCounter(5, base, base+1, day); c != (signal.Counter{}) {
		t.Errorf("a latest signal after the reading gave %+v", c)
	}
	if c := signal.NewCounter(5000, base, base-900*day, day); c.Sum != math.MaxUint64 {
		t.Errorf("a count no sum can hold does not saturate: %+v", c)
	}
}

func TestCounterSaturates(t *testing.T) {
	c := signal.Counter{HalfLife: day, Last: base, Sum: math.MaxUint64}
	c.Add(base, day)
	if c.Sum != math.MaxUint64 {
		t.Errorf("Sum = %d", c.Sum)
	}
	if got, want := c.Count(base+30*day), int32(1); got < want {
		t.Errorf("Count 30 half-lives later = %d, want at least %d", got, want)
	}
}

func TestCounterTakesNothingWithoutTimeOrHalfLife(t *testing.T) {
	for _, c := range []struct {
		at       int64
		halfLife int32
	}{{0, 86400}, {-1, 86400}, {1_700_000_000, 0}, {1_700_000_000, -86400}} {
		var counter signal.Counter
		counter.Add(c.at, c.halfLife)
		if counter != (signal.Counter{}) {
			t.Errorf("at %d with half-life %d: %+v", c.at, c.halfLife, counter)
		}
	}
}
