// Package traintest makes worlds that change while their rows come in, to try learning on: rows in
// the order of time whose true chances are known. It serves tests and benchmarks only.
package traintest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// Drift is a set of ways in which a world changes with time.
type Drift uint16

// Each way adds columns of its own to those that every world has, but Rate, which moves the share
// won, and Repeats, which repeats customers.
const (
	Rate      Drift = 1 << iota // the share won rises
	Calendar                    // month, day, weekday, quarter: each period of the calendar has its own share won
	Emerging                    // what early rows do not have yet, by codes such as -1, 999 and "unknown"
	Macro                       // figures that all rows of a week share, and that move with time
	Sources                     // a source that stops and one that is new
	Turning                     // relations that fade and that turn their sign
	Censored                    // what older rows had longer to collect: the lost ones were called again
	Repeats                     // the same customer in runs of rows
	Counters                    // numbers of rows in disguise
	Jumping                     // the share won jumps from one day to the next, up and down
	Campaigns                   // campaigns of a month or two each, with a share won of their own that no other time tells
	Mixing                      // another kind of people comes little by little, whom other things move
	Policy                      // from some day on, other rows count as won than before
)

// All is the first ways at once, as a campaign list of years has it.
const All = Rate | Calendar | Emerging | Macro | Sources | Turning | Censored | Repeats | Counters

var names = []string{"rate", "calendar", "emerging", "macro", "sources", "turning", "censored", "repeats", "counters", "jumping", "campaigns", "mixing", "policy"}

// String names the ways, with + between them.
func (d Drift) String() string {
	if d == All {
		return "all"
	}
	text := ""
	for i, name := range names {
		if d&(1<<i) != 0 {
			if text != "" {
				text += "+"
			}
			text += name
		}
	}
	if text == "" {
		return "still"
	}
	return text
}

// World is rows in the order of time.
type World struct {
	Frame    *frame.Frame
	Outcomes []train.Outcome
	Odds     []float64 // true log-odds of a win
}

// maker collects the columns of a world and what they do to the odds.
type maker struct {
	rng      *rand.Rand
	rows     int
	severity float64
	day      []int // since the first row
	pull     []float64
	columns  []frame.Column
	late     []func(won []bool) // columns that are written after the outcome
}

// days is how long a world lasts. Early days have more rows than late ones.
const days = 900

// Make makes a world. Severity is how strongly it changes: 1 is much, 0 nothing. The same arguments
// give the same world.
func Make(rows int, ways Drift, severity float64, seed uint64) World {
	m := &maker{rng: rand.New(rand.NewPCG(seed, uint64(ways))), rows: rows, severity: severity}
	m.day, m.pull = make([]int, rows), make([]float64, rows)
	for i := range rows {
		m.day[i] = int(days * math.Pow(m.at(i), 1.8))
	}
	m.people()
	if ways&Repeats != 0 {
		m.repeat()
	}
	for _, way := range []struct {
		drift Drift
		add   func()
	}{
		{Calendar, m.calendar}, {Emerging, m.emerging}, {Macro, m.macro}, {Sources, m.sources},
		{Turning, m.turning}, {Censored, m.censored}, {Counters, m.counters},
		{Campaigns, m.campaigns}, {Mixing, m.mixing}, {Policy, m.policy},
	} {
		if ways&way.drift != 0 {
			way.add()
		}
	}
	w := World{Outcomes: make([]train.Outcome, rows)}
	w.Odds = m.level(ways)
	won := make([]bool, rows)
	for i, odds := range w.Odds {
		if won[i] = m.rng.Float64() < sigmoid(odds); won[i] {
			w.Outcomes[i] = train.Won
		}
	}
	for _, write := range m.late {
		write(won)
	}
	w.Frame = &frame.Frame{Rows: rows, Columns: m.columns}
	return w
}

