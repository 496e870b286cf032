package assess

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring"
)

// Bin is rows of about the same stated chance.
type Bin struct {
	From, To float64 // least and greatest stated chance in it
	Rows     int
	Weight   float64
	Stated   float64  // mean stated chance
	Won      Interval // share won, with the interval of Wilson (1927)
	noise    float64  // variance of the share won if the stated chances are true
}

// Reliability parts the rows by stated chance into at most bins parts of about equal weight. Rows
// of equal chance stay together, so there may be fewer.
func Reliability(s Sample, bins int) []Bin {
	return s.reliability(s.runs(s.probability), bins)
}

// reliability is Reliability for runs by probability.
func (s *Sample) reliability(runs []run, bins int) []Bin {
	var total float64
	for i := range runs {
		total += runs[i].won + runs[i].lost
	}
	var out []Bin
	var open Bin
	var won, stated, noise, squares, done float64
	mark := total / float64(bins) // where the open bin should end
	for i := range runs {
		r := &runs[i]
		if open.Rows == 0 {
			open.From = r.key
		}
		open.To = r.key
		open.Rows += len(r.rows)
		for _, row := range r.rows {
			w := s.weight(int(row))
			noise += w * w * r.key * (1 - r.key)
			squares += w * w
		}
		w := r.won + r.lost
		open.Weight += w
		done += w
		won += r.won
		stated += w * r.key
		if i+1 < len(runs) && mark-done > done+runs[i+1].won+runs[i+1].lost-mark {
			continue // the end of the next run is nearer
		}
		if open.Weight > 0 {
			open.Stated = stated / open.Weight
			open.noise = noise / (open.Weight * open.Weight)
			open.Won = Wilson(won/open.Weight, open.Weight*open.Weight/squares)
			out = append(out, open)
			open, won, stated, noise, squares = Bin{}, 0, 0, 0, 0
			mark = total * (math.Floor(done*float64(bins)/total+0.5) + 1) / float64(bins)
		}
	}
	return out
}

// Wilson returns the interval of a share among n rows (Wilson 1927); without rows it is 0 to 1.
func Wilson(share, n float64) Interval {
	low, high := scoring.Wilson(share, n)
	return Interval{Value: share, Low: low, High: high}
}

// Calibration is how far the stated chances are off.
type Calibration struct {
	// Raw is the mean over bins of equal weight of the distance between stated chance and share
	// won (expected calibration error; Naeini, Cooper and Hauskrecht 2015). Chance alone gives it
	// Noise where every stated chance is true, so it is not 0 even for a perfect table.
	Raw, Noise float64
	// Error is Raw without what chance gives: the distance that, were it the same in all bins, would
	// be seen as Raw on average, by the mean of the folded normal distribution (Leone, Nelson and
	// Nottingham 1961); 0 where Raw is not above Noise. Its interval comes from drawing the
	// distances again 1,000 times and taking the noise of the draw off too; it is rather too wide
	// than too narrow.
	Error Interval
}

// CalibrationError returns how far the stated chances are off, over bins as Reliability makes them.
func CalibrationError(s Sample, bins int, seed uint64) Calibration {
	return calibrationOf(Reliability(s, bins), seed)
}

func calibrationOf(bins []Bin, seed uint64) Calibration {
	n := len(bins)
	share, gap, noise := make([]float64, n), make([]float64, n), make([]float64, n)
	var total float64
	for i := range bins {
		total += bins[i].Weight
	}
	var c Calibration
	for i := range bins {
		b := &bins[i]
		share[i], gap[i], noise[i] = b.Weight/total, b.Won.Value-b.Stated, math.Sqrt(b.noise)
	}
	c.Noise = seen(share, noise, 0)
	c.Raw, c.Error.Value = calibrated(share, gap, noise)
	// The distances hold their noise once and that of the draw once more.
	twice := make([]float64, n)
	for i := range twice {
		twice[i] = noise[i] * math.Sqrt2
	}
	r := rand.New(rand.NewPCG(seed, 0x6c65616d657368))
	const draws = 1000
	drawn := make([]float64, draws)
	again := make([]float64, n)
	for k := range drawn {
		for i := range again {
			again[i] = gap[i] + r.NormFloat64()*noise[i]
		}
		_, drawn[k] = calibrated(share, again, twice)
	}
	slices.Sort(drawn)
	c.Error.Low, c.Error.High = min(drawn[draws/40], c.Error.Value), max(drawn[draws-1-draws/40], c.Error.Value)
	return c
}

// calibrated returns the mean distance as it is, and without the noise, whose standard deviations
// are given.
func calibrated(share, gap, noise []float64) (raw, corrected float64) {
	for i, g := range gap {
		raw += share[i] * math.Abs(g)
	}
	if raw <= seen(share, noise, 0) {
		return raw, 0
	}
	// What is seen is never less than what is there, and grows with it.
	low, high := 0.0, raw
	for high-low > 1e-6 {
		if mid := (low + high) / 2; seen(share, noise, mid) > raw {
			high = mid
		} else {
			low = mid
		}
	}
	return raw, (low + high) / 2
}

