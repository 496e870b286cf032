package assess

import (
	"math"
	"math/rand/v2"
	"slices"
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
	runs := s.runs(func(i int) float64 { return s.Probability[i] })
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
			open.Won = wilson(won/open.Weight, open.Weight*open.Weight/squares)
			out = append(out, open)
			open, won, stated, noise, squares = Bin{}, 0, 0, 0, 0
			mark = total * (math.Floor(done*float64(bins)/total+0.5) + 1) / float64(bins)
		}
	}
	return out
}

// wilson returns the interval of a share among n rows (Wilson 1927).
func wilson(share, n float64) Interval {
	z2 := normal95 * normal95 / n
	mid := (share + z2/2) / (1 + z2)
	d := normal95 / (1 + z2) * math.Sqrt(share*(1-share)/n+z2/(4*n))
	return Interval{Value: share, Low: max(mid-d, 0), High: min(mid+d, 1)}
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
func Recalibrate(s Sample) Recalibration {
	x := make([]float64, len(s.Won))
	for i, p := range s.Probability {
		x[i] = logit(min(max(p, finest), 1-finest))
	}
	shift, shiftErr := s.line(x, false)
	both, bothErr := s.line(x, true)
	around := func(v, err, none float64) Interval {
		if d := normal95 * err; math.Abs(v)+d < unknown {
			return Interval{Value: v, Low: v - d, High: v + d}
		}
		return Interval{Value: none, Low: -unknown, High: unknown}
	}
	return Recalibration{Slope: around(both[1], bothErr[1], 1), Intercept: around(both[0], bothErr[0], 0), Shift: around(shift[0], shiftErr[0], 0)}
}

// line fits intercept and, where it is free, slope by Newton's method with halved steps. The
// errors come from the information weighted as Kish does, so that weights do not make rows more.
func (s *Sample) line(x []float64, free bool) (at, errs [2]float64) {
	at = [2]float64{0, 1}
	loss := s.lineLoss(x, at)
	var h [3]float64
	for range 50 {
		g, info := s.slope(x, at)
		h = info
		var step [2]float64
		if det := h[0]*h[2] - h[1]*h[1]; free && det > 1e-12*h[0]*h[2] {
			step = [2]float64{(h[2]*g[0] - h[1]*g[1]) / det, (h[0]*g[1] - h[1]*g[0]) / det}
		} else if h[0] > 0 {
			step[0] = g[0] / h[0]
		}
		size := math.Max(math.Abs(step[0]), math.Abs(step[1]))
		if !(size > 1e-10) {
			break
		}
		if size > 5 {
			step[0], step[1] = step[0]*5/size, step[1]*5/size
		}
		moved := false
		for range 30 {
			to := [2]float64{at[0] + step[0], at[1] + step[1]}
			if l := s.lineLoss(x, to); l < loss {
				at, loss, moved = to, l, true
				break
			}
			step[0], step[1] = step[0]/2, step[1]/2
		}
		if !moved || math.Abs(at[0]) > unknown || math.Abs(at[1]) > unknown {
			break
		}
	}
	_, h = s.slope(x, at)
	errs = [2]float64{math.Inf(1), math.Inf(1)}
	var p spread
	for i := range s.Won {
		p.add(s.weight(i), 0)
	}
	scale := p.effective() / p.weight
	if !free {
		errs[1] = 0
		if h[0] > 1e-9*p.weight {
			errs[0] = 1 / math.Sqrt(h[0]*scale)
		}
		return at, errs
	}
	if det := h[0]*h[2] - h[1]*h[1]; det > 1e-9*h[0]*h[2] && h[0] > 1e-9*p.weight {
		errs = [2]float64{math.Sqrt(h[2] / det / scale), math.Sqrt(h[0] / det / scale)}
	}
	return at, errs
}

func (s *Sample) lineLoss(x []float64, at [2]float64) float64 {
	var sum float64
	for i := range x {
		z := at[0] + at[1]*x[i]
		if s.Won[i] {
			z = -z
		}
		// ln(1+e^z) without overflow.
		sum += s.weight(i) * (math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))))
	}
	return sum
}

// slope returns the gradient of the log likelihood and its information: of the intercept, of both
// and of the slope.
func (s *Sample) slope(x []float64, at [2]float64) (g [2]float64, h [3]float64) {
	for i := range x {
		p := sigmoid(at[0] + at[1]*x[i])
		y := 0.0
		if s.Won[i] {
			y = 1
		}
		w := s.weight(i)
		g[0] += w * (y - p)
		g[1] += w * (y - p) * x[i]
		v := w * p * (1 - p)
		h[0] += v
		h[1] += v * x[i]
		h[2] += v * x[i] * x[i]
	}
	return g, h
}
