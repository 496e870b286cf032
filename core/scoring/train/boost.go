package train

import (
	"math"
)

// matrix is the coded rows of all columns that may be learned from.
type matrix struct {
	rows    int
	columns []coded
}

// coded is one column, or one pair of columns, of a matrix.
type coded struct {
	codes    []uint8
	bins     int
	ordered  bool // codes from 1 up are in the order of their values
	low      int  // of those, how many of the first stand apart from the others
	high     int  // and how many of the last
	monotone int8
	start    []float64 // what the expert's card gives each code, in log-odds; nil: nothing
	inner    int       // of a pair: parts of the second column; the codes are outer*inner+inner code
	across   bool      // of a pair: the parts of the first column are in the order of their values
	along    bool      // of a pair: those of the second are
}

// apart tells whether a code of an ordered column stands apart from the others.
func (c *coded) apart(code int) bool { return code > 0 && (code <= c.low || code >= c.bins-c.high) }

// settings of one fit.
type settings struct {
	rounds  int
	every   int     // rounds between two looks at the rows
	rate    float64 // of one step
	ridge   float64 // weight times variance that damps the step of each bin
	keep    float64 // weight times variance that pulls each bin to nought for good
	level   bool    // each stretch of time has a level of its own
	half    float64 // share of the rows after which a row counts half, from the newest; 0: all count alike
	smooth  float64 // how strongly neighbouring bins hold together
	workers int
	stop    func() bool // asked within a look at many rows; nil: never
}

// sample is what each row teaches: the chance that it was won, as far as known, how much it
// counts, and what is added to its log-odds before anything is learned.
type sample struct {
	y      []float64
	weight []float64
	offset []float64 // nil: nought
	group  []int32   // rows of one number belong together; nil: each is alone
	odds   []float64 // of open rows: how their age moves the odds of a win; below 0: decided; nil: all are
}

func (s sample) slice(from, to int) sample {
	part := sample{y: s.y[from:to], weight: s.weight[from:to]}
	if s.offset != nil {
		part.offset = s.offset[from:to]
	}
	if s.group != nil {
		part.group = s.group[from:to]
	}
	if s.odds != nil {
		part.odds = s.odds[from:to]
	}
	return part
}

// additive is a learned function: log-odds = base + the shapes' value of each column's code.
type additive struct {
	base   float64
	shapes [][]float64
}

// booster fits additive functions to rows in small steps. Between two looks at the rows it works
// on sums per pair of bins: second-order sums do not change until the next look, so a step on one
// column changes the first-order sums of all others by a product with them, which costs the
// square of the bins whatever the number of rows.
type booster struct {
	m      *matrix
	s      sample
	set    settings
	off    []int // first sum of each column; the last one is their number
	gram   []float32
	grad   []float64
	scores []float64
	slope  []float32 // of the loss, per row
	curve  []float32 // second derivative of the loss, per row
	fit    additive
	start  additive // fit at the last look
	steps  []float64
	work   []float64
	weight float64
}

func newBooster(m *matrix, s sample, set settings) *booster {
	b := &booster{m: m, s: s, set: set}
	b.off = make([]int, len(m.columns)+1)
	widest := 0
	for j, c := range m.columns {
		b.off[j+1] = b.off[j] + c.bins
		widest = max(widest, c.bins)
		b.fit.shapes = append(b.fit.shapes, make([]float64, c.bins))
	}
	total := b.off[len(m.columns)]
	b.gram = make([]float32, total*total)
	b.grad = make([]float64, total)
	b.scores = make([]float64, m.rows)
	b.slope = make([]float32, m.rows)
	b.curve = make([]float32, m.rows)
	b.steps = make([]float64, total)
	b.work = make([]float64, 4*widest)
	sum, won := 0.0, 0.0
	for i, w := range s.weight {
		sum += w
		won += w * s.y[i]
	}
	b.weight = sum
	switch {
	case s.offset != nil:
		b.fit.base = s.opening(set.keep)
	case sum > 0:
		b.fit.base = logit(min(max(won/sum, 1e-6), 1-1e-6))
	}
	for i := range b.scores {
		b.scores[i] = b.fit.base
		if s.offset != nil {
			b.scores[i] += s.offset[i]
		}
	}
	b.start = b.fit.clone()
	return b
}

// opening is by how much the chances that rows start with are off on the whole, held to nought as keep says.
// Where they are far off, the second derivatives are those of another place, and a step by them leads
// anywhere; so the level is found before anything else.
func (s sample) opening(keep float64) float64 {
	at := 0.0
	for range 30 {
		g, h := -keep*at, keep+1e-9
		for i, from := range s.offset {
			p := sigmoid(from + at)
			g += s.weight[i] * (s.y[i] - p)
			h += s.weight[i] * max(p*(1-p), 1e-6)
		}
		step := min(max(g/h, -1), 1)
		at += step
		if math.Abs(step) < 1e-6 {
			break
		}
	}
	return at
}

func (a *additive) clone() additive {
	c := additive{base: a.base, shapes: make([][]float64, len(a.shapes))}
	for j, shape := range a.shapes {
		c.shapes[j] = append([]float64(nil), shape...)
	}
	return c
}

