package traintest

import (
	"fmt"
	"math"
)

// jumps counts how often the share won jumped before a row came.
func (m *maker) jumps(i int) int {
	n := 0
	for _, at := range []float64{0.35, 0.6, 0.75, 0.9} {
		if m.at(i) >= at {
			n++
		}
	}
	return n
}

// campaigns are known by name and by budget. Some rows of each day came without.
func (m *maker) campaigns() {
	const lasts = 45
	var pull, budget [days/lasts + 1]float64
	for k := range pull {
		pull[k] = 0.9 * m.severity * m.rng.NormFloat64()
		budget[k] = math.Round(20 + 80*m.rng.Float64())
	}
	in := make([]bool, m.rows)
	for i := range in {
		in[i] = m.rng.IntN(5) < 3
	}
	m.text("campaign", func(i int) (string, float64) {
		k := m.day[i] / lasts
		if !in[i] {
			return "none", 0
		}
		return fmt.Sprint("campaign ", k), pull[k]
	})
	m.number("budget", func(i int) (float64, float64) {
		if !in[i] {
			return -1, 0
		}
		return budget[m.day[i]/lasts], 0
	})
	m.number("day of campaign", func(i int) (float64, float64) {
		if !in[i] {
			return 999, 0
		}
		x := float64(m.day[i] % lasts)
		return x, 0.8 * (0.5 - x/lasts)
	})
}

// mixing lets people come who buy online: what moves them is the reverse in part.
func (m *maker) mixing() {
	online := make([]bool, m.rows)
	for i := range online {
		online[i] = m.rng.Float64() < 0.1+0.75*m.severity*m.at(i)
	}
	m.text("device", func(i int) (string, float64) {
		switch {
		case online[i] == (m.rng.IntN(10) > 0):
			return "phone", 0
		}
		return "desk", 0
	})
	m.number("pages", func(i int) (float64, float64) {
		x := math.Floor(m.rng.ExpFloat64() * 6)
		if online[i] {
			return math.Floor(x / 2), 0.10 * math.Min(x, 20)
		}
		return x, 0.05 * math.Min(x, 20)
	})
	m.number("calls made", func(i int) (float64, float64) {
		x := float64(m.rng.IntN(6))
		if online[i] {
			return x, -0.1 * x
		}
		return x, 0.35 * x
	})
}

// policy lets a test drive count as a win in itself, late.
func (m *maker) policy() {
	m.text("test drive", func(i int) (string, float64) {
		switch {
		case m.rng.IntN(5) > 0:
			return "no", 0
		case m.at(i) > 0.55:
			return "yes", 0.5 + 1.5*m.severity
		}
		return "yes", 0.5
	})
	m.number("minutes", func(i int) (float64, float64) {
		x := math.Round(60 * m.rng.ExpFloat64())
		if m.at(i) > 0.7 {
			return x, 0.25 * (1 - m.severity) * math.Min(x/60, 4)
		}
		return x, 0.25 * math.Min(x/60, 4)
	})
}