// seen is the mean distance that noise makes of one that is the same everywhere.
func seen(share, noise []float64, distance float64) float64 {
	var sum float64
	for i, sd := range noise {
		if sd == 0 {
			sum += share[i] * distance
			continue
		}
		x := distance / sd
		sum += share[i] * (sd*math.Sqrt(2/math.Pi)*math.Exp(-x*x/2) + distance*math.Erf(x/math.Sqrt2))
	}
	return sum
}

// Recalibration is the line through the log odds of the stated chances that fits the outcomes
// best (Cox 1958). True chances have slope 1 and intercept 0: a slope below 1 means that the
// chances are too bold, above 1 too timid; Shift is the intercept where the slope is held at 1,
// above 0 where there are more wins than stated.
type Recalibration struct {
	Slope, Intercept Interval
	Shift            Interval
}

// unknown bounds a figure of which the rows tell nothing.
const unknown = 1000

// Recalibrate fits the line by weighted maximum likelihood. What the rows do not tell, for want of
// wins, losses or different chances, is 1 or 0 within -1000 and 1000.
func Recalibrate(s Sample) Recalibration { return s.recalibrate(s.runs(s.probability)) }

func (s *Sample) recalibrate(runs []run) Recalibration {
	l := line{runs: runs, odds: make([]float64, len(runs))}
	for i := range runs {
		l.odds[i] = logit(min(max(runs[i].key, finest), 1-finest))
	}
	var p spread
	for i := range s.Won {
		p.add(s.weight(i), 0)
	}
	l.weight, l.effective = p.weight, p.effective()/p.weight
	shift, shiftErr := l.fit(false)
	both, bothErr := l.fit(true)
	around := func(v, err, none float64) Interval {
		if d := normal95 * err; math.Abs(v)+d < unknown {
			return Interval{Value: v, Low: v - d, High: v + d}
		}
		return Interval{Value: none, Low: -unknown, High: unknown}
	}
	return Recalibration{Slope: around(both[1], bothErr[1], 1), Intercept: around(both[0], bothErr[0], 0), Shift: around(shift[0], shiftErr[0], 0)}
}

// line is what a line through log odds is fitted to.
type line struct {
	runs      []run
	odds      []float64 // by run
	weight    float64   // of all rows
	effective float64   // rows of equal weight that tell as much, by weight (Kish 1965)
}

// fit finds intercept and, where it is free, slope by Newton's method with halved steps, and their
// standard errors.
func (l *line) fit(free bool) (at, errs [2]float64) {
	at = [2]float64{0, 1}
	loss := l.loss(at)
	for range 50 {
		g, h := l.slope(at)
		var step [2]float64
		if det := h[0]*h[2] - h[1]*h[1]; free && det > 1e-12*h[0]*h[2] {
			step = [2]float64{(h[2]*g[0] - h[1]*g[1]) / det, (h[0]*g[1] - h[1]*g[0]) / det}
		} else if h[0] > 0 {
			step[0] = g[0] / h[0]
		}
		size := math.Max(math.Abs(step[0]), math.Abs(step[1]))
		if !(size > 1e-9) {
			break
		}
		if size > 5 {
			step[0], step[1] = step[0]*5/size, step[1]*5/size
		}
		moved := false
		for range 30 {
			to := [2]float64{at[0] + step[0], at[1] + step[1]}
			better := l.loss(to)
			// The last steps change the loss by less than it can be told.
			if better < loss || size < 1e-6 && better <= loss+1e-12*l.weight {
				at, loss, moved = to, better, true
				break
			}
			step[0], step[1] = step[0]/2, step[1]/2
		}
		if !moved || math.Abs(at[0]) > unknown || math.Abs(at[1]) > unknown {
			break
		}
	}
	_, h := l.slope(at)
	errs = [2]float64{math.Inf(1), math.Inf(1)}
	if h[0] <= 1e-9*l.weight {
		return at, errs
	}
	if !free {
		return at, [2]float64{1 / math.Sqrt(h[0]*l.effective), 0}
	}
	if det := h[0]*h[2] - h[1]*h[1]; det > 1e-9*h[0]*h[2] {
		errs = [2]float64{math.Sqrt(h[2] / det / l.effective), math.Sqrt(h[0] / det / l.effective)}
	}
	return at, errs
}

// loss is the negative log likelihood.
func (l *line) loss(at [2]float64) float64 {
	var sum float64
	for i := range l.runs {
		z := at[0] + at[1]*l.odds[i]
		// ln(1+e^-z) of a win, ln(1+e^z) of a loss, without overflow.
		tail := math.Log1p(math.Exp(-math.Abs(z)))
		sum += l.runs[i].won*(math.Max(-z, 0)+tail) + l.runs[i].lost*(math.Max(z, 0)+tail)
	}
	return sum
}

// slope returns the gradient of the log likelihood and its information: of the intercept, of both
// and of the slope.
func (l *line) slope(at [2]float64) (g [2]float64, h [3]float64) {
	for i := range l.runs {
		x, w := l.odds[i], l.runs[i].won+l.runs[i].lost
		p := sigmoid(at[0] + at[1]*x)
		d := l.runs[i].won - w*p
		g[0] += d
		g[1] += d * x
		v := w * p * (1 - p)
		h[0] += v
		h[1] += v * x
		h[2] += v * x * x
	}
	return g, h
}