func logit(p float64) float64   { return math.Log(p / (1 - p)) }
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// look brings the scores of the rows up to the fit and sums the first derivatives anew, the second
// ones too if full.
func (b *booster) look(full bool) {
	const chunk = 1 << 14
	chunks := (b.m.rows + chunk - 1) / chunk
	move := additive{base: b.fit.base - b.start.base, shapes: make([][]float64, len(b.fit.shapes))}
	for j, shape := range b.fit.shapes {
		move.shapes[j] = make([]float64, 256)
		for i := range shape {
			move.shapes[j][i] = shape[i] - b.start.shapes[j][i]
		}
	}
	b.each(chunks, func(k int) {
		from, to := k*chunk, min((k+1)*chunk, b.m.rows)
		scores := b.scores[from:to]
		for i := range scores {
			scores[i] += move.base
		}
		for j := range b.m.columns {
			shape := (*[256]float64)(move.shapes[j])
			for i, code := range b.m.columns[j].codes[from:to] {
				scores[i] += shape[code]
			}
		}
		for i, f := range scores {
			p := sigmoid(f)
			w, y := b.s.weight[from+i], b.s.y[from+i]
			if b.s.odds != nil && b.s.odds[from+i] >= 0 {
				y = chance(p, b.s.odds[from+i])
			}
			b.slope[from+i] = float32(w * (y - p))
			b.curve[from+i] = float32(w * max(p*(1-p), 1e-4))
		}
	})
	b.start = b.fit.clone()
	b.each(len(b.m.columns), func(j int) { b.sum(j, full) })
	if full {
		n := len(b.m.columns)
		b.each(n*(n-1)/2, func(k int) {
			i := 0
			for k >= n-1-i {
				k -= n - 1 - i
				i++
			}
			b.cross(i, i+1+k)
		})
	}
}

// each does the parts of a look, and leaves out the others where the caller asks to stop.
func (b *booster) each(n int, do func(i int)) {
	each(b.set.workers, n, func(i int) {
		if b.set.stop == nil || !b.set.stop() {
			do(i)
		}
	})
}

// sum adds the derivatives per bin of one column.
func (b *booster) sum(j int, full bool) {
	var slope, curve [256]float64
	codes := b.m.columns[j].codes
	for i, code := range codes {
		slope[code] += float64(b.slope[i])
		curve[code] += float64(b.curve[i])
	}
	total := b.off[len(b.m.columns)]
	for i := range b.m.columns[j].bins {
		at := b.off[j] + i
		b.grad[at] = slope[i]
		if full {
			b.gram[at*total+at] = float32(curve[i])
		}
	}
}

// cross adds the second derivatives per pair of bins of two columns.
func (b *booster) cross(j, k int) {
	one, two := b.m.columns[j].codes, b.m.columns[k].codes
	nj, nk := b.m.columns[j].bins, b.m.columns[k].bins
	sums := make([]float64, nj*nk)
	two = two[:len(one)]
	curve := b.curve[:len(one)]
	for i, code := range one {
		sums[int(code)*nk+int(two[i])] += float64(curve[i])
	}
	total := b.off[len(b.m.columns)]
	for x := range nj {
		for y := range nk {
			v := float32(sums[x*nk+y])
			b.gram[(b.off[j]+x)*total+b.off[k]+y] = v
			b.gram[(b.off[k]+y)*total+b.off[j]+x] = v
		}
	}
}

// shift changes the function in one bin and the first derivatives of all others by it.
func (b *booster) shift(at int, delta float64) {
	total := len(b.grad)
	row := b.gram[at*total : at*total+total]
	grad := b.grad[:len(row)]
	for i, h := range row {
		grad[i] -= delta * float64(h)
	}
}

// next takes one small step on the column where it gains most, then one on the base.
func (b *booster) next() {
	total := len(b.grad)
	best, gain := -1, 0.0
	for j := range b.m.columns {
		step := b.steps[b.off[j]:b.off[j+1]]
		b.propose(j, step)
		won := 0.0
		for i, delta := range step {
			at := b.off[j] + i
			won += delta * (b.grad[at] - delta*float64(b.gram[at*total+at])/2)
		}
		if won > gain {
			best, gain = j, won
		}
	}
	if best < 0 {
		return
	}
	c := &b.m.columns[best]
	from := b.off[best]
	shape, step := b.fit.shapes[best], b.steps[from:b.off[best+1]]
	for i := range step {
		step[i] *= b.set.rate
	}
	if c.monotone != 0 {
		b.hold(from, c, shape, step)
	}
	for i, delta := range step {
		if delta != 0 {
			shape[i] += delta
			b.shift(from+i, delta)
		}
	}
	// The rows of any one column's bins are all rows.
	slope, curve := 0.0, 0.0
	for i := range c.bins {
		slope += b.grad[from+i]
		curve += float64(b.gram[(from+i)*total+from+i])
	}
	keep := 1e-9
	if b.s.offset != nil {
		keep = b.set.keep
	}
	if delta := (slope - keep*b.fit.base) / (curve + keep); curve > 0 {
		b.fit.base += delta
		for k := range b.grad {
			b.grad[k] -= delta * float64(b.gram[k*total+k])
		}
	}
}

// run takes the rounds of the settings. After every so many rounds it calls seen with the number of
// rounds done; where that returns false it stops.
func (b *booster) run(seen func(rounds int, fit *additive) bool) {
	full := 0
	for r := range b.set.rounds {
		if r%b.set.every == 0 {
			// The second derivatives matter for the size of steps only and change slowly.
			again := r == full
			if again {
				full = max(b.set.every, 2*full)
			}
			b.look(again)
		}
		b.next()
		if (r+1)%b.set.every == 0 && seen != nil && !seen(r+1, &b.fit) {
			return
		}
	}
}