// at is when a row came: 0 is the first, 1 the last.
func (m *maker) at(i int) float64 { return float64(i) / float64(m.rows) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// level moves the odds so that each stretch of days has the share won it shall have.
func (m *maker) level(ways Drift) []float64 {
	odds := make([]float64, m.rows)
	var months [days/30 + 1]float64
	for k := range months {
		months[k] = m.rng.NormFloat64()
	}
	from := 0
	for from < m.rows {
		to := from
		for to < m.rows && m.day[to]/5 == m.day[from]/5 {
			to++
		}
		want := math.Log(0.15 / 0.85)
		if ways&Rate != 0 {
			early, late := math.Log(0.05/0.95), math.Log(0.40/0.60)
			middle := want
			want = middle*(1-m.severity) + m.severity*(early+(late-early)*math.Pow(m.at(from), 2))
		}
		if ways&Jumping != 0 {
			want += m.severity * []float64{-0.6, 0.8, -0.4, 1.2, 0.4}[m.jumps(from)]
		}
		if ways&(Calendar|Macro) != 0 {
			want += 0.5 * m.severity * months[m.day[from]/30]
		}
		share, shift := sigmoid(want), 0.0
		for range 30 {
			g, h := 0.0, 1e-9
			for i := from; i < to; i++ {
				p := sigmoid(m.pull[i] + shift)
				g += share - p
				h += p * (1 - p)
			}
			shift += min(max(g/h, -2), 2)
		}
		for i := from; i < to; i++ {
			odds[i] = m.pull[i] + shift
		}
		from = to
	}
	return odds
}

// number adds a column of numbers; value also says what it does to the odds.
func (m *maker) number(name string, value func(i int) (x, pull float64)) {
	numbers := make([]float64, m.rows)
	for i := range numbers {
		x, pull := value(i)
		numbers[i] = x
		m.pull[i] += pull
	}
	m.columns = append(m.columns, frame.Numeric(name, numbers))
}

// text adds a column of names.
func (m *maker) text(name string, value func(i int) (x string, pull float64)) {
	texts := make([]string, m.rows)
	for i := range texts {
		x, pull := value(i)
		texts[i] = x
		m.pull[i] += pull
	}
	m.columns = append(m.columns, frame.Categorical(name, texts))
}

// people adds what holds at any time.
func (m *maker) people() {
	m.number("balance", func(int) (float64, float64) {
		x := m.rng.NormFloat64()
		return math.Round(math.Exp(6.5 + 1.2*x)), 0.6 * math.Tanh(x)
	})
	balance := m.columns[0].Numbers
	var work [10]float64
	for k := range work {
		work[k] = 0.7 * m.rng.NormFloat64()
	}
	m.text("job", func(int) (string, float64) {
		k := m.rng.IntN(len(work))
		return fmt.Sprint("job ", k), work[k]
	})
	// A house matters the other way round to the rich.
	m.text("housing", func(i int) (string, float64) {
		switch {
		case m.rng.IntN(2) != 0:
			return "no", 0
		case balance[i] > 1200:
			return "yes", 0.5
		}
		return "yes", -0.8
	})
	m.text("loan", func(int) (string, float64) {
		if m.rng.IntN(6) == 0 {
			return "yes", -0.9
		}
		return "no", 0
	})
	m.number("visits", func(int) (float64, float64) {
		x := math.Floor(m.rng.ExpFloat64() * 3)
		return x, 0.8 * math.Log1p(x)
	})
	m.number("luck", func(int) (float64, float64) { return m.rng.NormFloat64(), 0 })
}

// repeat lets a customer stand in many rows in a row, whose odds have something of his own.
func (m *maker) repeat() {
	for i := 0; i < m.rows; {
		run := min(1+int(m.rng.ExpFloat64()*12*m.severity), m.rows-i)
		own := 1.2 * m.rng.NormFloat64()
		for k := i; k < i+run; k++ {
			for j := range m.columns {
				if c := &m.columns[j]; c.Kind == frame.Number {
					c.Numbers[k] = c.Numbers[i]
				} else {
					c.Codes[k] = c.Codes[i]
				}
			}
			m.pull[k] = m.pull[i]
		}
		if run > 1 {
			for k := i; k < i+run; k++ {
				m.pull[k] += own
			}
		}
		i += run
	}
}

var monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

func (m *maker) calendar() {
	m.text("month", func(i int) (string, float64) {
		k := (4 + m.day[i]/30) % 12
		return monthNames[k], 0
	})
	m.number("day", func(i int) (float64, float64) { return float64(1 + m.day[i]%30), 0 })
	m.number("weekday", func(i int) (float64, float64) {
		return float64(m.day[i] % 7), 0.1 * float64(m.day[i]%7/5)
	})
	m.number("quarter", func(i int) (float64, float64) { return float64(1 + (4+m.day[i]/30)%12/3), 0 })
}

func (m *maker) emerging() {
	since := 0.45 * m.severity
	before := make([]int, m.rows) // contacts before
	for i := range before {
		if m.at(i) > since && m.rng.Float64() < 0.1+0.3*(m.at(i)-since) {
			before[i] = 1 + int(m.rng.ExpFloat64()*2)
		}
	}
	m.number("previous", func(i int) (float64, float64) { return float64(before[i]), 0.1 * math.Min(float64(before[i]), 4) })
	m.number("days since", func(i int) (float64, float64) {
		if before[i] == 0 {
			return -1, 0
		}
		x := math.Floor(20 + 400*m.rng.Float64())
		return x, 0.6 * (1 - x/210)
	})
	m.number("days since mail", func(i int) (float64, float64) {
		if before[i] == 0 || m.rng.IntN(3) == 0 {
			return 999, 0
		}
		return math.Floor(30 * m.rng.Float64()), 0.5
	})
	m.text("result before", func(i int) (string, float64) {
		switch {
		case before[i] == 0:
			return "unknown", 0
		case m.rng.IntN(3) == 0:
			return "success", 1.5
		}
		return "failure", 0
	})
	m.text("contact", func(i int) (string, float64) {
		switch {
		case m.rng.Float64() < 0.85*m.severity*math.Max(0, 1-m.at(i)/0.5):
			return "unknown", -0.2
		case m.rng.IntN(8) == 0:
			return "telephone", -0.3
		}
		return "cellular", 0
	})
}

func (m *maker) macro() {
	var rate, index, jobs [days/7 + 1]float64
	for k := range rate {
		t := float64(k) / float64(len(rate))
		rate[k] = 4.5 - 3.5*m.severity*t + 0.25*m.rng.NormFloat64()
		index[k] = 93 + m.severity*(1.2*math.Sin(9*t)-t) + 0.2*m.rng.NormFloat64()
		jobs[k] = math.Round(5200 - 150*m.severity*math.Floor(5*t) + 20*m.rng.NormFloat64())
	}
	m.number("interest rate", func(i int) (float64, float64) { return rate[m.day[i]/7], 0 })
	m.number("price index", func(i int) (float64, float64) { return index[m.day[i]/7], 0 })
	m.number("employed", func(i int) (float64, float64) { return jobs[m.day[i]/7], 0 })
}

func (m *maker) sources() {
	m.text("source", func(i int) (string, float64) {
		t, u := m.at(i), m.rng.Float64()
		switch {
		case t < 0.6 && u < 0.4*m.severity:
			return "fair", -0.8
		case t > 0.74 && u < 0.5*m.severity:
			return "app", 0.7
		case u < 0.6:
			return "web", 0.2
		case u < 0.8:
			return "friend", 0.9
		}
		return "bought", -0.9
	})
}

func (m *maker) turning() {
	m.number("discount", func(i int) (float64, float64) {
		x := m.rng.NormFloat64()
		return x, x * (0.7 - 1.1*m.severity*m.at(i))
	})
	m.number("rainy days", func(i int) (float64, float64) {
		x := float64(m.rng.IntN(20))
		return x, 0.12 * (x - 10) * (1 - m.severity*math.Min(1, m.at(i)/0.6))
	})
	m.text("plan", func(i int) (string, float64) {
		k := m.rng.IntN(4)
		return fmt.Sprint("plan ", k), (float64(k) - 1.5) * 0.5 * (1 - 1.6*m.severity*math.Pow(m.at(i), 2))
	})
}

func (m *maker) censored() {
	calls := make([]float64, m.rows)
	m.columns = append(m.columns, frame.Numeric("calls", calls))
	j := len(m.columns) - 1
	m.late = append(m.late, func(won []bool) {
		for i := range calls {
			more := 0.8
			if !won[i] {
				more += 2.5 * math.Max(0, 1-m.severity*m.at(i)*1.1)
			}
			calls[i] = 1 + math.Floor(m.rng.ExpFloat64()*more)
		}
		m.columns[j] = frame.Numeric("calls", calls)
	})
}

func (m *maker) counters() {
	m.number("form", func(i int) (float64, float64) {
		return math.Round(1e6 + float64(i) + m.rng.NormFloat64()*float64(m.rows)*(0.12+0.3*(1-m.severity))), 0
	})
	m.number("batch", func(i int) (float64, float64) {
		return float64(i/(m.rows/40+1)) + float64(m.rng.IntN(12)), 0
	})
}
