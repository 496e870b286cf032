package scoring

import (
	"math"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Interval bounds the probability of one line's win at 95 %, in parts per million. Numbers of floating
// point take part in it, so its last digit may differ from machine to machine; no decision looks at it.
type Interval struct {
	Low, High int32
	// PriorLeads is how many leads with a known outcome the calibration is taken to be worth; 0 where
	// outcomes gave it its own bounds.
	PriorLeads int32
}

// DefaultPriorLeads is what a calibration without bounds is taken to be worth where the line does not
// say: as many as learning takes an expert's table for.
const DefaultPriorLeads = 50

// normal95 is the 0.975 quantile of the normal distribution.
const normal95 = 1.959963984540054

// Interval returns how sure the probability of a line is. res must be that of a Score of this model.
//
// A calibration that was learned brings the bounds it has by itself, and bins that were learned their
// standard errors; the two are put together by Widen. A calibration without bounds is what an expert
// wrote: its chance is bounded as a share of won leads among PriorLeads would be (Wilson). So the
// interval is wide at first and shrinks as learned tables take over and outcomes arrive.
func (m *Model) Interval(res *Result, line lead.Line) Interval {
	if line == lead.LineUnspecified || int(line) >= NumLines || m.defined[line-1] == 0 {
		return Interval{High: maxPPM}
	}
	k, points, sure := int(line-1), res.Points[line], &m.sure[line-1]
	out := m.IntervalAt(line, points)
	variance := int64(sure.baseError) * int64(sure.baseError)
	for i := range m.columns {
		r := m.rows[k][m.columns[i].feature]
		if bin := int(m.origin[res.bins[i]][k]) - 1; r != nil && bin >= 0 && bin < len(r.Bins) {
			variance += int64(r.Bins[bin].Error) * int64(r.Bins[bin].Error)
		}
	}
	for i := range m.pairs {
		if p := &m.pairs[i]; p.line == k && p.errors != nil {
			e := int64(p.errors[m.cell(p, res)])
			variance += e * e
		}
	}
	if variance > 0 {
		d := Deviation(variance)
		out.Low, out.High = Widen(m.chance[k][points], out.Low, out.High, m.chance[k][max(points-d, 0)], m.chance[k][min(points+d, MaxPoints)])
	}
	return out
}

// IntervalAt returns how sure the probability of a line is at a number of points, which is taken into
// 0..MaxPoints, as far as the calibration goes.
func (m *Model) IntervalAt(line lead.Line, points int32) Interval {
	if line == lead.LineUnspecified || int(line) >= NumLines || m.defined[line-1] == 0 {
		return Interval{High: maxPPM}
	}
	points = min(max(points, 0), MaxPoints)
	ppm, sure := m.chance[line-1][points], &m.sure[line-1]
	out := Interval{}
	if sure.knots == nil {
		low, high := Wilson(float64(ppm)/maxPPM, float64(sure.priorLeads))
		out = Interval{Low: int32(math.Round(low * maxPPM)), High: int32(math.Round(high * maxPPM)), PriorLeads: sure.priorLeads}
	} else {
		out.Low = interpolate(sure.knots, points, func(n *Knot) int32 { return *n.Low })
		out.High = interpolate(sure.knots, points, func(n *Knot) int32 { return *n.High })
	}
	return out
}

// sureness is what the interval of a line is made from.
type sureness struct {
	knots      []Knot // with bounds; nil: the calibration has none
	priorLeads int32
	baseError  int32
}

func surenessOf(l *Line) sureness {
	s := sureness{priorLeads: l.PriorLeads, baseError: l.BaseError}
	if s.priorLeads == 0 {
		s.priorLeads = DefaultPriorLeads
	}
	if len(l.Calibration) > 0 && l.Calibration[0].Low != nil {
		for _, n := range l.Calibration { // the caller may change its own
			low, high := *n.Low, *n.High
			n.Low, n.High = &low, &high
			s.knots = append(s.knots, n)
		}
	}
	return s
}

// Deviation is how far, in 1/100 points, points of a variance may be off at 95 %, at most MaxPoints.
func Deviation(variance int64) int32 {
	return int32(min(normal95*math.Sqrt(float64(variance)), MaxPoints))
}

// Widen puts the error of the points to the bounds low and high that a calibration has by itself around
// ppm. below and above are the chances at the least and the most points there may be. The two errors are
// put together as independent ones, the root of the sum of their squares on either side.
func Widen(ppm, low, high, below, above int32) (int32, int32) {
	return max(ppm-hypotenuse(ppm-low, ppm-below), 0), min(ppm+hypotenuse(high-ppm, above-ppm), maxPPM)
}

func hypotenuse(a, b int32) int32 {
	return int32(math.Sqrt(float64(a)*float64(a) + float64(b)*float64(b)))
}

// Wilson bounds a share of n independent cases at 95 % (Wilson 1927); n need not be whole. Of no cases
// nothing is known.
func Wilson(share, n float64) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	z2 := normal95 * normal95 / n
	mid := (share + z2/2) / (1 + z2)
	d := normal95 / (1 + z2) * math.Sqrt(share*(1-share)/n+z2/(4*n))
	return max(mid-d, 0), min(mid+d, 1)
}
